#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each flag that bounds what an image may cost: refused below it, pulled above it. What cannot become
# a bundle is refused before anything is fetched.

load helpers

setup() {
	pull_setup
	"$LAB_DIR/mkimage" "$T/image" >/dev/null <<-'JSON'
		{"ref": "latest", "config": {"Cmd": ["sh"], "Labels": {"long": "0123456789012345678901234567890123456789"}},
		 "layers": [
			{"entries": ["a/", "a/b/", "a/b/c/", {"path": "a/b/c/d", "size": 100000}]},
			{"entries": ["e", "f", {"path": "g", "size": 30000000}]}]}
	JSON
}

# bounded FLAG TOO_LITTLE ENOUGH: the refusal names the flag and leaves nothing; then it works.
bounded() {
	pull_fails "$1" --from "oci:$T/image" "$1" "$2"
	is "$(find "$STORE/images" -type f | wc -l)" 0
	pull --from "oci:$T/image" "$1" "$3"
}

@test "--max-config-size" {
	bounded --max-config-size 100 1m
}

@test "--max-layer-size" {
	bounded --max-layer-size 1m 40m
}

@test "--max-image-size" {
	bounded --max-image-size 30000500 40m
}

@test "--max-files" {
	bounded --max-files 3 4
}

@test "--max-depth" {
	bounded --max-depth 3 4
}

@test "--max-ratio" {
	bounded --max-ratio 20 2000
}

@test "--max-layers" {
	bounded --max-layers 1 2
}

@test "--max-zstd-window" {
	rm -r "$T/image"
	"$LAB_DIR/mkimage" "$T/image" >/dev/null <<-'JSON'
		{"ref": "latest", "config": {"Cmd": ["sh"]}, "layers": [
			{"entries": [{"path": "a", "size": 3000000}], "compression": "zstd", "zstd": ["--zstd=wlog=21"]}]}
	JSON
	bounded --max-zstd-window 1m 2m
	for size in 0 1 3m 256m 512k; do
		pull_fails '--max-zstd-window' --from "oci:$T/image" --max-zstd-window "$size"
	done
}

@test "a place where no bundle can be: refused before anything is fetched" {
	mkdir full
	touch full/file
	pull_fails 'is there, and not empty' --from "oci:$T/image" full
	pull_fails 'No such file or directory' --from "oci:$T/image" missing/bundle
	pull_fails 'Not a directory' --from "oci:$T/image" full/file
	[[ ! -e $STORE ]]
}
