#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices: links of the host that go into the container. The host is a network namespace of
# the test's own; its links are ends of pairs, whose other ends are in a third namespace.

load helpers

eval "$(declare -f setup | sed 's/^setup ()/setup_test ()/')"

setup() {
	setup_test
	[[ -x ${RUNTIME%/*}/berth-net ]] || skip 'needs berth-net beside berth'
	new_network
	HOST=$NETWORK
	new_network
	FAR=$NETWORK
	WRAP=(nsenter "--net=/proc/$HOST/ns/net" --)
	config '.linux.namespaces |= map(select(.type != "network")) + [{type: "network"}]'
}

# A network namespace, held by a process that dies with the test, and is nothing of berth's: its
# number is in NETWORK.
new_network() {
	background env -u BERTH_TEST unshare -n sh -c 'echo ready && exec sleep 1000'
	NETWORK=$BG_PID
	wait_for 5 grep -q ready "$OUT"
}

# Runs a command in the network namespace of a process.
network() {
	nsenter "--net=/proc/$1/ns/net" -- "${@:2}"
}

# device NAME [ADDRESS…]: a link of the host, up, with addresses.
device() {
	local name=$1 address

	shift
	network "$HOST" ip link add "$name" type veth peer name "$name" netns "/proc/$FAR/ns/net"
	network "$FAR" ip link set "$name" up
	network "$HOST" ip link set "$name" up
	for address in "$@"; do
		network "$HOST" ip -f "$([[ $address == *:* ]] && echo inet6 || echo inet)" \
			address add "$address" dev "$name"
	done
}

# The link NAME where process $1 is: "STATE MTU ADDRESS…", addresses of global scope alone.
link_at() {
	network "$1" ip -j address show dev "$2" | jq -r '.[0] |
		[if .flags | index("UP") then "up" else "down" end, .mtu] +
		[.addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] |
		join(" ")'
}

has_link() {
	network "$1" ip link show dev "$2" >/dev/null 2>&1
}

lacks_link() {
	! has_link "$@" || fail "there is a link $2"
}

# A container that waits for its start; its number is in PID.
create() {
	config_args /bin/true
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
}

@test "links go in under their new names, with their addresses" {
	device dev0 192.0.2.7/24 2001:db8::7/64
	device dev1 198.51.100.7/24
	network "$HOST" ip link set dev0 mtu 1400
	config '.linux.netDevices = {dev0: {name: "eth0"}, dev1: {}}'
	create
	is "$(link_at "$PID" eth0)" 'up 1400 192.0.2.7/24 2001:db8::7/64'
	is "$(link_at "$PID" dev1)" 'up 1500 198.51.100.7/24'
	lacks_link "$HOST" dev0
	lacks_link "$HOST" dev1
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
}

@test "a packet gets through" {
	device dev0 192.0.2.7/24
	network "$FAR" ip address add 192.0.2.1/24 dev dev0
	config '.linux.netDevices = {dev0: {name: "eth0"}}'
	create
	network "$FAR" busybox ping -c 1 -W 5 192.0.2.7
}

@test "a link that was down is up in the container" {
	device dev0 192.0.2.7/24
	network "$HOST" ip link set dev0 down
	config '.linux.netDevices = {dev0: {}}'
	create
	is "$(link_at "$PID" dev0)" 'up 1500 192.0.2.7/24'
}

@test "addresses that are not permanent, or not global, stay behind" {
	device dev0 192.0.2.7/24 fe80::7/64
	network "$HOST" ip address add 192.0.2.8/24 dev dev0 valid_lft 1000 preferred_lft 1000
	network "$HOST" ip address add 10.9.9.9/32 dev dev0 scope link
	network "$HOST" ip address add 192.0.2.9/24 broadcast 192.0.2.255 dev dev0 noprefixroute
	network "$HOST" ip address add 203.0.113.1 peer 203.0.113.2/32 dev dev0
	config '.linux.netDevices = {dev0: {}}'
	create
	is "$(link_at "$PID" dev0)" 'up 1500 192.0.2.7/24 203.0.113.1/32 192.0.2.9/24'
	lacks "$(network "$PID" ip address show dev dev0)" fe80::7/64
	contains "$(network "$PID" ip address show dev dev0)" 'inet 203.0.113.1 peer 203.0.113.2/32'
	contains "$(network "$PID" ip address show dev dev0)" \
		'inet 192.0.2.9/24 brd 192.0.2.255 scope global secondary noprefixroute'
}

@test "hooks find them in place" {
	device dev0 192.0.2.7/24
	config '.linux.netDevices = {dev0: {name: "eth0"}} | .hooks.prestart = [{path: "/bin/sh",
		args: ["sh", "-c", $s]}]' --arg s "PATH=$PATH; exec >$T/seen 2>&1
		nsenter --net=/proc/\$(jq .pid)/ns/net -- ip -br address show dev eth0"
	create
	contains "$(<"$T/seen")" 192.0.2.7/24
}

@test "the kernel chooses the number in a name" {
	device dev0 192.0.2.7/24
	device dev1
	config '.linux.netDevices = {dev0: {name: "net%d"}, dev1: {name: "net%d"}}'
	create
	is "$(link_at "$PID" net0)" 'up 1500 192.0.2.7/24'
	is "$(link_at "$PID" net1)" 'up 1500'
}

@test "a user namespace of its own" {
	device dev0 192.0.2.7/24 2001:db8::7/64
	config '.linux.netDevices = {dev0: {name: "eth0"}} |
		.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	create
	is "$(link_at "$PID" eth0)" 'up 1500 192.0.2.7/24 2001:db8::7/64'
}

@test "a network namespace that is joined" {
	device dev0 192.0.2.7/24
	new_network
	config '.linux.netDevices = {dev0: {name: "eth0"}} |
		(.linux.namespaces[] | select(.type == "network")).path = $p' \
		--arg p "/proc/$NETWORK/ns/net"
	config_args /bin/true
	berth run "$ID"
	# It is the namespace's owner who decides what becomes of them.
	is "$(link_at "$NETWORK" eth0)" 'up 1500 192.0.2.7/24'

	# The name is taken now.
	device dev1
	config '.linux.netDevices = {dev1: {name: "eth0"}}'
	berth_fails 'the container has a link "eth0" already' run "$ID"
	contains "$stderr" linux.netDevices
	is "$(link_at "$HOST" dev1)" 'up 1500'
	nothing_left
	config '.linux.netDevices = {dev1: {name: "eth%d"}}'
	berth run "$ID"
	is "$(link_at "$NETWORK" eth1)" 'up 1500'
}

@test "when one cannot go, all stay" {
	device dev0 192.0.2.7/24 2001:db8::7/64
	device dev1
	network "$HOST" ip link set dev1 down
	config_args /bin/true
	config '.linux.netDevices = {dev0: {name: "eth0"}, dev1: {}, gone: {}}'
	berth_fails '"gone"' run "$ID"
	contains "$stderr" linux.netDevices
	is "$(link_at "$HOST" dev0)" 'up 1500 192.0.2.7/24 2001:db8::7/64'
	is "$(link_at "$HOST" dev1)" 'down 1500'
	nothing_left
	config '.linux.netDevices = {dev0: {name: "eth0"}, dev1: {name: "eth0"}}'
	berth_fails 'the container has a link "eth0" already' run "$ID"
	is "$(link_at "$HOST" dev0)" 'up 1500 192.0.2.7/24 2001:db8::7/64'
	config '.linux.netDevices = {dev0: {name: "eth0"}, lo: {name: "lo1"}}'
	berth_fails '"lo"' run "$ID"
	is "$(link_at "$HOST" dev0)" 'up 1500 192.0.2.7/24 2001:db8::7/64'
	nothing_left
}

@test "without a network namespace of the container's own they are refused" {
	device dev0
	config '.linux.netDevices = {dev0: {name: "eth0"}} |
		.linux.namespaces |= map(select(.type != "network"))'
	config_args /bin/true
	berth_fails 'linux.netDevices: needs a "network" namespace' run "$ID"
	config '.linux.namespaces += [{type: "network", path: $p}]' --arg p "/proc/$HOST/ns/net"
	berth_fails 'own network namespace' run "$ID"
	contains "$stderr" linux.netDevices
	has_link "$HOST" dev0
	nothing_left
}

@test "berth-net that is missing is named" {
	[[ ! -e /usr/local/sbin/berth-net ]] || skip 'berth-net is installed here'
	mkdir "$T/alone"
	cp "$RUNTIME" "$T/alone/berth"
	config '.linux.netDevices = {dev0: {name: "eth0"}}'
	config_args /bin/true
	WRAP+=(sh -c 'shift; exec "$0" "$@"' "$T/alone/berth")
	berth_fails 'linux.netDevices needs the program "berth-net"' run "$ID"
	nothing_left
	# Without devices nobody looks for it.
	config 'del(.linux.netDevices)'
	berth run "$ID"
}

@test "features says so" {
	berth features
	json '.linux.netDevices.enabled'
}
