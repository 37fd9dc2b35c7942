#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a container of systemd's has is the same after systemd has reloaded itself, and what becomes
# of containers when systemd does not answer.

load helpers

scope_property() {
	systemctl show --property "$1" --value "berth-$ID.scope"
}

# The files of the container's cgroup that limit it, and what systemd knows of that; the order of
# devices is another one after a reload.
limits_of() {
	grep -r . "$CGROUP"/{cpu,memory,pids,io}.{max,min,low,high,weight,swap.max} 2>/dev/null || true
	systemctl show "berth-$ID.scope" | grep -E '^(Memory(Max|Low|High|SwapMax)|Tasks(Max)|CPU|Device|Slice)' |
		grep -v '^CPUUsage' | sort
}

# What opening a node in the running container gives: MAJOR MINOR r|w|rw
opened() {
	berth exec "$ID" /bin/sh -c \
		"/bin/probe mknod /dev/node-$1-$2 c $1 $2 $3; rm -f /dev/node-$1-$2"
	printf '%s' "$output"
}

@test "limits, devices and figures are the same after daemon-reload" {
	requires systemd controller=memory controller=pids controller=cpu
	local before

	config '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"]) |
		.linux.resources.memory = {limit: 67108864, reservation: 33554432} |
		.linux.resources.pids = {limit: 77} |
		.linux.resources.cpu = {shares: 512, quota: 50000, period: 100000} |
		.linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d --pid-file "$T/pid" "$ID"
	CGROUP=$(cgroup_of "$(<"$T/pid")")
	is "$(<"$CGROUP/memory.max")" 67108864
	is "$(<"$CGROUP/pids.max")" 77
	is "$(<"$CGROUP/cpu.max")" '50000 100000'
	before=$(limits_of)
	is "$(opened 10 229 rw)" OK fuse
	is "$(opened 1 3 rw)" OK null
	is "$(opened 10 200 rw)" EPERM tun

	systemctl daemon-reload
	is "$(limits_of)" "$before"
	is "$(opened 10 229 rw)" OK fuse
	is "$(opened 1 3 rw)" OK null
	is "$(opened 10 200 rw)" EPERM tun
	berth events --stats "$ID"
	json '.data.memory.usage.limit == 67108864 and .data.pids.limit == 77'

	# What is changed later is kept, too.
	berth update --memory 50331648 --pids-limit 55 "$ID"
	systemctl daemon-reload
	is "$(<"$CGROUP/memory.max")" 50331648
	is "$(<"$CGROUP/pids.max")" 55
	is "$(scope_property MemoryMax)" 50331648
	is "$(scope_property TasksMax)" 55
	berth delete --force "$ID"
	nothing_left
}

@test "containers live on while systemd executes itself anew" {
	requires systemd
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d --pid-file "$T/pid" "$ID"
	systemctl daemon-reexec
	is "$(scope_property ActiveState)" active
	berth exec "$ID" /bin/true
	systemctl daemon-reexec
	berth delete --force "$ID"
	is "$(scope_property ActiveState)" inactive
	nothing_left
}

# Commands find no systemd.
without_systemd() {
	# shellcheck disable=SC2016 # the inner shell's
	WRAP=(unshare -m sh -c 'for dir in /run/systemd /run/dbus; do
			[ ! -d $dir ] || mount -t tmpfs none $dir || exit 99
		done; exec "$@"' sh)
}

@test "no systemd: an error says what does without it, at once" {
	requires cgroup2
	local begin=$SECONDS

	without_systemd
	config_args /bin/true
	berth_fails 'systemd does not answer at unix:path=/run/systemd/private: connect: No such file' \
		--systemd-cgroup run "$ID"
	contains "$stderr" "ask systemd to start \"berth-$ID.scope\""
	contains "$stderr" '; --cgroup-manager cgroupfs does without it'
	((SECONDS - begin < 5)) || fail "it took $((SECONDS - begin)) s"
	nothing_left
}

@test "a container is deleted where systemd has gone" {
	requires systemd
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d "$ID"
	without_systemd
	berth --log-level warning delete --force "$ID"
	contains "$stderr" 'its cgroup is removed without systemd'
	nothing_left
	is "$(scope_property ActiveState)" inactive
}

@test "a helper that says nothing is killed after its time" {
	requires cgroup2
	local bin=$T/bin begin=$SECONDS

	mkdir "$bin"
	cp "$RUNTIME" "$bin/berth"
	printf '#!/bin/sh\nexec sleep 1000\n' >"$bin/berth-systemd"
	chmod 755 "$bin/berth-systemd"
	config_args /bin/true
	RUNTIME=$bin/berth BERTH_TIMEOUT=60 berth_fails '/bin/berth-systemd"' --systemd-cgroup run "$ID"
	contains "$stderr" 'has not answered within 35 s and was killed'
	((SECONDS - begin >= 30)) || fail "it took $((SECONDS - begin)) s"
	nothing_left
}
