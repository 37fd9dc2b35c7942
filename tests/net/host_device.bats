#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Networks of kind host-device: a link of the host goes into the container, and comes back.

load helpers

# A build with sanitizers cannot look for leaks while it is traced.
export ASAN_OPTIONS=detect_leaks=0

# The device dev0, up, with addresses; its other end is in the namespace far.
setup() {
	net_setup
	host ip netns add far
	make_device
}

make_device() {
	host ip link add dev0 type veth peer name eth0 netns far
	inside far ip address add 10.80.0.1/24 dev eth0
	inside far ip address add fd80::1/64 dev eth0 nodad
	inside far ip link set eth0 up
	host ip address add 10.80.0.7/24 dev dev0
	host ip address add fd80::7/64 dev dev0 nodad
	host ip link set dev0 mtu 1400 up
	MAC=$(host cat /sys/class/net/dev0/address)
}

# "STATE MTU ADDRESS…" of a link, on the host or in a container.
link_at() {
	"${@:2}" ip -j address show dev "$1" | jq -r '.[0] |
		[if .flags | index("UP") then "up" else "down" end, .mtu] +
		[.addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] |
		join(" ")'
}

lacks_link() {
	! "${@:2}" ip link show "$1" >/dev/null 2>&1 || fail "there is a link $1"
}

is_back() {
	is "$(link_at dev0 host)" "up 1400 10.80.0.7/24 fd80::7/64"
	is "$(host cat /sys/class/net/dev0/address)" "$MAC"
}

@test "without subnets it keeps its addresses, both ways" {
	net_ok network create wire --driver host-device --interface dev0
	add c1 --network wire
	is "$(link_at eth0 inside c1)" "up 1400 10.80.0.7/24 fd80::7/64"
	is "$(inside c1 cat /sys/class/net/eth0/address)" "$MAC"
	lacks_link dev0 host
	reach c1 10.80.0.1
	reach c1 fd80::1
	net_ok check c1
	contains "$(net_ok list && echo "$output")" 10.80.0.7
	net_ok del --id c1
	lacks_link eth0 inside c1
	is_back
	net_ok del --id c1
	nothing_left
}

@test "with subnets it has an address of the pool" {
	net_ok network create wire --driver host-device --interface dev0 --subnet 10.80.0.0/24 \
		--gateway 10.80.0.1 --mtu 1300
	add c1 --network wire --ip 10.80.0.20 --link net0
	is "$(link_at net0 inside c1)" "up 1300 10.80.0.20/24"
	contains "$(inside c1 ip route show default)" "via 10.80.0.1 dev net0"
	reach c1 10.80.0.1
	net_ok del --id c1
	lacks_link net0 inside c1
	host ip link show dev0
	nothing_left
}

@test "one container has it, and the next gets it afterwards" {
	net_ok network create wire --driver host-device --interface dev0
	add c1 --network wire
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network wire
	contains "$stderr" '"dev0"'
	is "$(link_at eth0 inside c1)" "up 1400 10.80.0.7/24 fd80::7/64"
	net_ok del --id c1
	net_ok add --id c2 --netns /run/netns/c2 --network wire
	reach c2 10.80.0.1
	net_ok del --id c2
	is_back
	nothing_left
}

@test "a name that the container has is refused, and the device stays" {
	net_ok network create wire --driver host-device --interface dev0
	container c1
	inside c1 ip link add eth0 type veth peer name other
	net_fails add --id c1 --netns /run/netns/c1 --network wire
	contains "$stderr" 'the container has a link "eth0" already'
	is_back
	nothing_left
}

@test "a container that is gone took its device along" {
	net_ok network create wire --driver host-device --interface dev0
	add c1 --network wire
	host ip netns delete c1
	# No hardware: the kernel ends it with the namespace.
	wait_for 10 lacks_link eth0 inside far
	net_ok gc
	nothing_left
	make_device
	add c2 --network wire
	net_ok del --id c2
	is_back
	nothing_left
}

@test "what this driver cannot do is refused" {
	net_ok network create wire --driver host-device --interface dev0
	container c1
	net_fails add --id c1 --netns /run/netns/c1 --network wire --publish 8080:80
	net_fails add --id c1 --netns /run/netns/c1 --network wire --mac 02:11:22:33:44:55
	net_fails add --id c1 --netns /run/netns/c1 --network wire --bandwidth 10mbit
	net_fails add --id c1 --netns /run/netns/c1 --network wire --ip 10.80.0.9
	is_back
	nothing_left
}

# Killed at any system call add leaves a device that is here, or that gc brings back.
@test "add killed at every third system call" {
	local call n args=(add --id c1 --netns /run/netns/c1 --network wire)

	command -v strace >/dev/null || skip "needs strace"
	net_ok network create wire --driver host-device --interface dev0
	container c1
	host strace -q -o "$T/trace" "$BERTH_NET" --root "$ROOT" "${args[@]}" </dev/null
	net_ok del --id c1
	is_back
	while read -r call n; do
		host strace -q -o /dev/null -e "trace=$call" \
			-e "inject=$call:signal=SIGKILL:when=$n" \
			"$BERTH_NET" --root "$ROOT" "${args[@]}" </dev/null >/dev/null 2>&1 || true
		net_ok gc
		net_ok --json list
		if [[ $(jq length <<<"$output") != 0 ]]; then
			net_ok check c1
			net_ok del --id c1
		fi
		lacks_link eth0 inside c1
		is_back || fail "after $call $n"
		nothing_left || fail "after $call $n"
	done < <(sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" | awk '{ print $1, ++seen[$1] }' |
		awk 'NR % 3 == 2')
}
