#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mounts: types, sources, destinations, order, missing mount points.

load helpers

@test "the mounts of the default spec" {
	run_probe report --path /proc --path /sys --path /dev/shm
	mount_has /proc '.fstype == "proc"'
	mount_has /dev '.fstype == "tmpfs" and (.options | index("nosuid")) and
		(.super | index("mode=755")) and (.super | index("size=65536k"))'
	mount_has /dev/pts '.fstype == "devpts" and (.options | contains(["nosuid", "noexec"])) and
		(.super | contains(["gid=5", "mode=620", "ptmxmode=666"]))'
	mount_has /dev/shm '.fstype == "tmpfs" and (.options | contains(["nosuid", "nodev", "noexec"]))'
	mount_has /dev/mqueue '.fstype == "mqueue"'
	mount_has /sys '.fstype == "sysfs" and (.options | contains(["ro", "nosuid", "nodev", "noexec"]))'
	mount_has / '.options | index("ro")'
	json '.paths["/dev/shm"].mode == "1777" and .paths["/dev/shm"].write == "OK"'
}

@test "the container's process table is its own" {
	run_probe report --path /proc
	json '.pid == 1 and ([.paths["/proc"].entries[] | select(test("^[0-9]+$"))] == ["1"])'
}

@test "the cgroup mount is the container's own cgroup, read-only" {
	requires cgroup2
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_probe report --path /sys/fs/cgroup --path /sys/fs/cgroup/cgroup.procs
	mount_has /sys/fs/cgroup '.fstype == "cgroup2" and .root == "/" and (.options | index("ro"))'
	json '.cgroup == "/" and .paths["/sys/fs/cgroup/cgroup.procs"].write == "EROFS"'
	json '.paths["/sys/fs/cgroup/cgroup.procs"].text == "1\n"'
}

@test "tmpfs with data options" {
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
		options: ["nosuid", "size=1m", "mode=0711", "nr_inodes=33", "gid=34"]}]'
	mkdir rootfs/data
	run_probe report --path /data
	mount_has /data '.fstype == "tmpfs" and (.super | contains(["size=1024k", "nr_inodes=33"]))'
	json '.paths["/data"] | .mode == "0711" and .gid == 34 and .write == "OK"'
}

@test "a missing mount point is made in the root" {
	config '.root.readonly = false | .mounts += [{destination: "/a/b/c", type: "tmpfs",
		source: "tmpfs"}]'
	run_probe report --path /a/b/c
	mount_has /a/b/c '.fstype == "tmpfs"'
	[[ -d rootfs/a/b/c ]]
	is "$(stat -c %a rootfs/a/b)" 755 mode
}

@test "a missing mount point is made in a mount beneath another" {
	config '.mounts += [
		{destination: "/data", type: "tmpfs", source: "tmpfs"},
		{destination: "/data/in/side", type: "tmpfs", source: "tmpfs", options: ["ro"]}]'
	mkdir rootfs/data
	run_probe report --path /data/in/side
	mount_has /data/in/side '.fstype == "tmpfs"'
	json '.paths["/data/in/side"].write == "EROFS"'
	[[ ! -e rootfs/data/in ]]
}

@test "mounts are made in the order given: the later one covers the earlier" {
	mkdir -p rootfs/data "$T/one" "$T/two"
	touch "$T/one/first" "$T/two/second"
	config '.mounts += [
		{destination: "/data", source: ($t + "/one"), options: ["bind"]},
		{destination: "/data", source: ($t + "/two"), options: ["bind"]}]' --arg t "$T"
	run_probe report --path /data
	json '.paths["/data"].entries == ["second"]'
}

@test "bind mount of a directory, writable" {
	mkdir -p rootfs/data "$T/source"
	config '.mounts += [{destination: "/data", type: "bind", source: $s, options: ["bind", "rw"]}]' \
		--arg s "$T/source"
	run_script 'echo written >/data/file && cat /data/file'
	is "$(<"$T/source/file")" written
}

@test "bind mount, read-only" {
	mkdir -p rootfs/data "$T/source"
	touch "$T/source/file"
	config '.mounts += [{destination: "/data", type: "bind", source: $s, options: ["bind", "ro"]}]' \
		--arg s "$T/source"
	run_probe report --path /data --path /data/file
	json '.paths["/data"].write == "EROFS" and .paths["/data/file"].write == "EROFS"'
	# Only the mount is read-only, not the file system.
	touch "$T/source/still-writable"
}

@test "bind mount of a file on a missing file makes the file" {
	echo content >"$T/file"
	config '.root.readonly = false | .mounts += [{destination: "/etc/new/file", source: $s,
		options: ["bind", "ro"]}]' --arg s "$T/file"
	run_probe report --path /etc/new/file
	json '.paths["/etc/new/file"] | .text == "content\n" and .write == "EROFS"'
	[[ -f rootfs/etc/new/file && ! -s rootfs/etc/new/file ]]
}

@test "bind mount of a socket, a fifo and a device" {
	mkdir "$T/source"
	mkfifo "$T/source/fifo"
	mknod "$T/source/null" c 1 3
	touch rootfs/fifo rootfs/null
	config '.mounts += [
		{destination: "/fifo", source: ($s + "/fifo"), options: ["bind"]},
		{destination: "/null", source: ($s + "/null"), options: ["bind"]}]' --arg s "$T/source"
	run_script 'test -p /fifo && test -c /null && echo fine'
	is "$output" fine
}

