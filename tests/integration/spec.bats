#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# spec: the template of a config.json.

load helpers

@test "it writes config.json into the working directory" {
	mkdir "$T/new"
	cd "$T/new"
	berth spec
	jq -e '.ociVersion and .process.args == ["sh"] and .process.terminal == true and
		.root == {path: "rootfs", readonly: true}' config.json
	is "$(stat -c %a config.json | tail -c 4 | head -c 1)" 6
}

@test "--bundle and -b" {
	mkdir "$T/new" "$T/new2"
	berth spec --bundle "$T/new"
	[[ -f $T/new/config.json ]]
	berth spec -b "$T/new2"
	cmp "$T/new/config.json" "$T/new2/config.json"
}

@test "an existing file is not overwritten" {
	mkdir "$T/new"
	echo mine >"$T/new/config.json"
	berth_fails config.json spec --bundle "$T/new"
	is "$(<"$T/new/config.json")" mine
}

@test "a link in its place is not followed" {
	mkdir "$T/new"
	ln -s "$T/elsewhere" "$T/new/config.json"
	berth_call spec --bundle "$T/new"
	((status == 1))
	[[ ! -e $T/elsewhere ]]
}

@test "a missing bundle is named" {
	berth_fails /no/such/dir spec --bundle /no/such/dir
}

@test "what it writes can be run" {
	rm config.json
	berth spec
	config '.process.env += ["BERTH_TEST=" + $i]' --arg i "$ID"
	echo 'echo went-"through"; exit 3' >"$T/input"
	STDIN=$T/input berth_exits 3 run "$ID"
	contains "$output" went-through
}

@test "it has the mounts, masks and namespaces that every container needs" {
	mkdir "$T/new"
	berth spec -b "$T/new"
	jq -e '[.mounts[].destination] | contains(["/proc", "/dev", "/dev/pts", "/dev/shm",
		"/dev/mqueue", "/sys", "/sys/fs/cgroup"])' "$T/new/config.json"
	jq -e '[.linux.namespaces[].type] | contains(["pid", "network", "ipc", "uts", "mount"])' \
		"$T/new/config.json"
	jq -e '.linux.maskedPaths | contains(["/proc/kcore", "/proc/keys", "/sys/firmware"])' \
		"$T/new/config.json"
	jq -e '.linux.resources.devices == [{allow: false, access: "rwm"}]' "$T/new/config.json"
	jq -e '.process.noNewPrivileges and (.process.capabilities | has("inheritable") | not)' \
		"$T/new/config.json"
}

@test "--rootless" {
	mkdir "$T/new"
	berth spec --rootless -b "$T/new"
	jq -e '([.linux.namespaces[].type] | index("user")) and .linux.uidMappings and
		.linux.gidMappings and (.linux | has("resources") | not)' "$T/new/config.json"
}
