#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A machine in its final root: sets up what a booted system has, runs the job, hands back its exit
# status, and switches off. /run/vm is the directory shared with the host: job.sh is what is to be
# run, status its exit status.
#
# This is process 1; or, where VM_INIT says so, systemd takes its place, and starts `guest.sh job`
# as vm-job.service.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount_kernel_files() {
	mount -t proc -o nosuid,nodev,noexec proc /proc
	mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
	mount -t devtmpfs -o mode=755 dev /dev
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
	mount -t securityfs securityfs /sys/kernel/security
	ln -sf /proc/self/fd /dev/fd
	ln -sf /proc/self/fd/0 /dev/stdin
	ln -sf /proc/self/fd/1 /dev/stdout
	ln -sf /proc/self/fd/2 /dev/stderr
}

# pass_controllers CGROUP: all of them for whatever is made there, but for what is in the leaf job.
pass_controllers() {
	local controllers

	mkdir "$1/job"
	echo "$$" >"$1/job/cgroup.procs"
	controllers=$(<"$1/cgroup.controllers")
	echo "+${controllers// / +}" >"$1/cgroup.subtree_control"
}

# What is not yet labelled, this process too, is so from here on.
load_policy() {
	mount -t selinuxfs selinuxfs /sys/fs/selinux
	cat /run/vm/policy >/sys/fs/selinux/load
	echo 1 >/sys/fs/selinux/enforce
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

# run_and_end CGROUP: of the job.
run_and_end() {
	mkdir -p /dev/mqueue
	mount -t mqueue mqueue /dev/mqueue
	pass_controllers "$1"
	[[ ! -e /run/vm/policy ]] || load_policy
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
}

if [[ ${1:-} == job ]]; then
	run_and_end "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)"
elif [[ ${VM_INIT:-} == systemd ]]; then
	# shellcheck source=tests/vm/systemd.sh
	. "$VM_TREE/tests/vm/systemd.sh"
else
	mount_kernel_files
	mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
	ip link set lo up
	hostname berth-vm
	run_and_end /sys/fs/cgroup
fi
