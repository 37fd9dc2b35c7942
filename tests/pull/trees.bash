# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Comparing what berth-pull unpacks with what umoci does, and a flat root with the overlay of the same
# image. The image is in the layout "layout" of the working directory, which is $T.

walk() {
	"$LAB_DIR/walk" "$1"
}

# The lines of both trees that differ; $3: a sed script for both.
differ() {
	diff <(walk "$1" | sed -E "${3:-}") <(walk "$2" | sed -E "${3:-}")
}

# The lines of a tree, without the times of the directories in $T/undated.
without_times() {
	awk 'FILENAME == ARGV[1] { undated[$1]; next } $1 in undated { sub(/ mtime=[-0-9.]+/, "") } { print }' \
		"$T/undated" <(walk "$1")
}

# Directories of a tree that are not older than the test, and not of the future, one a line.
dated_now() {
	walk "$1" | awk -v start="$START" -v now="$EPOCHSECONDS" '$2 == "type=d" && match($0, / mtime=[0-9]+/) {
		time = substr($0, RSTART + 7, RLENGTH - 7) + 0
		if (time >= start && time <= now) print $1 }'
}

# Image $1 of the layout is unpacked by umoci and by berth-pull, to equal trees: umoci, flat.
same_as_umoci() {
	START=$EPOCHSECONDS
	umoci unpack --image "layout:$1" umoci >"$T/umoci.log" 2>&1 3>&- 4>&- ||
		fail "umoci: $(tail -n 3 "$T/umoci.log")" || return 1
	pull -q --from "oci:layout:$1" --flat flat
	is "$(dated_now flat/rootfs)" "" "directories with the time of unpacking"
	dated_now umoci/rootfs >"$T/undated"
	diff <(without_times umoci/rootfs) <(without_times flat/rootfs) >"$T/differences" ||
		fail "umoci's tree (<) is not ours (>): $(head -n 20 "$T/differences")" || return 1
	(($(walk flat/rootfs | wc -l) >= ${2:-2})) || fail "the tree is too small: $(walk flat/rootfs)"
}

# The same image as an overlay shows what the flat root has. Hard links to what another layer has are
# no links in an overlay: $2, a sed script, leaves names= out then.
same_as_overlay() {
	pull -q --from "oci:layout:$1" overlay
	mount_overlay ""
	differ flat/rootfs overlay/rootfs "${2:-}" >"$T/differences" || {
		umount "$T/overlay/rootfs"
		fail "the flat root (<) is not the overlay (>): $(head -n 20 "$T/differences")"
		return 1
	}
	umount "$T/overlay/rootfs"
}

# As berth mounts it; by short names, since mount(8) passes a page of options at most. $1: one more.
mount_overlay() {
	local place names=() lower

	mkdir lower
	while read -rd : place; do
		ln -s "$place" "lower/${#names[@]}"
		names+=("lower/${#names[@]}")
	done < <(jq -j '.annotations["org.berth.overlay.lower"] + ":"' overlay/config.json)
	lower=$(IFS=:; echo "${names[*]}")
	mount -t overlay overlay -o "lowerdir=$lower,upperdir=overlay/upper,workdir=overlay/work${1:+,$1}" \
		"$PWD/overlay/rootfs"
}

mkimage() {
	"$LAB_DIR/mkimage" layout >"$T/made.json"
}
