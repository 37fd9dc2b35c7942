#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The bundles of an ordinary user: what their options make, and that berth runs them as he is.

load helpers
load bundle
load user

setup() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root, to become a user'
	pull_setup
	make_users
	busybox_image '{"Volumes": {"/data": {}}}'
	chmod -R a+rX "$T/layout" "$T/busybox.tar"
}

# Makes a bundle with options as the user, and runs a script in it: user_script [OPTION…] SCRIPT.
user_script() {
	local bundle=bundle.$CALLS script=${*: -1}

	user_runs "$BERTH_PULL" -q --from "oci:$T/layout:busybox" "${@:1:$#-1}" \
		--entrypoint /bin/sh --arg -c --arg "$script" "$bundle"
	BUNDLE=$T/user/$bundle
	user_runs "$BERTH" run -b "$bundle" "$ID"
}

@test "ids, owners, capabilities and the filter" {
	user_script 'id; cat /proc/self/uid_map; stat -c "%u:%g" / /data/seeded/file
		touch /x && chown 33:34 /x; grep -E "CapBnd|NoNew|Seccomp:" /proc/self/status'
	contains "$output" $'uid=0(root) gid=0'
	contains "$output" $'1     200000      65536\n0:0\n33:34'
	contains "$output" $'CapBnd:\t00000000800405fb\nNoNewPrivs:\t1\nSeccomp:\t2'
	is "$(stat -c '%u:%g' "$BUNDLE/upper/x")" 200032:200033
}

@test "the mounts are those of berth spec --rootless, but for a sysfs of the own network" {
	user_script true
	(cd "$T" && "$BERTH" spec --rootless)
	is "$(jq -c '[.mounts[] | .destination, .type] | .[:14]' "$BUNDLE/config.json")" \
		"$(jq -c '[.mounts[] | .destination, (if .destination == "/sys" then "sysfs"
			else .type end)]' "$T/config.json")"
	user_script --network host true
	is "$(jq -c '.mounts[] | select(.destination == "/sys")' "$BUNDLE/config.json")" \
		"$(jq -c '.mounts[] | select(.destination == "/sys")' "$T/config.json")"
	is "$(jq -c '[.linux.namespaces[].type] | sort' "$BUNDLE/config.json")" \
		"$(jq -c '[.linux.namespaces[].type] | sort' "$T/config.json")"
	is "$(jq -c '.linux.resources' "$BUNDLE/config.json")" '{}'
}

@test "its own network, or the host's" {
	user_script 'ls /sys/class/net'
	is "$output" lo
	user_script --network host 'ls /sys/class/net; cat /etc/hosts'
	is "$output" "$(ls /sys/class/net; cat /etc/hosts)"
}

@test "in his own network, anybody has low ports, and the sockets of ping" {
	user_script --user web 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start \
		/proc/sys/net/ipv4/ping_group_range'
	is "$output" $'0\n0\t65536'
}

@test "volumes: the image's, and the user's" {
	mkdir "$T/user/host"
	chown 1000:1000 "$T/user/host"
	user_script --volume ./host:/mnt --volume ./host:/ro:ro --read-only --tmpfs /run:size=1m \
		'touch /mnt/x /data/y /run/z; ls /ro; touch /ro/x 2>/dev/null || echo refused
		stat -c "%u %g" /data /data/y'
	is "$output" $'x\nrefused\n33 34\n0 0'
	is "$(stat -c %u "$T/user/host/x" "$BUNDLE/volumes/data/y" "$BUNDLE/volumes/data")" \
		$'1000\n1000\n200032'
}

@test "--user, --init, --hostname, --tty" {
	user_script --user web --init --hostname box 'id -u; hostname; pwd; test "$$" != 1 && echo $HOME'
	is "$output" $'33\nbox\n/\n/srv'
	user_script --tty 'test -t 0 && echo terminal'
	contains "$output" terminal
}

@test "--userns is not his" {
	user_call "$BERTH_PULL" --from "oci:$T/layout:busybox" --userns auto bundle
	is "$status" 1
	contains "$stderr" "--userns is root's"
	[[ ! -e $STORE ]]
}

@test "a limit that no cgroup can keep is an error when the container starts" {
	user_runs "$BERTH_PULL" -q --from "oci:$T/layout:busybox" --pids 10 bundle
	user_call "$BERTH" run -b bundle "$ID"
	((status == 0)) || contains "$stderr" 'pids'
}

@test "--flat: runc runs it, for the same user" {
	user_runs "$BERTH_PULL" -q --from "oci:$T/layout:busybox" --flat --entrypoint /bin/sh \
		--arg -c --arg 'id -u; stat -c "%u:%g" /data/seeded/file; cat /data/seeded/file' bundle
	[[ ! -e $T/user/bundle/upper ]]
	user_runs "$BERTH" run -b bundle "$ID"
	is "$output" $'0\n33:34\ncontent'
	user_runs runc --root "$T/run/runc" run -b bundle "$ID"
	is "$output" $'0\n33:34\ncontent'
}
