#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Defects of config.json: each gives exactly one line, with the JSON path or the line and column,
# and leaves nothing.
#
# The table is defects.tsv: name, kind of edit, edit, what the line must contain (parts are joined
# by " & "). Kinds: jq, a filter on the default configuration; raw, the whole text, with the escapes
# of printf %b; sh, a shell command in the bundle. The default configuration has seven mounts.

load helpers

# Makes the defect; $1 is the kind, $2 the edit.
make_defect() {
	rm -rf config.json
	cp "$T/default.json" config.json
	case $1 in
	jq) config "$2" ;;
	raw) printf '%b' "$2" >config.json ;;
	sh) bash -c "$2" ;;
	esac
}

# Prints what is wrong with berth's answer; $1 is what it must contain.
judge() {
	local parts=$1 part

	((status == 1)) || echo "exit status $status"
	[[ $(wc -l <"$ERR") == 1 ]] || echo "$(wc -l <"$ERR") lines"
	[[ -z $output ]] || echo "output: $output"
	while [[ -n $parts ]]; do
		part=${parts%% & *}
		[[ $stderr == *"$part"* ]] || echo "no '$part'"
		[[ $parts == *' & '* ]] || break
		parts=${parts#* & }
	done
	nothing_left
	[[ $(cd rootfs && find . | sort | sha256sum) == "$ROOTFS_BEFORE" ]] || echo 'the root changed'
}

# All rows whose name matches the pattern $1.
check_rows() {
	local name kind edit expected wrong failed='' count=0

	cp config.json "$T/default.json"
	is "$(jq '.mounts | length' config.json)" 7 'mounts of the default'
	ROOTFS_BEFORE=$(cd rootfs && find . | sort | sha256sum)
	while IFS=$'\t' read -r name kind edit expected; do
		[[ $name =~ $1 ]] || continue
		count=$((count + 1))
		make_defect "$kind" "$edit"
		berth_call create "$ID"
		wrong=$(judge "$expected")
		[[ -z $wrong ]] || failed+="$name: ${wrong//$'\n'/, } in: $stderr"$'\n'
		if ((status == 0)); then
			"$RUNTIME" --root "$STATE" delete --force "$ID"
		fi
	done <"$BATS_TEST_DIRNAME/defects.tsv"
	rm -rf config.json
	stderr='' output=''
	((count > 0)) || fail 'no rows'
	[[ -z $failed ]] || fail "$failed"
}

@test "the table has at least 60 defects" {
	(($(wc -l <"$BATS_TEST_DIRNAME/defects.tsv") >= 60))
	# All names are different, and every row is met by one of the tests below.
	is "$(cut -f 1 "$BATS_TEST_DIRNAME/defects.tsv" | sort | uniq -d)" ''
	is "$(grep -cvE '^(syntax|file|ociVersion|process|root|hostname|domainname|mounts|hooks|annotations|linux|resources|seccomp|clash|not supported)' "$BATS_TEST_DIRNAME/defects.tsv")" 0
}

@test "syntax and the file itself" {
	check_rows '^(syntax|file)'
}

@test "process" {
	check_rows '^process'
}

@test "version, root, names" {
	check_rows '^(ociVersion|root|hostname|domainname)'
}

@test "mounts" {
	check_rows '^mounts'
}

@test "hooks and annotations" {
	check_rows '^(hooks|annotations)'
}

@test "linux" {
	check_rows '^linux'
}

@test "resources" {
	check_rows '^resources'
}

@test "seccomp" {
	check_rows '^seccomp'
}

@test "clashes, and what is not supported yet" {
	check_rows '^(clash|not supported)'
}

@test "a field that is not supported either works or is refused by its name" {
	local field filter failed=''

	cp config.json "$T/default.json"
	while IFS=$'\t' read -r field filter; do
		cp "$T/default.json" config.json
		config "$filter"
		config_args /bin/true
		berth_call run "$ID"
		if ((status != 0)) && [[ $stderr != *"$field"* || $(wc -l <"$ERR") != 1 ]]; then
			failed+="$field: $stderr"$'\n'
		fi
		nothing_left
	done <<-END
		process.apparmorProfile	.process.apparmorProfile = "no-such-profile"
		process.selinuxLabel	.process.selinuxLabel = "a:b:c:d"
		process.scheduler	.process.scheduler = {policy: "SCHED_BATCH", nice: 3}
		process.ioPriority	.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 4}
		process.execCPUAffinity	.process.execCPUAffinity = {initial: "0"}
		linux.mountLabel	.linux.mountLabel = "system_u:object_r:svirt_sandbox_file_t:s0"
		linux.personality	.linux.personality = {domain: "LINUX"}
		linux.memoryPolicy	.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}
		linux.netDevices	.linux.netDevices = {"no-such-link": {}}
		linux.intelRdt	.linux.intelRdt = {closID: "x"}
		linux.seccomp	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["sync"], action: "SCMP_ACT_NOTIFY"}], listenerPath: "/no/such/socket"}
		linux.resources.blockIO	.linux.resources.blockIO = {weight: 100}
		linux.resources.hugepageLimits	.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]
		linux.resources.rdma	.linux.resources.rdma = {"mlx5_1": {hcaHandles: 3}}
		linux.resources.network	.linux.resources.network = {classID: 1048577}
		linux.resources.memory	.linux.resources.memory = {limit: 100000000}
		linux.resources.cpu	.linux.resources.cpu = {realtimeRuntime: 1000}
	END
	stderr='' output=''
	[[ -z $failed ]] || fail "$failed"
}