@test "rbind takes what is mounted beneath the source along, bind does not" {
	mkdir -p rootfs/data rootfs/flat "$T/source/below"
	host_mount -t tmpfs tmpfs "$T/source/below"
	touch "$T/source/below/file"
	config '.mounts += [
		{destination: "/data", source: $s, options: ["rbind"]},
		{destination: "/flat", source: $s, options: ["bind"]}]' --arg s "$T/source"
	run_probe report --path /data/below --path /flat/below
	json '.paths["/data/below"].entries == ["file"] and .paths["/flat/below"].entries == []'
}

@test "a relative source is relative to the bundle" {
	mkdir -p rootfs/data source
	echo here >source/file
	config '.mounts += [{destination: "/data", source: "source", options: ["bind"]}]'
	cd /
	config_args /bin/probe report --path /data/file
	berth run --bundle "$BUNDLE" "$ID"
	json '.paths["/data/file"].text == "here\n"'
}

@test "a relative destination is relative to the root" {
	mkdir rootfs/data
	config '.mounts += [{destination: "data", type: "tmpfs", source: "tmpfs"}]'
	run_probe
	mount_has /data '.fstype == "tmpfs"'
}

@test "a symbolic link in the destination is followed inside the root" {
	mkdir -p rootfs/real "$T/source"
	touch "$T/source/mark"
	ln -s /real rootfs/absolute
	ln -s ../../../../../real rootfs/climbing
	config '.mounts += [
		{destination: "/absolute/one", source: $s, options: ["bind"]},
		{destination: "/climbing/two", source: $s, options: ["bind"]}] | .root.readonly = false' \
		--arg s "$T/source"
	run_probe report --path /real/one --path /real/two
	json '.paths["/real/one"].entries == ["mark"] and .paths["/real/two"].entries == ["mark"]'
}

@test "a symbolic link as the source is followed on the host" {
	mkdir -p rootfs/data "$T/real"
	touch "$T/real/mark"
	ln -s real "$T/link"
	config '.mounts += [{destination: "/data", source: $s, options: ["bind"]}]' --arg s "$T/link"
	run_probe report --path /data
	json '.paths["/data"].entries == ["mark"]'
}

@test "a destination may have blanks, backslashes and bytes beyond ASCII" {
	config '.root.readonly = false |
		.mounts += [{destination: "/with blank/back\\slash/ü", type: "tmpfs", source: "tmpfs"}]'
	run_probe
	json '[.mounts[].destination | select(startswith("/with blank/back\\slash/"))] | length == 1'
}

@test "a fresh sysfs shows the container's network" {
	run_probe report --path /sys/class/net
	json '.links.lo.up and (.links | length) >= 1'
	json '(.paths["/sys/class/net"].entries | index("lo")) and
		(.paths["/sys/class/net"].entries | index("eth0") | not)'
}

@test "40 mounts" {
	config '.mounts += [range(40) | {destination: "/tmp/m\(.)", type: "tmpfs", source: "tmpfs"}] |
		.root.readonly = false'
	run_probe
	json '[.mounts[].destination | select(startswith("/tmp/m"))] | length == 40'
}

@test "a long list of options for the file system" {
	config '.root.readonly = false | .mounts += [{destination: "/data", type: "tmpfs",
		source: "tmpfs", options: (["size=1m"] + [range(100) | "nr_inodes=1\(.)"])}]'
	run_probe
	mount_has /data '.super | index("nr_inodes=199")'
}

@test "a source that is missing: the error names mount and path, nothing is left" {
	config '.mounts += [{destination: "/tmp", source: "/no/such/place", options: ["bind"]}]'
	berth_fails /no/such/place run "$ID"
	contains "$stderr" "mounts[$(jq '.mounts | length - 1' config.json)]"
	contains "$stderr" 'No such file or directory'
	nothing_left
}

@test "an unknown file system type: the error names mount and type" {
	config '.mounts += [{destination: "/tmp", type: "nosuchfs", source: "x"}]'
	berth_fails nosuchfs run "$ID"
	contains "$stderr" "mounts[$(jq '.mounts | length - 1' config.json)]"
	nothing_left
}

@test "a bad option of the file system: the error names mount and option" {
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "x", options: ["size=banana"]}]'
	berth_fails "mounts[$(jq '.mounts | length - 1' config.json)]" run "$ID"
	contains "$stderr" size
	nothing_left
}

@test "a directory cannot be bound on a file: the error names the destination" {
	mkdir "$T/source"
	touch rootfs/plain
	config '.mounts += [{destination: "/plain", source: $s, options: ["bind"]}]' --arg s "$T/source"
	berth_fails /plain run "$ID"
	nothing_left
}

@test "the host sees nothing of the container's mounts" {
	run_detached "$ID" sleep
	[[ $(grep -cF "$T" /proc/self/mountinfo) == 0 ]]
	berth kill "$ID" KILL
}

@test "no mount of the host is left inside the container" {
	run_probe
	json '[.mounts[] | select(.destination | startswith($t))] == []' --arg t "$T"
	json '[.mounts[] | select(.destination == "/")] | length == 1'
}

@test "no mounts at all" {
	config 'del(.mounts) | del(.linux.maskedPaths) | del(.linux.readonlyPaths)'
	config_args /bin/probe paths /proc /bin/probe
	berth run "$ID"
	json '.["/proc"].entries == [] and .["/bin/probe"].type == "file"'
}
