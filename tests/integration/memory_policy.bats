#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.memoryPolicy: NUMA nodes. Node 0 is always there; the numbers are those of set_mempolicy(2).

load helpers

# What the kernel of user-mode Linux lacks.
has_numa() {
	[[ -d /sys/devices/system/node/node0 ]] || skip 'the kernel has no NUMA'
}

has_two_nodes() {
	[[ -d /sys/devices/system/node/node1 ]] || skip 'needs two NUMA nodes'
}

# policy MODE NODES [FLAG...]: the container's.
policy() {
	config '.linux.memoryPolicy = {mode: $m, nodes: $n, flags: ($f | split(" "))}' \
		--arg m "$1" --arg n "$2" --arg f "${*:3}"
}

# The program has this policy: mode, flags and nodes.
policy_is() {
	is "$(value '.memory_policy | "\(.mode) \(.flags) \(.nodes)"')" "$*"
}

@test "each mode arrives at the program" {
	local mode number nodes seen

	has_numa
	while read -r mode number nodes seen; do
		policy "$mode" "${nodes/-/}"
		run_probe
		policy_is "$number" 0 "$seen"
	done <<-END
		MPOL_DEFAULT 0 - []
		MPOL_PREFERRED 1 0 [0]
		MPOL_BIND 2 0 [0]
		MPOL_INTERLEAVE 3 0 [0]
		MPOL_LOCAL 4 - []
		MPOL_PREFERRED_MANY 5 0 [0]
	END
}

@test "flags, and nodes that the machine lacks beside one that it has" {
	has_numa
	policy MPOL_BIND 0,5 MPOL_F_STATIC_NODES MPOL_F_NUMA_BALANCING
	run_probe
	# With these flags the kernel keeps the nodes as they were asked for.
	policy_is 2 $((1 << 15 | 1 << 13)) '[0,5]'
	policy MPOL_INTERLEAVE 0-3 MPOL_F_RELATIVE_NODES
	run_probe
	policy_is 3 $((1 << 14)) '[0,1,2,3]'
	policy MPOL_BIND 0,40
	run_probe
	policy_is 2 0 '[0]'
}

@test "what the program starts has it as well, and the host has not" {
	has_numa
	policy MPOL_BIND 0
	run_script 'sed -n "1s/^[^ ]* \([^ ]*\) .*/\1/p" /proc/self/numa_maps'
	is "$output" bind:0
	lacks "$(head -n 1 /proc/self/numa_maps)" bind
}

@test "a policy that weighs, where the kernel knows it" {
	has_numa
	policy MPOL_WEIGHTED_INTERLEAVE 0
	config_args /bin/probe
	berth_call run "$ID"
	if ((status)); then
		one_line_error 'linux.memoryPolicy.mode: the kernel does not know MPOL_WEIGHTED_INTERLEAVE'
		nothing_left
		return
	fi
	policy_is 6 0 '[0]'
}

@test "in a user namespace, under a filter, for another user" {
	has_numa
	chmod 755 "$T" "$BUNDLE"
	policy MPOL_BIND 0
	config '.linux.namespaces += [{type: "user"}] | .process.user = {uid: 5, gid: 6} |
		.process.noNewPrivileges = false | del(.process.capabilities) |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: [],
			syscalls: [{names: ["set_mempolicy"], action: "SCMP_ACT_ERRNO"}]}'
	run_probe
	policy_is 2 0 '[0]'
}

@test "exec has the container's, by --process as well" {
	has_numa
	policy MPOL_INTERLEAVE 0
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	policy_is 3 0 '[0]'
	jq '.process | .args = ["/bin/probe"]' config.json >"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	policy_is 3 0 '[0]'
}

@test "without the field the policy is the caller's" {
	has_numa
	run_probe
	policy_is 0 0 '[]'
}

@test "nodes that are not there: the field by its name, and nothing is left" {
	has_numa
	config_args /bin/true
	for nodes in 63 2000-2003 8191; do
		policy MPOL_BIND "$nodes"
		berth_fails "linux.memoryPolicy.nodes: \"$nodes\": none of them has memory" run "$ID"
		nothing_left
		berth_fails linux.memoryPolicy.nodes create "$ID"
		nothing_left
	done
}

@test "flags that the kernel does not take with the mode" {
	has_numa
	config_args /bin/true
	policy MPOL_INTERLEAVE 0 MPOL_F_NUMA_BALANCING
	berth_fails 'linux.memoryPolicy.flags: the kernel does not take them with MPOL_INTERLEAVE' run "$ID"
	policy MPOL_PREFERRED '' MPOL_F_STATIC_NODES
	berth_fails 'linux.memoryPolicy.flags: the kernel does not take them with MPOL_PREFERRED' run "$ID"
	nothing_left
}

@test "several nodes" {
	local nodes

	has_two_nodes
	for nodes in 1 0-1; do
		policy MPOL_BIND "$nodes"
		run_script 'sed -n "1s/^[^ ]* \([^ ]*\) .*/\1/p" /proc/self/numa_maps'
		is "$output" "bind:$nodes"
	done
	policy MPOL_INTERLEAVE 0,1
	run_probe
	policy_is 3 0 '[0,1]'
}

@test "the memory is from the node that is asked for" {
	has_two_nodes
	policy MPOL_BIND 1
	run_script 'grep " stack " /proc/self/numa_maps'
	contains "$output" N1=
	lacks "$output" N0=
}

@test "a node outside of the container's cpuset" {
	requires controller=cpuset
	has_two_nodes
	config '.linux.resources.cpu.mems = "0"'
	policy MPOL_BIND 1
	config_args /bin/true
	berth_fails 'linux.memoryPolicy.nodes: "1": none of them' run "$ID"
	policy MPOL_BIND 0,1
	run_probe
	policy_is 2 0 '[0]'
}

@test "a kernel without NUMA says so" {
	[[ ! -d /sys/devices/system/node/node0 ]] || skip 'the kernel has NUMA'
	policy MPOL_BIND 0
	config_args /bin/true
	berth_fails 'linux.memoryPolicy: the kernel was built without NUMA' run "$ID"
	nothing_left
}
