#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Proxies, by the variables of the environment that everybody knows. The proxy is the one who knows
# the names: registry.test has no address but with it.

load helpers
load auth
load transfer

# start_proxy [OPTION…]: sets PROXY to HOST:PORT, and empties its log. The image is registry.test/x:1.
start_proxy() {
	local tls=$T/tls/address

	start_server "$T/proxy" "$LAB_DIR/proxy" "$T/proxy" "$@" \
		--map "registry.test:80=$REGISTRY" --map "registry.test:443=$(<"$tls")"
	PROXY=$ADDRESS
	IMAGE=registry.test/x:1
}

setup() {
	pull_setup
	make_ca
	make_leaf tls DNS:registry.test
	start_registry
	make_random_image "$T/image" 100000
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" x
	start_server "$T/tls" "$LAB_DIR/faulty" "$T/tls" "$REGISTRY" --tls "$LEAF.pem" "$LEAF.key"
}

proxied() {
	jq -r '"\(.kind) \(.target) \(.auth)"' "$T/proxy/log" 2>/dev/null | sort -u
}

@test "without a proxy there is no such host" {
	pull_fails 'registry.test' pull registry.test/x:1 --tls-ca "$CA/ca.pem"
	contains "$stderr" "name cannot be resolved"
}

@test "https_proxy and HTTPS_PROXY: a tunnel, in which the registry shows its certificate" {
	local name

	start_proxy
	for name in https_proxy HTTPS_PROXY; do
		export "$name=http://$PROXY"
		rm -rf "$STORE" "$T/proxy/log"
		pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
		has_layers
		is "$(proxied)" 'connect registry.test:443 null'
		rm -rf "$STORE"
		pull_fails 'certificate' pull "$IMAGE"
		unset "$name"
	done
}

@test "http_proxy for http, in lower case alone" {
	start_proxy
	export HTTP_PROXY=http://$PROXY
	pull_fails 'name cannot be resolved' pull --insecure "$IMAGE"
	is "$(proxied)" ''
	unset HTTP_PROXY
	# By https it leads nowhere.
	export http_proxy=http://$PROXY
	pull pull --insecure "$IMAGE"
	has_layers
	is "$(proxied)" 'http registry.test:80 null'
}

@test "all_proxy, also by SOCKS5, which resolves the name" {
	local scheme

	start_proxy
	for scheme in http socks5h; do
		rm -rf "$STORE" "$T/proxy/log"
		all_proxy=$scheme://$PROXY pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
		has_layers
	done
	is "$(proxied)" 'socks registry.test:443 null'
}

@test "no_proxy names who is reached without" {
	start_proxy
	export http_proxy=http://$PROXY https_proxy=http://$PROXY
	no_proxy=127.0.0.0/8 pull pull "$REGISTRY/x:1"
	rm -rf "$STORE"
	no_proxy=registry.test pull_fails 'name cannot be resolved' pull "$IMAGE"
	is "$(proxied)" ''
	no_proxy=other.test pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
	is "$(proxied)" 'connect registry.test:443 null'
}

@test "no_proxy in the spellings of others: a port, a star, upper case" {
	local list

	start_proxy
	export https_proxy=http://$PROXY
	for list in 'registry.test:443' '*.test' 'a.test:443 *.test:443' 'other.test, *'; do
		no_proxy=$list pull_fails 'name cannot be resolved' pull "$IMAGE"
		NO_PROXY=$list pull_fails 'name cannot be resolved' pull "$IMAGE"
	done
	is "$(proxied)" ''
	for list in 'registry.test:5000' '*.other'; do
		rm -rf "$STORE"
		no_proxy=$list pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
	done
	is "$(proxied)" 'connect registry.test:443 null'
}

@test "loopback is reached without a proxy, whatever no_proxy says" {
	start_proxy
	export http_proxy=http://$PROXY https_proxy=http://$PROXY all_proxy=http://$PROXY no_proxy=''
	pull pull "$REGISTRY/x:1"
	pull pull "localhost:${REGISTRY##*:}/x:1"
	is "$(proxied)" ''
}

@test "a proxy that wants a login" {
	start_proxy --auth bob:hidden
	export https_proxy=http://$PROXY
	pull_fails 'the proxy refuses the connection with status 407' pull "$IMAGE"
	contains "$stderr" 'it wants a login'
	https_proxy=http://bob:wrong@$PROXY pull_fails 407 pull "$IMAGE"
	lacks "$stderr" wrong
	https_proxy='' http_proxy=http://$PROXY pull_fails 'status 407 Proxy Authentication Required' \
		pull --insecure "$IMAGE"
	rm "$T/proxy/log"
	https_proxy=http://bob:hidden@$PROXY pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
	has_layers
	lacks "$(proxied)" null
	rm -rf "$STORE" "$T/proxy/log"
	https_proxy=socks5h://bob:hidden@$PROXY pull pull "$IMAGE" --tls-ca "$CA/ca.pem"
	is "$(proxied)" 'socks registry.test:443 bob:hidden'
	# The registry has heard nothing of it.
	is "$(jq -s 'map(select(.auth)) | length' "$T/tls/log")" 0
}

@test "a proxy that refuses, for good or for now, and one that is not there" {
	start_proxy --refuse 403
	https_proxy=http://$PROXY pull_fails 'status 403' pull "$IMAGE"
	start_proxy --refuse 503
	https_proxy=http://$PROXY pull_background pull "$IMAGE"
	wait_for 10 grep -q 'status 503; trying again' "$ERR"
	kill "$BG_PID"
	wait "$BG_PID" || true
	https_proxy=http://127.0.0.1:1 pull_fails 'refused' pull "$IMAGE"
	https_proxy=http://proxy.invalid:1 pull_fails "proxy's name cannot be resolved" pull "$IMAGE"
}

@test "a registry's password is not for the proxy" {
	behave gate '{"challenges": ["Basic realm=\"x\""], "users": {"alice": "secret"}}'
	start_gate gate
	start_proxy --map "gate.test:80=$GATE"
	http_proxy=http://$PROXY pull pull --insecure gate.test/x:1 --creds alice:secret
	has_layers
	is "$(proxied)" 'http gate.test:80 null'
}
