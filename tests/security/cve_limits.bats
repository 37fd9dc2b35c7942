#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sizes and names: CVE-2021-43784 and its class, ids that are paths, hostile annotations, leaks of
# descriptors and mounts over many starts.

load ../integration/helpers

@test "CVE-2021-43784: 70 kB of mount sources arrive whole, or are refused" {
	local long

	long=$(printf 'd%.0s' {1..200})
	mkdir -p "$T/$long/$long" rootfs/data
	config '.root.readonly = false | .mounts += [range(170) | {destination: "/data/m\(.)",
		source: $s, options: ["bind", "ro"]}]' --arg s "$T/$long/$long"
	config_args /bin/sh -c 'ls /data | wc -l; id -u'
	berth_call run "$ID"
	if ((status == 0)); then
		is "$output" $'170\n0'
	else
		one_line_error ''
	fi
}

@test "CVE-2021-43784: many id mappings: all of them, or an error" {
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [range(400) | {containerID: (. * 10), hostID: (100000 + . * 10), size: 9}] |
		.linux.gidMappings = .linux.uidMappings'
	config_args /bin/probe
	berth_call run "$ID"
	# More than 340 do not fit into the kernel's map: never a part of them.
	((status == 1))
	one_line_error ''
}

@test "a very large environment, many arguments, long annotations" {
	config '.process.env += [range(500) | "V\(.)=" + ("v" * 1000)] |
		.process.args = ["/bin/sh", "-c", "echo $#"] + [range(1000) | "argument-\(.)"] |
		.annotations = ([range(500) | {key: "a\(.)", value: ("x" * 500)}] | from_entries)'
	berth run "$ID"
	is "$output" 999
}

@test "a path of 4,095 bytes, one of 4,096, and a name of 256" {
	local path

	path=$(printf '/%s' "$(printf 'n%.0s' {1..250})"{1..16})
	config '.root.readonly = false | .mounts += [{destination: $p, type: "tmpfs", source: "t"}]' \
		--arg p "${path:0:4000}"
	config_args /bin/true
	berth_call run "$ID"
	((status == 0)) || one_line_error ''
	config '.mounts[-1].destination = "/" + ("x" * 256)'
	berth_fails "mounts[7]" run "$ID"
	contains "$stderr" 'name too long'
	config '.mounts[-1].destination = "/" + ("x/" * 4000)'
	berth_fails "mounts[7]" run "$ID"
	nothing_left
}

@test "ids that are paths, and annotations that are paths, reach nothing" {
	local id

	for id in . .. ../x a/b /tmp/x 'a b' $'a\tb' "$(printf 'x%.0s' {1..300})"; do
		berth_call create -- "$id"
		((status == 1)) || fail "id '$id': exit status $status"
		one_line_error ''
	done
	is "$(find "$STATE" -mindepth 1)" ''
	config '.annotations = {"org.berth.unknown": "../../..", "run.oci.handler": "krun",
		"org.systemd.property.ExecStart": "/bin/false", "org.criu.config": "/etc/passwd",
		"module.wasm.image/variant": "compat", "bundle": "/etc"}'
	config_args /bin/true
	berth run "$ID"
}

@test "200 starts leak no descriptor into the last container, and no mount on the host" {
	local before

	before=$(wc -l </proc/self/mountinfo)
	config_args /bin/true
	for _ in {1..200}; do
		berth run "$ID"
	done
	run_probe
	json '[.fds[].fd] == [0, 1, 2]'
	is "$(wc -l </proc/self/mountinfo)" "$before" mounts
}

@test "CVE-2023-25809: the cgroup mount is read-only in a user namespace, too" {
	requires cgroup2
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "user"}]) |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	config_args /bin/sh -c 'mkdir /sys/fs/cgroup/new 2>&1; mount -o remount,rw,bind /sys/fs/cgroup 2>&1
		mkdir /sys/fs/cgroup/new2 2>&1; ls /sys/fs/cgroup | grep -c new'
	berth_call run "$ID"
	lacks "$stderr" 'not supported yet'
	# Busybox ls finds neither; a root of a user namespace that cannot be set up is no success.
	((status <= 1))
	is "$(find "$CGROUP2" -maxdepth 2 -name 'new*')" ''
}
