#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# User namespaces: new ones, joined ones, and what belongs to them.

load helpers

setup_file() {
	export MAPS='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
}

# The namespace of the calling shell.
own() {
	readlink "/proc/self/ns/$1"
}

# The container gets a new user namespace; its tree belongs to the host's root and can be read.
new_user() {
	chmod 755 "$T" "$BUNDLE"
	config ".linux.namespaces += [{type: \"user\"}] | $MAPS"
}

# A running container with namespaces of its own, as an engine's pod has one; sets PID.
start_pod() {
	new_user
	config '.linux.namespaces |= (map(select(.type != "time")) + [{type: "time"}])'
	run_detached "$ID-pod" sleep
	cp "$SUITE/config.json" config.json
	config '.process.env += ["BERTH_TEST=" + $i]' --arg i "$ID"
	POD=$PID
}

# The container joins namespaces of the pod: the types of config.json.
join() {
	local type file

	for type in "$@"; do
		file=$type
		[[ $type != network ]] || file=net
		[[ $type != mount ]] || file=mnt
		config '.linux.namespaces |= (map(select(.type != $t)) + [{type: $t, path: $p}])' \
			--arg t "$type" --arg p "/proc/$POD/ns/$file"
	done
}

same_as_pod() {
	is "$(value ".namespaces.$1")" "$(readlink "/proc/$POD/ns/$1")" "$1"
}

@test "join a user namespace, all others new" {
	start_pod
	join user
	run_probe
	same_as_pod user
	for kind in mnt net ipc uts pid; do
		[[ $(value ".namespaces.$kind") != "$(readlink "/proc/$POD/ns/$kind")" ]] || fail "$kind"
		[[ $(value ".namespaces.$kind") != "$(own "$kind")" ]] || fail "$kind"
	done
	json '.pid == 1 and .uid == 0 and .links.lo.up and .hostname == "berth"' ||
		fail "$(value .hostname)"
}

@test "join a user namespace and the network, ipc and uts that it owns" {
	start_pod
	join user network ipc uts
	config 'del(.hostname)'
	run_probe
	for kind in user net ipc uts; do
		same_as_pod "$kind"
	done
	json '.pid == 1'
}

@test "join a user namespace and its pid namespace" {
	start_pod
	join user pid
	run_probe
	same_as_pod user
	same_as_pod pid
	json '.pid > 1'
}

@test "join everything of a pod but its mounts" {
	start_pod
	join user pid network ipc uts time cgroup
	config 'del(.hostname)'
	run_probe
	for kind in user pid net ipc uts time cgroup; do
		same_as_pod "$kind"
	done
}

@test "join a user namespace, the host's network, ipc, uts and pid" {
	start_pod
	join user
	config '.linux.namespaces |= map(select(.type == "user" or .type == "mount")) | del(.hostname) |
		.mounts |= map(select(.type != "mqueue" and .type != "proc"))'
	config '.mounts += [{destination: "/proc", source: "/proc", options: ["rbind"]}] |
		del(.linux.maskedPaths, .linux.readonlyPaths)'
	run_probe
	same_as_pod user
	for kind in net ipc uts pid; do
		is "$(value ".namespaces.$kind")" "$(own "$kind")" "$kind"
	done
}

@test "a new user namespace and the host's network that is joined" {
	new_user
	POD=$$
	join network
	run_probe
	is "$(value .namespaces.net)" "$(own net)" net
	[[ $(value .namespaces.user) != "$(own user)" ]]
	json '.pid == 1 and .uid == 0'
}

@test "a new user namespace, and network, ipc and uts of the host's joined" {
	local kind

	background unshare -niu sleep 60
	POD=$BG_PID
	wait_for 5 eval '[[ $(readlink "/proc/$BG_PID/ns/net") != "$(own net)" ]]'
	new_user
	join network ipc uts
	config 'del(.hostname) | .mounts |= map(select(.type != "mqueue"))'
	run_probe
	for kind in net ipc uts; do
		same_as_pod "$kind"
	done
	json '.pid == 1'
}

