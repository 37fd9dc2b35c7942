#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --pidfd-socket: one message with the pidfd of the process, whose text is runc's.

load helpers

# Starts who receives the pidfd; sets SOCKET and RECEIVED.
receive() {
	SOCKET=${1:-$T/pidfd.sock}
	background "$CACHE_DIR/probe" receive-fd "$SOCKET"
	RECEIVED=$OUT
	RECEIVER=$BG_PID
	wait_for 5 test -S "$SOCKET"
}

received() {
	wait "$RECEIVER"
	is "$(<"$RECEIVED")" "$1"
}

@test "create: the pidfd of init" {
	config_args /bin/true
	receive
	berth create --pidfd-socket "$SOCKET" --pid-file "$T/pid" "$ID"
	received "standard 1 $(<"$T/pid")"
}

@test "run, attached and detached" {
	config_args /bin/probe sleep
	receive
	berth run -d --pidfd-socket "$SOCKET" --pid-file "$T/pid" "$ID"
	received "standard 1 $(<"$T/pid")"
	config_args /bin/probe exit 3
	receive "$T/second.sock"
	berth_exits 3 run --pidfd-socket="$SOCKET" "$ID-2"
	wait "$RECEIVER"
	[[ $(<"$RECEIVED") == 'standard 1 '* ]]
}

@test "exec: the pidfd of the process" {
	run_detached "$ID" sleep
	receive
	berth exec -d --pidfd-socket "$SOCKET" --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	received "setns 1 $(<"$T/exec.pid")"
}

@test "a socket whose path is longer than an address" {
	local directory
	directory=$T/$(printf 'x%.0s' {1..120})
	mkdir "$directory"
	ln -s "$directory" "$T/short"
	receive "$T/short/s"
	config_args /bin/true
	berth create --pidfd-socket "$directory/s" "$ID"
	wait "$RECEIVER"
}

@test "nobody listens: an error that names the socket, and nothing is left" {
	config_args /bin/true
	berth_fails '--pidfd-socket: connect to the socket "/no/such/socket"' \
		create --pidfd-socket /no/such/socket "$ID"
	berth_fails '--pidfd-socket' run --pidfd-socket config.json "$ID"
	nothing_left
	run_detached "$ID" sleep
	berth_exits 255 exec --pidfd-socket /no/such/socket "$ID" /bin/true
	one_line_error /no/such/socket
}
