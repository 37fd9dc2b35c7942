#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Manifests and layers over the network: what breaks off goes on, what is wrong is refused, and what
# is endless is bounded.

load helpers
load auth
load transfer

@test "one request for each thing, no more, on few connections" {
	serve_random_image 100000 200000 300000
	pull --quiet pull --parallel 1 "$IMAGE"
	has_layers
	is "$(count_requests '.method == "GET"')" 5
	is "$(count_requests 'true')" 5
	is "$(requests '.path' | grep -c /blobs/)" 4
	# One for the look whether TLS is spoken here, which the log has not.
	is "$(requests '.connection' | sort -u | wc -l)" 1
}

@test "what is there already is not asked for: by digest nothing, by tag one HEAD" {
	serve_random_image 100000
	pull pull "$IMAGE"
	set_faults
	pull pull "$IMAGE"
	is "$(requests '.method + " " + .path')" "HEAD /v2/x/manifests/1"
	set_faults
	pull pull "$REGISTRY/x@$MANIFEST"
	is "$(requests)" ''
}

@test "HEAD that is answered otherwise than GET decides nothing" {
	local code

	serve_random_image 1000
	pull pull "$IMAGE"
	for code in 400 403 404 405 501; do
		set_faults "head:$code"
		pull pull "$IMAGE"
		is "$(requests '"\(.method) \(.status)"' | head -n 2)" "HEAD $code"$'\n'"GET 200"
		is "$(blob_requests "${DIGESTS[0]}")" ''
	done
}

@test "a Content-Encoding that nobody has asked for: a manifest is what is in it, a blob is not" {
	serve_random_image 1000
	set_faults coded
	pull pull "$IMAGE"
	is "$output" "$MANIFEST"
	rm -rf "$STORE"
	set_faults header:Content-Encoding=gzip@blobs
	pull pull "$IMAGE"
	has_layers
	set_faults header:Content-Encoding=zip@manifests
	rm -rf "$STORE"
	pull_fails 'content encoding' pull "$IMAGE"
}

@test "layers come side by side, as many as --parallel says" {
	local n

	serve_random_image 100000 100000 100000
	for n in 1 3; do
		set_faults stall:1000
		pull_background pull --parallel "$n" "$IMAGE"
		wait_for 10 part_has "${DIGESTS[n - 1]}" 1000
		is "$(count_requests '.length > 90000')" "$n"
		kill -KILL "$BG_PID"
		wait "$BG_PID" || true
		rm -rf "$STORE"
	done
}

@test "a layer that waits for the network keeps no other one from being unpacked" {
	serve_random_image 900000 100000
	set_faults "stall:400000"
	# With one processor one is unpacked at a time; the larger one comes first.
	taskset -cp "$(taskset -cp "$BASHPID" | sed 's/.*[ ,-]//')" "$BASHPID" >/dev/null
	pull_background pull "$IMAGE"
	wait_for 10 part_has "${DIGESTS[0]}" 400000
	wait_for 10 compgen -G "$STORE/layers/sha256/*/fs/file1"
	kill -TERM "$BG_PID"
	wait "$BG_PID" || true
	set_faults
	pull pull "$IMAGE"
	has_layers
}

