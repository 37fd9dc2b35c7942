#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The options of mounts: flags, recursive flags, access times, remount.

load helpers

# Binds a fresh directory on /data with options (a JSON array) and reports.
bind_with() {
	mkdir -p rootfs/data "$T/source/below"
	config '.mounts += [{destination: "/data", source: $s, options: $o}]' \
		--arg s "$T/source" --argjson o "$1"
	run_probe report --path /data --path /data/below
}

@test "bind: nosuid nodev noexec" {
	bind_with '["bind", "nosuid", "nodev", "noexec"]'
	mount_has /data '.options | contains(["nosuid", "nodev", "noexec", "rw"])'
}

@test "bind: ro" {
	bind_with '["bind", "ro"]'
	mount_has /data '.options | index("ro")'
}

@test "bind: the last one of a pair wins" {
	bind_with '["bind", "ro", "rw", "noexec", "exec", "suid", "nosuid"]'
	mount_has /data '(.options | index("rw")) and (.options | index("noexec") | not) and
		(.options | index("nosuid"))'
}

@test "bind: noatime, nodiratime, strictatime, relatime" {
	bind_with '["bind", "noatime", "nodiratime"]'
	mount_has /data '.options | contains(["noatime", "nodiratime"])'
}

@test "bind: strictatime" {
	bind_with '["bind", "strictatime"]'
	mount_has /data '.options | (index("relatime") or index("noatime")) | not'
}

@test "bind: relatime" {
	bind_with '["bind", "noatime", "relatime"]'
	mount_has /data '(.options | index("relatime")) and (.options | index("noatime") | not)'
}

@test "bind: nosymfollow" {
	mkdir -p rootfs/data "$T/source"
	ln -s file "$T/source/link"
	touch "$T/source/file"
	config '.mounts += [{destination: "/data", source: $s, options: ["bind", "nosymfollow"]}]' \
		--arg s "$T/source"
	run_script 'cat /data/link 2>/dev/null || cat /data/file && echo refused'
	is "$output" refused
}

@test "flags of the source that nobody mentions stay" {
	mkdir -p rootfs/data
	host_mount -t tmpfs -o nosuid,nodev,noexec,noatime tmpfs "$T/source"
	config '.mounts += [{destination: "/data", source: $s, options: ["bind", "ro"]}]' \
		--arg s "$T/source"
	run_probe
	mount_has /data '.options | contains(["ro", "nosuid", "nodev", "noexec", "noatime"])'
}

@test "rbind with plain ro: only the top mount is read-only" {
	mkdir -p rootfs/data "$T/source/below"
	host_mount -t tmpfs tmpfs "$T/source/below"
	config '.mounts += [{destination: "/data", source: $s, options: ["rbind", "ro"]}]' \
		--arg s "$T/source"
	run_probe report --path /data --path /data/below
	json '.paths["/data"].write == "EROFS" and .paths["/data/below"].write == "OK"'
}

@test "rro makes the whole tree read-only" {
	mkdir -p rootfs/data "$T/source/below"
	host_mount -t tmpfs tmpfs "$T/source/below"
	config '.mounts += [{destination: "/data", source: $s, options: ["rbind", "rro"]}]' \
		--arg s "$T/source"
	run_probe report --path /data --path /data/below
	json '.paths["/data"].write == "EROFS" and .paths["/data/below"].write == "EROFS"'
}

@test "recursive flags: rnosuid rnodev rnoexec rnoatime rnodiratime" {
	mkdir -p rootfs/data "$T/source/below"
	host_mount -t tmpfs tmpfs "$T/source/below"
	config '.mounts += [{destination: "/data", source: $s,
		options: ["rbind", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rnodiratime"]}]' \
		--arg s "$T/source"
	run_probe
	mount_has /data '.options | contains(["nosuid", "nodev", "noexec", "noatime", "nodiratime"])'
	mount_has /data/below '.options | contains(["nosuid", "nodev", "noexec", "noatime", "nodiratime"])'
}

@test "recursive flags that clear: rrw rsuid rdev rexec rrelatime" {
	mkdir -p rootfs/data "$T/source"
	host_mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime tmpfs "$T/source"
	config '.mounts += [{destination: "/data", source: $s,
		options: ["rbind", "rrw", "rsuid", "rdev", "rexec", "rrelatime"]}]' --arg s "$T/source"
	run_probe
	# The file system itself stays read-only; the flags of the mount are gone.
	mount_has /data '(.options | index("relatime")) and (.options |
		(index("ro") or index("nosuid") or index("nodev") or index("noexec")) | not)'
}

