#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# features: the document that engines read, and that it says the truth.

load helpers

@test "the shape of the document" {
	berth features
	is "$stderr" ''
	json '(.ociVersionMin | test("^1\\.0\\.[0-9]")) and (.ociVersionMax | test("^1\\.[0-9]+\\.[0-9]"))'
	json '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart",
		"poststop"]'
	json '[.mountOptions, .linux.namespaces, .linux.capabilities, .linux.seccomp.actions,
		.linux.seccomp.operators, .linux.seccomp.archs] | all(type == "array" and length > 0)'
	json '.annotations | type == "object" and all(.[]; type == "string")'
	json '.potentiallyUnsafeConfigAnnotations | type == "array"'
	json '.linux.cgroup | [.v1, .v2, .systemd, .systemdUser] | all(type == "boolean")'
	json '.linux.apparmor.enabled and .linux.selinux.enabled and ([.linux.intelRdt.enabled,
		.linux.mountExtensions.idmap.enabled] | all(type == "boolean"))'
	json '.linux.intelRdt == {enabled: true, schemata: true, monitoring: true}'
	json '.linux.memoryPolicy | (.modes | length) == 7 and (.flags | length) == 3'
}

@test "the lists have no doubles and are sorted where they are names" {
	berth features
	json '[.mountOptions, .linux.namespaces, .linux.capabilities, .linux.seccomp.actions,
		.linux.seccomp.operators, .linux.seccomp.archs] | all(length == (unique | length))'
}

@test "the capabilities are those of the kernel" {
	berth features
	json '(.linux.capabilities | index("CAP_CHOWN")) and
		(.linux.capabilities | length) == $n' --argjson n "$(($(</proc/sys/kernel/cap_last_cap) + 1))"
}

@test "every capability that is listed can be asked for" {
	berth features
	config '.process.capabilities = {bounding: $c, permitted: [], effective: []}' \
		--argjson c "$(jq -c .linux.capabilities "$OUT")"
	config_args /bin/probe
	berth_call run "$ID"
	# Those that the caller lacks cannot be given; the names must be known.
	lacks "$stderr" nknown
}

@test "every memory policy and flag that is listed is known" {
	local mode nodes

	berth features
	config_args /bin/true
	while read -r mode; do
		config '.linux.memoryPolicy = {mode: $m, nodes: "0"}' --arg m "$mode"
		[[ $mode != MPOL_DEFAULT && $mode != MPOL_LOCAL ]] || config '.linux.memoryPolicy.nodes = ""'
		berth_call run "$ID"
		# The kernel may know fewer, and takes flags with some modes only.
		lacks "$stderr" 'is not one of'
	done < <(jq -r '.linux.memoryPolicy.modes[]' "$OUT")
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: $f}' \
		--argjson f "$(jq -c '[.linux.memoryPolicy.flags[] | select(. != "MPOL_F_RELATIVE_NODES")]' \
			"$T/out.1")"
	berth_call run "$ID"
	lacks "$stderr" 'is not one of'
}

@test "every namespace that is listed works" {
	local kind

	berth features
	for kind in $(jq -r '.linux.namespaces[]' "$OUT"); do
		config '.linux.namespaces |= (map(select(.type != $k)) + [{type: $k}]) |
			if $k == "user" then .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] |
			.linux.gidMappings = .linux.uidMappings else . end' --arg k "$kind"
		config_args /bin/true
		berth run "$ID"
	done
}

@test "every hook that is listed is run, and every seccomp action and operator is accepted" {
	local name

	berth features
	for name in $(jq -r '.linux.seccomp.actions[]' "$OUT"); do
		[[ $name != SCMP_ACT_NOTIFY ]] || continue # with an agent: seccomp_notify.bats
		config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["quotactl"], action: $a}]}' --arg a "$name"
		config_args /bin/true
		berth run "$ID"
	done
	berth features
	for name in $(jq -r '.linux.seccomp.operators[]' "$OUT"); do
		config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["quotactl"],
			action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, valueTwo: 1, op: $o}]}]}' \
			--arg o "$name"
		berth run "$ID"
	done
	berth features
	for name in $(jq -r '.linux.seccomp.archs[]' "$OUT"); do
		config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: [$a],
			syscalls: [{names: ["quotactl"], action: "SCMP_ACT_ERRNO"}]}' --arg a "$name"
		berth_call run "$ID"
		lacks "$stderr" nknown
	done
	for name in $(jq -r '.linux.seccomp.supportedFlags[]?' "$OUT"); do
		config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: [$f],
			syscalls: [{names: ["quotactl"], action: "SCMP_ACT_ERRNO"}]}' --arg f "$name"
		berth run "$ID"
	done
}
