#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of ordinary users: pasta and slirp4netns, by hooks and by hand.
#
# The user 1000 is there for the test only, as in tests/pull. The host has a neighbour (192.0.2.2)
# through which it reaches everything; pasta takes addresses and routes of the host over.

load helpers

# A build with sanitizers cannot look for leaks while it is traced.
export ASAN_OPTIONS=detect_leaks=0
load ../pull/user

setup() {
	net_setup
	ID=$BERTH_TEST
	make_users
	ROOT=$T/run/berth-net
	CALLS=0
	outside_begin
	host ip route add default via 192.0.2.2
	host mkdir -p /dev/net
	host mount -t tmpfs tmpfs /dev/net
	host mknod -m 666 /dev/net/tun c 10 200
}

# A test that failed must not leave its programs to the machine.
teardown() {
	local pid

	for pid in $(programs); do
		kill -9 "$pid"
	done
	net_teardown
}

needs() {
	command -v "$1" >/dev/null || skip "needs $1"
}

# Runs a command as the user on the test's host; sets status, output and stderr.
as_user_here() {
	CALLS=$((CALLS + 1))
	status=0
	# shellcheck disable=SC2016 # the inner shell expands it
	host unshare -m --propagation private bash -c '
		for file in passwd subuid subgid; do
			mount --bind "$1/etc/$file" "/etc/$file" || exit 99
		done
		cd "$1/user" || exit 99
		exec setpriv --reuid 1000 --regid 1000 --clear-groups env -i "PATH=$PATH" \
			"HOME=$1/user" "XDG_RUNTIME_DIR=$1/run" "BERTH_TEST=$2" \
			"ASAN_OPTIONS=$ASAN_OPTIONS" "${@:3}"' _ "$T" "$ID" \
		timeout -k 2 "$NET_TIMEOUT" "$@" </dev/null >"$T/out.$CALLS" 2>"$T/err.$CALLS" \
		3>&- 4>&- 5>&- || status=$?
	read_file output "$T/out.$CALLS"
	read_file stderr "$T/err.$CALLS"
}

user_ok() {
	as_user_here "$@"
	[[ $status -eq 0 ]] || fail "$*: status $status"
}

user_fails() {
	as_user_here "$@"
	[[ $status -eq 1 ]] || fail "$*: status $status, not 1"
	[[ -n $stderr && $stderr != *$'\n'* ]] || fail "$*: not one line"
}

# A process in namespaces of the user's own, as a container's init: sets PID.
user_container() {
	mkfifo "$T/user/pid"
	chown 1000:1000 "$T/user/pid"
	# shellcheck disable=SC2016 # the inner shell expands it
	host setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urn sh -c '
		echo $$ >"$1"; exec sleep 100000' sh "$T/user/pid" </dev/null >/dev/null 2>&1 \
		3>&- 4>&- 5>&- &
	read -r PID <"$T/user/pid"
	rm "$T/user/pid"
}

inside_user() {
	nsenter --preserve-credentials -t "$PID" -U -n -- "$@"
}

# A bundle of the user's, by hand, whose container serves a page at port 80, and says first what it
# could fetch from the neighbour. bundle NETWORK [ANNOTATIONS]
bundle() {
	local directory=$T/user/bundle

	mkdir -p "$directory/rootfs/bin" "$directory/rootfs/www" "$directory/rootfs/proc" \
		"$directory/rootfs/dev" "$directory/rootfs/sys" "$directory/rootfs/etc"
	cp "$(command -v busybox)" "$directory/rootfs/bin/busybox"
	ln -s busybox "$directory/rootfs/bin/sh"
	echo "page of a user" >"$directory/rootfs/www/index.html"
	: >"$directory/rootfs/etc/resolv.conf"
	: >"$directory/resolv.conf"
	(cd "$directory" && "$BERTH" spec --rootless)
	jq --arg net "$BERTH_NET" --arg root "$ROOT" --arg path "PATH=$PATH" --arg network "$1" \
		--argjson more "${2:-{\}}" '.process.terminal = false | .root.readonly = false |
		.process.args = ["/bin/sh", "-c", "while ! busybox wget -q -O /fetched http://192.0.2.2:9000/; do :; done; exec busybox httpd -f -p 80 -h /www"] |
		.mounts += [{destination: "/etc/resolv.conf", type: "none", source: "resolv.conf",
			options: ["bind", "ro"]}] |
		.linux.uidMappings[0].hostID = 1000 | .linux.gidMappings[0].hostID = 1000 |
		.linux.namespaces |= (map(select(.type != "network")) + [{type: "network"}]) |
		.annotations = {"org.berth.net.network": $network,
			"org.berth.net.publish": "8080:80", "org.berth.net.resolv-conf": "resolv.conf"} +
			$more |
		.hooks = {createRuntime: [{path: $net, args: ["berth-net", "--root", $root, "add"],
			env: [$path]}],
			poststop: [{path: $net, args: ["berth-net", "--root", $root, "del"]}]}' \
		"$directory/config.json" >"$directory/config.new"
	mv "$directory/config.new" "$directory/config.json"
	chown -R 1000:1000 "$directory"
}

