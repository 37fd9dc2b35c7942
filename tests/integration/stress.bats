#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers, in a row and at once. STRESS_RUNS is how many (1,000), STRESS_AT_ONCE (50).

load helpers

@test "run in a loop leaves nothing" {
	local n failed=0

	config_args /bin/true
	for ((n = 0; n < ${STRESS_RUNS:-1000}; n++)); do
		BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" </dev/null >>"$T/out" 2>>"$T/err" 3>&- 4>&- ||
			failed=$((failed + 1))
	done
	is "$failed" 0 "failures ($(head -c 300 "$T/err"))"
	[[ ! -s $T/err && ! -s $T/out ]]
	nothing_left
	is "$("$RUNTIME" --root "$STATE" list -q)" ''
}

@test "many at once leave nothing" {
	local n failed=0

	config_args /bin/true
	for ((n = 0; n < ${STRESS_AT_ONCE:-50}; n++)); do
		berth_background run "$ID-$n"
	done
	for n in "${BACKGROUND[@]}"; do
		wait "$n" || failed=$((failed + 1))
	done
	BACKGROUND=()
	is "$failed" 0 "failures ($(cat "$T"/err.* | head -c 300))"
	nothing_left
	is "$("$RUNTIME" --root "$STATE" list -q)" ''
}

@test "create, start and delete of many at once" {
	local n failed=0

	config_args /bin/probe sleep
	for ((n = 0; n < ${STRESS_AT_ONCE:-50}; n++)); do
		background sh -c '"$0" --root "$1" create "$2" && "$0" --root "$1" start "$2" &&
			"$0" --root "$1" delete --force "$2"' "$RUNTIME" "$STATE" "$ID-$n"
	done
	for n in "${BACKGROUND[@]}"; do
		wait "$n" || failed=$((failed + 1))
	done
	BACKGROUND=()
	is "$failed" 0 "failures ($(cat "$T"/out.* | grep -v ready | head -c 300))"
	nothing_left
}

@test "starts and kills that race" {
	local n

	config_args /bin/probe sleep
	for n in {1..40}; do
		berth create "$ID"
		berth_background start "$ID"
		berth_call kill "$ID" KILL
		wait "$BG_PID" || true
		BACKGROUND=()
		wait_for 10 status_is "$ID" stopped
		berth delete "$ID"
	done
	nothing_left
}

@test "pauses, execs, kills and deletions at random times leave nothing" {
	requires cgroup2
	local n pids pid

	for ((n = 0; n < ${PAUSE_RUNS:-40}; n++)); do
		config_args /bin/sh -c 'while :; do /bin/true; done'
		berth run -d "$ID"
		pids=()
		for words in "pause $ID" "exec --ignore-paused $ID /bin/true" "exec $ID /bin/true" \
			"resume $ID" "kill $ID KILL" "delete --force $ID"; do
			# shellcheck disable=SC2086 # words
			BERTH_TEST=$ID timeout 20 "$RUNTIME" --root "$STATE" $words </dev/null \
				>/dev/null 2>>"$T/err" 3>&- 4>&- &
			pids+=("$!")
			read -rt "0.00$((RANDOM % 10))" <> <(:) || true
		done
		for pid in "${pids[@]}"; do
			status=0
			wait "$pid" || status=$?
			((status != 124)) || fail "a command hangs in round $n"
		done
		berth delete --force "$ID"
	done
	nothing_left
}

@test "short-lived payloads with a reader of their output lose no byte" {
	local n

	config_args /bin/echo 0123456789
	for n in {1..100}; do
		is "$(BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" </dev/null)" 0123456789
	done
}

@test "the failing creates of a loop leave nothing" {
	local n

	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "x", options: ["size=banana"]}]'
	for n in {1..100}; do
		berth_call create "$ID"
		((status == 1))
	done
	nothing_left
}
