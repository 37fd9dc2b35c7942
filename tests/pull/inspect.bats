#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is said of a stored image.

load helpers

# Makes the layout of the description on standard input, and pulls its image.
pull_image() {
	"$LAB_DIR/mkimage" layout >/dev/null
	IMAGE=oci:$T/layout:x
	pull --from "$IMAGE" -q bundle
}

# The changes of layer $1: LETTER PATH lines, sorted.
changes() {
	pull inspect --json --files "$IMAGE"
	jq -r ".layers[$1].files[] | (.change[:1] | ascii_upcase) + \" \" + .path" "$OUT" | sort
}

# "COUNT BYTES" of what layer $1 has added, changed and hidden.
sums() {
	pull inspect --json "$IMAGE"
	jq -r ".layers[$1] | [.added, .changed, .hidden | .count, .bytes] | join(\" \")" "$OUT"
}

@test "each layer: what it adds, changes and hides" {
	pull_image <<-'E'
		[{"ref": "x", "layers": [
		  {"entries": ["./", "a/", {"path": "a/one", "data": "1"}, {"path": "a/two", "data": "22"},
		    {"path": "a/deep/er/three", "data": "333"}, {"path": "keep", "data": "4444"},
		    {"path": "link", "target": "a"}, {"path": "hard", "type": "hardlink", "target": "keep"},
		    "dir/", {"path": "dir/in", "data": "55555"}, "op/", {"path": "op/old", "data": "666666"},
		    {"path": "op/same", "data": "7777777"}]},
		  {"entries": ["./", "a/", {"path": "a/one", "data": "new one"}, {"path": "a/two", "type": "whiteout"},
		    {"path": "a/deep", "type": "whiteout"}, {"path": "nothing", "type": "whiteout"},
		    {"path": "dir", "data": "now a file"}, {"path": "op", "type": "opaque"},
		    {"path": "op/same", "data": "8"}, {"path": "op/new", "data": "99"}]},
		  {"entries": [{"path": "a/", "mode": "0700"}, {"path": "a/deep/again", "data": "x"},
		    {"path": "link", "type": "whiteout"}, {"path": "dir", "type": "whiteout"},
		    {"path": "a/one", "data": "y"}, {"path": "a/one", "data": "yy"}]},
		  {"entries": []},
		  {"entries": [{"path": "a", "type": "whiteout"}, {"path": "link", "target": "elsewhere"}]}]}]
	E
	is "$(changes 0)" 'A /a
A /a/deep
A /a/deep/er
A /a/deep/er/three
A /a/one
A /a/two
A /dir
A /dir/in
A /hard
A /keep
A /link
A /op
A /op/old
A /op/same'
	is "$(sums 0)" '14 28 0 0 0 0'
	is "$(changes 1)" 'A /op/new
C /a/one
C /dir
C /op/same
H /a/deep
H /a/two
H /op/*'
	# Hidden: a/two, a/deep/er/three, dir/in, op/old.
	is "$(sums 1)" '1 2 3 18 3 16'
	is "$(changes 2)" 'A /a/deep
A /a/deep/again
C /a
C /a/one
H /dir
H /link'
	is "$(sums 2)" '2 1 2 2 2 10'
	is "$(changes 3)" ''
	is "$(sums 3)" '0 0 0 0 0 0'
	is "$(changes 4)" 'A /link
H /a'
	# Hidden: a/one and a/deep/again, as they were last.
	is "$(sums 4)" '1 0 0 0 1 3'
}

@test "documents as they are, sizes, and what made each layer" {
	local manifest config

	pull_image <<-'E'
		[{"ref": "x", "layers": [{"entries": ["a"]}, {"entries": ["b"], "compression": "zstd"}],
		  "config": {"Cmd": ["/bin/sh", "-c", "echo 'x  y'"], "Env": ["A=b"], "User": "12",
		    "ExposedPorts": {"53/udp": {}}, "Labels": {"k": "v"}},
		  "image": {"author": "me", "history": [{"created_by": "COPY a"},
		    {"created_by": "ENV A=b", "empty_layer": true}, {"comment": "b"}]}}]
	E
	pull inspect --json "$IMAGE"
	manifest=layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' layout/index.json)
	config=layout/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
	is "$(jq -S .manifest "$OUT")" "$(jq -S . "$manifest")"
	is "$(jq -S .config "$OUT")" "$(jq -S . "$config")"
	is "$(jq -r '.digest' "$OUT")" "sha256:${manifest##*/}"
	is "$(jq -c '[.layers[] | {digest, size, mediaType}]' "$OUT")" \
		"$(jq -c '[.layers[] | {digest, size, mediaType}]' "$manifest")"
	is "$(jq -c '[.layers[].diffId]' "$OUT")" "$(jq -c .rootfs.diff_ids "$config")"
	is "$(jq -c '[.layers[].createdBy]' "$OUT")" '["COPY a",""]'
	is "$(jq -c '[.layers[] | has("files")]' "$OUT")" '[false,false]'

	pull inspect "$IMAGE"
	contains "$output" "Digest       sha256:${manifest##*/}"
	contains "$output" "Command      /bin/sh -c \"echo 'x  y'\""
	contains "$output" 'Environment  A=b'
	contains "$output" 'User         12'
	contains "$output" 'Ports        53/udp'
	contains "$output" 'Labels       k=v'
	contains "$output" 'Author       me'
	contains "$output" 'Made by    COPY a'
	contains "$output" 'Adds       1 paths, 0 B'
	lacks "$output" 'A /a'
	# By digest, and beginnings of it.
	pull inspect --files "sha256:${manifest##*/}"
	contains "$output" '  A /a'
	manifest=${manifest##*/}
	pull inspect "${manifest:0:12}"
	pull_fails 'there is no image' inspect "${manifest:0:11}"
}

