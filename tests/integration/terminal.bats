#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Terminals: in the container, in the foreground, by way of a console socket, of exec.

load helpers

setup_terminal() {
	config '.process.terminal = true'
}

# Runs berth on a terminal, with steps before "--" (tests/pty/pty.c); sets status, output, stderr.
on_terminal() {
	local steps=()

	while [[ $1 != -- ]]; do
		steps+=("$1")
		shift
	done
	shift
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	BERTH_TEST=$ID timeout -k 2 "$BERTH_TIMEOUT" "$CACHE_DIR/pty" "${steps[@]}" -- \
		"$RUNTIME" --root "$STATE" "$@" </dev/null >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	output=$(tr -d '\r' <"$OUT")
	read_file stderr "$ERR"
}

# The same, for a script of the container's shell.
script_on_terminal() {
	local script=$1

	shift
	config_args /bin/sh -c "$script"
	on_terminal "$@" -- run "$ID"
}

# Its own terminal is as it was, and berth's exit status is $1.
ended_well() {
	is "$status" "$1" 'exit status'
	is "$stderr" restored 'the terminal'
}

# Listens for terminals in the background; sets SOCKET and RECEIVED.
receive_terminals() {
	SOCKET=${SOCKET:-$T/console.sock}
	background "$CACHE_DIR/pty" receive "$SOCKET" "${1:-1}"
	RECEIVED=$OUT
	wait_for 10 grep -q listening "$RECEIVED"
}

@test "the standard streams are a terminal, the controlling one, of the container's devpts" {
	setup_terminal
	config_args /bin/sh -c 'test -t 0 && test -t 1 && test -t 2 && busybox tty &&
		echo to-tty >/dev/tty && readlink /proc/self/fd/0 && exec /bin/probe'
	berth run "$ID"
	contains "$output" to-tty
	tail -n +4 "$OUT" >"$OUT.json"
	OUT=$OUT.json
	is "${output%%$'\r'*}" /dev/pts/0
	json '.pid == 1 and .sid == 1'
	nothing_left
}

@test "the terminal belongs to the process's user, with the devpts's group" {
	setup_terminal
	config '.process.user = {uid: 1000, gid: 1000} | del(.process.capabilities)'
	config_args /bin/sh -c 'stat -c "%u:%g %a" /dev/pts/0 /dev/console; echo x >/dev/console'
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" $'1000:5 620\n1000:5 620\nx'
}

@test "/dev/console is the terminal" {
	setup_terminal
	config_args /bin/sh -c 'stat -c %t:%T /dev/pts/0 /dev/console; grep -c " /dev/console " /proc/mounts
		echo by console >/dev/console'
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" $'88:0\n88:0\n1\nby console'
}

@test "process.consoleSize" {
	setup_terminal
	config '.process.consoleSize = {height: 33, width: 77}'
	config_args /bin/busybox stty size
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" '33 77'
}

@test "in the foreground the size is that of berth's terminal, and follows it" {
	setup_terminal
	config '.process.consoleSize = {height: 33, width: 77}'
	# shellcheck disable=SC2016 # for the shell in the container
	script_on_terminal 'trap "busybox stty size; exit 4" WINCH; busybox stty size
		while :; do read -r line; done' \
		size:10x20 'expect:10 20' size:11x22 'expect:11 22'
	ended_well 4
}

@test "berth's terminal is a wire: ^C, ^Z and ^D mean something inside only" {
	setup_terminal
	script_on_terminal 'trap "echo interrupted" INT; trap "" TSTP; echo ready; read -r a; echo "got $a"
		cat; exit 5' \
		expect:ready raw: 'send:\x03' expect:interrupted 'send:x\x1ay\r' 'send:line\r' \
		expect:line 'send:\x04'
	ended_well 5
	contains "$output" interrupted
}

@test "the exit status is the program's, and the terminal is put back" {
	local script

	setup_terminal
	for script in 'exit 0:0' 'exit 255:255' 'kill -KILL $$:137'; do
		config '.linux.namespaces |= map(select(.type != "pid"))'
		script_on_terminal "${script%:*}"
		ended_well "${script##*:}"
	done
	nothing_left
}

@test "the terminal is put back after kill -KILL of the container" {
	setup_terminal
	config_args /bin/sh -c 'echo ready; while :; do sleep 1; done'
	on_terminal expect:ready raw: "run:'$RUNTIME' --root '$STATE' kill $ID KILL" -- run "$ID"
	ended_well 137
}

