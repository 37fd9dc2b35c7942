#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mirrors of Docker Hub: asked first, and left where they fail. The hub itself is the lab's, under its
# real name.

load helpers
load auth
load transfer

# The same image in both; the mirror may have faults, the hub tells what it is asked for.
setup() {
	pull_setup
	make_ca
	make_leaf hub DNS:registry-1.docker.io
	open_road 127.0.0.1:registry-1.docker.io
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry"
	REGISTRY=$ADDRESS
	make_random_image "$T/image" 1000000
	"${ROAD[@]}" "$LAB_DIR/mkimage" --push "http://$REGISTRY/library/x:1" "$T/image" x
	behave hub '{}'
	start_on_road "$T/hub" "$LAB_DIR/gate" "$T/hub" "$REGISTRY" --tls "$LEAF" --address 127.0.0.1:443
	FAULTY=$T/faulty
	start_on_road "$FAULTY" "$LAB_DIR/faulty" "$FAULTY" "$REGISTRY"
	MIRROR=$ADDRESS
}

hub_requests() {
	[[ ! -e $T/hub/log ]] || jq -r '"\(.path | sub(".*/library/x/"; "") | sub("sha256:.*"; ""))"' "$T/hub/log"
}

@test "a mirror that has everything: the hub is not asked" {
	pull --quiet pull x:1 --mirror "http://$MIRROR"
	has_layers
	is "$(hub_requests)" ''
	is "$(count_requests '.path | endswith("?ns=docker.io") | not')" 0
	is "$(requests '.path' | head -n 1)" '/v2/library/x/manifests/1?ns=docker.io'
	is "$stderr" ''
}

@test "by its host alone, by a path, with slashes at the end" {
	pull pull x:1 --mirror "$MIRROR"
	is "$(hub_requests)" ''
	rm -rf "$STORE"
	set_faults
	pull pull x:1 --mirror "http://$MIRROR/hub/mirror//"
	contains "$(requests '.path')" "/hub/mirror/v2/library/x/manifests/1?ns=docker.io"
	contains "$(hub_requests)" manifests/1
}

@test "a mirror that is not there costs no time" {
	local start=$SECONDS

	pull pull x:1 --mirror http://127.0.0.1:1
	has_layers
	((SECONDS - start < 5))
	contains "$stderr" 'mirror http://127.0.0.1:1'
	contains "$stderr" 'Connection refused'
	# Once, for all that is asked for.
	is "$(grep -c 'mirror' "$ERR")" 1
}

@test "a mirror that does not have the image, refuses, is overrun, lies" {
	local fault

	for fault in status:404:0 status:403:0 status:503:0:60 limit digesthdr endless@manifests; do
		set_faults "$fault"
		: >"$T/hub/log"
		rm -rf "$STORE"
		pull pull x:1 --mirror "http://$MIRROR"
		has_layers
		contains "$(hub_requests)" manifests/1
		is "$(count_requests '.method == "GET"')" 1 "$fault"
	done
}

@test "what is there already costs the hub one HEAD where the mirror does not have it" {
	pull pull x:1
	set_faults status:404:0
	: >"$T/hub/log"
	pull pull x:1 --mirror "http://$MIRROR"
	is "$(jq -r .method "$T/hub/log")" HEAD
}

@test "a layer that the mirror does not have comes from the hub" {
	set_faults "status:404:0@${DIGESTS[0]}"
	pull pull x:1 --mirror "http://$MIRROR"
	has_layers
	is "$(hub_requests)" blobs/
}

@test "a mirror that breaks off twice: the hub has the rest" {
	set_faults "cut:300000:0@${DIGESTS[0]}"
	pull pull x:1 --mirror "http://$MIRROR"
	has_layers
	is "$(jq -r .range "$T/hub/log")" 'bytes=600000-'
}

@test "two mirrors, in their order" {
	set_faults limit
	start_on_road "$T/second" "$LAB_DIR/faulty" "$T/second" "$REGISTRY"
	pull pull x:1 --mirror "http://$MIRROR" --mirror "http://$ADDRESS"
	has_layers
	is "$(count_requests 'true')" 1
	is "$(hub_requests)" ''
}

@test "neither works: the error is the hub's, the mirror's is told before" {
	set_faults limit
	pull_fails 'docker.io' pull nope --mirror "http://$MIRROR"
	contains "$stderr" "mirror http://$MIRROR: "
	contains "${stderr##*$'\n'}" 404
}

@test "mirrors are for docker.io alone" {
	pull_fails '' pull "$REGISTRY/library/y" --mirror "http://$MIRROR"
	is "$(count_requests 'true')" 0
}

@test "what is no mirror's URL is refused before anything is asked" {
	local url

	for url in '' http:// https:///x 'http://h/?x' 'http://h/#x' ftp://h 'http://a b'; do
		pull_fails 'mirror' pull x:1 --mirror "$url"
	done
	pull_fails "user's name" pull x:1 --mirror "http://user:hidden@$MIRROR"
	lacks "$stderr" hidden
	is "$(hub_requests)" ''
}
