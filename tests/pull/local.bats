#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images from directories and archives: what skopeo writes, berth-pull reads; and what is refused.

load helpers

# Three layers, with a link in the second that only makes sense beside the first.
IMAGE='{"ref": "a:1", "config": {"Cmd": ["/bin/x"], "Env": ["A=b"]}, "layers": [
	{"entries": ["bin/", {"path": "bin/x", "data": "one", "mode": "0755"}]},
	{"entries": [{"path": "etc/motd", "data": "hello"}, {"path": "bin/y", "target": "x"}]},
	{"entries": [{"path": "etc/motd", "type": "whiteout"}]}]}'

# make_layout DIR DESCRIPTION: sets DIGEST to that of the first image.
make_layout() {
	"$LAB_DIR/mkimage" "$1" <<<"$2" >"$T/made.json" || return 1
	DIGEST=$(jq -r '.[0].digest' "$T/made.json")
}

convert() {
	skopeo copy -q --insecure-policy "$@" 3>&- 4>&-
}

# The digests of the layers in the store, sorted, as names of their directories.
stored_layers() {
	find "$STORE/layers" -mindepth 2 -maxdepth 2 -printf '%f\n' | sort
}

# What skopeo says are the diff ids of the image, sorted.
diff_ids() {
	skopeo inspect --config --raw "$1" | jq -r '.rootfs.diff_ids[]' | sed 's/^sha256://' | sort
}

# Pulls from a source into a store of its own: there are exactly the layers of $2, a skopeo source.
pull_equals() {
	STORE=$T/store.$CALLS
	pull -q --from "$1"
	is "$(stored_layers)" "$(diff_ids "$2")" "layers of $1"
}

@test "a directory: the manifest's digest is printed, and again without a layer being touched" {
	make_layout lay "$IMAGE"
	pull -q --from oci:lay
	is "$output" "$DIGEST"
	is "$(stored_layers)" "$(diff_ids oci:lay:a:1)"
	is "$(cat "$STORE"/layers/sha256/*/fs/etc/motd)" hello
	mv lay/blobs/sha256 lay/blobs/gone
	pull -q --from oci:lay
	is "$output" "$DIGEST"
	pull -q --from oci:lay:a:1 || true
	contains "$stderr" 'there is no "blobs/sha256/'
}

@test "all local formats give the same layers" {
	make_layout lay "$IMAGE"
	convert oci:lay:a:1 oci-archive:o.tar:some/name:2
	convert oci:lay:a:1 docker-archive:d.tar:example.com/a:3
	convert oci:lay:a:1 oci:zstd --dest-compress-format zstd
	convert docker-archive:d.tar oci:back:b
	tar -C lay -cf plain.tar .
	pull_equals oci:lay oci:lay:a:1
	pull_equals oci:lay:a:1 oci:lay:a:1
	pull_equals oci:zstd oci:lay:a:1
	pull_equals oci:back oci:lay:a:1
	pull_equals oci-archive:o.tar oci:lay:a:1
	pull_equals oci-archive:o.tar:some/name:2 oci:lay:a:1
	pull_equals oci-archive:plain.tar oci:lay:a:1
	pull_equals docker-archive:d.tar oci:lay:a:1
	pull_equals docker-archive:d.tar:example.com/a:3 oci:lay:a:1
	pull_equals docker-archive:./d.tar oci:lay:a:1
}

@test "archives that are compressed as a whole leave no file behind" {
	make_layout lay "$IMAGE"
	convert oci:lay:a:1 docker-archive:d.tar:a:1
	tar -C lay -cf o.tar .
	gzip -k d.tar
	zstd -q d.tar o.tar
	gzip -k o.tar
	xz -k o.tar
	local archive
	for archive in docker-archive:d.tar.gz docker-archive:d.tar.zst oci-archive:o.tar.gz \
		oci-archive:o.tar.zst; do
		pull_equals "$archive" oci:lay:a:1
		check_store
	done
	pull_fails 'is compressed with xz; only gzip and zstd are read' --from oci-archive:o.tar.xz
}

