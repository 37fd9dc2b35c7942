#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A real root file system, with the kind of configuration that Docker writes.

load helpers
load debian

@test "bash, apt, id and the status of the process" {
	docker_like
	config_args bash -c 'apt --version; id; cat /proc/self/status'
	BERTH_TIMEOUT=120 berth run "$ID"
	contains "$output" 'apt 2.'
	contains "$output" 'uid=0(root) gid=0(root) groups=0(root)'
	contains "$output" $'CapEff:\t00000000a80425fb'
	contains "$output" $'CapBnd:\t00000000a80425fb'
	contains "$output" $'CapInh:\t0000000000000000'
	contains "$output" $'Seccomp:\t2'
	is "$stderr" ''
}

@test "programs of a distribution work: perl, find, tar, su, a pipe of many" {
	docker_like
	config_args bash -c 'perl -e "print 6*7, qq(\n)"; find /etc -maxdepth 1 -name debian_version
		tar -C /etc -cf - debian_version | tar -tf -
		su -s /bin/sh nobody -c "id -un"
		seq 1 1000 | sort -R | sort -n | tail -n 1
		echo text >/tmp/file && ls -l /tmp/file | cut -c1-10
		getent passwd root | cut -d: -f6'
	BERTH_TIMEOUT=120 berth run "$ID"
	is "$(tr '\n' ' ' <"$OUT")" \
		'42 /etc/debian_version debian_version nobody 1000 -rw-r--r-- /root '
}

@test "exec in it" {
	docker_like
	config_args sleep 300
	berth run -d "$ID"
	berth exec "$ID" bash -c 'echo $HOSTNAME; cat /etc/debian_version'
	contains "$output" debian
	contains "$output" 12.
}

@test "what the filter forbids is forbidden" {
	docker_like
	config_args bash -c 'mount -t tmpfs tmpfs /mnt 2>&1; unshare -r true 2>&1; true'
	berth run "$ID"
	contains "$output" 'ermi'
	contains "$output" 'Operation not permitted'
}

# A user namespace, and the image's files belong to its root.
docker_like_user() {
	docker_like
	mkdir -p upper work
	chown 100000:100000 upper work
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] | .root = {path: "rootfs"} |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings |
		.annotations += {"org.berth.overlay.lower": $d, "org.berth.overlay.upper": "upper",
		"org.berth.overlay.work": "work", "org.berth.overlay.idmap": "lower"}' \
		--arg d "$CACHE_DIR/debian"
}

@test "in a user namespace, over an id-mapped layer" {
	docker_like_user
	config_args bash -c 'apt --version; id; cat /proc/self/status /proc/self/uid_map
		stat -c "%U %G" /etc/shadow; echo new >/etc/new; chown nobody /etc/new; stat -c %U /etc/new
		su -s /bin/sh nobody -c "id -un"; dpkg -V dpkg && echo whole'
	BERTH_TIMEOUT=120 berth run "$ID"
	contains "$output" 'apt 2.'
	contains "$output" 'uid=0(root) gid=0(root) groups=0(root)'
	contains "$output" $'CapEff:\t00000000a80425fb'
	contains "$output" $'Seccomp:\t2'
	contains "$output" $'root shadow\nnobody\nnobody\nwhole'
	is "$stderr" ''
	is "$(stat -c '%u %g' upper/etc/new)" '165534 100000'
}

@test "exec into it in a user namespace" {
	docker_like_user
	config_args sleep 300
	berth run -d "$ID"
	berth exec "$ID" bash -c 'id -u; cat /etc/debian_version; stat -c %u /etc/passwd'
	contains "$output" $'0\n12.'
}