# Nothing is left of the user's networks: no record, no file, no program.
nothing_of_users() {
	local left

	left=$(find "$ROOT/user" "$ROOT/programs" -type f -o -type s -o -type p 2>/dev/null || true)
	[[ -z $left ]] || fail "files left: $left"
	left=$(programs)
	[[ -z $left ]] || fail "programs left: $left"
}

# The programs that run on the test's host, by number.
programs() {
	local pid name

	for pid in $(pgrep -x 'pas(st|ta)(.avx2)?' || true; pgrep -x slirp4netns || true); do
		name=$(readlink "/proc/$pid/ns/net" || true)
		[[ $name != "$(readlink "/proc/$HOST_PID/ns/net")" ]] || echo "$pid"
	done
}

# A container of a bundle: it serves a published port, reaches what the host reaches, and nothing is
# left. whole_life NETWORK NAMESERVER
whole_life() {
	serve outside 9000 "page of a neighbour"
	bundle "$1"
	user_ok "$BERTH" create -b bundle "$ID"
	contains "$(<"$T/user/bundle/resolv.conf")" "nameserver $2"
	user_ok "$BERTH_NET" list
	contains "$output" "$1"
	contains "$output" "8080:80/tcp"
	user_ok "$BERTH_NET" check "$ID"
	user_ok "$BERTH" start "$ID"
	wait_for 10 fetch outside http://192.0.2.1:8080/
	is "$(fetch outside http://192.0.2.1:8080/)" "page of a user"
	is "$(fetch host http://127.0.0.1:8080/)" "page of a user"
	is "$(<"$T/user/bundle/rootfs/fetched")" "page of a neighbour"
	[[ -n $(programs) ]] || fail "no program runs"
	user_ok "$BERTH" delete --force "$ID"
	nothing_of_users
}

@test "pasta as hook of a user's bundle" {
	needs pasta
	whole_life pasta 169.254.1.1
}

@test "slirp4netns as hook of a user's bundle" {
	needs slirp4netns
	whole_life slirp4netns 10.0.2.3
}

@test "the host's loopback is not reached, its name server is" {
	local network

	needs pasta
	needs slirp4netns
	serve host 9999 "page of the host"
	echo nameserver 192.0.2.2 >"$T/resolv.conf"
	host mount --bind "$T/resolv.conf" /etc/resolv.conf
	inside outside python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 53))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(512)
    s.sendto(data + b" heard", peer)' </dev/null >"$T/dns" 2>&1 3>&- 4>&- 5>&- &
	SERVERS+=($!)
	wait_for 10 grep -q ready "$T/dns"
	for network in pasta:169.254.1.1 slirp4netns:10.0.2.3; do
		user_container
		user_ok "$BERTH_NET" add --id c --pid "$PID" --network "${network%:*}"
		is "$(inside_user python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], 53))
s.send(b"a question, as long as a header")
print(s.recv(512).decode())' "${network#*:}")" "a question, as long as a header heard"
		! inside_user curl -sS -m 2 http://192.0.2.2:9999/ 2>/dev/null ||
			fail "$network: the host answers at its gateway"
		! inside_user curl -sS -m 2 http://10.0.2.2:9999/ 2>/dev/null ||
			fail "$network: the host answers at its gateway"
		user_ok "$BERTH_NET" del --id c
		kill -9 "$PID"
	done
	nothing_of_users
}

