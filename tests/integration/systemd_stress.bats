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
	while [[ -e $T/loop ]]; do
		"$@" </dev/null >/dev/null 2>&1 3>&- 4>&- && echo >>"$T/loops"
	done &
	AGAIN=$!
	BACKGROUND+=("$AGAIN")
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

@test "many scopes of an ordinary user at once beside daemon-reload" {
	requires user-manager
	local n pids=() failed=0

	rm -rf "$BUNDLE/rootfs"
	cp -a "$SUITE/rootfs" "$BUNDLE/rootfs"
	config '.linux.uidMappings = [{containerID: 0, hostID: 4444, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 4444, size: 1}] |
		.linux.namespaces += [{type: "user"}] | del(.mounts[].options[]? | select(. == "gid=5"))'
	config_args /bin/true
	chown -Rh tester:tester "$BUNDLE"
	chown tester:tester "$T" "$STATE"
	again as_tester systemctl --user daemon-reload
	for ((n = 0; n < ${STRESS_SCOPES:-100} / 4; n++)); do
		as_tester "$RUNTIME" --root "$STATE" --systemd-cgroup run "$ID-$n" </dev/null \
			>"$T/out.$n" 2>&1 3>&- 4>&- &
		pids+=("$!")
		BACKGROUND+=("$!")
	done
	for n in "${pids[@]}"; do
		wait "$n" || failed=$((failed + 1))
	done
	is "$failed" 0 "failures ($(cat "$T"/out.* | head -c 600))"
	no_more 'the daemon-reload of his'
	nothing_left
	is "$(as_tester systemctl --user list-units --all --plain --no-legend "berth-$ID*")" ''
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
