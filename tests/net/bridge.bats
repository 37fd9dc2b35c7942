#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A container's link to a bridge: what add makes, what del takes away.

load helpers

@test "add gives a link with addresses of both families, routes, and loopback" {
	add c1 --network bridge
	is "$(inside c1 ip -j link show eth0 | jq -r '.[0].operstate')" UP
	contains "$(inside c1 ip -4 address show eth0)" "inet 10.187."
	contains "$(inside c1 ip -6 address show eth0)" "inet6 fd5b:e774:9c01::"
	lacks "$(inside c1 ip -6 address show eth0 scope global)" "tentative"
	contains "$(inside c1 ip -4 route show default)" "via 10.187.0.1 dev eth0"
	contains "$(inside c1 ip -6 route show default)" "via fd5b:e774:9c01::1 dev eth0"
	contains "$(inside c1 ip link show lo)" "UP"
	reach c1 10.187.0.1
	reach c1 fd5b:e774:9c01::1
	net_ok check c1
	net_ok del --id c1
	nothing_left
}

@test "two containers reach each other" {
	add c1 --network bridge
	add c2 --network bridge
	reach c1 "$(address c2)"
	reach c2 "$(address c1 6)"
	[[ $(address c1) != "$(address c2)" ]]
	net_ok del --id c1
	reach c2 10.187.0.1
	net_ok del --id c2
	nothing_left
}

@test "the link's name, MAC and address can be chosen" {
	add c1 --network bridge --link net7 --mac 02:11:22:33:44:55 --ip 10.187.9.9
	contains "$(inside c1 ip link show net7)" "02:11:22:33:44:55"
	is "$(address c1 4 net7)" 10.187.9.9
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network bridge --ip 10.187.9.9
	contains "$stderr" "10.187.9.9"
	net_ok del --id c1
	net_ok del --id c2
	nothing_left
}

@test "a second add of the same link is refused and takes nothing away" {
	add c1 --network bridge
	net_fails add --id c1 --netns /run/netns/c1 --network bridge
	contains "$stderr" "has a link \"eth0\" already"
	net_ok check c1
	net_ok add --id c1 --netns /run/netns/c1 --network bridge --link eth1
	net_ok del --id c1
	nothing_left
}

@test "an add that fails in the middle leaves nothing" {
	container c1
	inside c1 ip link add eth0 type veth peer name other
	net_fails add --id c1 --netns /run/netns/c1 --network bridge
	contains "$stderr" "eth0"
	nothing_left
}

@test "forwarding that is off is an error that says what to do" {
	host sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'
	container c1
	net_fails add --id c1 --netns /run/netns/c1 --network bridge
	contains "$stderr" "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
	nothing_left
}

@test "what is no network namespace is refused" {
	container c1
	net_fails add --id c1 --netns /proc/1/ns/pid --network bridge
	net_fails add --id c1 --netns /etc/passwd --network bridge
	net_fails add --id c1 --netns /run/netns/nowhere --network bridge
	net_fails add --id c1 --pid 4194303 --network bridge
	net_fails add --id c1 --netns /proc/self/ns/net --network bridge
	contains "$stderr" "host"
	nothing_left
}

@test "gc takes away what belongs to containers that are gone" {
	add c1 --network bridge --publish 8080:80
	add c2 --network bridge
	host ip netns delete c1
	net_ok gc
	contains "$output" "1 removed"
	net_ok check c2
	net_ok list
	lacks "$output" "c1"
	host ip netns delete c2
	net_ok gc
	nothing_left
}

@test "list shows links, addresses and ports, as text and JSON" {
	add c1 --network bridge --publish 127.0.0.1:8080-8081:80-81 --publish 53:53/udp
	net_ok list
	contains "$output" "127.0.0.1:8080-8081:80-81"
	contains "$output" "53:53/udp"
	net_ok list --json
	is "$(jq -r '.[0].id' <<<"$output")" c1
	net_ok del --id c1
	nothing_left
}

@test "check says what is missing" {
	add c1 --network bridge --publish 8080:80
	net_ok check
	inside c1 ip address flush dev eth0 scope global
	net_fails check c1
	contains "$stderr" "has not the address"
	net_ok del --id c1
	add c2 --network bridge --publish 8080:80
	host nft flush ruleset
	net_fails check c2
	net_ok reload
	net_ok check c2
	net_ok del --id c2
	net_fails check c2
	nothing_left
}