@test "by hand: link, MAC, ports with an address, in ranges, by UDP" {
	needs pasta
	user_container
	user_ok "$BERTH_NET" add --id c --pid "$PID" --network pasta --link net7 \
		--mac 02:00:00:00:00:07 --publish 127.0.0.1:8081:80 --publish 8090-8092:90-92 \
		--publish 5353:53/udp
	contains "$(inside_user ip link show net7)" 02:00:00:00:00:07
	contains "$(host ss -tln)" 127.0.0.1:8081
	contains "$(host ss -tln)" :8092
	contains "$(host ss -uln)" :5353
	lacks "$(host ss -uln)" :8090
	user_ok "$BERTH_NET" list --json
	is "$(jq -c '.[0] | .id, .link, .network, .complete, .publish' <<<"$output" | tr '\n' ' ')" \
		'"c" "net7" "pasta" true ["127.0.0.1:8081:80/tcp","8090-8092:90-92/tcp","5353:53/udp"] '
	user_ok "$BERTH_NET" check
	user_fails "$BERTH_NET" add --id c --pid "$PID" --network pasta --link net7
	contains "$stderr" 'has a link "net7" already'
	user_ok "$BERTH_NET" del --id c --link other
	[[ -n $(programs) ]] || fail "the wrong one was ended"
	user_ok "$BERTH_NET" del --id c
	user_ok "$BERTH_NET" del --id c
	nothing_of_users
	kill -9 "$PID"
}

@test "slirp4netns by hand: link, MAC, ports with an address, in ranges, by UDP" {
	needs slirp4netns
	user_container
	user_ok "$BERTH_NET" add --id c --pid "$PID" --network slirp4netns --link net7 \
		--mac 02:00:00:00:00:07 --publish 127.0.0.1:8081:80 --publish 8090-8092:90-92 \
		--publish 5353:53/udp
	contains "$(inside_user ip link show net7)" 02:00:00:00:00:07
	contains "$(host ss -tln)" 127.0.0.1:8081
	contains "$(host ss -tln)" :8092
	contains "$(host ss -uln)" :5353
	user_fails "$BERTH_NET" add --id d --pid "$PID" --network slirp4netns --link net8 \
		--publish '[::1]:8081:80'
	contains "$stderr" "IPv6"
	user_ok "$BERTH_NET" del --id c
	nothing_of_users
	kill -9 "$PID"
}

@test "a port that is taken, one of a range too, and one below 1024" {
	local network

	needs pasta
	needs slirp4netns
	serve host 8091 "page of the host"
	user_container
	needs pasta
	needs slirp4netns
	for network in pasta slirp4netns; do
		user_fails "$BERTH_NET" add --id c --pid "$PID" --network "$network" --publish 8090-8092:90-92
		contains "$stderr" 8091
		nothing_of_users
		user_fails "$BERTH_NET" add --id c --pid "$PID" --network "$network" --publish 80:80
		contains "$stderr" 80
		nothing_of_users
	done
	kill -9 "$PID"
}

@test "a program that is not installed" {
	user_container
	mkdir "$T/empty"
	user_fails env "PATH=$T/empty" "$BERTH_NET" add --id c --pid "$PID" --network pasta
	contains "$stderr" "pasta is not installed (Debian and Fedora have it in the package passt"
	# A directory that depends on where one stands is none.
	mkdir "$T/user/here"
	cp /bin/true "$T/user/here/slirp4netns"
	user_fails env PATH=here:. "$BERTH_NET" add --id c --pid "$PID" --network slirp4netns
	contains "$stderr" "slirp4netns is not installed"
	nothing_of_users
	kill -9 "$PID"
}

