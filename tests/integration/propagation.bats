#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.rootfsPropagation and the propagation options of mounts.

load helpers

# A shared tmpfs of the host, bound on /data with an option.
share() {
	mkdir -p rootfs/data
	host_mount -t tmpfs tmpfs "$T/share"
	mount --make-shared "$T/share"
	mkdir "$T/share/late"
	config '.mounts += [{destination: "/data", source: $s, options: ["rbind", $o]}]' \
		--arg s "$T/share" --arg o "$1"
}

# Mounts something on the host beneath the shared tmpfs while the container runs.
mount_late() {
	host_mount -t tmpfs tmpfs "$T/share/late"
	touch "$T/share/late/seen"
}

@test "without a setting nothing propagates, in neither direction" {
	run_probe
	json '[.mounts[].propagation | flatten[] | select(startswith("shared"))] == []'
}

@test "rslave: a later mount of the host appears in the container" {
	share rslave
	run_detached "$ID" sleep
	mount_late
	berth exec "$ID" /bin/ls /data/late
	is "$output" seen
	berth exec "$ID" /bin/probe
	mount_has /data '.propagation | any(startswith("master"))'
}

@test "rprivate: a later mount of the host does not appear" {
	share rprivate
	run_detached "$ID" sleep
	mount_late
	berth exec "$ID" /bin/ls /data/late
	is "$output" ''
	berth exec "$ID" /bin/probe
	mount_has /data '.propagation == []'
}

@test "rshared: a mount of the container appears on the host" {
	share rshared
	config '.linux.rootfsPropagation = "shared" |
		.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/mount -t tmpfs tmpfs /data/late
	grep -qF " $T/share/late " /proc/self/mountinfo
	umount "$T/share/late"
}

@test "unbindable" {
	share runbindable
	run_probe
	mount_has /data '.propagation == ["unbindable"]'
}

@test "shared on a new file system makes a peer group" {
	mkdir rootfs/data
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["shared"]}]'
	run_probe
	mount_has /data '.propagation | any(startswith("shared"))'
}

@test "rootfsPropagation private" {
	config '.linux.rootfsPropagation = "private"'
	run_probe
	mount_has / '.propagation == []'
}

@test "rootfsPropagation shared" {
	config '.linux.rootfsPropagation = "shared"'
	run_probe
	mount_has / '.propagation | any(startswith("shared"))'
}

@test "rootfsPropagation slave: the root receives from a shared parent" {
	host_mount -t tmpfs tmpfs "$T/peer"
	mount --make-shared "$T/peer"
	cp -a rootfs "$T/peer/rootfs"
	config '.linux.rootfsPropagation = "slave" | .root.path = $r' --arg r "$T/peer/rootfs"
	run_probe
	mount_has / '.propagation | any(startswith("shared")) | not'
	# The mounts of the container did not travel back.
	is "$(grep -cF "$T/peer/rootfs" /proc/self/mountinfo)" 0
}

@test "rootfsPropagation unbindable" {
	config '.linux.rootfsPropagation = "unbindable"'
	run_probe
	mount_has / '.propagation == ["unbindable"]'
}

@test "a bundle on a shared mount of the host leaks nothing to the host" {
	host_mount -t tmpfs tmpfs "$T/peer"
	mount --make-shared "$T/peer"
	cp -a "$BUNDLE" "$T/peer/bundle"
	BUNDLE=$T/peer/bundle
	cd "$BUNDLE"
	run_detached "$ID" sleep
	is "$(grep -cF "$T/peer/bundle" /proc/self/mountinfo)" 0
	berth kill "$ID" KILL
}
