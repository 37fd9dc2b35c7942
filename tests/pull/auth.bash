# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For suites about who we are: certificates, token servers, gates before registries, and the road on
# which docker.io is the lab's. Loaded after helpers.

# --- certificates --------------------------------------------------------------------------------

# The CA of the test: CA is the directory of ca.pem.
make_ca() {
	CA=$T/ca
	"$LAB_DIR/certs" ca "$CA"
}

# make_leaf NAME SAN…: sets LEAF, for --tls of the lab's servers and for $LEAF.pem, $LEAF.key.
make_leaf() {
	"$LAB_DIR/certs" leaf "$CA" "$@"
	LEAF=$CA/$1
}

# --- servers -------------------------------------------------------------------------------------

# behave NAME JSON: what the server in $T/NAME does from its next request on.
behave() {
	mkdir -p "$T/$1"
	printf '%s\n' "$2" >"$T/$1/behaviour.new"
	mv "$T/$1/behaviour.new" "$T/$1/behaviour"
}

# A token server in $T/token, more arguments as of lab/token; sets TOKEN to HOST:PORT.
# shellcheck disable=SC2120 # they are the callers', of other files
start_token() {
	start_server "$T/token" "$LAB_DIR/token" "$T/token" "$@"
	TOKEN=$ADDRESS
}

# start_gate NAME [ARG…]: a gate in $T/NAME before the registry, which knows the token server's
# tokens; sets GATE to HOST:PORT. More arguments as of lab/gate.
start_gate() {
	start_server "$T/$1" "$LAB_DIR/gate" "$T/$1" "$REGISTRY" --issued "$T/token/issued" "${@:2}"
	GATE=$ADDRESS
}

# A registry with a token server and a gate before it, all by http; sets REGISTRY, TOKEN and GATE.
# $1: more of the gate's behaviour, $2: of the token server's.
start_gated() {
	[[ -n ${REGISTRY:-} ]] || start_registry
	behave token "{${2:-}}"
	# shellcheck disable=SC2119 # no more of them here
	start_token
	behave gate "{$(bearer "http://$TOKEN/token")${1:+, $1}}"
	start_gate gate
}

# The member of a gate's behaviour that sends to the token server.
# shellcheck disable=SC2120 # it is the callers', of other files
bearer() {
	printf '"challenges": ["Bearer realm=\\"%s\\",service=\\"registry.test\\""]' \
		"${1:-http://$TOKEN/token}"
}

# How many requests the server in $T/$1 got; $2: of those that a filter of jq selects.
count() {
	[[ -e $T/$1/log ]] || : >"$T/$1/log"
	jq -s "map(select(${2:-true})) | length" "$T/$1/log"
}

# counted NAME NUMBER [FILTER]
counted() {
	local found

	found=$(count "$1" "${3:-true}")
	[[ $found == "$2" ]] || fail "$found requests at $1${3:+ with $3}, not $2:
$(cut -c1-300 "$T/$1/log")"
}

# The lines that servers have noted so far go; so do the pulled images.
begin_anew() {
	rm -rf "$T"/{token,gate,cdn,hub,mirror}/log "$STORE"
}

# --- images --------------------------------------------------------------------------------------

# put_image NAME [LAYERS]: an image with so many layers of one file each, in the registry.
put_image() {
	local layers

	layers=$(seq "${2:-1}" | jq -s 'map({entries: [{path: "file\(.)", data: "\(.)\n"}]})')
	rm -rf "$T/layout"
	"$LAB_DIR/mkimage" "$T/layout" <<<"{\"ref\": \"x\", \"layers\": $layers}" >"$T/made"
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/$1" "$T/layout" x
}

# --- the real road -------------------------------------------------------------------------------

# open_road ADDRESS:NAME…: a network of the test's own where the names are these loopback addresses
# and the test's CA is the system's. What else is to lie in /etc is put below $T/road/etc before.
# From then on berth-pull runs there.
open_road() {
	local pair etc=$T/road/etc

	((UID == 0)) || skip 'needs root'
	mkdir -p "$etc/ssl/certs"
	echo '127.0.0.1 localhost' >"$etc/hosts"
	for pair in "$@"; do
		echo "${pair%%:*} ${pair#*:}" >>"$etc/hosts"
	done
	cp "$CA/ca.pem" "$etc/ssl/certs/ca-certificates.crt"
	cp "$CA/ca.pem" "$etc/ssl/certs/lab.pem"
	openssl rehash "$etc/ssl/certs" 2>/dev/null
	start_server "$T/road" "$LAB_DIR/road" "$T/road"
	ROAD=(nsenter -t "$ADDRESS" --net --mount -- env -C "$T")
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${ROAD[*]}" "$BERTH_PULL" >"$T/road/berth-pull"
	chmod +x "$T/road/berth-pull"
	BERTH_PULL=$T/road/berth-pull
}

# As start_server, on the road.
start_on_road() {
	start_server "$1" "${ROAD[@]}" "${@:2}"
}
