#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How containers find each other by name, and servers that find others: /etc/hosts, /etc/resolv.conf.

load helpers

# look_up CONTAINER NAME: the addresses that the container has for the name, from its hosts file.
look_up() {
	# shellcheck disable=SC2016 # the inner shell expands it
	host unshare -m sh -c 'mount --bind "$1" /etc/hosts && getent ahosts "$2" | cut -d" " -f1 | sort -u' \
		sh "$ROOT/hosts/${3:-bridge}" "$2"
}

@test "containers find each other by id and name, those that come later, too" {
	local mounted

	net_ok network prepare bridge
	# As a container that has mounted the file before the others came.
	# shellcheck disable=SC2016 # the inner shell expands it
	host unshare -m sh -c 'mount --bind "$1" /etc/hosts; echo mounted; exec sleep 1000' sh \
		"$ROOT/hosts/bridge" >"$T/mounted" </dev/null 3>&- 4>&- 5>&- &
	mounted=$!
	SERVERS+=("$mounted")
	wait_for 10 grep -q mounted "$T/mounted"

	add c1 --network bridge --names web
	add c2 --network bridge --names db --names db.example.org
	is "$(look_up c1 db | paste -sd' ')" "$(address c2) $(address c2 6)"
	is "$(look_up c1 DB.example.org | head -1)" "$(address c2)"
	is "$(look_up c2 c1 | head -1)" "$(address c1)"
	contains "$(cat "$(own_mount /etc/hosts)")" "$(address c2) c2 db db.example.org"
	net_ok del --id c2
	is "$(look_up c1 db)" ""
	is "$(look_up c1 web | head -1)" "$(address c1)"
	lacks "$(cat "$(own_mount /etc/hosts)")" db
	net_ok del --id c1
	is "$(grep -c . "$ROOT/hosts/bridge")" 2
	nothing_left
}

# The path by which a file is seen that the process in the background has mounted.
own_mount() {
	local pid

	pid=$(pgrep -f -n "sleep 1000" -P "$mounted" || echo "$mounted")
	echo "/proc/$pid/root$1"
}

@test "nobody takes the name of another, or of the host" {
	add c1 --network bridge --names db
	add c2 --network bridge --names DB --names c1 --names own
	is "$(look_up c1 db | head -1)" "$(address c1)"
	is "$(look_up c1 c1 | head -1)" "$(address c1)"
	is "$(look_up c1 own | head -1)" "$(address c2)"
	container c3
	net_fails add --id c3 --netns /run/netns/c3 --network bridge --names localhost
	contains "$stderr" '--names "localhost"'
	# Who is called as the host has no line.
	container localhost
	net_ok add --id localhost --netns /run/netns/localhost --network bridge
	lacks "$(cat "$ROOT/hosts/bridge")" "$(address localhost)"
	net_ok del --id localhost
	net_ok del --id c2
	net_ok del --id c1
	nothing_left
}

@test "networks have files of their own" {
	net_ok network create web
	add c1 --network bridge --names one
	add c2 --network web --names two
	is "$(look_up c1 two)" ""
	is "$(look_up c2 two web | head -1)" "$(address c2)"
	is "$(look_up c2 one web)" ""
	net_ok del --id c1
	net_ok del --id c2
	nothing_left
}

@test "another boot finds no lease, and the hosts file at its place" {
	local inode

	add c1 --network bridge --names db
	inode=$(stat -c %i "$ROOT/hosts/bridge")
	echo 00000000-0000-0000-0000-000000000000 >"$ROOT/boot"
	net_ok --json list
	is "$(jq length <<<"$output")" 0
	net_ok network prepare bridge
	is "$(stat -c %i "$ROOT/hosts/bridge")" "$inode"
	lacks "$(cat "$ROOT/hosts/bridge")" db
	is "$(find "$ROOT/leases" "$ROOT/addresses" -mindepth 1)" ""
	is "$(cat "$ROOT/boot")" "$(cat /proc/sys/kernel/random/boot_id)"
}

@test "reload writes the hosts file again, in place" {
	local inode

	add c1 --network bridge --names db
	inode=$(stat -c %i "$ROOT/hosts/bridge")
	echo garbage >"$ROOT/hosts/bridge"
	net_ok reload
	is "$(stat -c %i "$ROOT/hosts/bridge")" "$inode"
	is "$(look_up c1 db | head -1)" "$(address c1)"
	net_ok del --id c1
	nothing_left
}

@test "resolv.conf is written in place, beneath the bundle" {
	local inode

	mkdir -p "$T/bundle/etc"
	printf '%5000s' x >"$T/bundle/etc/resolv.conf"
	inode=$(stat -c %i "$T/bundle/etc/resolv.conf")
	add c1 --network bridge --bundle "$T/bundle" --resolv-conf etc/resolv.conf \
		--dns 192.0.2.53 --dns 2001:db8::53
	is "$(grep nameserver "$T/bundle/etc/resolv.conf")" "nameserver 192.0.2.53
nameserver 2001:db8::53"
	is "$(stat -c %i "$T/bundle/etc/resolv.conf")" "$inode"
	net_ok del --id c1
	nothing_left
}

@test "without --dns the servers are the host's, systemd-resolved's upstream ones included" {
	mkdir -p "$T/bundle" "$T/run"
	touch "$T/bundle/resolv.conf"
	printf 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n' >"$T/stub"
	printf 'nameserver 192.0.2.1\nnameserver fe80::1%%eth0\n' >"$T/run/resolv.conf"
	host mount --bind "$T/stub" "$(readlink -f /etc/resolv.conf)"
	host sh -c 'mkdir -p /run/systemd/resolve' || skip "no directory /run/systemd/resolve"
	host mount --bind "$T/run" /run/systemd/resolve
	add c1 --network bridge --bundle "$T/bundle" --resolv-conf resolv.conf
	is "$(grep -v '^#' "$T/bundle/resolv.conf")" "nameserver 192.0.2.1
search lan
options edns0"
	net_ok del --id c1
}

@test "a resolv.conf that is a link, a second name or no file is refused, and nothing is made" {
	local name

	mkdir -p "$T/bundle/dir"
	echo victim >"$T/victim"
	ln -s ../victim "$T/bundle/link"
	ln -s .. "$T/bundle/up"
	ln "$T/victim" "$T/bundle/hard"
	mkfifo "$T/bundle/fifo"
	container c1
	for name in link hard fifo dir missing up/victim; do
		net_fails add --id c1 --netns /run/netns/c1 --network bridge \
			--bundle "$T/bundle" --resolv-conf "$name"
		contains "$stderr" "$T/bundle"
	done
	is "$(cat "$T/victim")" victim
	nothing_left
}