@test "mappings besides the path of a user namespace are accepted if they are the same" {
	start_pod
	join user
	config "$MAPS"
	run_probe
	same_as_pod user
	config '.linux.gidMappings[0].hostID = 200001'
	berth_fails 'linux.gidMappings: the user namespace that is joined has other mappings' \
		create "$ID"
	config '.linux.gidMappings[0].hostID = 200000 | .linux.uidMappings[0].size = 65535'
	berth_fails 'linux.uidMappings: the user namespace that is joined has other mappings' \
		create "$ID"
}

@test "joining a user namespace without a mount namespace is refused" {
	start_pod
	join user
	config '.linux.namespaces |= map(select(.type != "mount"))'
	berth_fails 'linux.namespaces: a "user" namespace needs a new "mount" namespace' create "$ID"
}

@test "the init of a joined user namespace is berth's child, in the container's cgroup" {
	start_pod
	join user
	run_detached "$ID" sleep
	contains "$(cgroup_of "$PID")" "$ID"
	contains "$(<"/proc/$PID/uid_map")" 100000
	berth delete --force "$ID"
}

@test "exec into a container with a joined user namespace" {
	start_pod
	join user network ipc
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	for kind in user net ipc; do
		same_as_pod "$kind"
	done
	for kind in mnt pid uts cgroup time; do
		is "$(value ".namespaces.$kind")" "$(readlink "/proc/$PID/ns/$kind")" "$kind"
	done
	json '.uid == 0 and (.uid_map | test("^ *0 +100000 +65536$"))'
}

@test "exec into a container that joined the host's network besides its new user namespace" {
	new_user
	POD=$$
	join network
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	is "$(value .namespaces.net)" "$(own net)" net
	is "$(value .namespaces.user)" "$(readlink "/proc/$PID/ns/user")" user
}

@test "the caller's own user namespace is no one to join" {
	POD=$$
	join user
	berth_fails 'linux.namespaces[' create "$ID"
	contains "$stderr" "the caller's own"
	nothing_left
}

# All capabilities, as far as the caller has them, over the container's user namespace.
all_capabilities() {
	config '.process.capabilities = {bounding: $all, permitted: $all, effective: $all} |
		.process.noNewPrivileges = false' \
		--argjson all "$("$SUITE/rootfs/bin/probe" | jq -c .caps.permitted)"
}

# A mount of the host's, with flags, and another one below that covers a secret; bound to /locked.
bind_locked() {
	mkdir "$T/locked" rootfs/locked
	host_mount -t tmpfs tmpfs "$T/locked"
	mkdir "$T/locked/below"
	echo secret >"$T/locked/below/secret"
	host_mount -t tmpfs tmpfs "$T/locked/below"
	mount -o remount,bind,ro,nosuid,nodev,noexec "$T/locked"
	config '.mounts += [{destination: "/locked", source: $s, options: ["rbind"]}]' \
		--arg s "$T/locked"
}

@test "the flags of the host's mounts cannot be taken away by root of the user namespace" {
	new_user
	all_capabilities
	bind_locked
	run_probe unlock /locked
	json '."/locked" | .remount == "EPERM" and .setattr == "EPERM" and
		."setattr-recursive" == "EPERM" and .clone == "EPERM" and ."new-namespace" == "EPERM" and
		."new-user" == "EPERM"'
	json '."/locked" | .ro and .nosuid and .nodev and .noexec'
}

@test "what a mount of the host's covers stays covered for root of the user namespace" {
	new_user
	all_capabilities
	bind_locked
	run_probe unlock /locked/below
	json '."/locked/below" | .detach == "EINVAL" and .move == "EINVAL"'
	run_probe unlock /locked
	json '."/locked"["clone-without-children"] == "EINVAL"'
	config '.mounts[-1].options = ["bind"]'
	berth_call run "$ID"
	((status != 0)) || lacks "$(cat rootfs/locked/below/secret 2>&1)" secret
}

# A writable directory of the host's, bound to /data with options $1.
bind_data() {
	mkdir -p "$T/data/below" rootfs/data
	host_mount -t tmpfs tmpfs "$T/data/below"
	echo precious >"$T/data/file"
	config '.mounts += [{destination: "/data", source: $s, options: $o}]' \
		--arg s "$T/data" --argjson o "$1"
}

