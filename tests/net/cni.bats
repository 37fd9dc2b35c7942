#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-net as a CNI plugin, called as an engine calls it: by environment and standard input. What it
# answers is held against the specification by lab/cni-result.jq.

load helpers

setup() {
	net_setup
	SPEC_VERSION=1.0.0
	BERTH_NET_AS=()
}

# The plugin's part of a network, as an administrator would have written it for the bridge plugin.
# config [JQ FILTER]: prints it.
config() {
	jq -cn --arg root "$ROOT" --arg version "$SPEC_VERSION" '{cniVersion: $version, name: "net1",
		type: "berth-net", root: $root, bridge: "br-cni", isGateway: true, ipMasq: true,
		hairpinMode: true, ipam: {type: "host-local", ranges: [[{subnet: "10.77.0.0/16"}],
		[{subnet: "fd00:77::/64"}]], routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]},
		dns: {nameservers: ["10.77.0.1"], search: ["example"]}} | '"${1:-.}"
}

# cni COMMAND NAME CONFIG [VARIABLE=VALUE…]: calls the plugin for the container NAME; sets status,
# output, stderr.
cni() {
	local command=$1 name=$2 text=$3

	shift 3
	status=0
	host env CNI_COMMAND="$command" CNI_CONTAINERID="$name" CNI_NETNS="/run/netns/$name" \
		CNI_IFNAME=eth0 CNI_PATH=/nowhere "$@" timeout -k 5 "$NET_TIMEOUT" \
		"${BERTH_NET_AS[@]}" "$BERTH_NET" \
		>"$T/stdout" 2>"$T/stderr" <<<"$text" || status=$?
	read_file output "$T/stdout"
	read_file stderr "$T/stderr"
	[[ -z $stderr ]] || fail "CNI_COMMAND=$command: words on standard error"
}

# The same, and it must succeed; a result is one by the specification.
cni_ok() {
	cni "$@"
	[[ $status -eq 0 ]] || fail "$1: status $status"
	if [[ $1 == ADD ]]; then
		jq -e -f "$NET_TESTS_DIR/lab/cni-result.jq" <<<"$output" >/dev/null ||
			fail "$1: no result by the specification"
	elif [[ $1 != VERSION ]]; then
		is "$output" ""
	fi
}

# cni_fails CODE COMMAND NAME CONFIG…: it must answer with an error of this code.
cni_fails() {
	local code=$1

	shift
	cni "$@"
	[[ $status -eq 1 ]] || fail "$1: status $status, not 1"
	jq -e --argjson code "$code" '(.cniVersion | type) == "string" and .code == $code and
		(.msg | length) > 0 and (.details | length) > 0' <<<"$output" >/dev/null ||
		fail "$1: not an error with code $code"
}

# What the engine adds for CHECK: the result of ADD.
with_result() {
	config ". + {prevResult: $1}"
}

@test "ADD, CHECK, DEL in every version" {
	local result

	for SPEC_VERSION in 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		container c1
		cni_ok ADD c1 "$(config)"
		result=$output
		is "$(jq -r .cniVersion <<<"$result")" "$SPEC_VERSION"
		is "$(jq -r '.ips[0].address' <<<"$result")" "$(address c1)/16"
		is "$(jq -r '.ips[1].address' <<<"$result")" "$(address c1 6)/64"
		is "$(jq -c '[.ips[].gateway]' <<<"$result")" '["10.77.0.1","fd00:77::1"]'
		is "$(jq -c '[.routes[].dst]' <<<"$result")" '["0.0.0.0/0","::/0"]'
		is "$(jq -c .dns <<<"$result")" '{"nameservers":["10.77.0.1"],"search":["example"]}'
		is "$(jq -r '.interfaces[0].name' <<<"$result")" br-cni
		is "$(jq -r '.interfaces[0].mac' <<<"$result")" \
			"$(host cat /sys/class/net/br-cni/address)"
		is "$(jq -r '.interfaces[1].mac' <<<"$result")" \
			"$(host cat "/sys/class/net/$(jq -r '.interfaces[1].name' <<<"$result")/address")"
		is "$(jq -r '.interfaces[2] | .name, .sandbox' <<<"$result")" $'eth0\n/run/netns/c1'
		is "$(jq -r '.interfaces[2].mac' <<<"$result")" \
			"$(inside c1 ip -j link show eth0 | jq -r '.[0].address')"
		reach c1 10.77.0.1
		[[ $SPEC_VERSION == 0.3.* ]] || cni_ok CHECK c1 "$(with_result "$result")"
		cni_ok DEL c1 "$(with_result "$result")"
		cni_ok DEL c1 "$(with_result "$result")"
		host ip netns delete c1
		nothing_left
	done
}

