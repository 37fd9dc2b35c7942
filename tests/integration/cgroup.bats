#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.cgroupsPath and linux.resources on cgroup v2: place, limits, removal.

load helpers

@test "without a path the container gets a cgroup of its own, named after it" {
	requires cgroup2
	run_detached "$ID" sleep
	contains "$(cgroup_of "$PID")" "$ID"
	is "$(<"$(cgroup_of "$PID")/cgroup.procs")" "$PID"
}

@test "an absolute path starts at the mount of cgroup2" {
	requires cgroup2
	config '.linux.cgroupsPath = $p' --arg p "/$ID-a/b"
	run_detached "$ID" sleep
	is "$(cgroup_of "$PID")" "$CGROUP2/$ID-a/b"
	berth delete --force "$ID"
	[[ ! -e $CGROUP2/$ID-a ]]
}

@test "a relative path: the same place each time, and below the mount" {
	requires cgroup2
	local first

	config '.linux.cgroupsPath = $p' --arg p "$ID-relative"
	run_detached "$ID" sleep
	first=$(cgroup_of "$PID")
	contains "$first" "$ID-relative"
	berth delete --force "$ID"
	run_detached "$ID" sleep
	is "$(cgroup_of "$PID")" "$first"
}

@test "all processes of the container are in the cgroup, exec included" {
	requires cgroup2
	run_detached "$ID" orphans 3 stay
	berth exec -d "$ID" /bin/probe sleep
	is "$(wc -l <"$(cgroup_of "$PID")/cgroup.procs")" 5
}

@test "the runtime itself is not in the cgroup when the payload starts" {
	requires cgroup2
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_probe report --path /sys/fs/cgroup/cgroup.procs
	json '.paths["/sys/fs/cgroup/cgroup.procs"].text == "1\n"'
}

@test "deletion takes sub-cgroups that the container made" {
	requires cgroup2
	local dir

	run_detached "$ID" sleep
	dir=$(cgroup_of "$PID")
	mkdir -p "$dir/sub/sub/sub" "$dir/other"
	berth delete --force "$ID"
	[[ ! -e $dir ]]
}

@test "deletion kills what was moved into a sub-cgroup" {
	requires cgroup2
	local dir

	run_detached "$ID" orphans 2 stay
	dir=$(cgroup_of "$PID")
	mkdir "$dir/sub"
	echo "$PID" >"$dir/sub/cgroup.procs"
	berth delete --force "$ID"
	[[ ! -e $dir ]]
	nothing_left
}

@test "a cgroup that was there before: its processes and siblings are not touched" {
	requires cgroup2
	mkdir -p "$CGROUP2/$ID-parent/neighbour"
	config '.linux.cgroupsPath = $p' --arg p "/$ID-parent/container"
	config_args /bin/true
	berth run "$ID"
	[[ -d $CGROUP2/$ID-parent/neighbour && ! -e $CGROUP2/$ID-parent/container ]]
	rmdir "$CGROUP2/$ID-parent/neighbour" "$CGROUP2/$ID-parent"
}

@test "a cgroup in use by another container is refused" {
	requires cgroup2
	config '.linux.cgroupsPath = $p' --arg p "/$ID-same"
	run_detached "$ID" sleep
	config_args /bin/true
	berth_fails "$ID-same" run "$ID-second"
	contains "$stderr" cgroupsPath
	status_is "$ID" running
}

@test "a path that climbs is refused before anything is done" {
	local path

	for path in "/../$ID-x" "/a/../../$ID-x" "../$ID-x" "/$ID-x/.."; do
		config '.linux.cgroupsPath = $p' --arg p "$path"
		berth_fails linux.cgroupsPath create "$ID"
	done
	nothing_left
}

@test "a parent with processes: the error names them, and says what to do" {
	requires controller=pids
	mkdir "$CGROUP2/$ID-parent"
	background sleep 100
	echo "$BG_PID" >"$CGROUP2/$ID-parent/cgroup.procs"
	config '.linux.cgroupsPath = $p | .linux.resources.pids.limit = 10' --arg p "/$ID-parent/c"
	berth_fails "linux.resources.pids.limit: enable \"+pids\" in cgroup.subtree_control of cgroup \"/$ID-parent\": it has processes of its own (pids $BG_PID)" \
		create "$ID"
	contains "$stderr" 'move them to a cgroup below it'
	[[ ! -e $CGROUP2/$ID-parent/c ]]
	is "$(<"$CGROUP2/$ID-parent/cgroup.subtree_control")" ''
	is "$(<"$CGROUP2/$ID-parent/cgroup.type")" domain
	stop_background
	rmdir "$CGROUP2/$ID-parent"
}