@test "a program that fails says why" {
	local program

	user_container
	mkdir "$T/user/bin"
	for program in pasta slirp4netns; do
		printf '#!/bin/sh\necho "no luck today" >&2\nexit 7\n' >"$T/user/bin/$program"
		chmod 755 "$T/user/bin/$program"
		user_fails env "PATH=$T/user/bin" "$BERTH_NET" add --id c --pid "$PID" --network "$program"
		contains "$stderr" "no luck today"
		nothing_of_users
	done
	kill -9 "$PID"
}

@test "what a user cannot have" {
	local option

	user_container
	user_fails "$BERTH_NET" add --id c --pid "$PID" --network bridge
	contains "$stderr" "take --network pasta"
	for option in --ip=10.0.0.1 --bandwidth=1mbit; do
		user_fails "$BERTH_NET" add --id c --pid "$PID" --network pasta "$option"
		contains "$stderr" "${option%%=*}"
	done
	user_fails "$BERTH_NET" add --id c --netns "/proc/$PID/ns/net" --network pasta
	contains "$stderr" "--pid is needed"
	user_fails "$BERTH_NET" add --id c --pid 1 --network pasta
	user_fails "$BERTH_NET" add --id c --pid "$HOST_PID" --network pasta
	user_fails env -u XDG_RUNTIME_DIR "$BERTH_NET" add --id c --pid "$PID" --network pasta
	contains "$stderr" "XDG_RUNTIME_DIR"
	nothing_of_users
	kill -9 "$PID"
}

@test "root of a user namespace, with the host's network and with one of his own" {
	# shellcheck disable=SC2016 # the inner shell expands it
	local script='unshare -n sleep 1000 </dev/null >/dev/null 2>&1 & pid=$!
		while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
		"$0" add --id c --pid $pid "$@"; r=$?
		[ $r != 0 ] || "$0" check c && "$0" del --id c; kill $pid; exit $r'

	user_fails unshare -Ur sh -c "$script" "$BERTH_NET" --network bridge
	contains "$stderr" "take --network pasta"
	user_ok unshare -Urnm sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; $script" "$BERTH_NET" --network bridge
	is "$stderr" ""
}

@test "root has no pasta" {
	user_container
	net_fails add --id c --pid "$PID" --network pasta
	contains "$stderr" "take --network bridge"
	kill -9 "$PID"
}

@test "a process of the host's own network" {
	user_fails sh -c 'sleep 1000 & "$0" add --id c --pid $! --network pasta; r=$?; kill $!; exit $r' \
		"$BERTH_NET"
	contains "$stderr" "no network namespace of its own"
}

@test "gc ends the program of a container that is gone" {
	local network

	needs pasta
	needs slirp4netns
	needs pasta
	needs slirp4netns
	for network in pasta slirp4netns; do
		user_container
		user_ok "$BERTH_NET" add --id c --pid "$PID" --network "$network"
		user_ok "$BERTH_NET" gc
		is "$output" "0 removed"
		kill -9 "$PID"
		wait_for 5 gone "$PID"
		user_fails "$BERTH_NET" check c
		contains "$stderr" "has ended"
		user_ok "$BERTH_NET" gc
		is "$output" "1 removed"
		nothing_of_users
	done
}

gone() {
	[[ ! -e /proc/$1 ]]
}

@test "another process that has the program's number is left alone" {
	local pid

	needs pasta
	user_container
	user_ok "$BERTH_NET" add --id c --pid "$PID" --network pasta
	pid=$(programs)
	kill -9 "$pid"
	wait_for 5 gone "$pid"
	# As if the number had come round to the container itself.
	jq --argjson pid "$PID" '.programPid = $pid' "$ROOT/user/c@eth0.json" >"$T/record"
	cat "$T/record" >"$ROOT/user/c@eth0.json"
	user_fails "$BERTH_NET" check c
	user_ok "$BERTH_NET" del --id c
	kill -0 "$PID" || fail "the container was killed"
	nothing_of_users
	kill -9 "$PID"
}

