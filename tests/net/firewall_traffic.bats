#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the firewall does to packets: published ports, masquerading, isolation. The test's host has a
# neighbour, "outside", at 192.0.2.2 and 2001:db8::2; itself it is .1 and ::1 there.

load helpers
load firewall

setup() {
	net_setup
	outside_begin
}

# Each test of a way that br_netfilter changes is for both of its settings.
bridge_filter() {
	local family

	for family in ip ip6; do
		[[ -e /proc/sys/net/bridge/bridge-nf-call-${family}tables ]] ||
			skip "there is no br_netfilter"
		host sh -c "echo $1 >/proc/sys/net/bridge/bridge-nf-call-${family}tables"
	done
}

# --- published ports -----------------------------------------------------------------------------

@test "a published port is reached from outside, by both families, and sees who asks" {
	add c1 --network bridge --publish 8080:80
	serve c1 80 "page of c1"
	gets outside 192.0.2.1:8080 "page of c1"
	gets outside '[2001:db8::1]:8080' "page of c1"
	is "$(client_of outside 192.0.2.1:8080)" 192.0.2.2
	is "$(client_of outside '[2001:db8::1]:8080')" 2001:db8::2
	net_ok del --id c1
	gets_not outside 192.0.2.1:8080
}

@test "a published port is reached from the host: at 127.0.0.1 and at all of its addresses" {
	add c1 --network bridge --publish 8080:80
	serve c1 80 "page of c1"
	gets host 127.0.0.1:8080 "page of c1"
	gets host 127.5.5.5:8080 "page of c1"
	gets host 192.0.2.1:8080 "page of c1"
	gets host 10.187.0.1:8080 "page of c1"
	gets host '[2001:db8::1]:8080' "page of c1"
	# "localhost" may be ::1 first: there is no port, which is said at once.
	status=0
	fetch host 'http://[::1]:8080/' || status=$?
	is "$status" 7 "curl's status"
}

@test "a published port is reached from containers, the own one too, with and without br_netfilter" {
	local filter

	add c1 --network bridge --publish 8080:80
	add c2 --network bridge
	serve c1 80 "page of c1"
	for filter in 0 1; do
		bridge_filter $filter
		gets c2 192.0.2.1:8080 "page of c1"
		gets c2 10.187.0.1:8080 "page of c1"
		gets c2 '[2001:db8::1]:8080' "page of c1"
		gets c1 192.0.2.1:8080 "page of c1"
		gets c1 10.187.0.1:8080 "page of c1"
		gets c1 '[2001:db8::1]:8080' "page of c1"
		gets c2 "$(address c1):80" "page of c1"
		gets c2 "[$(address c1 6)]:80" "page of c1"
	done
}

@test "a published port is reached from another network, which is isolated otherwise" {
	network other "10.44.0.0/16 fd44::/64"
	add c1 --network bridge --publish 8080:80
	add c2 --network bridge:other
	serve c1 80 "page of c1"
	gets c2 192.0.2.1:8080 "page of c1"
	gets c2 '[2001:db8::1]:8080' "page of c1"
	gets_not c2 "$(address c1):80"
}

@test "ports of UDP" {
	add c1 --network bridge --publish 53:5353/udp
	add c2 --network bridge
	serve_udp c1 5353 "words of c1"
	is "$(udp outside ask 192.0.2.1 53)" "words of c1"
	is "$(udp outside ask 2001:db8::1 53)" "words of c1"
	is "$(udp host ask 127.0.0.1 53)" "words of c1"
	is "$(udp c2 ask 192.0.2.1 53)" "words of c1"
	is "$(udp c1 ask 192.0.2.1 53)" "words of c1"
	# TCP is another matter.
	gets_not outside 192.0.2.1:53
}

@test "a range of ports, and nothing beside it" {
	add c1 --network bridge --publish 8000-8003:80-83
	serve c1 80 "first page"
	serve c1 83 "last page"
	serve c1 84 "page behind it"
	gets outside 192.0.2.1:8000 "first page"
	gets outside 192.0.2.1:8003 "last page"
	gets outside '[2001:db8::1]:8003' "last page"
	gets_not outside 192.0.2.1:8004
	gets_not outside 192.0.2.1:7999
}

