#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# top: what containers use.
# shellcheck disable=SC2154 # what helpers set

load helpers

@test "once, as JSON: all that run, by name" {
	requires cgroup2
	run_detached "$ID-2" sleep
	run_detached "$ID-1" sleep
	berth create "$ID-3"
	berth kill "$ID-3" KILL
	wait_for 5 status_is "$ID-3" stopped
	berth top --once --format json
	is "$(wc -l <"$OUT")" 1
	json 'map(.id) == [$i + "-1", $i + "-2"] and all(.status == "running" and .pid > 0)' --arg i "$ID"
	# A kernel that counts by ticks may have seen none of what little they did.
	json 'all((.cpu.usageNs | type == "number") and (.cpu.percent | type == "number"))'
	json 'all(has("memory") and has("pids") and has("io") and has("pressurePercent"))'
}

@test "some of them, and none" {
	requires cgroup2
	berth top --once --format json
	is "$output" '[]'
	run_detached "$ID" sleep
	run_detached "$ID-2" sleep
	berth top --once -f json "$ID-2"
	json 'map(.id) == [$i + "-2"]' --arg i "$ID"
	berth_fails 'does not exist' top --once "$ID-2" "$ID-3"
}

@test "the table has a heading and a line for each" {
	requires cgroup2
	run_detached "$ID" sleep
	berth pause "$ID"
	berth top --once
	is "$(wc -l <"$OUT")" 2
	[[ $(head -n 1 "$OUT") =~ ^ID\ +CPU%\ +THROTTLED%\ +MEMORY\ +LIMIT\ +PIDS\ +LIMIT\ +READ/s\ +WRITE/s ]]
	contains "$(tail -n 1 "$OUT")" "$ID "
	is "$(awk '{ print NF }' "$OUT" | sort -u)" 12
	berth resume "$ID"
}

@test "a busy container against its limits" {
	requires controller=cpu controller=memory controller=pids
	config '.linux.resources += {cpu: {quota: 20000}, memory: {limit: 67108864}, pids: {limit: 30}}'
	config_args /bin/sh -c 'while :; do :; done'
	berth run -d "$ID"
	berth top --once --interval 2s --format json "$ID"
	json '.[0] | .cpu.usageNs > 100000000 and .cpu.percent > 10 and .cpu.percent < 30 and .cpu.throttledPercent > 50'
	json '.[0] | .memory.limit == 67108864 and .memory.usage > 0 and .pids == {current: 1, limit: 30}'
}

@test "again and again, until those that were named have ended" {
	requires cgroup2
	run_detached "$ID" sleep
	berth_background top --interval 50ms --format json "$ID"
	three_lines() {
		(($(wc -l <"$OUT") >= 3))
	}
	wait_for 10 three_lines
	"$RUNTIME" --root "$STATE" delete --force "$ID"
	wait "$BG_PID"
	is "$(tail -n 1 "$OUT")" '[]'
	is "$(<"$ERR")" ''
}

@test "options that nothing can be made of" {
	berth_fails 'neither table nor json' top --format xml
	berth_fails 'is not a time' top --interval soon
	berth_fails 'greater than 0' top --interval 0
}
