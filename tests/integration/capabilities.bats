#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.capabilities: each of the five sets is exactly what was asked for (I5).

load helpers

@test "the sets of the default spec are exact and inheritable is empty" {
	run_probe
	json '.caps.permitted == .caps.effective and .caps.effective == .caps.bounding and
		(.caps.bounding | sort) == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]'
	json '.caps.inheritable == []'
}

@test "each set is set on its own" {
	config '.process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
		effective: ["CAP_CHOWN"],
		inheritable: ["CAP_KILL", "CAP_NET_RAW"],
		ambient: ["CAP_NET_RAW"]} | .process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '(.caps.bounding | sort) == ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SETUID"]'
	json '(.caps.inheritable | sort) == ["CAP_KILL", "CAP_NET_RAW"]'
	json '.caps.ambient == ["CAP_NET_RAW"]'
	# An unprivileged program without file capabilities keeps only the ambient ones over execve.
	json '.caps.permitted == ["CAP_NET_RAW"] and .caps.effective == ["CAP_NET_RAW"]'
}

@test "no capabilities key: none at all" {
	config 'del(.process.capabilities)'
	run_probe
	json '[.caps[]] | flatten == []'
}

@test "empty sets: none at all" {
	config '.process.capabilities = {}'
	run_probe
	json '[.caps[]] | flatten == []'
}

@test "a user other than root without ambient has no effective capabilities" {
	config '.process.user = {uid: 1000, gid: 1000} | del(.process.capabilities.ambient)'
	run_probe
	json '.uid == 1000 and .caps.effective == [] and .caps.permitted == [] and .caps.ambient == []'
	json '(.caps.bounding | length) == 3'
}

@test "ambient capabilities survive for a user other than root" {
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities |= (
		.inheritable = ["CAP_NET_BIND_SERVICE"] | .ambient = ["CAP_NET_BIND_SERVICE"])'
	run_probe
	json '.caps.effective == ["CAP_NET_BIND_SERVICE"] and .caps.ambient == ["CAP_NET_BIND_SERVICE"]'
}

@test "all capabilities that the caller has" {
	local all

	all=$("$SUITE/rootfs/bin/probe" | jq -c .caps.permitted)
	config '.process.capabilities = {bounding: $all, permitted: $all, effective: $all,
		inheritable: [], ambient: []}' --argjson all "$all"
	run_probe
	json '.caps.effective == $all and .caps.permitted == $all and .caps.bounding == $all' \
		--argjson all "$all"
}

@test "the securebits are not set" {
	run_probe
	json '.securebits == 0'
}

@test "an unknown capability never becomes another one" {
	config '.process.capabilities.bounding += ["CAP_OF_THE_FUTURE"]'
	berth_call run "$ID"
	if ((status == 0)); then
		json '(.caps.bounding | sort) == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]'
	else
		one_line_error 'process.capabilities.bounding[3]'
		contains "$stderr" CAP_OF_THE_FUTURE
	fi
}
