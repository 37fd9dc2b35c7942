#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman drives the runtime, and both ask systemd for cgroups; as root or as an ordinary user.

load podman
load systemd

# limited NAME [OPTION...]: one that waits, with limits. Sets unit and dir, its scope and cgroup.
limited() {
	local name=$1
	shift
	sleeper "$name" --memory 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 2048 \
		--pids-limit 50 "$@"
	scope_of "$name"
}

scope_of() {
	state .State.Pid "$1"
	find_scope "$output"
}

@test "the container is a scope, and systemd and the kernel know its limits" {
	limited c
	state .Id c
	[[ $unit == "libpod-$output.scope" ]] || fail "another unit: $unit"
	unit_has "$unit" ActiveState=active Delegate=yes MemoryMax=67108864 MemoryLow=33554432 \
		TasksMax=50 CPUQuotaPerSecUSec=500ms
	files_have "$dir" memory.max=67108864 memory.low=33554432 pids.max=50 'cpu.max=50000 100000'
	[[ $(property CPUWeight "$unit") == "$(<"$dir/cpu.weight")" ]] || fail 'different weights'
	pod rm --force --time 0 c
	no_unit 'libpod-*'
}

@test "the slice is podman's, unless another is asked for" {
	sleeper c
	scope_of c
	if rootless; then
		unit_has "$unit" Slice=user.slice
	else
		unit_has "$unit" Slice=machine.slice
	fi
	sleeper d --cgroup-parent engines.slice
	scope_of d
	unit_has "$unit" Slice=engines.slice
	pod rm --all --force --time 0
	"${MANAGER[@]}" stop engines.slice
}

@test "update changes limits of what runs, for systemd too" {
	limited c
	pod update --memory 128m --cpus 2 c
	files_have "$dir" memory.max=134217728 'cpu.max=200000 100000' pids.max=50
	unit_has "$unit" MemoryMax=134217728 CPUQuotaPerSecUSec=2s TasksMax=50
}

@test "a reload of systemd changes no limit and takes no device away" {
	limited c --device /dev/fuse
	pod update --memory 128m c
	"${MANAGER[@]}" daemon-reload
	files_have "$dir" memory.max=134217728 memory.low=33554432 pids.max=50 'cpu.max=50000 100000'
	pod exec c sh -c 'true <>/dev/fuse && echo x >/dev/null && echo open'
	is open
}

@test "stats agree with the kernel" {
	local pids cpu memory
	detached c --memory 64m box \
		sh -c 'text=$(head -c 8000000 /dev/zero | tr "\0" x); echo ready; sleep 1000'
	scope_of c
	# Of memory podman counts what no file is behind.
	pod stats --no-stream --format '{{.PIDs}} {{.CPUNano}} {{.MemUsageBytes}}' c
	read -r pids cpu memory <<<"$output"
	[[ $pids == "$(<"$dir/pids.current")" ]] || fail 'another number of processes'
	near "$cpu" "$(($(sed -n 's/^usage_usec //p' "$dir/cpu.stat") * 1000))" 10
	near "$(numfmt --from=auto --suffix=B "${memory%% *}" | tr -d B)" \
		"$(sed -n 's/^anon //p' "$dir/memory.stat")" 10
	[[ $memory == *'/ 64MiB' ]] || fail 'another limit'
}

@test "memory runs out: the container is killed, and nothing is left" {
	exits 137 run --name c --network none --memory 16m --memory-swap 16m box \
		sh -c 'exec tail /dev/zero'
	pod rm c
	no_unit 'libpod-*'
}

@test "exec ends up in the container's cgroup" {
	limited c
	pod exec c sh -c 'cat /proc/self/cgroup /proc/1/cgroup'
	[[ $(sort -u <<<"$output" | wc -l) == 1 ]] || fail 'another cgroup'
	pod exec -d c sleep 1000
	pod rm --force --time 0 c
	no_unit 'libpod-*'
}

@test "pause and unpause" {
	limited c
	pod pause c
	grep -rq 'frozen 1' "$dir" --include=cgroup.events
	pod unpause c
	state .State.Status c
	is running
}

@test "stop, start: a new scope each time" {
	limited c
	pod stop --time 5 c
	no_unit "$unit"
	pod start c
	scope_of c
	unit_has "$unit" ActiveState=active MemoryMax=67108864
}

@test "a program that is not there leaves no unit" {
	exits 127 run --rm --network none --memory 64m box no-such-program
	no_unit 'libpod-*'
}

@test "a pod has a slice of its own" {
	pod pod create --name p --network none
	pod run -d --pod p --name c --memory 64m box sleep 1000
	scope_of c
	[[ $(property Slice "$unit") == *libpod_pod_*.slice ]] || fail "$(property Slice "$unit")"
	pod pod rm --force --time 0 p
	no_unit 'libpod-*'
}

@test "ten at once" {
	local i
	for i in 0 1 2 3 4 5 6 7 8 9; do
		podman --runtime "$RUNTIME" run --rm --network none --memory 64m box echo "$i" \
			>"$D/$i" 2>"$D/$i.err" 3>&- 4>&- &
	done
	wait
	for i in 0 1 2 3 4 5 6 7 8 9; do
		[[ $(<"$D/$i") == "$i" ]] || fail "$(<"$D/$i.err")"
	done
	no_unit 'libpod-*'
}
