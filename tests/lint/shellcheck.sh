#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script, whatever it is called, passes shellcheck; bats files too.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_begin "$@"

# By its name, or by its interpreter.
mapfile -t files < <(project_files '*')
[ "${#files[@]}" -gt 0 ] || exit 0
mapfile -t scripts < <(awk '
	FNR == 1 && (/^#!.*(bash|sh|bats)$/ || FILENAME ~ /\.(sh|bash|bats)$/) {
		print FILENAME
	}
	FNR > 1 {
		nextfile
	}' "${files[@]}")
[ "${#scripts[@]}" -gt 0 ] || exit 0
# Off: SC2016 (jq's programs and the container's shell have dollars of their own, in single quotes)
# and, in bats files, SC2154 (bats sets $output, $stderr and $lines), SC2030 and SC2031 (each test is
# a subshell, on purpose), SC2034 (helpers read variables that tests set).
printf '%s\n' "${scripts[@]}" | { grep -vE '\.(bats|bash)$' || true; } | tr '\n' '\0' |
	xargs -0 -r -n 4 -P 2 shellcheck -x -P SCRIPTDIR -P . -e SC2016
printf '%s\n' "${scripts[@]}" | { grep -E '\.(bats|bash)$' || true; } | tr '\n' '\0' |
	xargs -0 -r -n 4 -P 2 shellcheck -x -P SCRIPTDIR -P . -e SC2016,SC2154,SC2030,SC2031,SC2034
