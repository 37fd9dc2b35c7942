#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Links of the image in the places that a runtime mounts on or writes to: CVE-2019-19921,
# CVE-2023-27561, CVE-2023-28642, CVE-2025-54867, CVE-2019-18837, CVE-2026-41579, CVE-2026-47766,
# CVE-2026-88264, CVE-2026-88265, CVE-2026-55686. Teardown compares the tree outside.

load ../integration/helpers

# Runs a payload in a hostile root: refused with one line, or run inside.
attempt() {
	config_args /bin/probe paths /
	berth_call run "$ID"
	((status == 0)) || one_line_error ''
	((status <= 1)) || fail "exit status $status"
	nothing_left
}

replace() {
	rm -rf "rootfs/${1:?}"
	ln -s "$2" "rootfs/$1"
}

@test "CVE-2019-19921, CVE-2023-27561: /proc is a link: refused" {
	local target

	mkdir rootfs/evil
	for target in /evil evil ../../../../../../proc "$VICTIM" /proc/self/root/proc; do
		replace proc "$target"
		attempt
		((status == 1)) || fail "/proc -> $target was accepted"
		contains "$stderr" /proc
	done
}

@test "CVE-2023-28642, CVE-2025-54867: /sys is a link: refused" {
	local target

	mkdir rootfs/evil
	for target in /evil evil "$VICTIM"; do
		replace sys "$target"
		attempt
		((status == 1)) || fail "/sys -> $target was accepted"
		contains "$stderr" /sys
	done
}

@test "CVE-2023-28642: links and crafted mounts together" {
	mkdir -p rootfs/a/proc rootfs/b/sys
	replace proc /a/proc
	replace sys /b/sys
	config '.mounts = [
		{destination: "/a", type: "tmpfs", source: "tmpfs"},
		{destination: "/b", type: "tmpfs", source: "tmpfs"}] + .mounts'
	attempt
	((status == 1))
}

@test "CVE-2019-16884: something else lies on /proc before the proc mount, with a label to set" {
	mkdir -p "$T/fake/self/attr" "$T/fake/1/attr"
	touch "$T/fake/self/attr/exec" "$T/fake/self/attr/current"
	config '.process.apparmorProfile = "some-profile" | .mounts = [
		{destination: "/proc", source: ($t + "/fake"), options: ["bind"]}] + .mounts' --arg t "$T"
	attempt
	# Where the kernel enforces labels it must have been set, or nothing have run; where it does
	# not, there is nothing to set. Nothing is ever written into the fake.
	if [[ -e /sys/kernel/security/apparmor ]] && ((status == 0)); then
		fail 'ran without its label'
	fi
	is "$(find "$T/fake" -type f -size +0)" ''
}

@test "a tmpfs or bind in the place of /proc: sysctl values and labels do not go there" {
	mkdir -p "$T/fake/sys/net/ipv4" "$T/fake/self/attr"
	echo fake >"$T/fake/sys/net/ipv4/ip_forward"
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} |
		.mounts |= map(if .destination == "/proc"
		then {destination: "/proc", source: ($t + "/fake"), options: ["bind"]} else . end)' --arg t "$T"
	attempt
	is "$(<"$T/fake/sys/net/ipv4/ip_forward")" fake
}

@test "CVE-2019-18837: destinations below chains of links that climb" {
	local n

	ln -s ../../../../../../../../../.. rootfs/c0
	for n in {1..9}; do
		ln -s "c$((n - 1))/../../.." "rootfs/c$n"
	done
	config '.root.readonly = false | .mounts += [
		{destination: ("/c9" + $v + "/dir"), type: "tmpfs", source: "tmpfs"},
		{destination: ("/c9" + $v + "/new"), type: "tmpfs", source: "tmpfs"},
		{destination: ("/c0" + $v + "/file"), source: "/etc/hostname", options: ["bind"]}]' \
		--arg v "$VICTIM"
	attempt
	[[ ! -e $VICTIM/new ]]
}

# A root without any mount on /dev.
without_dev() {
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
}

@test "CVE-2026-41579: /dev is a link to a directory of the host with a ptmx in it" {
	local target

	without_dev
	for target in "$VICTIM" "../../../../../../../../../..$VICTIM" "/proc/self/root$VICTIM"; do
		replace dev "$target"
		attempt
		[[ -f $VICTIM/ptmx && ! -e $VICTIM/null && ! -L $VICTIM/fd && ! -L $VICTIM/stdin ]]
	done
}

@test "CVE-2026-41579: a link in a directory below /dev" {
	without_dev
	rm -rf rootfs/dev
	mkdir rootfs/dev
	ln -s "$VICTIM" rootfs/dev/pts
	ln -s "$VICTIM" rootfs/dev/shm
	attempt
}

@test "CVE-2026-47766: linux.devices below a /dev that is a link" {
	without_dev
	replace dev "$VICTIM"
	config '.linux.devices = [
		{path: "/dev/own-c", type: "c", major: 1, minor: 3, fileMode: 438, uid: 5, gid: 5},
		{path: "/dev/own-b", type: "b", major: 7, minor: 0},
		{path: "/dev/own-p", type: "p"},
		{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]'
	attempt
	[[ ! -e $VICTIM/own-c && ! -e $VICTIM/own-b && ! -e $VICTIM/own-p ]]
}

@test "CVE-2026-88264: /dev/console and the standard links are links to the host" {
	local name

	without_dev
	for name in console null zero tty fd stdin stdout stderr core ptmx; do
		ln -s "$VICTIM/made-$name" "rootfs/dev/$name"
	done
	attempt
	is "$(find "$VICTIM" -name 'made-*')" ''
}

@test "CVE-2026-88265: /dev/null of the image is a file, a link, a fifo, another device" {
	local kind

	without_dev
	for kind in file link fifo device directory socketlike; do
		rm -rf rootfs/dev/null
		case $kind in
		file) echo content >rootfs/dev/null ;;
		link) ln -s "$VICTIM/file" rootfs/dev/null ;;
		fifo) mkfifo rootfs/dev/null ;;
		device) mknod rootfs/dev/null c 1 5 ;;
		directory) mkdir rootfs/dev/null ;;
		socketlike) ln -s /proc/self/fd/0 rootfs/dev/null ;;
		esac
		config_args /bin/probe report --path /dev/null
		STDIN=$VICTIM/file berth_call run "$ID"
		if ((status == 0)); then
			json '.paths["/dev/null"] | .type == "char" and .rdev == "1:3"' || fail "$kind"
			json '[.fds[] | select(.fd == 0) | .target | contains("null")] == [false]' || fail "$kind"
		else
			one_line_error /dev/null
		fi
		nothing_left
	done
	is "$(stat -c %U "$VICTIM/file")" root
}

@test "CVE-2026-55686: the working directory is a link: nothing is made or owned outside" {
	ln -s "$VICTIM" rootfs/work
	mkdir rootfs/a
	ln -s "$VICTIM/dir" rootfs/a/b
	config '.root.readonly = false | .process.user = {uid: 1000, gid: 1000}'
	for cwd in /work /work/new /a/b /a/b/new/deep; do
		config '.process.cwd = $c' --arg c "$cwd"
		attempt
	done
	[[ ! -e $VICTIM/new && ! -e $VICTIM/dir/new ]]
}