@test "the terminal is put back after kill -TERM of berth, and after a fault of its own" {
	setup_terminal
	script_on_terminal 'trap "exit 6" TERM; echo ready; while :; do sleep 0.1; done' \
		expect:ready raw: kill:15
	ended_well 6
	script_on_terminal 'echo ready; while :; do sleep 0.1; done' expect:ready raw: kill:11
	is "$status" 139 'exit status'
	is "$stderr" restored 'the terminal'
}

@test "a create that fails leaves the terminal alone" {
	setup_terminal
	config_args /no/such/program
	on_terminal -- run "$ID"
	ended_well 1
	contains "$output" /no/such/program
	nothing_left
}

@test "without a terminal outside, bytes are copied, and the end of input arrives" {
	setup_terminal
	config_args /bin/sh -c 'sha256sum'
	head -c 100000 /dev/urandom | base64 >"$T/input"
	STDIN=$T/input berth run "$ID"
	contains "$output" "$(sha256sum <"$T/input" | cut -d' ' -f1)"
	printf 'one\ntwo' >"$T/input"
	config_args /bin/sh -c 'sha256sum; exit 3'
	STDIN=$T/input berth_exits 3 run "$ID"
	contains "$output" "$(sha256sum <"$T/input" | cut -d' ' -f1)"
	# A shell with its own modes sees the end too.
	config_args /bin/sh
	STDIN=/dev/null berth_exits 0 run "$ID"
}

