#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# state, create and start: the life of a container as its callers see it.

load helpers

@test "created, running, stopped, gone" {
	config '.annotations = {"org.example.key": "value"}'
	config_args /bin/probe trap 1 15
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	berth state "$ID"
	json '.id == $i and .status == "created" and .pid == $p and .bundle == $b and
		.annotations == {"org.example.key": "value"} and (.ociVersion | test("^1\\.[0-9]+\\.[0-9]+"))' \
		--arg i "$ID" --argjson p "$PID" --arg b "$BUNDLE"
	json '.rootfs == $r and (.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z$"))' \
		--arg r "$BUNDLE/rootfs"
	berth start "$ID"
	berth state "$ID"
	json '.status == "running" and .pid == $p' --argjson p "$PID"
	wait_for 5 grep -q ready "$T/out.1"
	berth kill "$ID" TERM
	wait_for 5 status_is "$ID" stopped
	berth state "$ID"
	json '(.pid // 0) == 0'
	berth delete "$ID"
	berth_fails 'does not exist' state "$ID"
}

@test "the payload does not run before start" {
	mkdir rootfs/shared
	config '.mounts += [{destination: "/shared", source: $t, options: ["bind"]}]' --arg t "$T"
	config_args /bin/touch /shared/ran
	berth create "$ID"
	[[ ! -e $T/ran ]]
	berth start "$ID"
	wait_for 5 test -e "$T/ran"
}

@test "config.json may change or vanish after create" {
	config_args /bin/echo first
	berth create "$ID"
	config_args /bin/echo second
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	is "$(<"$T/out.1")" first
	berth create "$ID-2"
	rm config.json
	berth start "$ID-2"
	wait_for 5 status_is "$ID-2" stopped
}

@test "an id that exists already is refused, and the first one is not touched" {
	run_detached "$ID" sleep
	berth_fails 'already exists' create "$ID"
	berth_fails 'already exists' run "$ID"
	status_is "$ID" running
}

@test "two creates of one id at once: exactly one wins" {
	local n won=0

	config_args /bin/probe
	for n in 1 2 3 4 5 6; do
		berth_background create "$ID"
	done
	for n in "${BACKGROUND[@]}"; do
		if wait "$n"; then
			won=$((won + 1))
		fi
	done
	BACKGROUND=()
	is "$won" 1
	status_is "$ID" created
}

@test "start twice" {
	config_args /bin/probe sleep
	berth create "$ID"
	berth start "$ID"
	berth_fails running start "$ID"
	status_is "$ID" running
}

@test "two starts at once: exactly one wins" {
	local n won=0

	config_args /bin/probe sleep
	berth create "$ID"
	for n in 1 2 3 4; do
		berth_background start "$ID"
	done
	for n in "${BACKGROUND[@]}"; do
		if wait "$n"; then
			won=$((won + 1))
		fi
	done
	BACKGROUND=()
	is "$won" 1
	wait_for 5 status_is "$ID" running
}

@test "start of a stopped container" {
	config_args /bin/true
	berth create "$ID"
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth_fails stopped start "$ID"
}

@test "start of a container whose init was killed" {
	config_args /bin/true
	berth create --pid-file "$T/pid" "$ID"
	kill -KILL "$(<"$T/pid")"
	wait_for 5 status_is "$ID" stopped
	berth_fails stopped start "$ID"
}

@test "start of what does not exist" {
	berth_fails 'does not exist' start "$ID"
}

@test "start reports why the payload cannot run" {
	config_args /bin/no-such-program
	berth_call create "$ID"
	if ((status == 0)); then
		berth_fails /bin/no-such-program start "$ID"
		berth delete --force "$ID"
	else
		one_line_error /bin/no-such-program
	fi
	nothing_left
}

@test "a payload that ends at once: start succeeds" {
	local n

	config_args /bin/true
	for n in 1 2 3 4 5 6 7 8 9 10; do
		berth create "$ID-$n"
		berth start "$ID-$n"
		wait_for 5 status_is "$ID-$n" stopped
		berth delete "$ID-$n"
	done
}

@test "a container without process can be created, and ends when it is started" {
	config 'del(.process)'
	berth create "$ID"
	status_is "$ID" created
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	nothing_left
}

@test "the creator's death does not end a created container" {
	config_args /bin/probe sleep
	berth create "$ID"
	status_is "$ID" created
	berth start "$ID"
	status_is "$ID" running
}

@test "a long state root and a long id" {
	local long

	long=$(printf 'd%.0s' {1..120})
	mkdir -p "$T/$long/$long"
	STATE=$T/$long/$long
	config_args /bin/probe sleep
	berth create "$ID-$long"
	berth start "$ID-$long"
	status_is "$ID-$long" running
	berth delete --force "$ID-$long"
}

@test "the state root is for its owner only" {
	rmdir "$STATE"
	config_args /bin/true
	(umask 0; berth create "$ID")
	[[ $(stat -c %a "$STATE") =~ ^1?7[01]*$ ]] || fail "mode $(stat -c %a "$STATE")"
	[[ $(stat -c %a "$STATE/$ID") =~ ^7[01]*$ ]] || fail "mode $(stat -c %a "$STATE/$ID")"
}

@test "names with bytes beyond the usual in ids: dots, plus, underscore" {
	config_args /bin/true
	berth run "$ID.a_b+c-D.9"
}

@test "--root / is refused" {
	config_args /bin/true
	berth_call --root / run "$ID"
	((status == 1))
}
