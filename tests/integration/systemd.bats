#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The systemd driver with a real systemd, the system's and a user's.

load helpers

# property UNIT NAME: as systemctl shows it.
property() {
	systemctl show --property "$2" --value -- "$1"
}

# same TEXT FILE
same() {
	is "$(<"$2")" "$1" "$2"
}

# Runs the probe in a scope; sets PID, UNIT and DIR, its cgroup.
run_in_unit() {
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	UNIT=berth-$ID.scope
	DIR=$(cgroup_of "$PID")
}

no_scope_is_left() {
	is "$(systemctl list-units --all --plain --no-legend --type scope | grep -F -- "$ID" || true)" ''
	nothing_left
}

@test "limits are properties of the unit, and files; daemon-reload changes neither" {
	requires systemd
	config '.linux.resources = {memory: {limit: 67108864, reservation: 33554432}, pids: {limit: 50},
		cpu: {shares: 2048, quota: 150000, period: 50000}, unified: {"memory.high": "60M"}}'
	run_in_unit
	for _ in before after; do
		same 67108864 "$DIR/memory.max"
		same 33554432 "$DIR/memory.low"
		same 62914560 "$DIR/memory.high"
		same 50 "$DIR/pids.max"
		same 174 "$DIR/cpu.weight"
		same '150000 50000' "$DIR/cpu.max"
		systemctl daemon-reload
	done
	is "$(property "$UNIT" ControlGroup)" "/system.slice/$UNIT"
	is "$(property "$UNIT" Slice)" system.slice
	is "$(property "$UNIT" Delegate)" yes
	is "$(property "$UNIT" MemoryMax)" 67108864
	is "$(property "$UNIT" MemoryHigh)" 62914560
	is "$(property "$UNIT" TasksMax)" 50
	is "$(property "$UNIT" CPUQuotaPerSecUSec)" 3s
	is "$(property "$UNIT" Description)" "berth container $ID"
	berth delete --force "$ID"
	no_scope_is_left
}

@test "update changes files and properties, also over a daemon-reload" {
	requires systemd
	config '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}}'
	run_in_unit
	berth update --memory 100m --pids-limit 60 --cpu-quota 50000 "$ID"
	systemctl daemon-reload
	same 104857600 "$DIR/memory.max"
	same 60 "$DIR/pids.max"
	same '50000 100000' "$DIR/cpu.max"
	is "$(property "$UNIT" MemoryMax)" 104857600
	is "$(property "$UNIT" TasksMax)" 60
	berth update --memory -1 --pids-limit -1 --cpu-quota -1 "$ID"
	systemctl daemon-reload
	same max "$DIR/memory.max"
	same max "$DIR/pids.max"
	same 'max 100000' "$DIR/cpu.max"
	berth update --cpu-idle 1 "$ID"
	systemctl daemon-reload
	same 1 "$DIR/cpu.idle"
	berth update --cpu-idle 0 --cpu-share 2048 "$ID"
	systemctl daemon-reload
	same 0 "$DIR/cpu.idle"
	same 174 "$DIR/cpu.weight"
	berth delete --force "$ID"
	no_scope_is_left
}

@test "devices: what the rules say holds over a daemon-reload, and can be changed" {
	requires systemd
	local allow='{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}'

	config '.linux.devices = [{path: "/dev/log", type: "c", major: 1, minor: 11}]'
	run_in_unit
	systemctl daemon-reload
	berth exec "$ID" /bin/sh -c ': </dev/null; : >/dev/null; head -c 1 /dev/urandom >/dev/zero'
	berth_exits 1 exec "$ID" /bin/sh -c ': </dev/log'
	contains "$stderr" 'Operation not permitted'
	printf '%s' "$allow" >"$T/rules.json"
	berth update --resources "$T/rules.json" "$ID"
	for _ in before after; do
		berth exec "$ID" /bin/sh -c ': </dev/log'
		berth_exits 1 exec "$ID" /bin/sh -c ': >/dev/log'
		systemctl daemon-reload
	done
	# Rules that are no list: systemd has none of its own then.
	printf '%s' '{"devices": [{"allow": true, "access": "rwm"},
		{"allow": false, "type": "c", "major": 1, "minor": 11, "access": "r"}]}' >"$T/rules.json"
	berth update --resources "$T/rules.json" "$ID"
	is "$(property "$UNIT" DevicePolicy) $(property "$UNIT" DeviceAllow)" 'auto '
	systemctl daemon-reload
	berth exec "$ID" /bin/sh -c ': >/dev/log'
	berth_exits 1 exec "$ID" /bin/sh -c ': </dev/log'
	berth delete --force "$ID"
	no_scope_is_left
}

@test "exec with a terminal after a daemon-reload" {
	requires systemd command=script
	run_in_unit
	systemctl daemon-reload
	script -qec "'$RUNTIME' --root '$STATE' exec -t '$ID' /bin/sh -c 'tty && : </dev/pts/0'" \
		/dev/null >"$T/tty" </dev/null
	contains "$(<"$T/tty")" '/dev/pts/0'
	berth delete --force "$ID"
	no_scope_is_left
}

