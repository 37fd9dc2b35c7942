#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ordinary user pulls, has a store of his own, and berth runs his bundles.
#
# The users are there for the test only: in a mount namespace of its own /etc/passwd, /etc/subuid
# and /etc/subgid are files of the test. User 1000 has the ids from 200000 on, 65536 of them; user
# 1001 has none.

load helpers

setup() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root, to become one user and another'
	pull_setup
	mkdir "$T/etc"
	{
		printf '%s:x:%s:%s::/:/bin/sh\n' berth-one 1000 1000 berth-two 1001 1001
		cat /etc/passwd
	} >"$T/etc/passwd"
	printf 'somebody:300000:65536\nberth-one:200000:65536\n' >"$T/etc/subuid"
	printf '1000:200000:65536\n' >"$T/etc/subgid"
	mkdir -m 700 "$T/run"
	mkdir "$T/user"
	chown 1000:1000 "$T/run" "$T/user"
	# So that the user reaches his files, and the programs of this tree.
	chmod a+x "$BATS_RUN_TMPDIR" "${T%/*}" "$T"
	USER_ID=1000
	STORE=$T/user/.local/share/berth
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

# Executes a command as the user USER_ID in his home.
as_user() {
	unshare -m --propagation private bash -c '
		for file in passwd subuid subgid; do
			mount --bind "$1/etc/$file" "/etc/$file" || exit 99
		done
		cd "$1/user" || exit 99
		exec setpriv --reuid "$2" --regid "$2" --clear-groups \
			env -i "PATH=$PATH" "BERTH_TEST=$3" "HOME=$1/user" "XDG_RUNTIME_DIR=$1/run" \
			"${@:4}"' _ "$T" "$USER_ID" "$ID" "$@"
}

# Runs a command as the user; sets status, output and stderr.
user_call() {
	CALLS=$((CALLS + 1))
	status=0
	as_user timeout -k 2 "$PULL_TIMEOUT" "$@" </dev/null >"$T/out.$CALLS" 2>"$T/err.$CALLS" \
		3>&- 4>&- || status=$?
	read_file output "$T/out.$CALLS"
	read_file stderr "$T/err.$CALLS"
}

user_runs() {
	user_call "$@"
	((status == 0)) || fail "$*: exit status $status"
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
	contains "$stderr" 'devices cannot be made'
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
