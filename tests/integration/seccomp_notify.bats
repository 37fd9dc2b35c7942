#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SCMP_ACT_NOTIFY: an agent on the host answers for what the filter asks.

load helpers

# Starts an agent with these rules; sets AGENT (its process), SOCKET, and HEARD (what it prints).
agent() {
	SOCKET=$T/agent.$CALLS
	# It is none of the processes that a container may leave.
	background env -u BERTH_TEST "$CACHE_DIR/probe" agent "$SOCKET" "$@"
	AGENT=$BG_PID
	HEARD=$OUT
	wait_for 5 test -S "$SOCKET"
}

# The filter asks about these calls.
notify() {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $p,
		syscalls: [{action: "SCMP_ACT_NOTIFY", names: ($n | split(" "))}]}' \
		--arg p "$SOCKET" --arg n "$*"
}

# The agent has told that it was asked for $1 (by whom it holds, for instance).
asked() {
	wait_for 10 grep -qx "asked $1" "$HEARD"
}

# A jq filter about the message number $1 that the agent got.
told() {
	jq -se --argjson n "$1" --arg id "$ID" --arg pid "${3:-0}" ".[\$n] | $2" \
		<(grep '^{' "$HEARD") >/dev/null || fail "not true: $2 $(<"$HEARD")"
}

@test "the agent's answers are the results: an error, a value, and the call itself" {
	agent getpriority=110 getpgid=+77 getsid=continue
	notify getpriority getpgid getsid
	run_script '/bin/probe syscall getpriority 0 0; /bin/probe syscall getpgid 0
		/bin/probe syscall getsid 0'
	is "$output" $'-1 ETIMEDOUT\n77 OK\n1 OK'
}

@test "what the agent is told of init: the container process state, and one descriptor" {
	agent
	notify getpriority
	config '.linux.seccomp.listenerMetadata = "a \"b\" ü" | .annotations = {"org.example": "x"}'
	run_detached "$ID" sleep
	told 0 'keys == ["fds", "metadata", "ociVersion", "pid", "state"] and .fds == ["seccompFd"] and
		.metadata == "a \"b\" ü" and .pid == ($pid | tonumber)' "$PID"
	told 0 '.state == {ociVersion: .ociVersion, id: $id, status: "creating", pid: .pid,
		bundle: $ENV.PWD, annotations: {"org.example": "x"}}'
	lacks "$(<"$HEARD")" descriptors
}

@test "without listenerMetadata there is none in the message" {
	agent
	notify getpriority
	run_probe
	told 0 'has("metadata") | not'
}

@test "create and start: the agent is told by start" {
	agent getpriority=5
	notify getpriority
	config_args /bin/probe syscall getpriority 0 0
	berth create "$ID"
	CONTAINER_OUT=$OUT
	is "$(<"$HEARD")" ''
	berth start "$ID"
	wait_for 5 grep -q . "$CONTAINER_OUT"
	is "$(<"$CONTAINER_OUT")" '-1 EIO'
	told 0 '.state.status == "creating"'
}

@test "exec: a listener of its own, the process's pid, and the container's state" {
	agent getpriority=5
	notify getpriority
	run_detached "$ID" sleep
	berth exec --pid-file "$T/exec.pid" "$ID" /bin/probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	told 1 '.pid == ($pid | tonumber) and .state.pid != .pid and .state.status == "running"' \
		"$(<"$T/exec.pid")"
	jq '.process | .args = ["/bin/probe", "syscall", "getpriority", "0", "0"]' config.json \
		>"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	is "$output" '-1 EIO'
	told 2 '.state.status == "running"'
}

# Calls that a start itself needs, one at a time: those that give the listener away among them.
@test "a filter that asks about what the start itself needs does not hang it" {
	local call privileges

	for privileges in true false; do
		config '.process.noNewPrivileges = $p | .process.user = {uid: 1000, gid: 1000}' \
			--argjson p "$privileges"
		for call in sendmsg recvmsg close execve write read poll ppoll setresuid setresgid \
			capset prctl openat2 exit_group; do
			agent
			notify "$call"
			config_args /bin/probe exit 3
			berth_exits 3 run "$ID"
			is "$stderr" '' "$call"
		done
	done
}