@test "annotations become properties" {
	requires systemd
	config '.annotations = {"org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.CPUWeight": "uint64 77", "org.systemd.property.Before": "[\"a.target\"]"}'
	run_in_unit
	is "$(property "$UNIT" TimeoutStopUSec)" 7s
	is "$(property "$UNIT" CPUWeight)" 77
	contains "$(property "$UNIT" Before)" a.target
	berth delete --force "$ID"
	config '.annotations = {"org.systemd.property.NoSuchThing": "true"}'
	berth_fails NoSuchThing --systemd-cgroup run "$ID"
	no_scope_is_left
}

@test "slices: a place of one's own, nested; a unit that is there already" {
	requires systemd
	local slice=bt-$BATS_SUITE_TEST_NUMBER.slice other=$T/other

	config ".linux.cgroupsPath = \"$slice:p:$ID\""
	run_in_unit
	is "$DIR" "$CGROUP2/bt.slice/$slice/p-$ID.scope"
	make_bundle "$other"
	cp "$BUNDLE/config.json" "$other/"
	berth_fails "p-$ID.scope" --systemd-cgroup run --bundle "$other" "$ID-b"
	status_is "$ID" running
	berth delete --force "$ID"
	no_scope_is_left
	systemctl stop "$slice" bt.slice
}

@test "a container that ends by itself leaves no scope, deleted or not" {
	requires systemd
	config_args /bin/true
	berth --systemd-cgroup create "$ID"
	UNIT=berth-$ID.scope
	is "$(property "$UNIT" ActiveState)" active
	berth start "$ID"
	wait_for 10 status_is "$ID" stopped
	wait_for 10 eval "[[ \$(systemctl show -P LoadState $UNIT) == not-found ]]"
	berth delete "$ID"
	no_scope_is_left
}

@test "systemctl stop ends a container" {
	requires systemd
	config '.annotations = {"org.systemd.property.TimeoutStopSec": "uint64 2"}'
	run_in_unit
	systemctl stop "$UNIT"
	wait_for 10 status_is "$ID" stopped
	berth delete "$ID"
	no_scope_is_left
}

@test "a create that fails leaves no scope" {
	requires systemd
	config_args /not/there
	berth_fails /not/there --systemd-cgroup run "$ID"
	is "$(property "berth-$ID.scope" LoadState)" not-found
	config '.linux.resources.unified = {"memory.nonsense": "1"}'
	berth_fails memory.nonsense --systemd-cgroup run "$ID"
	is "$(property "berth-$ID.scope" LoadState)" not-found
	no_scope_is_left
}

@test "creators that are killed at any moment leave no scope" {
	requires systemd
	local i id

	config_args /bin/probe sleep
	for ((i = 0; i < 30; i++)); do
		id=$ID-$i
		berth_background --systemd-cgroup create "$id"
		sleep "0.0$((RANDOM % 60 + 10))"
		kill -KILL "$BG_PID" 2>/dev/null || true
		wait "$BG_PID" 2>/dev/null || true
		berth delete --force "$id"
	done
	wait_for 20 no_scope_is_left
}

@test "pause, exec, kill, ps, events and delete of a container in a scope" {
	requires systemd
	run_in_unit
	berth pause "$ID"
	status_is "$ID" paused
	same 1 "$DIR/cgroup.freeze"
	berth_exits 255 exec "$ID" /bin/true
	berth resume "$ID"
	berth exec "$ID" /bin/true
	berth exec -d "$ID" /bin/sleep 1000
	berth ps --format json "$ID"
	json 'length == 2'
	berth events --stats "$ID"
	json '.data.pids.current == 2 and .data.memory.usage.usage > 0'
	berth pause "$ID"
	berth delete --force "$ID"
	no_scope_is_left
}

@test "a container with cgroups of its own: exec, and the end" {
	requires systemd
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	run_in_unit
	berth exec "$ID" /bin/sh -c 'cd /sys/fs/cgroup && mkdir inner && echo 1 >inner/cgroup.procs &&
		echo $$ >inner/cgroup.procs && echo +pids >cgroup.subtree_control'
	berth exec "$ID" /bin/cat /proc/self/cgroup
	is "$output" '0::/inner'
	berth exec --cgroup inner "$ID" /bin/true
	systemctl daemon-reload
	same pids "$DIR/cgroup.subtree_control"
	berth delete --force "$ID"
	no_scope_is_left
}

@test "a hundred at once, with daemon-reload in a loop beside them" {
	requires systemd
	local i pids=()

	config_args /bin/true
	while :; do
		systemctl daemon-reload
	done &
	BACKGROUND+=("$!")
	for ((i = 0; i < 100; i++)); do
		BERTH_TEST=$ID timeout 200 "$RUNTIME" --root "$STATE" --systemd-cgroup run "$ID-$i" \
			</dev/null >"$T/out-$i" 2>&1 3>&- 4>&- &
		pids+=("$!")
	done
	for ((i = 0; i < 100; i++)); do
		wait "${pids[i]}" || fail "run $i: status $?: $(<"$T/out-$i")"
	done
	stop_background
	no_scope_is_left
}

