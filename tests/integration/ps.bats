#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ps: the processes of a container, as numbers and as lines of ps(1).

load helpers

@test "json is one line with all numbers, ascending" {
	requires cgroup2
	run_detached "$ID" sleep
	berth ps --format json "$ID"
	is "$output" "[$PID]"
	is "$(wc -l <"$OUT")" 1
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	berth ps -f json "$ID"
	is "$output" "$(printf '%s\n' "$PID" "$(<"$T/exec.pid")" | sort -n | jq -cs .)"
	berth ps --format=json "$ID"
	json 'length == 2'
}

@test "processes in cgroups below belong to it, whatever their names" {
	requires cgroup2
	run_detached "$ID" sleep
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	mkdir -p "$(cgroup_of "$PID")/a b/-c"
	cp "$T/exec.pid" "$(cgroup_of "$PID")/a b/-c/cgroup.procs"
	berth ps -f json "$ID"
	json 'index($p)' --argjson p "$(<"$T/exec.pid")"
}

@test "the table is the heading and the container's lines of ps -ef" {
	requires cgroup2 command=ps
	run_detached "$ID" sleep
	berth ps "$ID"
	is "$(wc -l <"$OUT")" 2
	contains "$(head -n 1 "$OUT")" PID
	is "$(awk 'NR == 2 { print $2 }' "$OUT")" "$PID"
	contains "$output" '/bin/probe sleep'
	berth ps --format table "$ID"
	is "$(wc -l <"$OUT")" 2
}

@test "arguments after the id go to ps(1), flags included" {
	requires cgroup2 command=ps
	run_detached "$ID" sleep
	berth ps "$ID" -eo user,pid,args
	is "$(head -n 1 "$OUT" | tr -s ' ')" 'USER PID COMMAND'
	is "$(awk 'NR == 2 { print $2 }' "$OUT")" "$PID"
	berth ps "$ID" aux
	is "$(wc -l <"$OUT")" 2
	berth ps "$ID" -e -o ppid,pid
	is "$(awk 'NR == 2 { print $2 }' "$OUT")" "$PID"
}

@test "what ps(1) cannot do is one line" {
	requires cgroup2 command=ps
	run_detached "$ID" sleep
	berth_fails 'no column PID' ps "$ID" -eo args
	berth_fails 'ps' ps "$ID" --no-such-option
	berth_call_without_path ps "$ID"
	((status == 1))
	one_line_error 'executable file not found'
}

berth_call_without_path() {
	OUT=$T/out.path ERR=$T/err.path status=0
	PATH=/nowhere "$RUNTIME" --root "$STATE" "$@" >"$OUT" 2>"$ERR" || status=$?
	read_file stderr "$ERR"
}

@test "created, paused, stopped" {
	requires cgroup2 command=ps
	config_args /bin/probe sleep
	berth create --pid-file "$T/pid" "$ID"
	berth ps -f json "$ID"
	is "$output" "[$(<"$T/pid")]"
	berth start "$ID"
	berth pause "$ID"
	berth ps -f json "$ID"
	is "$output" "[$(<"$T/pid")]"
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	wait_for 5 is_empty
	berth ps -f json "$ID"
	is "$output" null
	berth ps "$ID"
	is "$(wc -l <"$OUT")" 1
}

is_empty() {
	"$RUNTIME" --root "$STATE" ps -f json "$ID" | grep -q null
}

@test "unknown containers, formats, no id" {
	berth_fails 'does not exist' ps "$ID"
	berth_fails nonsense ps --format nonsense "$ID"
	berth_exits 1 ps
}

@test "without a cgroup: the processes of its pid namespace, and an error without one" {
	config_args /bin/probe sleep
	berth --cgroup-manager disabled run -d --pid-file "$T/pid" "$ID"
	berth ps -f json "$ID"
	is "$output" "[$(<"$T/pid")]"
	berth delete --force "$ID"
	config '.linux.namespaces |= map(select(.type != "pid"))'
	berth --cgroup-manager disabled run -d "$ID"
	berth_fails 'neither a cgroup nor a pid namespace' ps "$ID"
}
