#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is unpacked is what the image holds: umoci is the judge, and the overlay agrees with --flat.
#
# The known difference between umoci 0.4.7 and berth-pull, by design, which same_as_umoci leaves out:
# times of directories that umoci gives the time of unpacking. It does so to directories that no layer
# describes (in ours the time is 0, so that two machines make the same tree), and to described ones in
# which such a directory was made, or something replaced or removed (in ours they have the time of
# their entry).

load helpers
load trees

setup() {
	pull_setup
	((EUID == 0)) || skip "owners and devices need root"
	command -v umoci >/dev/null || skip "no umoci"
}

@test "Debian" {
	local rootfs=$PROJECT_DIR/build/tests/debian

	[[ -e $rootfs/.complete ]] || skip "no Debian root file system in build/tests (tests/integration/debian.bats makes it)"
	tar -C "$rootfs" --exclude=./.complete --format=pax --xattrs --xattrs-include='*' \
		--pax-option=delete=atime,delete=ctime -cf debian.tar .
	jq -n '{ref: "a", layers: [{tar: "debian.tar"}]}' | mkimage
	same_as_umoci a 3000
	same_as_overlay a
}

@test "busybox" {
	local busybox

	busybox=$(command -v busybox) || skip "no busybox"
	jq -n --rawfile b <(base64 -w 0 "$busybox") --arg l "$("$busybox" --list)" '
		{ref: "a", layers: [{entries: (["bin/", {path: "bin/busybox", mode: "0755",
			data: {base64: $b}}] +
			[$l | split("\n")[] | select(. != "busybox" and . != "") |
			{path: "bin/\(.)", type: "hardlink", target: "bin/busybox"}] +
			["etc/", {path: "tmp/", mode: "1777"}, {path: "home/", uid: 65534, gid: 65534},
			{path: "dev/null", type: "char", major: 1, minor: 3, mode: "0666"},
			{path: "dev/loop", type: "block", major: 7, minor: 0, mode: "0660", gid: 6},
			{path: "run/p", type: "fifo", mode: "0622"}])}]}' | mkimage
	same_as_umoci a 50
	same_as_overlay a
}

@test "capabilities, attributes, and sparse files" {
	command -v setcap >/dev/null || skip "no setcap"
	mkdir -p tree/bin
	cp /bin/true tree/bin/ping
	setcap cap_net_raw+ep tree/bin/ping
	setfattr -n user.text -v 'a=b' tree/bin/ping
	setfattr -n user.binary -v 0x00ff0a3d00 tree/bin
	chmod 4755 tree/bin/ping
	truncate -s 16M tree/holes
	printf middle | dd of=tree/holes bs=1 seek=8M conv=notrunc status=none
	truncate -s 32M tree/hole
	printf data | dd of=tree/data-first bs=1 status=none
	truncate -s 4M tree/data-first
	chown 12:34 tree/holes
	find tree -exec touch -hd @1234567890.123456789 {} +
	tar -C tree --format=pax --sparse --xattrs --xattrs-include='*' -cf tree.tar .
	jq -n '{ref: "a", layers: [{tar: "tree.tar"}]}' | mkimage
	same_as_umoci a 6
	same_as_overlay a
	is "$(getfattr --only-values -n security.capability flat/rootfs/bin/ping | xxd -p)" \
		"$(getfattr --only-values -n security.capability tree/bin/ping | xxd -p)"
	# Holes stay holes, in the store and in the flat root.
	(($(du -sk "$STORE" | cut -f1) < 2000)) || fail "the store has $(du -sk "$STORE") KiB"
	(($(du -sk flat | cut -f1) < 2000)) || fail "the flat root has $(du -sk flat) KiB"
}

