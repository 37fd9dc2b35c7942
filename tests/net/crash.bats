#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL to berth-net at any system call: what remains, gc removes completely.
#
# A first run under strace lists the program's own system calls; then it is run once for each of
# them, with the signal at its entry, before the call is made. KILL_STEP=N takes every Nth only.

load helpers

# A build with sanitizers cannot look for leaks while it is traced.
export ASAN_OPTIONS=detect_leaks=0

traced() {
	host strace -q "$@"
}

# Lists the system calls of a berth-net command in the file calls: name and number of occurrence.
list_calls() {
	command -v strace >/dev/null || skip "needs strace"
	traced -o "$T/trace" "$BERTH_NET" --root "$ROOT" "$@" </dev/null >"$T/out.listed" 2>&1 ||
		fail "under strace: $(<"$T/out.listed")"
	# Not the execve by which strace starts it.
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" | awk '{ print $1, ++seen[$1] }' |
		sed 1d >"$T/calls"
	(($(wc -l <"$T/calls") > 20)) || fail "a short list of system calls"
}

# The entries $1, $1 + $2, ... of the list.
some_calls() {
	awk -v first="$1" -v step="$(($2 * ${KILL_STEP:-1}))" \
		'NR >= first && (NR - first) % step == 0' "$T/calls"
}

# Runs berth-net with KILL at the entry of the $2nd call of $1.
killed_at() {
	local call=$1 n=$2 status=0

	shift 2
	traced -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
		"$BERTH_NET" --root "$ROOT" "$@" </dev/null >"$T/out.killed" 2>&1 || status=$?
	((status == 0 || status == 137)) ||
		fail "killed at $call $n: exit status $status: $(<"$T/out.killed")"
	tried=$((${tried:-0} + 1))
	((status == 0)) || killed=$((${killed:-0} + 1))
}

# Most of the calls of the list must have been met.
enough_killed() {
	((killed * 10 >= tried * 9)) || fail "killed at $killed of $tried calls only"
}

# What a kill left is removed by gc, also where the container still lives.
clean_up_after() {
	net gc
	[[ $status -eq 0 ]] || fail "after $1: gc fails"
	[[ ${2:-} == living ]] || nothing_left || fail "after $1"
}

# Kills add at the calls $1, $1 + $2, ... of its list. A killed add that was complete belongs to a
# container that lives: then it is del that must remove it.
kill_add() {
	local call n args=(add --id c1 --netns /run/netns/c1 --network bridge --publish 8080-8082:80-82)

	container c1
	# The first run makes the store as well.
	net_ok "${args[@]}"
	net_ok del --id c1
	list_calls "${args[@]}"
	net_ok check c1
	net_ok del --id c1
	nothing_left
	while read -r call n; do
		killed_at "$call" "$n" "${args[@]}"
		clean_up_after "add, $call $n" living
		net_ok list --json
		if [[ $(jq length <<<"$output") != 0 ]]; then
			net_ok check c1
			net_ok del --id c1
		fi
		nothing_left || fail "after add, $call $n"
		inside c1 ip link show eth0 >/dev/null 2>&1 && fail "after add, $call $n: eth0 is left"
	done < <(some_calls "$1" "$2")
	enough_killed
}

@test "add killed at every odd system call" {
	kill_add 1 2
}

@test "add killed at every even system call" {
	kill_add 2 2
}

# Kills del at the calls $1, $1 + $2, ... of its list; the container is gone, as it is in poststop.
kill_del() {
	local call n

	add c1 --network bridge --publish 8080-8082:80-82
	list_calls del --id c1
	nothing_left
	while read -r call n; do
		net_ok add --id c1 --netns /run/netns/c1 --network bridge --publish 8080-8082:80-82
		killed_at "$call" "$n" del --id c1
		# del again is what an engine does; gc where nobody does.
		if ((n % 2)); then
			net_ok del --id c1
		else
			host ip netns delete c1
			clean_up_after "del, $call $n"
			container c1
		fi
		nothing_left || fail "after del, $call $n"
	done < <(some_calls "$1" "$2")
	enough_killed
}

@test "del killed at every odd system call" {
	kill_del 1 2
}

@test "del killed at every even system call" {
	kill_del 2 2
}

@test "gc killed at every system call" {
	local call n

	add c1 --network bridge --publish 8080:80
	host ip netns delete c1
	list_calls gc
	nothing_left
	while read -r call n; do
		add c1 --network bridge --publish 8080:80
		host ip netns delete c1
		killed_at "$call" "$n" gc
		clean_up_after "gc, $call $n"
	done < <(some_calls 1 2)
	enough_killed
}

# What a kill left in the store is no more than what gc removes.
store_is_clean() {
	net_ok gc
	is "$(find "$ROOT" -name '.*.new')" "" || fail "after $1"
	net_ok network list
}

@test "making a store and a network killed at every system call" {
	local call n

	list_calls network create web
	while read -r call n; do
		rm -rf "$ROOT"
		killed_at "$call" "$n" network create web
		store_is_clean "create, $call $n"
		[[ -e $ROOT/networks/web.json ]] || net_ok network create web
		net_ok network show web
	done < <(some_calls 1 1)
	enough_killed
}

@test "network remove killed at every system call" {
	local call n

	net_ok network create web
	net_ok network prepare web
	list_calls network remove web
	while read -r call n; do
		[[ -e $ROOT/networks/web.json ]] || net_ok network create web
		net_ok network prepare web
		killed_at "$call" "$n" network remove web
		store_is_clean "remove, $call $n"
		net network remove web
		is "$(find "$ROOT/networks" "$ROOT/hosts" -type f)" "" || fail "after remove, $call $n"
	done < <(some_calls 1 1)
	enough_killed
}

@test "the first command after a boot killed at every system call" {
	local call n

	add c1 --network bridge
	add c2 --network bridge
	cp -a "$ROOT" "$T/kept"
	net_ok del --id c1
	net_ok del --id c2
	echo another >"$T/kept/boot"
	rm -rf "$ROOT" && cp -a "$T/kept" "$ROOT"
	list_calls network prepare bridge
	while read -r call n; do
		rm -rf "$ROOT" && cp -a "$T/kept" "$ROOT"
		killed_at "$call" "$n" network prepare bridge
		net_ok --json list
		is "$(jq length <<<"$output")" 0 || fail "after the boot, $call $n"
		store_is_clean "the boot, $call $n"
		is "$(grep -c . "$ROOT/hosts/bridge")" 2 || fail "after the boot, $call $n"
		nothing_left || fail "after the boot, $call $n"
	done < <(some_calls 1 1)
	enough_killed
}