@test "cpusets" {
	requires systemd controller=cpuset
	config '.linux.resources.cpu = {cpus: "0", mems: "0"}'
	run_in_unit
	is "$(property "$UNIT" AllowedCPUs)" 0
	systemctl daemon-reload
	same 0 "$DIR/cpuset.cpus"
	grep -q '^Cpus_allowed_list:	0$' "/proc/$PID/status"
	berth update --cpuset-cpus 0-1 "$ID"
	systemctl daemon-reload
	same 0-1 "$DIR/cpuset.cpus"
	berth delete --force "$ID"
	no_scope_is_left
}

@test "blockIO" {
	requires systemd machine controller=io
	local device numbers

	modprobe loop 2>/dev/null || true
	truncate -s 16M "$T/disk"
	device=$(losetup --find --show "$T/disk") || skip 'needs a loop device'
	numbers=$(<"/sys/block/${device##*/}/dev")
	# shellcheck disable=SC2016 # jq variables
	config '.linux.resources.blockIO = {throttleReadBpsDevice: [{major: $a, minor: $b,
		rate: 1048576}], throttleWriteIOPSDevice: [{major: $a, minor: $b, rate: 77}]}' \
		--argjson a "${numbers%:*}" --argjson b "${numbers#*:}"
	run_in_unit
	for _ in before after; do
		same "$numbers rbps=1048576 wbps=max riops=max wiops=77" "$DIR/io.max"
		systemctl daemon-reload
	done
	contains "$(property "$UNIT" IOReadBandwidthMax)" 1048576
	berth delete --force "$ID"
	losetup --detach "$device"
	no_scope_is_left
}

# --- the user's manager --------------------------------------------------------------------------

# A bundle of the tester's; berth_call runs as him, in the cgroup of the test or in the scope of
# AS, where that is "in_tester_scope".
as_user_of_machine() {
	requires systemd user-manager
	AS=${1:-as_tester}
	rm -rf "$BUNDLE/rootfs"
	cp -a "$SUITE/rootfs" "$BUNDLE/rootfs"
	config '.linux.uidMappings = [{containerID: 0, hostID: 4444, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 4444, size: 1}] |
		.linux.namespaces += [{type: "user"}] | del(.mounts[].options[]? | select(. == "gid=5"))'
	chown -Rh tester:tester "$BUNDLE"
	chown tester:tester "$T" "$STATE"
	eval 'berth_call() {
		CALLS=$((CALLS + 1)) OUT=$T/out.$CALLS ERR=$T/err.$CALLS status=0
		"$AS" timeout -k 2 "$BERTH_TIMEOUT" "$RUNTIME" --root "$STATE" "$@" </dev/null \
			>"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
		read_file output "$OUT"
		read_file stderr "$ERR"
	}'
}

run_as_user() {
	config "$1"
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	DIR=$(cgroup_of "$PID")
	contains "$DIR" "/user@4444.service/user.slice/berth-$ID.scope"
}

@test "a user's manager: from a login's session, whose processes only systemd may move" {
	as_user_of_machine
	run_as_user '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}}'
	jq -e '.unitOfUser' "$STATE/$ID/state.json" >/dev/null
	same 67108864 "$DIR/memory.max"
	same 50 "$DIR/pids.max"
	berth exec "$ID" /bin/cat /proc/self/cgroup
	is "$output" '0::/'
	berth update --pids-limit 60 "$ID"
	as_tester systemctl --user daemon-reload
	same 60 "$DIR/pids.max"
	berth pause "$ID"
	berth resume "$ID"
	berth ps --format json "$ID"
	is "$output" "[$PID]"
	berth kill --all "$ID" KILL
	wait_for 10 test ! -d "/proc/$PID"
	berth delete "$ID"
	is "$stderr" ''
	is "$(as_tester systemctl --user show -P LoadState "berth-$ID.scope")" not-found
	nothing_left
}

@test "a user's manager: from a cgroup of its own" {
	as_user_of_machine in_tester_scope
	run_as_user '.linux.resources = {pids: {limit: 50}}'
	same 50 "$DIR/pids.max"
	berth exec "$ID" /bin/true
	berth delete --force "$ID"
	is "$(as_tester systemctl --user show -P LoadState "berth-$ID.scope")" not-found
	nothing_left
}

@test "a user's manager: exec into cgroups of the container" {
	as_user_of_machine
	run_as_user '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	berth exec "$ID" /bin/sh -c 'cd /sys/fs/cgroup && mkdir inner && echo 1 >inner/cgroup.procs &&
		echo $$ >inner/cgroup.procs && echo +pids >cgroup.subtree_control'
	berth exec --cgroup inner "$ID" /bin/cat /proc/self/cgroup
	is "$output" '0::/inner'
	berth exec "$ID" /bin/cat /proc/self/cgroup
	is "$output" '0::/inner'
	berth delete --force "$ID"
	nothing_left
}
