#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers of systemd's at once, beside a systemd that reloads itself, and creators that are
# killed. STRESS_SCOPES is how many (100), STRESS_KILLS how many creators (20).

load helpers

eval "$(declare -f setup teardown | sed 's/^\(setup\|teardown\) ()/\1_test ()/')"

setup() {
	setup_test
	requires systemd
}

teardown() {
	rm -f "$T/loop"
	teardown_test
}

# again COMMAND...: in the background, until no_more.
again() {
	: >"$T/loop"
	: >"$T/loops"
	# shellcheck disable=SC2016 # the inner shell's
	background bash -c 'while [[ -e $0/loop ]]; do "$@" && echo >>"$0/loops"; done' "$T" "$@"
	AGAIN=$BG_PID
}

# Ends it; it must have done its work at least once.
no_more() {
	rm "$T/loop"
	wait "$AGAIN"
	[[ -s $T/loops ]] || fail 'there was nothing beside them'
	echo "# $(wc -l <"$T/loops") times: $1" >&3
}

# No scope of the test, failed ones included. An empty one is collected soon.
no_scope() {
	local units

	units=$(timeout 60 systemctl list-units --all --plain --no-legend "berth-$ID*") || return
	[[ -z $units ]]
}

all_at_once() {
	local n pids=() failed=0

	for ((n = 0; n < ${STRESS_SCOPES:-100}; n++)); do
		berth_background --systemd-cgroup run "$ID-$n"
		pids+=("$BG_PID")
	done
	for n in "${pids[@]}"; do
		wait "$n" || failed=$((failed + 1))
	done
	is "$failed" 0 "failures ($(cat "$T"/err.* | head -c 600))"
}

all_gone() {
	nothing_left
	wait_for 10 no_scope
	is "$("$RUNTIME" --root "$STATE" list -q)" ''
}

@test "many scopes at once end, and leave none" {
	config_args /bin/true
	all_at_once
	all_gone
}

@test "many scopes at once beside daemon-reload" {
	config_args /bin/true
	again systemctl daemon-reload
	all_at_once
	no_more daemon-reload
	all_gone
}

@test "many scopes at once beside daemon-reexec" {
	config_args /bin/true
	again systemctl daemon-reexec
	all_at_once
	no_more daemon-reexec
	all_gone
}

@test "a creator that is killed at any moment leaves nothing that delete --force does not find" {
	local n

	config_args /bin/probe sleep
	for ((n = 0; n < ${STRESS_KILLS:-20}; n++)); do
		berth_background --systemd-cgroup create "$ID"
		# Later each time: before systemd is asked, while it is, and after that.
		sleep "0.$(printf %03d $((n * 15)))"
		kill -KILL "$BG_PID" 2>/dev/null || true
		wait "$BG_PID" || true
		BACKGROUND=()
		berth delete --force "$ID"
		wait_for 10 no_scope
		nothing_left
	done
}
