#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-net as the CNI plugin of real engines, with the configuration that contrib/cni has.

load helpers

# The engine has a world of its own; the test needs no host.
setup() {
	requires_net
	T=$BATS_TEST_TMPDIR
}

teardown() {
	:
}

# engine PROGRAM SCRIPT: runs lab/SCRIPT in the world of tests/engines.
engine() {
	command -v "$1" >/dev/null || skip "needs $1"
	command -v runc >/dev/null || skip "needs runc"
	BERTH=$BERTH timeout -k 5 180 "$PROJECT_DIR/tests/engines/lab.sh" "$NET_TESTS_DIR/lab/$2" \
		"$BERTH_NET" "$PROJECT_DIR/contrib/cni/10-berth.conflist" \
		</dev/null >"$T/engine" 2>&1 3>&- 4>&- 5>&- ||
		fail "$2: status $?: $(tail -n 20 "$T/engine")"
	is "$(tail -n 1 "$T/engine")" "done"
}

@test "podman with its CNI backend" {
	engine podman podman-cni
}

@test "containerd's ctr" {
	engine containerd ctr-cni
}
