# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the cases with containerd share: a daemon for the file, and its client ctr.

# shellcheck source=tests/engines/helpers.bash
source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

CTR=(ctr --address "$LAB/containerd.sock" --namespace engines)

# ctr_ok WORD...: must succeed. Sets status, output and stderr.
ctr_ok() {
	call "${CTR[@]}" "$@"
	((status == 0)) || fail "ctr $*"
}

# exits STATUS WORD...: ctr must end with the status.
exits() {
	local expected=$1
	shift
	call "${CTR[@]}" "$@"
	((status == expected)) || fail "ctr $*: status $status, not $expected"
}

# What `ctr run` gets in every case. Shares would need a controller.
RUN=(run --runc-binary "$RUNTIME_PATH" --cpu-shares 0)
IMAGE=localhost/box:latest

runs() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	ctr_ok "${RUN[@]}" --rm "${options[@]}" "$IMAGE" c "$@"
}

# detached [OPTION...] -- PROGRAM...: a container c that writes to the file $D/log.
detached() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	ctr_ok "${RUN[@]}" --detach --log-uri "file://$D/log" "${options[@]}" "$IMAGE" c "$@"
}

# sleeper [OPTION...]: one that waits, and ends at once when it is asked to.
sleeper() {
	detached "$@" -- sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done'
	eventually grep -q ready "$D/log"
}

is_status() {
	[[ $("${CTR[@]}" task ls | awk '$1 == "c" { print $3 }') == "$1" ]]
}

pid_of() {
	"${CTR[@]}" task ls | awk '$1 == "c" { print $2 }'
}

setup_file() {
	chmod 755 "$BATS_RUN_TMPDIR"
	mkdir -p "$LAB/containerd" /run/containerd/s
	cat >"$LAB/containerd.toml" <<-END
		version = 2
		root = "$LAB/containerd/root"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.aufs"]
		[grpc]
		address = "$LAB/containerd.sock"
	END
	containerd --config "$LAB/containerd.toml" >"$LAB/containerd.log" 2>&1 3>&- 4>&- &
	echo $! >"$LAB/containerd.pid"
	eventually "${CTR[@]}" version >/dev/null 2>&1
	"${CTR[@]}" image import "$LAB/image/oci.tar"
	"${CTR[@]}" run --runc-binary "$RUNC" --cpu-shares 0 --rm "$IMAGE" warm true
}

teardown_file() {
	kill "$(<"$LAB/containerd.pid")"
}

setup() {
	D=$BATS_TEST_TMPDIR
	remember_things
}

teardown() {
	local id
	for id in $("${CTR[@]}" container ls -q); do
		"${CTR[@]}" task delete --force "$id" >/dev/null 2>&1 || true
		"${CTR[@]}" container delete "$id" || fail "container delete $id"
	done
	check_things
}
