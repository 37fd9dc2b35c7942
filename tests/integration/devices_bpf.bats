#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.resources.devices: the device rules of the cgroup.

load helpers

# Lets the payload make device nodes; to be called first.
with_mknod() {
	requires cgroup2
	config '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
}

# The rules of the container.
rules() {
	config '.linux.resources.devices = $r' --argjson r "$1"
}

# The kernel has no such program any more.
is_unknown() {
	! bpftool prog show id "$1"
}

# The fuse (10:229) and tun (10:200) devices can be opened without privileges, kmsg (1:11) for
# writing; so a refusal is the work of the rules.

# What opening a fresh node of a device gives: c|b MAJOR MINOR r|w|rw
opened() {
	config_args /bin/sh -c "/bin/probe mknod /dev/node $1 $2 $3 $4"
	berth_call run "$ID"
	printf '%s' "$output"
}

@test "the default spec denies all but the default devices" {
	with_mknod
	is "$(opened c 1 11 r)" EPERM kmsg
	is "$(opened c 1 1 r)" EPERM mem
	is "$(opened b 7 0 r)" EPERM loop0
	is "$(opened c 10 229 rw)" EPERM fuse
	is "$(opened c 1 3 rw)" OK null
	is "$(opened c 1 5 rw)" OK zero
	is "$(opened c 1 7 rw)" OK full
	is "$(opened c 1 8 r)" OK random
	is "$(opened c 1 9 r)" OK urandom
	is "$(opened c 5 2 rw)" OK ptmx
}

@test "a device that is allowed" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}]'
	is "$(opened c 10 229 r)" OK
	is "$(opened c 10 229 w)" EPERM
	is "$(opened c 10 200 rw)" EPERM
}

@test "the type counts" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", "major": 10, "minor": 229, "access": "rwm"}]'
	is "$(opened c 10 229 r)" EPERM
}

@test "a major number without a minor means all of them" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "access": "rwm"}]'
	is "$(opened c 10 229 r)" OK
	is "$(opened c 10 200 rw)" OK
	is "$(opened c 1 11 w)" EPERM
}

@test "-1 means all, like a number that is missing" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": -1, "minor": 229, "access": "rwm"}]'
	is "$(opened c 10 229 r)" OK
	is "$(opened c 10 200 rw)" EPERM
}

@test "the last matching rule wins" {
	with_mknod
	rules '[{"allow": true, "access": "rwm"},
		{"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rwm"}]'
	is "$(opened c 10 229 r)" EPERM
	is "$(opened c 10 200 rw)" OK
	rules '[{"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rwm"},
		{"allow": true, "access": "rwm"}]'
	is "$(opened c 10 229 r)" OK
}

@test "a part of the access is taken away" {
	with_mknod
	rules '[{"allow": true, "access": "rwm"},
		{"allow": false, "type": "c", "major": 10, "minor": 229, "access": "w"}]'
	is "$(opened c 10 229 r)" OK
	is "$(opened c 10 229 w)" EPERM
	is "$(opened c 10 229 rw)" EPERM
}

@test "access is put together from several rules" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "w"}]'
	is "$(opened c 10 229 rw)" OK
}

@test "type a means all devices" {
	with_mknod
	rules '[{"allow": false, "access": "rwm"}, {"allow": true, "type": "a", "access": "rwm"}]'
	is "$(opened c 10 229 r)" OK
}

@test "many rules" {
	with_mknod
	rules "$(jq -nc '[{allow: false, access: "rwm"}] + [range(300) | {allow: true, type: "c",
		major: (1000 + .), minor: 1, access: "rwm"}] +
		[{allow: true, type: "c", major: 10, minor: 229, access: "r"}]')"
	is "$(opened c 10 229 r)" OK
	is "$(opened c 10 200 rw)" EPERM
}

@test "the rules hold for exec and for child processes" {
	with_mknod
	run_detached "$ID" sleep
	berth_call exec "$ID" /bin/sh -c '/bin/probe mknod /dev/node c 10 229 r'
	is "$output" EPERM
}

@test "the rules end with the container: no program stays" {
	requires command=bpftool cgroup2
	local program

	run_detached "$ID" sleep
	program=$(bpftool -j cgroup show "$(cgroup_of "$PID")" | jq -e '.[0].id')
	bpftool prog show id "$program" >/dev/null
	berth delete --force "$ID"
	# The kernel frees it a moment after its cgroup.
	wait_for 5 is_unknown "$program"
}