@test "layers in zstd that wait for the network, and for the memory of one another" {
	local i

	for i in 1 2 3 4; do
		head -c 2000000 /dev/urandom >"file$i"
		tar -cf "$i.tar" "file$i"
	done
	jq -n --arg t "$T" '{ref: "x", layers: [range(1; 5) |
		{tar: "\($t)/\(.).tar", compression: "zstd", zstd: ["--zstd=wlog=23"]}]}' |
		"$LAB_DIR/mkimage" "$T/image" >"$T/made.json"
	start_registry
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" x
	start_faulty slow:1000000
	PULL_TIMEOUT=40
	pull pull "$REGISTRY/x:1"
	for i in 1 2 3 4; do
		cmp "file$i" "$STORE"/layers/sha256/*/fs/"file$i"
	done
	# And with one processor.
	rm -rf "$STORE"
	taskset -cp "$(taskset -cp "$BASHPID" | sed 's/.*[ ,-]//')" "$BASHPID" >/dev/null
	pull pull "$REGISTRY/x:1"
}

@test "a connection that breaks: the rest is asked for, from the byte where it broke" {
	serve_random_image 1000000
	set_faults cut:300000
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}")" "whole 200 ${SIZES[0]}
bytes=300000- 206 $((SIZES[0] - 300000))"
}

@test "it breaks again and again" {
	serve_random_image 1000000 900000
	set_faults cut:200000:3
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}")" "whole 200 ${SIZES[0]}
bytes=200000- 206 $((SIZES[0] - 200000))
bytes=400000- 206 $((SIZES[0] - 400000))
bytes=600000- 206 $((SIZES[0] - 600000))"
}

@test "a body that just ends, without a length announced before, is not taken for whole" {
	serve_random_image 1000000
	set_faults short:300000@blobs
	pull pull "$IMAGE"
	has_layers
	contains "$(blob_requests "${DIGESTS[0]}")" "bytes=300000- 206"
}

@test "neither is a configuration, or the manifest of an index" {
	local config index inner

	serve_random_image 1000
	config=$(jq -r .config.digest "$T/image/blobs/${MANIFEST/://}")
	set_faults "short:20@$config"
	pull pull "$IMAGE"
	contains "$stderr" 'ended at 20 of'
	rm -rf "$STORE"
	set_faults "status:404:0@$config"
	pull_fails "configuration $config: $REGISTRY: status 404" pull "$IMAGE"
	start_registry other
	index=$("$LAB_DIR/mkimage" "$T/index" <<-'END' | jq -r '.[0].digest'
		{"ref": "x", "manifests": [{"layers": [{"entries": ["a"]}],
			"platform": {"os": "linux", "architecture": "amd64"}}]}
	END
	)
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/index" x
	inner=$(jq -r '.manifests[0].digest' "$T/index/blobs/${index/://}")
	start_faulty
	set_faults "short:20@$inner"
	pull pull --platform amd64 "$REGISTRY/x:1"
	contains "$stderr" 'ended at 20 of'
}

@test "a server without ranges sends all once more" {
	serve_random_image 1000000
	set_faults cut:300000 norange
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}")" "whole 200 ${SIZES[0]}
bytes=300000- 200 ${SIZES[0]}"
}

@test "a range that is not the one asked for is not used" {
	serve_random_image 1000000
	set_faults cut:300000 badrange
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}" | cut -d' ' -f1,2)" "whole 200
bytes=300000- 206
whole 200"
}

@test "where there is no such range, it begins anew" {
	serve_random_image 1000000
	set_faults cut:300000 status416
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}" | cut -d' ' -f1,2)" "whole 200
bytes=300000- 416
whole 200"
}

@test "kill -9 at half: only the bytes that are missing are asked for" {
	local half

	serve_random_image 2000000 100000
	half=$((SIZES[0] / 2))
	set_faults "stall:$half"
	pull_background pull "$IMAGE"
	wait_for 20 part_has "${DIGESTS[0]}" "$half"
	kill -KILL "$BG_PID"
	wait "$BG_PID" || true
	set_faults
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}")" "bytes=$half- 206 $((SIZES[0] - half))"
}

@test "SIGINT and SIGTERM end it at once, and the next run goes on" {
	local signal start

	serve_random_image 1000000
	for signal in INT TERM; do
		set_faults stall:400000
		pull_background pull "$IMAGE"
		wait_for 20 part_has "${DIGESTS[0]}" 400000
		start=$SECONDS
		kill -"$signal" "$BG_PID"
		status=0
		wait "$BG_PID" || status=$?
		((status != 0 && SECONDS - start < 3))
		is "$(stat -c %s "$(part_of "${DIGESTS[0]}")")" 400000
	done
	set_faults
	pull pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}")" "bytes=400000- 206 $((SIZES[0] - 400000))"
}

@test "a beginning that is wrong costs a second download, not the image" {
	local part

	serve_random_image 1000000
	part=$(part_of "${DIGESTS[0]}")
	mkdir -p "${part%/*}"
	head -c 400000 /dev/zero >"$part"
	pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}" | cut -d' ' -f1,2)" "bytes=400000- 206
whole 200"
}

@test "a bit that is wrong is an error, without another try, and nothing stays" {
	serve_random_image 1000000
	set_faults "corrupt:0@${DIGESTS[0]}"
	pull_fails "" pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}")" "whole 200 ${SIZES[0]}"
	set_faults
	pull pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}")" "whole 200 ${SIZES[0]}"
}

@test "a layer that is longer than its descriptor says is refused when that is announced" {
	serve_random_image 1000000
	set_faults "padding:7@${DIGESTS[0]}"
	pull_fails "sends $((SIZES[0] + 7)) bytes, not ${SIZES[0]}" pull "$IMAGE"
}

@test "CVE-2020-1702 class: an endless layer is cut where it should end" {
	serve_random_image 1000000
	set_faults "endless@${DIGESTS[0]}"
	PULL_TIMEOUT=20 pull_fails "more than the ${SIZES[0]} bytes" pull "$IMAGE"
	set_faults endless@blobs
	PULL_TIMEOUT=20 pull_fails "the configuration is longer" pull "$IMAGE"
}

@test "CVE-2020-1702 class: a manifest without an end, and one of 100 MB, are cut at 4 MiB" {
	serve_random_image 1000
	for fault in endless@manifests padding:100000000@manifests; do
		set_faults "$fault"
		PULL_TIMEOUT=20 pull_fails "--max-manifest-size" pull "$IMAGE"
	done
	set_faults padding:1000@manifests
	pull_fails "Docker-Content-Digest" pull "$IMAGE"
	pull_fails "more than" pull "$REGISTRY/x@$MANIFEST" --max-manifest-size 1k
}

@test "a peer who sends a byte now and then is given up" {
	serve_random_image 1000000
	# 5 tries of 1 s, and 1 + 2 + 4 + 8 s between them.
	set_faults drip:0.2@manifests
	PULL_TIMEOUT=40 pull_fails "next to nothing" pull --stall-timeout 1 "$IMAGE"
	is "$(count_requests 'true')" 5
}

@test "a connection that stalls is left, and the rest asked for on another one" {
	serve_random_image 1000000
	set_faults stall:300000
	pull pull --stall-timeout 1 "$IMAGE"
	has_layers
	contains "$(blob_requests "${DIGESTS[0]}")" "bytes=300000- 206"
}

@test "a slow server is no stalled one" {
	serve_random_image 100000
	set_faults slow:50000@blobs
	pull pull --stall-timeout 1 "$IMAGE"
	is "$(count_requests '.length > 90000')" 1
}

@test "CVE-2024-3727 class: Docker-Content-Digest must be right where it is there, and a digest" {
	serve_random_image 1000
	set_faults digesthdr
	pull_fails "Docker-Content-Digest" pull "$IMAGE"
	set_faults digesthdr:sha256:../../../../etc/passwd
	pull_fails "Docker-Content-Digest" pull "$IMAGE"
	# What is asked for by its digest needs no word of the server.
	pull pull "$REGISTRY/x@$MANIFEST"
	rm -rf "$STORE"
	set_faults nodigesthdr
	pull pull "$IMAGE"
	# Without it nothing is known of the tag before the manifest is there.
	pull pull "$IMAGE"
	rm -rf "$STORE"
}

@test "CVE-2024-3727 class: what is asked for by its digest must have it: a manifest, a configuration" {
	local config

	serve_random_image 1000
	set_faults "corrupt:0@$MANIFEST"
	pull_fails "the manifest is not what its digest says" pull "$REGISTRY/x@$MANIFEST"
	config=$(jq -r .config.digest "$T/image/blobs/sha256/${MANIFEST#sha256:}")
	set_faults "corrupt:0@$config"
	pull_fails "what came is something else" pull "$IMAGE"
	is "$(find "$STORE/images" -type f | wc -l)" 0
	set_faults
	pull pull "$IMAGE"
	has_layers
}

@test "CVE-2021-41190: a manifest under the media type of an index is refused" {
	serve_random_image 1000
	set_faults type:application/vnd.oci.image.index.v1+json
	pull_fails "index" pull "$IMAGE"
}

@test "a tag that points to something else is pulled anew" {
	serve_random_image 1000
	pull pull "$IMAGE"
	rm -rf "$T/image"
	make_random_image "$T/image" 2000
	"$LAB_DIR/mkimage" --push "http://$(<"$T/registry/address")/x:1" "$T/image" x
	set_faults
	pull pull "$IMAGE"
	[[ -n $(find "$STORE/layers" -name file0 -size 2000c) ]]
	is "$(requests '.method' | sort | uniq -c | tr -s ' ')" ' 3 GET
 1 HEAD'
}

@test "no such image: said so, once" {
	serve_random_image 1000
	set_faults
	pull_fails "404" pull "$REGISTRY/x:nope"
	pull_fails "404" pull "$REGISTRY/nope"
	is "$(count_requests 'true')" 2
}

@test "a warning of the registry is shown, once" {
	serve_random_image 1000
	set_faults 'header:Warning=299 - "use \"y\" instead"'
	pull pull "$IMAGE"
	is "$(grep -c 'use "y" instead' "$ERR")" 1
	set_faults 'header:Warning=299 - "one, two", 199 x "no", 299 - "three" "Thu, 26 Nov 2026 08:00:00 GMT", 299 - "open'
	pull pull "$IMAGE"
	is "$(sed -n 's/.* says: //p' "$ERR")" $'one, two\nthree\nopen'
	pull --quiet pull "$IMAGE"
}

@test "content that a descriptor has in itself is not asked for; what it claims is checked" {
	local data

	start_registry
	data=$(printf '%s' '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' | base64 -w0)
	jq -n --arg d "$data" '{ref: "x", layers: [], config_descriptor: {data: $d},
		config_text: ($d | @base64d)}' | "$LAB_DIR/mkimage" "$T/image" >/dev/null
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" x
	start_faulty
	pull pull --platform linux/amd64 "$REGISTRY/x:1"
	is "$(requests '.path')" /v2/x/manifests/1
	jq -n --arg d "$data" '{ref: "y", layers: [], config_descriptor: {data: ("x" + $d[1:])},
		config_text: ($d | @base64d)}' | "$LAB_DIR/mkimage" "$T/image" >/dev/null
	start_registry_again "$T/image" y
	pull_fails "data is not what digest says" pull --platform linux/amd64 "$REGISTRY/x:2"
}

start_registry_again() {
	"$LAB_DIR/mkimage" --push "http://$(<"$T/registry/address")/x:2" "$1" "$2"
}

@test "https with HTTP/2, which Debian's registry speaks: whole layers, and the rest of one" {
	local half part

	make_ca
	make_leaf registry IP:127.0.0.1
	start_registry
	make_random_image "$T/image" 1000000 300000
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" x
	stop_servers
	REGISTRY_HTTP_TLS_CERTIFICATE=$LEAF.pem REGISTRY_HTTP_TLS_KEY=$LEAF.key \
		REGISTRY_LOG_ACCESSLOG_DISABLED=false start_registry
	part=$(part_of "${DIGESTS[0]}")
	half=$((SIZES[0] / 2))
	mkdir -p "${part%/*}"
	head -c "$half" "$T/image/blobs/${DIGESTS[0]/://}" >"$part"
	pull pull "$REGISTRY/x:1" --tls-ca "$CA/ca.pem"
	has_layers
	is "$(grep -c 'HTTP/2.0" 206 '"$((SIZES[0] - half)) " "$T/registry/log")" 1
	is "$(grep -c 'HTTP/2.0" 200' "$T/registry/log")" 3
	is "$(grep -c 'HTTP/1.1" ' "$T/registry/log")" 0
}

@test "memory stays small, whatever the layers and the faults" {
	serve_random_image 60000000 40000000 40000000
	set_faults cut:20000000
	peak_of "$BERTH_PULL" --root "$STORE" --quiet pull "$IMAGE" >"$T/out"
	has_layers
	# AddressSanitizer keeps what is freed.
	grep -q __asan_init "$BERTH_PULL" || ((PEAK <= 24 * 1024)) || fail "$PEAK KiB"
}

# put_foreign URL…: the image y:f, whose layer is not in the registry, and may be found at the URLs.
put_foreign() {
	local urls=("$@")

	jq --args '{ref: "f", layers: [.layers[0] + {missing: true, media_type:
		"application/vnd.oci.image.layer.nondistributable.v1.tar", descriptor: {urls: $ARGS.positional}}]}' \
		"${urls[@]}" <"$T/description.json" | "$LAB_DIR/mkimage" "$T/foreign" >/dev/null
	"$LAB_DIR/mkimage" --push "http://$(<"$T/registry/address")/y:f" "$T/foreign" f
}

@test "a layer that the registry need not have: there first, then at its URLs, in their order" {
	local layer elsewhere

	REGISTRY_VALIDATION_DISABLED=true serve_random_image 1000000
	layer=${DIGESTS[0]}
	# That is where the URL leads to.
	elsewhere=http://$(<"$FAULTY/cdn")/v2/x/blobs/$layer
	put_foreign http://127.0.0.1:1/nobody "$elsewhere"
	set_faults cut:300000
	pull pull "$REGISTRY/y:f"
	has_layers
	is "$(jq -r --arg d "$layer" 'select(.path | contains($d)) |
		"\(.server) \(.range // "whole") \(.status)"' "$FAULTY/log")" 'registry whole 404
cdn whole 200
cdn bytes=300000- 206'
}

@test "URLs of a layer that is no such one are not asked" {
	REGISTRY_VALIDATION_DISABLED=true serve_random_image 1000
	jq --arg u "http://$(<"$FAULTY/cdn")/v2/x/blobs/${DIGESTS[0]}" \
		'{ref: "f", layers: [.layers[0] + {descriptor: {urls: [$u]}}]}' \
		"$T/description.json" | "$LAB_DIR/mkimage" "$T/other" >/dev/null
	"$LAB_DIR/mkimage" --push "http://$(<"$T/registry/address")/y:f" "$T/other" f
	rm -r "$T/registry/storage/docker/registry/v2/repositories/y/_layers/${DIGESTS[0]/://}"
	set_faults
	pull_fails '404' pull "$REGISTRY/y:f"
	is "$(count_requests '.server == "cdn"')" 0
}
