#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a small world of its own, in which engines may do as they like.
#
# usage: lab.sh COMMAND...
#
# The world: namespaces of all kinds but user, so processes, networks and mounts end with it; a
# cgroup, seen as the root of a cgroup v2 hierarchy; tmpfs over /run and /dev/shm; an overlay over
# /etc with a user "engine" who has subordinate ids, and podman's configuration; and a tmpfs whose
# path is in LAB. On hosts that mix both versions of cgroups the hierarchy has no controllers there.
# A word `@engine` before the command runs it as that user, in a cgroup that is delegated to him.
#
# A word `@systemd` before all others is for a machine that nothing else uses and where systemd is
# process 1 (tests/vm/run --systemd): there are no namespaces and cgroups of our own, since systemd is
# to make them; the user has a manager; podman asks systemd for cgroups.
#
# Environment: BERTH, CRUN, RUNC, the binaries that podman knows by these names.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
self=$here/lab.sh
readonly user=engine uid=4321
manager=cgroupfs

# Where the host has cgroup v2 mounted.
cgroup2_place() {
	awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup2") { print $5; exit } }' \
		/proc/self/mountinfo
}

# Hand every controller of the cgroup $1 to its children; those that cannot be are not.
pass_controllers() {
	local name
	for name in $(<"$1/cgroup.controllers"); do
		echo "+$name" 2>/dev/null >"$1/cgroup.subtree_control" || true
	done
}

# Kill what is left in the world's cgroup, and remove it and the directory.
outside_end() {
	echo 1 2>/dev/null >"$cgroup/cgroup.kill" || true
	until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; do
		sleep 0.05
	done
	rmdir "$LAB"
}

outside() {
	local place
	place=$(cgroup2_place)
	[[ -n $place ]] || { echo 'lab.sh: cgroup v2 is not mounted' >&2; exit 1; }
	LAB=$(mktemp -d /tmp/lab.XXXXXX)
	chmod 755 "$LAB"
	export LAB
	cgroup=$place/${LAB##*/}
	mkdir "$cgroup"
	trap outside_end EXIT
	pass_controllers "$place"
	mkdir "$cgroup/lab"
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec unshare -C -- "$self" --enter "$cgroup" "$@"
	)
}

# The cgroup has become the root; it is left empty, so that it can hand out its controllers.
enter() {
	echo $$ >"$1/lab/cgroup.procs"
	shift
	exec unshare -m -n -p -i -u --fork --mount-proc --kill-child -- "$self" --inside "$@"
}

make_cgroups() {
	local file
	umount -R /sys/fs/cgroup 2>/dev/null || true
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	cd /sys/fs/cgroup
	mkdir "$user" "$user/shell"
	pass_controllers .
	pass_controllers "$user"
	for file in . cgroup.procs cgroup.threads cgroup.subtree_control shell shell/cgroup.procs; do
		chown $uid:$uid "$user/$file"
	done
	cd /
}

# Devices that an ordinary user needs, open to all.
make_devices() {
	mknod -m 666 "$LAB/tun" c 10 200
	mknod -m 666 "$LAB/fuse" c 10 229
	mount --bind "$LAB/tun" /dev/net/tun
	mount --bind "$LAB/fuse" /dev/fuse
}

# /etc as the engines see it; that of the host is not written to.
make_etc() {
	mkdir "$LAB/etc" "$LAB/etc.work"
	mount -t overlay -o "lowerdir=/etc,upperdir=$LAB/etc,workdir=$LAB/etc.work" etc /etc
	rm -rf /etc/containers /etc/containerd /etc/cni
	echo "$user:x:$uid:$uid::$LAB/home:/bin/sh" >>/etc/passwd
	echo "$user:x:$uid:" >>/etc/group
	echo "$user:100000:65536" >/etc/subuid
	echo "containers:200000:655360" >>/etc/subuid
	cp /etc/subuid /etc/subgid
	mkdir -p /etc/containers/containers.conf.d
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	echo 'unqualified-search-registries = []' >/etc/containers/registries.conf
	# The drop-in that users get, with the binary that is to be tested.
	sed "s|\[\"/usr/local/bin/berth\".*|[\"${BERTH:-$tree/build/release/berth}\"]|" \
		"$tree/contrib/podman/berth.conf" >/etc/containers/containers.conf.d/berth.conf
	cat >/etc/containers/storage.conf <<-END
		[storage]
		driver = "$1"
		graphroot = "$LAB/storage"
		runroot = "/run/storage"
		rootless_storage_path = "$LAB/home/storage"
	END
	cat >/etc/containers/containers.conf <<-END
		[containers]
		pids_limit = 0
		default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "$manager"
		events_logger = "file"
		lock_type = "file"
		image_default_transport = "containers-storage:"
		[engine.runtimes]
		crun = ["${CRUN:-/usr/bin/crun}"]
		runc = ["${RUNC:-/usr/sbin/runc}"]
		[network]
		network_backend = "netavark"
	END
}

# storage_driver WORD: overlays in a user namespace keep their notes in user attributes, which tmpfs
# has since 6.6; root needs no such thing.
storage_driver() {
	touch "$LAB/attr"
	if [[ $1 != @engine ]] || setfattr -n user.test -v 1 "$LAB/attr" 2>/dev/null; then
		echo overlay
	else
		echo vfs
	fi
}

# furnish WORD: what engines find, for root, or if the word is @engine for the user.
furnish() {
	make_devices
	make_etc "$(storage_driver "$1")"
	install -d -o $uid -g $uid "$LAB/home"
	install -d -m 1777 "$LAB/tmp"
	"$here/image.sh" "$LAB/image"
	# As podman would at its first network; it stays.
	mkdir /run/netns
	mount --bind /run/netns /run/netns
	export HOME=$LAB TMPDIR=$LAB/tmp
	unset XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME
	cd "$LAB"
}

# Sets words to what runs a command as the user.
become_user() {
	export HOME=$LAB/home XDG_RUNTIME_DIR=/run/user/$uid
	words=(setpriv --reuid "$uid" --regid "$uid" --init-groups --)
}

inside() {
	local words=()
	mount -t tmpfs -o mode=755 lab "$LAB"
	mount -t tmpfs -o mode=755 run /run
	mount -t tmpfs -o mode=1777 shm /dev/shm
	mount -t tmpfs -o mode=1777 vartmp /var/tmp
	mount --make-rshared /
	make_cgroups
	furnish "$1"
	ip link set lo up
	install -d -m 700 -o $uid -g $uid "/run/user/$uid"
	if [[ $1 == @engine ]]; then
		shift
		echo $$ >"/sys/fs/cgroup/$user/shell/cgroup.procs"
		become_user
	fi
	# Not exec: this shell is process 1, and buries what is left to it.
	"${words[@]}" "$@"
}

in_machine() {
	local words=()
	manager=systemd
	export LAB=/run/lab
	mkdir "$LAB"
	mount -t tmpfs -o mode=755 lab "$LAB"
	furnish "$1"
	# They stay.
	systemctl start dbus.service systemd-logind.service
	if [[ $1 == @engine ]]; then
		shift
		loginctl enable-linger "$user"
		systemctl start "user@$uid.service"
		become_user
		words+=(env "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus")
	fi
	exec "${words[@]}" "$@"
}

case ${1:-} in
@systemd)
	shift
	in_machine "$@"
	;;
--enter | --inside)
	stage=${1#--}
	shift
	"$stage" "$@"
	;;
*) outside "$@" ;;
esac