# berth-net is killed at every Nth of its system calls, of which add has some hundreds.
killed_everywhere() {
	local step=$1 call n

	shift
	command -v strace >/dev/null || skip "needs strace"
	user_container
	user_ok strace -q -o "$T/user/trace" "$BERTH_NET" add --id c --pid "$PID" "$@"
	user_ok "$BERTH_NET" del --id c
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/user/trace" | awk '{ print $1, ++seen[$1] }' |
		sed 1d >"$T/calls"
	(($(wc -l <"$T/calls") > 50)) || fail "a short list of system calls"
	while read -r call n; do
		as_user_here strace -q -o /dev/null -e "trace=$call" \
			-e "inject=$call:signal=SIGKILL:when=$n" \
			"$BERTH_NET" add --id c --pid "$PID" "$@"
		((status == 0 || status == 137)) || fail "killed at $call $n: status $status"
		user_ok "$BERTH_NET" gc
		# What was complete belongs to a container that lives.
		! jq -e .complete "$ROOT/user/c@eth0.json" >/dev/null 2>&1 ||
			user_ok "$BERTH_NET" del --id c
		nothing_of_users || fail "killed at $call $n"
	done < <(awk -v step="$step" 'NR % step == 0' "$T/calls")
	kill -9 "$PID"
}

@test "pasta: killed at any system call, gc leaves nothing" {
	needs pasta
	killed_everywhere "${KILL_STEP:-4}" --network pasta --publish 8080:80
}

@test "slirp4netns: killed at any system call, gc leaves nothing" {
	needs slirp4netns
	killed_everywhere "${KILL_STEP:-4}" --network slirp4netns --publish 8080:80
}

@test "a program in the background whose starter was killed is found by its command line" {
	local token

	user_container
	mkdir "$T/user/bin"
	mkfifo "$T/user/end"
	chown 1000:1000 "$T/user/end"
	cat >"$T/user/bin/pasta" <<-'END'
		#!/bin/bash
		# Two that wait for the end of the test; one has the words of the program.
		(exec -a pasta bash -c 'read -r _ <end' other </dev/null >/dev/null 2>&1) &
		(exec -a pasta bash -c 'read -r _ <end' "$@" </dev/null >/dev/null 2>&1) &
		kill -9 $PPID
	END
	chmod 755 "$T/user/bin/pasta"
	as_user_here env "PATH=$T/user/bin:$PATH" "$BERTH_NET" add --id c --pid "$PID" --network pasta
	((status == 137)) || fail "status $status"
	cp "$ROOT/user/c@eth0.json" "$T/record"
	is "$(jq -c '.complete, .programPid' "$T/record" | tr '\n' ' ')" 'false 0 '
	token=$(jq -r .token "$T/record")
	wait_for 5 pgrep -f "^pasta .*$token"
	user_ok "$BERTH_NET" gc
	is "$output" "1 removed"
	! pgrep -f "^pasta .*$token" || fail "it runs still"
	nothing_of_users
	# Who has no token in his words is somebody else, and is there to read this.
	timeout 5 bash -c 'echo >"$0"' "$T/user/end" || fail "the other one was killed, too"
	kill -9 "$PID"
}

@test "a bundle that berth-pull made for the user" {
	local network

	LAB_DIR=$PROJECT_DIR/tests/pull/lab
	# shellcheck source=tests/pull/bundle.bash
	. "$PROJECT_DIR/tests/pull/bundle.bash"
	busybox_image "{}"
	chmod -R a+rX layout busybox.tar
	needs pasta
	needs slirp4netns
	for network in pasta slirp4netns; do
		user_ok "${BERTH%/*}/berth-pull" -q --from "oci:$T/layout:busybox" --network "$network" \
			--publish 8080:80 --entrypoint /bin/sh --arg -c --arg \
			'mkdir -p /www && echo "page by berth-pull" >/www/index.html && exec /bin/busybox httpd -f -p "[::]:80" -h /www' \
			"pulled-$network"
		user_ok "$BERTH" run -d -b "pulled-$network" "$ID"
		wait_for 10 fetch outside http://192.0.2.1:8080/
		user_ok "$BERTH_NET" list
		contains "$output" "$network"
		user_ok "$BERTH" delete --force "$ID"
		nothing_of_users
	done
	user_fails "${BERTH%/*}/berth-pull" -q --from "oci:$T/layout:busybox" --network pasta --ip 10.1.2.3 bad
	contains "$stderr" --ip
}