# Directories d/d/d…, each with two files and a directory to be hidden.
deep_entries() {
	jq -n '[range(1; 9) | ("d/" * .) as $d | $d, {path: ($d + "kept"), data: $d},
		{path: ($d + "gone"), data: "x"}, {path: ($d + "dir/"), mode: "0700", uid: 5},
		{path: ($d + "dir/f"), data: "y"}, {path: ($d + "clear/f"), data: "y"},
		{path: ($d + "clear/"), mode: "0711", mtime: 9}, {path: ($d + "link"), target: "kept"}]'
}

@test "whiteouts at every depth" {
	jq -n --argjson e "$(deep_entries)" '
		def at(f): [range(1; 9) | "d/" * . | f];
		{ref: "a", layers: [
		{entries: (["./"] + $e)},
		{entries: at(. as $d | {path: ($d + "gone"), type: "whiteout"}, {path: ($d + "dir"), type: "whiteout"})},
		{entries: at(. as $d | {path: ($d + "clear"), type: "opaque"}, {path: ($d + "clear/g"), data: $d})},
		{entries: at(. as $d | {path: ($d + "dir/again"), data: "z"}, {path: ($d + "link"), type: "whiteout"},
			{path: ($d + "new/"), mode: "0750"}, {path: ($d + "new/gone"), type: "whiteout"})},
		{entries: [{path: "d/d/d/d", type: "whiteout"}]},
		{entries: [{path: "d/d/d/d/d/back", data: "b"}, {path: "d/d/kept", target: "/x"}]},
		{entries: [{path: "d/clear", data: "a file"}, {path: "d/new/", mode: "0700"}]}]}' | mkimage
	same_as_umoci a 20
	same_as_overlay a
}

@test "forty layers" {
	jq -n '{ref: "a", layers: [range(40) | . as $i | {entries: (
		(if $i == 0 then ["./", "layers/", "shared/"] else [] end) +
		[{path: "etc/", mtime: (1000 + $i)}, {path: "etc/version", data: "\($i)"},
		{path: "layers/\($i)/", mode: "07\($i % 8)\(7 - $i % 8)", uid: $i},
		{path: "layers/\($i)/file", data: "from \($i)", mtime: "\($i).\(100000001 + $i)"},
		{path: "layers/\($i)/name", type: "hardlink", target: "layers/\($i)/file"},
		{path: "shared/f\($i % 7)", data: "\($i)", gid: $i}] +
		(if $i >= 8 then [{path: "layers/\($i - 8)/name", type: "whiteout"}] else [] end) +
		(if $i % 10 == 9 then [{path: "shared", type: "opaque"}] else [] end))}]}' | mkimage
	same_as_umoci a 90
	same_as_overlay a
}

@test "hard links to what another layer has" {
	jq -n '{ref: "a", layers: [
		{entries: ["./", "a/", {path: "a/f", data: "one", mode: "0600", uid: 4, mtime: 5}]},
		{entries: [{path: "b/", mode: "0700"}, {path: "b/g", type: "hardlink", target: "a/f"}]},
		{entries: [{path: "a/f", data: "two"}]}]}' | mkimage
	same_as_umoci a 4
	same_as_overlay a 's/ names=\S+//'
	is "$(cat flat/rootfs/b/g)" one
}

@test "a layer that hides everything below" {
	jq -n '{ref: "a", layers: [{entries: ["./", "a/", "a/b", "c"]},
		{entries: [{path: ".", type: "opaque"}, "c/", "c/d"]}, {entries: ["e"]}]}' | mkimage
	same_as_umoci a 4
	same_as_overlay a
}

@test "a hard link to what no layer has is refused, by either kind of root" {
	jq -n '{ref: "a", layers: [{entries: ["a"]},
		{entries: [{path: "b", type: "hardlink", target: "c"}]}]}' | mkimage
	pull_fails 'layer 2: the hard link "b" to "c"' --from oci:layout:a --flat flat
	pull_fails 'layer 2: the hard link "b" to "c"' --from oci:layout:a overlay
	[[ ! -e flat && ! -e overlay ]]
}
