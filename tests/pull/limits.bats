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

# The limit FLAG at what the image has, N, and one below.
exactly() {
	bounded "$1" $(($2 - 1)) "$2"
}

# The file of the blob that a jq filter finds in the manifest.
blob() {
	local blobs=$T/image/blobs/sha256 manifest

	manifest=$(jq -r '.manifests[-1].digest' "$T/image/index.json")
	jq -r "$1" "$blobs/${manifest#sha256:}" | sed "s|^sha256:|$blobs/|"
}

@test "--max-manifest-size: of a manifest" {
	local manifest size

	manifest=$(jq -r '.manifests[-1].digest' "$T/image/index.json")
	size=$(stat -c %s "$T/image/blobs/sha256/${manifest#sha256:}")
	start_registry
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" latest
	pull_fails --max-manifest-size "$REGISTRY/x:1" --max-manifest-size $((size - 1))
	pull_fails --max-manifest-size "$REGISTRY/x@$manifest" --max-manifest-size $((size - 1))
	pull "$REGISTRY/x:1" --max-manifest-size "$size"
}

@test "--max-manifest-size: of a layout's index" {
	truncate -s 5000 "$T/space"
	tr '\0' ' ' <"$T/space" >>"$T/image/index.json"
	exactly --max-manifest-size "$(stat -c %s "$T/image/index.json")"
}

@test "--max-manifest-size and --max-config-size: of an archive of docker save" {
	skopeo copy -q --insecure-policy "oci:$T/image:latest" "docker-archive:$T/archive:x:1" 3>&- 4>&-
	tar -xf archive manifest.json
	pull_fails --max-manifest-size --from docker-archive:archive --max-manifest-size \
		$(($(stat -c %s manifest.json) - 1))
	pull_fails --max-config-size --from docker-archive:archive --max-config-size 100
	pull --from docker-archive:archive
}

@test "--max-config-size" {
	exactly --max-config-size "$(stat -c %s "$(blob .config.digest)")"
}

@test "--max-layer-size: all that is unpacked, the archive itself included" {
	exactly --max-layer-size "$(gzip -dc "$(blob '.layers[1].digest')" | wc -c)"
}

@test "--max-image-size: the content of all files together" {
	exactly --max-image-size 30100000
}

@test "--max-files" {
	exactly --max-files 4
}

@test "--max-files: directories that are only implied count" {
	rm -r "$T/image"
	"$LAB_DIR/mkimage" "$T/image" >/dev/null <<-'JSON'
		{"ref": "latest", "layers": [{"entries": ["a/b/c", "a/d/e", "./"]}]}
	JSON
	exactly --max-files 6
}

@test "--max-depth" {
	exactly --max-depth 4
}

@test "directories that are only implied: no more than are remembered" {
	((EUID == 0)) || skip "a file system of its own needs root"
	rm -r "$T/image"
	jq -n '{ref: "latest", layers: [{entries: [{path: ("%d/" + "d/" * 200 + "x"), repeat: 1305}]}]}' |
		"$LAB_DIR/mkimage" "$T/image" >/dev/null
	mkdir small
	# In memory, where so many are made and removed soon.
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare -m bash -c 'mount -t tmpfs -o size=600m none small && exec "$@"' _ \
		"$BERTH_PULL" --root "$T/small/store" -q --from "oci:$T/image" 3>&- 4>&-
	((status == 1))
	contains "$output" 'more than 262144 directories have no entry of their own'
}

@test "--max-layers" {
	exactly --max-layers 2
}

@test "--max-ratio" {
	local packed unpacked

	packed=$(stat -c %s "$(blob '.layers[1].digest')")
	unpacked=$(gzip -dc "$(blob '.layers[1].digest')" | wc -c)
	bounded --max-ratio $((unpacked * 9 / packed / 10)) $((unpacked * 11 / packed / 10))
}

@test "CVE-2017-14992: a bomb is noticed without a flag, before it has filled anything" {
	rm -r "$T/image"
	jq -n '{ref: "latest", layers: [{entries: [{path: "a", size: 200000000}], compression: "zstd"}]}' | "$LAB_DIR/mkimage" "$T/image" >/dev/null
	pull_fails '--max-ratio' --from "oci:$T/image"
	(($(du -sm "$STORE" | cut -f 1) < 40))
	pull --from "oci:$T/image" --max-ratio 0
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
