# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the suites about ordinary users.
#
# The users are there for the test only: in a mount namespace of its own /etc/passwd, /etc/subuid
# and /etc/subgid are files of the test. User 1000 has the ids from 200000 on, 65536 of them; user
# 1001 has none.

# For setup(), behind pull_setup.
make_users() {
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
