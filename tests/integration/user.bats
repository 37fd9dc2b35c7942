#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.user: uid, gid, additionalGids, umask, HOME.

load helpers

@test "root by default, without groups" {
	run_probe
	json '[.uid, .euid, .suid, .fsuid, .gid, .egid, .sgid, .fsgid] | unique == [0]'
	json '.groups - [0] == []'
}

@test "uid and gid" {
	config '.process.user = {uid: 1234, gid: 5678}'
	run_probe
	json '[.uid, .euid, .suid, .fsuid] | unique == [1234]'
	json '[.gid, .egid, .sgid, .fsgid] | unique == [5678]'
	json '.groups - [5678] == []'
}

@test "additional groups replace those of the caller" {
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [5, 77, 4000000000]}'
	config_args /bin/probe
	BERTH_TEST=$ID setpriv --groups 33,44 "$RUNTIME" --root "$STATE" run "$ID" >"$T/out"
	OUT=$T/out
	json '.groups - [1000] | sort == [5, 77, 4000000000]'
}

@test "the groups of the caller do not leak in" {
	config_args /bin/probe
	BERTH_TEST=$ID setpriv --groups 33,44 "$RUNTIME" --root "$STATE" run "$ID" >"$T/out"
	OUT=$T/out
	json '.groups - [0] == []'
}

@test "many additional groups" {
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [range(1; 1000)]}'
	run_probe
	json '.groups - [1000] | length == 999'
}

@test "umask: 0022 by default, whatever the caller's is" {
	umask 077
	run_probe
	json '.umask == "0022"'
}

@test "umask as asked" {
	config '.process.user.umask = 63'
	run_probe
	json '.umask == "0077"'
	config '.process.user.umask = 0'
	run_probe
	json '.umask == "0000"'
}

@test "HOME comes from the container's passwd when env has none" {
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '.env | index("HOME=/home/user")'
	config '.process.user = {uid: 0, gid: 0}'
	run_probe
	json '.env | index("HOME=/root")'
}

@test "HOME of the environment wins" {
	config '.process.env += ["HOME=/elsewhere"]'
	run_probe
	json '[.env[] | select(startswith("HOME="))] == ["HOME=/elsewhere"]'
}

@test "HOME of a uid that passwd does not know is /" {
	config '.process.user = {uid: 4242, gid: 4242}'
	run_probe
	json '.env | index("HOME=/")'
}

@test "without a passwd file HOME is /" {
	rm rootfs/etc/passwd
	run_probe
	json '.env | index("HOME=/")'
}

@test "the caller's environment does not leak in" {
	export LEAK=1 HOME=/host/home
	run_probe
	json '[.env[] | select(startswith("LEAK=") or contains("/host/home"))] == []'
}

@test "standard streams belong to the user, so that /dev/stdout can be opened" {
	config '.process.user = {uid: 1000, gid: 1000}'
	config_args /bin/sh -c 'echo opened >/dev/stdout'
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" </dev/null 2>&1 | cat >"$T/out"
	is "$(<"$T/out")" opened
}
