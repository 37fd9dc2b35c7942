#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck over the programs: cppcheck.sh BUILD, a build directory with compile_commands.json.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
build=$(cd "${1:?usage: cppcheck.sh BUILD}" && pwd)
lint_begin "" # the arguments are the build's

# What is off, and why:
# missingIncludeSystem: system headers are left out on purpose
# normalCheckLevelMaxBranches, toomanyconfigs: notes about cppcheck itself
# unusedFunction is not asked for: it knows nothing of tables of functions
options=(
	"--enable=warning,performance,portability"
	--suppress=missingIncludeSystem
	--suppress=toomanyconfigs
	--inline-suppr
	--std=c11
	--error-exitcode=1
	--quiet
	-j 2
	-D_GNU_SOURCE
	-I include
	-I src/pull
	--template='{file}:{line}: {severity}: {message} [{id}]'
)
mapfile -t files < <(jq -r '.[].file' "$build/compile_commands.json" |
	sed -n "s|^$PWD/\(src/\)|\1|p" | sort -u)
cppcheck "${options[@]}" "${files[@]}"
