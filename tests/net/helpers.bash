# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by all bats suites that drive berth-net.
#
# Each test has a host of its own: a network and a mount namespace, held by a process, with a
# forwarding kernel, and a directory T. `host COMMAND` runs there. Containers are network namespaces
# that `container NAME` makes; `outside` is a neighbour of the host, at 192.0.2.2 and 2001:db8::2
# (the host is .1 and ::1). Nothing touches the machine's own network.
#
# Environment: BERTH the runtime (default: the release build of this tree), BERTH_NET (default: the
# one beside it).

NET_TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(cd "$NET_TESTS_DIR/../.." && pwd)
BERTH=${BERTH:-$PROJECT_DIR/build/release/berth}
BERTH_NET=${BERTH_NET:-${BERTH%/*}/berth-net}
NET_TIMEOUT=${NET_TIMEOUT:-60}
# shellcheck source=tests/assert.bash
. "$PROJECT_DIR/tests/assert.bash"

setup() {
	net_setup
}

teardown() {
	net_teardown
}

# Skips where the machine cannot give a test its own network.
requires_net() {
	[[ $EUID -eq 0 ]] || skip "needs root"
	unshare -n nft list ruleset >/dev/null 2>&1 || skip "needs nftables"
}

# For files with a setup() of their own.
net_setup() {
	requires_net
	umask 022
	T=$BATS_TEST_TMPDIR
	ROOT=$T/net
	export BERTH_TEST=nt-$$-$BATS_SUITE_TEST_NUMBER
	cd "$T" || return 1
	new_host || return 1
	host ip link set lo up
	host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# The process that holds the namespaces; it dies with the test.
new_host() {
	mkfifo "$T/held"
	# Every descriptor of bats would keep it waiting.
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -nm --propagation private sh -c '
		mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && mount -t sysfs sysfs /sys
		echo ready >"$1"
		exec sleep 100000' sh "$T/held" </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- &
	HOST_PID=$!
	read -r _ <"$T/held"
	kill -0 "$HOST_PID"
}

net_teardown() {
	local problems

	cd / || return 1
	[[ -n ${HOST_PID:-} ]] || return 0
	problems=$(check_processes)
	kill -9 "$HOST_PID" 2>/dev/null
	wait "$HOST_PID" 2>/dev/null || true
	[[ -z $problems ]] || fail "left behind: $problems"
}

# Runs a command on the test's host.
host() {
	nsenter -t "$HOST_PID" -n -m -- "$@"
}

# Runs berth-net there; sets `status`, `output`, `stderr`.
net() {
	status=0
	host timeout -k 5 "$NET_TIMEOUT" "$BERTH_NET" --root "$ROOT" "$@" \
		>"$T/stdout" 2>"$T/stderr" <"${STDIN:-/dev/null}" || status=$?
	read_file output "$T/stdout"
	read_file stderr "$T/stderr"
}

# The same, and it must succeed, and say nothing on standard error.
net_ok() {
	net "$@"
	[[ $status -eq 0 ]] || fail "berth-net $*: status $status"
	[[ -z $stderr ]] || fail "berth-net $*: unexpected words"
}

# The same, and it must fail with one line.
net_fails() {
	net "$@"
	[[ $status -eq 1 ]] || fail "berth-net $*: status $status, not 1"
	[[ -n $stderr && $stderr != *$'\n'* ]] || fail "berth-net $*: not one line"
}

# A container: a network namespace by name.
container() {
	host ip netns add "$1"
}

# Runs a command in a container's network namespace.
inside() {
	local name=$1

	shift
	host ip netns exec "$name" "$@"
}

# add NAME [OPTION…]: a container with a link.
add() {
	local name=$1

	shift
	container "$name"
	net_ok add --id "$name" --netns "/run/netns/$name" "$@"
}

# address NAME [4|6]: the container's address, without the prefix.
address() {
	inside "$1" ip -j -"${2:-4}" address show dev "${3:-eth0}" scope global |
		jq -r '[.[].addr_info[]?.local][0]'
}

# reach NAME ADDRESS: an echo request from a container is answered.
reach() {
	inside "$1" busybox ping -c 1 -W 2 "$2" >/dev/null || fail "$1 does not reach $2"
}

# The neighbour of the host.
outside_begin() {
	host ip netns add outside
	host ip link add out0 type veth peer name eth0 netns outside
	host ip address add 192.0.2.1/24 dev out0
	host ip address add 2001:db8::1/64 dev out0 nodad
	host ip link set out0 up
	inside outside ip link set lo up
	inside outside ip address add 192.0.2.2/24 dev eth0
	inside outside ip address add 2001:db8::2/64 dev eth0 nodad
	inside outside ip link set eth0 up
	inside outside ip route add default via 192.0.2.1
	inside outside ip -6 route add default via 2001:db8::1
}

# serve NAME PORT [WORDS]: a web server in a container (or "host"), whose page has the words.
serve() {
	local name=$1 port=$2 words=${3:-page of $1}
	local where=(inside "$name")

	[[ $name != host ]] || where=(host)
	mkdir -p "$T/www-$name-$port"
	printf '%s\n' "$words" >"$T/www-$name-$port/index.html"
	"${where[@]}" python3 "$NET_TESTS_DIR/lab/serve.py" "$port" "$T/www-$name-$port" \
		</dev/null >"$T/serve-$name-$port" 2>&1 3>&- 4>&- 5>&- &
	SERVERS+=($!)
	wait_for 10 grep -q ready "$T/serve-$name-$port"
}

# fetch NAME URL: what curl says in a container (or "host").
fetch() {
	local name=$1

	shift
	if [[ $name == host ]]; then
		host curl -gsS -m 5 "$@"
	else
		inside "$name" curl -gsS -m 5 "$@"
	fi
}

# Ends what serve() began.
servers_end() {
	local pid

	for pid in "${SERVERS[@]}"; do
		pkill -9 -P "$pid" 2>/dev/null || true
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	SERVERS=()
}

# Processes of the test that are neither its host nor a server.
check_processes() {
	local file pid

	servers_end >/dev/null 2>&1
	for file in /proc/[0-9]*/environ; do
		pid=${file#/proc/} pid=${pid%/environ}
		[[ $pid != "$HOST_PID" && $pid != "$$" && $pid != "$BASHPID" ]] || continue
		[[ $(readlink "/proc/$pid/ns/net" 2>/dev/null) == "$(readlink "/proc/$HOST_PID/ns/net")" ]] ||
			continue
		echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
	done
}

# Nothing of berth-net is left on the host: no link, no rule, no lease, no address.
nothing_left() {
	local links leases

	links=$(host ip -o link show | grep -E 'bth|br-|berth' || true)
	[[ -z $links ]] || fail "links left: $links"
	lacks "$(host nft list ruleset)" "table inet berth"
	leases=$(find "$ROOT/leases" "$ROOT/addresses" \( -type f -o -type l \) ! -name '.*' 2>/dev/null)
	[[ -z $leases ]] || fail "leases left: $leases"
}
