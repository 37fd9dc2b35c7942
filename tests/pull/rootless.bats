#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ordinary user pulls, has a store of his own, and berth runs his bundles.

load helpers
load user

setup() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root, to become one user and another'
	pull_setup
	make_users
	make_image
}

# busybox, files of other owners, a device, what is hidden and what takes its place.
make_image() {
	mkdir -p "$T/root/bin"
	cp /bin/busybox "$T/root/bin/busybox"
	ln -s busybox "$T/root/bin/sh"
	tar -C "$T/root" --numeric-owner --owner=0 --group=0 -cf "$T/root.tar" .
	"$LAB_DIR/mkimage" "$T/image" >/dev/null <<-JSON
		{"ref": "latest", "config": {"Cmd": ["sh", "-c", "busybox stat -c '%u:%g %a %n' /data/*"]},
		 "layers": [
			{"tar": "$T/root.tar"},
			{"entries": ["data/", {"path": "data/mine", "uid": 1000, "gid": 50, "mode": "0640"},
				{"path": "data/gone"}, {"path": "old/deep/file"},
				{"path": "dev/null", "type": "char", "major": 1, "minor": 3}]},
			{"entries": [{"path": "data/gone", "type": "whiteout"},
				{"path": "old", "type": "opaque"}, {"path": "old/new"}]}]}
	JSON
	chmod -R a+rX "$T/image"
}

@test "a pull into the user's data directory, and berth runs the bundle" {
	user_runs "$BERTH_PULL" --from "oci:$T/image" web
	user_runs "$BERTH" run -b web one
	is "$output" '1000:50 640 /data/mine'
}

@test "owners are the user's subordinate ids" {
	user_runs "$BERTH_PULL" --from "oci:$T/image"
	run stat -c '%u:%g' "$(find "$STORE/layers" -name mine)"
	is "$output" 200999:200049
	run stat -c '%u:%g %a' "$STORE"
	is "$output" '1000:1000 700'
}

@test "a device is an empty file, and that is said" {
	user_runs "$BERTH_PULL" --from "oci:$T/image"
	contains "$stderr" 'cannot be made without rights'
	run stat -c '%F %a' "$(find "$STORE/layers" -path '*/dev/null')"
	is "$output" 'regular empty file 0'
}

@test "opaque directories and whiteouts are those of a user's overlay" {
	user_runs "$BERTH_PULL" --arg sh --arg -c --arg 'busybox ls /old /data' --from "oci:$T/image" web
	user_runs "$BERTH" run -b web one
	is "$output" $'/data:\nmine\n\n/old:\nnew'
	getfattr --absolute-names -n user.overlay.opaque "$(find "$STORE/layers" -name old -path '*/fs/old' \
		-newermt '1900-01-01' -exec test -e '{}/new' \; -print)"
}

@test "what the container writes is the user's, and stays in the bundle" {
	user_runs "$BERTH_PULL" --arg sh --arg -c --arg 'echo kept > /data/mine' --from "oci:$T/image" web
	user_runs "$BERTH" run -b web one
	is "$(cat "$T/user/web/upper/data/mine")" kept
	user_runs "$BERTH_PULL" bundle "oci:$T/image" again
	[[ ! -s $(find "$STORE/layers" -name mine) ]]
}

@test "a flat bundle" {
	user_runs "$BERTH_PULL" --from "oci:$T/image" --flat flat
	[[ ! -e $T/user/flat/upper ]]
	user_runs "$BERTH" run -b flat one
	is "$output" '1000:50 640 /data/mine'
}

@test "the commands about the store" {
	user_runs "$BERTH_PULL" --from "oci:$T/image" web
	user_runs "$BERTH_PULL" list
	contains "$output" "oci:$T/image"
	user_runs "$BERTH_PULL" fsck
	user_runs "$BERTH_PULL" verify
	user_runs "$BERTH_PULL" remove "oci:$T/image"
	user_runs "$BERTH_PULL" gc
	# The bundle is still there.
	user_runs "$BERTH" run -b web one
	as_user rm -rf web 2>/dev/null || as_user unshare -r rm -rf web
	user_runs "$BERTH_PULL" gc
	is "$(find "$STORE/layers" -name fs | wc -l)" 0
}

@test "no range of ids: one line that says how to get one" {
	USER_ID=1001
	chown 1001 "$T/user" "$T/run"
	user_call "$BERTH_PULL" --from "oci:$T/image" web
	is "$status" 1
	contains "$stderr" 'has no range of ids in /etc/subuid'
	contains "$stderr" usermod
	[[ ! -e $T/user/web ]]
}
