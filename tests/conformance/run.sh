#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run all programs against one runtime; write WORK/results/NAME/PROGRAM/result.json for each.
#
# usage: run.sh NAME RUNTIME [PROGRAM...]
#
# A program that prints results passes if at least one of them is good, none is bad, and it exits
# with 0; it is skipped if all it prints is that it skips. A program that prints none passes if it
# exits with 0, the runtime left nothing, and it does not report an error beside the results it
# could have printed. One that exits with another status fails; one stopped because its time is up
# hung. Those that print no results race with the container's process whatever the runtime does: they
# get several attempts.

. "$(dirname "$0")/lib.sh"

at_once=4
attempts=5

# Print how many lines of $1 match the Perl regular expression $2.
count() {
	grep -cP "$2" "$1" || true
}

# Print the first error that a program without results reports, as a JSON string, or null.
complaint() {
	local text
	text=$(sed -n 's/^ *"error": \(".*"\),\{0,1\}$/\1/p' "$1/out" | sed -n 1p)
	echo "${text:-null}"
}

# Complete the counts of one program by the verdict on it.
judge() {
	jq '(.passed + .failed + .skipped == 0) as $silent |
		if $silent then . else .complaint = null end |
		.verdict =
			if .status == 124 or .status == 137 then "hung"
			elif .status != 0 or .failed > 0 then "failed"
			elif .passed > 0 then "passed"
			elif .skipped > 0 then "skipped"
			elif .complaint or .left != [] then "failed"
			else "passed" end'
}

# Turn the files that the cell wrote to directory $1 into one object.
summarise() {
	local passed skipped
	skipped=$(count "$1/out" '^ok .*# *SKIP')
	passed=$(($(count "$1/out" '^ok ') - skipped))
	jq -n --arg program "$(basename "$1")" --argjson status "$(cat "$1/status")" \
		--argjson passed "$passed" --argjson skipped "$skipped" \
		--argjson failed "$(count "$1/out" '^not ok (?!.*# TODO)')" \
		--argjson complaint "$(complaint "$1")" \
		--argjson seconds "$(cat "$1/seconds")" --rawfile left "$1/left" \
		'$ARGS.named | .left |= (split("\n") | map(select(. != "")))' |
		judge >"$1/result.json"
}

# Whether program $1 may be tried again: it races, and it has lost.
may_retry() {
	jq -e '.verdict == "failed" and .complaint != null' "$results/$1/result.json" >/dev/null
}

# Run program $1 in a cell; a cell that cannot be made is a failure of the harness.
run_one() {
	local attempt
	for ((attempt = 0; attempt < attempts; attempt++)); do
		rm -rf "${results:?}/$1"
		"$here/cell.sh" "$1" "$runtime" "$results/$1" || die "the cell for $1 failed"
		summarise "$results/$1"
		may_retry "$1" || break
	done
}

if [[ $1 == --one ]]; then
	runtime=$2 results=$3
	run_one "$4"
	exit
fi

name=$1 runtime=$(realpath -s "$2")
shift 2
results=$work/results/$name
if (($# == 0)); then
	rm -rf "$results"
	mapfile -t programs < <(cd "$work/programs/bin" && printf '%s\n' *)
	set -- "${programs[@]}"
fi
mkdir -p "$results"
"$runtime" --version | sed -n 1p >"$results/version"
say "running $# programs against $name"
printf '%s\n' "$@" | xargs -P "$at_once" -n 1 "$0" --one "$runtime" "$results"
