#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lints catch what they are there for: each gets a small tree that it must pass, and then the
# same tree with one planted violation, which it must name.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
failures=0 cases=0

licence='/* SPDX-License-Identifier: Apache-2.0 */'

# plant PATH [LINE…]: writes a file of the tree.
plant() {
	local directory=$tree/${1%/*}
	[ -d "$directory" ] || mkdir -p "$directory"
	printf '%s\n' "${@:2}" >"$tree/$1"
}

# clean_tree: a tree that all lints pass, in place of what is there.
clean_tree() {
	rm -rf "$tree"
	cp -r "$scratch/clean" "$tree"
}

# make_clean_tree: makes that tree.
make_clean_tree() {
	plant include/berth/base/fd.h "$licence" 'int fd_close(int fd);'
	plant include/berth/spec/spec.h "$licence" '#include "berth/base/fd.h"'
	plant include/berth/mount/filesystem.h "$licence" '#include "berth/spec/spec.h"'
	plant include/berth/container/container.h "$licence" '#include "berth/spec/spec.h"'
	plant src/base/fd.c "$licence" '#include "berth/base/fd.h"' '#include <unistd.h>' \
		'' 'int fd_close(int fd)' '{' '	return close(fd);' '}'
	plant src/linux/seccomp-internal.h "$licence" '#include "berth/spec/spec.h"'
	plant src/linux/seccomp.c "$licence" '#include <seccomp.h>' '#include "seccomp-internal.h"'
	plant src/linux/hooks.c "$licence" '#include "berth/base/fd.h"'
	plant src/pull/common/size.h "$licence" '#include "berth/base/fd.h"'
	plant src/pull/stream/reader.h "$licence" '#include "common/size.h"'
	plant src/pull/stream/pump.c "$licence" '#include "reader.h"'
	plant src/pull/image/image.h "$licence" '#include "common/size.h"'
	plant src/pull/pull.c "$licence" '#include "stream/reader.h"'
	plant src/cli/main.c "$licence" '#include <stdio.h>' '' 'int main(void)' '{' \
		'	/* getenv(3), goto and "printf(" in words only */' \
		'	puts("getenv(\"x\") goto");' "	putc('\"', stdout);" '	return 0;' '}'
	plant tests/run.sh '#!/bin/sh' '# SPDX-License-Identifier: Apache-2.0' 'exit 0'
	mv "$tree" "$scratch/clean"
}

# expect LINT TEXT…: the lint fails, and says each TEXT.
expect() {
	local lint=$1 text out status=0
	shift
	out=$("$here/$lint.sh" "$tree" 2>&1) || status=$?
	for text in "$@"; do
		cases=$((cases + 1))
		if [ "$status" -eq 0 ] || [[ $out != *"$text"* ]]; then
			echo "selftest: $lint does not catch: $text"
			printf '%s\n' "$out"
			failures=$((failures + 1))
		fi
	done
	clean_tree
}

# expect_clean LINT: the lint passes.
expect_clean() {
	local out
	cases=$((cases + 1))
	if ! out=$("$here/$1.sh" "$tree" 2>&1); then
		echo "selftest: $1 fails a clean tree"
		printf '%s\n' "$out"
		failures=$((failures + 1))
	fi
	clean_tree
}

# lines COUNT TEXT: the text so many times.
lines() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "$2"
	done
}

# plant_function PATH LINES [BEFORE]: a function with a body of so many lines.
plant_function() {
	local body=()
	mapfile -t body < <(lines "$2" '	x++;')
	plant "$1" "$licence" "${3:-}" 'void f(int x)' '{' "${body[@]}" '}'
}

make_clean_tree
clean_tree
for lint in layers forbidden sizes words shellcheck; do
	expect_clean "$lint"
done

# layers: each rule.
plant src/base/fd.c '#include "berth/spec/spec.h"'
expect layers 'src/base/fd.c:1: rule 1: never upwards: spec (rank 1) from base (rank 0)'
plant include/berth/spec/spec.h '#include "berth/container/container.h"'
expect layers 'include/berth/spec/spec.h:1: rule 1: never upwards: container'
plant src/linux/hooks.c '#include "berth/mount/filesystem.h"'
expect layers 'rule 1: never sideways: linux and mount'
plant src/linux/hooks.c '#include "../mount/mount-internal.h"'
expect layers 'rule 1: "../mount/mount-internal.h" is neither'
plant src/linux/hooks.c '#include "mount-internal.h"'
expect layers 'rule 1: "mount-internal.h" is not beside'
plant src/linux/hooks.c '#include "berth/garage/car.h"'
expect layers 'rule 1: there is no room "garage"'
plant src/garage/car.c '#include <stdio.h>'
expect layers 'rule 1: there is no room "garage"'
plant include/berth/base/fd.h '#include "fd-internal.h"'
expect layers 'rule 1: "fd-internal.h" is not beside'
plant src/linux/hooks.c '#include "seccomp-internal.h"'
expect layers "rule 2: files of linux do not include each other's"
plant src/linux/hooks.c '#include <seccomp.h>'
expect layers 'rule 4: <seccomp.h> belongs into src/linux/seccomp.c'
plant src/cli/main.c '#  include <yajl/yajl_parse.h>'
expect layers 'rule 4: <yajl/yajl_parse.h> belongs into'
plant src/net/main.c '#include "berth/spec/spec.h"'
expect layers 'rule 6: net shares nothing'

