#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The lab itself: the servers that the other files stand on.

load helpers

get() {
	local path=$1 line

	exec 5<>"/dev/tcp/${REGISTRY%:*}/${REGISTRY##*:}"
	printf 'GET %s HTTP/1.0\r\nAccept: application/vnd.oci.image.manifest.v1+json\r\n\r\n' \
		"$path" >&5
	read -r line <&5
	exec 5>&-
	printf '%s\n' "${line%$'\r'}"
}

@test "the registry answers, two side by side, each with a storage of its own" {
	start_registry one
	local one=$REGISTRY
	start_registry two
	[[ $REGISTRY != "$one" ]]
	contains "$(get /v2/)" '200 OK'
	contains "$(get /v2/x/manifests/y)" '404 Not Found'
	[[ -d $T/one/storage && -d $T/two/storage ]]
}

@test "a server that does not start is an error with its last words" {
	run start_server "$T/x" "$LAB_DIR/registry" /proc/nowhere
	((status != 0))
	contains "$output" 'no server'
}

@test "a process that a test leaves is found" {
	sleep 100 3>&- 4>&- &
	local pid=$!
	run check_processes
	contains "$output" "process left: $pid"
	wait "$pid" || true
}

@test "the faulty registry passes on what it does not spoil, and tells of it" {
	start_registry
	echo '{"layers": [{"entries": [{"path": "a", "size": 100000}]}], "ref": "latest"}' | "$LAB_DIR/mkimage" "$T/image"
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" latest
	start_faulty 'status:503:1'
	contains "$(get /v2/x/manifests/1)" '503 Service Unavailable'
	contains "$(get /v2/x/manifests/1)" '200 OK'
	contains "$(get /v2/x/manifests/2)" '503 Service Unavailable'
	contains "$(get /v2/x/manifests/2)" '404 Not Found'
	is "$(requests .status)" "$(printf '%s\n' 503 200 503 404)"
	set_faults limit
	contains "$(get /v2/x/manifests/1)" '429 Too Many Requests'
	is "$(count_requests '.status == 429 and .method == "GET"')" 1
}