@test "VERSION, with and without input" {
	cni_ok VERSION "" '{"cniVersion": "0.4.0"}'
	is "$output" '{"cniVersion":"0.4.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}'
	output=$(host env CNI_COMMAND=VERSION "$BERTH_NET" </dev/null)
	is "$(jq -r .cniVersion <<<"$output")" 1.1.0
	cni_fails 6 VERSION "" '{'
}

@test "a published port, an address, a MAC and a limit that the engine asks for" {
	container c1
	SPEC_VERSION=1.1.0
	cni_ok ADD c1 "$(config '. + {runtimeConfig: {portMappings: [{hostPort: 8080,
		containerPort: 80, protocol: "tcp"}, {hostPort: 8081, containerPort: 80,
		protocol: "tcp", hostIP: "127.0.0.1"}], ips: ["10.77.9.9"],
		mac: "02:00:00:00:00:77", bandwidth: {ingressRate: 8000000, ingressBurst: 800000}}}')"
	is "$(address c1)" 10.77.9.9
	contains "$(inside c1 ip link show eth0)" 02:00:00:00:00:77
	is "$(jq '.interfaces[2].mtu' <<<"$output")" 1500
	contains "$(host tc qdisc show dev "$(jq -r '.interfaces[1].name' <<<"$output")")" "rate 8Mbit"
	serve c1 80 "by CNI"
	is "$(fetch host http://127.0.0.1:8080/)" "by CNI"
	is "$(fetch host http://127.0.0.1:8081/)" "by CNI"
	outside_begin
	is "$(fetch outside http://192.0.2.1:8080/)" "by CNI"
	is "$(fetch outside 'http://[2001:db8::1]:8080/')" "by CNI"
	! fetch outside http://192.0.2.1:8081/ 2>/dev/null || fail "8081 is for 127.0.0.1 alone"
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "CNI_ARGS and args" {
	container c1
	cni_ok ADD c1 "$(config)" 'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.77.3.3;MAC=02:00:00:00:00:33'
	is "$(address c1)" 10.77.3.3
	contains "$(inside c1 ip link show eth0)" 02:00:00:00:00:33
	container c2
	cni_ok ADD c2 "$(config '. + {args: {cni: {ips: ["10.77.4.4"], labels: []}}}')"
	is "$(address c2)" 10.77.4.4
	container c3
	cni_fails 4 ADD c3 "$(config)" 'CNI_ARGS=K8S_POD_NAME=web'
	contains "$output" 'CNI_ARGS: \"K8S_POD_NAME\"'
	cni_fails 7 ADD c3 "$(config)" 'CNI_ARGS=IP=10.78.0.1'
	cni_fails 100 ADD c3 "$(config)" 'CNI_ARGS=IP=10.77.4.4'
	contains "$output" 10.77.4.4
}

