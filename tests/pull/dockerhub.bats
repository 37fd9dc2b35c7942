#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Docker Hub, as its documents describe it: the names lead to the lab, everything else is the real
# road. registry-1 asks for tokens of auth, and sends to another host for blobs, which wants none.

load helpers
load auth

QUOTA='"headers": {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600",
	"docker-ratelimit-source": "192.0.2.1"}'
REALM='"challenges": ["Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\""]'
ALICE='Basic YWxpY2U6c2VjcmV0' # alice:secret

setup() {
	pull_setup
	make_ca
	make_leaf hub DNS:registry-1.docker.io DNS:auth.docker.io DNS:cdn.test DNS:mirror.test
	open_road 127.0.0.1:registry-1.docker.io 127.0.0.2:auth.docker.io 127.0.0.3:cdn.test \
		127.0.0.4:mirror.test
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry"
	REGISTRY=$ADDRESS
	behave token '{}'
	start_on_road "$T/token" "$LAB_DIR/token" "$T/token" --tls "$LEAF" --address 127.0.0.2:443
	behave cdn '{"refuse": 400}'
	start_on_road "$T/cdn" "$LAB_DIR/gate" "$T/cdn" "$REGISTRY" --tls "$LEAF" \
		--address 127.0.0.3:443
	hub
	start_on_road "$T/hub" "$LAB_DIR/gate" "$T/hub" "$REGISTRY" --tls "$LEAF" \
		--address 127.0.0.1:443 --issued "$T/token/issued"
}

# Sets what registry-1 does; $1: more of that.
hub() {
	behave hub "{$REALM, \"redirect\": \"https://cdn.test\", $QUOTA${1:+, $1}}"
}

# Docker Hub answers 401 where there is no such image.
@test "a word that is nearly a command, and no image, is told so" {
	pull_fails '(a command is called "list", not "lsit")' lsit
	pull_fails '(a command is called "remove", not "rmove")' rmove
	hub '"refuse": 401'
	pull_fails '(a command is called "verify", not "verfy")' verfy
	for word in lsit:1 library/lsit nothing go gcc rm; do
		pull_call "$word"
		((status == 1)) || fail "$word"
		[[ $stderr != *'a command is called'* ]] || fail "$word: $stderr"
	done
}

# put_official NAME: an index as official images have it, with an attestation.
put_official() {
	rm -rf "$T/layout"
	"$LAB_DIR/mkimage" "$T/layout" >"$T/made" <<-'END'
		{"ref": "x", "manifests": [
		 {"layers": [{"entries": ["etc/", "etc/motd"]}, {"entries": ["bin/"]}],
		  "platform": {"os": "linux", "architecture": "amd64"}},
		 {"layers": [{"entries": ["predicate"]}],
		  "descriptor": {"platform": {"os": "unknown", "architecture": "unknown"}, "annotations":
		                 {"vnd.docker.reference.type": "attestation-manifest"}}},
		 {"layers": [{"entries": ["other/"]}],
		  "platform": {"os": "linux", "architecture": "s390x"}}]}
	END
	"${ROAD[@]}" "$LAB_DIR/mkimage" --push "http://$REGISTRY/$1" "$T/layout" x
}

@test "alpine is library/alpine:latest of registry-1.docker.io, anonymously" {
	put_official library/alpine
	pull alpine --platform linux/amd64
	counted token 1
	counted token 1 '.authorization == null and .service == "registry.docker.io" and
		.scope == ["repository:library/alpine:pull"]'
	counted hub 0 '.host != "registry-1.docker.io"'
	is "$(jq -r .path "$T/hub/log" | head -n 2 | uniq)" /v2/library/alpine/manifests/latest
	counted hub 1 '.authorization == null'
	# The blobs come from elsewhere, where no token has any business.
	counted cdn 3
	counted cdn 0 '.authorization != null'
	# Nothing of the other architectures was asked for.
	counted hub 2 '(.path | contains("/manifests/")) and .authorization != null'
}

@test "what is left of the quota is shown" {
	put_official library/alpine
	pull alpine --platform linux/amd64
	contains "$stderr$output" '76 of 100'
}

@test "all ways to write it" {
	put_official library/alpine
	put_official library/alpine:3.20
	local digest name
	digest=$(jq -r '.[0].digest' "$T/made")
	for name in docker.io/alpine docker.io/library/alpine:latest index.docker.io/library/alpine \
		library/alpine alpine:3.20 "alpine@$digest" "alpine:9@$digest"; do
		begin_anew
		pull "$name" --platform linux/amd64
		counted token 1 '.scope == ["repository:library/alpine:pull"]'
	done
}

@test "what docker login has written is used, and goes to auth.docker.io alone" {
	put_official private/x
	mkdir "$HOME/.docker"
	local key
	for key in https://index.docker.io/v1/ docker.io index.docker.io registry-1.docker.io; do
		echo "{\"auths\":{\"$key\":{\"auth\":\"YWxpY2U6c2VjcmV0\"}}}" >"$HOME/.docker/config.json"
		begin_anew
		pull private/x --platform linux/amd64
		counted token 1 ".authorization == \"$ALICE\" and .account == \"alice\""
		counted hub 0 '.authorization | strings | startswith("Basic")'
		counted cdn 0 '.authorization != null'
	done
}

@test "a repository that is not there, or private, is told apart from nothing by nobody" {
	behave token '{"denied": ["library/nowhere"]}'
	pull_fails 'docker.io/library/nowhere does not exist, or needs a login' nowhere
	behave token '{"denied": ["private/"]}'
	pull_fails 'docker.io/private/x does not exist, or is not for the user' private/x \
		--creds alice:secret
	pull_fails 'takes no such credentials: those of --creds' private/x --creds alice:wrong
}

@test "the pull limit: its own words at once, and that a login may help" {
	put_official library/alpine
	hub '"limited": "You have reached your pull rate limit."'
	pull_fails 'You have reached your pull rate limit.' alpine
	contains "$stderr" login
	counted hub 1 '.method == "GET" and .authorization != null'
}

@test "docker.io is never reached by http" {
	kill "$SERVER_PID"
	wait "$SERVER_PID" || true
	behave plain '{}'
	start_on_road "$T/plain" "$LAB_DIR/gate" "$T/plain" "$REGISTRY" --address 127.0.0.1:80
	put_official library/alpine
	pull_fails 'registry-1.docker.io' alpine
	counted plain 0
}

@test "a mirror is asked first, says for whom, and is not told who we are" {
	put_official library/alpine
	behave mirror '{"refuse": 400}'
	start_on_road "$T/mirror" "$LAB_DIR/gate" "$T/mirror" "$REGISTRY" --tls "$LEAF" \
		--address 127.0.0.4:443
	pull alpine --platform linux/amd64 --mirror https://mirror.test --creds alice:secret
	counted hub 0
	counted mirror 0 '.authorization != null or (.path | endswith("?ns=docker.io") | not)'
	# One that asks who we are hears nothing, and is no obstacle.
	begin_anew
	behave mirror '{"challenges": ["Basic realm=x"], "users": {"alice": "secret"}}'
	pull alpine --platform linux/amd64 --mirror https://mirror.test --creds alice:secret
	counted mirror 0 '.authorization != null'
	counted token 1 ".authorization == \"$ALICE\""
}
