#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Names of images, as Docker writes them, against a registry.

load helpers

# A registry with a/b:one, a/b:two and a/b:latest; sets ONE, TWO and LATEST to their digests.
setup() {
	pull_setup
	"$LAB_DIR/mkimage" lay <<-EOF >made.json
		[{"ref": "one", "layers": [{"entries": ["one"]}]},
		 {"ref": "two", "layers": [{"entries": ["two"]}]},
		 {"ref": "latest", "layers": [{"entries": ["latest"]}]}]
	EOF
	{ read -r ONE && read -r TWO && read -r LATEST; } < <(jq -r '.[].digest' made.json)
	start_registry
	push_image lay:one a/b:one
	push_image lay:two a/b:two
	push_image lay:latest a/b:latest
}

# pulls REFERENCE DIGEST
pulls() {
	STORE=$T/store.$CALLS
	pull -q --insecure "$REGISTRY/$1"
	is "$output" "$2" "$1"
}

@test "by tag, by digest, by both (the digest decides), by neither" {
	pulls a/b:one "$ONE"
	pulls a/b:two "$TWO"
	pulls a/b "$LATEST"
	pulls "a/b@$TWO" "$TWO"
	pulls "a/b:one@$TWO" "$TWO"
	pulls "a/b:none@$TWO" "$TWO"
	pulls "a/b:latest" "$LATEST"
}

@test "by every name of the host" {
	local port=${REGISTRY##*:}
	REGISTRY=localhost:$port
	pulls a/b:one "$ONE"
	REGISTRY=127.0.0.1:$port
	pulls a/b:one "$ONE"
	REGISTRY=LOCALHOST:$port
	pulls a/b:one "$ONE"
}

@test "what does not exist is said by name" {
	pull_fails "$REGISTRY/a/b:none" --insecure "$REGISTRY/a/b:none"
	pull_fails "$REGISTRY/nothing" --insecure "$REGISTRY/nothing"
	pull_fails 'sha256:0000' --insecure "$REGISTRY/a/b@sha256:$(printf '%064d' 0)"
}

@test "what is no reference is refused before anything is asked" {
	local reference words
	while IFS='|' read -r reference words; do
		pull_fails "$words" --insecure "$reference"
		[[ ! -e $STORE ]]
	done <<-EOF
		$REGISTRY/a/B|"B" must be lower case
		Alpine|"Alpine" must be lower case
		$REGISTRY/a:|there is no tag after
		$REGISTRY/a:b:c|"b:c" is no tag
		$REGISTRY/a@sha256:abc|64 hexadecimal digits
		$REGISTRY/a@sha256:../../../../etc/passwd|64 hexadecimal digits
		$REGISTRY/a@md5:d41d8cd98f00b204e9800998ecf8427e|neither a sha256 nor a sha512 digest
		$REGISTRY/../a|".." is not made of
		$REGISTRY//a|an empty part
		http://$REGISTRY/a|has no "http://" in front
		docker://alpine|has no "docker://" in front
		${ONE#sha256:}|64 hexadecimal digits are no name
		example.com:x/a|"x" is no port
		[::1/a|is no port
		|it is empty
	EOF
}
