#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: the path of a file is its room, and the room has a rank. See
# docs/architecture.md for the rooms.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_begin "$@"

declare -A rank=(
	[base]=0 [spec]=1 [mount]=2 [linux]=2 [cgroup]=2 [stage]=3 [container]=4 [host]=4 [cli]=5
	[pull]=1 [net]=1 [systemd]=1
)
# Programs of their own: the runtime does not know them, and they know base alone.
declare -A separate=([pull]=1 [net]=1 [systemd]=1)

# Headers of libraries, and the files or directories that alone may include them.
libraries=(
	'yajl/|src/base/json_read.c'
	'seccomp.h|src/linux/seccomp.c'
	'sys/capability.h|src/linux/capabilities.c'
	'libmnl/|src/net/'
	'libnftnl/|src/net/'
	'systemd/|src/systemd/'
	'curl/|src/pull/'
	'openssl/|src/pull/'
	'zlib.h|src/pull/'
	'zstd.h|src/pull/'
	'isa-l|src/pull/'
)

# check_contract WHERE ROOM OTHER: an include of berth/OTHER/….
check_contract() {
	local where=$1 room=$2 other=$3
	if [ -z "${rank[$other]:-}" ]; then
		finding "$where" "rule 1: there is no room \"$other\""
	elif [ "$room" = "$other" ]; then
		return
	elif [ -n "${separate[$room]:-}" ] && [ "$other" != base ]; then
		finding "$where" "rule 6: $room shares nothing with the runtime but base"
	elif [ -n "${separate[$other]:-}" ]; then
		finding "$where" "rule 6: $other is a program of its own"
	elif [ "${rank[$other]}" -eq "${rank[$room]}" ]; then
		finding "$where" "rule 1: never sideways: $room and $other have rank ${rank[$room]}"
	elif [ "${rank[$other]}" -gt "${rank[$room]}" ]; then
		finding "$where" "rule 1: never upwards: $other (rank ${rank[$other]}) from $room" \
			"(rank ${rank[$room]})"
	fi
}

# check_local WHERE FILE ROOM HEADER: an include of a header that lies beside the file.
check_local() {
	local where=$1 file=$2 room=$3 header=$4
	local beside=${file%/*}/$header subject=${header%-internal.h}
	if [[ $header == */* ]]; then
		finding "$where" "rule 1: \"$header\" is neither beside the file nor a contract"
	elif [ ! -e "$beside" ] && [ ! -e "$beside.in" ]; then
		finding "$where" "rule 1: \"$header\" is not beside the file"
	elif [[ $file == include/* ]]; then
		finding "$where" "rule 1: a contract includes contracts only, not \"$header\""
	elif [ "$room" = linux ]; then
		[[ ${file##*/} == "$subject"* ]] ||
			finding "$where" "rule 2: files of linux do not include each other's headers"
	fi
}

# check_system WHERE FILE HEADER: an include of <HEADER>.
check_system() {
	local where=$1 file=$2 header=$3 row
	for row in "${libraries[@]}"; do
		[[ $header == "${row%%|*}"* ]] || continue
		[[ $file == "${row##*|}"* ]] ||
			finding "$where" "rule 4: <$header> belongs into ${row##*|} only"
	done
}

include='^#[[:space:]]*include[[:space:]]*([<"])([^>"]*)[>"]'
while IFS=: read -r file line text; do
	[[ $text =~ $include ]] || continue
	kind=${BASH_REMATCH[1]} header=${BASH_REMATCH[2]}
	room=${file#src/} room=${room#include/berth/} room=${room%%/*}
	where="$file:$line"
	if [ -z "${rank[$room]:-}" ]; then
		finding "$where" "rule 1: there is no room \"$room\""
	elif [ "$kind" = '<' ]; then
		check_system "$where" "$file" "$header"
	elif [[ $header == berth/* ]]; then
		header=${header#berth/}
		check_contract "$where" "$room" "${header%%/*}"
	else
		check_local "$where" "$file" "$room" "$header"
	fi
done < <(grep -rnE --include='*.[ch]' '^#[[:space:]]*include' src include | sort -t: -k1,1 -k2,2n)

lint_end layers
