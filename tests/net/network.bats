#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Definitions of networks: made, listed, shown, removed; what bundles ask of them.

load helpers

@test "the default network is there without a definition" {
	net_ok --json network list
	is "$(jq -c '[.[].name]' <<<"$output")" '["bridge"]'
	is "$(jq -r '.[0].link' <<<"$output")" berth0
	# Looking makes nothing.
	[[ ! -e $ROOT ]]
	net_fails network remove bridge
	contains "$stderr" "has no definition, and needs none"
}

@test "a network has what was asked for" {
	net_ok --json network create web --subnet 10.50.0.0/24 --subnet fd50::/64 \
		--gateway 10.50.0.254 --range 10.50.0.10-10.50.0.20 --mtu 1400 --internal \
		--no-isolation --no-masquerade --interface br-mine
	is "$(jq -c . <<<"$output")" '{"name":"web","driver":"bridge","link":"br-mine","subnets":[{"subnet":"10.50.0.0/24","gateway":"10.50.0.254","first":"10.50.0.10","last":"10.50.0.20"},{"subnet":"fd50::/64","gateway":"fd50::1","first":"fd50::1","last":"fd50::ffff:ffff:ffff:ffff"}],"mtu":1400,"internal":true,"isolation":false,"masquerade":false}'
	local shown=$output
	net_ok --json network show web
	is "$output" "$shown"
	net_ok network show web
	contains "$output" "10.50.0.0/24, gateway 10.50.0.254, pool 10.50.0.10 to 10.50.0.20"
	contains "$output" "without masquerading"
	net_ok network remove web
	net_fails network show web
	contains "$stderr" "there is no network \"web\""
}

@test "what is left to berth-net is free" {
	host ip link add up0 type veth peer name up1
	host ip link set up0 up
	host ip address add 10.188.1.77/23 dev up0
	net_ok --json network create one
	is "$(jq -r '.subnets[0].subnet' <<<"$output")" 10.188.2.0/24
	is "$(jq -r .link <<<"$output")" br-one
	net_ok --json network create two-with-a-long-name
	is "$(jq -r '.subnets[0].subnet' <<<"$output")" 10.188.3.0/24
	contains "$(jq -r '.subnets[1].subnet' <<<"$output")" /64
	[[ $(jq -r .link <<<"$output") =~ ^br-[0-9a-f]{12}$ ]]
}

@test "networks of all drivers are listed by name" {
	net_ok network create z --driver macvlan --interface up0 --mode private --subnet 10.60.0.0/24
	net_ok network create y --driver ipvlan --interface up0 --mode l3s
	net_ok network create x --driver host-device --interface up7
	net_ok network list
	is "$(awk 'NR > 1 { print $1, $2, $3, $4 }' <<<"$output")" "bridge bridge berth0 10.187.0.0/16,fd5b:e774:9c01::/64
x host-device up7 -
y ipvlan up0 -
z macvlan up0 10.60.0.0/24"
	net_ok network remove x y z
	net_ok --json network list
	is "$(jq length <<<"$output")" 1
}

@test "what another network has, what is wrong and what has no meaning is refused" {
	local words text

	net_ok network create web --subnet 10.50.0.0/24
	while IFS='|' read -r words text; do
		# shellcheck disable=SC2086 # words
		net_fails network $words
		contains "$stderr" "$text"
	done <<-'END'
		create web|there is a network "web" already
		create db --subnet 10.50.0.128/25|network "web" has subnet 10.50.0.0/24
		create db --subnet 10.51.0.0/24 --interface br-web|network "web" has link "br-web"
		create db --subnet 10.51.0.1/24|the network is 10.51.0.0/24
		create db --subnet 10.51.0.0/33|--subnet: "10.51.0.0/33"
		create db --subnet 127.0.0.0/8|loopback
		create db --subnet 10.51.0.0/24 --gateway 10.52.0.1|--gateway: 10.52.0.1 is in no subnet
		create db --subnet 10.51.0.0/24 --gateway x|--gateway: "x" is no address
		create db --subnet 10.51.0.0/24 --gateway 10.51.0.1 --gateway 10.51.0.2|second one
		create db --subnet 10.51.0.0/24 --range 10.51.0.9|"10.51.0.9" is no FIRST-LAST
		create db --subnet 10.51.0.0/24 --range 10.51.0.9-10.51.0.8|ends before it begins
		create db --subnet 10.51.0.0/24 --range 10.51.0.9-10.52.0.8|is in no subnet
		create db --subnet 10.51.0.0/24 --range 10.51.0.9-10.51.0.9 --range 10.51.0.8-10.51.0.8|second one
		create db --driver bond|there is no driver "bond"
		create db --driver macvlan|--interface is needed
		create db --driver macvlan --interface up0 --mode l2|has no mode "l2"
		create db --driver macvlan --interface up0 --internal|no choice of "internal"
		create db --mtu 20|mtu 20
		create db --interface lo|"lo"
		create db --interface a/b|"a/b"
		create ../db|network "../db"
		create none|means something else
		create db web|too many names
		create|the name of a network is missing
		create db --publish 80:80|--publish has no meaning here
		list --subnet 10.51.0.0/24|--subnet has no meaning here
		prepare web --network web|named without --network
		prepare nothing|there is no network "nothing"
		prepare macvlan:web|is of driver "bridge", not "macvlan"
		prepare web --publish 80|"80" is not of the form
		prepare web --ip 10.51.0.7|in no subnet
		prepare host --publish 80:80|cannot be had with network "host"
		remove nothing|there is no network "nothing"
		frobnicate|there is no "frobnicate"
	END
	net_ok --json network list
	is "$(jq length <<<"$output")" 2
}

@test "prepare prints the hosts file, whose inode stays" {
	local inode

	net_ok network prepare bridge
	is "$output" "$ROOT/hosts/bridge"
	contains "$(cat "$output")" "127.0.0.1 localhost"
	inode=$(stat -c %i "$output")
	net_ok network create web
	# As berth-pull asks for it.
	net_ok network --publish=80:80 --ip=10.187.0.9 --dns=1.1.1.1 --names=www -- prepare bridge
	is "$output" "$ROOT/hosts/bridge"
	is "$(stat -c %i "$output")" "$inode"
	net_ok --json network prepare bridge:web
	is "$(jq -r .hosts <<<"$output")" "$ROOT/hosts/web"
	net_ok network prepare pasta
	is "$output" ""
	net_ok network remove web
	[[ ! -e $ROOT/hosts/web ]]
}

@test "a network whose definition is damaged is named" {
	net_ok network create web
	echo '{' >"$ROOT/networks/web.json"
	net_fails network show web
	contains "$stderr" "networks/web.json"
	net_fails network list
	contains "$stderr" "networks/web.json"
	echo '{"name": "web", "driver": "macvlan", "link": "up0", "vlan": 7}' >"$ROOT/networks/web.json"
	net_fails network show web
	contains "$stderr" 'unknown member "vlan"'
	net_ok network remove web
	net_ok network list
}

@test "a store that others may write to is no store" {
	mkdir -m 0777 "$ROOT"
	net_fails network create web
	contains "$stderr" "other users may write"
}
