#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Redirects: blobs lie elsewhere, as Docker Hub has it.

load helpers
load transfer

@test "blobs come from where the registry sends us" {
	serve_random_image 100000
	set_faults redirect
	pull pull "$IMAGE"
	has_layers
	is "$(requests 'select(.path | contains("/blobs/")) | "\(.server) \(.status)"' | sort | uniq -c |
		tr -s ' ')" ' 2 cdn 200
 2 registry 307'
}

@test "the query of a URL is a signature: it is sent as it came, and told nobody" {
	local query

	serve_random_image 100000
	for query in 'X-Sig=aB%2fc%2B%3D&x=a+b&&y=&z;q="t"' 'sig=%zz&a={b}|c^' 'file=a b&sig=x%20y'; do
		rm -rf "$STORE"
		set_faults redirect "query:$query"
		pull pull "$IMAGE"
		has_layers
		# A blank, which may not stand in a URL, is all that is written otherwise.
		contains "$(requests 'select(.server == "cdn").path')" "?${query// /+}"
	done
	rm -rf "$STORE"
	set_faults redirect query:sig=key-to-it cut:10 "status:503:1@${DIGESTS[0]}"
	pull pull "$IMAGE"
	contains "$stderr" 'status 503'
	lacks "$stderr" key-to-it
}

@test "over several hops, some of them without a host" {
	serve_random_image 100000
	set_faults redirect:4
	pull pull "$IMAGE"
	has_layers
	is "$(count_requests '.server == "registry" and .status == 307')" 8
}

@test "eleven hops are too many, and so is a circle" {
	serve_random_image 100000
	set_faults redirect:11
	pull_fails 'redirects' pull "$IMAGE"
	is "$(count_requests '.status == 307')" 11
	set_faults "redirectto:http://$REGISTRY"
	pull_fails 'redirects' pull "$IMAGE"
	is "$(count_requests '.status == 307')" 11
}

@test "a download that goes on asks the registry again: the URL of the first time may be over" {
	serve_random_image 1000000
	set_faults redirect cut:300000
	pull pull "$IMAGE"
	has_layers
	is "$(jq -r --arg d "${DIGESTS[0]}" 'select(.path | contains($d)) |
		"\(.server) \(.range // "whole") \(.status)"' "$FAULTY/log")" 'registry whole 307
cdn whole 200
registry bytes=300000- 307
cdn bytes=300000- 206'
}

@test "only to http and https" {
	local to

	serve_random_image 100000
	for to in file:// ftp://127.0.0.1 gopher://127.0.0.1 "http://user:pw@$REGISTRY"; do
		set_faults "redirectto:$to"
		pull_fails 'a redirect to' pull "$IMAGE"
		contains "$stderr" URL
		lacks "$stderr" 'user:pw'
	done
}

@test "manifests may lie elsewhere, too" {
	serve_random_image 100000
	set_faults redirect@manifests
	pull pull "$IMAGE"
	has_layers
}

@test "the way to a host that nobody listens at is an error with its name" {
	serve_random_image 100000
	set_faults redirectto:http://127.0.0.1:1
	KEEP_PARTS=1
	pull_fails 'http://127.0.0.1:1/' pull "$IMAGE"
	contains "$stderr" 'Connection refused'
}