@test "a port at an address of the host is there alone; an exact address goes before all" {
	add c1 --network bridge --publish 192.0.2.1:8080:80
	add c2 --network bridge --publish '0.0.0.0:8081:80' --publish '[::]:8082:80'
	serve c1 80 "page of c1"
	serve c2 80 "page of c2"
	gets outside 192.0.2.1:8080 "page of c1"
	gets_not host 127.0.0.1:8080
	gets_not outside '[2001:db8::1]:8080'
	gets outside 192.0.2.1:8081 "page of c2"
	gets_not outside '[2001:db8::1]:8081'
	gets outside '[2001:db8::1]:8082' "page of c2"
	gets_not outside 192.0.2.1:8082
}

@test "an address that is not the host's leads nobody to a container" {
	add c1 --network bridge --publish 192.0.2.2:80:80
	add c2 --network bridge
	serve c1 80 "page of c1"
	serve outside 80 "page of outside"
	gets c2 192.0.2.2:80 "page of outside"
}

@test "what 127.0.0.1 publishes is the host's alone" {
	add c1 --network bridge --publish 127.0.0.1:8080:80
	serve c1 80 "page of c1"
	gets host 127.0.0.1:8080 "page of c1"
	gets_not outside 192.0.2.1:8080
	# A neighbour that sends packets for 127.0.0.1 to the host's link.
	loopback_through outside 192.0.2.1
	gets_not outside 127.0.0.1:8080
	add c2 --network bridge
	loopback_through c2 10.187.0.1
	gets_not c2 127.0.0.1:8080
}

@test "containers do not reach what listens at the host's 127.0.0.1" {
	add c1 --network bridge --publish 127.0.0.1:8080:80
	host python3 -m http.server --bind 127.0.0.1 9999 >/dev/null 2>&1 3>&- &
	SERVERS+=($!)
	wait_for 10 fetch host http://127.0.0.1:9999/
	loopback_through c1 10.187.0.1
	gets_not c1 127.0.0.1:9999
}

@test "containers do not look like the host's 127.0.0.0/8, even where it takes packets from itself" {
	local own

	host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/accept_local'
	add c1 --network bridge
	own=$(address c1)
	serve_udp host 9999 "words of the host"
	is "$(udp c1 ask 10.187.0.1 9999)" "words of the host"
	inside c1 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	inside c1 ip address add 127.0.0.7/32 dev eth0
	inside c1 ip route add 10.187.0.1/32 dev eth0 src 127.0.0.7
	udp c1 send 10.187.0.1 9999
	inside c1 ip route delete 10.187.0.1/32 dev eth0 src 127.0.0.7
	is "$(udp c1 ask 10.187.0.1 9999)" "words of the host"
	is "$(tr '\n' ' ' <"$T/udp-host-9999" | sed 's/::ffff://g')" "ready $own $own "
}

@test "senders of datagrams that never pause reach a new container, and the one after it" {
	add c0 --network bridge
	udp outside send 192.0.2.1 5300 40000
	udp outside send 2001:db8::1 5300 40000
	add c1 --network bridge --publish 5300:53/udp
	serve_udp c1 53 "words of c1"
	is "$(udp outside ask 192.0.2.1 5300 40000)" "words of c1"
	is "$(udp outside ask 2001:db8::1 5300 40000)" "words of c1"
	# Once more, and with the table itself, which goes with the last.
	net_ok del --id c0
	net_ok del --id c1
	add c2 --network bridge --publish 5300:53/udp
	serve_udp c2 53 "words of c2"
	is "$(udp outside ask 192.0.2.1 5300 40000)" "words of c2"
	is "$(udp outside ask 2001:db8::1 5300 40000)" "words of c2"
}

# --- out and in ----------------------------------------------------------------------------------

