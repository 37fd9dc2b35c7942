#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The nftables table: what stands in it when, and what stays as it is.

load helpers
load firewall

@test "the number of rules is the same for 1, 10 and 100 containers" {
	local rules i

	add c1 --network bridge --publish 8001:80
	rules=$(rule_count)
	[[ $rules -gt 10 ]]
	for ((i = 2; i <= 10; i++)); do
		add "c$i" --network bridge --publish "$((8000 + i)):80"
	done
	is "$(rule_count)" "$rules"
	network other "10.44.0.0/16 fd44::/64"
	for ((i = 11; i <= 100; i++)); do
		add "c$i" --network "bridge:other" --publish "$((8000 + i)):80/udp"
	done
	is "$(rule_count)" "$rules"
	contains "$(host nft list map inet berth published_any4)" "udp . 8100 : 10.44."
	contains "$(host nft list map inet berth published_any6)" "udp . 8100 : fd44::"
}

@test "the table goes with the last container of all networks, and no sooner" {
	network other "10.44.0.0/16"
	add c1 --network bridge
	add c2 --network bridge:other --publish 8080:80
	net_ok del --id c2
	lacks "$(host nft list set inet berth bridges)" other
	contains "$(host nft list set inet berth bridges)" berth0
	lacks "$(host nft list ruleset)" 8080
	net_ok del --id c1
	is "$(host nft list ruleset)" ""
	nothing_left
}

@test "ports go with their container, those of others stay" {
	add c1 --network bridge --publish 8080:80 --publish 127.0.0.1:53:53/udp
	add c2 --network bridge --publish 8081:80
	net_ok del --id c1
	contains "$(host nft list map inet berth published_any4)" "tcp . 8081"
	lacks "$(host nft list ruleset)" "8080"
	lacks "$(host nft list ruleset)" "udp . 53"
	net_ok check c2
}

@test "a port that another container has is refused by its name, and nothing is changed" {
	local before

	add c1 --network bridge --publish 8080:80
	before=$(host nft list ruleset)
	container c2
	net_fails add --id c2 --netns /run/netns/c2 --network bridge --publish 8079-8081:79-81
	contains "$stderr" "c1"
	is "$(host nft list ruleset)" "$before"
	net_ok check c1
	net_ok list
	lacks "$output" c2
}

@test "reload makes again what a flush of the ruleset took" {
	local before

	network other "10.44.0.0/16" '"internal": true'
	add c1 --network bridge --publish 8080:80 --publish '[::]:53:53/udp'
	add c2 --network bridge:other
	before=$(host nft list ruleset)
	host nft flush ruleset
	net_fails check c1
	net_ok reload
	net_ok check
	is "$(host nft list ruleset | sort)" "$(sort <<<"$before")"
	# And what stands in the table that nobody stands for is gone.
	host nft add element inet berth bridges '{ foreign }'
	host nft add rule inet berth forward drop
	net_ok reload
	is "$(host nft list ruleset | sort)" "$(sort <<<"$before")"
}

@test "an add after a flush brings the ports of the others back" {
	add c1 --network bridge --publish 8080:80
	host nft flush ruleset
	add c2 --network bridge --publish 8081:80
	net_ok check c1
	net_ok check c2
}

@test "an add brings rules back that somebody removed" {
	local before

	add c1 --network bridge --publish 8080:80
	before=$(host nft list ruleset | grep -v elements)
	host nft flush chain inet berth forward
	net_fails check c1
	contains "$stderr" 'rules of'
	add c2 --network bridge
	net_ok check
	is "$(host nft list ruleset | grep -v elements)" "$before"
	host nft flush chain inet berth guard
	host nft delete chain inet berth guard
	add c3 --network bridge
	net_ok check
}

@test "a del after a flush says nothing" {
	add c1 --network bridge --publish 8080:80
	add c2 --network bridge
	host nft flush ruleset
	net_ok del --id c1
	net_ok del --id c2
	nothing_left
}

@test "tables of others stay as they are" {
	local before

	host nft -f - <<-'END'
		table inet mine {
			chain input { type filter hook input priority 0; policy drop;
				ct state established,related accept
				tcp dport 22 accept
			}
		}
		table ip berth {
			chain c { type nat hook prerouting priority -100; policy accept;
				tcp dport 9 redirect to :10
			}
		}
	END
	before=$(host nft list ruleset)
	add c1 --network bridge --publish 8080:80
	net_ok reload
	contains "$(host nft list ruleset)" "$before"
	net_ok del --id c1
	is "$(host nft list ruleset)" "$before"
}

@test "as many ports as a container may publish come and go" {
	add c1 --network bridge
	add c2 --network bridge --publish 20000-36383:20000-36383
	contains "$(host nft list map inet berth published_any4)" "tcp . 36383"
	net_ok check c2
	host nft flush ruleset
	net_ok reload
	net_ok check c2
	net_ok del --id c2
	lacks "$(host nft list map inet berth published_any6)" "tcp"
}

@test "what nft prints of the table it reads again" {
	local before

	add c1 --network bridge --publish 127.0.0.1:8080:80 --publish '[::]:53:53/udp'
	before=$(host nft list ruleset)
	host nft flush ruleset
	host nft -f - <<<"$before"
	is "$(host nft list ruleset)" "$before"
	net_ok check
}
