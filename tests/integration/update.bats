#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# update: limits of a container that runs.
# shellcheck disable=SC2154 # what helpers set

load helpers

# file NAME VALUE: what a file of the container's cgroup says.
file() {
	is "$(<"$(cgroup_of "$PID")/$1")" "$2" "$1"
}

# For a limit natively, where few controllers are: the core's own file.
update_depth() {
	printf '{"unified": {"cgroup.max.depth": "%s"}}' "$1" >"$T/resources.json"
	berth update --resources "$T/resources.json" "$ID"
}

@test "resources from a file and from standard input" {
	requires cgroup2
	run_detached "$ID" sleep
	update_depth 5
	file cgroup.max.depth 5
	echo '{"unified": {"cgroup.max.depth": "6"}}' >"$T/in"
	STDIN=$T/in berth update -r - "$ID"
	file cgroup.max.depth 6
	is "$output$stderr" ''
	STDIN=<(echo '{"unified": {"cgroup.max.depth": "7"}}') berth update -r - "$ID"
	file cgroup.max.depth 7
	STDIN=<(echo '{"unified": {"cgroup.max.depth": "8"}}') berth update -r /dev/stdin "$ID"
	file cgroup.max.depth 8
	berth_fails 'Is a directory' update -r "$T" "$ID"
	echo '{"memory": {"limit": "x"}}' >"$T/in"
	STDIN=$T/in berth_fails 'standard input: linux.resources.memory.limit' update -r - "$ID"
}

@test "memory, by options with units" {
	requires controller=memory
	run_detached "$ID" sleep
	berth update --memory 64m --memory-reservation 32M --memory-swap 96m "$ID"
	file memory.max 67108864
	file memory.low 33554432
	file memory.swap.max 33554432
	# Memory and swap together stay as they were.
	berth update --memory 80m "$ID"
	file memory.max 83886080
	file memory.swap.max 16777216
	berth_fails 'linux.resources.memory.swap: 100663296 is below memory.limit' update --memory 1g "$ID"
	berth update --memory -1 "$ID"
	file memory.max max
	file memory.swap.max max
}

@test "cpu and block I/O, by options; what one of two fields says stays" {
	requires controller=cpu
	run_detached "$ID" sleep
	berth update --cpu-share 2048 --cpu-quota 50000 --cpu-burst 10000 "$ID"
	file cpu.weight 174
	file cpu.max '50000 100000'
	file cpu.max.burst 10000
	berth update --cpu-period 200000 "$ID"
	file cpu.max '50000 200000'
	# A quota below the burst that there is.
	berth update --cpu-quota 5000 --cpu-burst 2000 "$ID"
	file cpu.max '5000 200000'
	file cpu.max.burst 2000
	berth_fails 'linux.resources.cpu.burst: 2000 is above cpu.quota, 1500' update --cpu-quota 1500 "$ID"
	berth update --cpu-idle 1 "$ID"
	file cpu.idle 1
	berth update --cpu-idle 0 "$ID"
	file cpu.weight 174
	berth update --cpu-quota -1 "$ID"
	file cpu.max 'max 200000'
}

@test "cpusets" {
	requires controller=cpuset
	run_detached "$ID" sleep
	berth update --cpuset-cpus 0 --cpuset-mems 0 "$ID"
	file cpuset.cpus 0
	file cpuset.mems 0
}

@test "pids: a fork is refused from now on, and allowed again" {
	requires controller=pids
	run_detached "$ID" sleep
	berth exec "$ID" /bin/sh -c 'true | true'
	berth update --pids-limit 2 "$ID"
	file pids.max 2
	berth_call exec "$ID" /bin/sh -c 'true | true'
	contains "$output$stderr" fork
	berth update --pids-limit -1 "$ID"
	file pids.max max
	berth exec "$ID" /bin/sh -c 'true | true'
}

@test "memory: what does not fit the new limit is killed" {
	requires controller=memory
	config '.linux.resources.memory = {limit: 67108864, swap: 67108864}'
	run_detached "$ID" memory 32000000
	echo '{"memory": {"limit": 16777216, "swap": 16777216, "checkBeforeUpdate": true}}' >"$T/r"
	berth_fails 'linux.resources.memory.limit: 16777216 is below the current usage' update -r "$T/r" "$ID"
	file memory.max 67108864
	status_is "$ID" running
	berth update --memory 16m --memory-swap 16m "$ID"
	wait_for 10 status_is "$ID" stopped
}

@test "a failure in the middle: what was written is set back, and nothing is kept" {
	requires controller=pids
	config '.linux.resources.pids = {limit: 50}'
	run_detached "$ID" sleep
	echo '{"pids": {"limit": 60}, "unified": {"cgroup.max.depth": "7", "cgroup.max.descendants": "x"}}' >"$T/r"
	berth_fails 'linux.resources.unified["cgroup.max.descendants"]: write "x"' update -r "$T/r" "$ID"
	contains "$stderr" '; what was changed before is set back'
	file pids.max 50
	file cgroup.max.depth max
	echo '{"unified": {"cgroup.max.descendants": "9"}}' >"$T/r"
	berth update -r "$T/r" "$ID"
	file pids.max 50
	file cgroup.max.depth max
}

