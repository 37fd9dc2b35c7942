#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.maskedPaths and linux.readonlyPaths.

load helpers

@test "the masked paths of the default spec" {
	run_probe report --path /proc/kcore --path /proc/keys --path /proc/timer_list --path /sys/firmware
	json '[.paths[] | select(.type == "char") | .rdev] | unique - ["1:3"] == []'
	json '.paths["/proc/kcore"] | .type == "none" or .bytes == 0'
	json '.paths["/proc/keys"].bytes == 0'
	json '.paths["/sys/firmware"] | .type == "dir" and .entries == [] and .write != "OK"'
}

@test "files and directories of the root can be masked" {
	mkdir -p rootfs/hidden/dir
	echo secret >rootfs/hidden/file
	echo secret >rootfs/secret
	config '.root.readonly = false | .linux.maskedPaths = ["/hidden", "/secret"]'
	run_probe report --path /hidden --path /secret
	json '.paths["/hidden"] | .type == "dir" and .entries == [] and .write == "EROFS"'
	json '.paths["/secret"] | .rdev == "1:3" and .bytes == 0'
	is "$(<rootfs/secret)" secret
}

@test "many masked directories are all empty and read-only" {
	mkdir -p rootfs/d/{1..20}
	touch rootfs/d/{1..20}/secret
	config '.linux.maskedPaths = [range(1; 21) | "/d/\(.)"]'
	config_args /bin/sh -c 'ls /d/*/secret 2>/dev/null; touch /d/7/new 2>/dev/null && echo written
		ls /d | wc -l'
	berth run "$ID"
	is "$output" 20
}

@test "a masked path that is missing is ignored" {
	config '.linux.maskedPaths = ["/no/such/path", "/etc/passwd/below", "/proc/keys"]'
	run_probe report --path /proc/keys
	json '.paths["/proc/keys"].bytes == 0'
}

@test "a mask on a symbolic link covers what it points to inside the root" {
	echo secret >rootfs/secret
	ln -s /secret rootfs/link
	config '.linux.maskedPaths = ["/link"]'
	run_probe report --path /secret
	json '.paths["/secret"].bytes == 0'
	is "$(cat "$VICTIM/file")" secret
}

@test "an unprivileged user in the container cannot read through the mask" {
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe report --path /proc/keys --path /proc/timer_list
	json '.paths["/proc/keys"].bytes == 0 and .paths["/proc/timer_list"].bytes == 0'
}

@test "masks cannot be unmounted without CAP_SYS_ADMIN" {
	run_script 'umount /proc/keys 2>/dev/null || echo refused; wc -c </proc/keys'
	contains "$output" refused
}

@test "the read-only paths of the default spec" {
	run_probe report --path /proc/sys/kernel/hostname --path /proc/sysrq-trigger --path /proc/irq
	json '.paths["/proc/sys/kernel/hostname"].write == "EROFS"'
	json '.paths["/proc/sysrq-trigger"] | .type == "none" or .write == "EROFS"'
	mount_has /proc/sys '.fstype == "proc" and (.options | contains(["ro"]))'
}

@test "a read-only path keeps the flags of its mount" {
	run_probe
	config '.mounts |= map(if .destination == "/proc"
		then .options = ["nosuid", "noexec", "nodev"] else . end)'
	run_probe
	mount_has /proc/sys '.options | contains(["ro", "nosuid", "noexec", "nodev"])'
}

@test "read-only paths in the root" {
	mkdir rootfs/fixed
	echo text >rootfs/fixed/file
	config '.root.readonly = false | .linux.readonlyPaths = ["/fixed", "/etc/passwd"]'
	run_probe report --path /fixed --path /fixed/file --path /etc/passwd --path /etc
	json '.paths["/fixed"].write == "EROFS" and .paths["/fixed/file"].write == "EROFS" and
		.paths["/etc/passwd"].write == "EROFS" and .paths["/etc"].write == "OK"'
	json '.paths["/fixed/file"].text == "text\n"'
}

@test "a read-only path that is missing is ignored" {
	config '.linux.readonlyPaths = ["/no/such/path", "/proc/sys"]'
	run_probe
	mount_has /proc/sys '.options | index("ro")'
}

@test "no masks, no read-only paths" {
	config '.linux |= (del(.maskedPaths) | del(.readonlyPaths))'
	run_probe report --path /proc/sys/kernel/shm_rmid_forced
	json '[.mounts[].destination | select(startswith("/proc/"))] == []'
	json '.paths["/proc/sys/kernel/shm_rmid_forced"].write == "OK"'
}