@test "a read-only bind cannot be made writable by root of the user namespace" {
	new_user
	all_capabilities
	bind_data '["rbind", "ro", "nosuid"]'
	run_probe unlock /data
	json '."/data" | .remount == "EPERM" and .setattr == "EPERM" and
		."setattr-recursive" == "EPERM" and .clone == "EPERM" and ."new-namespace" == "EPERM" and
		."new-user" == "EPERM" and .ro and .nosuid'
	# Below it only where that is asked for, as ever.
	run_script 'echo x >/data/file; echo y >/data/below/file; cat /data/file'
	is "$output" precious
	is "$(<"$T/data/below/file")" y
}

@test "a recursively read-only bind, and one of a file, cannot be made writable either" {
	new_user
	all_capabilities
	bind_data '["rbind", "rro"]'
	touch rootfs/file
	config '.mounts += [{destination: "/file", source: $s, options: ["bind", "ro"]}]' --arg s "$T/data/file"
	for path in /data /data/below /file; do
		run_probe unlock "$path"
		json '.[$p] | .remount == "EPERM" and .setattr == "EPERM" and .ro' --arg p "$path"
	done
	run_script 'echo x >/data/below/new || echo x >/file || cat /file'
	is "$output" precious
	# The host's own mounts are as they were.
	touch "$T/data/new" "$T/data/below/new"
}

@test "a read-only bind in a joined user namespace cannot be made writable" {
	start_pod
	join user network
	all_capabilities
	bind_data '["bind", "ro"]'
	run_probe unlock /data
	json '."/data" | .remount == "EPERM" and .setattr == "EPERM" and .clone == "EPERM" and .ro'
}

@test "the stage of read-only binds is in no mount namespace but the container's own" {
	new_user
	bind_data '["bind", "ro"]'
	run_detached "$ID" sleep
	lacks "$(cat /proc/self/mountinfo "/proc/$PID/mountinfo")" @stage
}

@test "a joined user namespace keeps the host's flags as well" {
	start_pod
	join user network
	all_capabilities
	bind_locked
	run_probe unlock /locked
	json '."/locked" | .remount == "EPERM" and .setattr == "EPERM" and .ro and .nosuid and .nodev'
}

@test "the host's /sys is shown where the network is not the user namespace's own" {
	new_user
	config '.linux.namespaces |= map(select(.type != "network"))'
	run_probe
	mount_has /sys '.fstype == "sysfs" and (.options | index("ro"))'
	# Recursively: nothing below it can be written to.
	jq -e '[.mounts[] | select(.destination | startswith("/sys/")) | .options |
		index("ro") | not] | any | not' "$OUT" || fail "$(jq -c '.mounts[]' "$OUT")"
	run_script 'ls /sys/class/net; echo x >/sys/kernel/uevent_helper; echo 1 >/sys/fs/cgroup/x; true'
	is "$output" "$(ls /sys/class/net)"
	all_capabilities
	for path in /sys /sys/kernel; do
		run_probe unlock "$path"
		json '.[$p] | .remount != "OK" and .setattr != "OK"' --arg p "$path"
	done
}

@test "devices are the host's, bound, and work" {
	new_user
	config '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3}]'
	berth_fails 'linux.devices[0]' create "$ID"
	nothing_left
	config '.linux.devices = [{path: "/dev/fifo", type: "p"}, {path: "/dev/kmsg", type: "c", major: 1, minor: 11}]'
	run_script 'echo x >/dev/null && head -c 4 /dev/zero | wc -c && test -p /dev/fifo &&
		stat -c "%t:%T" /dev/null /dev/full /dev/urandom /dev/kmsg && head -c 2 /dev/urandom | wc -c'
	is "$output" $'4\n1:3\n1:7\n1:9\n1:b\n2'
}

@test "the cgroup mount of a user namespace, with a cgroup namespace and without" {
	requires cgroup2
	new_user
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_probe
	json '.cgroup == "/"'
	mount_has /sys/fs/cgroup '.fstype == "cgroup2" and (.options | index("ro"))'
	run_script 'cat /sys/fs/cgroup/cgroup.procs; echo 1 2>&1 >/sys/fs/cgroup/cgroup.procs; true'
	contains "$output" $'1\n'
	contains "$output$stderr" 'Read-only file system'
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	berth run "$ID"
	contains "$output" $'1\n'
	contains "$output$stderr" 'Read-only file system'
}