@test "an image does not write to the terminal of whoever looks at it" {
	pull_image <<-'E'
		[{"ref": "x", "layers": [{"entries": [{"path": "evil\u001b[2J\u009b1m\r\n\u007fä", "data": "x"}]}],
		  "config": {"Env": ["A=\u001b[31m"], "Labels": {"\u0007": "\u0008"}},
		  "image": {"author": "\u001b]0;x\u0007", "history": [{"created_by": "\u001b[1A"}]}}]
	E
	pull inspect --files "$IMAGE"
	contains "$output" 'evil\033[2J\302\2331m\015\012\177ä'
	contains "$output" 'Author       \033]0;x\007'
	pull inspect "$IMAGE"
	pull list
	rm "$STORE"/layers/sha256/*/fs/evil*
	pull_fails damaged verify
	contains "$output" 'evil\033[2J'
	LC_ALL=C.UTF-8 run grep -lP '[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}]' "$T"/out.*
	is "$output" ''
}

@test "a layer of very many files: the memory stays small" {
	local name

	! grep -q __asan_init "$BERTH_PULL" || skip 'AddressSanitizer keeps what is freed'
	# Their paths alone are 12 MB.
	name=$(printf 'x%.0s' {1..200})
	pull_image <<-E
		[{"ref": "x", "layers": [
		  {"entries": [{"path": "d/", "type": "dir"}, {"path": "d/$name-%d", "repeat": 60000}]},
		  {"entries": [{"path": "d", "type": "whiteout"}]}]}]
	E
	python3 -c 'import os, resource, sys
for args in (["inspect", sys.argv[3]], ["verify"]):
    pid = os.spawnv(os.P_NOWAIT, sys.argv[1], [sys.argv[1], "--root", sys.argv[2]] + args)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, status
    assert usage.ru_maxrss < 24 << 10, usage.ru_maxrss' "$BERTH_PULL" "$STORE" "$IMAGE" >"$T/said"
	contains "$(<said)" 'Adds       60001 paths'
	contains "$(<said)" 'Hides      1 paths'
}