@test "a filter that asks about everything" {
	agent getpriority=5
	notify
	config '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY" | del(.linux.seccomp.syscalls)'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	config '.process.noNewPrivileges = false'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	run_detached "$ID-2" sleep
	berth exec "$ID-2" /bin/probe syscall getpriority 0 0
	is "$output" '-1 EIO'
}

@test "a filter that kills by all that gives the listener away" {
	agent getpriority=5
	notify getpriority
	config '.linux.seccomp.syscalls += [{action: "SCMP_ACT_KILL_PROCESS",
		names: ["sendmsg", "recvmsg", "recvfrom", "close", "close_range", "poll", "munmap"]}]'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
}

@test "the three calls are let through for nobody else" {
	agent sendmsg=5 recvmsg=5 close=5
	notify sendmsg recvmsg close
	run_script 'for call in sendmsg recvmsg close; do
		/bin/probe syscall $call 77 0 0; /bin/probe syscall $call 77 0 0 1 2 3
	done'
	is "$(sort -u "$OUT")" '-1 EIO'
}

@test "the process keeps no descriptor of the listener or of the agent" {
	agent
	notify getpriority
	run_probe
	json '[.fds[].fd] == [0, 1, 2]'
}

@test "an agent that dies: calls that wait, and later ones, fail with ENOSYS" {
	agent getpriority=hold
	notify getpriority
	config_args /bin/sh -c '/bin/probe syscall getpriority 0 0; /bin/probe syscall getpriority 0 0'
	berth_background run "$ID"
	asked getpriority
	kill -KILL "$AGENT"
	wait "$BG_PID"
	is "$(<"$OUT")" $'-1 ENOSYS\n-1 ENOSYS'
}

@test "an agent that dies by the exec of init: start says that it failed" {
	agent execve=die
	notify execve
	config_args /bin/true
	berth_fails 'exec "/bin/true": a filter forbids it, or the agent that it asks has ended' run "$ID"
	nothing_left
}

@test "an agent that refuses the exec" {
	agent execve=1
	notify execve
	config_args /bin/true
	berth_fails 'exec "/bin/true": a security module, a filter' run "$ID"
	nothing_left
}

@test "no agent: create fails, names the field, and leaves nothing" {
	SOCKET=/no/such/socket
	notify getpriority
	berth_fails 'linux.seccomp.listenerPath: look for the socket "/no/such/socket": No such file' \
		create "$ID"
	berth_fails linux.seccomp.listenerPath run "$ID"
	SOCKET=$PWD/config.json
	notify getpriority
	berth_fails 'linux.seccomp.listenerPath: "'"$SOCKET"'" is not a socket' create "$ID"
	nothing_left
}

@test "an agent that is gone at the start: it fails, and can be tried again" {
	agent getpriority=5
	notify getpriority
	config_args /bin/probe syscall getpriority 0 0
	berth create "$ID"
	CONTAINER_OUT=$OUT
	kill -KILL "$AGENT"
	wait "$AGENT" || true
	berth_fails "linux.seccomp.listenerPath: connect to the socket \"$SOCKET\": Connection refused" \
		start "$ID"
	status_is "$ID" created
	rm "$SOCKET"
	background "$CACHE_DIR/probe" agent "$SOCKET" getpriority=5
	wait_for 5 test -S "$SOCKET"
	berth start "$ID"
	wait_for 5 grep -q . "$CONTAINER_OUT"
	is "$(<"$CONTAINER_OUT")" '-1 EIO'
}

@test "run and exec without the agent" {
	agent
	notify getpriority
	run_detached "$ID" sleep
	kill -KILL "$AGENT"
	wait "$AGENT" || true
	berth_exits 255 exec "$ID" /bin/true
	one_line_error "linux.seccomp.listenerPath: connect to the socket \"$SOCKET\""
	status_is "$ID" running
	berth_fails linux.seccomp.listenerPath run "$ID-2"
}

@test "an agent in the abstract name space" {
	SOCKET="@$ID"
	notify getpriority
	berth_fails "linux.seccomp.listenerPath: connect to the socket \"@$ID\"" run "$ID"
	nothing_left
}

@test "kill ends a container whose process waits for an answer, with WAIT_KILLABLE_RECV too" {
	local flags

	for flags in '[]' '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'; do
		agent getpriority=hold
		notify getpriority
		config '.linux.seccomp.flags = $f' --argjson f "$flags"
		config_args /bin/probe syscall getpriority 0 0
		berth_background run "$ID"
		asked getpriority
		berth kill "$ID" KILL
		status=0
		wait "$BG_PID" || status=$?
		is "$status" 137
		nothing_left
	done
}

