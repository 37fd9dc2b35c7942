#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# /dev: default devices, links, linux.devices.

load helpers

@test "the default devices" {
	run_probe report --path /dev/null --path /dev/zero --path /dev/full --path /dev/random \
		--path /dev/urandom --path /dev/tty
	json '[.paths[] | .type] | unique == ["char"]'
	json '[.paths[] | .mode] | unique == ["0666"]'
	json '[.paths[] | .uid, .gid] | unique == [0]'
	json '[.paths[] | .rdev] == ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"]'
	json '.paths | .["/dev/null"].write == "OK" and .["/dev/zero"].bytes == 4095 and
		.["/dev/urandom"].bytes == 4095'
}

@test "the links of /dev" {
	run_probe report --path /dev/fd --path /dev/stdin --path /dev/stdout --path /dev/stderr \
		--path /dev/ptmx
	json '.paths | .["/dev/fd"].target == "/proc/self/fd" and
		.["/dev/stdin"].target == "/proc/self/fd/0" and
		.["/dev/stdout"].target == "/proc/self/fd/1" and
		.["/dev/stderr"].target == "/proc/self/fd/2"'
	json '.paths["/dev/ptmx"] | (.type == "symlink" and .target == "pts/ptmx") or .rdev == "5:2"'
}

@test "no device of the host shows, and no console without a terminal" {
	run_probe report --path /dev
	json '(.paths["/dev"].entries | sort) - ["core", "console"] == ["fd", "full", "mqueue", "null",
		"ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]'
}

@test "a pseudo terminal can be opened" {
	config '.root.readonly = false'
	run_probe report --path /dev/pts/ptmx --path /dev/ptmx
	json '.paths["/dev/pts/ptmx"] | .type == "char" and .read == "OK"'
}

@test "linux.devices: character, block, fifo; mode, owner" {
	config '.linux.devices = [
		{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 8630, uid: 12, gid: 34},
		{path: "/dev/disk", type: "b", major: 7, minor: 99, fileMode: 384},
		{path: "/dev/unbuffered", type: "u", major: 1, minor: 3, fileMode: 292},
		{path: "/dev/pipe", type: "p", fileMode: 420}]'
	run_probe report --path /dev/fuse --path /dev/disk --path /dev/unbuffered --path /dev/pipe
	json '.paths["/dev/fuse"] | .type == "char" and .rdev == "10:229" and .mode == "0666" and
		.uid == 12 and .gid == 34'
	json '.paths["/dev/disk"] | .type == "block" and .rdev == "7:99" and .mode == "0600" and .uid == 0'
	json '.paths["/dev/unbuffered"] | .type == "char" and .rdev == "1:3" and .mode == "0444"'
	json '.paths["/dev/pipe"] | .type == "fifo" and .mode == "0644"'
}

@test "the umask does not cut the mode of a device" {
	config '.linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 3, fileMode: 511}]'
	umask 077
	run_probe report --path /dev/own --path /dev/null --path /dev/shm
	json '.paths["/dev/own"].mode == "0777" and .paths["/dev/null"].mode == "0666"'
}

@test "a device in a directory of its own, and outside of /dev" {
	config '.root.readonly = false | .linux.devices = [
		{path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 438},
		{path: "/srv/null", type: "c", major: 1, minor: 3, fileMode: 438}]'
	run_probe report --path /dev/net/tun --path /srv/null
	json '.paths["/dev/net/tun"].rdev == "10:200" and .paths["/srv/null"].rdev == "1:3"'
}

@test "a default device asked for again is no clash" {
	config '.linux.devices = [
		{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0},
		{path: "/dev/tty", type: "c", major: 5, minor: 0, fileMode: 438, uid: 0, gid: 5}]'
	run_probe report --path /dev/null --path /dev/tty
	json '.paths["/dev/null"].rdev == "1:3" and .paths["/dev/tty"].rdev == "5:0" and
		.paths["/dev/tty"].gid == 5'
}

@test "another file at the place of a device is an error" {
	config '.linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]'
	cp rootfs/etc/passwd "$T/passwd"
	berth_fails 'linux.devices[0]' run "$ID"
	contains "$stderr" /etc/passwd
	cmp rootfs/etc/passwd "$T/passwd"
	nothing_left
}

@test "the same device already at its place is accepted" {
	mknod -m 600 rootfs/null c 1 3
	config '.linux.devices = [{path: "/null", type: "c", major: 1, minor: 3}]'
	run_probe report --path /null
	json '.paths["/null"].rdev == "1:3"'
}

@test "/dev bound from outside is filled by nobody but its owner" {
	mkdir "$T/dev"
	mknod -m 666 "$T/dev/null" c 1 3
	config '.mounts |= (map(select(.destination | startswith("/dev") | not)) +
		[{destination: "/dev", source: $s, options: ["bind", "ro"]}])' --arg s "$T/dev"
	berth_call run "$ID"
	# Berth may refuse, since it cannot supply the devices, or run; it must not write there.
	is "$(ls "$T/dev")" null
}

@test "a writable root without a mount on /dev gets the devices in the root" {
	config '.root.readonly = false |
		.mounts |= map(select(.destination | startswith("/dev") | not))'
	run_probe report --path /dev/null --path /dev/zero --path /dev/fd
	json '.paths["/dev/null"].rdev == "1:3" and .paths["/dev/zero"].rdev == "1:5" and
		.paths["/dev/fd"].type == "symlink"'
}