@test "a cgroup that passes controllers on is no place for a container" {
	requires controller=memory
	mkdir -p "$CGROUP2/$ID-there/below"
	echo +memory >"$CGROUP2/$ID-there/cgroup.subtree_control"
	config '.linux.cgroupsPath = $p' --arg p "/$ID-there"
	berth_fails "linux.cgroupsPath: cgroup \"/$ID-there\" takes no process: it passes controllers on to the cgroups below it (cgroup.subtree_control: memory)" \
		create "$ID"
	rmdir "$CGROUP2/$ID-there/below" "$CGROUP2/$ID-there"
}

# Of the test's cgroup the kernel makes what is called "domain threaded".
threaded_cgroups() {
	mkdir -p "$CGROUP2/$ID-parent/threads" "$CGROUP2/$ID-parent/invalid"
	echo threaded >"$CGROUP2/$ID-parent/threads/cgroup.type"
	is "$(<"$CGROUP2/$ID-parent/invalid/cgroup.type")" 'domain invalid'
}

# Nothing is left beside them; they go.
only_threaded_cgroups() {
	is "$(find "$CGROUP2/$ID-parent" -mindepth 2 -type d)" ''
	is "$(<"$CGROUP2/$ID-parent/threads/cgroup.type")" threaded
	rmdir "$CGROUP2/$ID-parent"/*/ "$CGROUP2/$ID-parent"
}

@test "threaded cgroups hold no container: the error says which is one" {
	requires cgroup2
	local where why

	threaded_cgroups
	for where in threads/c invalid/c c; do
		case $where in
		threads/c) why="cgroup \"/$ID-parent/threads\" above it is threaded" ;;
		*) why="cgroup \"/$ID-parent\" above it has threaded cgroups below it" ;;
		esac
		config '.linux.cgroupsPath = $p' --arg p "/$ID-parent/$where"
		berth_fails "linux.cgroupsPath: cgroup \"/$ID-parent/$where\" takes no process: $why" \
			create "$ID"
	done
	only_threaded_cgroups
}

@test "threaded cgroups pass on no memory: the error says which is one" {
	requires controller=memory
	mkdir "$CGROUP2/$ID-threaded"
	echo threaded >"$CGROUP2/$ID-threaded/cgroup.type"
	config '.linux.cgroupsPath = $p | .linux.resources.memory.limit = 100000000' \
		--arg p "/$ID-threaded/c"
	berth_fails "linux.resources.memory.limit: the \"memory\" controller is not available in cgroup \"/$ID-threaded\"" \
		create "$ID"
	contains "$stderr" 'which is a threaded one (cgroup.type)'
	rmdir "$CGROUP2/$ID-threaded"
	threaded_cgroups
	config '.linux.cgroupsPath = $p' --arg p "/$ID-parent/invalid/c"
	berth_fails "linux.resources.memory.limit: enable \"+memory\" in cgroup.subtree_control of cgroup \"/$ID-parent\": cgroup \"/$ID-parent\" has threaded cgroups below it" \
		create "$ID"
	only_threaded_cgroups
}

@test "--cgroup-manager disabled: no cgroup is made" {
	requires cgroup2
	config 'del(.linux.resources) | del(.linux.cgroupsPath)'
	config_args /bin/probe sleep
	berth --cgroup-manager disabled run -d --pid-file "$T/pid" "$ID"
	lacks "$(cgroup_of "$(<"$T/pid")")" "$ID"
	berth --cgroup-manager disabled delete --force "$ID"
	nothing_left
}

@test "--cgroup-manager disabled and no cgroup namespace: the hierarchy is there, read-only as asked" {
	requires cgroup2
	config 'del(.linux.resources) | del(.linux.cgroupsPath)
		| .linux.namespaces |= map(select(.type != "cgroup"))
		| .mounts |= map(select(.type != "cgroup")) + [{destination: "/sys/fs/cgroup",
			type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"]}]'
	config_args /bin/probe report --path /sys/fs/cgroup/cgroup.procs
	berth --cgroup-manager disabled run "$ID"
	mount_has /sys/fs/cgroup '.fstype == "cgroup2" and (.options | index("ro"))'
	json '.paths["/sys/fs/cgroup/cgroup.procs"].write == "EROFS"'
}

@test "--cgroup-manager cgroupfs is the default; another value is an error" {
	config_args /bin/true
	berth --cgroup-manager cgroupfs run "$ID"
	berth_fails nonsense --cgroup-manager nonsense run "$ID"
}

@test "a limit whose controller is not there: the error says so" {
	local controller field

	for controller in memory cpu pids; do
		if has_controller "$controller"; then
			continue
		fi
		case $controller in
		memory) field='{memory: {limit: 100000000}}' ;;
		cpu) field='{cpu: {quota: 50000, period: 100000}}' ;;
		pids) field='{pids: {limit: 10}}' ;;
		esac
		config ".linux.resources = $field"
		berth_fails "linux.resources.$controller" create "$ID"
		contains "$stderr" controller
		contains "$stderr" "$controller"
		nothing_left
	done
}

@test "unified with a controller that is not there: the error says so" {
	local controller

	# The last one is nowhere.
	for controller in memory cpuset hugetlb none; do
		has_controller "$controller" || break
	done
	config '.linux.resources.unified = {($f): "1"}' --arg f "$controller.max"
	berth_fails "linux.resources.unified[\"$controller.max\"]" create "$ID"
	contains "$stderr" "\"$controller\" controller"
	nothing_left
}

@test "unified writes the files of the cgroup itself" {
	requires cgroup2
	config '.linux.resources.unified = {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/cgroup.max.depth")" 3
	is "$(<"$(cgroup_of "$PID")/cgroup.max.descendants")" 7
}

@test "unified names with a slash, dots or nothing are refused" {
	local name

	for name in ../cgroup.max.depth a/b . .. '' /abs; do
		config '.linux.resources.unified = {($n): "1"}' --arg n "$name"
		berth_fails linux.resources.unified create "$ID"
	done
	nothing_left
}

@test "unified: a file that is not there, a value that the kernel refuses" {
	requires cgroup2
	config '.linux.resources.unified = {"cgroup.no_such_file": "1"}'
	berth_fails cgroup.no_such_file create "$ID"
	config '.linux.resources.unified = {"cgroup.max.depth": "banana"}'
	berth_fails cgroup.max.depth create "$ID"
	contains "$stderr" banana
	nothing_left
}

@test "a hugetlb limit by unified where that controller is there" {
	requires controller=hugetlb
	local file

	config '.linux.resources.unified = {"hugetlb.2MB.max": "4194304"}'
	run_detached "$ID" sleep
	file=$(cgroup_of "$PID")/hugetlb.2MB.max
	[[ -e $file ]] || fail 'the controller is not enabled in the cgroup'
	is "$(<"$file")" 4194304
}

@test "fields that ask for nothing are accepted" {
	config '.linux.resources += {network: {}, blockIO: {}, hugepageLimits: [], rdma: {}, unified: {},
		memory: {kernel: 0, kernelTCP: 0, disableOOMKiller: false, useHierarchy: false}, cpu: {},
		pids: {limit: -1}}'
	config_args /bin/true
	berth_call run "$ID"
	((status == 0)) || fail 'not accepted'
}

@test "memory limits" {
	requires controller=memory
	config '.linux.resources.memory = {limit: 100000000, reservation: 50000000, swap: 150000000}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/memory.max")" 99999744
	is "$(<"$(cgroup_of "$PID")/memory.low")" 49999872
	is "$(<"$(cgroup_of "$PID")/memory.swap.max")" 49999872
}

@test "memory -1 is unlimited" {
	requires controller=memory
	config '.linux.resources.memory = {limit: -1, swap: -1}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/memory.max")" max
}

@test "a memory limit is enforced" {
	requires controller=memory
	config '.linux.resources.memory = {limit: 20000000, swap: 20000000}'
	config_args /bin/sh -c 'x=a; while :; do x=$x$x; done'
	berth_exits 137 run "$ID"
}

@test "cpu limits" {
	requires controller=cpu
	config '.linux.resources.cpu = {shares: 1024, quota: 50000, period: 100000, burst: 10000, idle: 0}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/cpu.max")" '50000 100000'
	is "$(<"$(cgroup_of "$PID")/cpu.weight")" 100
	is "$(<"$(cgroup_of "$PID")/cpu.max.burst")" 10000
}

@test "cpu shares become weights by the formula that keeps the default" {
	requires controller=cpu
	local shares

	for shares in 2:1 1024:100 262144:10000; do
		config '.linux.resources.cpu = {shares: $s}' --argjson s "${shares%:*}"
		run_detached "$ID" sleep
		is "$(<"$(cgroup_of "$PID")/cpu.weight")" "${shares#*:}" "shares ${shares%:*}"
		berth delete --force "$ID"
	done
}

@test "cpuset" {
	requires controller=cpuset
	config '.linux.resources.cpu = {cpus: "0", mems: "0"}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/cpuset.cpus")" 0
	is "$(<"$(cgroup_of "$PID")/cpuset.mems")" 0
	berth delete --force "$ID"
	run_probe
	json '.cpus == 1'
}

@test "cpuset: a list that the kernel refuses" {
	requires controller=cpuset
	config '.linux.resources.cpu = {cpus: "a-b"}'
	berth_fails 'linux.resources.cpu.cpus' create "$ID"
	contains "$stderr" 'a-b'
	config '.linux.resources.cpu = {mems: "4000"}'
	berth_fails 'linux.resources.cpu.mems' create "$ID"
	nothing_left
}

@test "a cpu quota is enforced" {
	requires controller=cpu
	local dir

	config '.linux.resources.cpu = {quota: 10000, period: 100000}'
	config_args /bin/sh -c 'while :; do :; done'
	berth run -d --pid-file "$T/pid" "$ID"
	dir=$(cgroup_of "$(<"$T/pid")")
	wait_for 20 grep -q '^nr_throttled [1-9]' "$dir/cpu.stat"
}

# A block device that is there, as "major:minor".
block_device() {
	cat /sys/block/*/dev 2>/dev/null | sed -n 1p
}