@test "megabytes to a slow reader arrive whole, and cost no processor" {
	local sum cpu

	setup_terminal
	config_args /bin/sh -c 'busybox stty raw; cat /data'
	head -c 5000000 /dev/urandom >rootfs/data
	sum=$(sha256sum <rootfs/data)
	TIMEFORMAT='%3U %3S'
	# A reader that stops for a while is what a slow one is to a pipe.
	{ time BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" </dev/null 3>&-; } 2>"$T/cpu" |
		{
			sleep 2
			sha256sum
		} >"$T/sum"
	is "$(<"$T/sum")" "$sum"
	read -r user system <"$T/cpu"
	cpu=$(jq -n "$user + $system")
	jq -en "$cpu < 1" || fail "$cpu s of processor time"
}

@test "what was written at the end arrives, also where others keep the terminal open" {
	local i

	setup_terminal
	config '.linux.namespaces |= map(select(.type != "pid"))'
	for i in 1 2 3 4 5; do
		config_args /bin/sh -c 'sleep 3 & head -c 60000 /dev/zero | tr "\0" x; echo END'
		berth run "$ID"
		contains "$(tail -c 10 "$OUT")" END
		is "$(tr -cd x <"$OUT" | wc -c)" 60000
	done
}

@test "a reader that goes away hangs the terminal up" {
	setup_terminal
	config_args /bin/sh -c 'trap "exit 0" HUP; while :; do echo y; done'
	BERTH_TEST=$ID timeout 20 "$RUNTIME" --root "$STATE" run "$ID" </dev/null | head -n 1 >"$T/one"
	is "$(tr -d '\r' <"$T/one")" y
	nothing_left
}

@test "without standard streams outside, and with a full disk at its output" {
	setup_terminal
	config_args /bin/sh -c 'trap "" HUP; echo lost; exit 5'
	status=0
	BERTH_TEST=$ID timeout 20 "$RUNTIME" --root "$STATE" run "$ID" <&- >&- 2>"$T/err" || status=$?
	is "$status" 5
	status=0
	BERTH_TEST=$ID timeout 20 "$RUNTIME" --root "$STATE" run "$ID" </dev/null >/dev/full 2>"$T/err" ||
		status=$?
	is "$status" 5
	nothing_left
}

@test "a receiver that goes away: create fails, and leaves nothing" {
	setup_terminal
	receive_terminals 0
	config_args /bin/true
	berth_call create --console-socket "$SOCKET" "$ID"
	is "$status" 1
	one_line_error --console-socket
	nothing_left
}

@test "a program that closes its terminal and opens it again" {
	setup_terminal
	config_args /bin/sh -c 'exec </dev/null >/dev/null 2>&1; sleep 0.3; echo again >/dev/console'
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" again
}

@test "kill -TSTP and -STOP: berth stops with its terminal put back, and goes on in raw mode" {
	local signal

	setup_terminal
	config_args /bin/sh -c 'echo ready; read -r line; echo "got $line"; exit 7'
	for signal in TSTP STOP; do
		status=0
		BERTH_TEST=$ID timeout -k 2 "$BERTH_TIMEOUT" "$CACHE_DIR/pty" \
			"send:'$RUNTIME' --root '$STATE' run $ID\r" expect:ready raw: \
			"run:pkill -$signal -f '^$RUNTIME --root $STATE run $ID'" cooked: expect:Stopped \
			'send:echo in-the-shell; fg\r' 'expect:in-the-shell' raw: 'send:hello\r' \
			'expect:got hello' expect:bash- 'send:echo "status $?"; exit\r' 'expect:status 7' -- \
			bash --norc --noprofile -i </dev/null >"$T/out" 2>"$T/err" 3>&- 4>&- || status=$?
		is "$status" 0 "$signal: $(cat "$T/err" "$T/out")"
	done
}

@test "a background job copies its output, takes no input, and no processor" {
	setup_terminal
	config_args /bin/sh -c 'echo ready; read -r line; echo "got $line"; cat /proc/uptime >/dev/null; exit 7'
	status=0
	BERTH_TEST=$ID timeout -k 2 "$BERTH_TIMEOUT" "$CACHE_DIR/pty" \
		"send:'$RUNTIME' --root '$STATE' run $ID &\r" expect:ready cooked: \
		'send:echo for-the-$((1+1))-shell\r' 'expect:for-the-2-shell' \
		"run:ticks=\$(pgrep -f '^$RUNTIME --root $STATE run $ID' | xargs -I@ cat /proc/@/stat); sleep 1
			new=\$(pgrep -f '^$RUNTIME --root $STATE run $ID' | xargs -I@ cat /proc/@/stat)
			set -- \$ticks; a=\$((\${14} + \${15})); set -- \$new; b=\$((\${14} + \${15}))
			test \$((b - a)) -lt 20" \
		'send:fg\r' raw: 'send:hello\r' 'expect:got hello' expect:bash- 'send:echo "status $?"; exit\r' \
		'expect:status 7' -- \
		bash --norc --noprofile -i </dev/null >"$T/out" 2>"$T/err" 3>&- 4>&- || status=$?
	is "$status" 0 "$(cat "$T/err" "$T/out")"
}

@test "the terminal outside is hung up: berth ends with the container" {
	setup_terminal
	config_args /bin/sh -c 'trap "exit 0" HUP; echo ready; while :; do read -r x || exit 0; done'
	on_terminal expect:ready raw: hangup: -- run "$ID"
	is "$status" 0 "$(cat "$T/err" "$T/out")"
	nothing_left
}

@test "--console-socket: run -d" {
	setup_terminal
	receive_terminals
	config_args /bin/sh -c 'test -t 0 && busybox stty size && echo by socket'
	config '.process.consoleSize = {height: 12, width: 34}'
	berth run -d --console-socket "$SOCKET" "$ID"
	is "$output$stderr" ''
	wait_for 10 grep -q ^end "$RECEIVED"
	is "$(sed -n 2p "$RECEIVED")" 'received name=9 control=one type=rights more=no tty=yes'
	is "$(sed -n 3,4p "$RECEIVED" | tr -d '\r')" $'12 34\nby socket'
	berth delete --force "$ID"
}

@test "--console-socket: create and start, with a path longer than an address" {
	SOCKET=$T/$(printf '%0200d' 0)
	mkdir "$SOCKET"
	SOCKET+=/console.sock
	setup_terminal
	receive_terminals
	config_args /bin/sh -c 'busybox tty; echo started'
	berth create --console-socket="$SOCKET" "$ID"
	wait_for 10 grep -q ^received "$RECEIVED"
	berth start "$ID"
	wait_for 10 grep -q ^end "$RECEIVED"
	is "$(sed -n 3,4p "$RECEIVED" | tr -d '\r')" $'/dev/pts/0\nstarted'
	berth delete --force "$ID"
}

@test "without a console socket a detached terminal is refused, and the reverse" {
	setup_terminal
	config_args /bin/true
	berth_fails 'process.terminal: cannot allocate a terminal if berth will detach without --console-socket' \
		create "$ID"
	berth_fails 'without --console-socket' run -d "$ID"
	berth_fails '--console-socket: cannot be used if berth will not detach' \
		run --console-socket "$T/no.sock" "$ID"
	berth_fails '--console-socket: connect to the socket' create --console-socket "$T/no.sock" "$ID"
	berth_fails '--console-socket: connect to the socket' create --console-socket "$BUNDLE/config.json" "$ID"
	config '.process.terminal = false'
	berth_fails '--console-socket: cannot be used without a terminal' \
		create --console-socket "$T/no.sock" "$ID"
	nothing_left
}

@test "a container without a devpts cannot have a terminal" {
	setup_terminal
	config_args /bin/true
	config '.mounts |= map(select(.destination != "/dev/pts"))'
	berth_fails 'process.terminal: the container has no "/dev/pts": mount a devpts there' run "$ID"
	config '.mounts += [{destination: "/dev/pts", type: "tmpfs", source: "tmpfs"}]'
	berth_fails 'process.terminal: the container'"'"'s "/dev/pts" is no devpts' run "$ID"
	nothing_left
}

@test "links in the image at /dev/console, /dev/pts and /dev/ptmx lead nowhere" {
	local name

	setup_terminal
	config_args /bin/true
	config '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
	for name in console pts ptmx; do
		rm -rf rootfs/dev
		mkdir rootfs/dev
		ln -s "$VICTIM/ptmx" "rootfs/dev/$name"
		berth_exits 1 run "$ID"
		contains "$stderr" '/dev/'
		ln -sfn "$VICTIM/dir" "rootfs/dev/$name"
		berth_exits 1 run "$ID"
	done
	rm -rf rootfs/dev
	mkdir -p rootfs/dev/pts
	ln -s "$VICTIM/ptmx" rootfs/dev/console
	config '.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
		options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	berth_fails '"/dev/console" is a symbolic link' run "$ID"
	nothing_left
}

@test "exec -t: a terminal of its own, without /dev/console" {
	config_args /bin/probe sleep
	run_detached "$ID" sleep
	berth exec -t "$ID" /bin/sh -c 'test -t 0 && busybox tty && echo to-tty >/dev/tty; exit 3' || true
	is "$status" 3
	is "$(tr -d '\r' <"$OUT")" $'/dev/pts/0\nto-tty'
	on_terminal size:9x8 expect:ready raw: 'send:hello\r' -- exec -t -u 1000:1000 "$ID" \
		/bin/sh -c 'busybox stty size; stat -c %u /dev/pts/0; echo ready; read -r x; echo "got $x"'
	ended_well 0
	contains "$output" $'9 8\n1000\nready'
	contains "$output" 'got hello'
}

@test "exec -t into a container with a terminal: the next one; without -t none" {
	setup_terminal
	receive_terminals
	config_args /bin/sh -c 'echo ready; while :; do sleep 1; done'
	berth run -d --console-socket "$SOCKET" "$ID"
	wait_for 10 grep -q ready "$RECEIVED"
	berth exec -t "$ID" /bin/busybox tty
	is "$(tr -d '\r' <"$OUT")" /dev/pts/1
	berth_call exec "$ID" /bin/sh -c 'test -t 1'
	is "$status" 1
}

@test "exec -t -d and exec --process, by way of a console socket" {
	run_detached "$ID" sleep
	receive_terminals 2
	berth exec -t -d --console-socket "$SOCKET" --pid-file "$T/pid" "$ID" /bin/sh -c 'echo one'
	wait_for 10 grep -q ^end "$RECEIVED"
	jq -n '{terminal: true, consoleSize: {height: 5, width: 6}, cwd: "/", user: {uid: 0, gid: 0},
		args: ["/bin/busybox", "stty", "size"]}' >"$T/process.json"
	berth exec --process "$T/process.json" --detach --console-socket "$SOCKET" \
		--pid-file "$T/pid2" "$ID"
	wait_for 10 grep -q '^5 6' "$RECEIVED"
	is "$(grep -c '^received name=9 control=one type=rights more=no tty=yes' "$RECEIVED")" 2
	contains "$(<"$RECEIVED")" one
}

