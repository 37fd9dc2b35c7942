#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run: exit statuses, signals, streams, -d, --pid-file, --keep and the other flags.

load helpers

@test "the payload's exit status" {
	local n

	for n in 0 1 7 127 255; do
		config_args /bin/probe exit "$n"
		berth_exits "$n" run "$ID"
	done
	nothing_left
}

@test "128 and the number for a payload that died by a signal" {
	config_args /bin/sh -c 'kill -KILL $$; sleep 5'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	berth_exits 137 run "$ID"
	config_args /bin/probe signal 11
	berth_exits 139 run "$ID"
	config_args /bin/probe signal 6
	berth_exits 134 run "$ID"
}

@test "stdin, stdout and stderr are passed on" {
	printf 'from outside\n' >"$T/input"
	config_args /bin/sh -c 'read -r line; echo "got $line"; echo problem >&2'
	STDIN=$T/input berth run "$ID"
	is "$output" 'got from outside'
	is "$stderr" problem
}

@test "a large amount of data through pipes" {
	config_args /bin/sh -c 'cat'
	head -c 5000000 /dev/zero | BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" | wc -c >"$T/count"
	is "$(tr -d ' ' <"$T/count")" 5000000
}

@test "berth waits for the payload, not for the end of its streams" {
	config_args /bin/sh -c 'sleep 300 & exit 3'
	berth_exits 3 run "$ID"
	nothing_left
}

@test "signals to berth are forwarded" {
	local name

	for name in TERM INT HUP USR1 USR2 QUIT; do
		config_args /bin/probe trap 1 "$(kill -l "$name")"
		# A shell starts background jobs with INT and QUIT ignored.
		berth_background run "$ID-$name"
		wait_for 10 grep -q ready "$OUT"
		kill -"$name" "$BG_PID"
		wait_for 10 grep -q "signal $(kill -l "$name")" "$OUT"
		wait "$BG_PID"
	done
	nothing_left
}

@test "berth killed by KILL: the container can be found and deleted" {
	config_args /bin/probe sleep
	berth_background run "$ID"
	wait_for 10 grep -q ready "$OUT"
	kill -KILL "$BG_PID"
	wait "$BG_PID" || true
	berth list -q
	is "$output" "$ID"
	berth delete --force "$ID"
	nothing_left
}

@test "a container in the foreground can be updated and deleted by another berth" {
	config_args /bin/probe sleep
	berth_background run "$ID"
	wait_for 10 grep -q ready "$OUT"
	berth_fails 'not stopped' delete "$ID"
	echo '{}' >"$T/resources.json"
	berth update --resources "$T/resources.json" "$ID"
	berth delete --force "$ID"
	! wait "$BG_PID" || fail 'it ended well'
	is "$(<"$ERR")" ''
	nothing_left
}

@test "nothing is left after run" {
	config_args /bin/probe orphans 3 leave
	berth run "$ID"
	nothing_left
	berth list -q
	is "$output" ''
}

@test "--keep leaves the stopped container" {
	config_args /bin/probe exit 4
	berth_exits 4 run --keep "$ID"
	status_is "$ID" stopped
	berth delete "$ID"
	nothing_left
	berth_exits 4 run -keep "$ID"
	status_is "$ID" stopped
}

@test "-d, --detach and -detach return at once; the container goes on" {
	local option

	for option in -d --detach -detach; do
		config_args /bin/probe sleep
		berth run "$option" "$ID"
		status_is "$ID" running
		berth delete --force "$ID"
	done
}

@test "the pid file holds digits only, and no newline" {
	local option

	for option in --pid-file -pid-file; do
		config_args /bin/probe sleep
		berth run -d "$option" "$T/pid" "$ID"
		[[ $(<"$T/pid") =~ ^[0-9]+$ ]]
		is "$(wc -c <"$T/pid")" "$(printf %s "$(<"$T/pid")" | wc -c)" size
		berth state "$ID"
		is "$(value .pid)" "$(<"$T/pid")"
		berth delete --force "$ID"
	done
	config_args /bin/probe sleep
	berth run -d --pid-file="$T/pid2" "$ID"
	[[ $(<"$T/pid2") =~ ^[0-9]+$ ]]
}

