#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds every fuzz target fuzz_NAME.c and runs each for SECONDS, beginning with the documents in
# corpus/NAME, which stay as they are. An input that fails is kept below build/fuzz/, with the
# command's output. With 0 seconds nothing is made up: the corpora are replayed, once.
# Usage: tests/fuzz/run.sh [SECONDS [NAME…]]
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
	for file in tests/fuzz/fuzz_*.c; do
		name=${file##*/fuzz_}
		names+=("${name%.c}")
	done
fi

out=build/fuzz
flags=(-std=gnu17 -D_GNU_SOURCE -Iinclude "-I$out/include" -g -O1 -fno-omit-frame-pointer
	-fno-strict-aliasing '-fsanitize=fuzzer-no-link,address,undefined' -fno-sanitize-recover=all)
flags+=('-DBERTH_SBINDIR="/usr/sbin"' '-DBERTH_LIBEXECDIR="/usr/libexec/berth"')
[ ! -e /usr/include/isa-l/igzip_lib.h ] || flags+=(-DBERTH_ISAL)
mkdir -p "$out/include/berth/base"
sed 's/@[A-Z_]*@/fuzz/' src/base/version.h.in >"$out/include/berth/base/version.h"

# Which room a target is for; each is linked with base, too.
room() {
	case "$1" in
	json | spec) echo spec ;;
	unit) echo cgroup ;;
	net_*) echo net ;;
	*) echo pull ;;
	esac
}

# compile ROOM: an archive of all that is in it but its main().
compile() {
	local objects="$out/$1" kind=("${flags[@]}" -iquote "src/$1")
	rm -rf "$objects"
	mkdir -p "$objects"
	# shellcheck disable=SC2016 # the inner shell expands it
	find "src/$1" -name '*.c' ! -name main.c -print0 |
		xargs -0 -P 2 -I {} bash -c 'o="$1/${2//\//_}.o" && shift 2 &&
			exec clang "$@" -c -o "$o"' _ "$objects" {} "${kind[@]}" {}
	rm -f "$out/$1.a"
	ar rc "$out/$1.a" "$objects"/*.o
}

# build NAME: links the target with the rooms that it calls.
build() {
	local libraries=(-lyajl)
	case "$(room "$1")" in
	pull) libraries+=(-lcrypto -lz -lzstd -lpthread -ldl) ;;
	net) libraries+=(-lmnl -lnftnl) ;;
	esac
	clang "${flags[@]}" -fsanitize=fuzzer -iquote "src/$(room "$1")" "tests/fuzz/fuzz_$1.c" \
		"$out/$(room "$1").a" "$out/base.a" "${libraries[@]}" -o "$out/fuzz_$1"
}

# fuzz NAME: runs it; new inputs that reach more code go to a directory of their own.
fuzz() {
	local inputs=("tests/fuzz/corpus/$1") effort=(-runs=0)
	mkdir -p "$out/found/$1" "$out/failed/$1"
	if [ "$seconds" -gt 0 ]; then
		inputs=("$out/found/$1" "${inputs[@]}")
		effort=("-max_total_time=$seconds")
	fi
	"$out/fuzz_$1" "${effort[@]}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="$out/failed/$1/" -print_final_stats=1 "${inputs[@]}" \
		>"$out/$1.log" 2>&1
}

failed=0
compile base
for used in $(for name in "${names[@]}"; do room "$name"; done | sort -u); do
	compile "$used"
done
for name in "${names[@]}"; do
	build "$name"
	if fuzz "$name"; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log")
		echo "fuzz_$name: $runs inputs, none failed"
	else
		echo "fuzz_$name: FAILED, see $out/$name.log and $out/failed/$name/"
		tail -n 40 "$out/$name.log"
		failed=1
	fi
done
exit "$failed"
