#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What engines call and read back, word for word: containerd's shim by go-runc, conmon, podman,
# cri-o. Each table is the life of a container as that caller drives it; a row is
#
#   EXIT STATUS | what is checked afterwards, a function and its arguments | the words of the call
#
# with @ID@, @B@ (the bundle), @T@ (the test's directory), @STATE@ (the state root) and @P@ (the
# caller's global flags) put in. After every row the log file holds exactly one JSON object with
# level "error" if the call failed, and nothing if it did not: podman parses the whole file.

load helpers

LOG=

# Runs berth with exactly these words.
exact() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	BERTH_TEST=$ID timeout -k 2 "$BERTH_TIMEOUT" "$RUNTIME" "$@" <"${STDIN:-/dev/null}" \
		>"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# go-runc takes the last object of level "error"; podman decodes the file as one value.
check_log() {
	if ((status == 0)); then
		[[ ! -s $LOG ]] || fail "a log without a failure: $(<"$LOG")"
	else
		jq -se 'length == 1 and (.[0] | .level == "error" and (.msg | length > 0) and
			(.time | test("^[0-9-]{10}T[0-9:.]+Z$")))' "$LOG" >/dev/null ||
			fail "not one error in the log: $(<"$LOG")"
		is "$stderr" "berth: $(jq -r .msg "$LOG")"
	fi
}

