#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Destinations that are exchanged for links while containers start: CVE-2021-30465, CVE-2024-45310.
# RACE_STARTS is how many starts the first two tests make (200); the others make a quarter of them.

load ../integration/helpers

STARTS=${RACE_STARTS:-200}

# A volume in which "door" is a directory and a link to $1 in turn, all the time.
start_flipping() {
	mkdir -p "$T/volume/door" "$T/volume/other"
	rmdir "$T/volume/other"
	ln -s "$1" "$T/volume/other"
	background "$SUITE/rootfs/bin/probe" flip "$T/volume/door" "$T/volume/other"
	wait_for 5 grep -q ready "$OUT"
	FLIPPER=$BG_PID
}

# Starts $1 containers with the configuration; each runs inside or is refused.
start_many() {
	local n

	ran=0
	for ((n = 0; n < $1; n++)); do
		berth_call run "$ID"
		if ((status == 0)); then
			ran=$((ran + 1))
			lacks "$output" secret
		else
			((status == 1)) || fail "start $n: exit status $status"
			one_line_error ''
		fi
	done
	kill -0 "$FLIPPER" || fail 'the attacker ended early'
	kill -KILL "$FLIPPER"
	nothing_left
}

@test "CVE-2021-30465: a mount below a door that flips to the host's root" {
	start_flipping /
	config '.root.readonly = false | .mounts += [
		{destination: "/volume", source: ($t + "/volume"), options: ["bind"]},
		{destination: ("/volume/door" + $v), type: "tmpfs", source: "tmpfs"}]' \
		--arg t "$T" --arg v "$VICTIM"
	config_args /bin/sh -c "cat $VICTIM/file 2>/dev/null; true"
	start_many "$STARTS"
	((ran > 0)) || fail 'no container ever ran'
}

@test "CVE-2021-30465: a bind of the volume's own directory, which flips" {
	start_flipping /
	config '.root.readonly = false | .mounts += [
		{destination: "/volume", source: ($t + "/volume"), options: ["bind"]},
		{destination: "/volume/door", source: ($t + "/source"), options: ["bind"]}]' --arg t "$T"
	mkdir "$T/source"
	config_args /bin/sh -c 'ls /volume/door/etc 2>/dev/null | grep -x machine-id && echo secret; true'
	start_many "$STARTS"
	((ran > 0)) || fail 'no container ever ran'
}

@test "CVE-2024-45310: a missing mount point below a door that flips to the tree outside" {
	start_flipping "$VICTIM"
	config '.root.readonly = false | .mounts += [
		{destination: "/volume", source: ($t + "/volume"), options: ["bind"]},
		{destination: "/volume/door/new/deep/dir", type: "tmpfs", source: "tmpfs"},
		{destination: "/volume/door/newfile", source: "/etc/hostname", options: ["bind"]}]' --arg t "$T"
	config_args /bin/true
	start_many $((STARTS / 4))
	[[ ! -e $VICTIM/new && ! -e $VICTIM/newfile ]]
}

@test "CVE-2024-45310: devices and the working directory below the flipping door" {
	start_flipping "$VICTIM"
	config '.root.readonly = false | .process.cwd = "/volume/door/cwd/deep" | .mounts += [
		{destination: "/volume", source: ($t + "/volume"), options: ["bind"]}] |
		.linux.devices = [{path: "/volume/door/dev/node", type: "c", major: 1, minor: 3}] |
		.linux.maskedPaths += ["/volume/door/file"] | .linux.readonlyPaths += ["/volume/door/dir"]' \
		--arg t "$T"
	config_args /bin/true
	start_many $((STARTS / 4))
	[[ ! -e $VICTIM/cwd && ! -e $VICTIM/dev ]]
}

@test "CVE-2026-41579 raced: /dev of the root flips to the tree outside" {
	config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
	rm -rf rootfs/dev
	mkdir rootfs/dev
	ln -s "$VICTIM" rootfs/other
	background "$SUITE/rootfs/bin/probe" flip "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/other"
	wait_for 5 grep -q ready "$OUT"
	FLIPPER=$BG_PID
	config_args /bin/true
	start_many $((STARTS / 4))
}

@test "CVE-2019-19921 raced: /proc of the root flips to the tree outside" {
	mkdir -p rootfs/proc
	ln -s "$VICTIM" rootfs/other
	background "$SUITE/rootfs/bin/probe" flip "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/other"
	wait_for 5 grep -q ready "$OUT"
	FLIPPER=$BG_PID
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	config_args /bin/true
	start_many $((STARTS / 4))
}

@test "the root itself flips to the tree outside" {
	ln -s "$VICTIM" other
	background "$SUITE/rootfs/bin/probe" flip "$BUNDLE/rootfs" "$BUNDLE/other"
	wait_for 5 grep -q ready "$OUT"
	FLIPPER=$BG_PID
	config '.root.readonly = false'
	config_args /bin/sh -c 'true'
	start_many $((STARTS / 4))
}
