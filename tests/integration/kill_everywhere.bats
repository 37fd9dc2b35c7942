#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL to berth at any system call: what remains, delete --force removes completely.
#
# A first run under strace lists berth's own system calls; then the command is run once for each of
# them, with the signal at its entry, before the call is made. KILL_STEP=N takes every Nth only.

load helpers

# A build with sanitizers cannot look for leaks while it is traced.
export ASAN_OPTIONS=detect_leaks=0

# Lists the system calls of a command in the file calls, one a line: name and number of occurrence.
list_calls() {
	requires command=strace
	BERTH_TEST=$ID timeout -k 2 20 strace -q -o "$T/trace" "$RUNTIME" --root "$STATE" "$@" \
		>"$T/out.listed" 2>"$T/err.listed" </dev/null 3>&- 4>&- || true
	# Not the execve by which strace starts it.
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" | awk '{ print $1, ++seen[$1] }' |
		sed 1d >"$T/calls"
	(($(wc -l <"$T/calls") > 20)) || fail "a short list of system calls: $(cat "$T/err.listed")"
}

# The entries $1, $1 + $2, ... of the list.
some_calls() {
	awk -v first="$1" -v step="$(($2 * ${KILL_STEP:-1}))" \
		'NR >= first && (NR - first) % step == 0' "$T/calls"
}

# Runs berth with KILL at the entry of the $2nd call of $1; the status is 137 when it was killed.
killed_at() {
	local call=$1 n=$2

	shift 2
	status=0
	BERTH_TEST=$ID timeout -k 2 20 strace -q -o /dev/null -e "trace=$call" \
		-e "inject=$call:signal=SIGKILL:when=$n" "$RUNTIME" --root "$STATE" "$@" \
		>"$T/out.killed" 2>"$T/err.killed" </dev/null 3>&- 4>&- || status=$?
	((status == 0 || status == 137)) ||
		fail "killed at $call $n: exit status $status: $(<"$T/err.killed")"
	tried=$((${tried:-0} + 1))
	((status == 0)) || killed=$((${killed:-0} + 1))
}

# Most of the calls of the list must have been met.
enough_killed() {
	((killed * 10 >= tried * 9)) || fail "killed at $killed of $tried calls only"
}

# delete --force must succeed, list must not fail, and nothing may be left.
clean_up_after() {
	"$RUNTIME" --root "$STATE" list -q >/dev/null 2>"$T/err.list" ||
		fail "after $1: list fails: $(<"$T/err.list")"
	BERTH_TEST=$ID timeout -k 2 20 "$RUNTIME" --root "$STATE" delete --force "$ID" 2>"$T/err.delete" ||
		fail "after $1: delete --force fails: $(<"$T/err.delete")"
	nothing_left || fail "after $1"
}

# Kills create at the calls $1, $1 + $2, ... of its list.
kill_create() {
	local call n

	config '.hooks.createRuntime = [{path: "/bin/true"}] |
		.linux.resources.unified = {"cgroup.max.depth": "3"} | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	config_args /bin/true
	list_calls create --pid-file "$T/pid" "$ID"
	status_is "$ID" created
	clean_up_after create
	while read -r call n; do
		killed_at "$call" "$n" create --pid-file "$T/pid" "$ID"
		clean_up_after "$call $n"
	done < <(some_calls "$1" "$2")
	enough_killed
}

@test "create killed at every odd system call" {
	kill_create 1 2
}

@test "create killed at every even system call" {
	kill_create 2 2
}

@test "start killed at every system call" {
	local call n

	config_args /bin/true
	berth create "$ID"
	list_calls start "$ID"
	clean_up_after start
	while read -r call n; do
		berth create "$ID"
		killed_at "$call" "$n" start "$ID"
		clean_up_after "$call $n"
	done < <(some_calls 1 1)
	enough_killed
}

@test "delete --force killed at every system call" {
	local call n

	config_args /bin/probe orphans 2 stay
	berth run -d "$ID"
	list_calls delete --force "$ID"
	nothing_left
	while read -r call n; do
		berth run -d "$ID"
		killed_at "$call" "$n" delete --force "$ID"
		clean_up_after "$call $n"
	done < <(some_calls 1 1)
}

@test "run killed at every third system call" {
	local call n

	config_args /bin/true
	list_calls run "$ID"
	while read -r call n; do
		killed_at "$call" "$n" run "$ID"
		clean_up_after "$call $n"
	done < <(some_calls 1 3)
}

@test "exec killed at every third system call: the container goes on" {
	local call n

	run_detached "$ID" sleep
	list_calls exec "$ID" /bin/true
	while read -r call n; do
		killed_at "$call" "$n" exec "$ID" /bin/true
		status_is "$ID" running || fail "killed at $call $n: $(status_of "$ID")"
	done < <(some_calls 1 3)
	berth exec "$ID" /bin/echo fine
	is "$output" fine
}

@test "after the delete of what a killed create left, the id can be used" {
	local call n

	config_args /bin/echo fine
	list_calls create "$ID"
	clean_up_after create
	while read -r call n; do
		killed_at "$call" "$n" create "$ID"
		berth delete --force "$ID"
		berth run "$ID"
		is "$output" fine
	done < <(some_calls 5 20)
}
