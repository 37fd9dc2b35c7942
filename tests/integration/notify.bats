#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The proxy of sd_notify(3): a service manager hears that the service in the container is ready.

load helpers

# A service manager that reads @1 messages; sets MANAGER (its socket) and HEARD (its output).
manager() {
	MANAGER=${2:-$T/manager.sock}
	background "$CACHE_DIR/probe" datagrams "$MANAGER" "$1"
	MANAGER_PID=$BG_PID
	HEARD=$OUT
	wait_for 5 test -S "$MANAGER"
}

heard() {
	wait_for 5 grep -q . "$HEARD"
	is "$(<"$HEARD")" "$1"
}

@test "run -d returns once the service is ready, and tells its process" {
	manager 3
	config_args /bin/probe notify 'STATUS=starting' $'READY=1\nSTATUS=up'
	NOTIFY_SOCKET=$MANAGER berth run -d --pid-file "$T/pid" "$ID"
	wait "$MANAGER_PID"
	heard $'READY=1|\nMAINPID='"$(<"$T/pid")"$'|\nBARRIER=1 +fd'
	status_is "$ID" running
}

@test "start waits, not create" {
	manager 3
	config_args /bin/probe notify READY=1
	NOTIFY_SOCKET=$MANAGER berth create --pid-file "$T/pid" "$ID"
	is "$(<"$HEARD")" ''
	NOTIFY_SOCKET=$MANAGER berth start "$ID"
	wait "$MANAGER_PID"
	heard $'READY=1|\nMAINPID='"$(<"$T/pid")"$'|\nBARRIER=1 +fd'
	berth delete --force "$ID"
	nothing_left
}

@test "run in the foreground stays the service itself" {
	manager 1
	config_args /bin/probe notify READY=1 MAINPID=1 READY=1 STATUS=up
	NOTIFY_SOCKET=$MANAGER berth_background run "$ID"
	wait "$MANAGER_PID"
	heard 'READY=1|'
	status_is "$ID" running
	berth kill "$ID" KILL
	status=0
	wait "$BG_PID" || status=$?
	is "$status" 137
	nothing_left
}

@test "a service that says nothing: start returns when the container ends" {
	manager 1
	config_args /bin/probe exit 3
	NOTIFY_SOCKET=$MANAGER berth run -d "$ID"
	is "$(<"$HEARD")" ''
}

@test "start goes on waiting as long as the service is not ready" {
	manager 3
	config_args /bin/sh -c 'read x </fifo; exec /bin/probe notify READY=1'
	mkfifo "$BUNDLE/rootfs/fifo"
	NOTIFY_SOCKET=$MANAGER berth_background run -d "$ID"
	wait_for 5 status_is "$ID" running
	kill -0 "$BG_PID"
	is "$(<"$HEARD")" ''
	echo go >"$BUNDLE/rootfs/fifo"
	wait "$BG_PID"
	wait "$MANAGER_PID"
}

@test "what the container sees: a read-only directory with one socket, and nothing of the manager's" {
	manager 3
	config '.process.env += ["NOTIFY_SOCKET=/other"]'
	config_args /bin/sh -c 'echo "$NOTIFY_SOCKET"; ls /run/notify
		touch /run/notify/x 2>/dev/null && echo writable; exec /bin/probe notify READY=1'
	NOTIFY_SOCKET=$MANAGER berth run -d "$ID"
	is "$(head -n 2 "$OUT")" $'/run/notify/notify.sock\nnotify.sock'
	lacks "$(<"$OUT")" writable
	berth exec "$ID" /bin/sh -c 'echo "[$NOTIFY_SOCKET]"'
	is "$output" '[/other]'
}

@test "in a user namespace, as a user of it" {
	manager 3
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] | .process.user = {uid: 5, gid: 5} |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
		.linux.gidMappings = .linux.uidMappings'
	mkdir -p rootfs/run/notify
	config_args /bin/probe notify READY=1
	NOTIFY_SOCKET=$MANAGER berth run -d "$ID"
	wait "$MANAGER_PID"
	contains "$(<"$HEARD")" 'READY=1'
}

@test "a manager that is not there: an error, and nothing is left" {
	config_args /bin/probe notify READY=1
	NOTIFY_SOCKET=$T/none berth_fails 'NOTIFY_SOCKET: connect to the socket' run -d "$ID"
	NOTIFY_SOCKET=$T/none berth_fails 'NOTIFY_SOCKET' run "$ID"
	nothing_left
	NOTIFY_SOCKET=$T/none berth create "$ID"
	NOTIFY_SOCKET=$T/none berth_fails 'NOTIFY_SOCKET' start "$ID"
	status_is "$ID" created
}

@test "a container that was created without one, and one started without one" {
	manager 1
	config_args /bin/true
	berth create "$ID"
	NOTIFY_SOCKET=$MANAGER berth start "$ID"
	NOTIFY_SOCKET=$MANAGER berth create "$ID-2"
	berth start "$ID-2"
	berth delete --force "$ID-2"
	is "$(<"$HEARD")" ''
}

@test "a socket of another kind is left out with a warning" {
	config_args /bin/sh -c 'echo "[$NOTIFY_SOCKET]"'
	NOTIFY_SOCKET=vsock:2:1 berth --log-level warning run "$ID"
	is "$output" '[]'
	contains "$stderr" 'NOTIFY_SOCKET: "vsock:2:1"'
}
