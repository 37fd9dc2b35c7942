#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits of bandwidth: a token bucket at each end of the pair.

load helpers

# The host's end of a container's link.
port_of() {
	jq -r '.hostLink // .host_link' "$ROOT/leases/$1@eth0.json"
}

# What tc says of a link's root queue: "KIND RATE" in bytes a second.
queue() {
	"$@" | jq -r '.[] | select(.root) | "\(.kind) \(.options.rate // 0)"'
}

# How long it takes to fetch an URL, in milliseconds.
milliseconds() {
	local begin end

	begin=$(date +%s%3N)
	fetch "$@" -o /dev/null
	end=$(date +%s%3N)
	echo $((end - begin))
}

@test "what is limited is the link, both ways" {
	add c1 --network bridge --bandwidth 8mbit
	is "$(queue host tc -j qdisc show dev "$(port_of c1)")" 'tbf 1000000'
	is "$(queue inside c1 tc -j qdisc show dev eth0)" 'tbf 1000000'
	add c2 --network bridge
	lacks "$(host tc qdisc show dev "$(port_of c2)")" tbf
	lacks "$(inside c2 tc qdisc show dev eth0)" tbf
	net_ok del --id c1
	net_ok del --id c2
	nothing_left
}

@test "nothing goes faster than that" {
	local big ms

	big=$(head -c 1000000 /dev/zero | tr '\0' x)
	add c1 --network bridge --bandwidth 8mbit
	serve c1 80 "$big"
	serve host 8000 "$big"
	# A million bytes, less the 128 KiB that may go at once, at a million bytes a second.
	ms=$(milliseconds host "http://$(address c1)/")
	((ms >= 850)) || fail "from the container: $ms ms"
	ms=$(milliseconds c1 http://10.187.0.1:8000/)
	((ms >= 850)) || fail "to the container: $ms ms"
	servers_end
	net_ok del --id c1
	nothing_left
}

@test "a limit of more than 32 bits" {
	add c1 --network bridge --bandwidth 80gbit
	is "$(queue inside c1 tc -j qdisc show dev eth0)" 'tbf 10000000000'
	reach c1 10.187.0.1
	net_ok del --id c1
	nothing_left
}

@test "what is no bandwidth is refused" {
	local wrong

	container c1
	for wrong in 10 10mb fast 0mbit -1mbit 1.5.5gbit 99999999999999999999gbit; do
		net_fails add --id c1 --netns /run/netns/c1 --network bridge --bandwidth "$wrong"
		contains "$stderr" bandwidth
	done
	nothing_left
}
