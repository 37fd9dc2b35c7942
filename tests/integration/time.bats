#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Time namespaces and linux.timeOffsets.

load helpers

HUNDRED_DAYS=8640000

# The container's clocks run that many seconds before the host's.
shifted() {
	[[ -e /proc/self/timens_offsets ]] || skip 'the kernel has no time namespaces'
	config '.linux.namespaces |= (map(select(.type != "time")) + [{type: "time"}]) |
		.linux.timeOffsets = {monotonic: {secs: $m}, boottime: {secs: $b}}' \
		--argjson m "$1" --argjson b "$2"
}

uptime_seconds() {
	local now

	read -r now _ </proc/uptime
	echo "${now%.*}"
}

@test "both clocks are shifted, each by its own offset" {
	local now

	shifted $HUNDRED_DAYS $((2 * HUNDRED_DAYS))
	now=$(uptime_seconds)
	run_probe
	json '.monotonic >= $m and .boottime >= $b and .boottime < $b + 3600' \
		--argjson m $HUNDRED_DAYS --argjson b $((now + 2 * HUNDRED_DAYS))
	[[ $(value .namespaces.time) != "$(readlink /proc/self/ns/time)" ]]
}

@test "nanoseconds" {
	shifted 0 0
	config '.linux.timeOffsets.monotonic = {secs: 100, nanosecs: 500000000}'
	run_script 'cat /proc/1/timens_offsets'
	contains "$(tr -s ' ' <<<"$output")" 'monotonic 100 500000000'
}

@test "a time namespace without offsets" {
	shifted 0 0
	config 'del(.linux.timeOffsets)'
	run_probe
	[[ $(value .namespaces.time) != "$(readlink /proc/self/ns/time)" ]]
	json '.boottime < $b' --argjson b $(($(uptime_seconds) + 60))
}

@test "a time namespace in a user namespace" {
	shifted 0 $HUNDRED_DAYS
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	run_probe
	json '.boottime >= $b' --argjson b $HUNDRED_DAYS
}

@test "exec is in the container's time" {
	shifted 0 $HUNDRED_DAYS
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.boottime >= $b' --argjson b $HUNDRED_DAYS
	is "$(value .namespaces.time)" "$(readlink "/proc/$PID/ns/time")"
}

@test "a time namespace is joined by its path" {
	shifted 0 $HUNDRED_DAYS
	run_detached "$ID-first" sleep
	config 'del(.linux.timeOffsets) |
		.linux.namespaces |= (map(select(.type != "time")) + [{type: "time", path: $p}])' \
		--arg p "/proc/$PID/ns/time"
	run_probe
	json '.boottime >= $b' --argjson b $HUNDRED_DAYS
	is "$(value .namespaces.time)" "$(readlink "/proc/$PID/ns/time")"
}

@test "offsets of a time namespace that is joined are refused" {
	shifted 0 1
	config '.linux.namespaces[-1].path = "/proc/self/ns/time"'
	berth_fails 'linux.timeOffsets: needs a new "time" namespace' create "$ID"
	nothing_left
}

@test "offsets without a time namespace are refused" {
	shifted 0 1
	config '.linux.namespaces |= map(select(.type != "time"))'
	berth_fails 'linux.timeOffsets: needs a new "time" namespace' create "$ID"
	nothing_left
}

@test "an offset that would make a clock negative is refused, and leaves nothing" {
	shifted 0 -$((HUNDRED_DAYS * 100))
	berth_fails 'linux.timeOffsets' create "$ID"
	nothing_left
}
