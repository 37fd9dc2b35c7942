#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Peak memory stays below 24 MiB, whatever the image, with four layers at once, or seven.

load helpers

# Puts the image that standard input describes into a registry, and pulls it, @1 (4) layers at once;
# its peak memory in KiB is in PEAK.
pull_and_measure() {
	if grep -q __asan_init "$BERTH_PULL"; then
		skip 'this build checks its memory, which takes some'
	fi
	"$LAB_DIR/mkimage" "$T/layout" >"$T/made"
	start_registry
	# Just as it is: skopeo packs anew what it takes for unpacked.
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/big:1" "$T/layout" big
	measure --parallel "${1:-4}"
}

# Pulls it with these options; its peak memory in KiB is in PEAK.
measure() {
	local code=0

	python3 -c 'if True:
		import resource, subprocess, sys
		code = subprocess.call(sys.argv[2:])
		with open(sys.argv[1], "w") as file:
		    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
		sys.exit(code)' "$T/peak" "$BERTH_PULL" --root "$STORE" -q "$REGISTRY/big:1" "$@" 3>&- 4>&- || code=$?
	read -r PEAK <"$T/peak"
	echo "peak: $PEAK KiB"
	return "$code"
}

# The same, and it must fail; what it says is in output.
measure_failure() {
	run measure "$@"
	((status == 1)) || fail "exit status $status" || return 1
	read -r PEAK <"$T/peak"
}

# A tar with some files of @1 MiB in all, that hardly packs, and that is another one for each @2.
noise() {
	mkdir "$T/noise"
	head -c "$(($1 << 19))" /dev/urandom >"$T/noise/a$2"
	cat "$T/noise/a$2" "$T/noise/a$2" | head -c "$(($1 << 19))" >"$T/noise/b$2"
	tar -cf "$T/$2.tar" -C "$T/noise" .
	rm -r "$T/noise"
}

@test "layers in gzip, several at once" {
	for i in 1 2 3 4 5; do
		noise 12 $i
	done
	pull_and_measure <<-END
		{"ref": "big", "layers": [{"tar": "$T/1.tar"}, {"tar": "$T/2.tar"}, {"tar": "$T/3.tar"},
		 {"tar": "$T/4.tar"}, {"tar": "$T/5.tar"}]}
	END
	((PEAK < 24576))
}

@test "layers in zstd with the window of its usual level" {
	for i in 1 2 3 4; do
		noise 12 $i
	done
	pull_and_measure <<-END
		{"ref": "big", "layers": [{"tar": "$T/1.tar", "compression": "zstd"},
		 {"tar": "$T/2.tar", "compression": "zstd"}, {"tar": "$T/3.tar", "compression": "zstd"},
		 {"tar": "$T/4.tar", "compression": "zstd"}]}
	END
	((PEAK < 24576))
}

@test "layers in zstd with a window of 8 MiB, and in several frames" {
	for i in 1 2 3 4; do
		noise 20 $i
	done
	pull_and_measure <<-END
		{"ref": "big", "layers": [
		 {"tar": "$T/1.tar", "compression": "zstd", "zstd": ["--zstd=wlog=23"]},
		 {"tar": "$T/2.tar", "compression": "zstd", "zstd": ["--zstd=wlog=23"], "members": 2},
		 {"tar": "$T/3.tar", "compression": "zstd", "zstd": ["--zstd=wlog=23"], "skippable": true},
		 {"tar": "$T/4.tar", "compression": "zstd", "zstd": ["--zstd=wlog=23"]}]}
	END
	((PEAK < 24576))
}

# @2 layers that say that they need windows of 2^@1 bytes, and refer back by three quarters of that: the
# second half of what hardly packs is the first one again.
large_windows() {
	local i

	for ((i = 1; i <= $2; i++)); do
		noise $((3 << ($1 - 21))) $i
		jq -n --arg tar "$T/$i.tar" --arg log "$1" \
			'{tar: $tar, compression: "zstd", zstd: ["-1", "--long=\($log)"]}'
	done | jq -s '{ref: "big", layers: .}'
}

# The files of all layers are what was packed: those of each pair are the same.
has_pairs() {
	local i

	for ((i = 1; i <= $1; i++)); do
		cmp "$STORE"/layers/sha256/*/fs/"a$i" "$STORE"/layers/sha256/*/fs/"b$i" || return 1
	done
}

@test "layers in zstd with windows of 32 MiB, seven at once; by a flag they are refused" {
	large_windows 25 7 >"$T/image.json"
	pull_and_measure 7 <"$T/image.json"
	((PEAK < 24576))
	has_pairs 7
	[[ $(du -sm "$T/layout" | cut -f 1) -lt 220 ]] || fail 'nothing refers far back'
	rm -rf "$STORE"
	measure_failure --max-zstd-window 8m
	contains "$output" "layer sha256:"
	contains "$output" "needs a window of more than 8 MiB (--max-zstd-window)"
	((PEAK < 24576))
	KEEP_PARTS=1
}

@test "layers in zstd with windows of 128 MiB" {
	large_windows 27 2 >"$T/image.json"
	pull_and_measure <"$T/image.json"
	((PEAK < 24576))
	has_pairs 2
}

@test "a full disk that has no place for the window" {
	mkdir "$T/small"
	# The same file again and again, so that what is unpacked needs little room.
	jq -n '{ref: "latest", layers: [{entries: [range(20) | {path: "a", size: 4000000}],
		compression: "zstd", zstd: ["--long=27"]}]}' | "$LAB_DIR/mkimage" "$T/layout" >/dev/null
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare -m bash -c 'mount -t tmpfs -o size=24m none small && "$@" && exit 99
		ls -A small/store/tmp >left' _ "$BERTH_PULL" --root "$T/small/store" --max-ratio 0 \
		--from "oci:$T/layout" 3>&- 4>&-
	is "$status" 0
	contains "$output" "keep the window of zstd data in \"$T/small/store/tmp\": No space left on device"
	[[ ! -s $T/left ]]
}

@test "hundreds of thousands of entries" {
	pull_and_measure <<-'END'
		{"ref": "big", "layers": [
		 {"entries": [{"path": "files/%d", "repeat": 100000}]},
		 {"entries": [{"path": "implied/%d/x", "repeat": 30000}]},
		 {"entries": ["z", {"path": "links/%d", "target": "z", "type": "hardlink", "repeat": 50000}]},
		 {"entries": [{"path": "later/%d", "target": "z", "type": "hardlink", "repeat": 50000}, "z"]}]}
	END
	((PEAK < 24576))
}
