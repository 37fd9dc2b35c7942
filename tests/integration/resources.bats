#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.resources: for each resource, what the file says and what a program feels.

load helpers

eval "$(declare -f teardown | sed 's/^teardown ()/teardown_test ()/')"
LOOPS=()

# cpu_stat DIR KEY
cpu_stat() {
	sed -n "s/^$2 //p" "$1/cpu.stat"
}

# $1 is within $3 percent of $2.
about() {
	((100 * $1 >= (100 - $3) * $2 && 100 * $1 <= (100 + $3) * $2)) ||
		fail "${4:-value}: $1 is not within $3 % of $2"
}

# Runs a shell script detached; sets DIR to its cgroup.
run_busy() {
	local id=$1

	config_args /bin/sh -c "$2"
	berth run -d --pid-file "$T/$id.pid" "$id"
	DIR=$(cgroup_of "$(<"$T/$id.pid")")
}

# A block device of the machine's own: a file in memory. Sets DEVICE to its path, MAJOR and MINOR.
make_block_device() {
	local numbers

	requires machine
	modprobe loop 2>/dev/null || true
	truncate -s 64M "$T/disk"
	DEVICE=$(losetup --find --show --direct-io=off "$T/disk") || skip 'needs a loop device'
	LOOPS+=("$DEVICE")
	numbers=$(<"/sys/block/${DEVICE##*/}/dev")
	MAJOR=${numbers%:*} MINOR=${numbers#*:}
}

# Lets the container have the block device, as /dev/disk.
config_block_device() {
	# shellcheck disable=SC2016 # jq variables
	config '.linux.devices = [{path: "/dev/disk", type: "b", major: $a, minor: $b}]
		| .linux.resources.devices += [{allow: true, type: "b", major: $a, minor: $b}]' \
		--argjson a "$MAJOR" --argjson b "$MINOR"
}

teardown() {
	local device status=0

	teardown_test || status=1
	for device in "${LOOPS[@]}"; do
		losetup --detach "$device"
	done
	return "$status"
}

@test "memory: a container above its limit is killed, one below it lives" {
	requires controller=memory
	config '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
	run_detached "$ID" memory 8000000
	is "$(<"$(cgroup_of "$PID")/memory.max")" 16777216
	berth delete --force "$ID"
	config_args /bin/probe memory 32000000
	berth_exits 137 run "$ID"
}

@test "memory: unlimited memory means unlimited swap" {
	requires controller=memory
	config '.linux.resources.memory = {limit: -1}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/memory.swap.max")" max
}

@test "cpu: the time is within 10 percent of the quota" {
	requires controller=cpu
	config '.linux.resources.cpu = {quota: 20000, period: 100000}'
	run_busy "$ID" 'while :; do :; done'
	is "$(<"$DIR/cpu.max")" '20000 100000'
	periods_passed() {
		(($(cpu_stat "$DIR" nr_periods) >= 25))
	}
	wait_for 25 periods_passed
	about "$(cpu_stat "$DIR" usage_usec)" $((20000 * $(cpu_stat "$DIR" nr_periods))) 10 'cpu time'
}

@test "cpu: of two on one processor, each gets what its shares weigh" {
	requires controller=cpu command=taskset
	local first second

	# Weights 100 and 303.
	config '.linux.resources.cpu = {shares: 1024}'
	# A cpuset overrules the affinity.
	! has_controller cpuset || config '.linux.resources.cpu.cpus = "0"'
	config_args /bin/sh -c 'while :; do :; done'
	taskset -c 0 "$RUNTIME" --root "$STATE" run -d --pid-file "$T/1.pid" "$ID-1" >/dev/null
	config '.linux.resources.cpu.shares = 4096'
	taskset -c 0 "$RUNTIME" --root "$STATE" run -d --pid-file "$T/2.pid" "$ID-2" >/dev/null
	first=$(cgroup_of "$(<"$T/1.pid")") second=$(cgroup_of "$(<"$T/2.pid")")
	is "$(<"$first/cpu.weight")" 100
	is "$(<"$second/cpu.weight")" 303
	local before_first before_second
	before_first=$(cpu_stat "$first" usage_usec)
	before_second=$(cpu_stat "$second" usage_usec)
	worked() {
		(($(cpu_stat "$first" usage_usec) > before_first + 700000))
	}
	wait_for 25 worked
	about $(($(cpu_stat "$second" usage_usec) - before_second)) \
		$((3 * ($(cpu_stat "$first" usage_usec) - before_first))) 30 'the share of the second'
	berth delete --force "$ID-1"
	berth delete --force "$ID-2"
}

@test "cpu: idle, which takes no weight" {
	requires controller=cpu
	config '.linux.resources.cpu = {idle: 1, shares: 2048}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/cpu.idle")" 1
}

@test "pids 0: the container's first process is its only one" {
	requires controller=pids
	config '.linux.resources.pids = {limit: 0}'
	config_args /bin/sh -c 'cat /dev/null && echo forked'
	berth_call run "$ID"
	lacks "$output" forked
	contains "$output$stderr" fork
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/pids.max")" 0
	is "$(<"$(cgroup_of "$PID")/pids.current")" 1
}

@test "pids: exec enters a cgroup that is full, and cannot fork there" {
	requires controller=pids
	config '.linux.resources.pids = {limit: 1}'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/true
	berth_call exec "$ID" /bin/sh -c 'true | true'
	contains "$output$stderr" fork
	# In a pid namespace and a user namespace of another's, a middle process comes before.
	berth exec --user 1000:1000 "$ID" /bin/true
}

@test "block I/O: writing is within 20 percent of the limit" {
	requires controller=io machine
	local before after bytes

	make_block_device
	config_block_device
	config '.linux.resources.blockIO.throttleWriteBpsDevice = [{major: $a, minor: $b, rate: 1048576}]' \
		--argjson a "$MAJOR" --argjson b "$MINOR"
	config_args /bin/sh -c 'dd if=/dev/zero of=/dev/disk bs=64k count=64 oflag=direct 2>&1; uname'
	before=$(date +%s%N)
	berth run "$ID"
	after=$(date +%s%N)
	contains "$output" Linux
	bytes=4194304
	# The kernel lets the first slice pass at once, and the start takes its time.
	about $((bytes * 1000 / ((after - before) / 1000000))) 1048576 20 'bytes in a second'
}

@test "block I/O: a device of unified, a line each" {
	requires controller=io machine
	local first

	make_block_device
	first=$MAJOR:$MINOR
	make_block_device
	config '.linux.resources.unified = {"io.max": $v}' \
		--arg v "$first rbps=1000000"$'\n'"$MAJOR:$MINOR wiops=120"
	run_detached "$ID" sleep
	contains "$(<"$(cgroup_of "$PID")/io.max")" "$first rbps=1000000 wbps=max"
	contains "$(<"$(cgroup_of "$PID")/io.max")" "$MAJOR:$MINOR rbps=max wbps=max riops=max wiops=120"
}

@test "huge pages: what the limit allows is mapped, more is refused" {
	requires controller=hugetlb machine
	local dir

	echo 8 >/proc/sys/vm/nr_hugepages
	(($(</proc/sys/vm/nr_hugepages) >= 4)) || skip 'the machine has no huge pages to spare'
	config '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
	run_detached "$ID" sleep
	dir=$(cgroup_of "$PID")
	is "$(<"$dir/hugetlb.2MB.max")" 4194304
	is "$(<"$dir/hugetlb.2MB.rsvd.max")" 4194304
	berth exec "$ID" /bin/probe hugepages 4194304
	is "$output" mapped
	berth exec "$ID" /bin/probe hugepages 6291456
	is "$output" 'Cannot allocate memory'
	echo 0 >/proc/sys/vm/nr_hugepages
}

@test "huge pages: a size that the kernel does not have" {
	requires controller=hugetlb
	config '.linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 3145728}]'
	berth_fails 'linux.resources.hugepageLimits[0]' create "$ID"
	contains "$stderr" 'hugetlb.3MB.max" does not exist'
	nothing_left
}

@test "rdma: a device that is not there" {
	requires controller=rdma
	config '.linux.resources.rdma = {"no_such_0": {hcaHandles: 3}}'
	berth_fails 'linux.resources.rdma["no_such_0"]: write "no_such_0 hca_handle=3" to "' create "$ID"
	contains "$stderr" 'rdma.max" (controllers of the parent: '
	nothing_left
}

@test "misc: a resource that the machine does not have" {
	requires controller=misc
	config '.linux.resources.unified = {"misc.max": "no_such 1"}'
	berth_fails 'linux.resources.unified["misc.max"]: write "no_such 1" to "' create "$ID"
	nothing_left
}

@test "unified takes the place of the other fields" {
	requires controller=memory controller=pids
	config '.linux.resources += {pids: {limit: 5}, memory: {limit: 1048576},
		unified: {"pids.max": "7", "memory.max": "33554432", "memory.high": "20971520"}}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/pids.max")" 7
	is "$(<"$(cgroup_of "$PID")/memory.max")" 33554432
	is "$(<"$(cgroup_of "$PID")/memory.high")" 20971520
}

@test "what cgroup v2 does not have is refused by its name" {
	local field filter

	while IFS=$'\t' read -r field filter; do
		config ".linux.resources = $filter"
		berth_fails "linux.resources.$field: cgroup v2 has no such limit" create "$ID"
	done <<-END
		network	{network: {classID: 1}}
		memory.kernel	{memory: {kernel: 1048576}}
		memory.kernelTCP	{memory: {kernelTCP: 1048576}}
		memory.swappiness	{memory: {swappiness: 10}}
		memory.disableOOMKiller	{memory: {disableOOMKiller: true}}
		cpu.realtimeRuntime	{cpu: {realtimeRuntime: 1000}}
		cpu.realtimePeriod	{cpu: {realtimePeriod: 1000}}
		blockIO.leafWeight	{blockIO: {leafWeight: 10}}
	END
	nothing_left
}