@test "exec: terminals are refused as with run" {
	run_detached "$ID" sleep
	berth_exits 255 exec -t -d "$ID" /bin/true
	one_line_error 'without --console-socket'
	berth_exits 255 exec --console-socket "$T/no" "$ID" /bin/true
	one_line_error '--console-socket: cannot be used without a terminal'
	berth_exits 255 exec -t "$ID" /no/such/program
	one_line_error /no/such/program
}

@test "in a user namespace, as one of its users" {
	setup_terminal
	config '.linux.namespaces += [{type: "user"}] | .process.user = {uid: 1000, gid: 1000} |
		del(.process.capabilities) |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	config_args /bin/sh -c 'stat -c "%u:%g %t:%T" /dev/pts/0 /dev/console; echo fine >/dev/console'
	chmod 755 "$T" "$BUNDLE"
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" $'1000:5 88:0\n1000:5 88:0\nfine'
}

@test "without a mount namespace, without pivot_root, with a read-only /dev" {
	setup_terminal
	config_args /bin/sh -c 'busybox tty; echo fine >/dev/console'
	berth run --no-pivot "$ID"
	is "$(tr -d '\r' <"$OUT")" $'/dev/pts/0\nfine'
	config '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)'
	berth run "$ID"
	is "$(tr -d '\r' <"$OUT")" $'/dev/pts/0\nfine'
	config '(.mounts[] | select(.destination == "/dev")).options -= ["ro"] |
		.linux.namespaces |= map(select(.type != "mount"))'
	berth_call run "$ID"
	# Older kernels cannot attach anything there, and berth says so.
	[[ $status == 0 || $stderr == *'Linux 6.15'* ]] || fail 'without a mount namespace'
}

