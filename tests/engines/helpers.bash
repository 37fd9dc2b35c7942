# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by the cases of all engines. They run inside lab.sh, one at a time, so everything that
# comes into being between setup and teardown was made by the case; nothing of it may be left.
#
# Environment: RUNTIME, the name of the runtime (berth, crun, runc); LAB, from lab.sh.

# --- nothing is left -----------------------------------------------------------------------------

# Everything that a container can leave, as text, one line a thing.
lab_things() {
	local device root place rest pid

	while read -r _ _ device root place rest; do
		echo "mount $device $root $place"
	done </proc/self/mountinfo
	find /sys/fs/cgroup -mindepth 1 -type d -printf 'cgroup %P\n'
	find /run/berth /run/crun /run/runc "/run/user/$UID"/{berth,crun,runc} /run/containerd/runc \
		-mindepth 1 -maxdepth 2 ! -path '*/@*' ! -path '*/.*' -printf 'state %p\n' 2>/dev/null || true
	find /run/netns "/run/user/$UID/netns" -mindepth 1 -printf 'netns %p\n' 2>/dev/null || true
	find /run/containerd/s -mindepth 1 -printf 'socket %p\n' 2>/dev/null || true
	for pid in /proc/[0-9]*; do
		[[ ! -e $pid/exe ]] || echo "process ${pid#/proc/}"
	done
}

# is_ours PID: this shell or a descendant, or dead, or gone meanwhile.
is_ours() {
	local pid=$1 stat

	while ((pid > 1)); do
		[[ $pid != "$$" ]] || return 0
		read -r stat 2>/dev/null <"/proc/$pid/stat" || return 0
		stat=${stat##*) }
		[[ $stat != Z* ]] || return 0
		stat=${stat#* }
		pid=${stat%% *}
	done
	return 1
}

# What is there now and was not before, but for this shell's own processes.
new_things() {
	local kind name

	comm -13 "$THINGS" <(lab_things | sort) | while read -r kind name; do
		[[ $kind == process ]] && is_ours "$name" && continue
		[[ $kind != process ]] || name+=" $(tr '\0' ' ' 2>/dev/null <"/proc/$name/cmdline")"
		echo "$kind $name"
	done
}

remember_things() {
	THINGS=$BATS_TEST_TMPDIR/things
	lab_things | sort >"$THINGS"
}

# Engines end some of their helpers a moment later.
check_things() {
	local left end=$((SECONDS + 3))

	while left=$(new_things) && [[ -n $left ]] && ((SECONDS < end)); do
		sleep 0.05
	done
	[[ -z $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# --- assertions ----------------------------------------------------------------------------------

fail() {
	printf '%s\n' "$*" >&2
	printf 'status %s\noutput: %s\nstderr: %s\n' "${status-}" "${output-}" "${stderr-}" >&2
	return 1
}

# call COMMAND...: runs it; sets status, output and stderr. STDIN names the file that it reads.
call() {
	status=0
	timeout -k 2 60 "$@" <"${STDIN:-/dev/null}" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- || status=$?
	output=$(tr -d '\0' <"$BATS_TEST_TMPDIR/out")
	stderr=$(tr -d '\0' <"$BATS_TEST_TMPDIR/err")
}

# The last output is $1, whole.
is() {
	[[ $output == "$1" ]] || fail "expected: $1"
}

# The last output has $1 in it.
has() {
	[[ $output == *"$1"* ]] || fail "expected in the output: $1"
}

hasnt() {
	[[ $output != *"$1"* ]] || fail "not expected in the output: $1"
}

# says TEXT: the last error has the text in it.
says() {
	[[ $stderr == *"$1"* ]] || fail "expected on stderr: $1"
}

# eventually COMMAND...: it succeeds within some seconds.
eventually() {
	local end=$((SECONDS + 10))

	until "$@"; do
		((SECONDS < end)) || fail "never true: $*" || return 1
		sleep 0.05
	done
}

# controllers NAME...: skips the case where the hierarchy lacks one of them.
controllers() {
	local name

	for name in "$@"; do
		[[ " $(<"/sys/fs/cgroup/cgroup.controllers") " == *" $name "* ]] ||
			skip "no $name controller here"
	done
}
