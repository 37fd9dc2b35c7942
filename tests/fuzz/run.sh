#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds every fuzz target fuzz_NAME.c and runs each for SECONDS, beginning with the documents in
# corpus/NAME, which stay as they are. An input that fails is kept below build/fuzz/, with the
# command's output. Usage: tests/fuzz/run.sh [SECONDS [NAME…]]
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
flags=(-std=gnu17 -D_GNU_SOURCE -Iinclude -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing
	'-fsanitize=fuzzer,address,undefined' -fno-sanitize-recover=all)
mkdir -p "$out"

# build NAME: links the target with the rooms that decode.
build() {
	clang "${flags[@]}" "tests/fuzz/fuzz_$1.c" src/base/*.c src/spec/*.c -lyajl \
		-o "$out/fuzz_$1"
}

# fuzz NAME: runs it; new inputs that reach more code go to a directory of their own.
fuzz() {
	mkdir -p "$out/found/$1" "$out/failed/$1"
	"$out/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="$out/failed/$1/" -print_final_stats=1 \
		"$out/found/$1" "tests/fuzz/corpus/$1" >"$out/$1.log" 2>&1
}

failed=0
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
