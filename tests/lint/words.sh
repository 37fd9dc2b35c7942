#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Words that no file of the project may have, and the licence line that each source must have.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_begin "$@"

# EXPRESSION | what it is. A bracket keeps each from finding itself here.
# The host that image names stand for where they name none is no such word: berth-pull must know it.
table='
\b([T]ODO|[F]IXME|[T]BD|[H]ACK|[W]IP)\b|unfinished work
\b[X]XX\b|unfinished work
\b[n]ot implemented yet\b|unfinished work
\b[u]nimplemented\b|unfinished work
\b[c]oming soon\b|unfinished work
\b[f]ill in later\b|unfinished work
/[w]ork/(main|shared|\.library)|a path of one machine
/[t]mp/build|a path of one machine
/[h]ome/[a-z]+/|a path of one machine
\b([D]ESIGN|[C]ONVENTIONS|[L]AB)\.md\b|a file that is not here
\b([g]hcr|[q]uay|[g]cr)\.io\b|the name of a registry
\b[r]egistry\.k8s\.io\b|the name of a registry
\b[m]cr\.microsoft\.com\b|the name of a registry
\b[p]ublic\.ecr\.aws\b|the name of a registry
\b([p]ypi\.org|[f]iles\.pythonhosted\.org|[c]rates\.io|[r]ubygems\.org)\b|the name of a registry
\b([r]egistry\.npmjs\.org|[p]roxy\.golang\.org|[s]um\.golang\.org)\b|the name of a registry
'

# FILE|EXPRESSION: lines where such a word is meant otherwise. The Test Anything Protocol has one.
exceptions='
tests/conformance/run.sh|# [T]ODO
tests/conformance/tap/tap.go|" # [T]ODO"
'
export LC_ALL=C

mapfile -t files < <(project_files '*')
[ "${#files[@]}" -gt 0 ] || exit 0

# The last "|" of a row parts the expression from its meaning.
expressions=() meanings=()
while IFS= read -r row; do
	[ -n "$row" ] || continue
	expressions+=("${row%|*}")
	meanings+=("${row##*|}")
done <<<"$table"

# excepted FILE TEXT: the line is one of the exceptions.
excepted() {
	local row
	while IFS= read -r row; do
		[[ -n $row && $1 == "${row%%|*}" && $2 =~ ${row#*|} ]] && return 0
	done <<<"$exceptions"
	return 1
}

# One search for all; what it was is found out for the few lines that are hit.
while IFS=: read -r file line text; do
	! excepted "$file" "$text" || continue
	for i in "${!expressions[@]}"; do
		hit=$(grep -oE -m 1 -- "${expressions[i]}" <<<"$text" | head -n 1) || continue
		finding "$file:$line" "${meanings[i]}: $hit"
	done
done < <(printf '%s\n' "${expressions[@]}" | grep -nIHE -f - -- "${files[@]}" || true)

# A source by its name or by its interpreter has the licence in its first three lines.
while IFS= read -r file; do
	finding "$file:1" "no SPDX licence line"
done < <(awk '
	function report() {
		if (name != "" && is_source && !licensed)
			print name
	}
	FNR == 1 {
		report()
		name = FILENAME
		licensed = 0
		is_source = /^#!/ ||
			name ~ /(\.(c|h|sh|bash|bats|awk|cmake|go|py)|CMakeLists\.txt)$/
	}
	FNR <= 3 && /SPDX-License-Identifier: Apache-2\.0/ {
		licensed = 1
	}
	END {
		report()
	}' "${files[@]}")

lint_end words