@test "what can be known beforehand is found before anything is written" {
	requires cgroup2
	local text

	run_detached "$ID" sleep
	while IFS=$'\t' read -r text message; do
		printf '%s' "$text" >"$T/r"
		berth_fails "$message" update -r "$T/r" "$ID"
		file cgroup.max.depth max
	done <<-'END'
		{"unified": {"cgroup.max.depth": "5", "cgroup.no_such": "1"}}	has no file "cgroup.no_such"
		{"unified": {"cgroup.max.depth": "5", "none.max": "1"}}	the "none" controller is not available
		{"unified": {"cgroup.max.depth": "5", "a/b": "1"}}	is not the name of a file of a cgroup
		{"unified": {"cgroup.max.depth": "5"}, "network": {"classID": 1}}	linux.resources.network: cgroup v2 has no such limit
		{"unified": {"cgroup.max.depth": "5"}, "cpu": {"period": 1}}	linux.resources.cpu.period: 1 is not between
		{"unified": {"cgroup.max.depth": "5"}	line 1
	END
}

@test "options that nothing can be made of" {
	requires cgroup2
	run_detached "$ID" sleep
	berth_fails '--memory: "lots" is not a number of bytes' update --memory lots "$ID"
	berth_fails '--pids-limit: "1k" is not a number' update --pids-limit 1k "$ID"
	berth_fails 'linux.resources.cpu.realtimeRuntime: cgroup v2' update --cpu-rt-runtime 900 "$ID"
	berth_fails 'linux.resources.memory.kernel: cgroup v2' update --kernel-memory 1m "$ID"
	berth_fails 'linux.intelRdt: the container was created without it' update --l3-cache-schema L3:0=f "$ID"
	berth_fails 'linux.intelRdt: the container was created without it' update --mem-bw-schema MB:0=50 "$ID"
	berth_fails 'go with no other option' update --mem-bw-schema MB:0=50 --memory 1m "$ID"
	berth_fails 'no limit is named' update "$ID"
	berth_fails 'exclude each other' update --memory 1m -r - "$ID"
	berth_fails 'open "/no/such"' update -r /no/such "$ID"
}

@test "an update sees what the ones before it did" {
	requires controller=cpu
	config '.linux.resources.cpu = {quota: 30000}'
	run_detached "$ID" sleep
	berth update --cpu-period 50000 "$ID"
	berth update --cpu-quota 20000 "$ID"
	file cpu.max '20000 50000'
	berth exec "$ID" /bin/true
	berth delete --force "$ID"
	nothing_left
}

@test "a paused and a created container are updated, a stopped and an unknown one are not" {
	requires cgroup2
	config_args /bin/probe sleep
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	update_depth 3
	file cgroup.max.depth 3
	berth start "$ID"
	berth pause "$ID"
	update_depth 4
	file cgroup.max.depth 4
	berth resume "$ID"
	berth kill "$ID" KILL
	wait_for 10 status_is "$ID" stopped
	berth_fails 'container not running' update -r "$T/resources.json" "$ID"
	berth_fails 'does not exist' update -r "$T/resources.json" "$ID-none"
}

@test "a container without a cgroup has no limits" {
	requires cgroup2
	config 'del(.linux.resources)'
	config_args /bin/probe sleep
	berth --cgroup-manager disabled run -d "$ID"
	berth_fails 'has no cgroup' update --memory 1g "$ID"
}

@test "device rules: a device is allowed, and denied again" {
	requires cgroup2
	local rule='{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}'
	local all='{"allow": false, "access": "rwm"}'

	run_detached "$ID" sleep
	mknod "$BUNDLE/rootfs/fuse" c 10 229
	berth_call exec "$ID" /bin/probe open /fuse rw
	contains "$output" EPERM
	echo "{\"devices\": [$all, $rule]}" >"$T/r"
	berth update -r "$T/r" "$ID"
	berth exec "$ID" /bin/probe open /fuse rw
	contains "$output" OK
	is "$(bpftool -j cgroup show "$(cgroup_of "$PID")" | jq length)" 1
	echo "{\"devices\": [$all]}" >"$T/r"
	berth update -r "$T/r" "$ID"
	berth_call exec "$ID" /bin/probe open /fuse rw
	contains "$output" EPERM
	# From all to some and back: a program comes, and goes.
	echo '{"devices": [{"allow": true, "access": "rwm"}]}' >"$T/r"
	berth update -r "$T/r" "$ID"
	berth exec "$ID" /bin/probe open /fuse rw
	contains "$output" OK
	is "$(bpftool -j cgroup show "$(cgroup_of "$PID")" | jq length)" ''
	echo "{\"devices\": [$all]}" >"$T/r"
	berth update -r "$T/r" "$ID"
	berth_call exec "$ID" /bin/probe open /fuse rw
	contains "$output" EPERM
}

@test "updates side by side: each is done whole, the last one stays" {
	requires cgroup2
	local n pids=()

	run_detached "$ID" sleep
	for n in 1 2 3 4 5 6; do
		printf '{"unified": {"cgroup.max.depth": "%s", "cgroup.max.descendants": "%s"}}' "$n" "$n" >"$T/r$n"
		"$RUNTIME" --root "$STATE" update -r "$T/r$n" "$ID" 3>&- 4>&- &
		pids+=("$!")
	done
	for n in "${pids[@]}"; do
		wait "$n" || fail "an update failed"
	done
	n=$(<"$(cgroup_of "$PID")/cgroup.max.depth")
	file cgroup.max.descendants "$n"
	jq -e --arg n "$n" '.unified["cgroup.max.depth"] == $n' "$STATE/$ID/resources.json"
}