@test "nosuid is effective" {
	cp "$SUITE/rootfs/bin/probe" "$T/setuid"
	chmod 4755 "$T/setuid"
	touch rootfs/plain rootfs/nosuid
	config '.process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = false |
		.mounts += [{destination: "/plain", source: $s, options: ["bind"]},
		{destination: "/nosuid", source: $s, options: ["bind", "nosuid"]}]' --arg s "$T/setuid"
	config_args /plain
	berth run "$ID"
	json '.uid == 1000 and .euid == 0'
	config_args /nosuid
	berth run "$ID"
	json '.uid == 1000 and .euid == 1000'
}

@test "nodev is effective" {
	mkdir -p rootfs/data "$T/source"
	mknod "$T/source/null" c 1 3
	config '.mounts += [{destination: "/data", source: $s, options: ["bind", "nodev"]}]' \
		--arg s "$T/source"
	run_probe open /data/null w || true
	is "$output" EACCES
}

@test "noexec is effective" {
	mkdir -p rootfs/data "$T/source"
	cp "$SUITE/rootfs/bin/probe" "$T/source/probe"
	config '.mounts += [{destination: "/data", source: $s, options: ["bind", "noexec"]}]' \
		--arg s "$T/source"
	run_script '/data/probe exit 0; echo $?'
	contains "$output" 126
}

@test "a new file system takes the flags, too" {
	mkdir rootfs/data
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
		options: ["ro", "nosuid", "nodev", "noexec", "noatime"]}]'
	run_probe report --path /data
	mount_has /data '.options | contains(["ro", "nosuid", "nodev", "noexec", "noatime"])'
	json '.paths["/data"].write == "EROFS"'
}

@test "sync, dirsync and lazytime reach the file system" {
	mkdir rootfs/data
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
		options: ["sync", "dirsync", "lazytime"]}]'
	run_probe
	mount_has /data '.super | contains(["sync", "dirsync", "lazytime"])'
}

@test "remount changes the flags of an earlier mount" {
	config '.mounts += [{destination: "/dev/shm", type: "tmpfs", source: "shm",
		options: ["remount", "ro", "nosuid", "nodev", "noexec"]}]'
	run_probe report --path /dev/shm
	json '.paths["/dev/shm"].write == "EROFS"'
	json '[.mounts[] | select(.destination == "/dev/shm")] | length == 1'
}

@test "tmpcopyup fills the tmpfs with what it covers" {
	mkdir -p rootfs/data/dir
	echo text >rootfs/data/dir/file
	chmod 640 rootfs/data/dir/file
	ln -s dir rootfs/data/link
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs",
		options: ["tmpcopyup", "nosuid"]}]'
	berth run "$ID"
	run_probe report --path /data --path /data/dir/file --path /data/link
	json '.paths["/data"].fsmagic == "0x1021994" and .paths["/data/dir/file"].mode == "0640"'
	json '.paths["/data/dir/file"].text == "text\n" and .paths["/data/link"].target == "dir"'
	json '.paths["/data"].write == "OK"'
}

@test "defaults, async, loud, silent, norelatime and the like are accepted" {
	bind_with '["bind", "defaults", "async", "loud", "silent", "norelatime", "nostrictatime",
		"atime", "diratime", "dev", "exec", "suid", "rw", "symfollow", "noiversion", "nolazytime"]'
	mount_has /data '.options | index("rw")'
}

@test "every mount option that features lists is accepted" {
	local options option failed=

	berth features
	options=$(jq -r '.mountOptions[]' "$OUT")
	mkdir -p rootfs/data "$T/source"
	config '.mounts += [{destination: "/data", type: "tmpfs", source: $s,
		options: ["bind", "@OPTION@"]}]' --arg s "$T/source"
	config_args /bin/true
	cp config.json "$T/pattern.json"
	for option in $options; do
		case $option in
		idmap | ridmap) continue ;; # they need mappings
		remount) continue ;; # has a test of its own
		esac
		sed "s/\"@OPTION@\"/\"$option\"/" "$T/pattern.json" >config.json
		if [[ $option == tmpcopyup ]]; then
			sed -i 's/"bind",//' config.json
		fi
		berth_call run "$ID"
		((status == 0)) || failed+="$option: $stderr"$'\n'
	done
	[[ -z $failed ]] || fail "$failed"
}

@test "the options that the specification demands are listed by features" {
	berth features
	json '.mountOptions | contains(["async", "atime", "bind", "defaults", "dev", "diratime", "dirsync",
		"exec", "iversion", "lazytime", "loud", "noatime", "nodev", "nodiratime", "noexec",
		"noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid", "nosymfollow",
		"private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "remount", "rexec",
		"rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid",
		"rnosymfollow", "ro", "rprivate", "rrelatime", "rro", "rrw", "rshared", "rslave",
		"rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared", "silent", "slave",
		"strictatime", "suid", "symfollow", "sync", "unbindable"])'
}