# live PREFIX <TABLE
live() {
	local prefix=$1 line words row expected check

	while IFS= read -r line; do
		line=${line//@P@/$prefix}
		line=${line//@ID@/$ID}
		line=${line//@B@/$BUNDLE}
		line=${line//@STATE@/$STATE}
		line=${line//@T@/$T}
		IFS='|' read -r expected check row <<<"$line"
		read -ra words <<<"$row"
		[[ -z $LOG ]] || : >"$LOG"
		exact "${words[@]}"
		((status == expected)) || fail "$row: exit status $status, not $expected"
		[[ $row != *"--log "* ]] || check_log
		read -ra words <<<"$check"
		echo "$row: $check" # seen where it fails
		"${words[@]}"
	done
}

# --- what is checked ------------------------------------------------------------------------------

nothing() { :; }

# The error names what callers look for.
says() {
	contains "$stderr" "${*//_/ }"
}

# Digits alone, without a newline: strconv.Atoi() of the whole file.
digits() {
	[[ $(od -An -c "$1" | tr -d ' \n') =~ ^[0-9]+$ ]] && kill -0 "$(<"$1")"
}

missing() {
	[[ ! -e $1 ]]
}

silent() {
	is "$output$stderr" ''
}

# The fields that Go's structures want, with their types.
state() {
	json '.id == $i and .status == $s and (.pid | type == "number") and (.bundle | type == "string") and
		(.rootfs | type == "string") and .ociVersion == "1.3.0" and .owner == "" and
		(.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$")) and
		(.pid == 0) == ($s == "stopped")' --arg i "$ID" --arg s "$1"
}

pids() {
	json 'type == "array" and length == $n and all(type == "number")' --argjson n "$1"
	is "$(wc -l <"$OUT")" 1
}

prints() {
	is "$output" "${*//_/ }"
}

stopped() {
	wait_for 5 status_is "$ID" stopped
}

listed() {
	json 'length == 1 and (.[0] | .id == $i and .owner == "root" and (.pid | type == "number"))' --arg i "$ID"
}

table() {
	is "$(wc -l <"$OUT")" 2
	contains "$(head -n 1 "$OUT")" PID
}

# What go-runc decodes into its Stats.
stats() {
	is "$(wc -l <"$OUT")" 1
	json '.type == "stats" and .id == $i and (.data | (.cpu.usage.total | type == "number") and
		(.memory.usage.limit | type == "number") and (.pids.current | type == "number") and
		(.blkio | type == "object") and (.hugetlb | type == "object"))' --arg i "$ID"
}

version() {
	[[ $(sed -n 1p "$OUT") =~ ^berth\ version\ [0-9]+\.[0-9]+ ]] &&
		[[ $(sed -n 2p "$OUT") =~ ^commit:\ .+ ]] && [[ $(sed -n 3p "$OUT") == 'spec: 1.3.0' ]]
}

features() {
	json '.ociVersionMax == "1.3.0" and (.linux.namespaces | index("mount"))'
}

is_help() {
	contains "$output" Usage
	is "$stderr" ''
}

flag_needs_an_argument() {
	[[ $output$stderr == *'flag needs an argument'* || $output$stderr == *'requires an argument'* ]]
}

# What engines send to update, with one limit that every host has; sets STDIN.
write_update() {
	# shellcheck disable=SC2034 # for exact()
	STDIN=$T/podman1234
	echo '{"memory": {"limit": 0}, "cpu": {"shares": 0, "cpus": ""}, "blockIO": {"weight": 0},
		"unified": {"cgroup.max.depth": "9"}}' >"$STDIN"
}

# A process file as an engine writes it.
write_process() {
	jq '.process | .args = ["/bin/probe"] + $ARGS.positional' config.json --args "$@" >"$T/process.json"
}

# --- the callers ----------------------------------------------------------------------------------

@test "containerd: the shim's calls by go-runc" {
	requires cgroup2 command=ps
	config_args /bin/probe sleep
	write_process sleep
	write_update
	LOG=$BUNDLE/log.json
	live "--root $STATE --log $BUNDLE/log.json --log-format json" <<'EOF'
0|version|--version
0|features|features
0|prints null|@P@ list --format=json
0|digits @B@/init.pid|@P@ create --bundle @B@ --pid-file @B@/init.pid @ID@
0|state created|@P@ state @ID@
0|pids 1|@P@ ps --format json @ID@
0|silent|@P@ start @ID@
0|state running|@P@ state @ID@
0|listed|@P@ list --format=json
0|digits @B@/exec1.pid|@P@ exec --process @T@/process.json --detach --pid-file @B@/exec1.pid @ID@
0|pids 2|@P@ ps --format json @ID@
0|silent|@P@ pause @ID@
0|state paused|@P@ state @ID@
255|says cannot exec in a paused container|@P@ exec --process @T@/process.json --detach --pid-file @B@/exec2.pid @ID@
0|missing @B@/exec2.pid|@P@ resume @ID@
0|silent|@P@ update --resources=- @ID@
0|stats|@P@ events --stats @ID@
1|says checkpoint: not supported yet|@P@ checkpoint --image-path @T@/image --work-path @T@/work --leave-running @ID@
1|says cannot delete container @ID@ that is not stopped: running|@P@ delete @ID@
0|silent|@P@ kill @ID@ 0
0|silent|@P@ kill --all @ID@ 9
0|stopped|@P@ kill --all @ID@ 9
0|state stopped|@P@ state @ID@
1|says container with id @ID@ is not running|@P@ events --interval=5s @ID@
1|says container not running|@P@ kill @ID@ 15
0|silent|@P@ delete @ID@
1|says does not exist|@P@ delete @ID@
1|says does not exist|@P@ kill @ID@ 9
1|says does not exist|@P@ state @ID@
0|silent|@P@ delete --force @ID@
EOF
	nothing_left
}

@test "containerd: options that go-runc adds on demand" {
	requires cgroup2
	config_args /bin/probe sleep
	LOG=$BUNDLE/log.json
	live "--root $STATE --log $BUNDLE/log.json --log-format json --rootless=false" <<'EOF'
0|digits @B@/init.pid|@P@ create --bundle @B@ --pid-file @B@/init.pid --no-pivot --no-new-keyring @ID@
0|silent|@P@ delete --force @ID@
0|digits @B@/init.pid|@P@ run --bundle @B@ --detach --pid-file @B@/init.pid --preserve-fds 0 @ID@
0|state running|@P@ state @ID@
0|silent|@P@ kill @ID@ 9
0|silent|@P@ delete --force @ID@
1|says restore: not supported yet|@P@ restore --image-path @T@/image --work-path @T@/work --detach --pid-file @T@/pid --no-pivot -no-subreaper --bundle @B@ @ID@
0|missing @T@/pid|@P@ delete --force @ID@
EOF
	LOG=$T/log.json
	for word in true false auto; do
		XDG_RUNTIME_DIR=$T exact --rootless="$word" --log "$LOG" list --quiet
		((status == 0))
	done
	nothing_left
}

@test "containerd: the table of ps with the engine's own arguments" {
	requires cgroup2 command=ps
	run_detached "$ID" sleep
	live "--root $STATE" <<'EOF'
0|table|@P@ ps --format table @ID@ -ef
0|table|@P@ ps --format table @ID@ aux
0|table|@P@ ps --format table @ID@ -o user,pid,ppid,comm
EOF
}

@test "containerd: a create that fails leaves nothing, and one message in the log" {
	LOG=$BUNDLE/log.json
	config_args /no/such/program
	live "--root $STATE --log $BUNDLE/log.json --log-format json" <<'EOF'
1|missing @B@/init.pid|@P@ create --bundle @B@ --pid-file @B@/init.pid @ID@
1|says does not exist|@P@ start @ID@
EOF
	nothing_left
}

@test "conmon: create and exec, with its flags in its order" {
	requires cgroup2
	config_args /bin/probe sleep
	write_process exit 3
	mkdir "$T/run"
	LOG=$T/run/oci-log
	live "--root $STATE --log-format=json --log $T/run/oci-log" <<'EOF'
0|digits @T@/run/pidfile|@P@ create --bundle @B@ --pid-file @T@/run/pidfile @ID@
0|state created|@P@ state @ID@
0|silent|@P@ start @ID@
0|nothing|@P@ exec --pid-file @T@/run/exec-pid --process @T@/process.json --detach @ID@
1|says not supported yet|@P@ restore --bundle @B@ --pid-file @T@/run/restore-pid --no-pivot --no-new-keyring --detach --image-path @T@/image --work-path @B@ @ID@
0|missing @T@/run/restore-pid|@P@ delete --force @ID@
0|digits @T@/run/pidfile|@P@ create --bundle @B@ --pid-file @T@/run/pidfile --no-pivot --no-new-keyring --preserve-fds 0 @ID@
0|silent|@P@ delete --force @ID@
EOF
	[[ $(<"$T/run/exec-pid") =~ ^[0-9]+$ ]]
	nothing_left
}

# One message with one descriptor, and a name of 1 to 4095 bytes.
got_terminal() {
	wait_for 5 grep -q . "$RECEIVED"
	[[ $(<"$RECEIVED") =~ ^[^\ ]{1,4095}\ 1\  ]]
}

# Starts who waits for a terminal at a socket.
await_terminal() {
	background "$CACHE_DIR/probe" receive-fd "$1" hold
	RECEIVED=$OUT
	wait_for 5 test -S "$1"
}

@test "containerd and conmon: terminals go to the console socket" {
	config '.process.terminal = true'
	config_args /bin/probe sleep
	jq '.process | .terminal = true' config.json >"$T/process.json"
	LOG=$T/log
	await_terminal "$T/pty.sock"
	live "--root $STATE --log $T/log --log-format json" <<'EOF'
0|got_terminal|@P@ create --bundle @B@ --pid-file @B@/init.pid --console-socket @T@/pty.sock @ID@
0|silent|@P@ start @ID@
EOF
	await_terminal "$T/exec.sock"
	live "--root $STATE --log $T/log --log-format json" <<'EOF'
0|got_terminal|@P@ exec --process @T@/process.json --console-socket @T@/exec.sock --detach --pid-file @B@/exec.pid @ID@
EOF
	await_terminal "$T/conmon.sock"
	live "--root $STATE --log $T/log --log-format json" <<'EOF'
0|got_terminal|@P@ exec --pid-file @T@/exec-pid --process @T@/process.json --detach --console-socket @T@/conmon.sock @ID@
1|nothing|@P@ create --bundle @B@ --pid-file @B@/init.pid @ID@-2
0|silent|@P@ delete --force @ID@
EOF
}

@test "conmon: an exec that fails writes no pid file" {
	run_detached "$ID" sleep
	jq '.process | .args = ["/no/such"]' config.json >"$T/process.json"
	LOG=$T/oci-log
	live "--root $STATE --log-format=json --log $T/oci-log" <<'EOF'
255|missing @T@/exec-pid|@P@ exec --pid-file @T@/exec-pid --process @T@/process.json --detach @ID@
255|missing @T@/exec-pid|@P@ exec --pid-file @T@/exec-pid --process @T@/no-such.json --detach @ID@
EOF
}

@test "podman: the life of a container" {
	requires cgroup2
	config_args /bin/probe trap 1 15
	write_update
	LOG=$T/oci-log
	live "--root $STATE --log-format=json --log $T/oci-log" <<'EOF'
0|digits @T@/pid|@P@ create --bundle @B@ --pid-file @T@/pid @ID@
0|silent|@P@ start @ID@
0|state running|@P@ state @ID@
0|silent|@P@ pause @ID@
0|silent|@P@ resume @ID@
0|silent|@P@ update --resources=@T@/podman1234 @ID@
1|says not supported yet|@P@ checkpoint --image-path @B@/checkpoint --work-path @B@ --leave-running --tcp-established --file-locks --pre-dump --parent-path ../pre @ID@
0|stopped|@P@ kill --all @ID@ 15
1|says container not running|@P@ kill @ID@ 9
0|silent|@P@ delete --force @ID@
0|silent|@P@ delete --force @ID@
0|nothing|--log-format=json --log @T@/oci-log --root @STATE@ --cgroup-manager disabled create --bundle @B@ --pid-file @T@/pid @ID@
0|silent|@P@ start @ID@
0|silent|@P@ kill @ID@ 9
0|silent|@P@ delete --force @ID@
EOF
	nothing_left
}

@test "podman: what it asks a runtime about itself" {
	live '' <<'EOF'
0|version|--version
0|is_help|checkpoint --help
1|flag_needs_an_argument|restore --lsm-mount-context
0|features|features
EOF
}

@test "podman: messages that become exit statuses 126 and 127" {
	LOG=$T/oci-log
	config_args no-such-program
	live "--root $STATE --log-format=json --log $T/oci-log" <<'EOF'
1|says executable file not found in|@P@ create --bundle @B@ --pid-file @T@/pid @ID@
EOF
	config_args /no/such/program
	exact --root "$STATE" create --bundle "$BUNDLE" "$ID"
	grep -qiE 'no such file or directory' "$ERR"
	config_args /etc/passwd
	exact --root "$STATE" create --bundle "$BUNDLE" "$ID"
	grep -qiE 'permission denied|operation not permitted' "$ERR"
	nothing_left
}

@test "cri-o: --root with an equals sign, exec in the foreground" {
	requires cgroup2
	config_args /bin/probe sleep
	write_process exit 5
	write_update
	live "--root=$STATE" <<'EOF'
0|digits @T@/pid|@P@ create --bundle @B@ --pid-file @T@/pid @ID@
0|silent|@P@ start @ID@
5|silent|@P@ exec --process @T@/process.json @ID@
0|silent|@P@ pause @ID@
0|silent|@P@ resume @ID@
0|silent|@P@ update --resources - @ID@
0|state running|@P@ state @ID@
0|stopped|@P@ kill @ID@ 9
0|silent|@P@ delete --force @ID@
1|says does not exist|@P@ state @ID@
EOF
	nothing_left
}

@test "the log gets the failure of a wrong command line too" {
	LOG=$T/log
	live "--root $STATE --log $T/log --log-format json" <<'EOF'
1|says unknown option|@P@ create --no-such-option @ID@
1|says unknown command|@P@ no-such-command
255|says unknown option|@P@ exec --no-such-option @ID@ true
1|says missing argument|@P@ start
EOF
}