has_ended() {
	! kill -0 "$1" 2>/dev/null || [[ $(<"/proc/$1/stat") == *') Z '* ]]
}

@test "a start that waits for the agent's answer to execve holds nobody up" {
	agent execve=hold
	notify execve
	config_args /bin/true
	berth create "$ID"
	berth_background start "$ID"
	asked execve
	berth state "$ID"
	berth delete --force "$ID"
	# Whether it says that init was killed depends on who reaps that first: it returns.
	wait_for 10 has_ended "$BG_PID"
	nothing_left
}

# The agent is stopped, and the state more than a socket holds: start is in the middle of sending.
@test "a start that is killed before the agent has the listener: nothing is executed" {
	agent
	notify getpriority
	config '.annotations = {"org.example.long": ("x" * 1000000)} | .root.readonly = false'
	config_args /bin/touch /executed
	berth create --pid-file "$T/pid" "$ID"
	kill -STOP "$AGENT"
	berth_background start "$ID"
	# The filter is loaded: init waits for the word that the agent has it.
	wait_for 10 grep -q '^Seccomp:.2' "/proc/$(<"$T/pid")/status"
	is "$(stat -c %s rootfs/executed 2>/dev/null)" ''
	kill -KILL "$BG_PID"
	wait_for 10 container_is stopped
	is "$(stat -c %s rootfs/executed 2>/dev/null)" ''
	kill -CONT "$AGENT"
}

container_is() {
	[[ $("$RUNTIME" --root "$STATE" state "$ID" | jq -r .status) == "$1" ]]
}

@test "exec in a container that waits for its start" {
	agent getpriority=5
	notify getpriority
	config_args /bin/true
	berth create "$ID"
	berth exec "$ID" /bin/probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	told 0 '.state.status == "created" and .pid != .state.pid'
}

@test "an exec that waits for the agent ends with the container" {
	agent getppid=hold
	notify getppid
	run_detached "$ID" sleep
	berth_background exec "$ID" /bin/probe syscall getppid
	asked getppid
	berth delete --force "$ID"
	status=0
	wait "$BG_PID" || status=$?
	is "$status" 137
	nothing_left
}

@test "in a user namespace" {
	chmod 755 "$T" "$BUNDLE"
	agent getpriority=5
	notify getpriority
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	config '.process.noNewPrivileges = false | .process.user = {uid: 5, gid: 5}'
	run_detached "$ID-2" sleep
	told 1 '.pid == ($pid | tonumber)' "$PID"
	berth exec "$ID-2" /bin/probe syscall getpriority 0 0
	is "$output" '-1 EIO'
}

@test "the cached filter asks as well, and whoever is named now" {
	agent getpriority=5
	notify getpriority
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	agent getpriority=110
	config '.linux.seccomp.listenerPath = $p' --arg p "$SOCKET"
	run_probe syscall getpriority 0 0
	is "$output" '-1 ETIMEDOUT'
	is "$(find "$STATE/@seccomp" -type f | wc -l)" 1
}

@test "a limit of descriptors that leaves no room for the listener" {
	agent
	notify getpriority
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 3, hard: 3}]'
	config_args /bin/true
	berth_fails 'linux.seccomp: load the filter: RLIMIT_NOFILE' run "$ID"
	nothing_left
}

@test "where nothing asks, path, metadata and the flag mean nothing" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/no/such/socket",
		listenerMetadata: "x", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
		syscalls: [{action: "SCMP_ACT_ERRNO", names: ["getpriority"]}]}'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EPERM'
}

@test "a state of more than a socket takes at once" {
	agent getpriority=5
	notify getpriority
	config '.annotations = {"org.example.long": ("x" * 400000)}'
	run_probe syscall getpriority 0 0
	is "$output" '-1 EIO'
	told 0 '.state.annotations["org.example.long"] | length == 400000'
}

@test "features tells of the action, and of the flag where the kernel has it" {
	berth features
	json '.linux.seccomp | (.actions | index("SCMP_ACT_NOTIFY")) and
		(.knownFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"))'
	if ! json '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' \
		>/dev/null; then
		agent
		notify getpriority
		config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
		berth_fails 'linux.seccomp.flags: this kernel lacks' create "$ID"
	fi
}
