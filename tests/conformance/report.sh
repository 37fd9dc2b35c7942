#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Turn the results of the runtimes into a page, and decide whether berth keeps up.
#
# usage: report.sh page          print the page (docs/conformance.md)
#        report.sh regressions   print the programs that berth does not pass but a peer does
#        report.sh summary       print the counts of programs for berth, in one line

. "$(dirname "$0")/lib.sh"

runtimes=(berth crun runc)

# Print one array of all results, each with the name of its runtime.
load() {
	local name
	for name in "${runtimes[@]}"; do
		[[ -d $work/results/$name ]] || continue
		jq --arg runtime "$name" '. + {$runtime}' "$work/results/$name"/*/result.json
	done | jq -s .
}

# Print the programs that berth does not pass and one of the others does.
regressions() {
	load | jq -r 'group_by(.program)[] | select(
		any(.runtime != "berth" and .verdict == "passed") and
		any(.runtime == "berth" and .verdict != "passed")) | .[0].program'
}

# Print the counts for berth; a program that hung has failed.
summary() {
	load | jq -r 'map(select(.runtime == "berth").verdict) |
		def number(f): map(select(f)) | length;
		"conformance: \(number(. == "passed")) passed, " +
		"\(number(. == "failed" or . == "hung")) failed, \(number(. == "skipped")) skipped"'
}

# Print the rows of the table of versions and totals.
totals() {
	local name
	for name in "${runtimes[@]}"; do
		[[ -d $work/results/$name ]] || continue
		load | jq -r --arg name "$name" --arg version "$(cat "$work/results/$name/version")" '
			map(select(.runtime == $name)) |
			def number(f): map(select(f)) | length;
			def sum(f): map(f) | add;
			"| \($version) | \(number(.verdict == "passed")) " +
			"| \(number(.verdict == "failed" or .verdict == "hung")) " +
			"| \(number(.verdict == "skipped")) " +
			"| \(sum(.passed)) | \(sum(.failed)) | \(sum(.skipped)) |"'
	done
}

# Print the rows of the table program by runtime.
rows() {
	load | jq -r --argjson names "$(jq -cn '$ARGS.positional' --args "${runtimes[@]}")" '
		def counts: if .passed + .failed + .skipped == 0 then ""
			else " \(.passed)/\(.passed + .failed)" end;
		def marks: (if .status != 0 and .verdict != "hung" then " x" else "" end) +
			(if .complaint then " e" else "" end) +
			(if .left != [] then " l" else "" end);
		def cell: if . == null then "–"
			elif .verdict == "passed" then "passed" + counts + marks
			else "**\(.verdict)**" + counts + marks end;
		group_by(.program)[] | . as $results |
		"| \(.[0].program) | " + ($names |
			map(. as $name | $results | map(select(.runtime == $name))[0] | cell) |
			join(" | ")) + " |"'
}

# Print the reason of reasons.tsv for program $1; the first column there is a pattern.
reason() {
	local pattern text
	while IFS=$'\t' read -r pattern text; do
		# shellcheck disable=SC2053
		if [[ $1 == $pattern ]]; then
			echo "$text"
			return
		fi
	done <"$here/reasons.tsv"
	echo "not explained yet."
}

# Print why berth does not pass the programs that it does not pass.
reasons() {
	local program lost
	lost=$(regressions)
	load | jq -r '.[] | select(.runtime == "berth" and .verdict != "passed").program' |
		while read -r program; do
			if grep -qx "$program" <<<"$lost"; then
				echo "- **$program**: a peer passes it."
			else
				echo "- $program: $(reason "$program")"
			fi
		done
}

# Print the whole page.
page() {
	cat <<-END
		# Conformance

		Made by \`tests/conformance/run\`; do not edit. The programs are the validation suite
		of the opencontainers runtime-tools, version $(cat "$work/source/.version"), run on
		Linux $(uname -r | grep -oE '^[0-9]+\.[0-9]+') with cgroup v2. Every runtime is run in
		the same way, each program in namespaces and a cgroup of its own.

		| runtime | programs passed | failed | skipped | checks passed | failed | skipped |
		|---|---|---|---|---|---|---|
		$(totals)

		A program passes if it exits with 0 and all the results that it prints are good. A
		program that prints no results passes if it exits with 0, reports no error and the
		runtime left nothing behind. Such programs and pidfile race with the container's
		process, so they get five attempts; and in killsig, for the same reason, a signal waits
		until the process handles it. After a verdict: checks passed / checks made, then **x** if the
		program exited with an error, **e** if it printed no results but reported an error,
		**l** if mounts, cgroups, processes or state were left behind. Some programs never
		delete their container, so **l** after results is a remark, not a failure.

		| program | ${runtimes[0]} | ${runtimes[1]} | ${runtimes[2]} |
		|---|---|---|---|
		$(rows)

		## What berth does not pass, and why

		$(reasons)
	END
}

case ${1-} in
page | regressions | summary) "$1" ;;
*) die "usage: report.sh page|regressions|summary" ;;
esac
