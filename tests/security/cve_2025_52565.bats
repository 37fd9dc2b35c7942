#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CVE-2025-52565: /dev/console is made from a path of a terminal that the container can exchange.

load ../integration/helpers

STARTS=${RACE_STARTS:-200}

setup_console() {
	config '.process.terminal = true | .root.readonly = false |
		.mounts |= map(select(.destination | startswith("/dev") | not)) +
			[{destination: "/dev/pts", type: "devpts", source: "devpts",
				options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	rm -rf rootfs/dev
	mkdir -p rootfs/dev/pts
}

# Starts many containers while $1 and $2 are exchanged: each runs with its own terminal, or is
# refused.
start_while_flipping() {
	local n

	ran=0

	background "$SUITE/rootfs/bin/probe" flip "$1" "$2"
	wait_for 5 grep -q ready "$OUT"
	FLIPPER=$BG_PID
	config_args /bin/sh -c 'stat -Lc %t:%T /proc/self/fd/1; cat /dev/console/file /dev/pts/file'
	for ((n = 0; n < STARTS / 4; n++)); do
		berth_call run "$ID"
		lacks "$output" secret
		if [[ $stderr != *berth:* ]]; then
			ran=$((ran + 1))
			contains "$output" 88:
		fi
	done
	kill -0 "$FLIPPER" || fail 'the attacker ended early'
	kill -KILL "$FLIPPER"
	nothing_left
}

@test "/dev/console of the image flips to a file outside" {
	setup_console
	: >rootfs/dev/console
	ln -s "$VICTIM/ptmx" rootfs/other
	start_while_flipping "$BUNDLE/rootfs/dev/console" "$BUNDLE/rootfs/other"
	((ran > 0)) || fail "no container ever ran"
}

@test "/dev/console of the image flips to the host's terminals" {
	setup_console
	: >rootfs/dev/console
	ln -s /dev/pts/ptmx rootfs/other
	start_while_flipping "$BUNDLE/rootfs/dev/console" "$BUNDLE/rootfs/other"
	((ran > 0)) || fail "no container ever ran"
}

@test "/dev/pts of the image flips to a tree outside" {
	setup_console
	ln -s "$VICTIM" rootfs/other
	start_while_flipping "$BUNDLE/rootfs/dev/pts" "$BUNDLE/rootfs/other"
}

@test "a directory of the image in the place of the devpts: no terminal is made of it" {
	setup_console
	config '.mounts |= map(select(.destination != "/dev/pts"))'
	mknod rootfs/dev/pts/ptmx c 5 2
	mknod rootfs/dev/pts/0 c 1 3
	config_args /bin/true
	berth_fails "the container's \"/dev/pts\" is no devpts" run "$ID"
	nothing_left
}

@test "something mounted over the multiplexer: no terminal is made of it" {
	setup_console
	config '.mounts += [{destination: "/dev/pts/ptmx", source: ($v + "/ptmx"), options: ["bind"]}]' \
		--arg v "$VICTIM"
	config_args /bin/true
	berth_fails 'open the container'"'"'s "/dev/pts/ptmx"' run "$ID"
	nothing_left
}
