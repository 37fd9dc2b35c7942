# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Turns the samples of pulls into tables, a section of the document, and the verdict on the bars.
# shellcheck disable=SC2154 # lab, peers, manifest and layers are those of `pull`, which reads this

# What must hold on every file system: rival, the highest ratio of wall time.
pull_bars='
skopeo-umoci 0.25
podman       0.17
by-hand      0.6
'
# What is measured alone, by `floor`.
floor_parts=(transfer inflate digests)
pull_rss_max=24576   # KiB, of berth-pull, whatever the image
present_ns_max=10000000 # of an image that is there, by digest

# Prints the names out of $1 that take part and are berth-pull's (yes), or are not (no).
taking_part() {
	local name own

	for name in ${BENCH_RIVALS//,/ }; do
		own=no
		[[ $name != berth* ]] || own=yes
		[[ $own != "$1" ]] || echo "$name"
	done
}

# Prints what people call the rival or measure $1.
title_of() {
	case $1 in
	berth) echo 'pull' ;;
	berth-bundle) echo 'pull and bundle' ;;
	berth-flat) echo 'pull and flat bundle' ;;
	skopeo-umoci) echo 'skopeo copy, umoci unpack' ;;
	podman) echo 'podman pull' ;;
	by-hand) echo 'by hand' ;;
	transfer) echo "transfer (\`curl\`, the registry's own time not counted)" ;;
	inflate) echo 'decompression (`igzip -d`)' ;;
	digests) echo 'digests of layers, packed and unpacked (`sha256sum`)' ;;
	wall) echo 'wall time, median' ;;
	min) echo 'wall time, minimum' ;;
	cpu) echo 'user + system time' ;;
	rss) echo 'peak resident memory' ;;
	esac
}

