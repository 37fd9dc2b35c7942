#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# When a request is sent again, how long it waits, and when it is not.

load helpers
load transfer

# The requests for manifests, but the look by HEAD, which only comes with an image of that name.
tries() {
	count_requests '.path | contains("/manifests/")'
}

# Milliseconds since $1, of now_ms.
now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

@test "429 with Retry-After: the wait is that, and little more" {
	local start elapsed

	serve_random_image 1000
	set_faults status:429:2:1@manifests
	start=$(now_ms)
	pull pull "$IMAGE"
	elapsed=$(($(now_ms) - start))
	is "$(tries)" 3
	((elapsed >= 2000 && elapsed < 10000)) || fail "$elapsed ms"
	contains "$stderr" '429 Too Many Requests'
	contains "$stderr" 'trying again in 1.0 s'
}

@test "Retry-After may be a date" {
	serve_random_image 1000
	set_faults "status:503:1:Sun, 06 Nov 1994 08:49:37 GMT@manifests"
	pull pull "$IMAGE"
	contains "$stderr" 'trying again in 0.0 s'
}

@test "503, 500, 502, 504, 408: after a second or so, then two" {
	local code

	serve_random_image 1000
	for code in 503 500; do
		set_faults "status:$code:1@manifests"
		pull pull "$IMAGE"
		is "$(tries)" 2
		rm -rf "$STORE"
	done
	for code in 502 504 408; do
		set_faults "status:$code:1:0@manifests"
		pull pull "$IMAGE"
		is "$(tries)" 2
		rm -rf "$STORE"
	done
}

@test "a layer's request is tried again as well" {
	serve_random_image 1000
	set_faults "status:503:2:0@${DIGESTS[0]}"
	pull pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}" | cut -d' ' -f2 | xargs)" '503 503 200'
}

@test "five tries, and then it is an error" {
	serve_random_image 1000
	set_faults status:503:0:0@manifests
	pull_fails '503 Service Unavailable' pull "$IMAGE"
	is "$(tries)" 5
	set_faults "status:503:0:0@${DIGESTS[0]}"
	pull_fails '503 Service Unavailable' pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}" | wc -l)" 5
}

@test "a layer that gets on by a MiB each time is not given up" {
	serve_random_image 9000000
	set_faults "cut:1200000:0"
	PULL_TIMEOUT=100 pull pull "$IMAGE"
	has_layers
	is "$(blob_requests "${DIGESTS[0]}" | wc -l)" 8
}

@test "a layer that does not get on is, and what is here stays for the next run" {
	serve_random_image 1000000
	set_faults "stall:100000" "status:503:0:0@${DIGESTS[0]}"
	KEEP_PARTS=1
	pull_fails 503 pull "$IMAGE"
}

@test "400, 401, 403, 404, 405, 501: not again" {
	local code

	serve_random_image 1000
	for code in 400 401 403 404 405 501; do
		set_faults "status:$code:0:0@manifests"
		pull_fails '' pull "$IMAGE"
		# A 401 without a challenge is looked into at /v2/.
		is "$(tries)" 1 "$code"
	done
	set_faults "status:404:0@${DIGESTS[0]}"
	pull_fails "${DIGESTS[0]}: status 404" pull "$IMAGE"
	is "$(blob_requests "${DIGESTS[0]}" | wc -l)" 1
}

@test "the pull limit is no matter of seconds: it fails at once, and says what helps" {
	serve_random_image 1000
	set_faults limit
	pull_fails 'You have reached your pull rate limit' pull "$IMAGE"
	contains "$stderr" '0 of 100'
	contains "$stderr" '--wait'
	is "$(tries)" 1
}

@test "--wait waits for it" {
	serve_random_image 1000
	set_faults limit
	pull_background pull --wait "$IMAGE"
	wait_for 10 grep -q 429 "$FAULTY/log"
	wait_for 10 grep -q 'trying again' "$ERR"
	set_faults
	wait "$BG_PID"
	has_layers
}

@test "a server that closes every connection" {
	serve_random_image 1000
	set_faults down
	pull_background pull "$IMAGE"
	wait_for 20 grep -q 'trying again' "$ERR"
	set_faults
	wait "$BG_PID"
	has_layers
}

@test "nobody listens, no such name: two tries, and a sentence" {
	local start=$SECONDS

	pull_fails 'Connection refused' pull 127.0.0.1:1/x
	pull_fails 'name cannot be resolved' pull name.invalid/x
	((SECONDS - start < 15))
}

@test "whoever waits is not in the way: SIGINT ends it at once" {
	local start

	serve_random_image 1000
	set_faults status:503:0:60@manifests
	pull_background pull "$IMAGE"
	wait_for 10 grep -q 'trying again in 6' "$ERR"
	start=$(now_ms)
	kill -INT "$BG_PID"
	wait "$BG_PID" && fail 'it succeeded'
	(($(now_ms) - start < 10000))
}

@test "a layer that is wrong ends the others, though they wait" {
	local start

	serve_random_image 300000 1000
	set_faults "status:503:0:60@${DIGESTS[0]}" "corrupt:0@${DIGESTS[1]}"
	start=$SECONDS
	pull_fails '' pull "$IMAGE"
	((SECONDS - start < 10))
}
