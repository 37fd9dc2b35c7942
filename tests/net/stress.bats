#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers at once.

load helpers

CONTAINERS=${NET_CONTAINERS:-200}

# all COMMAND…: for each container, 20 at a time; {} is its number.
all() {
	seq "$CONTAINERS" | host xargs -P 20 -I '{}' "$@" 2>"$T/err.all" ||
		fail "$*: $(sort "$T/err.all" | uniq -c | head -n 5)"
}

# How many rules the table has, and how many elements.
rules() {
	host nft -j list table inet berth | jq '[.nftables[] | select(.rule)] | length'
}

@test "200 containers come and go, 20 at a time: no address twice, nothing left" {
	local addresses six

	all ip netns add 'c{}'
	all "$BERTH_NET" --root "$ROOT" add --id 'c{}' --netns '/run/netns/c{}' --network bridge
	addresses=$(seq "$CONTAINERS" | host xargs -I '{}' ip netns exec 'c{}' \
		ip -4 -o address show dev eth0 | awk '{ print $4 }')
	six=$(seq "$CONTAINERS" | host xargs -I '{}' ip netns exec 'c{}' \
		ip -6 -o address show dev eth0 scope global | awk '{ print $4 }')
	is "$(sort -u <<<"$addresses" | grep -c '^10\.187\.')" "$CONTAINERS" "addresses"
	is "$(sort -u <<<"$six" | grep -c '^fd5b:')" "$CONTAINERS" "addresses"
	reach c1 "$(address "c$CONTAINERS")"
	net_ok check
	all "$BERTH_NET" --root "$ROOT" del --id 'c{}'
	nothing_left
	# And at once, in any order.
	seq "$CONTAINERS" | host xargs -P 20 -I '{}' sh -c \
		"'$BERTH_NET' --root '$ROOT' add --id c{} --netns /run/netns/c{} --network bridge &&
		'$BERTH_NET' --root '$ROOT' del --id c{}" 2>"$T/err.all" || fail "$(sort "$T/err.all" | uniq -c)"
	nothing_left
}

@test "the number of rules is the same after 1, 10 and 100 containers" {
	local one ten i

	add c1 --network bridge --publish 10001:80
	one=$(rules)
	((one > 10)) || fail "$one rules"
	for i in {2..10}; do
		add "c$i" --network bridge --publish "$((10000 + i)):80" --publish "$((10000 + i)):80/udp"
	done
	ten=$(rules)
	for i in {11..100}; do
		add "c$i" --network bridge --publish "127.0.0.1:$((10000 + i)):80"
	done
	is "$ten" "$one" "rules of ten containers"
	is "$(rules)" "$one" "rules of a hundred containers"
}