@test "links of two networks: the way out is the first one's" {
	net_ok network create web --subnet 10.50.0.0/24 --subnet fd50::/64
	add c1 --network bridge
	net_ok add --id c1 --netns /run/netns/c1 --network web --link eth1
	is "$(inside c1 ip -j route show default | jq -r '.[].dev')" eth0
	is "$(inside c1 ip -j -6 route show default | jq -r '.[].dev')" eth0
	reach c1 10.187.0.1
	reach c1 10.50.0.1
	net_ok check c1
	inside c1 ip route delete default
	net_fails check c1
	contains "$stderr" "there is no default route by"
	net_ok del --id c1
	nothing_left
}

@test "a bridge that is there before is used as it is, and stays" {
	host ip link add mine type bridge
	host ip address add 10.50.0.1/24 dev mine
	host ip link set mine up
	net_ok network create web --interface mine --subnet 10.50.0.0/24 --subnet fd50::/64
	add c1 --network web --publish 8080:80
	reach c1 10.50.0.1
	is "$(host ip -j address show dev mine | jq -r '[.[0].addr_info[] |
		select(.scope == "global") | .local] | join(" ")')" 10.50.0.1
	is "$(host cat /proc/sys/net/ipv4/conf/mine/route_localnet)" 0
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network web --publish 127.0.0.1:8081:80
	contains "$stderr" "echo 1 >/proc/sys/net/ipv4/conf/mine/route_localnet"
	host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/mine/route_localnet'
	net_ok add --id c2 --netns /run/netns/c2 --network web --publish 127.0.0.1:8081:80
	serve c2 80
	is "$(fetch host http://127.0.0.1:8081/)" "page of c2"
	net_ok del --id c1
	net_ok del --id c2
	nothing_left
	host ip link show mine
}

@test "what is no bridge, or another network's, is refused" {
	host ip link add mine type veth peer name other
	net_ok network create web --interface mine --subnet 10.50.0.0/24
	container c1
	net_fails add --id c1 --netns /run/netns/c1 --network web
	contains "$stderr" 'the link "mine" is not a bridge'
	host ip link delete mine
	host ip link add mine type bridge
	host ip link set mine alias "berth-net away"
	net_fails add --id c1 --netns /run/netns/c1 --network web
	contains "$stderr" 'the bridge "mine" is that of network "away"'
	host ip link delete mine
	nothing_left
}

@test "an address is not given again at once" {
	local first

	add c1 --network bridge
	first=$(address c1)
	net_ok del --id c1
	add c2 --network bridge
	[[ $(address c2) != "$first" ]]
	net_ok del --id c2
	nothing_left
}

@test "a port at which a program of the host listens is not taken from it" {
	serve host 8080
	container c1
	net_fails add --id c1 --netns /run/netns/c1 --network bridge --publish 8079-8081:79-81
	contains "$stderr" "a program of the host has port 8080"
	net_ok add --id c1 --netns /run/netns/c1 --network bridge --publish 8080:80/udp
	net_ok del --id c1
	nothing_left
}

@test "a port of another container is refused, and stays its own" {
	add c1 --network bridge --publish 8080:80
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network bridge --publish 8000-8090:1000-1090
	contains "$stderr" 'container "c1" has that port'
	serve c1 80
	contains "$(fetch host http://127.0.0.1:8080/)" "page of c1"
	net_ok del --id c2
	contains "$(fetch host http://127.0.0.1:8080/)" "page of c1"
	net_ok del --id c1
	nothing_left
}

@test "a full disk: add is refused and leaves nothing, del and gc take away what is there" {
	ROOT=$T/disk
	# The host alone sees what is in it.
	mkdir -p "$ROOT/leases" "$ROOT/addresses"
	host mount -t tmpfs -o size=64k,mode=755 tmpfs "$ROOT"
	add c1 --network bridge --publish 8080:80
	add c2 --network bridge
	host sh -c "head -c 100k /dev/zero >'$ROOT/fill'" 2>/dev/null || true
	container c3
	net_fails add --id c3 --netns /run/netns/c3 --network bridge --publish 8081:80
	contains "$stderr" "No space left on device"
	lacks "$(host nft list table inet berth)" 8081
	is "$(host ip -o link show type veth | wc -l)" 2
	net_ok del --id c1
	host ip netns delete c2
	net_ok gc
	contains "$output" "1 removed"
	nothing_left
	is "$(host find "$ROOT/leases" "$ROOT/addresses" -name '[!.]*' ! -type d)" ""
}