# Prints a table in Markdown from the summary $1: berth-pull's values divided by those of the others.
pull_table() {
	local fs own rival measure rivals

	mapfile -t rivals < <(taking_part no)
	printf '| file system | berth-pull | measure |'
	for rival in "${rivals[@]}"; do
		printf ' / %s |' "$(title_of "$rival")"
	done
	printf '\n|---|---|---|'
	printf -- '---:|%.0s' "${rivals[@]}"
	echo
	for fs in ${BENCH_FS//,/ }; do
		for own in $(taking_part yes); do
			for measure in wall min cpu rss; do
				printf '| %s | %s | %s |' "$fs" "$(title_of "$own")" "$(title_of $measure)"
				for rival in "${rivals[@]}"; do
					printf ' %.2f |' "$(ratio_of "$1" "$fs" pull $measure "$own" "$rival")"
				done
				echo
			done
		done
	done
}

# Prints a table of the values themselves: the least wall time, user and system time, memory.
absolute_table() {
	local fs name min cpu rss

	printf '| file system | program | wall s, minimum | user + system s | peak MiB |\n'
	printf '|---|---|---:|---:|---:|\n'
	for fs in ${BENCH_FS//,/ }; do
		for name in ${BENCH_RIVALS//,/ }; do
			min=$(value_of "$1" "$fs" pull "$name" min)
			cpu=$(value_of "$1" "$fs" pull "$name" cpu)
			rss=$(value_of "$1" "$fs" pull "$name" rss-max)
			awk -v fs="$fs" -v name="$(title_of "$name")" \
				"BEGIN { printf \"| %s | %s | %.2f | %.2f | %.1f |\\n\", fs, name,
					$min / 1e9, $cpu / 1e6, $rss / 1024 }"
		done
	done
}

# Prints a table on the parts of the work that nobody can leave out, and what they alone come to when
# all processors share them, divided by the time by hand.
floor_table() {
	local part cpu sum=0 fs

	printf '| part alone | user + system s |\n|---|---:|\n'
	for part in "${floor_parts[@]}"; do
		cpu=$(value_of "$1" memory floor "$part" cpu)
		sum=$((sum + cpu))
		awk -v title="$(title_of "$part")" "BEGIN { printf \"| %s | %.2f |\\n\", title, $cpu / 1e6 }"
	done
	awk "BEGIN { printf \"| all | %.2f |\\n\", $sum / 1e6 }"
	echo
	for fs in ${BENCH_FS//,/ }; do
		awk -v fs="$fs" -v wall="$(value_of "$1" "$fs" pull by-hand wall)" -v count="$(nproc)" \
			"BEGIN { printf \"- shared by %d processors, divided by the time by hand on %s: %.2f\\n\",
				count, fs, $sum * 1e3 / count / wall }"
	done
}

# Prints a table on the image that is there already.
present_table() {
	local fs what wall min

	printf '| file system | asked for by | wall ms, median | minimum | requests | for blobs |\n'
	printf '|---|---|---:|---:|---:|---:|\n'
	for fs in ${BENCH_FS//,/ }; do
		for what in digest tag; do
			wall=$(value_of "$1" "$fs" "present-$what" berth wall)
			min=$(value_of "$1" "$fs" "present-$what" berth min)
			awk -v fs="$fs" -v what="$what" \
				-v requests="$(value_of "$lab/requests.tsv" "$fs" "present-$what" berth requests)" \
				-v blobs="$(value_of "$lab/requests.tsv" "$fs" "present-$what" berth blobs)" \
				"BEGIN { printf \"| %s | %s | %.1f | %.1f | %d | %d |\\n\", fs, what,
					$wall / 1e6, $min / 1e6, requests, blobs }"
		done
	done
}

# Prints what the image of this run is.
image_facts() {
	local packed

	packed=$(jq '[.layers[].size] | add' "$manifest")
	awk -v packed="$packed" -v count="${#layers[@]}" \
		'BEGIN { printf "%d layers, %.0f MB packed with gzip", count, packed / 1e6 }'
}

# Prints the versions of the rivals.
pull_versions() {
	local name

	for name in skopeo umoci podman curl igzip tar; do
		echo "- $(chroot "$peers" "$name" --version | sed -n 1p | cut -d' ' -f1-4)"
	done
}

# Prints the document's section of the summary $1.
pull_section() {
	cat <<-TEXT
		## Pulling images

		One image ($(image_facts)) out of a registry on the same machine: berth-pull's values divided
		by the others'.

		$(pull_table "$1")

		$(absolute_table "$1")
	TEXT
	if takes_part by-hand; then
		printf '\nWhat berth-pull cannot leave out, each part alone, before anything is written:\n\n'
		floor_table "$1"
	fi
	if takes_part berth; then
		printf '\nAn image that is there already, and what is asked of the registry for it:\n\n'
		present_table "$1"
	fi
	cat <<-TEXT

		### What was compared, and how

		$(pull_versions)
		- registry: Debian's docker-registry, plain http on loopback; what it costs itself is in no figure

		$(machine); $(grep pull "$1" | fewest_rounds /dev/stdin) rounds or more of every pull. Widest
		spread of their wall times (the middle half, relative to the median): $(widest_spread "$1").

		- *pull* fetches, checks and unpacks all layers into the store; *pull and bundle* makes a bundle
		  that stands on them, besides; *pull and flat bundle* one with a root file system of its own.
		- *skopeo copy, umoci unpack*: to an OCI layout, then to a bundle. *podman pull*: overlay driver,
		  storage of its own. *By hand*: for each layer \`curl | igzip -d | tar x\`, all of them side by
		  side, each to a directory of its own; no digest is checked.
		- Everybody starts with nothing, and in turn: each round runs all of them, beginning with another
		  one each time, and in another order; the first $BENCH_WARMUP does not count. Page cache and free memory are warm.
		- *tmpfs* and *ext4* are where all results and temporary files go; the latter has a journal and
		  lies on a loop device backed by memory. Nobody waits for the disk at the end.
		- Wall time is from the start of the first process to the end of the last. Peak resident memory is
		  the largest of any single process, so by hand and podman use more than it says.
		- Regular files of berth-pull's layers and of those unpacked by hand were compared by name and
		  size before.
	TEXT
}

# Prints for each bar whether it holds, and fails if one does not.
check_pull_bars() {
	local fs own rival limit measure value missed=0

	for fs in ${BENCH_FS//,/ }; do
		while read -r rival limit; do
			if [[ ! $rival ]] || ! takes_part "$rival"; then continue; fi
			for own in berth berth-bundle; do
				for measure in wall min; do
					value=$(ratio_of "$1" "$fs" pull $measure "$own" "$rival")
					verdict "$fs, $own, $measure against $rival" "$value" "$limit" || missed=1
				done
			done
		done <<<"$pull_bars"
		for own in $(taking_part yes); do
			value=$(value_of "$1" "$fs" pull "$own" rss-max || echo unknown)
			verdict "$fs, $own, peak memory in KiB" "$value" "$pull_rss_max" || missed=1
		done
		value=$(value_of "$1" "$fs" present-digest berth min || echo unknown)
		verdict "$fs, there already, by digest, ns" "$value" "$present_ns_max" || missed=1
		value=$(value_of "$lab/requests.tsv" "$fs" present-digest berth requests || echo unknown)
		verdict "$fs, there already, by digest, requests" "$value" 0 || missed=1
		value=$(value_of "$lab/requests.tsv" "$fs" present-tag berth requests || echo unknown)
		verdict "$fs, there already, by tag, requests" "$value" 1 || missed=1
	done
	return "$missed"
}

# Reports on the samples in directory $1 as the options ask.
report() {
	summarize "$1" >"$1/summary.tsv"
	pull_table "$1/summary.tsv"
	echo
	absolute_table "$1/summary.tsv"
	if takes_part berth; then
		echo
		present_table "$1/summary.tsv"
	fi
	printf '\nwidest spread of wall times: %s\n' "$(widest_spread "$1/summary.tsv")"
	if [[ $BENCH_DOC ]]; then
		pull_section "$1/summary.tsv" >"$1/section"
		write_section "$BENCH_DOC" pull <"$1/section"
	fi
	keep_samples "$1" samples.tsv requests.tsv summary.tsv
	if [[ $BENCH_CHECK ]]; then
		check_pull_bars "$1/summary.tsv"
	fi
}
