#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Indexes, manifests and configurations: what is followed, and what is refused by name.

load helpers

OCI=application/vnd.oci.image
DOCKER=application/vnd.docker
SCHEMA_1=$DOCKER.distribution.manifest.v1
ABC=sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad

# make_layout DIR DESCRIPTION: sets DIGEST to that of the first image.
make_layout() {
	"$LAB_DIR/mkimage" "$1" <<<"$2" >"$T/made.json" || return 1
	DIGEST=$(jq -r '.[0].digest' "$T/made.json")
}

# accepted DESCRIPTION: as the only image of a layout.
accepted() {
	rm -rf lay "$STORE"
	make_layout lay "$1"
	pull -q --from oci:lay
}

# refused DESCRIPTION WORDS: no image is stored then.
refused() {
	rm -rf lay "$STORE"
	make_layout lay "$1"
	pull_fails "$2" --from oci:lay
	is "$(find "$STORE" -path '*/images/*' -o -path '*/layers/*/*')" '' 'stored'
}

# An image whose only layer has the file "which" with this text; more members of the node.
image() {
	printf '{"layers": [{"entries": [{"path": "which", "data": "%s"}]}]%s}' "$1" "${2:-}"
}

# What "which" says in the store's layers.
which_layer() {
	cat "$STORE"/layers/sha256/*/fs/which
}

@test "media types of OCI and of Docker, and none" {
	accepted "$(image oci)"
	accepted "$(image docker ', "docker": true')"
	accepted "$(image none ', "manifest": {"mediaType": null}')"
	accepted "{\"manifests\": [$(image index)]}"
	accepted "{\"docker\": true, \"manifests\": [$(image list ', "docker": true')]}"
	accepted '{"layers": []}'
	accepted "$(image x ', "config_descriptor": {"mediaType": "application/octet-stream"}')"
}

@test "all media types of layers, whatever the bytes are packed with" {
	local type
	for type in layer.v1.tar layer.v1.tar+gzip layer.v1.tar+zstd \
		layer.nondistributable.v1.tar layer.nondistributable.v1.tar+gzip; do
		accepted '{"layers": [{"entries": ["x"], "compression": "zstd", "media_type": "'$OCI.$type'"},
			{"entries": ["y"], "compression": "none", "media_type": "'$OCI.$type'"},
			{"entries": ["z"], "compression": "gzip", "media_type": "'$OCI.$type'"}]}'
	done
	for type in diff.tar diff.tar.gzip diff.tar.zstd foreign.diff.tar.gzip foreign.diff.tar; do
		accepted '{"layers": [{"entries": ["x"], "media_type": "'$DOCKER.image.rootfs.$type'"}]}'
	done
}

@test "what is no layer is named" {
	local type words
	while read -r type words; do
		refused '{"layers": [{"entries": ["x"]}, {"entries": ["y"], "media_type": "'"$type"'"}]}' \
			"layers[1]: media type \"$type\": is $words"
	done <<-EOF
		$OCI.layer.v1.tar+gzip+encrypted an encrypted layer
		$OCI.layer.v1.tar+bzip2 an unknown kind of layer
		application/vnd.in-toto+json an attestation
		application/vnd.cncf.helm.chart.content.v1.tar+gzip a part of a Helm chart
		application/vnd.dev.cosign.simplesigning.v1+json a signature
		application/vnd.erofs.layer.v1 an EROFS file system
		application/vnd.oci.empty.v1+json the empty content of an artifact
		application/octet-stream no layer
	EOF
}

@test "indexes within indexes, four deep and not deeper" {
	local node
	node=$(image deep)
	local depth
	for depth in 1 2 3 4; do
		node="{\"manifests\": [$node]}"
		accepted "$node"
		is "$(which_layer)" deep
	done
	refused "{\"manifests\": [$node]}" 'indexes within indexes'
}

@test "attestations and artifacts of an index are passed over" {
	accepted '{"manifests": [
		'"$(image no ', "descriptor": {"platform": {"os": "unknown", "architecture": "unknown"}}')"',
		'"$(image no ', "descriptor": {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}')"',
		'"$(image no ', "descriptor": {"artifactType": "application/vnd.example"}')"',
		'"$(image no ', "descriptor": {"mediaType": "application/vnd.example+json"}')"',
		'"$(image yes)"']}'
	is "$(which_layer)" yes
	refused '{"manifests": [
		'"$(image no ', "descriptor": {"artifactType": "application/vnd.example"}')"']}' \
		'no image for linux/'
	refused '{"manifests": []}' 'no image for linux/'
	refused "$(image no ', "descriptor": {"artifactType": "application/vnd.example"}')" \
		'only artifacts and attestations'
}

@test "artifacts that are asked for by name are no images" {
	refused '{"layers": [], "manifest": {"artifactType": "application/vnd.example.sbom"}}' \
		'is an artifact of type "application/vnd.example.sbom", no image'
	refused '{"layers": [], "config_descriptor": {"mediaType": "application/vnd.oci.empty.v1+json"}}' \
		'is the empty content of an artifact, no configuration of an image'
	refused '{"layers": [], "config_descriptor": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}}' \
		'is a part of a Helm chart'
}

@test "schema 1 is refused, and said so" {
	local v1='{\"schemaVersion\": 1, \"name\": \"x\", \"tag\": \"y\", \"fsLayers\": []}'
	refused '{"layers": [], "manifest_text": "'"$v1"'"}' 'schema 1'
	refused '{"layers": [], "manifest_text": "'"$v1"'", "descriptor": {"mediaType": "'$SCHEMA_1+prettyjws'"}}' \
		'image'
	make_layout lay '{"ref": "x", "layers": []}'
	start_registry
	push_image lay:x x:1
	start_faulty "type:$SCHEMA_1+prettyjws"
	pull_fails 'schema 1' --insecure "$REGISTRY/x:1"
}

@test "CVE-2021-41190: a document is an index or a manifest, and nobody may differ about it" {
	local both='"layers": [], "manifest": {"manifests": []'
	refused "{$both}}" 'it must be one of the two'
	refused "{$both, \"mediaType\": null}}" 'it must be one of the two'
	refused '{"manifests": [], "manifest": {"config": {}}}' 'it must be one of the two'
	refused '{"layers": [], "descriptor": {"mediaType": "'$OCI.index.v1+json'"}}' \
		"it came as \"$OCI.index.v1+json\" and says itself that it is \"$OCI.manifest.v1+json\""
	refused '{"layers": [], "manifest": {"mediaType": null}, "descriptor": {"mediaType": "'$OCI.index.v1+json'"}}' \
		'but it has the members of a manifest'
	refused '{"layers": [], "docker": true, "descriptor": {"mediaType": "'$OCI.manifest.v1+json'"}}' \
		'it came as'
	refused '{"layers": [], "manifest": {"Layers": []}}' '"Layers" differs from "layers"'
	refused '{"layers": [], "manifest": {"layer\u017f": []}}' 'differs from "layers"'
	refused '{"layers": [], "manifest_text": "{\"schemaVersion\":2,\"layers\":[],\"layers\":[]}"}' '"layers"'
	refused '{"layers": [], "image": {"Config": {}}}' '"Config" differs from "config"'
}

@test "CVE-2021-41190: the registry's Content-Type and the document agree, too" {
	make_layout lay '[{"ref": "x", "layers": []}, {"ref": "bare", "layers": [],
		"manifest": {"mediaType": null}}]'
	start_registry
	push_image lay:x x:1
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/bare:1" lay bare
	start_faulty
	pull -q --insecure "$REGISTRY/x:1"
	set_faults "type:$OCI.index.v1+json"
	pull_fails 'it came as' --insecure "$REGISTRY/x:1" --root "$T/other"
	pull_fails 'but it has the members of a manifest' --insecure "$REGISTRY/bare:1"
	set_faults 'type:text/html'
	pull_fails 'neither the index nor the manifest of an image' --insecure "$REGISTRY/bare:1"
	set_faults "type:$OCI.manifest.v1+json; charset=utf-8"
	pull -q --insecure "$REGISTRY/bare:1"
	rm -r "$STORE"
	set_faults 'type:application/octet-stream'
	pull -q --insecure "$REGISTRY/bare:1"
}

@test "sizes and digests in documents are checked before they are used" {
	local layer='{"entries": ["x"], "descriptor":'
	refused '{"layers": ['"$layer"' {"size": -1}}]}' 'layers[0]: size: -1 is no whole number from 0 on'
	refused '{"layers": ['"$layer"' {"size": 1.5}}]}' 'size: 1.5'
	refused '{"layers": ['"$layer"' {"size": 9223372036854775808}}]}' 'size: 9223372036854775808'
	refused '{"layers": ['"$layer"' {"size": "7"}}]}' 'size: found a string'
	refused '{"layers": ['"$layer"' {"digest": "sha256:../../../../etc/passwd"}}]}' 'layers[0]: digest'
	refused '{"layers": ['"$layer"' {"digest": "'"${ABC^^}"'"}}]}' 'layers[0]: digest'
	refused '{"layers": ['"$layer"' {"digest": "sha384:00"}}]}' 'neither sha256 nor sha512'
	refused '{"layers": [], "image": {"rootfs": {"diff_ids": ["sha256:../x"]}}}' 'rootfs: diff_ids'
	refused '{"layers": [{"entries": ["x"], "diff_id": "'$ABC'"}]}' "$ABC"
	refused '{"layers": [{"entries": ["x"]}], "image": {"rootfs": {"diff_ids": []}}}' \
		'1 layer, and the configuration 0 diff ids'
}

@test "content within a descriptor takes the blob's place, if it is the right one" {
	local config='{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}'
	local text data
	text=$(jq -rn "\"$config\"")
	data=$(printf %s "$text" | base64 -w 0)
	make_layout lay '{"layers": [], "config_text": "'"$config"'", "config_descriptor": {"data": "'"$data"'"}}'
	rm "lay/blobs/sha256/$(printf %s "$text" | sha256sum | cut -c1-64)"
	pull -q --from oci:lay
	refused '{"layers": [], "config_text": "'"$config"'", "config_descriptor": {"data": "YWJj"}}' \
		'config: data is of 3 bytes'
	refused '{"layers": [], "config_text": "'"$config"'", "config_descriptor": {"data": "'"${data/e/f}"'"}}' \
		'config: data is not what digest says'
	refused '{"layers": [], "config_text": "'"$config"'", "config_descriptor": {"data": "?"}}' \
		'config: data is no base 64'
}

@test "a configuration that is none" {
	refused '{"layers": [], "config_text": "{}"}' 'rootfs is missing: this is no configuration of an image'
	refused '{"layers": [], "config_text": "[]"}' 'found an array'
	refused '{"layers": [], "config_text": "hello"}' 'image configuration'
	refused '{"layers": [], "image": {"rootfs": {"type": "windows"}}}' 'type is "windows", must be "layers"'
	refused '{"layers": [], "config": {"Cmd": "sh"}}' 'config: Cmd: found a string'
	refused '{"layers": [], "config": {"Env": [7]}}' 'config: Env: found a number'
	refused '{"layers": [], "config": {"user": "root"}}' '"user" differs from "User"'
	refused '{"layers": [], "config": {"Labels": {"a": 1}}}' 'Labels["a"]: found a number'
}

@test "documents are bounded" {
	local zeros
	zeros=$(printf '0,%.0s' {1..70000})
	refused '{"layers": [], "manifest": {"x": ['"$zeros"'0]}}' 'more than 65536 values'
	refused '{"layers": [], "image": {"x": ['"$zeros"'0]}}' 'more than 65536 values'
	rm -r lay
	make_layout lay '{"layers": [], "manifest": {"annotations": {"x": "'"$(printf '%09999d' 0)"'"}}}'
	rm -rf "$STORE"
	pull_fails 'at most 9000 are read' --from oci:lay --max-manifest-size 9000
	pull -q --from oci:lay
	refused '{"layers": [], "manifest_text": "'"$(printf '[%.0s' {1..100})"'"}' 'manifest'
}

@test "a manifest of more than 4 MiB is not read to its end" {
	make_layout lay '{"layers": []}'
	local blob=lay/blobs/sha256/${DIGEST#sha256:}
	truncate -s 100M "$blob"
	pull_fails 'at most 4194304 are read' --from oci:lay
	truncate -s 100M lay/index.json
	pull_fails 'at most 4194304 are read' --from oci:lay
}
