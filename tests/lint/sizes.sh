#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bounds of size: functions 60 lines, files 600, headers of the runtime 150. A comment that begins
# with "LONG:" and says why makes an exception: before or in a function for that, in the first
# 20 lines of a file for the file. There may be ten.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_begin "$@"

function_max=60 file_max=600 header_max=150 exceptions_max=10

mapfile -t files < <(find src include tests -name '*.[ch]' 2>/dev/null | sort)
[ "${#files[@]}" -gt 0 ] || exit 0

# Functions are those of the project's style: braces in the first column.
while IFS=: read -r where text; do
	finding "${where/ /:}" "$text"
done < <(awk -v function_max="$function_max" -v file_max="$file_max" \
	-v header_max="$header_max" -v exceptions_max="$exceptions_max" '
	function check_file(bound) {
		bound = name ~ /^(src|include)\/.*\.h$/ ? header_max : file_max
		if (name != "" && count > bound && !file_is_excused)
			printf "%s %d:%d lines, at most %d\n", name, count, count, bound
	}
	FNR == 1 {
		check_file()
		name = FILENAME
		file_is_excused = excused = start = 0
	}
	{
		count = FNR
		if (/\/\* LONG: [^ *]/) {
			excused = 1
			exceptions++
			if (FNR <= 20)
				file_is_excused = 1
		}
	}
	/^{$/ {
		start = FNR
	}
	/^}/ {
		if (start && FNR - start - 1 > function_max && !excused)
			printf "%s %d:a function of %d lines, at most %d\n", name, start,
				FNR - start - 1, function_max
		start = excused = 0
	}
	END {
		check_file()
		if (exceptions > exceptions_max)
			printf "tree 0:%d exceptions (LONG:), at most %d\n", exceptions, exceptions_max
	}' "${files[@]}")

lint_end sizes
