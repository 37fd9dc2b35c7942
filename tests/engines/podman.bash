# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the cases with podman share, for root and for an ordinary user.

# shellcheck source=tests/engines/helpers.bash
source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

# pod WORD...: podman with the runtime; must succeed. Sets status, output and stderr.
pod() {
	call podman --runtime "$RUNTIME" "$@"
	((status == 0)) || fail "podman $*"
}

# exits STATUS WORD...: podman must end with the status.
exits() {
	local expected=$1
	shift
	call podman --runtime "$RUNTIME" "$@"
	((status == expected)) || fail "podman $*: status $status, not $expected"
}

# runs WORD...: a container in the foreground, removed at its end, and without a network, which is
# quicker, unless the case sets NET.
runs() {
	pod run --rm --network "${NET:-none}" "$@"
}

# detached NAME WORD...: a container in the background that says when it is ready, by `echo ready`.
detached() {
	local name=$1
	shift
	pod run -d --name "$name" --network "${NET:-none}" "$@"
	eventually logged "$name" ready
}

# sleeper NAME [OPTION...]: one that only waits, and ends at once when it is asked to.
sleeper() {
	local name=$1
	shift
	detached "$name" "$@" box sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done'
}

logged() {
	call podman logs "$1"
	[[ $output$stderr == *"$2"* ]]
}

# state FORMAT NAME: one field of podman inspect.
state() {
	pod inspect --format "{{$1}}" "$2"
}

is_state() {
	call podman inspect --format "{{$1}}" "$2"
	[[ $output == "$3" ]]
}

rootless() {
	((EUID != 0))
}

needs_root() {
	((EUID == 0)) || skip "$1"
}

# All that podman can give: in its user namespace that is more than its user has.
all_capabilities() {
	if rootless; then
		podman unshare grep CapBnd /proc/self/status | cut -f 2
	else
		grep CapBnd /proc/self/status | cut -f 2
	fi
}

setup_file() {
	chmod 755 "$BATS_RUN_TMPDIR"
	# Once: the image, and what podman keeps for ever, as its parent cgroup.
	podman image exists box || podman load -q -i "$LAB/image/oci.tar"
	podman --runtime runc run --rm --network none box true
}

setup() {
	remember_things
	D=$BATS_TEST_TMPDIR
}

# All is removed by the engine, which asks the runtime for it.
teardown() {
	pod rm --all --force --time 0
	pod pod rm --all --force
	pod volume prune --force
	check_things
}
