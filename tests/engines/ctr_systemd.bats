#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containerd's client drives the runtime through containerd's shim, and systemd makes the cgroups.

load ctr
load systemd

RUN+=(--runc-systemd-cgroup --cgroup system.slice:ctr:c)
LIMITS=(--memory-limit 67108864 --cpus 0.5)

# limited [OPTION...]: one that waits, with limits. Sets unit and dir, its scope and cgroup.
limited() {
	sleeper "${LIMITS[@]}" "$@"
	find_scope "$(pid_of)"
}

# change JSON: the resources of the task, by containerd's API, since ctr has no command for that. The
# message is UpdateTaskRequest{1: container, 2: Any{1: type, 2: value}}.
change() {
	python3 - "$1" >"$D/request" <<-'END'
		import sys
		field = lambda number, value: \
			bytes([number << 3 | 2, len(value) % 128 | 128, len(value) // 128]) + value
		kind = b"types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
		message = field(1, b"c") + field(2, field(1, kind) + field(2, sys.argv[1].encode()))
		sys.stdout.buffer.write(b"\0" + len(message).to_bytes(4, "big") + message)
	END
	call curl -sS --http2-prior-knowledge --unix-socket "$LAB/containerd.sock" \
		--dump-header "$D/answer" --data-binary "@$D/request" -H 'content-type: application/grpc' \
		-H 'te: trailers' -H 'containerd-namespace: engines' \
		http://localhost/containerd.services.tasks.v1.Tasks/Update
	grep -qi '^grpc-status: 0' "$D/answer" || fail "$(<"$D/answer")"
}

# metric NAME: of the task, from ctr's table.
metric() {
	awk -v name="$1" '$1 == name { print $2 }' <<<"$output"
}

@test "the container is a scope, and systemd and the kernel know its limits" {
	limited
	[[ $unit == ctr-c.scope ]] || fail "another unit: $unit"
	unit_has "$unit" ActiveState=active Delegate=yes Slice=system.slice MemoryMax=67108864 \
		CPUQuotaPerSecUSec=500ms
	files_have "$dir" memory.max=67108864 'cpu.max=50000 100000'
	ctr_ok task delete --force c
	no_unit 'ctr-*'
}

@test "a change of limits of what runs, for systemd too" {
	limited
	change '{"memory":{"limit":134217728,"swap":134217728},"cpu":{"quota":200000,"period":100000},"pids":{"limit":40}}'
	files_have "$dir" memory.max=134217728 'cpu.max=200000 100000' pids.max=40
	unit_has "$unit" MemoryMax=134217728 CPUQuotaPerSecUSec=2s TasksMax=40
}

@test "a reload of systemd changes no limit and takes no device away" {
	limited --device /dev/fuse
	change '{"pids":{"limit":40}}'
	systemctl daemon-reload
	files_have "$dir" memory.max=67108864 'cpu.max=50000 100000' pids.max=40
	ctr_ok task exec --exec-id e c sh -c 'true <>/dev/fuse && echo x >/dev/null && echo open'
	is open
}

@test "metrics agree with the kernel" {
	limited
	ctr_ok task metrics c
	[[ $(metric pids.current) == "$(<"$dir/pids.current")" ]]
	near "$(metric memory.usage)" "$(<"$dir/memory.current")" 50
	[[ $(metric memory.usage_limit) == 67108864 ]]
	near "$(metric cpu.usage_usec)" "$(sed -n 's/^usage_usec //p' "$dir/cpu.stat")" 20
}

@test "exec, pause, resume" {
	limited
	ctr_ok task exec --exec-id e c cat /proc/self/cgroup
	has '0::/'
	ctr_ok task pause c
	is_status PAUSED
	grep -rq 'frozen 1' "$dir" --include=cgroup.events
	ctr_ok task resume c
	is_status RUNNING
}

@test "a program that is not there leaves no unit" {
	exits 1 "${RUN[@]}" --rm "$IMAGE" c no-such-program
	says no-such-program
	no_unit 'ctr-*'
}

@test "without a place that systemd knows: an error that names it" {
	exits 1 run --runc-binary "$RUNTIME_PATH" --cpu-shares 0 --runc-systemd-cgroup --cgroup /a/b --rm \
		"$IMAGE" c true
	[[ $stderr == *cgroupsPath* || $stderr == *cgroup*path* ]] || fail 'not named'
	no_unit 'ctr-*'
}
