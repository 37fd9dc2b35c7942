#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.execCPUAffinity: the processors of berth that executes, and of the process that it adds.

load helpers

# FIRST and SECOND: two processors that we may run on, alone or with others.
two_processors() {
	local all=()

	mapfile -t all < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
	((${#all[@]} > 1)) || skip 'needs two processors'
	FIRST=${all[0]}
	SECOND=${all[1]}
	OWN=$(allowed_of self)
}

allowed_of() {
	sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"
}

# affinity [INITIAL [FINAL]]: the container's.
affinity() {
	config '.process.execCPUAffinity = ({initial: $i, final: $f} | map_values(select(. != "")))' \
		--arg i "${1:-}" --arg f "${2:-}"
}

# exec_is LIST [OPTION...]: the processors of a process that exec adds.
exec_is() {
	local expected=$1

	shift
	berth exec "$@" "$ID" /bin/sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	is "$output" "$expected"
}

# process_file FILTER: the container's own process, changed.
process_file() {
	jq ".process | .args = [\"/bin/sed\", \"-n\", \"s/^Cpus_allowed_list:\\t//p\",
		\"/proc/self/status\"] | $1" --arg f "$FIRST" --arg s "$SECOND" config.json >"$T/process.json"
}

@test "the container's own process keeps those of its caller" {
	two_processors
	affinity "$FIRST" "$SECOND"
	run_script "sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status"
	is "$output" "$OWN"
}

@test "exec: final" {
	two_processors
	affinity '' "$SECOND"
	run_detached "$ID" sleep
	exec_is "$SECOND"
	is "$(allowed_of "$PID")" "$OWN"
}

@test "exec: initial is berth's, final the process's" {
	two_processors
	affinity "$FIRST" "$SECOND"
	run_detached "$ID" sleep
	berth_background exec --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	wait_for 10 grep -q ready "$OUT"
	is "$(allowed_of "$BG_PID")" "$FIRST"
	is "$(allowed_of "$(<"$T/exec.pid")")" "$SECOND"
	is "$(allowed_of "$PID")" "$OWN"
}

# after_initial LIST: what the kernel makes of them in the cgroup. Without a cpuset they stay;
# entering one ends them before Linux 6.2.
after_initial() {
	[[ $output == "$1" ]] || { has_controller cpuset && [[ $output == "$OWN" ]]; } ||
		fail "'$output', not '$1'"
}

@test "exec: initial alone, and the kernel decides what stays of it" {
	two_processors
	affinity "$SECOND"
	run_detached "$ID" sleep
	berth exec "$ID" /bin/sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	after_initial "$SECOND"
	is "$(allowed_of self)" "$OWN"
}

@test "exec: the cpuset of the cgroup stands above initial" {
	requires controller=cpuset
	two_processors
	affinity "$SECOND"
	config '.linux.resources.cpu.cpus = $f' --arg f "$FIRST"
	run_detached "$ID" sleep
	exec_is "$FIRST"
	is "$(allowed_of self)" "$OWN"
}

@test "exec: final outside of the cpuset is refused, and within it is taken" {
	requires controller=cpuset
	two_processors
	affinity "$SECOND" "$SECOND"
	config '.linux.resources.cpu.cpus = $f' --arg f "$FIRST"
	run_detached "$ID" sleep
	berth_exits 255 exec "$ID" /bin/true
	one_line_error "process.execCPUAffinity.final: none of the processors \"$SECOND\" is online"
	process_file '.execCPUAffinity = {initial: $s, final: ($f + "," + $s)}'
	berth exec --process "$T/process.json" "$ID"
	is "$output" "$FIRST"
}

@test "exec --process brings its own; without one it has the container's" {
	two_processors
	affinity '' "$SECOND"
	run_detached "$ID" sleep
	process_file '.execCPUAffinity = {final: $f}'
	berth exec --process "$T/process.json" "$ID"
	is "$output" "$FIRST"
	for filter in 'del(.execCPUAffinity)' '.execCPUAffinity = {initial: "", final: null}'; do
		process_file "$filter"
		berth exec --process "$T/process.json" "$ID"
		is "$output" "$SECOND"
	done
	# What it brings, it brings as a whole.
	process_file '.execCPUAffinity = {initial: $f}'
	berth exec --process "$T/process.json" "$ID"
	after_initial "$FIRST"
}

@test "exec in a user namespace, as another user, detached" {
	two_processors
	chmod 755 "$T" "$BUNDLE"
	affinity "$FIRST" "$SECOND"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	run_detached "$ID" sleep
	exec_is "$SECOND"
	exec_is "$SECOND" --user 5:6
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	wait_for 10 grep -q ready "$OUT"
	is "$(allowed_of "$(<"$T/exec.pid")")" "$SECOND"
}

@test "numbers above 1024, whatever the kernel has" {
	two_processors
	affinity "$FIRST,1500-2000" "1024,8191,$SECOND"
	run_detached "$ID" sleep
	exec_is "$SECOND"
}

@test "processors that are not there: the field by its name, and nothing is left" {
	affinity 4000-8191
	run_detached "$ID" sleep
	berth_exits 255 exec "$ID" /bin/true
	one_line_error 'process.execCPUAffinity.initial: none of the processors "4000-8191" is online'
	jq '.process | .execCPUAffinity = {final: "8191"}' config.json >"$T/process.json"
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error 'process.execCPUAffinity.final: none of the processors "8191" is online'
	jq '.process | .args = ["/bin/true"] | .execCPUAffinity = {final: "0-8191"}' config.json \
		>"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	berth delete --force "$ID"
	nothing_left
}

@test "a list that is none stops create, and exec" {
	run_detached "$ID" sleep
	jq '.process | .execCPUAffinity = {final: "0-x"}' config.json >"$T/process.json"
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error 'execCPUAffinity.final: "0-x" is not a list of numbers'
	berth delete --force "$ID"
	affinity 1-0
	berth_fails 'process.execCPUAffinity.initial: "1-0" is not a list of numbers' create "$ID"
	nothing_left
}
