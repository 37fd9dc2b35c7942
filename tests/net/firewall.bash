# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by the suites about the firewall, beside helpers.bash.

# network NAME SUBNETS [MEMBERS]: a definition; the bridge has the network's name. Subnets are
# separated by blanks, members are JSON such as '"internal": true'.
network() {
	local subnets

	subnets=$(jq -cn --arg list "$2" '$list | split(" ") | map({subnet: .})')
	mkdir -p "$ROOT/networks"
	printf '{"name": "%s", "driver": "bridge", "link": "%s", "subnets": %s%s}\n' \
		"$1" "$1" "$subnets" "${3:+, $3}" >"$ROOT/networks/$1.json"
}

# serve_udp NAME PORT WORDS: who answers datagrams, in a container (or "host").
serve_udp() {
	local name=$1 port=$2 words=$3
	local where=(inside "$name")

	[[ $name != host ]] || where=(host)
	"${where[@]}" python3 "$NET_TESTS_DIR/lab/udp.py" serve "$port" "$words" \
		</dev/null >"$T/udp-$name-$port" 2>&1 3>&- 4>&- 5>&- &
	SERVERS+=($!)
	wait_for 10 grep -q ready "$T/udp-$name-$port"
}

# udp NAME ask|send ADDRESS PORT [SOURCE_PORT]: a datagram from a container (or "host").
udp() {
	local name=$1

	shift
	if [[ $name == host ]]; then
		host python3 "$NET_TESTS_DIR/lab/udp.py" "$@"
	else
		inside "$name" python3 "$NET_TESTS_DIR/lab/udp.py" "$@"
	fi
}

# gets FROM URL WORDS: the page at the URL has these words.
gets() {
	is "$(fetch "$1" "http://$2/" 2>&1)" "$3" "$1 at $2"
}

# gets_not FROM URL: nobody answers there. Dropped packets are no answer, so it does not wait long.
gets_not() {
	! fetch "$1" -m 1 "http://$2/" >"$T/unwanted" 2>&1 || fail "$1 gets $2: $(<"$T/unwanted")"
}

# client_of FROM URL: the address that the server sees.
client_of() {
	fetch "$1" -o /dev/null -D - "http://$2/" | sed -n 's/^X-Client: \(::ffff:\)\{0,1\}//p' | tr -d '\r'
}

# reach_not FROM ADDRESS: no echo.
reach_not() {
	! inside "$1" busybox ping -c 1 -W 1 "$2" >/dev/null 2>&1 || fail "$1 reaches $2"
}

# loopback_through NAME GATEWAY: packets of a namespace to 127.0.0.1 leave by its eth0, and answers
# from there are taken.
loopback_through() {
	inside "$1" sh -c "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"
	inside "$1" ip address delete 127.0.0.1/8 dev lo
	inside "$1" ip route add 127.0.0.0/8 via "$2" dev eth0
}

# Number of rules of all chains, as text.
rule_count() {
	host nft list table inet berth | awk '
	/^\tchain / { in_chain = 1; next }
	/^\t}/ { in_chain = 0 }
	in_chain && !/type .* hook / { count++ }
	END { print count + 0 }'
}