@test "preserved descriptors keep their numbers, and no other goes along" {
	setup_terminal
	config_args /bin/sh -c 'cat <&3; echo; ls /proc/self/fd | tr "\n" " "'
	echo kept >"$T/kept"
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run --preserve-fds 1 "$ID" \
		</dev/null >"$T/out" 3<"$T/kept" 4>&-
	contains "$(<"$T/out")" kept
	# 4 is the directory that ls reads.
	contains "$(tr -d '\r' <"$T/out")" '0 1 2 3 4 '
}

@test "megabytes to a program that reads slowly arrive whole, and cost no processor" {
	local user system cpu

	setup_terminal
	config_args /bin/sh -c 'busybox stty -echo; sleep 2; sha256sum'
	head -c 3000000 /dev/urandom | base64 >"$T/input"
	TIMEFORMAT='%3U %3S'
	STDIN=$T/input
	{ time berth run "$ID"; } 2>"$T/cpu"
	contains "$output" "$(sha256sum <"$T/input" | cut -d' ' -f1)"
	read -r user system < <(tail -n 1 "$T/cpu")
	cpu=$(jq -n "$user + $system")
	jq -en "$cpu < 2" || fail "$cpu s of processor time"
}

# One of many: with a terminal, without, or killed; the exit status must be right.
exec_once() {
	local n=$1 flags=() status=0 pid

	((n % 2)) || flags=(-t)
	if ((n % 4 < 2)); then
		BERTH_TEST=$ID timeout -k 2 60 "$RUNTIME" --root "$STATE" exec "${flags[@]}" "$ID" \
			/bin/sh -c "echo $n; exit $((n % 250))" </dev/null >/dev/null 2>&1 || status=$?
		((status == n % 250)) || echo "exec $n: exit status $status"
		return
	fi
	BERTH_TEST=$ID timeout -k 2 60 "$RUNTIME" --root "$STATE" exec "${flags[@]}" \
		--pid-file "$T/pid.$n" "$ID" /bin/sh -c 'while :; do sleep 0.1; done' \
		</dev/null >/dev/null 2>&1 &
	pid=$!
	wait_for 30 test -s "$T/pid.$n" || echo "exec $n: no pid file"
	kill -KILL "$(<"$T/pid.$n")"
	wait "$pid" || status=$?
	((status == 137)) || echo "exec $n: killed, exit status $status"
}

# The container's shell, its sleep, and this ps: nothing is left of others.
is_alone() {
	berth exec "$ID" /bin/busybox ps -o comm
	(($(wc -l <"$OUT") <= 4))
}

@test "many exec with and without terminals, 8 at once, half of them killed" {
	local lane left

	# Nobody reaps in this container but its init, which does.
	config_args /bin/sh -c 'echo ready; while :; do sleep 1; done'
	berth run -d "$ID"
	wait_for 10 grep -q ready "$OUT"
	for lane in 0 1 2 3 4 5 6 7; do
		(
			for ((n = lane; n < ${EXEC_RUNS:-80}; n += 8)); do
				exec_once "$n"
			done
		) >"$T/lane.$lane" 2>&1 3>&- 4>&- &
	done
	wait
	left=$(cat "$T"/lane.*)
	[[ -z $left ]] || fail "$left"
	wait_for 10 is_alone
}
