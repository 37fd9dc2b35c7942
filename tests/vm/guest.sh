#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of a machine, in its final root: sets up what a booted system has, runs the job, hands
# back its exit status, and switches off. /run/vm is the directory shared with the host: job.sh is
# what is to be run, status its exit status.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount_kernel_files() {
	mount -t proc -o nosuid,nodev,noexec proc /proc
	mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
	mount -t devtmpfs -o mode=755 dev /dev
	mkdir -p /dev/pts /dev/shm /dev/mqueue
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
	mount -t securityfs securityfs /sys/kernel/security
	mount -t mqueue mqueue /dev/mqueue
	ln -sf /proc/self/fd /dev/fd
	ln -sf /proc/self/fd/0 /dev/stdin
	ln -sf /proc/self/fd/1 /dev/stdout
	ln -sf /proc/self/fd/2 /dev/stderr
}

# All controllers for whatever is made at the top; the tests themselves are in a leaf.
mount_cgroups() {
	local controllers

	mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup || return
	mkdir /sys/fs/cgroup/job
	echo 1 >/sys/fs/cgroup/job/cgroup.procs
	controllers=$(</sys/fs/cgroup/cgroup.controllers)
	echo "+${controllers// / +}" >/sys/fs/cgroup/cgroup.subtree_control
}

# A terminal of the host is handed through; otherwise the job gets no input, and a pipe.
run_job() {
	if [[ -n ${VM_TERMINAL:-} ]]; then
		setsid -c -w bash /run/vm/job.sh <>"$1" >&0 2>&1
	else
		stty -F "$1" raw -echo
		bash /run/vm/job.sh </dev/null 2>&1 | cat >"$1"
		return "${PIPESTATUS[0]}"
	fi
}

mount_kernel_files
mount_cgroups
ip link set lo up
hostname berth-vm
mkdir -m 1777 /run/tmp
# In memory, where an overlay can have its upper directory.
export TMPDIR=/run/tmp HOME=/root
case "$VM_KIND" in
uml) run_job /dev/tty1 ;;
qemu) run_job /dev/ttyS1 ;;
esac
echo "$?" >/run/vm/status
sync
busybox poweroff -f