plant src/pull/common/size.h '#include "stream/reader.h"'
expect layers 'rule 7: never upwards: pull/stream (rank 1) from pull/common (rank 0)'
plant src/pull/image/image.h '#include "stream/reader.h"'
expect layers 'rule 7: never sideways: pull/image and pull/stream'
plant src/pull/pull.h "$licence"
plant src/pull/stream/pump.c '#include "../pull.h"'
expect layers 'rule 1: "../pull.h" is neither'
plant src/pull/pull.h "$licence"
plant src/pull/stream/pump.c '#include "pull.h"'
expect layers 'rule 1: "pull.h" is not beside'
plant src/pull/stream/pump.c '#include "stream/reader.h"'
expect layers 'rule 7: "reader.h" is beside'
plant src/pull/pull.c '#include "stream/writer.h"'
expect layers 'rule 7: there is no "stream/writer.h"'
plant src/pull/store/store-internal.h "$licence"
plant src/pull/pull.c '#include "store/store-internal.h"'
expect layers 'rule 7: "store/store-internal.h" is for the files beside it only'
plant src/pull/garage/car.c '#include "common/size.h"'
expect layers 'rule 7: pull has no part "garage"'
plant src/net/main.c '#include "common/size.h"'
expect layers 'rule 1: "common/size.h" is neither'

# forbidden: one of each kind, each on a line of its own.
calls=('mount(a, b, c, 0, d)' 'fork()' 'exit(1)' 'getenv("HOME")' 'chdir("/")' 'realpath(a, b)'
	'system(a)' 'strcpy(a, b)' 'sprintf(a, b)' 'atoi(a)' 'syscall(1)' 'printf(a)'
	'umount2(a, 0)' 'malloc(3)' 'sleep(1)' 'dup2(3, 0)' 'execve(a, b, c)' 'setns(3, 0)'
	'pthread_create(a, b, c, d)' 'mount (a, b, c, 0, d)')
plant src/linux/hooks.c "${calls[@]/%/;}"
texts=()
for i in "${!calls[@]}"; do
	texts+=("src/linux/hooks.c:$((i + 1)): ${calls[i]%%[( ]*}: ")
done
expect forbidden "${texts[@]}"
plant src/linux/hooks.c 'void f(void) { goto out; out: return; }'
expect forbidden 'src/linux/hooks.c:1: goto: '
plant include/berth/base/fd.h 'static char path[PATH_MAX];'
expect forbidden 'include/berth/base/fd.h:1: PATH_MAX: '
plant src/base/fd.c '' 'int f(void) {' '	return open("/dev/null",' '		O_RDONLY);' '}'
expect forbidden 'src/base/fd.c:3: a descriptor that is not close-on-exec'
plant src/base/fd.c '' 'int f(void) {' '	return openat(3, "x",' '		O_RDONLY | O_CLOEXEC);' '}'
expect_clean forbidden
plant src/base/fd.c 'int f(struct x *x) { return x->mount(1) + x.exit(2) + remount(3) + my_exit(4); }'
expect_clean forbidden

# sizes: the bounds themselves are fine, one more is not.
plant_function src/base/fd.c 60
expect_clean sizes
plant_function src/base/fd.c 61
expect sizes 'src/base/fd.c:4: a function of 61 lines, at most 60'
plant_function src/base/fd.c 61 '/* LONG: one table-like switch */'
expect_clean sizes
plant_function src/base/fd.c 61 '/* LONG: */'
expect sizes 'a function of 61 lines'
mapfile -t body < <(lines 600 '')
plant src/base/fd.c "${body[@]}"
expect_clean sizes
plant src/base/fd.c "${body[@]}" ''
expect sizes 'src/base/fd.c:601: 601 lines, at most 600'
plant include/berth/base/fd.h "${body[@]:0:150}"
expect_clean sizes
plant include/berth/base/fd.h "${body[@]:0:151}"
expect sizes 'include/berth/base/fd.h:151: 151 lines, at most 150'
for i in {1..11}; do
	plant "src/base/f$i.c" '/* LONG: for a reason */'
done
expect sizes '11 exceptions (LONG:), at most 10'

# words, each on a line of its own. The underlines keep this file free of them.
words=(TO_DO FIX_ME X_XX 'coming_ soon' /wo_rk/main/src /tmp/bui_ld-x DES_IGN.md
	ghc_r.io py_pi.org proxy.gol_ang.org)
plant docs/text.md "${words[@]//_/}"
texts=()
for i in "${!words[@]}"; do
	texts+=("docs/text.md:$((i + 1)): ")
done
expect words "${texts[@]}"
plant docs/text.md 'A template berth-XXXXXX, the word todos, and a working directory: /working/main'
expect_clean words
plant src/base/fd.c '/* A file without a licence. */'
expect words 'src/base/fd.c:1: no SPDX'
plant tests/tool '#!/bin/sh' 'exit 0'
expect words 'tests/tool:1: no SPDX'

# Scripts that shellcheck would not pass.
plant tests/tool '#!/bin/sh' "rm \$1"
expect shellcheck SC2086

# format, where there is a style.
if command -v clang-format >/dev/null; then
	cp "$here/../../.clang-format" "$tree/"
	plant src/base/fd.c 'int  f( void ){return 0;}'
	expect format 'src/base/fd.c'
fi

echo "selftest: $cases cases, $failures failed"
[ "$failures" -eq 0 ]
