#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Networks of kind macvlan and ipvlan: links of containers that stand on one of the host's.

load helpers

# The host's link up0, and the network's own gateway at its other end, in the namespace gw.
setup() {
	net_setup
	host ip netns add gw
	host ip link add up0 type veth peer name eth0 netns gw
	host ip link set up0 up
	inside gw ip link set lo up
	inside gw ip address add 10.70.0.1/24 dev eth0
	inside gw ip address add fd70::1/64 dev eth0 nodad
	inside gw ip address add 203.0.113.1/32 dev lo
	inside gw ip link set eth0 up
}

# Skips where the kernel has no links of the kind $1.
requires_kind() {
	host ip link add try0 link up0 type "$1" 2>/dev/null || skip "needs $1"
	host ip link delete try0
}

# create_network DRIVER MODE: the network lan.
create_network() {
	net_ok network create lan --driver "$1" --mode "$2" --interface up0 \
		--subnet 10.70.0.0/24 --gateway 10.70.0.1 --subnet fd70::/64 --gateway fd70::1
}

# The link of a container: "KIND MODE".
kind_of() {
	inside "$1" ip -d -j link show eth0 |
		jq -r '.[0].linkinfo | "\(.info_kind) \(.info_data.mode)"'
}

lacks_link() {
	! inside "$1" ip link show eth0 >/dev/null 2>&1 || fail "$1 has a link eth0"
}

# What all of them have in common.
containers_come_and_go() {
	add c1 --network lan
	add c2 --network lan
	is "$(kind_of c1)" "$1 $2"
	contains "$(inside c1 ip -4 route show default)" "via 10.70.0.1 dev eth0"
	contains "$(inside c1 ip -6 route show default)" "via fd70::1 dev eth0"
	lacks "$(inside c1 ip -6 address show eth0 scope global)" "tentative"
	reach c1 10.70.0.1
	reach c1 fd70::1
	reach c1 203.0.113.1
	net_ok check c1
	net_ok del --id c1
	lacks_link c1
	reach c2 10.70.0.1
	net_ok del --id c2
	nothing_left
	host ip link show up0
}

@test "macvlan in mode bridge" {
	requires_kind macvlan
	create_network macvlan bridge
	add c3 --network lan --mac 02:11:22:33:44:55 --ip 10.70.0.9
	add c4 --network macvlan:lan --link net3
	contains "$(inside c3 ip link show eth0)" 02:11:22:33:44:55
	is "$(address c3)" 10.70.0.9
	is "$(inside c4 ip -j link show net3 | jq -r '.[0].address')" \
		"$(printf be:27:0a:46:00:%02x "$(address c4 4 net3 | cut -d. -f4)")"
	reach c3 "$(address c4 4 net3)"
	reach c4 "$(address c3 6)"
	net_ok del --id c3
	net_ok del --id c4
	containers_come_and_go macvlan bridge
}

@test "macvlan in mode private: containers do not reach each other" {
	requires_kind macvlan
	create_network macvlan private
	add c3 --network lan
	add c4 --network lan
	reach c3 10.70.0.1
	! inside c3 busybox ping -c 1 -W 1 "$(address c4)" || fail "c3 reaches c4"
	net_ok del --id c3
	net_ok del --id c4
	containers_come_and_go macvlan private
}

@test "macvlan in mode passthru: one container, with the MAC of the host's link" {
	requires_kind macvlan
	create_network macvlan passthru
	add c1 --network lan
	is "$(kind_of c1)" "macvlan passthru"
	is "$(inside c1 cat /sys/class/net/eth0/address)" "$(host cat /sys/class/net/up0/address)"
	reach c1 10.70.0.1
	net_ok check c1
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network lan
	lacks_link c2
	net_ok del --id c1
	lacks_link c1
	nothing_left
}

@test "ipvlan in mode l2" {
	requires_kind ipvlan
	create_network ipvlan l2
	add c3 --network lan
	add c4 --network lan
	is "$(inside c3 cat /sys/class/net/eth0/address)" "$(host cat /sys/class/net/up0/address)"
	reach c3 "$(address c4)"
	reach c4 "$(address c3 6)"
	net_ok del --id c3
	net_ok del --id c4
	containers_come_and_go ipvlan l2
}

@test "ipvlan in mode l3 and l3s" {
	local mode

	requires_kind ipvlan
	for mode in l3 l3s; do
		net_ok network create "$mode" --driver ipvlan --mode "$mode" --interface up0 \
			--subnet 10.70.0.0/24
		add c1 --network "$mode"
		add c2 --network "$mode"
		is "$(kind_of c1)" "ipvlan $mode"
		reach c1 "$(address c2)"
		net_ok check c1
		net_ok del --id c1
		net_ok del --id c2
		net_ok network remove "$mode"
		host ip netns delete c1
		host ip netns delete c2
	done
	nothing_left
}

@test "a link of that name is the container's own, and stays" {
	requires_kind macvlan
	create_network macvlan bridge
	container c1
	inside c1 ip link add eth0 type veth peer name other
	net_fails add --id c1 --netns /run/netns/c1 --network lan
	contains "$stderr" 'the container has a link "eth0" already'
	contains "$(inside c1 ip -d link show eth0)" veth
	nothing_left
}

@test "what these drivers cannot do is refused" {
	net_ok network create lan --driver ipvlan --interface up0 --subnet 10.70.0.0/24
	container c1
	net_fails add --id c1 --netns /run/netns/c1 --network lan --publish 8080:80
	net_fails add --id c1 --netns /run/netns/c1 --network lan --mac 02:11:22:33:44:55
	net_fails add --id c1 --netns /run/netns/c1 --network lan --bandwidth 10mbit
	lacks_link c1
	host ip link delete up0
	net_fails add --id c1 --netns /run/netns/c1 --network lan
	contains "$stderr" '"up0"'
	nothing_left
}

@test "gc takes the link from a container that lives, where add was cut off" {
	requires_kind macvlan
	create_network macvlan bridge
	add c1 --network lan
	sed -i 's/"complete": *true/"complete": false/' "$ROOT/leases/c1@eth0.json"
	grep -q '"complete": *false' "$ROOT/leases/c1@eth0.json"
	net_ok gc
	lacks_link c1
	nothing_left
}
