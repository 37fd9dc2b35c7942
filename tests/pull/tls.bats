#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whom berth-pull believes to be a registry: certificates, and where http is allowed.

load helpers
load auth

# A gate with https before the registry, whose certificate has these names: secured SAN…; sets GATE.
secured() {
	make_leaf gate "$@"
	start_gate gate --tls "$LEAF"
}

# The registry with an image x, and the CA.
world() {
	start_registry
	put_image x 2
	make_ca
}

@test "a certificate of nobody's CA is refused, and nothing is tried by http instead" {
	world
	secured IP:127.0.0.1
	pull_fails 'certificate' "$GATE/x"
	contains "$stderr" '--tls-ca'
	counted gate 0
}

@test "--tls-ca trusts a CA, besides those of the system" {
	world
	secured IP:127.0.0.1
	pull "$GATE/x" --tls-ca "$CA/ca.pem"
	counted gate 4
	pull_fails "$T/nowhere" "$GATE/x" --tls-ca "$T/nowhere"
	echo rubbish >"$T/rubbish"
	pull_fails "$T/rubbish" "$GATE/x" --tls-ca "$T/rubbish"
	"$LAB_DIR/certs" ca "$T/other"
	pull_fails 'certificate' "$GATE/x" --tls-ca "$T/other/ca.pem"
}

@test "SSL_CERT_FILE and SSL_CERT_DIR are what the system trusts" {
	world
	secured IP:127.0.0.1
	SSL_CERT_FILE=$CA/ca.pem pull "$GATE/x"
	rm -rf "$STORE"
	mkdir "$T/trusted"
	cp "$CA/ca.pem" "$T/trusted"
	openssl rehash "$T/trusted"
	SSL_CERT_DIR=$T/trusted pull "$GATE/x"
}

@test "certs.d of the user: for the host and port that it names alone" {
	world
	secured IP:127.0.0.1
	local dir=$HOME/.config/containers/certs.d
	mkdir -p "$dir/127.0.0.1:1" "$dir/127.0.0.1" "$dir/localhost:${GATE##*:}"
	cp "$CA/ca.pem" "$dir/127.0.0.1:1/ca.crt"
	cp "$CA/ca.pem" "$dir/127.0.0.1/ca.crt"
	cp "$CA/ca.pem" "$dir/localhost:${GATE##*:}/ca.crt"
	pull_fails 'certificate' "$GATE/x"
	mkdir "$dir/$GATE"
	# Only files that are called so are certificates.
	cp "$CA/ca.pem" "$dir/$GATE/ca.pem"
	pull_fails 'certificate' "$GATE/x"
	mv "$dir/$GATE/ca.pem" "$dir/$GATE/ca.crt"
	pull "$GATE/x"
	rm -rf "$STORE"
	mv "$HOME/.config" "$T/config"
	pull_fails 'certificate' "$GATE/x"
	XDG_CONFIG_HOME=$T/config pull "$GATE/x"
}

@test "certs.d of the system, containers' and docker's; port 443 needs no port" {
	start_registry
	put_image x
	stop_servers
	make_ca
	make_leaf names DNS:registry.test
	mkdir -p "$T/road/etc/containers/certs.d/registry.test" "$T/road/etc/docker/certs.d/docker.test"
	cp "$CA/ca.pem" "$T/road/etc/containers/certs.d/registry.test/lab.crt"
	local trusted=$CA
	CA=$T/other
	make_other_ca
	open_road 127.0.0.1:registry.test 127.0.0.1:docker.test
	export REGISTRY_HTTP_TLS_CERTIFICATE=$LEAF.pem REGISTRY_HTTP_TLS_KEY=$LEAF.key
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry" 127.0.0.1:443
	pull registry.test/x
	rm -rf "$STORE"
	pull registry.test:443/x
	pull_fails 'certificate' docker.test/x
	CA=$trusted make_leaf names DNS:docker.test
	"${ROAD[@]}" cp "$trusted/ca.pem" /etc/docker/certs.d/docker.test/lab.crt
	kill "$SERVER_PID"
	wait "$SERVER_PID" || true
	export REGISTRY_HTTP_TLS_CERTIFICATE=$trusted/names.pem REGISTRY_HTTP_TLS_KEY=$trusted/names.key
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry" 127.0.0.1:443
	pull docker.test/x
}

# The CA that the road's system trusts, which has signed nothing.
make_other_ca() {
	"$LAB_DIR/certs" ca "$CA"
}

@test "client certificates: shown where certs.d has one, an error without its key" {
	world
	stop_servers
	make_leaf host IP:127.0.0.1
	"$LAB_DIR/certs" client "$CA" me
	export REGISTRY_HTTP_TLS_CERTIFICATE=$LEAF.pem REGISTRY_HTTP_TLS_KEY=$LEAF.key \
		REGISTRY_HTTP_TLS_CLIENTCAS="[\"$CA/ca.pem\"]"
	start_registry
	pull_fails "$REGISTRY" "$REGISTRY/x" --tls-ca "$CA/ca.pem"
	local dir=$HOME/.config/containers/certs.d/$REGISTRY
	mkdir -p "$dir"
	cp "$CA/ca.pem" "$dir/ca.crt"
	cp "$CA/me.pem" "$dir/me.cert"
	pull_fails "$dir/me.key" "$REGISTRY/x"
	cp "$CA/me.key" "$dir/me.key"
	pull "$REGISTRY/x"
}

@test "a certificate that is over, or for another name, is refused; --insecure takes any" {
	world
	secured IP:127.0.0.2
	pull_fails 'certificate' "$GATE/x" --tls-ca "$CA/ca.pem"
	counted gate 0
	pull "$GATE/x" --insecure
	rm -rf "$STORE"
	"$LAB_DIR/certs" expired "$CA" old IP:127.0.0.1
	start_gate gate --tls "$CA/old"
	rm "$T/gate/log"
	pull_fails 'expired' "$GATE/x" --tls-ca "$CA/ca.pem"
	counted gate 0
	pull "$GATE/x" --insecure
}

@test "http: for loopback addresses, and for others with --insecure alone" {
	start_registry
	put_image x
	stop_servers
	make_ca
	open_road 127.0.0.1:plain.test
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry"
	local port=${ADDRESS##*:}
	pull "127.0.0.1:$port/x"
	pull "localhost:$port/x"
	pull_fails 'speaks no TLS' "plain.test:$port/x"
	pull "plain.test:$port/x" --insecure
}

@test "a redirect from https to http is refused, but with --insecure" {
	world
	behave cdn '{"refuse": 400}'
	start_gate cdn
	behave gate "{\"redirect\": \"http://$GATE\"}"
	secured IP:127.0.0.1
	pull_fails 'from https to http' "$GATE/x" --tls-ca "$CA/ca.pem"
	counted cdn 0
	pull "$GATE/x" --tls-ca "$CA/ca.pem" --insecure
}

@test "each host of a pull must show a certificate of its own" {
	world
	make_leaf cdn IP:127.0.0.1
	local trusted=$CA
	behave cdn '{"refuse": 400}'
	start_gate cdn --tls "$LEAF"
	local cdn=$GATE
	CA=$T/other
	"$LAB_DIR/certs" ca "$CA"
	behave gate "{\"redirect\": \"https://$cdn\"}"
	secured IP:127.0.0.1
	pull_fails 'certificate' "$GATE/x" --tls-ca "$CA/ca.pem"
	counted cdn 0
	cat "$CA/ca.pem" "$trusted/ca.pem" >"$T/both.pem"
	pull "$GATE/x" --tls-ca "$T/both.pem"
}
