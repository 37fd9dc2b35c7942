#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.scheduler.

load helpers

eval "$(declare -f setup | sed '1s/setup/setup_test/')"

# Nice values are inherited, also from whoever has started the tests.
setup() {
	setup_test
	renice -n 0 -p "$BASHPID" >/dev/null
}

DEADLINE='policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000'

# The members of process.scheduler, in jq's syntax.
scheduler() {
	config ".process.scheduler = {$1}"
}

# What the process of a container has by now: the kernel's number of its policy.
policy_of() {
	local stat

	read -r stat <"/proc/$1/stat"
	# shellcheck disable=SC2086 # words
	set -- ${stat##*) }
	echo "${39}"
}

# berth without CAP_SYS_NICE.
weaken() {
	WRAP=(setpriv --bounding-set -sys_nice)
}

@test "policies for everybody" {
	scheduler 'policy: "SCHED_OTHER", nice: 7'
	run_probe
	json '.sched | .policy == 0 and .nice == 7 and .flags == 0'
	scheduler 'policy: "SCHED_BATCH", nice: 19, priority: 0'
	run_probe
	json '.sched | .policy == 3 and .nice == 19'
	scheduler 'policy: "SCHED_IDLE", nice: 5'
	run_probe
	json '.sched.policy == 5'
}

@test "real-time policies" {
	requires realtime
	scheduler 'policy: "SCHED_FIFO", priority: 1'
	run_probe
	json '.sched | .policy == 1 and .priority == 1'
	scheduler 'policy: "SCHED_RR", priority: 99, nice: 3'
	run_probe
	json '.sched | .policy == 2 and .priority == 99'
}

@test "SCHED_DEADLINE, with a period and without" {
	scheduler "$DEADLINE"
	run_probe
	json '.sched | .policy == 6 and [.runtime, .deadline, .period] == [1000000, 20000000, 20000000]'
	scheduler "$DEADLINE"', period: 50000000, nice: 19, flags: ["SCHED_FLAG_RECLAIM"]'
	run_probe
	json '.sched | .flags == 2 and .period == 50000000'
}

@test "what is not given is 0, whatever the caller has" {
	scheduler 'policy: "SCHED_OTHER"'
	WRAP=(nice -n 5)
	run_probe
	json '.sched | .policy == 0 and .nice == 0'
}

@test "flags that keep what the caller has" {
	# With the parameters the kernel keeps the policy that they belong to.
	scheduler 'policy: "SCHED_BATCH", nice: 3, flags: ["SCHED_FLAG_KEEP_PARAMS"]'
	WRAP=(nice -n 5)
	run_probe
	json '.sched | .policy == 0 and .nice == 5'
	scheduler 'policy: "SCHED_IDLE", nice: 7, flags: ["SCHED_FLAG_KEEP_POLICY"]'
	run_probe
	json '.sched | .policy == 0 and .nice == 7'
}

@test "SCHED_FLAG_RESET_ON_FORK counts for the program's children, not for the program" {
	scheduler 'policy: "SCHED_OTHER", nice: -5, flags: ["SCHED_FLAG_RESET_ON_FORK"]'
	run_probe
	json '.sched | .nice == -5 and .flags == 1'
	run_script '/bin/probe; true'
	json '.sched | .nice == 0 and .flags == 0'
	scheduler 'policy: "SCHED_OTHER", nice: -5'
	run_script '/bin/probe; true'
	json '.sched.nice == -5'
}

@test "a program without any rights has it: neither user, capabilities nor a filter come before" {
	scheduler 'policy: "SCHED_BATCH", nice: -2'
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {} |
		.process.rlimits = [{type: "RLIMIT_NICE", soft: 0, hard: 0}] |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{action: "SCMP_ACT_KILL",
			names: ["sched_setattr", "sched_setscheduler", "setpriority"]}]}'
	run_probe
	json '.uid == 1000 and .caps.effective == [] and .sched.nice == -2'
	config '.process.noNewPrivileges = false'
	run_probe
	json '.sched.nice == -2'
}

