# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Turns the samples of `net` into tables, a section of the document, and the verdict on the bars.
# shellcheck disable=SC2154 # lab is that of `net`, which reads this

# What must hold: case, rival, the highest ratio of wall time.
net_bars='
add cni      0.3
add netavark 1
'
growth_max=1.2 # of the 200th add, against the first

# Prints a table in Markdown from the summary $1: berth-net's values divided by those of the others.
net_table() {
	local case measure rival rivals

	mapfile -t rivals < <(tr , '\n' <<<"${BENCH_RIVALS#*,}")
	printf '| case | measure |'
	printf ' / %s |' "${rivals[@]}"
	printf '\n|---|---|'
	printf -- '---:|%.0s' "${rivals[@]}"
	echo
	for case in add del; do
		for measure in wall min cpu rss; do
			printf '| %s | %s |' "$case" "$(measure_title "$measure")"
			for rival in "${rivals[@]}"; do
				printf ' %.3f |' "$(ratio_of "$1" net "$case" "$measure" berth "$rival")"
			done
			echo
		done
	done
}

# Prints what people call the measure $1.
measure_title() {
	case $1 in
	wall) echo 'wall time, median' ;;
	min) echo 'wall time, minimum' ;;
	cpu) echo 'user + system time' ;;
	rss) echo 'peak resident memory' ;;
	esac
}

# Prints measure $2 of the 200th add in the summary $1, divided by that of the add $3 (1st, 2nd).
growth_of() {
	local early late

	if early=$(value_of "$1" net "$3" berth "$2") && late=$(value_of "$1" net 200th berth "$2"); then
		awk "BEGIN { printf \"%.3f\", $late / $early }"
	else
		printf unknown
	fi
}

# Prints the document's section of summary $1.
net_section() {
	cat <<-TEXT
		## Giving a container its network

		$(net_table "$1")

		The 200th add took $(growth_of "$1" wall 1st) times as long as the first, which makes bridge and
		table as well, and $(growth_of "$1" wall 2nd) times as long as the second (medians; minimum
		$(growth_of "$1" min 1st) and $(growth_of "$1" min 2nd)).

		### What was compared

		- cni: bridge (with host-local), portmap and firewall of Debian's containernetworking-plugins
		  ($(dpkg-query -W -f '${Version}' containernetworking-plugins)), one after the other, run by a
		  small C program
		- netavark: $("$lab/netavark" version | jq -r .version), which gets its addresses given

		$(machine);
		$(fewest_rounds "$1") rounds or more of every case. Widest spread (the middle half of the wall
		times, relative to their median): $(widest_spread "$1").

		### How

		- All give the same: a bridge, a veth pair with an IPv4 and an IPv6 address, default routes,
		  masquerading, a published TCP port. The bridge is made and removed each time, since no other
		  container is there.
		- Each round runs every rival once, beginning with another one each time; the first
		  $BENCH_WARMUP rounds do not count. The network namespace is made and removed outside of what
		  is measured. All of it happens in a network namespace and on a tmpfs of its own.
		- The 200th add has 199 containers with a published port each beside it.
	TEXT
}

# Prints for each bar whether it holds, and fails if one does not.
check_net_bars() {
	local case rival limit measure missed=0

	while read -r case rival limit; do
		[[ $case ]] || continue
		for measure in wall min; do
			verdict "$measure of $case against $rival" \
				"$(ratio_of "$1" net "$case" "$measure" berth "$rival")" "$limit" || missed=1
		done
	done <<<"$net_bars"
	for measure in wall min; do
		verdict "$measure of the 200th add against the first" "$(growth_of "$1" "$measure" 1st)" \
			"$growth_max" || missed=1
	done
	return "$missed"
}

# Reports on the samples in directory $1 as the options ask.
report() {
	summarize "$1" >"$1/summary.tsv"
	net_table "$1/summary.tsv"
	printf '\nthe 200th add / the first: %s (median), %s (minimum); / the second: %s, %s\n' \
		"$(growth_of "$1/summary.tsv" wall 1st)" "$(growth_of "$1/summary.tsv" min 1st)" \
		"$(growth_of "$1/summary.tsv" wall 2nd)" "$(growth_of "$1/summary.tsv" min 2nd)"
	printf 'widest spread of wall times: %s\n' "$(widest_spread "$1/summary.tsv")"
	if [[ $BENCH_DOC ]]; then
		net_section "$1/summary.tsv" | write_section "$BENCH_DOC" net
	fi
	keep_samples "$1" samples.tsv summary.tsv
	if [[ $BENCH_CHECK ]]; then
		check_net_bars "$1/summary.tsv"
	fi
}
