# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the cases with systemd share. MANAGER is systemctl for the manager whose the containers are.

MANAGER=(systemctl)
((EUID == 0)) || MANAGER=(systemctl --user)

# property NAME UNIT: its value.
property() {
	"${MANAGER[@]}" show --property "$1" --value "$2"
}

# unit_has UNIT NAME=VALUE...: what systemd says of the unit.
unit_has() {
	local unit=$1 pair

	shift
	for pair in "$@"; do
		[[ $(property "${pair%%=*}" "$unit") == "${pair#*=}" ]] ||
			fail "$unit: ${pair%%=*} is $(property "${pair%%=*}" "$unit"), not ${pair#*=}"
	done
}

# files_have DIRECTORY NAME=VALUE...: what the kernel says.
files_have() {
	local dir=$1 pair

	shift
	for pair in "$@"; do
		[[ $(<"$dir/${pair%%=*}") == "${pair#*=}" ]] ||
			fail "${pair%%=*} is $(<"$dir/${pair%%=*}"), not ${pair#*=}"
	done
}

# near NUMBER NUMBER PERCENT
near() {
	local apart=$(($1 - $2))

	((100 * ${apart#-} <= $3 * $2)) || fail "$1 is not near $2"
}

# find_scope PID: sets dir and unit, the cgroup and the name of its scope. Some runtimes make another
# cgroup below.
find_scope() {
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	until [[ $dir == *.scope ]]; do
		[[ $dir == */* ]] || fail "process $1 is in no scope"
		dir=${dir%/*}
	done
	unit=${dir##*/}
}

# no_unit PATTERN: systemd knows none of them, failed ones included.
no_unit() {
	local left

	left=$("${MANAGER[@]}" list-units --all --plain --no-legend "$1")
	[[ -z $left ]] || fail "left: $left"
}
