# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What every suite asserts with. A call sets `output` and `stderr`; fail() shows them.

# Puts a file's text without the newlines at its end into a variable.
read_file() {
	local -n into=$1

	IFS= read -r -d '' into <"$2" || true
	while [[ $into == *$'\n' ]]; do
		into=${into%$'\n'}
	done
}

# Ends the test with a message and what the program said last.
fail() {
	printf '%s\n' "$*"
	[[ -z ${stderr:-} ]] || printf 'stderr: %.2000s\n' "$stderr"
	[[ -z ${output:-} ]] || printf 'stdout: %.600s\n' "$output"
	return 1
}

# Polls until a command succeeds, at most $1 seconds.
wait_for() {
	local end=$((SECONDS + $1 + 1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || fail "timed out: $*" || return 1
		sleep 0.02
	done
}

# $1 is $2.
is() {
	[[ $1 == "$2" ]] || fail "${3:-value}: '$1', not '$2'"
}

# $1 contains $2.
contains() {
	[[ $1 == *"$2"* ]] || fail "no '$2' in: $1"
}

# $1 does not contain $2.
lacks() {
	[[ $1 != *"$2"* ]] || fail "'$2' in: $1"
}
