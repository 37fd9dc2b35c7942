#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In the machine: runs what a list names, a line for each test, "FILE<tab>NAME", sorted by file; the
# name "*" stands for the whole file. Prints "== FILE" before the TAP of each file. What fails is
# tried once more, since some tests wait for things with a time-out; the second result counts.
set -u

# The waits are meant for a real machine.
export BERTH_TIMEOUT=${BERTH_TIMEOUT:-120} PULL_TIMEOUT=${PULL_TIMEOUT:-120}

run_file() {
	local again=()

	printf '== %s\n' "$1"
	[[ $2 != '^(\*)$' ]] || set -- "$1" .
	bats --tap --filter "$2" "$1" >/run/tap && cat /run/tap && return
	grep -E '^(not ok|#)' /run/tap | sed 's/^/# first try: /'
	mapfile -t again < <(sed -n 's/^not ok [0-9]* //p' /run/tap)
	grep '^ok ' /run/tap
	bats --tap --filter "$(expression "${again[@]}")" "$1" || failed=1
}

# The regular expression that is true for these names.
expression() {
	local all

	all=$(printf '%s\n' "$@" | sed 's/[][(){}.*+?^$|\\]/\\&/g' | paste -sd '|')
	printf '^(%s)$' "$all"
}

[[ -s $1 ]] || { echo "no list '$1'" >&2 && exit 1; }
failed=0
while read -r file; do
	mapfile -t names < <(awk -F'\t' -v file="$file" '$1 == file { print $2 }' "$1")
	run_file "$file" "$(expression "${names[@]}")"
done < <(cut -f 1 "$1" | uniq)
exit "$failed"