@test "two containers reach each other; one interface more" {
	container c1
	container c2
	cni_ok ADD c1 "$(config)"
	cni_ok ADD c2 "$(config)"
	cni_ok ADD c2 "$(config)" CNI_IFNAME=net1
	reach c1 "$(address c2)"
	reach c2 "$(address c1 6)"
	cni_ok DEL c2 "$(config)"
	is "$(address c2 4 net1 | cut -d . -f 1)" 10
	cni_fails 100 ADD c1 "$(config)"
	contains "$output" 'has a link \"eth0\" already'
	reach c1 10.77.0.1
	cni_ok DEL c2 "$(config)" CNI_IFNAME=net1
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "DEL without the network namespace, and of what never was" {
	container c1
	cni_ok ADD c1 "$(config '. + {runtimeConfig: {portMappings: [{hostPort: 8080,
		containerPort: 80}]}}')"
	host ip netns delete c1
	cni_ok DEL c1 "$(config)" CNI_NETNS=
	nothing_left
	cni_ok DEL c9 "$(config)" CNI_NETNS=
	# A configuration that has changed for the worse does not keep anything.
	container c2
	cni_ok ADD c2 "$(config)"
	cni_ok DEL c2 "$(config '. + {vlan: 7, ipam: null}')"
	nothing_left
}

