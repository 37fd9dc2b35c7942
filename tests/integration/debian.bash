# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A Debian root file system, and a configuration for it like Docker's.

# debian_tree NAME PACKAGE...: a minimal Debian with these packages more, in the cache by that name;
# made once, by the first test that needs it.
debian_tree() {
	local tree=$CACHE_DIR/$1

	exec {lock}>"$CACHE_DIR/.debian-lock"
	flock "$lock"
	if [[ ! -e $tree/.complete ]]; then
		rm -rf "$tree"
		make_debian "$tree" "${@:2}" >"$tree.log" 2>&1 || {
			exec {lock}>&-
			skip "no Debian root file system could be made, see $tree.log"
		}
		touch "$tree/.complete"
	fi
	exec {lock}>&-
}

debian_rootfs() {
	debian_tree debian
}

make_debian() {
	local tree=$1 packages

	packages=$(IFS=, && echo "${*:2}")
	if command -v mmdebstrap; then
		timeout 500 mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
			${packages:+"--include=$packages"} bookworm "$tree"
	else
		command -v debootstrap && timeout 500 debootstrap --variant=minbase \
			${packages:+"--include=$packages"} bookworm "$tree"
	fi
}

# The system calls that a filter like Docker's allows: all but those for the whole host.
allowed_calls() {
	printf '#include <sys/syscall.h>\n' | cc -E -dM - |
		sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' |
		grep -vxE 'mount|umount2|pivot_root|reboot|kexec_.*|init_module|finit_module|delete_module|swapon|swapoff|acct|bpf|setns|unshare|quotactl.*|settimeofday|clock_settime|move_mount|open_tree|fsopen|fsmount|fsconfig|fspick|mount_setattr|nfsservctl|perf_event_open|userfaultfd|add_key|request_key|keyctl|lookup_dcookie|personality|_sysctl|ustat|sysfs|uselib|vm86.*|iopl|ioperm|open_by_handle_at' |
		jq -R . | jq -sc .
}

# The configuration, with the root DEBIAN_ROOT or else the one in the cache: 14 capabilities, a filter, device rules, masks, no read-only root.
docker_like() {
	debian_rootfs
	config '.root = {path: $r, readonly: true} | .hostname = "debian" |
		.process.capabilities = (["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER",
		"CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
		"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"] |
		{bounding: ., effective: ., permitted: .}) | .process.noNewPrivileges = false |
		.process.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=debian", "BERTH_TEST=" + $i] | .process.oomScoreAdj = 0 |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1,
		architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		syscalls: [{names: $n, action: "SCMP_ACT_ALLOW"},
		{names: ["personality"], action: "SCMP_ACT_ALLOW",
		args: [{index: 0, value: 0, op: "SCMP_CMP_EQ"}]},
		{names: ["personality"], action: "SCMP_ACT_ALLOW",
		args: [{index: 0, value: 4294967295, op: "SCMP_CMP_EQ"}]}]} |
		.linux.resources.devices += [
		{allow: true, type: "c", major: 5, minor: 1, access: "rwm"},
		{allow: true, type: "c", major: 136, access: "rwm"}] |
		.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"]}]' \
		--arg r "${DEBIAN_ROOT:-$CACHE_DIR/debian}" --arg i "$ID" --argjson n "$(allowed_calls)"
	[[ $(uname -m) == x86_64 ]] || config 'del(.linux.seccomp.architectures)'
}
