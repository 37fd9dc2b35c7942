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

# Parts of a room that is too large for one directory, with ranks of their own; the room's directory
# itself is the highest. A part includes its own headers, and "PART/x.h" of a lower one.
declare -A part=(
	[pull/common]=0 [pull/stream]=1 [pull/image]=1 [pull/source]=2 [pull/layer]=2
	[pull/registry]=3 [pull/store]=3 [pull/bundle]=4 [pull]=5
)

# Headers of libraries, and the files or directories that alone may include them.
libraries=(
	'yajl/|src/base/json_read.c'
	'seccomp.h|src/linux/seccomp.c'
	'sys/capability.h|src/linux/capabilities.c'
	'libmnl/|src/net/'
	'libnftnl/|src/net/'
	'systemd/|src/systemd/'
	'curl/|src/pull/registry/'
	'openssl/evp.h|src/pull/common/digest.c'
	'openssl/x509.h|src/pull/registry/certs.c'
	'zlib.h|src/pull/'
	'zstd|src/pull/stream/zstd.c'
	'isa-l/|src/pull/stream/inflate_isal.c'
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

# check_part WHERE FILE HEADER: an include of "PART/x.h".
check_part() {
	local where=$1 file=$2 header=$3
	local own=${file#src/} other
	own=${own%/*} other=${own%%/*}/${header%%/*}
	if [ ! -e "src/${own%%/*}/$header" ]; then
		finding "$where" "rule 7: there is no \"$header\" in src/${own%%/*}"
	elif [ "$own" = "$other" ]; then
		finding "$where" "rule 7: \"${header#*/}\" is beside the file, and is named so"
	elif [[ $header == *-internal.h ]]; then
		finding "$where" "rule 7: \"$header\" is for the files beside it only"
	elif [ "${part[$other]}" -eq "${part[$own]}" ]; then
		finding "$where" "rule 7: never sideways: $own and $other have rank ${part[$own]}"
	elif [ "${part[$other]}" -gt "${part[$own]}" ]; then
		finding "$where" "rule 7: never upwards: $other (rank ${part[$other]}) from $own" \
			"(rank ${part[$own]})"
	fi
}

# check_local WHERE FILE ROOM HEADER: an include of a header that lies beside the file.
check_local() {
	local where=$1 file=$2 room=$3 header=$4
	local beside=${file%/*}/$header subject=${header%-internal.h}
	if [ -n "${part[$room/${header%%/*}]:-}" ]; then
		check_part "$where" "$file" "$header"
	elif [[ $header == */* ]]; then
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
	place=${file#src/} place=${place%/*}
	if [ -z "${rank[$room]:-}" ]; then
		finding "$where" "rule 1: there is no room \"$room\""
	elif [ -n "${part[$room]:-}" ] && [ -z "${part[$place]:-}" ]; then
		finding "$where" "rule 7: $room has no part \"${place#*/}\""
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