@test "containers leave with the host's address, or with their own where that is wanted" {
	network plain "10.44.0.0/16 fd44::/64" '"masquerade": false'
	add c1 --network bridge
	add c2 --network bridge:plain
	serve outside 80 "page of outside"
	is "$(client_of c1 192.0.2.2)" 192.0.2.1
	is "$(client_of c1 '[2001:db8::2]')" 2001:db8::1
	is "$(client_of c2 192.0.2.2)" "$(address c2)"
	is "$(client_of c2 '[2001:db8::2]')" "$(address c2 6)"
	reach c1 192.0.2.2
}

@test "nothing comes in that nobody asked for" {
	add c1 --network bridge --publish 8080:80
	serve c1 80 "page of c1"
	serve c1 81 "hidden page"
	# The neighbour has a route to the containers, over the host.
	gets_not outside "$(address c1):80"
	gets_not outside "$(address c1):81"
	gets_not outside "[$(address c1 6)]:81"
	reach_not outside "$(address c1)"
	gets outside 192.0.2.1:8080 "page of c1"
	# The host itself may.
	gets host "$(address c1):81" "hidden page"
}

@test "a flush of the ruleset closes published ports, and reload opens them" {
	add c1 --network bridge --publish 8080:80
	serve c1 80 "page of c1"
	host nft flush ruleset
	gets_not outside 192.0.2.1:8080
	net_ok reload
	gets outside 192.0.2.1:8080 "page of c1"
	gets host 127.0.0.1:8080 "page of c1"
}

@test "a connection lives on over a reload" {
	add c1 --network bridge --publish 8080:80
	serve c1 80 "page of c1"
	mkfifo "$T/go"
	host python3 - "$T/go" >"$T/pages" 3>&- <<-'END' &
		import http.client, sys
		there = http.client.HTTPConnection("192.0.2.1", 8080, timeout=5)
		there.request("GET", "/")
		print(there.getresponse().read().decode().strip(), flush=True)
		there.auto_open = False
		open(sys.argv[1]).close()
		there.request("GET", "/")
		print(there.getresponse().read().decode().strip(), flush=True)
	END
	wait_for 5 grep -q "page of c1" "$T/pages"
	net_ok reload
	: >"$T/go"
	wait $!
	is "$(<"$T/pages")" "page of c1"$'\n'"page of c1"
}

# --- between containers --------------------------------------------------------------------------

@test "containers of one network reach each other, with and without br_netfilter" {
	local filter

	add c1 --network bridge
	add c2 --network bridge
	for filter in 0 1; do
		bridge_filter $filter
		reach c1 "$(address c2)"
		reach c2 "$(address c1 6)"
	done
}

@test "networks do not reach each other, unless neither is isolated" {
	network n1 "10.41.0.0/16 fd41::/64" '"isolation": false'
	network n2 "10.42.0.0/16 fd42::/64" '"isolation": false'
	network n3 "10.43.0.0/16 fd43::/64"
	add c1 --network bridge:n1
	add c2 --network bridge:n2
	add c3 --network bridge:n3
	reach c1 "$(address c2)"
	reach c2 "$(address c1 6)"
	reach_not c1 "$(address c3)"
	reach_not c3 "$(address c1)"
	reach_not c3 "$(address c2 6)"
	# With the source's own address: nothing between bridges is masqueraded.
	serve c2 80
	is "$(client_of c1 "$(address c2)")" "$(address c1)"
}

@test "an internal network has no way out, and none to published ports of others" {
	network inner "10.44.0.0/16 fd44::/64" '"internal": true'
	add c1 --network bridge:inner
	add c2 --network bridge:inner
	add c3 --network bridge --publish 8080:80
	serve c3 80 "page of c3"
	serve outside 80 "page of outside"
	reach c1 "$(address c2)"
	reach c1 "$(address c2 6)"
	# It has no default route; whoever makes one gets no further.
	inside c1 ip route replace default via 10.44.0.1
	reach c1 10.44.0.1
	gets_not c1 192.0.2.2
	gets_not c1 10.44.0.1:8080
	gets_not c1 192.0.2.1:8080
	reach_not c1 "$(address c3)"
}