@test "block I/O: limits and weights" {
	requires controller=io
	local device

	device=$(block_device)
	[[ -n $device ]] || skip 'needs a block device'
	config '.linux.resources.blockIO = {throttleReadBpsDevice: [{major: $a, minor: $b, rate: 1048576}],
		throttleWriteIOPSDevice: [{major: $a, minor: $b, rate: 120}]}' \
		--argjson a "${device%:*}" --argjson b "${device#*:}"
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/io.max")" "$device rbps=1048576 wbps=max riops=max wiops=120"
}

@test "block I/O: a device that is not there" {
	requires controller=io
	config '.linux.resources.blockIO.throttleReadBpsDevice = [{major: 4000, minor: 5, rate: 1}]'
	berth_fails 'linux.resources.blockIO.throttleReadBpsDevice[0]: no such block device' create "$ID"
	nothing_left
}

@test "block I/O: a weight" {
	requires controller=io
	config '.linux.resources.blockIO = {weight: 500}'
	berth_call run -d "$ID"
	# Some kernels have no weights at all.
	((status == 0)) || one_line_error 'linux.resources.blockIO.weight'
	berth_call delete --force "$ID"
}

@test "pids limit, set and enforced" {
	requires controller=pids
	config '.linux.resources.pids = {limit: 4}'
	config_args /bin/sh -c 'for n in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1; wait'
	berth_call run "$ID"
	contains "$output$stderr" fork
}

@test "pids limit 0 is a limit, -1 is none" {
	requires controller=pids
	config '.linux.resources.pids = {limit: -1}'
	run_detached "$ID" sleep
	is "$(<"$(cgroup_of "$PID")/pids.max")" max
}

@test "features tells cgroup v2" {
	berth features
	json '.linux.cgroup.v2 == true and .linux.cgroup.v1 != true'
}

@test "out of a cgroup that was once killed, containers and processes start all the same" {
	requires cgroup2
	local before own=$CGROUP2/$ID-own

	before=$(cgroup_of "$BASHPID")
	mkdir "$own"
	[[ -e $own/cgroup.kill ]] || skip 'needs cgroup.kill'
	echo 1 >"$own/cgroup.kill"
	echo "$BASHPID" >"$own/cgroup.procs"
	berth_call run "$ID"
	if ((status == 0)); then
		run_detached "$ID" sleep
		contains "$(cgroup_of "$PID")" "$ID"
		berth_call exec "$ID" /bin/true
	fi
	echo "$BASHPID" >"$before/cgroup.procs"
	((status == 0)) || fail 'from a cgroup that was killed'
	berth delete --force "$ID"
	rmdir "$own"
}
