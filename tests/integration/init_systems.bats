#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# systemd and OpenRC as a container's process 1, configured as podman's --systemd=always does it.
# None needs a cgroup controller: they make cgroups for their services all the same.

load helpers
load debian

# The trees are made once; each test has an overlay of its own on top.
systemd_tree() {
	debian_tree debian-systemd systemd-sysv
}

# Without the services of the host that Debian has for it: clocks, disks, terminals.
openrc_tree() {
	debian_tree debian-openrc openrc
	rm -f "$CACHE_DIR"/debian-openrc/etc/runlevels/*/*
}

# system_like TREE PROGRAM...
system_like() {
	local tree=$CACHE_DIR/debian-$1

	shift
	mkdir -p upper work
	chmod 755 "$T" "$BUNDLE" upper
	# shellcheck disable=SC2016 # jq variables
	config '.root = {path: "rootfs"} | .hostname = "system" | .process.noNewPrivileges = false |
		.process.env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=oci"] |
		.process.capabilities = (["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
		"CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
		"CAP_SETUID", "CAP_SYS_CHROOT"] | {bounding: ., effective: ., permitted: .}) |
		.annotations += {"org.berth.overlay.lower": $tree, "org.berth.overlay.upper": "upper",
		"org.berth.overlay.work": "work"} |
		.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}]) |
		.mounts |= map(select(.destination != "/sys/fs/cgroup")) + [
		{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
		options: ["rprivate", "nosuid", "noexec", "nodev", "relatime", "rw"]},
		{destination: "/run", type: "tmpfs", source: "tmpfs",
		options: ["rw", "rprivate", "nosuid", "nodev", "tmpcopyup", "mode=755"]},
		{destination: "/run/lock", type: "tmpfs", source: "tmpfs",
		options: ["rw", "rprivate", "nosuid", "nodev", "mode=1777"]},
		{destination: "/tmp", type: "tmpfs", source: "tmpfs",
		options: ["rw", "rprivate", "nosuid", "nodev", "mode=1777"]},
		{destination: "/var/log/journal", type: "tmpfs", source: "tmpfs",
		options: ["rw", "rprivate", "nosuid", "nodev"]}]' --arg tree "$tree"
	config_args "$@"
}

# The files of the tree belong to root of the user namespace, and so does what a test puts on top.
in_user_namespace() {
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings |
		.annotations["org.berth.overlay.idmap"] = "lower"'
	chown -R 100000:100000 upper work
}

# A file of the container: put PATH MODE, its text on standard input.
put() {
	mkdir -p "upper/${1%/*}"
	cat >"upper/$1"
	chmod "$2" "upper/$1"
}

# Starts the container in the foreground of a berth in the background, which is BOOTED; waits for the
# command $1 inside to succeed.
boot() {
	berth_background run --pid-file "$T/pid" "$ID"
	BOOTED=$BG_PID
	wait_for 60 test -s "$T/pid" || fail "$(<"$ERR")"
	PID=$(<"$T/pid")
	CGROUP=$(cgroup_of "$PID")
	CGROUP=${CGROUP%%"/berth-$ID"*}/berth-$ID
	wait_for 120 inside "$1" || fail "$(tail -n 20 "$T"/out.* "$T"/err.*)"
}

inside() {
	"$RUNTIME" --root "$STATE" exec "$ID" /bin/sh -c "$1" </dev/null 3>&- 4>&-
}

# The service is in the cgroup $1 of the container's, as it sees it and as the host does.
service_is_in() {
	local pid

	inside "grep -q '^0::$1\$' /proc/\$(cat /run/proof.pid)/cgroup" ||
		fail "$(inside "cat /proc/\$(cat /run/proof.pid)/cgroup")"
	pid=$(<"$CGROUP$1/cgroup.procs")
	is "$(tr '\0' ' ' <"/proc/${pid%%$'\n'*}/cmdline")" '/bin/sleep 1000000 '
}

# ends SIGNAL STATUS: by its stop signal, and by itself; nothing is left.
ends() {
	local status=0

	berth kill "$ID" "$1"
	wait_for 60 is_over
	wait "$BOOTED" || status=$?
	is "$status" "$2" 'exit status'
	nothing_left
}

is_over() {
	[[ ! -e /proc/$BOOTED/exe ]]
}

proof_of_systemd() {
	put etc/systemd/system/proof.service 644 <<-'UNIT'
		[Service]
		ExecStart=/bin/sleep 1000000
		ExecStartPost=/bin/sh -c 'echo $MAINPID >/run/proof.pid'
		[Install]
		WantedBy=multi-user.target
	UNIT
	mkdir -p upper/etc/systemd/system/multi-user.target.wants
	ln -s ../proof.service upper/etc/systemd/system/multi-user.target.wants/proof.service
}

systemd_lives() {
	boot 'systemctl is-active multi-user.target proof.service'
	is "$(inside 'systemctl is-system-running --wait; systemctl --failed --no-legend')" running
	service_is_in /system.slice/proof.service
	# Its process 1 has moved on, and so has exec.
	inside 'grep "^0::/init.scope$" /proc/1/cgroup /proc/self/cgroup'
	ends SIGRTMIN+3 0
}

@test "systemd is process 1: it boots, its services have cgroups, it ends by its stop signal" {
	requires cgroup2
	systemd_tree
	system_like systemd /sbin/init
	proof_of_systemd
	systemd_lives
}

@test "systemd is process 1 in a user namespace" {
	requires cgroup2 idmap
	systemd_tree
	system_like systemd /sbin/init
	proof_of_systemd
	in_user_namespace
	systemd_lives
}

# Its first process ends by reboot(2), which in a pid namespace is the end of that.
openrc_like() {
	openrc_tree
	system_like openrc /sbin/openrc-init
	config '.process.capabilities |= map_values(. + ["CAP_SYS_BOOT"])'
	put etc/rc.conf 644 <<-'CONF'
		rc_sys="podman"
		rc_cgroup_mode="unified"
	CONF
	put etc/init.d/proof 755 <<-'SERVICE'
		#!/sbin/openrc-run
		command=/bin/sleep
		command_args=1000000
		command_background=yes
		pidfile=/run/proof.pid
	SERVICE
	mkdir -p upper/etc/runlevels/default
	ln -s /etc/init.d/proof upper/etc/runlevels/default/proof
}

openrc_lives() {
	boot 'test -s /run/proof.pid -a -L /run/openrc/started/proof'
	is "$(inside 'cat /run/openrc/softlevel')" default
	is "$(inside 'rc-service proof status')" ' * status: started'
	service_is_in /proof
	inside 'grep "^0::/$" /proc/1/cgroup /proc/self/cgroup'
	# Of a pid namespace the kernel makes a signal for its first process's parent.
	ends TERM 130
}

@test "OpenRC is process 1: it boots, its services have cgroups, it ends by its stop signal" {
	requires cgroup2
	openrc_like
	openrc_lives
}

@test "OpenRC is process 1 in a user namespace" {
	requires cgroup2 idmap
	openrc_like
	in_user_namespace
	openrc_lives
}
