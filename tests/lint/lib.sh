# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the lints share. A lint takes the root of a tree as its argument (default: this tree), prints
# "FILE:LINE: what is wrong" for each violation, and exits with 1 if there was one.

lint_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# lint_begin [ROOT]: goes to the root of the tree.
lint_begin() {
	cd "${1:-$lint_directory/../..}" || exit 2
	findings=0
}

# finding WHERE TEXT…: reports one violation.
finding() {
	printf '%s: %s\n' "$1" "${*:2}"
	findings=$((findings + 1))
}

# lint_end NAME: the verdict.
lint_end() {
	[ "$findings" -eq 0 ] && return 0
	printf '%s: %d found\n' "$1" "$findings" >&2
	return 1
}

# project_files [PATTERN…]: the files of the project, those not committed yet included, without what
# is ignored; below a planted tree without git, all of them.
project_files() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard -- "$@" | while IFS= read -r file; do
			[ ! -f "$file" ] || printf '%s\n' "$file"
		done
	else
		local names=() pattern
		for pattern in "$@"; do
			names+=(-o -path "./$pattern" -o -name "${pattern##*/}")
		done
		find . -type f \( -false "${names[@]:--o -true}" \) -printf '%P\n'
	fi | sort -u
}

# c_code DIRECTORY…: the C code of the directories as FILE:LINE:CODE, without comments, and with
# the content of string and character constants left out.
c_code() {
	local found=()
	mapfile -t found < <(find "$@" -name '*.[ch]' 2>/dev/null | sort)
	[ "${#found[@]}" -eq 0 ] || awk -f "$lint_directory/strip.awk" "${found[@]}"
}