@test "an archive of docker save with a layout inside is both" {
	make_layout lay "$IMAGE"
	jq -c --slurpfile made made.json -n '[{
		Config: ("blobs/sha256/" + $config), RepoTags: ["a:1"],
		Layers: [$made[0][0].layers[].digest | sub("sha256:"; "blobs/sha256/")]}]' \
		--arg config "$(jq -r '.config.digest | sub("sha256:"; "")' \
			"lay/blobs/sha256/${DIGEST#sha256:}")" >lay/manifest.json
	tar -C lay -cf both.tar .
	pull_equals oci-archive:both.tar oci:lay:a:1
	pull_equals docker-archive:both.tar oci:lay:a:1
	pull_equals docker-archive:both.tar:docker.io/library/a:1 oci:lay:a:1
}

@test "layers that are links, as docker save once wrote them" {
	make_layout lay "$IMAGE"
	convert oci:lay:a:1 docker-archive:d.tar:a:1
	mkdir d
	tar -C d -xf d.tar
	# The archive of skopeo has such links beside the layers; here the manifest names them.
	jq -c --argjson links "$(cd d && find . -type l -printf '"%P"\n' | jq -sc '
		map({(.): .}) | add | keys')" '.' d/manifest.json >/dev/null
	local link
	for link in d/*/layer.tar; do
		[[ -L $link ]]
		sed -i "s|\"$(basename "$(readlink "$link")")\"|\"${link#d/}\"|" d/manifest.json
	done
	grep -q 'layer.tar' d/manifest.json
	tar -C d -cf links.tar .
	pull_equals docker-archive:links.tar oci:lay:a:1
}

@test "several images: one is chosen by name, or all are listed" {
	make_layout lay '[{"ref": "one", "layers": []}, {"ref": "two:2", "layers": [
		{"entries": ["x"]}]}]'
	local two
	two=$(jq -r '.[1].digest' made.json)
	pull_fails 'there are several images in it, choose one: :one, :two:2' --from oci:lay
	pull_fails 'there is no image "three" in it, but: :one' --from oci:lay:three
	pull -q --from oci:lay:one
	is "$output" "$DIGEST"
	pull -q --from oci:lay:two:2
	is "$output" "$two"
	pull -q --from "oci:lay@$two"
	is "$output" "$two"
	convert oci:lay:one docker-archive:d.tar:a:1 --additional-tag example.com/b:2
	pull_fails 'there is no image "c" in it, but: docker.io/library/a:1, example.com/b:2' \
		--from docker-archive:d.tar:c
	pull -q --from docker-archive:d.tar:example.com/b:2
}

@test "a bundle from a local source" {
	make_layout lay "$IMAGE"
	pull -q --from oci:lay web
	is "$(jq -c .process.args web/config.json)" '["/bin/x"]'
	pull_fails 'with --from the only one is the bundle' --from oci:lay alpine web2
}

@test "what is no source is named" {
	pull_fails 'must be oci:DIR, oci-archive:FILE or docker-archive:FILE' --from dir:x
	pull_fails 'No such file or directory' --from oci:nowhere
	pull_fails 'No such file or directory' --from docker-archive:nowhere.tar
	mkdir empty
	pull_fails 'no OCI image layout: there is no "oci-layout"' --from oci:empty
	pull_fails 'is no regular file' --from oci-archive:empty
	mkfifo fifo
	pull_fails 'is no regular file' --from docker-archive:fifo
	head -c 3000 /dev/urandom >noise
	pull_fails '"'"$T/noise"'"' --from docker-archive:noise
	tar -cf hollow.tar empty
	pull_fails 'before 1.10: there is no "manifest.json"' --from docker-archive:hollow.tar
}

# damage DESCRIPTION WORDS: the image must be refused, and no layer, image or work is left.
refused() {
	rm -rf lay
	make_layout lay "$1"
	STORE=$T/store.$CALLS
	pull_fails "$2" --from oci:lay
	is "$(find "$STORE/images" -mindepth 1)" '' 'images'
	check_store
}

@test "wrong digests, sizes and diff ids are found, and leave nothing" {
	local zeros=sha256:0000000000000000000000000000000000000000000000000000000000000000
	refused '{"layers": [{"entries": ["x"], "diff_id": "'$zeros'"}]}' "$zeros"
	refused '{"layers": [{"entries": ["x"], "corrupt": 20}]}' 'layer sha256:'
	refused '{"layers": [{"entries": [{"path": "x", "data": "hello"}], "compression": "none",
		"corrupt": 512}]}' 'digest'
	refused '{"layers": [{"entries": ["x"], "cut_packed": 3}]}' 'bytes, where its descriptor says'
	refused '{"layers": [{"entries": ["x"], "descriptor": {"size": 5}}]}' 'where its descriptor says 5'
	refused '{"layers": [{"entries": ["x"], "missing": true}]}' 'there is no "blobs/sha256/'
	refused '{"layers": [{"entries": ["x"], "descriptor": {"digest": "'$zeros'"}}]}' \
		"there is no \"blobs/sha256/${zeros#*:}\""
	refused '{"layers": [], "config_descriptor": {"size": 1}}' 'where its descriptor says 1'
	refused '{"layers": [], "config_descriptor": {"digest": "'$zeros'"}}' 'there is no "blobs'
	refused '{"layers": [], "descriptor": {"size": 1}}' 'where its descriptor says 1'
	refused '{"layers": [], "descriptor": {"size": -1}}' 'size: -1 is no whole number'
	refused '{"layers": [], "descriptor": {"digest": "sha256:../../../etc/passwd"}}' 'digest'
	refused '{"layers": [{"entries": ["x"]}], "image": {"rootfs": {"type": "layers", "diff_ids": []}}}' \
		'1 layer, and the configuration 0 diff ids'
}

@test "a document that was changed in its place is found" {
	local blob
	make_layout lay "$IMAGE"
	blob=lay/blobs/sha256/${DIGEST#sha256:}
	sed -i 's/"schemaVersion": *2/"schemaVersion":3/; s/$/ /' "$blob"
	truncate -s "$(jq '.manifests[0].size' lay/index.json)" "$blob"
	pull_fails 'is damaged: its digest is sha256:' --from oci:lay
}

@test "no link leads out of a layout, and no fifo is waited for" {
	local blob secret=$T/secret
	make_layout lay "$IMAGE"
	blob=lay/blobs/sha256/${DIGEST#sha256:}
	mv "$blob" "$secret"
	ln -s "$secret" "$blob"
	pull_fails 'is a link that leads out of' --from oci:lay
	ln -sf "../../../secret" "$blob"
	pull_fails 'is a link that leads out of' --from oci:lay
	rm "$blob"
	mkfifo "$blob"
	pull_fails 'is no regular file' --from oci:lay
	rm "$blob"
	mv "$secret" lay/kept
	ln -s ../../kept "$blob"
	pull -q --from oci:lay
	mv lay real
	ln -s real lay
	rm -r "$STORE"
	pull -q --from oci:lay
}

@test "names in an archive are looked up in the archive alone" {
	mkdir d
	echo '[{"Config": "../../secret.json", "Layers": []}]' >d/manifest.json
	echo '{"rootfs": {"type": "layers", "diff_ids": []}}' >secret.json
	tar -C d -cf d.tar .
	pull_fails 'there is no "../../secret.json"' --from docker-archive:d.tar
	ln -s "$T/secret.json" d/link.json
	echo '[{"Config": "link.json", "Layers": []}]' >d/manifest.json
	tar -C d -cf d.tar .
	pull_fails 'there is no "link.json"' --from docker-archive:d.tar
}

@test "a compressed archive is bounded as an image is" {
	head -c 40000000 /dev/zero | gzip >bomb.tar.gz
	pull_fails 'times as large as packed' --from docker-archive:bomb.tar.gz --max-ratio 100
	pull_fails 'when unpacked' --from docker-archive:bomb.tar.gz --max-image-size 1m
	is "$(find "$STORE" -type f -size +1M)" ''
}
