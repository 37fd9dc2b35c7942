#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the programs: tidy.sh BUILD, a build directory with compile_commands.json. The
# checks, and why some are off, are in .ci/clang-tidy.yaml. Named files: those alone.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
build=$(cd "${1:?usage: tidy.sh BUILD [FILE…]}" && pwd)
shift
lint_begin "" # the arguments are the build's

files=("$@")
if [ "${#files[@]}" -eq 0 ]; then
	mapfile -t files < <(jq -r '.[].file' "$build/compile_commands.json" |
		sed -n "s|^$PWD/\(src/\)|\1|p" | sort -u)
fi
# gcc's own spellings of options mean nothing to clang.
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P 2 clang-tidy --quiet -p "$build" \
	--config-file=.ci/clang-tidy.yaml --extra-arg=-Wno-unknown-warning-option \
	--extra-arg=-Wno-gnu-statement-expression --extra-arg=-Wimplicit-fallthrough \
	2> >(grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' >&2)
