#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run one program against one runtime in a cell: namespaces and a cgroup of their own.
#
# usage: cell.sh PROGRAM RUNTIME RESULT-DIRECTORY
#
# Three stages, each a new start of this script. outside makes a cgroup and enters it. at_door has
# mount and cgroup namespaces: that cgroup becomes the root of the only hierarchy, and the process
# moves to a leaf, so that controllers can be passed on to containers. inside has a pid namespace
# too, runs the program and looks at what is left. /run and the bundles lie on a tmpfs; mounts are
# shared, as on a host with systemd. So all that a runtime leaves is seen in the cell, belongs to
# nobody else, and goes away with the cell.
#
# Files written: out and err (what the program printed), status (its exit status), seconds, and
# left (one line for each thing that was there afterwards and not before).

. "$(dirname "$0")/lib.sh"

timeout_s=120
grace_s=2

# Programs that send a signal before the container's process can be ready for it; see late-kill.
hasty=(killsig)
# Programs that want to see /bin/true running; see long-payload.
patient=(pidfile)

# Make the cell's cgroup and print its path.
make_cgroup() {
	local root
	root=$(findmnt -n -t cgroup2 -o TARGET | sed -n 1p)
	[[ -n $root ]] || die "no cgroup2 hierarchy is mounted"
	mktemp -d "$root/conformance.XXXXXX"
}

# Remove cgroup $1 and all below it; the cell's end has killed whoever was in there.
remove_cgroup() {
	[[ -d $1 ]] || return 0
	find "$1" -depth -type d -exec rmdir {} +
}

# Start the next stage in the cell's cgroup, and clear away afterwards.
outside() {
	cgroup=$(make_cgroup)
	trap 'remove_cgroup "$cgroup"' EXIT
	mkdir -p "$result"
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec unshare --mount --cgroup "$0" --stage=at_door "$program" "$runtime" "$result"
	)
}

# Mount the cell's own cgroup hierarchy, leave its root, and start the last stage.
at_door() {
	umount -R /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir /sys/fs/cgroup/cell
	echo $$ >/sys/fs/cgroup/cell/cgroup.procs
	sed 's/\</+/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
	exec unshare --pid --fork --kill-child "$0" --stage=inside \
		"$program" "$runtime" "$result"
}

# Mount the cell's own /proc and /run.
furnish() {
	mount -t proc proc /proc
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir /run/bundles
	mount --make-rshared /
}

# Print the processes of the cell that are alive, without this shell and its children.
list_processes() {
	local directory pid comm state parent
	for directory in /proc/[0-9]*; do
		pid=${directory#/proc/}
		read -r _ comm state parent _ <"$directory/stat" 2>/dev/null || continue
		[[ $pid == 1 || $state == Z || $pid == "$BASHPID" ]] && continue
		echo "process $comm, child of $parent"
	done
}

# Wait a little for processes that are about to exit, then print those that stay.
list_staying() {
	local end=$((SECONDS + grace_s)) found
	found=$(list_processes)
	while [[ -n $found ]] && ((SECONDS < end)); do
		sleep 0.1
		found=$(list_processes)
	done
	[[ -z $found ]] || echo "$found"
}

# Print the mounts, cgroups and state directories that are there now. A name in /run/RUNTIME that no
# container can have is no state, but a cache.
list_rest() {
	awk '{ print "mount " $5 }' /proc/self/mountinfo
	find /sys/fs/cgroup -mindepth 1 -type d ! -path '/sys/fs/cgroup/cell*' -printf 'cgroup %P\n'
	find /run -mindepth 2 -maxdepth 2 -regex '/run/[a-z]+/[A-Za-z0-9_+-][A-Za-z0-9_+.-]*' \
		! -path '/run/bundles/*' -printf 'state %P\n'
}

# Run the program, note how it ended, and list what it left.
inside() {
	local status=0 before began
	furnish
	before=$(list_rest)
	began=$EPOCHREALTIME
	cd "$work/programs"
	export TMPDIR=/run/bundles RUNTIME=$runtime REAL_RUNTIME=$runtime
	[[ " ${hasty[*]} " != *" $program "* ]] || RUNTIME=$here/late-kill
	[[ " ${patient[*]} " != *" $program "* ]] || RUNTIME=$here/long-payload
	timeout --kill-after=5 "$timeout_s" "bin/$program" </dev/null \
		>"$result/out" 2>"$result/err" || status=$?
	awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", b - a }' >"$result/seconds"
	{
		list_staying
		comm -13 <(sort <<<"$before") <(list_rest | sort)
	} >"$result/left"
	echo "$status" >"$result/status"
}

stage=outside
if [[ $1 == --stage=* ]]; then
	stage=${1#--stage=}
	shift
fi
program=$1 runtime=$2 result=$3
"$stage"
