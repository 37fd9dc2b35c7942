#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-net as a hook: the state document on standard input, and hostile annotations.

load helpers

# A container whose process the state document can name: sets PID.
running() {
	container "$1"
	# shellcheck disable=SC2016 # the inner shell expands it
	inside "$1" sh -c 'echo $$ >"$1" && exec sleep 1000' sh "$T/pid-$1" \
		</dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- &
	SERVERS+=($!)
	wait_for 10 test -s "$T/pid-$1"
	PID=$(<"$T/pid-$1")
}

# state ID [PID [ANNOTATION VALUE]…]: the document, in the file $T/state; VALUE has escapes as
# printf's %b.
state() {
	local id=$1 pid=${2:-} annotations='{}' name

	shift $(($# > 1 ? 2 : 1))
	while [[ $# -gt 0 ]]; do
		name=$1
		[[ $name == *.* ]] || name=org.berth.net.$name
		annotations=$(jq --arg name "$name" --arg value "$(printf %b "$2")" \
			'.[$name] = $value' <<<"$annotations")
		shift 2
	done
	jq -n --arg id "$id" --arg pid "$pid" --arg bundle "$T/bundle" --argjson annotations "$annotations" '
		{ociVersion: "1.2.0", id: $id, status: (if $pid == "" then "stopped" else "created" end),
		bundle: $bundle, annotations: $annotations} + (if $pid == "" then {} else {pid: ($pid | tonumber)} end)' \
		>"$T/state"
}

@test "a hook gives what annotations ask for, and takes it away" {
	mkdir -p "$T/bundle"
	touch "$T/bundle/resolv.conf"
	running c1
	state c1 "$PID" network bridge link net7 ip 10.187.9.9,fd5b:e774:9c01::99 \
		mac 02:11:22:33:44:55 publish 8080:80,127.0.0.1:5353:53/udp names db,db.example \
		dns 192.0.2.53 resolv-conf resolv.conf com.example.other 'anything'
	STDIN=$T/state net_ok add
	contains "$(inside c1 ip link show net7)" "02:11:22:33:44:55"
	is "$(address c1 4 net7)" 10.187.9.9
	is "$(address c1 6 net7)" fd5b:e774:9c01::99
	contains "$(cat "$ROOT/hosts/bridge")" "10.187.9.9 c1 db db.example"
	contains "$(cat "$T/bundle/resolv.conf")" "nameserver 192.0.2.53"
	net_ok --json list
	is "$(jq -c '.[0].publish' <<<"$output")" '["8080:80/tcp","127.0.0.1:5353:53/udp"]'
	is "$(jq -c '.[0].netns.pid' <<<"$output")" "$PID"
	state c1
	STDIN=$T/state net_ok del
	nothing_left
	# A poststop hook is run after an add that failed, too.
	STDIN=$T/state net_ok del
}

@test "what the command line says counts before the annotations" {
	running c1
	state c1 "$PID" network bridge link net7
	STDIN=$T/state net_ok add --link net8
	inside c1 ip link show net8
	net_ok del --id c1
	nothing_left
}

@test "no annotation takes a hostile text, and the error is one line that names it" {
	local name text count=0

	running c1
	touch "$T/canary"
	for name in network link publish ip mac dns names bandwidth resolv-conf; do
		for text in "\$(rm $T/canary)" "\`rm $T/canary\`" "a;rm $T/canary" "a\\nb" \
			"\\033[2J\\007" "../../../../etc/passwd" "/etc/passwd" "" "a,,b" \
			"$(printf '%4096s' x | tr ' ' A)" "%s%s%n" "a b" "-h" "\"'"; do
			# These are names that a link and a file may have.
			case "$name $text" in
			"link %s%s%n") ;;
			"link \"'" | "link -h" | "link a,,b" | "resolv-conf "[!/.]*) continue ;;
			esac
			if [[ $name == dns ]]; then
				state c1 "$PID" "$name" "$text" resolv-conf x
			else
				state c1 "$PID" "$name" "$text"
			fi
			STDIN=$T/state net_fails add
			contains "$stderr" "annotation org.berth.net.$name"
			((${#stderr} < 500)) || fail "a long error: $stderr"
			[[ $stderr != *[[:cntrl:]]* ]] || fail "control characters: $stderr"
			count=$((count + 1))
		done
	done
	((count > 90))
	[[ -e $T/canary ]]
	nothing_left
}

@test "what is no state is refused" {
	local text

	for text in '' '{' '[]' '{}' 'null' '{"ociVersion": 1}' \
		'{"ociVersion":"1.0.0","id":"../x","status":"created","bundle":"/"}' \
		'{"ociVersion":"1.0.0","id":"c1","status":"created","bundle":"/","pid":-1}' \
		'{"ociVersion":"1.0.0","id":"c1","status":"created","bundle":"x"}' \
		'{"ociVersion":"1.0.0","id":"c1","status":"created","bundle":"/","annotations":{"org.berth.net.mac":"a\u0000b"}}' \
		'{"ociVersion":"1.0.0","id":"c1","status":"created","bundle":"/","annotations":{"org.berth.net.mac":1}}'; do
		printf '%s' "$text" >"$T/state"
		STDIN=$T/state net_fails add
		STDIN=$T/state net_fails del
	done
	printf '%1100000s' '{}' >"$T/state"
	STDIN=$T/state net_fails add
	contains "$stderr" "more than"
	state c1 17 org.berth.net.frob x
	STDIN=$T/state net_fails add
	contains "$stderr" '"org.berth.net.frob"'
	[[ ! -e $ROOT/leases ]] || is "$(ls "$ROOT/leases")" ""
}

@test "a process that is none, is gone or is the host's own is refused" {
	state c1 2147483647
	STDIN=$T/state net_fails add
	contains "$stderr" 2147483647
	state c1 "$HOST_PID"
	STDIN=$T/state net_fails add
	state c1
	STDIN=$T/state net_fails add
	contains "$stderr" "no pid"
	nothing_left
}

@test "none and host make nothing, and give what they can" {
	mkdir -p "$T/bundle"
	touch "$T/bundle/resolv.conf"
	running c1
	for network in none host; do
		state c1 "$PID" network "$network" dns 192.0.2.7 resolv-conf resolv.conf
		STDIN=$T/state net_ok add
		contains "$(cat "$T/bundle/resolv.conf")" 192.0.2.7
		is "$(inside c1 ip -o link show | wc -l)" 1
		state c1 "$PID" network "$network" publish 80:80
		STDIN=$T/state net_fails add
		contains "$stderr" "annotation org.berth.net.publish cannot be had with network \"$network\""
	done
	nothing_left
}

@test "pid and namespace by hand, and what goes together" {
	local words text

	running c1
	while IFS='|' read -r words text; do
		# shellcheck disable=SC2086 # words
		net_fails add $words
		contains "$stderr" "$text"
	done <<-END
		--id c1|--pid or --netns is needed
		--id c1 --pid $PID --netns /run/netns/c1|only one of them
		--id ../c1 --pid $PID|--id
		--pid $PID|need --id
		--id c1 --pid x|--pid: "x"
		--id c1 --pid $PID --dns 1.1.1.1|--dns needs --resolv-conf
		--id c1 --pid $PID --resolv-conf x|--resolv-conf needs --bundle
		--id c1 --pid $PID --publish 80:80 --publish 80:81|collide
		--id c1 --pid $PID --ip 10.187.0.9 --ip 10.187.0.10|second one of its subnet
	END
	net_ok add --id c1 --pid "$PID" --network bridge:bridge
	net_ok check c1
	net_ok del --id c1
	nothing_left
}
