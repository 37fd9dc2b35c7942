#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill: signals by name and number, states, errors.

load helpers

# A container that prints the signals it gets; sets CONTAINER_OUT.
start_trap() {
	run_detached "$ID" trap "$1" 1 2 3 10 12 15 34 64
}

@test "the default signal is TERM" {
	start_trap 1
	berth kill "$ID"
	wait_for 5 grep -q 'signal 15' "$CONTAINER_OUT"
}

@test "names in all spellings, and numbers" {
	local signal

	start_trap 8
	for signal in HUP SIGHUP hup sighup 1; do
		berth kill "$ID" "$signal"
		wait_for 5 grep -q 'signal 1$' "$CONTAINER_OUT"
	done
	berth kill "$ID" USR1
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
	berth kill "$ID" 12
	wait_for 5 grep -q 'signal 12' "$CONTAINER_OUT"
}

@test "real-time signals" {
	start_trap 2
	berth kill "$ID" 34
	wait_for 5 grep -q 'signal 34' "$CONTAINER_OUT"
	berth kill "$ID" 64
	wait_for 5 grep -q 'signal 64' "$CONTAINER_OUT"
}

@test "KILL ends the container" {
	start_trap 1
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
}

@test "unknown signals are refused and do nothing" {
	local signal

	start_trap 1
	for signal in NONSENSE SIG 65 -1 0x1 1x '' 4294967305; do
		berth_call kill "$ID" "$signal"
		((status == 1)) || fail "signal '$signal': exit status $status"
		one_line_error signal
	done
	status_is "$ID" running
	is "$(cat "$CONTAINER_OUT")" ready
}

@test "a container that is only created can be killed" {
	config_args /bin/probe
	berth create "$ID"
	status_is "$ID" created
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	nothing_left
}

@test "a TERM to a created container" {
	config_args /bin/probe
	berth create "$ID"
	berth kill "$ID" TERM
	# Process 1 of a pid namespace may ignore it; the container must stay in order either way.
	[[ $(status_of "$ID") =~ ^(created|stopped)$ ]]
	berth delete --force "$ID"
}

@test "a stopped container: an error in the words that engines look for" {
	config_args /bin/true
	berth create "$ID"
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth_fails 'container not running' kill "$ID" TERM
	berth_fails 'container not running' kill "$ID" KILL
	berth_fails 'container not running' kill "$ID" 0
}

@test "a container that does not exist: an error in the words that engines look for" {
	berth_fails 'does not exist' kill "$ID" TERM
}

@test "only process 1 gets the signal" {
	run_detached "$ID" orphans 2 stay
	berth kill "$ID" USR1
	# The first process has no handler: as process 1 it ignores the signal, as do all others.
	status_is "$ID" running
	berth exec "$ID" /bin/sh -c 'grep -l probe /proc/[0-9]*/comm | wc -l'
	is "$output" 3
}

@test "KILL takes all processes along" {
	run_detached "$ID" orphans 5 stay
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	is "$(check_processes)" ''
}

@test "--all and -a are accepted" {
	start_trap 2
	berth kill --all "$ID" HUP
	wait_for 5 grep -q 'signal 1$' "$CONTAINER_OUT"
	berth kill -a "$ID" USR1
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
}

@test "--all reaches every process of the container, also in cgroups below" {
	requires cgroup2
	start_trap 2
	berth exec -d "$ID" /bin/probe trap 1 10
	local other=$OUT
	wait_for 10 grep -q ready "$other"
	mkdir "$(cgroup_of "$PID")/below"
	berth ps --format json "$ID"
	value '.[1]' >"$(cgroup_of "$PID")/below/cgroup.procs"
	berth kill --all "$ID" USR1
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
	wait_for 5 grep -q 'signal 10' "$other"
	is "$(grep -c 'signal 10' "$CONTAINER_OUT")" 1
}

@test "--all of a container that is stopped or has no cgroup" {
	config_args /bin/true
	berth create "$ID"
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth kill --all "$ID" TERM
	berth kill --all "$ID" KILL
	berth delete "$ID"
	config_args /bin/probe trap 1 10
	berth --cgroup-manager disabled run -d "$ID"
	wait_for 10 grep -q ready "$OUT"
	CONTAINER_OUT=$OUT
	berth kill --all "$ID" USR1
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
}

@test "--all KILL without a pid namespace of its own ends all processes" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_detached "$ID" orphans 3 stay
	berth kill --all "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	nothing_left
}

@test "no id, too many arguments" {
	berth_exits 1 kill
	berth_exits 1 kill "$ID" TERM more
}

@test "a reused pid is not taken for the container" {
	run_detached "$ID" sleep
	[[ $(status_of "$ID") == running ]]
	kill -KILL "$PID"
	wait_for 5 status_is "$ID" stopped
	berth_fails 'container not running' kill "$ID" KILL
}
