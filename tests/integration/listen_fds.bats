#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Socket activation: what a service manager passes on by sd_listen_fds(3) reaches the program.

load helpers

# As berth_call, with two files of the host as descriptors 3 and 4 and the variables of a manager.
# LISTENER is put for LISTEN_PID; "self" is berth's own number.
activated() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	BERTH_TEST=$ID LISTEN_FDS=${FDS-2} LISTEN_FDNAMES=${NAMES-web:control} LISTENER=${LISTENER-self} \
		timeout -k 2 "$BERTH_TIMEOUT" bash -c '
		[[ $LISTENER != self ]] || LISTENER=$$
		LISTEN_PID=$LISTENER exec "$@"' sh "$RUNTIME" --root "$STATE" "$@" \
		</dev/null >"$OUT" 2>"$ERR" 3>"$T/first" 4>"$T/second" 5>"$T/third" || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
	((status == 0)) || fail "berth $*: exit status $status"
}

# The payload tells its variables and writes to both descriptors.
tell='echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES" $$; echo one >&3; echo two >&4'

@test "run: descriptors and variables, with the number that the program has" {
	config_args /bin/sh -c "$tell"
	activated run "$ID"
	is "$output" '2 1 web:control 1'
	is "$(<"$T/first") $(<"$T/second")" 'one two'
}

@test "create and start" {
	config_args /bin/sh -c "$tell"
	activated create "$ID"
	local out=$OUT
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	is "$(<"$out")" '2 1 web:control 1'
	is "$(<"$T/first") $(<"$T/second")" 'one two'
}

@test "exec: the number is that of the process in the container" {
	run_detached "$ID" sleep
	activated exec "$ID" /bin/sh -c "$tell"
	[[ $output =~ ^2\ ([0-9]+)\ web:control\ ([0-9]+)$ ]]
	is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	is "$(<"$T/second")" two
}

@test "without a pid namespace of its own" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	config_args /bin/sh -c "$tell"
	activated run "$ID"
	[[ $output =~ ^2\ ([0-9]+)\ web:control\ ([0-9]+)$ ]]
	is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "--preserve-fds counts from behind them" {
	config_args /bin/sh -c 'echo "$LISTEN_FDS" >&5'
	activated run --preserve-fds 1 "$ID"
	is "$(<"$T/third")" 2
}

@test "no names, and what the image says gives way" {
	config '.process.env += ["LISTEN_FDS=7", "LISTEN_PID=7"]'
	config_args /bin/sh -c 'env | grep -c LISTEN; echo "$LISTEN_FDS"'
	NAMES='' activated run "$ID"
	is "$output" $'3\n2'
}

@test "meant for somebody else, or not a number: nothing is passed on" {
	local pid

	config '.process.env += ["LISTEN_FDS=7"]'
	config_args /bin/sh -c 'echo "$LISTEN_FDS$LISTEN_PID"; [ ! -e /proc/self/fd/4 ]'
	for pid in 1 x ''; do
		LISTENER=$pid activated run "$ID"
		is "$output" 7
	done
	FDS=-1 activated run "$ID"
	is "$output" 7
}

@test "descriptors that are not there are an error" {
	config_args /bin/true
	BERTH_TEST=$ID LISTEN_FDS=2 run bash -c 'LISTEN_PID=$$ exec "$@" 3>&- 4>&-' sh \
		"$RUNTIME" --root "$STATE" --log "$T/log" run "$ID"
	((status == 1))
	contains "$output" 'descriptor 3'
	nothing_left
}