@test "a relative pid file, and one that replaces an old one" {
	echo 123456 >pid
	config_args /bin/true
	berth run --pid-file pid "$ID"
	[[ $(<pid) =~ ^[0-9]+$ && $(<pid) != 123456 ]]
}

@test "a failing run writes no pid file" {
	config_args /bin/no-such-program
	berth_call run --pid-file "$T/pid" "$ID"
	((status != 0))
	[[ ! -e $T/pid ]]
	nothing_left
}

@test "a pid file that cannot be written fails create and leaves nothing" {
	config_args /bin/probe sleep
	berth_fails /no/such/dir/pid create --pid-file /no/such/dir/pid "$ID"
	nothing_left
}

@test "a detached container outlives berth and has no parent-death signal" {
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.pdeathsig == 0'
	status_is "$ID" running
	# Adopted: by process 1 or the nearest subreaper, never by berth.
	lacks "$(tr '\0' ' ' <"/proc/$(awk '/^PPid/ { print $2 }' "/proc/$PID/status")/cmdline")" "$STATE"
}

@test "--bundle and -b, = and blank" {
	config_args /bin/echo fine
	cd /
	berth run --bundle "$BUNDLE" "$ID"
	berth run -b "$BUNDLE" "$ID"
	berth run --bundle="$BUNDLE" "$ID"
	is "$output" fine
	cd "$T"
	berth run --bundle bundle "$ID"
	is "$output" fine
}

@test "--no-pivot" {
	config_args /bin/probe report --path /
	berth run --no-pivot "$ID"
	json '.cwd == "/" and .paths["/"].write == "EROFS"'
	json 'all(.mounts[]; .destination | startswith("/tmp/bats") | not)'
}

@test "--no-new-keyring, --no-subreaper, with one dash, too" {
	config_args /bin/true
	berth run --no-new-keyring --no-subreaper "$ID"
	berth run -no-new-keyring -no-subreaper "$ID"
	berth run -no-pivot "$ID"
}

@test "option parsing stops at the id" {
	config_args /bin/true
	berth_exits 1 run "$ID" --keep
	nothing_left
}

@test "an unknown option is named, in one line" {
	berth_fails no-such-option run --no-such-option "$ID"
	berth_fails no-such-option --no-such-option run "$ID"
	nothing_left
}

@test "an option without its value" {
	berth_exits 1 run --pid-file
	contains "$stderr" pid-file
}

@test "no command, an unknown command" {
	berth_call no-such-command
	((status != 0))
	contains "$stderr" no-such-command
}

@test "--version, -v and --help" {
	berth --version
	contains "$output" 'berth version'
	contains "$output" 'spec: 1.'
	berth -v
	contains "$output" 'berth version'
	berth --help
	contains "$output" create
	berth help
	contains "$output" create
}

@test "--help of each command" {
	local command

	for command in create start state kill delete run exec list spec features; do
		berth "$command" --help
		contains "$output" "$command"
		berth "$command" -h
		berth help "$command"
		contains "$output" "$command"
	done
}

@test "without a bundle: the error names config.json" {
	cd "$T"
	berth_fails config.json run "$ID"
	berth_fails /no/such/bundle run --bundle /no/such/bundle "$ID"
	nothing_left
}

@test "run as a child of a process that ignores SIGCHLD" {
	config_args /bin/probe exit 5
	status=0
	BERTH_TEST=$ID timeout -k 2 20 env --ignore-signal=CHLD "$RUNTIME" --root "$STATE" run "$ID" || status=$?
	is "$status" 5
}

@test "run with few limits on processes and memory of its own" {
	requires plain_build
	config_args /bin/true
	BERTH_TEST=$ID prlimit --as=64000000 --stack=262144 "$RUNTIME" --root "$STATE" run "$ID"
}

@test "zombies of the payload's orphans do not pile up in berth" {
	config_args /bin/sh -c 'for n in 1 2 3 4 5; do setsid sh -c "sleep 0.1" & done; sleep 0.5; exit 9'
	berth_exits 9 run "$ID"
}
