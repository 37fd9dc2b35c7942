#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many execs at once into one container, with and without terminals, half of them killed at any
# moment: none hangs, every exit status is right, and nothing is left.
#
# EXEC_STORM=N: how many (default 500). EXEC_STORM_SEED=N: which.

load helpers

AT_ONCE=8
# None takes longer than a second by itself; somebody else may use the machine.
TIME_MAX=400

# One of those who call: worker NUMBER COUNT SEED TTY; a line for each exec that went wrong.
worker() {
	local count=$2 i pid got expected signal options delay never
	local me=$T/worker.$1

	mkfifo "$me.never"
	exec {never}<>"$me.never"
	RANDOM=$3
	for ((i = 0; i < count; i++)); do
		expected=$((RANDOM % 120))
		options=()
		[[ $4 == no ]] || ((RANDOM % 2)) || options=(--tty)
		"$RUNTIME" --root "$STATE" exec "${options[@]}" "$ID" /bin/sh -c \
			"echo $1.$i; sleep 0.0$((RANDOM % 10)); exit $expected" \
			</dev/null >"$me.out" 2>"$me.err" {never}>&- &
		pid=$!
		signal=
		if ((RANDOM % 2)); then
			((RANDOM % 2)) && signal=TERM || signal=KILL
			# Up to 79 ms, without a program that takes some itself.
			printf -v delay '0.%03d' $((RANDOM % 80))
			read -r -t "$delay" -u "$never"
			kill -s "$signal" "$pid" 2>/dev/null
		fi
		got=0
		wait "$pid" || got=$?
		if ((got == expected)); then
			# It has run to its end, so it has said its word; a SIGTERM that comes after
			# that end tells berth not to wait for the terminal's last output.
			[[ $(tr -d '\r' <"$me.out") == "$1.$i" ]] ||
				[[ ${options[*]} == --tty && $signal == TERM && ! -s $me.out ]] ||
				echo "$1.$i ${options[*]} signal '$signal' said: $(<"$me.out")"
		elif [[ -z $signal ]] || ((got != 128 + $(kill -l "$signal"))); then
			echo "$1.$i ${options[*]} signal '$signal': $got, not $expected: $(<"$me.err")"
		fi
	done
}

# The container has its first process alone, alive or waiting to be reaped.
alone() {
	[[ $("$RUNTIME" --root "$STATE" ps --format json "$ID") == "[$PID]" ]]
}

storm() {
	local all=${EXEC_STORM:-500} seed=${EXEC_STORM_SEED:-$RANDOM} n pids=() state

	export RUNTIME STATE ID T
	export BERTH_TEST=$ID
	export -f worker
	echo "seed $seed"
	run_detached "$ID" reaper
	state=$(ls "$STATE/$ID")
	for ((n = 0; n < AT_ONCE; n++)); do
		timeout -k 5 "$TIME_MAX" bash -c 'worker "$@"' worker "$n" \
			$(((all + AT_ONCE - 1) / AT_ONCE)) $((seed + n)) "$1" \
			</dev/null >"$T/result.$n" 2>"$T/worker-err.$n" 3>&- 4>&- &
		pids+=($!)
	done
	for ((n = 0; n < AT_ONCE; n++)); do
		wait "${pids[n]}" || fail "worker $n: exit status $? (124: an exec hangs)"
	done
	is "$(cat "$T"/result.*)" '' 'wrong'
	# Those whose berth was killed end by themselves.
	wait_for 10 alone
	is "$(ls "$STATE/$ID")" "$state" 'state directory'
	status_is "$ID" running
	# Zombies of the container's own; those whose parent is outside wait for the host's process 1.
	berth exec "$ID" /bin/sh -c 'cat /proc/[0-9]*/stat'
	is "$(grep -c ') Z [1-9]' "$OUT")" 0 'zombies'
	berth delete --force "$ID"
	nothing_left
}

@test "a storm of execs, half of them killed" {
	requires cgroup2
	storm no
}

@test "a storm of execs, half of them killed, half of them with a terminal" {
	requires cgroup2
	storm yes
}
