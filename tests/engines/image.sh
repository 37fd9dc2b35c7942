#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the one image that all cases run, since no registry can be asked: usage: image.sh DIR
# DIR/rootfs is its tree, DIR/oci.tar the same as an OCI archive.

set -euo pipefail
root=$1/rootfs
mkdir -p "$root"/{bin,etc,dev,proc,sys,root,home/user,data,work}
mkdir -m 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
# The list names busybox itself too.
busybox --list | while read -r applet; do
	[[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:User:/home/user:/bin/sh \
	>"$root/etc/passwd"
printf '%s\n' root:x:0: user:x:1000: extra:x:2000:user >"$root/etc/group"
echo original >"$root/data/file"
echo 'echo hello' >"$root/data/script"
chown -R 1000:1000 "$root/home/user"

# blob FILE: moves it to where its content says; prints the descriptor without its media type.
blob() {
	local sum
	sum=$(sha256sum <"$1")
	jq -nc --arg digest "sha256:${sum%% *}" --argjson size "$(stat -c %s "$1")" \
		'{digest: $digest, size: $size}'
	mv "$1" "blobs/sha256/${sum%% *}"
}

mkdir -p "$1/oci/blobs/sha256"
cd "$1/oci"
tar --sort=name --mtime=@0 -C "$root" -cf layer .
diff_id=sha256:$(sha256sum <layer | cut -d' ' -f1)
layer=$(blob layer)
jq -nc --arg diff "$diff_id" '{
	architecture: "amd64", os: "linux",
	config: {Env: ["PATH=/bin"], Cmd: ["sh"]},
	rootfs: {type: "layers", diff_ids: [$diff]}, history: [{created_by: "hand"}]}' >config
config=$(blob config)
jq -nc --argjson config "$config" --argjson layer "$layer" '{
	schemaVersion: 2,
	mediaType: "application/vnd.oci.image.manifest.v1+json",
	config: ($config + {mediaType: "application/vnd.oci.image.config.v1+json"}),
	layers: [$layer + {mediaType: "application/vnd.oci.image.layer.v1.tar"}]}' >manifest
manifest=$(blob manifest)
jq -nc --argjson manifest "$manifest" '{schemaVersion: 2, manifests: [$manifest + {
	mediaType: "application/vnd.oci.image.manifest.v1+json",
	annotations: {"org.opencontainers.image.ref.name": "box",
		"io.containerd.image.name": "localhost/box:latest"}}]}' >index.json
echo '{"imageLayoutVersion": "1.0.0"}' >oci-layout
tar -cf ../oci.tar .
chmod -R a+rX "$1"
