#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Ids and capabilities: CVE-2016-3697, CVE-2022-24769, CVE-2022-27650, CVE-2022-29162,
# CVE-2025-27612, CVE-2026-30892.

load ../integration/helpers

@test "CVE-2022-24769: the inheritable and ambient sets are empty unless asked for" {
	config 'del(.process.capabilities.inheritable) | del(.process.capabilities.ambient)'
	run_probe
	json '.caps.inheritable == [] and .caps.ambient == []'
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '.caps.inheritable == [] and .caps.ambient == [] and .caps.effective == []'
}

@test "CVE-2022-24769: the caller's inheritable set does not leak in" {
	config 'del(.process.capabilities.inheritable) | del(.process.capabilities.ambient)'
	config_args /bin/probe
	BERTH_TEST=$ID setpriv --inh-caps +net_raw,+chown --ambient-caps +net_raw \
		"$RUNTIME" --root "$STATE" run "$ID" >"$T/out" </dev/null
	OUT=$T/out
	json '.caps.inheritable == [] and .caps.ambient == []'
}

@test "CVE-2022-29162, CVE-2022-27650, CVE-2025-27612: exec --cap leaves inheritable empty" {
	config 'del(.process.capabilities.inheritable) | del(.process.capabilities.ambient)'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.caps.inheritable == [] and .caps.ambient == []'
	berth exec --cap CAP_NET_RAW --cap CAP_CHOWN "$ID" /bin/probe
	json '.caps.inheritable == [] and .caps.ambient == [] and (.caps.effective | index("CAP_CHOWN"))'
	berth exec --cap CAP_NET_RAW -u 1000:1000 "$ID" /bin/probe
	json '.caps.inheritable == []'
}

@test "CVE-2026-30892: exec --user, every form" {
	local form expected

	run_detached "$ID" sleep
	while read -r form expected; do
		berth_call exec --user "$form" "$ID" /bin/probe
		if [[ $expected == refused ]]; then
			((status == 255)) || fail "--user '$form': exit status $status"
			one_line_error ' is not a number'
		else
			((status == 0)) || fail "--user '$form': exit status $status"
			is "$(value '"\(.uid):\(.gid)"')" "$expected" "--user $form"
		fi
	done <<-END
		0 0:0
		1 1:0
		1:2 1:2
		65534:65534 65534:65534
		4294967294:4294967294 4294967294:4294967294
		:2 refused
		1: refused
		: refused
		0x1 refused
		+1 refused
		-1 refused
		1:-1 refused
		1:+2 refused
		4294967295 refused
		4294967296 refused
		18446744073709551617 refused
		1:4294967295 refused
		root refused
		1:2:3 refused
		1.0 refused
		1e3 refused
		1,2 refused
	END
	for form in '1 ' ' 1' '' '1: 2' $'1\n'; do
		berth_call exec --user "$form" "$ID" /bin/probe
		((status == 255)) || fail "--user '$form': exit status $status"
	done
}

@test "CVE-2026-30892: a leading zero is decimal or refused, never octal or root" {
	run_detached "$ID" sleep
	berth_call exec --user 010 "$ID" /bin/probe
	((status != 0)) || is "$(value .uid)" 10 uid
	berth_call exec --user 01 "$ID" /bin/probe
	((status != 0)) || is "$(value .uid)" 1 uid
}

@test "CVE-2016-3697: a user name of digits in the image's passwd is no uid" {
	# The template's passwd has a user called 1000 with uid 0.
	grep -q '^1000:x:0:' rootfs/etc/passwd
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '.uid == 1000 and .euid == 1000 and (.env | index("HOME=/home/user"))'
	run_detached "$ID" sleep
	berth exec --user 1000 "$ID" /bin/probe
	json '.uid == 1000'
}

@test "process files of exec: ids out of range are refused with their path" {
	local value

	run_detached "$ID" sleep
	for value in -1 4294967295 4294967296 '"1"' 1.5 18446744073709551615; do
		jq '.process | .user.uid = "@UID@"' config.json >"$T/process.json"
		sed -i "s/\"@UID@\"/$value/" "$T/process.json"
		berth_exits 255 exec --process "$T/process.json" "$ID"
		one_line_error user.uid
	done
}
