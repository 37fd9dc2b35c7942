#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --platform: which image of an index is taken, and what is said where none fits.

load helpers

# entry OS ARCHITECTURE VARIANT NAME: a node of an index whose layer has the file "which".
entry() {
	jq -cn --arg os "$1" --arg architecture "$2" --arg variant "$3" --arg name "$4" '
		{os: $os, architecture: $architecture, variant: $variant} | map_values(select(. != "")) |
		. as $platform | {layers: [{entries: [{path: "which", data: $name}]}],
			platform: $platform, image: $platform}'
}

# An index as official images have it: each image has an attestation beside it.
official() {
	local list='' os architecture variant
	local attestation
	attestation=$(entry unknown unknown '' attestation |
		jq -c '.descriptor = {annotations: {"vnd.docker.reference.type": "attestation-manifest"}}')
	while read -r os architecture variant; do
		list+=$(entry "$os" "$architecture" "$variant" "$os/$architecture/$variant"),$attestation,
	done <<-EOF
		linux amd64
		linux arm v5
		linux arm v7
		linux arm64 v8
		linux 386
		linux ppc64le
		linux s390x
		windows amd64
	EOF
	"$LAB_DIR/mkimage" official <<<"{\"manifests\": [${list%,}]}" >/dev/null
}

# chosen LAYOUT PLATFORM NAME: for this platform, the image of this name is pulled.
chosen() {
	STORE=$T/store.$CALLS
	pull -q --from "oci:$1" --platform "$2" || return 1
	is "$(cat "$STORE"/layers/sha256/*/fs/which)" "$3" "$1 for $2"
}

@test "an official image, for each of its platforms and those that they run on" {
	official
	local wish want
	while read -r wish want; do
		chosen official "$wish" "$want"
	done <<-EOF
		linux/amd64 linux/amd64/
		linux/x86_64 linux/amd64/
		linux/amd64/v3 linux/amd64/
		amd64 linux/amd64/
		linux/arm64 linux/arm64/v8
		linux/aarch64 linux/arm64/v8
		linux/arm64/v8 linux/arm64/v8
		linux/arm64/v9.1 linux/arm64/v8
		linux/arm linux/arm/v7
		linux/armhf linux/arm/v7
		linux/arm/v7 linux/arm/v7
		linux/arm/v6 linux/arm/v5
		linux/arm/v5 linux/arm/v5
		linux/386 linux/386/
		linux/i686 linux/386/
		linux/s390x linux/s390x/
		linux/ppc64el linux/ppc64le/
		windows/amd64 windows/amd64/
	EOF
	STORE=$T/none
	pull_fails 'no image for linux/riscv64; there is: linux/amd64, linux/arm/v5, linux/arm/v7,' \
		--from oci:official --platform linux/riscv64
	lacks "$stderr" unknown
	pull_fails 'must be OS/ARCHITECTURE[/VARIANT]' --from oci:official --platform linux/a/b/c
}

@test "levels of amd64: the highest that the machine has" {
	"$LAB_DIR/mkimage" levels >/dev/null <<<"{\"manifests\": [
		$(entry linux amd64 v4 v4), $(entry linux amd64 '' v1), $(entry linux amd64 v3 v3),
		$(entry linux amd64 v2 v2), $(entry linux 386 '' 386)]}"
	chosen levels linux/amd64 v1
	chosen levels linux/amd64/v1 v1
	chosen levels linux/amd64/v2 v2
	chosen levels linux/amd64/v3 v3
	chosen levels linux/amd64/v4 v4
	chosen levels linux/386 386
	# Without --platform the processor decides, as the C library sees it.
	if [[ $(uname -m) == x86_64 ]]; then
		local want=v1 level
		for level in v2 v3 v4; do
			! /lib64/ld-linux-x86-64.so.2 --help | grep -q "x86-64-$level (supported" || want=$level
		done
		STORE=$T/host
		pull -q --from oci:levels
		is "$(cat "$STORE"/layers/sha256/*/fs/which)" "$want"
	fi
}

@test "another architecture is the last resort" {
	"$LAB_DIR/mkimage" old >/dev/null <<<"{\"manifests\": [
		$(entry linux 386 '' 386), $(entry linux arm v6 arm)]}"
	chosen old linux/amd64 386
	chosen old linux/arm64 arm
	STORE=$T/none
	pull_fails 'no image for linux/arm/v5; there is: linux/386, linux/arm/v6' \
		--from oci:old --platform linux/arm/v5
}

@test "an index within an index is chosen by its platform, too" {
	"$LAB_DIR/mkimage" nested >/dev/null <<<"{\"manifests\": [
		{\"manifests\": [$(entry linux arm v6 v6), $(entry linux arm v7 v7)],
		 \"descriptor\": {\"platform\": {\"os\": \"linux\", \"architecture\": \"arm\"}}},
		$(entry linux amd64 '' amd64)]}"
	chosen nested linux/arm/v7 v7
	chosen nested linux/amd64 amd64
}

@test "an entry that names no platform is taken if it is the only one" {
	local one two
	one=$(entry linux amd64 '' one | jq -c '.descriptor = {platform: null}')
	two=$(entry linux amd64 '' two | jq -c '.descriptor = {platform: null}')
	"$LAB_DIR/mkimage" one >/dev/null <<<"{\"manifests\": [$one]}"
	"$LAB_DIR/mkimage" both >/dev/null <<<"{\"manifests\": [$one, $two]}"
	"$LAB_DIR/mkimage" mixed >/dev/null <<<"{\"manifests\": [$one, $(entry linux amd64 '' named)]}"
	chosen one linux/amd64 one
	chosen mixed linux/amd64 named
	STORE=$T/none
	pull_fails 'one that names no platform' --from oci:both --platform linux/amd64
}

@test "a configuration that says another machine: a warning, or an error if that is asked for" {
	"$LAB_DIR/mkimage" liar >/dev/null <<<"$(entry linux arm64 '' liar)"
	pull --from oci:liar --platform linux/amd64
	contains "$stderr" 'the image is for linux/arm64, not for linux/amd64'
	STORE=$T/strict
	pull_fails 'the image is for linux/arm64, not for linux/amd64' --from oci:liar \
		--platform linux/amd64 --strict-platform
	pull -q --from oci:liar --platform linux/arm64/v8.1 --strict-platform
	# Written by hand, in words of uname(1).
	"$LAB_DIR/mkimage" hand >/dev/null <<<"$(entry linux x86_64 '' hand)"
	pull -q --from oci:hand --platform linux/amd64 --strict-platform
}

@test "two platforms of one name can be pulled one after the other" {
	official
	pull -q --from oci:official --platform linux/amd64
	local amd64=$output
	pull -q --from oci:official --platform linux/arm64
	[[ $output != "$amd64" ]]
	pull -q --from oci:official --platform linux/amd64
	is "$output" "$amd64"
}
