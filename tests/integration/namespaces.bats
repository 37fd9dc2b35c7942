#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.namespaces: new ones, inherited ones, joined ones; hostname and domainname; loopback.

load helpers

# The namespace of the calling shell.
own() {
	readlink "/proc/self/ns/$1"
}

@test "the default spec's namespaces are new, the others are the caller's" {
	local kind

	run_probe
	for kind in ipc mnt net pid uts; do
		[[ $(value ".namespaces.$kind") != "$(own "$kind")" ]] || fail "$kind is the host's"
	done
	for kind in user time; do
		is "$(value ".namespaces.$kind")" "$(own "$kind")" "$kind"
	done
}

@test "a new cgroup namespace has the container's cgroup as its root" {
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_probe
	[[ $(value .namespaces.cgroup) != "$(own cgroup)" ]]
	json '.cgroup == "/"'
}

@test "left out: network, ipc, uts and cgroup are the caller's" {
	local kind

	config '.linux.namespaces = [{type: "pid"}, {type: "mount"}] | del(.hostname) |
		.mounts |= map(select(.type != "mqueue" and .type != "sysfs" and .type != "cgroup"))'
	run_probe
	for kind in net ipc uts cgroup; do
		is "$(value ".namespaces.$kind")" "$(own "$kind")" "$kind"
	done
	is "$(value .hostname)" "$(uname -n)" hostname
}

@test "left out: the pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_probe
	is "$(value .namespaces.pid)" "$(own pid)" pid
	json '.pid > 1'
}

@test "without a mount namespace the host's mounts stay as they are, and the root is the container's" {
	local before

	before=$(cut -d' ' -f3- /proc/self/mountinfo)
	config '.linux.namespaces |= map(select(.type != "mount"))'
	run_probe
	is "$(value .namespaces.mnt)" "$(own mnt)" mnt
	is "$(cut -d' ' -f3- /proc/self/mountinfo)" "$before" 'mounts of the host'
	json '.cwd == "/"'
}

@test "without a mount namespace nothing that needs one is accepted" {
	config '.linux.namespaces |= map(select(.type != "mount")) | .linux.rootfsPropagation = "slave"'
	berth_fails 'linux.rootfsPropagation: needs a new "mount" namespace' create "$ID"
	nothing_left
}

@test "hostname and domainname" {
	config '.hostname = "ship" | .domainname = "harbour.example"'
	run_probe
	json '.hostname == "ship" and .domainname == "harbour.example"'
	[[ $(uname -n) != ship ]]
}

@test "a hostname of 64 characters, and one of 65" {
	config '.hostname = ("h" * 64)'
	run_probe
	json '.hostname | length == 64'
	config '.hostname = ("h" * 65)'
	berth_fails hostname run "$ID"
	nothing_left
}

@test "a hostname without a new uts namespace is refused" {
	config '.linux.namespaces |= map(select(.type != "uts")) | .hostname = "other"'
	berth_fails hostname create "$ID"
	is "$(uname -n)" "$(</proc/sys/kernel/hostname)"
	nothing_left
}

@test "the loopback of a new network is up and works" {
	run_probe
	json '.links.lo | .up and .running and .loopback'
	json '[.links[] | select(.loopback | not) | select(.up)] == []'
	run_script 'ip=127.0.0.1
		nc -l -p 4711 -e /bin/echo through >/dev/null & sleep 0.2; nc $ip 4711 </dev/null'
	is "$output" through
}

@test "the message queues and semaphores are the container's own" {
	run_probe report --path /dev/mqueue
	json '.paths["/dev/mqueue"].entries == []'
}

# A running container whose namespaces others can join; sets PID.
start_other() {
	run_detached "$ID-other" sleep
}

# The second container joins one namespace of the first.
join() {
	config '.linux.namespaces |= (map(select(.type != $t)) + [{type: $t, path: $p}])' \
		--arg t "$1" --arg p "/proc/$PID/ns/$2"
	config_args /bin/probe
	berth run "$ID"
	is "$(value ".namespaces.$2")" "$(readlink "/proc/$PID/ns/$2")" "$2"
}

@test "join a network namespace" {
	start_other
	join network net
	[[ $(value .namespaces.uts) != "$(readlink "/proc/$PID/ns/uts")" ]]
}

@test "join an ipc namespace" {
	start_other
	join ipc ipc
}

@test "join a uts namespace: its names are seen" {
	config '.hostname = "first"'
	start_other
	config 'del(.hostname)'
	join uts uts
	json '.hostname == "first"'
}

@test "join a pid namespace: the processes of the other are seen" {
	start_other
	join pid pid
	json '.pid > 1'
}

@test "join a pid namespace: the end of the second does not end the first" {
	start_other
	join pid pid
	status_is "$ID-other" running
}

@test "join a network namespace without a process, by its file" {
	local file=$T/netns

	touch "$file"
	unshare --net true
	unshare --net sh -c "mount --bind /proc/self/ns/net '$file'"
	HOST_MOUNTS+=("$file")
	config '.linux.namespaces |= (map(select(.type != "network")) + [{type: "network", path: $p}])' \
		--arg p "$file"
	config_args /bin/probe
	berth run "$ID"
	is "$(value .namespaces.net)" "net:[$(stat -L -c %i "$file")]"
	json '.links.lo.up | not'
}

@test "join a mount namespace: its mounts stay as they are" {
	local before

	background unshare -m sleep 60
	wait_for 5 eval '[[ $(readlink "/proc/$BG_PID/ns/mnt") != "$(own mnt)" ]]'
	before=$(cut -d' ' -f3- "/proc/$BG_PID/mountinfo")
	config '.linux.namespaces |= (map(select(.type != "mount")) + [{type: "mount", path: $p}])' \
		--arg p "/proc/$BG_PID/ns/mnt"
	run_probe
	is "$(value .namespaces.mnt)" "$(readlink "/proc/$BG_PID/ns/mnt")" mnt
	is "$(cut -d' ' -f3- "/proc/$BG_PID/mountinfo")" "$before" 'mounts of the other namespace'
}

@test "a path of another type of namespace is refused" {
	start_other
	config '.linux.namespaces |= (map(select(.type != "network")) + [{type: "network", path: $p}])' \
		--arg p "/proc/$PID/ns/uts"
	berth_fails linux.namespaces create "$ID"
	contains "$stderr" "/proc/$PID/ns/uts"
}

@test "a path that is no namespace is refused" {
	config '.linux.namespaces |= (map(select(.type != "network")) +
		[{type: "network", path: "/etc/passwd"}])'
	berth_fails linux.namespaces create "$ID"
	contains "$stderr" /etc/passwd
	nothing_left
}

@test "a user namespace with mappings" {
	# The tree belongs to the host's root: reading is enough.
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	config_args /bin/probe
	chmod 755 "$T" "$BUNDLE"
	berth run "$ID"
	[[ $(value .namespaces.user) != "$(own user)" ]]
	json '.uid == 0 and (.uid_map | test("^ *0 +100000 +65536$")) and
		(.gid_map | test("^ *0 +200000 +65536$"))'
}

@test "a time namespace with offsets" {
	config '.linux.namespaces += [{type: "time"}] |
		.linux.timeOffsets = {boottime: {secs: 1000000}, monotonic: {secs: 2000000}}'
	config_args /bin/probe
	berth run "$ID"
	json '.boottime > 1000000 and .monotonic > 2000000'
}

@test "features lists the namespaces that work" {
	berth features
	json '.linux.namespaces | contains(["cgroup", "ipc", "mount", "network", "pid", "uts"])'
}
