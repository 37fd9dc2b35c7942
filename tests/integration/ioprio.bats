#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.ioPriority. The kernel's number of a priority is its class << 13 | its level.

load helpers

RT=8192 BE=16384 IDLE=24576

# CLASS [LEVEL]
io_priority() {
	config '.process.ioPriority = {class: "IOPRIO_CLASS_\($c)"}' --arg c "$1"
	[[ -z ${2:-} ]] || config ".process.ioPriority.priority = $2"
}

@test "every class, at every level's end" {
	io_priority BE 0
	run_probe
	json ".ioprio == $BE"
	io_priority BE 7
	run_probe
	json ".ioprio == $BE + 7"
	io_priority RT 3
	run_probe
	json ".ioprio == $RT + 3"
	io_priority IDLE 4
	run_probe
	json ".ioprio >= $IDLE"
}

@test "a level that is not given is 0" {
	io_priority BE
	WRAP=(ionice -c 2 -n 6)
	run_probe
	json ".ioprio == $BE"
}

@test "none given: the caller's" {
	WRAP=(ionice -c 2 -n 6)
	run_probe
	json ".ioprio == $BE + 6"
}

@test "the program's children have it, too, and neither user nor filter come before" {
	io_priority RT 5
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {} |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{action: "SCMP_ACT_KILL", names: ["ioprio_set"]}]}'
	run_script '/bin/probe; true'
	json ".uid == 1000 and .ioprio == $RT + 5"
}

@test "beside a scheduler, whose nice value would say something else" {
	io_priority BE 1
	config '.process.scheduler = {policy: "SCHED_IDLE"}'
	run_probe
	json ".ioprio == $BE + 1 and .sched.policy == 5"
}

@test "IOPRIO_CLASS_RT without CAP_SYS_NICE is refused by the field's name" {
	io_priority RT 0
	config_args /bin/true
	# CAP_SYS_ADMIN stands for it in the kernel; init of a user namespace has neither.
	chmod 755 "$T" "$BUNDLE"
	config 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup")
		| if .type == "devpts" then .options -= ["gid=5"] else . end)'
	WRAP=(unshare --user --map-root-user --mount)
	berth_fails 'process.ioPriority: set IOPRIO_CLASS_RT, 0: this class needs CAP_SYS_NICE' \
		--cgroup-manager disabled create "$ID"
	io_priority BE 3
	config_args /bin/probe
	berth --cgroup-manager disabled run "$ID"
	json ".ioprio == $BE + 3"
}

@test "a user namespace: root of the host gives what root of it may not have" {
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	io_priority RT 6
	run_detached "$ID" sleep
	is "$(ionice -p "$PID")" 'realtime: prio 6'
	berth exec "$ID" /bin/probe
	json ".ioprio == $RT + 6"
}

@test "exec: as the container's process, or as --process says" {
	io_priority BE 2
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json ".ioprio == $BE + 2"
	jq '.process | .args = ["/bin/probe"] | .ioPriority = {class: "IOPRIO_CLASS_IDLE"}' config.json \
		>"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	json ".ioprio == $IDLE"
	jq '.ioPriority.class = "IDLE"' "$T/process.json" >"$T/bad.json"
	berth_exits 255 exec --process "$T/bad.json" "$ID"
	one_line_error 'ioPriority.class: "IDLE" is not one of IOPRIO_CLASS_RT'
}