@test "init has it when it is created, and so have the startContainer hooks, but none before" {
	local pid

	mkdir seen
	chmod 777 seen
	scheduler 'policy: "SCHED_BATCH", nice: 4'
	config '.mounts += [{destination: "/tmp", source: $s, options: ["bind"]}] | .hooks = {
		createRuntime: [{path: $p, args: ["sh", "-c", "exec \($b)/rootfs/bin/probe >\($s)/runtime"]}],
		createContainer: [{path: $p, args: ["sh", "-c", "exec \($b)/rootfs/bin/probe >\($s)/container"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", "exec /bin/probe >/tmp/start"]}]}' \
		--arg p "$(command -v sh)" --arg b "$BUNDLE" --arg s "$BUNDLE/seen"
	config_args /bin/true
	berth create --pid-file "$T/pid" "$ID"
	pid=$(<"$T/pid")
	is "$(policy_of "$pid")" 3
	berth start "$ID"
	is "$(jq .sched.policy seen/runtime)" 0
	is "$(jq .sched.policy seen/container)" 0
	is "$(jq -c '.sched | [.policy, .nice]' seen/start)" '[3,4]'
}

@test "SCHED_DEADLINE and startContainer hooks: only with SCHED_FLAG_RESET_ON_FORK" {
	scheduler "$DEADLINE"
	config '.hooks = {startContainer: [{path: "/bin/true"}],
		createContainer: [{path: $p}]}' --arg p "$(type -P true)"
	berth_fails 'process.scheduler: hooks.startContainer cannot run' create "$ID"
	nothing_left
	config '.process.scheduler.flags = ["SCHED_FLAG_RESET_ON_FORK"]'
	run_probe
	json '.sched | .policy == 6 and .flags == 1'
}

@test "a process that may run on some processors only cannot have SCHED_DEADLINE" {
	(($(nproc) > 1)) || skip 'needs two processors'
	! has_controller cpuset || skip 'whoever comes into a cpuset gets all of its processors'
	scheduler "$DEADLINE"
	config_args /bin/true
	WRAP=(taskset -c 0)
	berth_fails 'process.scheduler: set SCHED_DEADLINE, runtime 1000000 ns' create "$ID"
	contains "$stderr" 'leaves out a processor: Operation not permitted'
	nothing_left
}

@test "SCHED_DEADLINE in a cpuset" {
	requires controller=cpuset machine
	(($(nproc) > 1)) || skip 'needs two processors'
	scheduler "$DEADLINE"
	config '.linux.resources.cpu = {cpus: "0"}'
	config_args /bin/true
	berth_fails 'linux.resources.cpu.cpus leaves out a processor' create "$ID"
	nothing_left
}

@test "a period that the kernel does not take" {
	scheduler "$DEADLINE"', period: 5000000000000'
	config_args /bin/true
	berth_fails 'sched_deadline_period_max_us: Invalid argument' create "$ID"
	nothing_left
}

@test "more time than there is" {
	requires machine
	scheduler 'policy: "SCHED_DEADLINE", runtime: 999000000, deadline: 1000000000'
	config_args /bin/sleep 100
	berth_call create "$ID"
	# Whole processors but 5 % of each; with one there is no place, with more for some.
	for ((n = 1; status == 0 && n <= $(nproc); n++)); do
		berth_call create "$ID-$n"
	done
	((status == 1)) || fail 'more time than there is'
	one_line_error 'so much processor time is not left for this policy: Device or resource busy'
}

@test "without CAP_SYS_NICE: less is granted, more is refused by the field's name" {
	weaken
	scheduler 'policy: "SCHED_BATCH", nice: 5'
	run_probe
	json '.sched | .policy == 3 and .nice == 5'
	config_args /bin/true
	scheduler 'policy: "SCHED_OTHER", nice: -1'
	berth_fails 'process.scheduler: set SCHED_OTHER, nice -1: needs CAP_SYS_NICE' create "$ID"
	nothing_left
	scheduler 'policy: "SCHED_FIFO", priority: 1'
	berth_fails 'process.scheduler: set SCHED_FIFO, priority 1: needs CAP_SYS_NICE' run "$ID"
	nothing_left
	scheduler "$DEADLINE"
	berth_fails 'process.scheduler: set SCHED_DEADLINE' run "$ID"
	nothing_left
}

@test "limits of the caller give an ordinary amount" {
	requires cap_sys_resource
	scheduler 'policy: "SCHED_OTHER", nice: -3'
	WRAP=(prlimit --nice=23:23 setpriv --bounding-set -sys_nice)
	run_probe
	json '.sched.nice == -3'
	config '.process.scheduler.nice = -4'
	berth_fails RLIMIT_NICE run "$ID"
}

@test "limits of the caller give some real time" {
	requires cap_sys_resource realtime
	scheduler 'policy: "SCHED_FIFO", priority: 3'
	WRAP=(prlimit --rtprio=3:3 setpriv --bounding-set -sys_nice)
	run_probe
	json '.sched.policy == 1'
	config '.process.scheduler.priority = 4'
	berth_fails RLIMIT_RTPRIO run "$ID"
}

@test "a user namespace: root of the host gives what root of it may not have" {
	new_user
	scheduler "$DEADLINE"
	run_probe
	json '.sched.policy == 6'
	scheduler 'policy: "SCHED_OTHER", nice: -11'
	run_probe
	json '.sched.nice == -11'
	weaken
	berth_fails 'process.scheduler: set SCHED_OTHER, nice -11: needs CAP_SYS_NICE' run "$ID"
	nothing_left
}

@test "a user namespace that is joined, by a process between the host and init" {
	new_user
	run_detached "$ID-pod" sleep
	cp "$SUITE/config.json" config.json
	config '.linux.namespaces += [{type: "user", path: "/proc/\($p)/ns/user"}] |
		.process.env += ["BERTH_TEST=" + $i]' --arg i "$ID" --arg p "$PID"
	scheduler 'policy: "SCHED_BATCH", nice: -6'
	config '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 2}'
	run_probe
	is "$(value .namespaces.user)" "$(readlink "/proc/$PID/ns/user")"
	json '.sched.policy == 3 and .sched.nice == -6 and .ioprio == 8194'
}

@test "root of a user namespace has no more than an ordinary user" {
	config 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup")
		| if .type == "devpts" then .options -= ["gid=5"] else . end)'
	chmod 755 "$T" "$BUNDLE"
	WRAP=(unshare --user --map-root-user --mount)
	scheduler 'policy: "SCHED_OTHER", nice: 9'
	config_args /bin/probe
	berth --cgroup-manager disabled run "$ID"
	json '.sched.nice == 9'
	scheduler 'policy: "SCHED_FIFO", priority: 2'
	berth_fails 'process.scheduler: set SCHED_FIFO, priority 2: needs CAP_SYS_NICE in the first user' \
		--cgroup-manager disabled run "$ID"
}

@test "exec: as the container's process, or as --process says" {
	scheduler 'policy: "SCHED_BATCH", nice: 6'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.sched | .policy == 3 and .nice == 6'
	berth exec -t "$ID" /bin/probe
	json '.sched | .policy == 3 and .nice == 6'
	jq '.process | .args = ["/bin/probe"] | .user = {uid: 5, gid: 5} | .capabilities = {} |
		.scheduler = {policy: "SCHED_OTHER", nice: -8}' config.json >"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	json '.uid == 5 and .sched.policy == 0 and .sched.nice == -8'
	jq '.scheduler = {'"$DEADLINE"', flags: ["SCHED_FLAG_RESET_ON_FORK"]}' "$T/process.json" \
		>"$T/deadline.json"
	berth exec --process "$T/deadline.json" "$ID"
	json '.sched | .policy == 6 and .flags == 1'
	# Of what a document of one's own leaves out, these are taken from the container, as with runc.
	jq 'del(.scheduler)' "$T/process.json" >"$T/none.json"
	berth exec --process "$T/none.json" "$ID"
	json '.uid == 5 and .sched.policy == 3 and .sched.nice == 6'
}

@test "exec: errors" {
	run_detached "$ID" sleep
	jq '.process | .args = ["/bin/probe"] | .scheduler = {policy: "SCHED_RR", priority: 8}' \
		config.json >"$T/process.json"
	weaken
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error 'process.scheduler: set SCHED_RR, priority 8: needs CAP_SYS_NICE'
	jq '.scheduler.policy = "SCHED_ISO"' "$T/process.json" >"$T/iso.json"
	berth_exits 255 exec --process "$T/iso.json" "$ID"
	one_line_error 'scheduler.policy: "SCHED_ISO": Linux has no such policy'
	status_is "$ID" running
}

@test "exec into a user namespace, and with another scheduler there" {
	new_user
	scheduler 'policy: "SCHED_BATCH", nice: -3'
	run_detached "$ID" sleep
	is "$(policy_of "$PID")" 3
	berth exec "$ID" /bin/probe
	json '.sched | .policy == 3 and .nice == -3'
	berth exec -t "$ID" /bin/probe
	json '.sched | .policy == 3 and .nice == -3'
	jq '.process | .args = ["/bin/probe"] | .ioPriority = {class: "IOPRIO_CLASS_RT", priority: 1} |
		.scheduler = {policy: "SCHED_OTHER", nice: -4}' config.json >"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	json '.sched.nice == -4 and .ioprio == 8193'
	weaken
	berth_exits 255 exec "$ID" /bin/probe
	one_line_error 'process.scheduler: set SCHED_BATCH, nice -3: needs CAP_SYS_NICE'
}
