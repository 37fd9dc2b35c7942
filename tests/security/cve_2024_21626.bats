#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CVE-2024-21626: a working directory like /proc/self/fd/7 leads through a leaked descriptor to the
# host. For every number, in all spellings, by run and by exec: refused, or inside.

load ../integration/helpers

NUMBERS=({0..40} 255 1023)

# What the probe printed must be a working directory inside; a refusal is one line and status $1.
inside_or_refused() {
	if ((status == 0)); then
		json '.cwd_inside and (.cwd | startswith("/"))'
	else
		((status == $1)) || fail "exit status $status"
		one_line_error ''
	fi
}

# Tries run with each working directory made from a pattern, where N is the number.
try_run() {
	local n

	config '.process.cwd = "@CWD@" | .root.readonly = false'
	config_args /bin/probe
	cp config.json "$T/pattern.json"
	for n in "${NUMBERS[@]}"; do
		sed "s#@CWD@#${1//N/$n}#" "$T/pattern.json" >config.json
		berth_call run "$ID"
		inside_or_refused 1
	done
	nothing_left
}

@test "run: /proc/self/fd/N" {
	try_run /proc/self/fd/N
}

@test "run: /proc/thread-self/fd/N" {
	try_run /proc/thread-self/fd/N
}

@test "run: /dev/fd/N" {
	try_run /dev/fd/N
}

@test "run: deeper, through /proc/self/fd/N" {
	try_run /proc/self/fd/N/../../..
}

@test "run: a link in the root" {
	local n

	for n in "${NUMBERS[@]}"; do
		ln -s "/proc/self/fd/$n" "rootfs/l$n"
	done
	try_run /lN
}

@test "run with leaked descriptors of the caller" {
	exec 7</ 8<"$VICTIM" 9</sys/fs/cgroup
	NUMBERS=({3..20})
	try_run /proc/self/fd/N
	exec 7<&- 8<&- 9<&-
}

@test "run: a passed descriptor may be entered only if it is inside" {
	config '.process.cwd = "/proc/self/fd/3"'
	config_args /bin/probe
	status=0
	(BERTH_TEST=$ID exec "$RUNTIME" --root "$STATE" run --preserve-fds 1 "$ID" \
		3<"$VICTIM" >"$T/out" 2>"$T/err" </dev/null) || status=$?
	((status != 0)) || fail "ran: $(jq -c '[.cwd, .cwd_inside]' "$T/out")"
}

# The same by exec: --cwd and the cwd of a process file.
try_exec() {
	local n

	run_detached "$ID" sleep
	jq '.process | .args = ["/bin/probe"] | .cwd = "@CWD@"' config.json >"$T/pattern.json"
	for n in "${NUMBERS[@]}"; do
		berth_call exec --cwd "${1//N/$n}" "$ID" /bin/probe
		inside_or_refused 255
		sed "s#@CWD@#${1//N/$n}#" "$T/pattern.json" >"$T/process.json"
		berth_call exec --process "$T/process.json" "$ID"
		inside_or_refused 255
	done
}

@test "exec: /proc/self/fd/N" {
	try_exec /proc/self/fd/N
}

@test "exec: /proc/thread-self/fd/N and a link" {
	local n

	for n in "${NUMBERS[@]}"; do
		ln -s "/proc/thread-self/fd/$n" "rootfs/l$n"
	done
	try_exec /lN
}

@test "exec with leaked descriptors of the caller" {
	exec 7</ 8<"$VICTIM" 9</sys/fs/cgroup
	NUMBERS=({3..20})
	try_exec /proc/self/fd/N
	exec 7<&- 8<&- 9<&-
}

@test "the program itself through /proc/self/fd/N" {
	local n program

	# A program that only the host has at that path.
	program=../../../../../../../..$SUITE/rootfs/bin/probe
	config '.process.args = ["@PROGRAM@", "exit", "33"]'
	cp config.json "$T/pattern.json"
	for n in {3..20}; do
		sed "s#@PROGRAM@#/proc/self/fd/$n/$program#" "$T/pattern.json" >config.json
		berth_exits 1 run "$ID"
	done
	for n in {3..20}; do
		printf '#!/proc/self/fd/%s/%s\n' "$n" "$program" >rootfs/bin/script
		chmod 755 rootfs/bin/script
		config_args /bin/script
		berth_exits 1 run "$ID"
	done
}

# A directory that init holds open must not lead out: from it, ".." ends at the container's root.
leads_inside() {
	local up=$1/. n

	for n in {1..40}; do
		up+=/..
	done
	[[ $(stat -L -c %d:%i "$up") == $(stat -L -c %d:%i "/proc/$PID/root/.") ]]
}

@test "no descriptor of the host is left in init, before and after start" {
	local fd

	config_args /bin/probe sleep
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	for fd in "/proc/$PID/fd"/*; do
		[[ ! -d $fd/. ]] || leads_inside "$fd" ||
			fail "init holds the directory $(readlink "$fd") of the host"
	done
	berth start "$ID"
	wait_for 5 status_is "$ID" running
	is "$(find "/proc/$PID/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' ')" '0 1 2 '
}

@test "no descriptor of the host is left in the process of an exec" {
	run_detached "$ID" sleep
	berth exec -d --pid-file "$T/pid" "$ID" /bin/probe sleep
	wait_for 5 grep -q ready "$OUT"
	is "$(find "/proc/$(<"$T/pid")/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' ')" '0 1 2 '
}
