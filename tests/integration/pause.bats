#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pause and resume, and what a paused container cannot do.

load helpers


frozen() {
	grep -q '^frozen 1' "$(cgroup_of "$PID")/cgroup.events"
}

@test "a paused container stands still, and goes on when it is resumed" {
	requires cgroup2
	run_detached "$ID" trap 2 10 12
	berth pause "$ID"
	frozen
	status_is "$ID" paused
	kill -USR1 "$PID"
	# The kernel lets nothing run there: the signal stays pending.
	grep -q '^SigPnd:.*2\|^ShdPnd:.*2' "/proc/$PID/status"
	is "$(<"$CONTAINER_OUT")" ready
	berth resume "$ID"
	status_is "$ID" running
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
}

@test "processes that exec added and cgroups below are paused too" {
	requires cgroup2
	run_detached "$ID" sleep
	berth exec -d "$ID" /bin/probe sleep
	wait_for 10 grep -q ready "$OUT"
	mkdir "$(cgroup_of "$PID")/below"
	berth ps -f json "$ID"
	value '.[1]' >"$(cgroup_of "$PID")/below/cgroup.procs"
	berth pause "$ID"
	grep -q '^frozen 1' "$(cgroup_of "$PID")/below/cgroup.events"
	berth resume "$ID"
}

@test "a created container can be paused, cannot be started then, and starts when resumed" {
	requires cgroup2
	config_args /bin/probe sleep
	berth create "$ID"
	berth pause "$ID"
	status_is "$ID" paused
	berth_fails 'cannot start a container in the paused state' start "$ID"
	berth resume "$ID"
	status_is "$ID" created
	berth start "$ID"
	status_is "$ID" running
}

@test "pausing twice, resuming what is not paused, stopped and unknown containers" {
	requires cgroup2
	run_detached "$ID" sleep
	berth_fails 'container not paused' resume "$ID"
	berth pause "$ID"
	berth_fails 'container paused' pause "$ID"
	berth resume "$ID"
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth_fails 'container not running' pause "$ID"
	berth_fails 'container not paused' resume "$ID"
	berth_fails 'does not exist' pause "$ID-unknown"
	berth_fails 'does not exist' resume "$ID-unknown"
}

@test "exec into a paused container is refused, or waits with --ignore-paused" {
	requires cgroup2
	run_detached "$ID" sleep
	berth pause "$ID"
	berth_exits 255 exec "$ID" /bin/true
	one_line_error 'cannot exec in a paused container'
	berth_background exec --ignore-paused "$ID" /bin/probe exit 7
	wait_for 5 has_newcomer
	berth resume "$ID"
	status=0
	wait "$BG_PID" || status=$?
	is "$status" 7
}

has_newcomer() {
	[[ $(wc -l <"$(cgroup_of "$PID")/cgroup.procs") == 2 ]]
}

is_alone() {
	[[ $(<"$(cgroup_of "$PID")/cgroup.procs") == "$PID" ]]
}

# Without its parent the process could not even notice that: it is frozen.
@test "TERM and INT end an exec that waits in a paused container, and its process" {
	requires cgroup2
	local signal option

	run_detached "$ID" sleep
	berth pause "$ID"
	for option in --no-new-privs --detach --tty; do
		for signal in TERM INT; do
			berth_background exec --ignore-paused "$option" --pid-file "$T/pid" "$ID" /bin/true
			wait_for 5 has_newcomer
			kill "-$signal" "$BG_PID"
			wait_for 5 eval "! kill -0 $BG_PID"
			status=0
			wait "$BG_PID" || status=$?
			is "$status" 255
			is "$(<"$ERR")" 'berth: interrupted by a signal'
			is_alone
			[[ ! -e $T/pid ]]
		done
	done
	frozen
	berth resume "$ID"
	berth exec "$ID" /bin/true
	is_alone
}

@test "delete wants a paused container stopped, and --force ends it" {
	requires cgroup2
	run_detached "$ID" sleep
	berth pause "$ID"
	berth_fails "cannot delete container $ID that is not stopped: paused" delete "$ID"
	frozen
	berth delete --force "$ID"
	nothing_left
}

@test "KILL ends a paused container" {
	requires cgroup2
	run_detached "$ID" sleep
	berth pause "$ID"
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
}

@test "--all to a paused container leaves it paused" {
	requires cgroup2
	run_detached "$ID" trap 1 10
	berth pause "$ID"
	berth kill --all "$ID" USR1
	frozen
	status_is "$ID" paused
	berth resume "$ID"
	wait_for 5 grep -q 'signal 10' "$CONTAINER_OUT"
}

@test "a container without a cgroup cannot be paused" {
	config_args /bin/probe sleep
	berth --cgroup-manager disabled run -d "$ID"
	berth_fails 'has no cgroup' pause "$ID"
}
