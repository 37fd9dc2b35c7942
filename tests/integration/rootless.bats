#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of an ordinary user: no capability, no right over the host but what /etc/subuid gives.
#
# The users are there for the test only: in a mount namespace of its own /etc/passwd, /etc/subuid
# and /etc/subgid are files of the test, so that nothing of the host is changed. User 1000 has the
# ids from 200000 on, user 1001 those from 300000 on; 65536 each.

load helpers

eval "$(declare -f setup | sed '1s/setup/setup_test/')"

setup() {
	setup_test
	make_users
	make_user_bundle 1000 "$BUNDLE"
	config '.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.namespaces += [{type: "user"}] | del(.mounts[].options[]? | select(. == "gid=5"))'
	chown 1000:1000 "$STATE"
	USER_ID=1000
}

make_users() {
	mkdir "$T/etc"
	cp /etc/passwd "$T/etc/passwd"
	printf '%s:x:%s:%s::/:/bin/sh\n' berth-one 1000 1000 berth-two 1001 1001 >>"$T/etc/passwd"
	printf '%s:%s:65536\n' berth-one 200000 berth-two 300000 >"$T/etc/subuid"
	cp "$T/etc/subuid" "$T/etc/subgid"
	touch "$T/etc/empty"
	mkdir -m 700 "$T/run-1000" "$T/run-1001"
	chown 1000:1000 "$T/run-1000"
	chown 1001:1001 "$T/run-1001"
}

# A root file system of the user's own: a copy, since the template is shared by hard links.
make_user_bundle() {
	mkdir -p "$2"
	rm -rf "$2/rootfs"
	cp -a "$SUITE/rootfs" "$2/rootfs"
	[[ $2 == "$BUNDLE" ]] || cp "$BUNDLE/config.json" "$2/"
	chown -Rh "$1:$1" "$2"
}

# Executes a command as the user USER_ID, in the directory BUNDLE, with a clean environment. The
# files in HIDDEN cannot be executed.
as_user() {
	unshare -m --propagation private bash -c '
		for file in passwd subuid subgid; do
			mount --bind "$1/etc/$file" "/etc/$file" || exit 99
		done
		for file in $4; do
			mount --bind "$1/etc/empty" "$file" || exit 99
		done
		exec setpriv --reuid "$2" --regid "$2" ${5:---clear-groups} \
			env -i "PATH=$PATH" "BERTH_TEST=$3" "XDG_RUNTIME_DIR=$1/run-$2" "${@:6}"' \
		_ "$T" "$USER_ID" "$ID" "${HIDDEN:-}" "${GROUPS_OPTION:-}" "$@"
}

# berth as the user: as berth_call of the helpers, without --root where STATE is empty.
berth_call() {
	local state=()

	[[ -z $STATE ]] || state=(--root "$STATE")
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	as_user timeout -k 2 "$BERTH_TIMEOUT" "${BINARY:-$RUNTIME}" "${state[@]}" "$@" \
		<"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# Ids 0 to 65536: the user's own first, as podman maps them.
map_sub_ids() {
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 1000, size: 1},
		{containerID: 1, hostID: 200000, size: 65536}]'
}

# --- ids -----------------------------------------------------------------------------------------

@test "a single id: root inside is the user outside" {
	config '.root.readonly = false'
	run_script 'id -u; cat /proc/self/uid_map /proc/self/setgroups; echo text >/tmp/file'
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 0 1000 1 deny '
	is "$(stat -c %u:%g rootfs/tmp/file)" 1000:1000
}

@test "sub ids: all that config.json maps is mapped, and groups can be set" {
	map_sub_ids
	config '.root.readonly = false | .process.user = {uid: 0, gid: 0, additionalGids: [5, 70]} |
		.process.capabilities[] += ["CAP_CHOWN"]'
	run_script 'id -G; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
		echo text >/tmp/file; chown 7:8 /tmp/file'
	is "$(tr -s ' \n' ' ' <"$OUT")" \
		'0 5 70 0 1000 1 1 200000 65536 0 1000 1 1 200000 65536 allow '
	is "$(stat -c %u:%g rootfs/tmp/file)" 200006:200007
}

@test "the process as another user than root" {
	map_sub_ids
	config '.process.user = {uid: 1000, gid: 100}'
	run_probe
	json '[.uid, .euid, .gid, .egid] == [1000, 1000, 100, 100]'
	json '.caps.effective == []'
}

@test "only sub ids, without the user's own" {
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 200000, size: 1000}]'
	run_script 'id -u; cat /proc/self/uid_map'
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 0 200000 1000 '
}

@test "a missing newuidmap is named" {
	map_sub_ids
	HIDDEN=$(readlink -f "$(command -v newuidmap)")
	berth_fails 'linux.uidMappings: user 1000 needs newuidmap' run "$ID"
	contains "$stderr" 'package uidmap'
	nothing_left
}

@test "a missing newgidmap is named" {
	map_sub_ids
	HIDDEN=$(readlink -f "$(command -v newgidmap)")
	berth_fails 'linux.gidMappings: user 1000 needs newgidmap' run "$ID"
	nothing_left
}

@test "a range that is not in /etc/subuid is refused, with newuidmap's words" {
	map_sub_ids
	config '.linux.uidMappings[1].hostID = 300000'
	berth_fails 'linux.uidMappings: ' run "$ID"
	contains "$stderr" '/etc/subuid'
	contains "$stderr" 'newuidmap: uid range [1-65537) -> [300000-365536) not allowed'
	nothing_left
}

@test "a range that is not in /etc/subgid is refused" {
	map_sub_ids
	config '.linux.gidMappings[1].size = 65537'
	berth_fails 'linux.gidMappings: ' run "$ID"
	contains "$stderr" '/etc/subgid'
	contains "$stderr" 'not allowed'
	nothing_left
}

@test "additional groups with a single id are refused" {
	config '.process.user.additionalGids = [5]'
	berth_fails 'process.user.additionalGids: cannot be set' run "$ID"
	nothing_left
}

@test "groups of the user: given up where that is allowed, else kept" {
	GROUPS_OPTION='--groups 33,44'
	run_probe
	json '.groups | length == 2'
	map_sub_ids
	run_probe
	json '.groups - [0] == []'
}

@test "without a user namespace the error says what is missing" {
	config 'del(.linux.uidMappings, .linux.gidMappings) |
		.linux.namespaces |= map(select(.type != "user"))'
	berth_fails 'linux.namespaces: a user who is not root needs a "user" namespace' run "$ID"
	nothing_left
}

# --- the life of a container ---------------------------------------------------------------------

@test "berth spec --rootless makes a config.json that runs" {
	rm config.json
	chown 1000:1000 .
	berth spec --rootless
	config '.process.args = ["/bin/id", "-u"]'
	berth run "$ID"
	is "$output" 0
}

@test "create, state, start, kill, delete" {
	config_args /bin/sleep 300
	berth create "$ID"
	berth state "$ID"
	json '.status == "created"'
	berth start "$ID"
	berth state "$ID"
	json '.status == "running"'
	berth list
	contains "$output" "$ID"
	berth_fails 'that is not stopped' delete "$ID"
	berth kill "$ID" KILL
	berth delete "$ID"
	nothing_left
}