@test "another network's container is left alone" {
	container c1
	cni_ok ADD c1 "$(config)"
	cni_ok DEL c1 "$(config '.name = "net2"')"
	reach c1 10.77.0.1
	SPEC_VERSION=1.1.0
	cni_ok GC "" "$(config '.name = "net2" | .["cni.dev/valid-attachments"] = []')"
	reach c1 10.77.0.1
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "a hook's container is left alone" {
	SPEC_VERSION=1.1.0
	add c2 --network bridge
	cni_ok DEL c2 "$(config '.name = "bridge"')"
	cni_ok GC "" "$(config '.name = "bridge" | .["cni.dev/valid-attachments"] = []')"
	reach c2 10.187.0.1
	net_ok del --id c2
	nothing_left
}

@test "GC takes what is not valid" {
	local c valid

	SPEC_VERSION=1.1.0
	for c in c1 c2 c3; do
		container "$c"
		cni_ok ADD "$c" "$(config)"
	done
	cni_fails 7 GC "" "$(config)"
	cni_fails 7 GC "" "$(config '.["cni.dev/valid-attachments"] = [{id: "c1"}]')"
	reach c2 "$(address c3)"
	valid='[{containerID: "c1", ifname: "eth0"}, {containerID: "c2", ifname: "eth7"}]'
	cni_ok GC "" "$(config ".[\"cni.dev/valid-attachments\"] = $valid")"
	reach c1 10.77.0.1
	is "$(net_ok list --json; jq -r '.[].id' <<<"$output")" c1
	[[ $(inside c2 ip -o link) != *eth0* ]] || fail "c2 has its link still"
	cni_ok GC "" "$(config '.["cni.dev/valid-attachments"] = []')"
	nothing_left
}

@test "STATUS says whether ADD would work" {
	SPEC_VERSION=1.1.0
	cni_ok STATUS "" "$(config)"
	container c1
	cni_ok ADD c1 "$(config)"
	cni_ok STATUS "" "$(config)"
	cni_fails 2 STATUS "" "$(config '.vlan = 3')"
	host sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	cni_fails 50 STATUS "" "$(config)"
	contains "$output" net.ipv4.ip_forward
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "CHECK finds what is missing" {
	local result

	container c1
	container c2
	cni_ok ADD c1 "$(config)"
	result=$output
	cni_ok CHECK c1 "$(with_result "$result")"
	cni_fails 7 CHECK c1 "$(config)"
	contains "$output" prevResult
	cni_fails 3 CHECK c2 "$(with_result "$result")"
	cni_fails 101 CHECK c1 "$(with_result "$result")" CNI_NETNS=/run/netns/c2
	cni_fails 101 CHECK c1 "$(with_result "$(jq -c '.ips[0].address = "10.77.0.99/16"' <<<"$result")")"
	inside c1 ip address delete "$(address c1)/16" dev eth0
	cni_fails 101 CHECK c1 "$(with_result "$result")"
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "a network that berth-net has a definition of" {
	container c1
	cni_ok ADD c1 "$(config '{cniVersion, name, type, root, network: "bridge"}')"
	contains "$(address c1)" 10.187.
	cni_ok DEL c1 "$(config '{cniVersion, name, root, network: "bridge"}')"
	nothing_left
	cni_fails 7 ADD c1 "$(config '{cniVersion, name, type, root, network: "lan"}')"
	contains "$output" 'there is no network \"lan\"'
}

@test "networks that cannot be beside others" {
	container c1
	container c2
	cni_fails 7 ADD c1 "$(config '.name = "bridge"')"
	contains "$output" 'another network of the name \"bridge\"'
	cni_fails 7 ADD c1 "$(config '.ipam.ranges = [[{subnet: "10.187.7.0/24"}]] |
		.ipam.routes = [{dst: "0.0.0.0/0"}]')"
	contains "$output" 10.187.0.0/16
	cni_fails 7 ADD c1 "$(config '.bridge = "berth0"')"
	contains "$output" 'has link \"berth0\"'
	cni_ok ADD c1 "$(config)"
	cni_fails 7 ADD c2 "$(config '.name = "net2" | .bridge = "br-two"')"
	contains "$output" 'network \"net1\" has subnet'
	cni_ok DEL c1 "$(config)"
	nothing_left
}

@test "errors: environment, input, version, configuration" {
	container c1
	cni_fails 4 NONE c1 "$(config)"
	cni_fails 4 ADD c1 "$(config)" CNI_CONTAINERID=
	cni_fails 4 ADD c1 "$(config)" CNI_CONTAINERID=../c1
	cni_fails 4 ADD c1 "$(config)" CNI_IFNAME=a/b
	contains "$output" CNI_IFNAME
	cni_fails 4 ADD c1 "$(config)" CNI_NETNS=
	cni_fails 4 ADD c1 "$(config)" CNI_NETNS=run/netns/c1
	cni_fails 4 ADD c1 "$(config)" CNI_NETNS=/run/netns/none
	cni_fails 4 ADD c1 "$(config)" CNI_NETNS=/etc/hostname
	contains "$output" CNI_NETNS
	cni_fails 6 ADD c1 '{"cniVersion":'
	cni_fails 6 ADD c1 ''
	cni_fails 1 ADD c1 "$(config '.cniVersion = "2.0.0"')"
	cni_fails 1 ADD c1 "$(config 'del(.cniVersion)')"
	cni_fails 1 STATUS c1 "$(config)"
	contains "$output" 'STATUS is there from version 1.1.0 on'
	cni_fails 7 ADD c1 "$(config 'del(.name)')"
	cni_fails 2 ADD c1 "$(config '.vlan = 5')"
	contains "$output" '\"vlan\": 5'
	cni_fails 2 ADD c1 "$(config '.prevResult = {}')"
	contains "$output" 'must be the first of its list'
	is "$(cni ADD c1 "$(SPEC_VERSION=0.4.0 config '.vlan = 5')"; jq -r .cniVersion <<<"$output")" 0.4.0
	nothing_left
}

@test "an engine that does not take the result leaves nothing behind" {
	container c1
	status=0
	# shellcheck disable=SC2016 # the inner shell expands it
	host env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
		sh -c '"$1" >/dev/full' sh "$BERTH_NET" <<<"$(config)" || status=$?
	is "$status" 1
	nothing_left
}

@test "an engine without rights is told so" {
	container c1
	BERTH_NET_AS=(setpriv --bounding-set=-net_admin)
	SPEC_VERSION=1.1.0
	cni_fails 50 ADD c1 "$(config)"
	contains "$output" CAP_NET_ADMIN
	cni_fails 50 STATUS c1 "$(config)"
	nothing_left
}

@test "by hand CNI_COMMAND does not matter" {
	host env CNI_COMMAND=ADD "$BERTH_NET" --root "$ROOT" list >"$T/stdout"
	contains "$(<"$T/stdout")" ADDRESSES
}
