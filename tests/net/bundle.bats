#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bundles that berth-pull made, run by berth, with berth-net as their hook: from the command line of
# a user to a page that curl fetches.

load helpers

# The names that the suite of berth-pull has for its lab.
PULL_TESTS_DIR=$PROJECT_DIR/tests/pull
LAB_DIR=$PULL_TESTS_DIR/lab
BERTH_PULL=${BERTH_PULL:-${BERTH%/*}/berth-pull}
load ../pull/bundle

setup() {
	net_setup
	# berth looks for cgroup v2 alone.
	host mount -t cgroup2 none /sys/fs/cgroup
	busybox_image
	outside_begin
	STARTED=()
}

teardown() {
	local id

	for id in "${STARTED[@]}"; do
		host "$BERTH" --root "$T/state" delete --force "$id" 2>/dev/null || true
	done
	net_teardown
}

# Calls berth-pull or berth on the test's host; sets status, output, stderr. call PROGRAM ARGUMENT…
call() {
	status=0
	host timeout -k 5 "$NET_TIMEOUT" "$@" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- 4>&- || status=$?
	read_file output "$T/stdout"
	read_file stderr "$T/stderr"
}

call_ok() {
	call "$@"
	((status == 0)) || fail "$*: status $status"
}

pull_call() {
	call "$BERTH_PULL" --root "$T/store" -q --from "oci:$T/layout:busybox" --net-root "$ROOT" "$@"
}

# bundle NAME SCRIPT [OPTION…]: a bundle that runs a script.
bundle() {
	local name=$1 script=$2

	shift 2
	pull_call --network bridge "$@" --entrypoint /bin/sh --arg -c --arg "$script" "$T/$name"
	((status == 0)) || fail "bundle $name: status $status"
	# Names are the same in all tests, and the tree of cgroups is that of the machine.
	jq --arg path "/$BERTH_TEST-$name" '.linux.cgroupsPath = $path' "$T/$name/config.json" >"$T/config" &&
		cat "$T/config" >"$T/$name/config.json"
}

# start NAME: the container NAME of the bundle NAME, in the background.
start() {
	STARTED+=("$1")
	call_ok "$BERTH" --root "$T/state" run -d -b "$T/$1" "$1"
}

# inside_of NAME COMMAND…: runs it in the container; output has what it said.
inside_of() {
	local name=$1

	shift
	call "$BERTH" --root "$T/state" exec "$name" "$@"
}

delete() {
	call_ok "$BERTH" --root "$T/state" delete --force "$1"
}

# A web server in a container that listens before it says so.
web_script='mkdir -p /www && echo "page of $(hostname)" >/www/index.html &&
	exec /bin/busybox httpd -f -p "[::]:80" -h /www'
wait_script='exec sleep 1000'

# page NAME URL: what the container NAME fetches. (With -T 5 the busybox of Debian 12 crashes.)
page() {
	inside_of "$1" /bin/busybox wget -q -O - "$2"
	((status == 0)) || fail "$1 does not get $2"
}

# The address of a container that berth-net lists: address_of NAME 4|6.
address_of() {
	net_ok list --json
	jq -r --arg id "$1" --arg dot "$([[ $2 == 4 ]] && echo . || echo :)" \
		'.[] | select(.id == $id) | .addresses[] | select(contains($dot)) | sub("/.*"; "")' \
		<<<"$output"
}

@test "two containers find each other by name and by address, and a server on the host" {
	local address

	bundle web "$web_script" --hostname www.example
	bundle client "$wait_script"
	start web
	start client
	for address in "$(address_of web 4)" "[$(address_of web 6)]" web www.example; do
		wait_for 10 page client "http://$address/"
		is "$output" 'page of www.example' "$address"
	done
	inside_of web sh -c 'cat /etc/hosts'
	contains "$output" client
	serve host 8000
	for address in 10.187.0.1 '[fd5b:e774:9c01::1]' 192.0.2.1 '[2001:db8::1]'; do
		page client "http://$address:8000/"
		is "$output" 'page of host' "$address"
	done
	serve outside 8001
	for address in 192.0.2.2 '[2001:db8::2]'; do
		page client "http://$address:8001/"
		is "$output" 'page of outside' "$address"
	done
	delete web
	delete client
	nothing_left
}

@test "a page through a published port: from the host, at 127.0.0.1, and from a third namespace" {
	bundle web "$web_script" --publish 8080:80
	start web
	wait_for 10 fetch host http://192.0.2.1:8080/
	is "$(fetch host http://192.0.2.1:8080/)" 'page of web'
	is "$(fetch host 'http://[2001:db8::1]:8080/')" 'page of web'
	is "$(fetch host http://127.0.0.1:8080/)" 'page of web'
	is "$(fetch outside http://192.0.2.1:8080/)" 'page of web'
	is "$(fetch outside 'http://[2001:db8::1]:8080/')" 'page of web'
	# By itself, over the host.
	page web http://192.0.2.1:8080/
	is "$output" 'page of web'
	delete web
	nothing_left
	! fetch host http://192.0.2.1:8080/ 2>/dev/null || fail 'the port is still there'
}

@test "address, MAC, name server" {
	bundle one "$wait_script" --ip 10.187.7.7 --mac 02:11:22:33:44:55 --dns 192.0.2.2
	start one
	inside_of one sh -c 'cat /sys/class/net/eth0/address /etc/resolv.conf'
	contains "$output" 02:11:22:33:44:55
	contains "$output" 'nameserver 192.0.2.2'
	is "$(address_of one 4)" 10.187.7.7
	delete one
	nothing_left
}

@test "others find a container by its bundle's name, which is its host's name" {
	bundle shop "$web_script"
	bundle client "$wait_script"
	STARTED+=(one)
	call_ok "$BERTH" --root "$T/state" run -d -b "$T/shop" one
	start client
	for name in one shop; do
		wait_for 10 page client "http://$name/"
		is "$output" 'page of shop' "$name"
	done
	inside_of one cat /etc/hosts
	contains "$output" shop
	delete one
	delete client
	nothing_left
}

@test "a bundle runs again, and may be moved" {
	bundle web "$web_script" --publish 8080:80
	start web
	delete web
	mv web moved
	STARTED+=(web)
	call_ok "$BERTH" --root "$T/state" run -d -b "$T/moved" web
	wait_for 10 fetch host http://192.0.2.1:8080/
	delete web
	nothing_left
}

@test "a container whose program ends is taken off when it is deleted, by hand or by run itself" {
	bundle short 'cat /etc/hosts; ls /sys/class/net'
	call_ok "$BERTH" --root "$T/state" run -b "$T/short" short
	contains "$output" short
	contains "$output" eth0
	nothing_left
}

@test "a create that fails after the hook leaves nothing" {
	pull_call --network bridge --publish 8080:80 --entrypoint /nowhere "$T/bad"
	jq --arg t "$T" '.hooks.createRuntime += [{path: "/bin/sh", args: ["sh", "-c",
		"cat /proc/self/net/route \($t)/net/leases/* >\($t)/seen"]}]' bad/config.json >config.new
	mv config.new bad/config.json
	call "$BERTH" --root "$T/state" create -b "$T/bad" bad
	((status > 0))
	contains "$stderr" /nowhere
	contains "$(<seen)" berth0
	[[ ! -e $T/state/bad ]]
	nothing_left
}

@test "a create that is killed after the hook: delete --force leaves nothing" {
	bundle web "$web_script" --publish 8080:80
	jq --arg t "$T" '.hooks.createRuntime += [{path: "/bin/sh", args: ["sh", "-c",
		"kill -9 $PPID; exec sleep 1000"]}]' web/config.json >config.new
	mv config.new web/config.json
	call "$BERTH" --root "$T/state" create -b "$T/web" web
	is "$status" 137
	delete web
	nothing_left
}

@test "a network of its own: those of another one are out of reach" {
	net_ok network create inner --subnet 10.44.0.0/24
	pull_call --network inner --entrypoint /bin/sh --arg -c --arg "$web_script" "$T/web"
	bundle client "$wait_script"
	start web
	start client
	wait_for 10 fetch host "http://$(address_of web 4)/"
	inside_of client /bin/busybox nc -w 2 "$(address_of web 4)" 80
	((status > 0)) || fail 'networks are not apart'
	inside_of client sh -c 'cat /etc/hosts'
	lacks "$output" web
	delete web
	delete client
	net_ok network remove inner
	nothing_left
}

@test "what is wrong with a wish is said when the bundle is made" {
	local -A wrong=(
		['--publish 8080']=--publish ['--publish 0:80']=--publish ['--ip 10.9.9.9']=10.9.9.9
		['--ip x']=--ip ['--mac 01:02']=--mac ['--dns example.com']=--dns
		['--bandwidth fast']=--bandwidth ['--network nowhere']=nowhere
	)
	local words

	for words in "${!wrong[@]}"; do
		# shellcheck disable=SC2086 # they are words
		pull_call --network bridge $words "$T/bad"
		((status == 1)) || fail "$words: status $status"
		contains "$stderr" "${wrong[$words]}"
		[[ ! -e $T/bad && ! -e $T/store/images ]]
	done
	nothing_left
}

@test "a port that is taken: the second container does not start, and leaves nothing of it" {
	bundle web "$web_script" --publish 8080:80
	bundle other "$web_script" --publish 8080:80
	start web
	call "$BERTH" --root "$T/state" create -b "$T/other" other
	((status > 0))
	contains "$stderr" 8080
	wait_for 10 fetch host http://192.0.2.1:8080/
	net_ok list --json
	is "$(jq length <<<"$output")" 1
	delete web
	nothing_left
}

@test "ids of its own: --userns" {
	bundle web "$web_script" --publish 8080:80 --userns 300000:65536
	start web
	wait_for 10 fetch host http://192.0.2.1:8080/
	inside_of web sh -c 'echo "# mine" >>/etc/resolv.conf; echo x 2>/dev/null >>/etc/hosts || echo read-only'
	is "$output" read-only
	contains "$(<web/resolv.conf)" '# mine'
	delete web
	nothing_left
}

@test "--flat: runc and crun" {
	local runtime=('' runc crun) name

	bundle web "$web_script" --publish 8080:80 --flat
	for name in runc 'crun --cgroup-manager=disabled'; do
		# shellcheck disable=SC2206 # it is words
		runtime=($name)
		call_ok "${runtime[@]}" --root "$T/${runtime[0]}" run -d -b "$T/web" web
		wait_for 10 fetch host http://192.0.2.1:8080/
		is "$(fetch host 'http://[2001:db8::1]:8080/')" 'page of web' "$name"
		call_ok "${runtime[@]}" --root "$T/${runtime[0]}" delete --force web
		nothing_left
	done
}