@test "unknown fields are ignored, at every level" {
	config '.unknown = {"a": [1, {}]} | .process.unknown = 1 | .process.user.unknown = "x" |
		.root.unknown = [] | .mounts[0].unknown = {} | .linux.unknown = null |
		.linux.resources.unknown = {limit: 5} | .linux.namespaces[0].unknown = 1 | .vm = {} |
		.windows = {} | .solaris = {}'
	config_args /bin/echo fine
	berth run "$ID"
	is "$output" fine
	is "$stderr" ''
}

@test "a field that asks for nothing is accepted" {
	config '.linux += {intelRdt: null, netDevices: {}, devices: [], sysctl: {}, uidMappings: [],
		gidMappings: [], seccomp: null, cgroupsPath: "", mountLabel: "", rootfsPropagation: "",
		timeOffsets: {}, personality: null, memoryPolicy: null} |
		.process += {apparmorProfile: "", selinuxLabel: "", scheduler: null, ioPriority: null,
		consoleSize: {height: 10, width: 10}} | .hooks = {} | .annotations = {} | .domainname = ""'
	config_args /bin/echo fine
	berth run "$ID"
	is "$output" fine
}

@test "numbers at their limits are exact" {
	config '.process.user = {uid: 4294967294, gid: 4294967294, umask: 511}'
	run_probe
	json '.uid == 4294967294 and .gid == 4294967294 and .umask == "0777"'
}

@test "a number written in another way is the same number" {
	sed -i 's/"soft": 1024/"soft": 1.024e3/; s/"hard": 1024/"hard": 1024.0/' config.json
	berth_call run "$ID"
	# Accepted as 1024, or refused with its path: never another number.
	if ((status == 0)); then
		json '.rlimits.RLIMIT_NOFILE == {soft: 1024, hard: 1024}'
	else
		one_line_error 'process.rlimits[0]'
	fi
}

@test "what can be found before any side effect is found before any side effect" {
	local marker=$T/hook-ran

	config '.hooks = {prestart: [{path: "/bin/touch", args: ["touch", $m]}]} |
		.linux.seccomp = {defaultAction: "SCMP_ACT_X"}' --arg m "$marker"
	berth_fails linux.seccomp create "$ID"
	[[ ! -e $marker ]]
	nothing_left
}
