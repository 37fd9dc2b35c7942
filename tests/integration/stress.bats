#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers, in a row and at once. STRESS_RUNS is how many (1,000; rounds of commands at random
# times: 200), STRESS_AT_ONCE (50).

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

# What a command may do to a container, and what it may answer when another one was there first.
ROUND_COMMANDS=(
	"pause ID"
	"pause ID"
	"resume ID"
	"exec ID /bin/true"
	"exec ID /bin/sleep 0.01"
	"exec --detach ID /bin/true"
	"exec --tty ID /bin/true"
	"exec --ignore-paused ID /bin/true"
	"exec --ignore-paused --detach ID /bin/true"
	"start ID"
	"start ID"
	"update --resources RESOURCES ID"
	"events --stats ID"
	"ps ID"
	"state ID"
	"kill ID TERM"
	"kill ID KILL"
	"kill --all ID TERM"
	"kill --all ID KILL"
	"delete ID"
	"delete ID"
	"delete --force ID"
)
# Whole lines. None is what a system call says of something that went in between: that says nothing
# to the user, and engines take "no such file" for a program that is missing.
ROUND_ANSWERS=(
	'container "ID" does not exist'
	'container not (running|paused): "ID" is (stopped|running|created)'
	'container paused: "ID"'
	'container not running'
	'container with id ID is not running'
	'cannot delete container ID that is not stopped: (running|paused|created)'
	'cannot exec in a paused container \(use --ignore-paused to override\)'
	'cannot exec in a container that is stopped'
	'cannot start an already running container'
	'cannot start a container that has stopped'
	'cannot start a container in the paused state'
	# Of a container that goes on, by the TERM for all.
	"the (process|container's init) was killed before it executed the program"
	'the process ended before it had its terminal'
)

# The command of a round that is in $1, its exit status $2: whether that was to be expected.
is_expected() {
	local words=$1 code=$2 text pattern

	text=$(<"$T/round.err")
	((code != 0)) || [[ -n $text ]] || return 0
	# Killed with the container, or by the TERM for all.
	[[ $words != exec* || $code != @(137|143) || -n $text ]] || return 0
	for pattern in "${ROUND_ANSWERS[@]}"; do
		[[ ! $text =~ ^berth:\ ${pattern//ID/$ID}$ ]] || return 0
	done
	return 1
}

# Eight commands, one up to 15 ms after the other, and a deletion for certain.
random_round() {
	local n words pids=() asked=() never=$1 round=$2

	# Two of three have been started.
	if ((RANDOM % 3)); then
		berth run -d "$ID"
	else
		berth create "$ID"
	fi
	for n in {0..7}; do
		words=${ROUND_COMMANDS[RANDOM % ${#ROUND_COMMANDS[@]}]}
		words=${words/RESOURCES/$T/resources}
		asked+=("$words")
		# shellcheck disable=SC2086 # words
		BERTH_TEST=$ID timeout -k 1 20 "$RUNTIME" --root "$STATE" ${words//ID/$ID} </dev/null \
			>/dev/null 2>"$T/round.$n" {never}>&- 3>&- 4>&- &
		pids+=("$!")
		read -rt "0.0$(printf %02d $((RANDOM % 16)))" -u "$never" || true
	done
	# Before the others are waited for: in a paused container exec --ignore-paused waits, too.
	berth delete --force "$ID"
	for n in {0..7}; do
		status=0
		wait "${pids[n]}" || status=$?
		((status != 124)) || fail "round $round: hangs: ${asked[n]}"
		mv "$T/round.$n" "$T/round.err"
		is_expected "${asked[n]}" "$status" ||
			fail "round $round: ${asked[n]}: exit status $status: $(<"$T/round.err")"
	done
}

# Hundreds of rounds need less than a minute natively. STRESS_SEED: those of an earlier run.
@test "pauses, execs, kills and deletions at random times leave nothing" {
	requires cgroup2
	local n never seed=${STRESS_SEED:-$RANDOM}

	echo "STRESS_SEED=$seed"
	RANDOM=$seed
	echo '{}' >"$T/resources"
	mkfifo "$T/never"
	exec {never}<>"$T/never"
	config_args /bin/sh -c 'while :; do /bin/true; done'
	for ((n = 0; n < ${STRESS_RUNS:-200}; n++)); do
		random_round "$never" "$n"
		# No process at all, so none in state D either.
		nothing_left
	done
	exec {never}>&-
}

# PF_EXITING in the flags of proc(5).
is_exiting() {
	local fields

	read -ra fields <"/proc/$1/stat"
	((fields[8] & 4))
}

@test "exec into a container whose init is ending says that it has stopped" {
	local stuck

	config_args /bin/probe sleep
	berth run -d --pid-file "$T/pid" "$ID"
	berth_background exec "$ID" /bin/sh -c 'echo ready; exec sleep 1000'
	stuck=$BG_PID
	wait_for 10 grep -q ready "$OUT"
	# Init's last work is to wait for the others of its pid namespace to be reaped.
	kill -STOP "$stuck"
	berth kill "$ID" KILL
	wait_for 10 is_exiting "$(<"$T/pid")"
	berth_call exec "$ID" /bin/true
	kill -CONT "$stuck"
	is "$status" 255
	one_line_error 'berth: cannot exec in a container that is stopped'
	wait "$stuck" || true
	BACKGROUND=()
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