# The container has a cgroup namespace, and a cgroup mount with these options.
cgroup_mount() {
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}]) |
		.mounts |= map(select(.destination != "/sys/fs/cgroup")) + [{destination:
		"/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ($o | split(" "))}]' \
		--arg o "$*"
}

# What in the container's cgroup belongs to user $1, each word of it in the kernel's list or ".".
owned_by() {
	find "$(cgroup_of "$PID")" -maxdepth 1 -uid "$1" -printf '%P\n' | sed 's/^$/./' | sort | tr '\n' ' '
}

# Those that the kernel delegates, as far as this cgroup has them.
delegated() {
	local list='cgroup.procs cgroup.subtree_control cgroup.threads' file dir

	dir=$(cgroup_of "$PID")
	[[ ! -e /sys/kernel/cgroup/delegate ]] || list=$(</sys/kernel/cgroup/delegate)
	for file in . $list; do
		[[ ! -e $dir/$file ]] || echo "$file"
	done | sort | tr '\n' ' '
}

@test "a writable cgroup mount: root of the user namespace owns the cgroup, and makes cgroups in it" {
	requires cgroup2
	new_user
	cgroup_mount nosuid noexec nodev
	run_detached "$ID" sleep
	is "$(owned_by 100000)" "$(delegated)"
	contains "$(delegated)" '. cgroup.procs cgroup.subtree_control cgroup.threads '
	is "$(find "$(cgroup_of "$PID")" -maxdepth 0 -printf %G)" 0
	berth exec "$ID" /bin/sh -c 'cd /sys/fs/cgroup && mkdir -p service/deep &&
		echo 0 >service/deep/cgroup.procs && grep 0:: /proc/self/cgroup && ! echo 5 >cgroup.max.depth'
	is "$output" 0::/service/deep
	contains "$stderr" 'Permission denied'
	berth delete --force "$ID"
	nothing_left
}

@test "a writable cgroup mount: another user of the container's, and one without a user namespace" {
	requires cgroup2
	new_user
	cgroup_mount nosuid
	config '.process.user = {uid: 1000, gid: 1000}'
	run_detached "$ID" sleep
	is "$(owned_by 101000)" "$(delegated)"
	berth delete --force "$ID"
	config '.linux.namespaces |= map(select(.type != "user")) |
		del(.linux.uidMappings, .linux.gidMappings)'
	run_detached "$ID" sleep
	is "$(owned_by 1000)" "$(delegated)"
}

@test "a writable cgroup mount: the maps of a user namespace that is joined" {
	requires cgroup2
	start_pod
	join user
	cgroup_mount nosuid
	run_detached "$ID" sleep
	is "$(owned_by 100000)" "$(delegated)"
}

@test "the cgroup stays root's: mounted read-only, no namespace or another's, there before" {
	requires cgroup2
	new_user
	cgroup_mount ro
	run_detached "$ID-ro" sleep
	is "$(owned_by 100000)" ''
	cgroup_mount nosuid
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	run_detached "$ID-none" sleep
	is "$(owned_by 100000)" ''
	cgroup_mount nosuid
	mkdir "$CGROUP2/$ID-before"
	config '.linux.cgroupsPath = $p' --arg p "/$ID-before"
	run_detached "$ID-before" sleep
	is "$(owned_by 100000)" ''
	config '.linux.namespaces |= map(if .type == "cgroup" then .path = $p else . end | select(.type != "user")) |
		.process.user = {uid: 1000, gid: 1000} | del(.linux.uidMappings, .linux.gidMappings, .linux.cgroupsPath)' \
		--arg p "/proc/$PID/ns/cgroup"
	run_detached "$ID-other" sleep
	is "$(owned_by 1000)" ''
	berth delete --force "$ID-before"
	rmdir "$CGROUP2/$ID-before"
}

@test "a cgroup namespace is joined beside a user namespace" {
	start_pod
	join user
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_probe
	json '.cgroup == "/"'
	[[ $(value .namespaces.cgroup) != "$(readlink "/proc/$POD/ns/cgroup")" ]]
}
