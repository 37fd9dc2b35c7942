#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who we are towards a registry: nobody, a token, a name and a password; where those come from, and
# where they never go.

load helpers
load auth

ALICE='Basic YWxpY2U6c2VjcmV0' # alice:secret
NOBODY='.authorization == null'
WITH_TOKEN='.authorization | strings | startswith("Bearer ")'

# --- without credentials -------------------------------------------------------------------------

@test "a registry that asks for nothing is told nothing, whatever credentials there are" {
	start_registry
	put_image x 2
	start_gate gate
	pull "$GATE/x" --creds alice:secret
	counted gate 0 '.authorization != null'
}

@test "an anonymous token is fetched once, after the registry has asked, and serves all requests" {
	start_registry
	put_image a/b 4
	start_gated
	pull "$GATE/a/b"
	counted gate 1 "$NOBODY"
	counted token 1
	counted token 1 "$NOBODY and .scope == [\"repository:a/b:pull\"] and .account == null and
		.service == \"registry.test\" and .method == \"GET\""
	is "$(jq -rs '.[1:] | map(.authorization) | unique | length' "$T/gate/log")" 1
	counted gate 1 '.path == "/v2/a/b/manifests/latest" and .authorization == "Bearer opaque-1"'
}

@test "a private repository without credentials needs a login, and so does one that is not there" {
	start_registry
	put_image private/x
	start_gated
	pull_fails 'does not exist, or needs a login' "$GATE/private/x"
	counted token 1
	begin_anew
	behave token '{"private": [""]}'
	pull_fails 'does not exist, or needs a login' "$GATE/nowhere"
	counted token 1
}

@test "a token server that wants a login gets none: that is the error" {
	start_registry
	put_image x
	start_gated '' '"status": 401'
	pull_fails 'wants a login: use --creds or --authfile' "$GATE/x"
	counted token 1
}

# --- a name and a password -----------------------------------------------------------------------

@test "--creds: the token server gets name and password, the registry the token alone" {
	start_registry
	put_image private/x 3
	start_gated
	pull "$GATE/private/x" --creds alice:secret
	counted token 1
	counted token 1 ".authorization == \"$ALICE\" and .account == \"alice\""
	counted gate 1 "$NOBODY"
	counted gate 0 '.authorization | strings | startswith("Basic")'
}

@test "a wrong password is an error, and never an anonymous pull" {
	start_registry
	put_image x
	start_gated
	pull_fails 'takes no such credentials: those of --creds' "$GATE/x" --creds alice:wrong
	counted token 1
	counted gate 0 "$WITH_TOKEN"
	lacks "$stderr" wrong
	# Nobody else's either: a file's.
	begin_anew
	mkdir -p "$HOME/.docker"
	echo "{\"auths\":{\"$GATE\":{\"auth\":\"YWxpY2U6d3Jvbmc=\"}}}" >"$HOME/.docker/config.json"
	pull_fails "takes no such credentials: those of $HOME/.docker/config.json" "$GATE/x"
	counted token 1
	lacks "$stderr" YWxpY2U6
}

@test "a user who may not pull it is told so" {
	start_registry
	put_image x
	start_gated '' '"denied": ["x"]'
	pull_fails 'is not for the user with the credentials of --creds' "$GATE/x" \
		--creds alice:secret
}

@test "--creds of another form than USER:PASSWORD are refused, and not repeated" {
	start_registry
	put_image x
	start_gated
	pull_fails '--creds: not of the form USER:PASSWORD' "$GATE/x" --creds topsecret
	lacks "$stderr" topsecret
}

@test "basic authentication: htpasswd, with, without and with the wrong password" {
	start_registry
	put_image x 3
	htpasswd -Bbc "$T/htpasswd" alice secret 2>/dev/null
	stop_servers
	REGISTRY_AUTH_HTPASSWD_REALM=lab REGISTRY_AUTH_HTPASSWD_PATH=$T/htpasswd start_registry
	pull_fails 'needs a login' "$REGISTRY/x"
	pull_fails 'takes no such credentials: those of --creds' "$REGISTRY/x" --creds alice:wrong
	pull "$REGISTRY/x" --creds alice:secret
}

@test "basic authentication is sent with each request once the registry has asked for it" {
	start_registry
	put_image x 3
	behave gate '{"challenges": ["Basic realm=\"a, Bearer realm=b\""], "users": {"alice": "secret"}}'
	start_gate gate
	pull "$GATE/x" --creds alice:secret
	counted gate 1 "$NOBODY"
	counted gate 0 ".authorization != null and .authorization != \"$ALICE\""
}

# --- where credentials come from -----------------------------------------------------------------

# holds FILE: credentials in the form of auth.json.
holds() {
	mkdir -p "$(dirname "$1")"
	echo "{\"auths\":{\"$GATE\":{\"auth\":\"YWxpY2U6c2VjcmV0\"}}}" >"$1"
}

# tries [VARIABLE=VALUE…] [-- ARG…]: a pull of private/x works.
tries() {
	local set=()

	while [[ $# -gt 0 && $1 != -- ]]; do
		set+=("$1")
		shift
	done
	rm -rf "$STORE"
	(
		((${#set[@]} == 0)) || export "${set[@]}"
		pull "$GATE/private/x" "${@:2}"
	)
}

@test "every file that may hold credentials is read" {
	start_registry
	put_image private/x
	start_gated
	holds "$T/named"
	tries -- --authfile "$T/named"
	tries "REGISTRY_AUTH_FILE=$T/named"
	holds "$T/run/containers/auth.json"
	tries "XDG_RUNTIME_DIR=$T/run"
	holds "$T/config/containers/auth.json"
	tries "XDG_CONFIG_HOME=$T/config"
	holds "$T/docker/config.json"
	tries "DOCKER_CONFIG=$T/docker"
	local file
	for file in .config/containers/auth.json .docker/config.json; do
		holds "$HOME/$file"
		tries
		rm "$HOME/$file"
	done
	echo "{\"$GATE\":{\"auth\":\"YWxpY2U6c2VjcmV0\",\"email\":\"x\"}}" >"$HOME/.dockercfg"
	tries
	rm "$HOME/.dockercfg"
	pull_fails 'needs a login' "$GATE/private/x"
}

@test "without XDG_RUNTIME_DIR the user's file in /run is read" {
	((UID == 0)) || skip 'needs root'
	make_ca
	mkdir -p "$T/road/run"
	open_road
	start_on_road "$T/registry" "$LAB_DIR/registry" "$T/registry"
	REGISTRY=$ADDRESS
	behave token '{}'
	start_on_road "$T/token" "$LAB_DIR/token" "$T/token"
	TOKEN=$ADDRESS
	behave gate "{$(bearer)}"
	start_on_road "$T/gate" "$LAB_DIR/gate" "$T/gate" "$REGISTRY" --issued "$T/token/issued"
	GATE=$ADDRESS
	holds "$T/road/run/containers/0/auth.json"
	pull_fails 'manifest unknown' "$GATE/private/x"
	counted token 1 ".authorization == \"$ALICE\""
}

@test "a file that is named must be there, and is the only one that is read" {
	start_registry
	put_image private/x
	start_gated
	holds "$HOME/.docker/config.json"
	pull_fails "open \"$T/none\": No such file" "$GATE/private/x" --authfile "$T/none"
	echo '{}' >"$T/empty"
	pull_fails 'needs a login' "$GATE/private/x" --authfile "$T/empty"
	REGISTRY_AUTH_FILE=$T/empty pull_fails 'needs a login' "$GATE/private/x"
	REGISTRY_AUTH_FILE=$T/empty pull "$GATE/private/x" --authfile "$HOME/.docker/config.json"
}

@test "a file that cannot be read is an error with its name, not an anonymous pull" {
	start_registry
	put_image x
	start_gated
	mkdir "$HOME/.docker"
	echo '{"auths": {"x": {"auth": "c2VjcmV0"' >"$HOME/.docker/config.json"
	pull_fails "$HOME/.docker/config.json: line" "$GATE/x"
	lacks "$stderr" c2VjcmV0
	counted token 0
}

@test "the entry with the longest beginning of the repository is taken" {
	start_registry
	put_image private/team/x
	start_gated
	cat >"$T/auth.json" <<-END
		{"auths": {"$GATE": {"auth": "Ym9iOnNlY3JldA=="},
		           "$GATE/private/team": {"auth": "YWxpY2U6c2VjcmV0"},
		           "$GATE/private/other": {"auth": "Ym9iOnNlY3JldA=="}}}
	END
	pull "$GATE/private/team/x" --authfile "$T/auth.json"
	counted token 1 '.account == "alice"'
}

# helper NAME: a credential helper of standard input's text.
helper() {
	mkdir -p "$T/bin"
	{
		echo '#!/bin/sh'
		cat
	} >"$T/bin/docker-credential-$1"
	chmod +x "$T/bin/docker-credential-$1"
}

@test "credential helpers: of the host, of all, with nothing, and with an error" {
	start_registry
	put_image private/x
	start_gated
	helper good <<-'END'
		echo "$1 $(cat)" >>"$T/asked"
		echo '{"ServerURL": "x", "Username": "alice", "Secret": "secret"}'
	END
	helper none <<-'END'
		echo credentials not found in native keychain
		exit 1
	END
	helper bad <<-'END'
		echo the keychain is locked
		exit 1
	END
	mkdir "$HOME/.docker"
	export T PATH=$T/bin:$PATH
	echo "{\"credHelpers\": {\"$GATE\": \"good\"}, \"credsStore\": \"bad\"}" \
		>"$HOME/.docker/config.json"
	pull "$GATE/private/x"
	is "$(cat "$T/asked")" "get $GATE"
	echo '{"credsStore": "good"}' >"$HOME/.docker/config.json"
	begin_anew
	pull "$GATE/private/x"
	echo '{"credsStore": "none"}' >"$HOME/.docker/config.json"
	pull_fails 'needs a login' "$GATE/private/x"
	echo '{"credsStore": "bad"}' >"$HOME/.docker/config.json"
	begin_anew
	pull_fails 'docker-credential-bad says "the keychain is locked"' "$GATE/private/x"
	counted token 0
	echo '{"credsStore": "missing"}' >"$HOME/.docker/config.json"
	pull_fails 'docker-credential-missing is not in the directories of $PATH' "$GATE/private/x"
	echo '{"credsStore": "../bin/sh"}' >"$HOME/.docker/config.json"
	pull_fails 'no name of a credential helper' "$GATE/private/x"
}

@test "a signal ends a credential helper that hangs, and all that it has started" {
	start_registry
	put_image private/x
	start_gated
	helper hangs <<-'END'
		sleep 1000 &
		echo $! >"$T/sleeps"
		wait
	END
	mkdir "$HOME/.docker"
	export T PATH=$T/bin:$PATH
	echo '{"credsStore": "hangs"}' >"$HOME/.docker/config.json"
	local number
	for number in 2 15; do
		rm -f "$T/sleeps"
		pull_background "$GATE/private/x"
		wait_for 10 test -s "$T/sleeps"
		kill -"$number" "$BG_PID"
		wait_for 10 is_zombie "$BG_PID"
		status=0
		wait "$BG_PID" || status=$?
		is "$status" $((128 + number))
		wait_for 10 is_zombie "$(cat "$T/sleeps")"
	done
}

# --- forms of tokens and challenges --------------------------------------------------------------

@test "an identity token is exchanged by POST, and sent to nobody but the token server" {
	start_registry
	put_image private/x
	start_gated '' '"refresh_tokens": {"re+fresh": "alice"}'
	echo "{\"auths\":{\"$GATE\":{\"identitytoken\":\"re+fresh\"}}}" >"$T/auth.json"
	pull "$GATE/private/x" --authfile "$T/auth.json"
	counted token 1
	counted token 1 '.method == "POST" and .authorization == null and
		.type == "application/x-www-form-urlencoded" and .form ==
		"grant_type=refresh_token&service=registry.test&client_id=berth-pull&scope=repository:private/x:pull&refresh_token=re%2Bfresh"'
	lacks "$(cat "$T/gate/log")" fresh
	echo "{\"auths\":{\"$GATE\":{\"identitytoken\":\"old\"}}}" >"$T/auth.json"
	rm -rf "$STORE"
	pull_fails 'takes no such credentials' "$GATE/private/x" --authfile "$T/auth.json"
}

@test "answers of token servers: access_token alone, token alone, without expires_in" {
	start_registry
	put_image x
	start_gated
	local how
	for how in '"member": "access_token"' '"member": "token"' '"expires_in": null' '"pad": 60000'; do
		behave token "{$how}"
		begin_anew
		pull "$GATE/x"
		counted token 1
	done
}

@test "a token server's answer of 100 KB, without a token, or that redirects, is refused" {
	start_registry
	put_image x
	start_gated
	behave token '{"pad": 100000}'
	pull_fails 'token server' "$GATE/x"
	behave token '{"status": 200, "body": "{\"expires_in\": 300}"}'
	pull_fails 'its answer holds no token' "$GATE/x"
	behave token '{"status": 200, "body": "<html>"}'
	pull_fails 'token server' "$GATE/x"
	behave token "{\"status\": 307, \"location\": \"http://$TOKEN/elsewhere\"}"
	begin_anew
	pull_fails 'redirect' "$GATE/x" --creds alice:secret
	counted token 1
	behave token '{"status": 403, "body": "{\"details\": \"closed on Sundays\"}"}'
	pull_fails 'closed on Sundays; what needs a login needs --creds' "$GATE/x"
	pull_fails 'closed on Sundays' "$GATE/x" --creds alice:secret
	lacks "${stderr##*$'\n'}" needs
}

# asks LINE…: the gate asks with these lines, and a pull finds what to answer.
asks() {
	behave gate "$(jq -nc '{challenges: $ARGS.positional}' --args "$@")"
	begin_anew
	pull "$GATE/x"
	counted token 1 '.service == "registry.test"'
}

@test "several challenges, in one header line or in several, in any case" {
	start_registry
	put_image x
	start_gated
	local ours="Bearer realm=\"http://$TOKEN/token\",service=\"registry.test\""
	asks "Negotiate, Basic realm=\"a, Bearer realm=\\\"b\\\"\", $ours"
	asks 'Basic realm="x"' "$ours"
	asks 'Bearer realm="broken' "$ours"
	asks "bEARER REALM=http://$TOKEN/token , SERVICE = registry.test"
	behave gate '{"challenges": ["Negotiate"]}'
	rm -rf "$STORE"
	pull_fails 'in a way that is not known: "negotiate"' "$GATE/x"
	behave gate '{"challenges": ["Bearer realm=\"open"]}'
	pull_fails 'in words that cannot be read: "Bearer realm="open' "$GATE/x"
	behave gate '{"challenges": []}'
	pull_fails 'does not say how' "$GATE/x"
}

@test "Bearer and Basic together: a token where it can be had, otherwise the password" {
	start_registry
	put_image x
	start_gated
	local users='"users": {"alice": "secret"}'
	behave gate "{\"challenges\": [\"Basic realm=\\\"x\\\"\", \"Bearer realm=\\\"http://$TOKEN/token\\\"\"], $users}"
	pull "$GATE/x" --creds alice:secret
	counted token 1
	counted gate 0 '.authorization // "" | startswith("Basic")'
	# Tokens that are made elsewhere.
	behave gate "{\"challenges\": [\"Bearer\", \"Basic realm=\\\"x\\\"\"], $users}"
	begin_anew
	pull "$GATE/x" --creds alice:secret
	counted token 0
	pull_fails 'does not say where to get it' "$GATE/y"
}

@test "a 401 without any challenge: the version endpoint is asked for one" {
	start_registry
	put_image x
	start_gated '"ping_only": true'
	pull "$GATE/x"
	counted gate 1 '.path == "/v2/"'
	counted token 1
}

@test "insufficient_scope: one more token, for the scope that the registry names" {
	start_registry
	put_image x
	start_gated '"scope": "repository:x:pull,metadata"'
	pull "$GATE/x"
	is "$(jq -c .scope "$T/token/log")" $'["repository:x:pull"]\n["repository:x:pull,metadata"]'
	behave gate "{$(bearer), \"scope\": \"repository:cache/x:pull\", \"terse\": true}"
	begin_anew
	pull "$GATE/x"
	is "$(jq -c .scope "$T/token/log")" $'["repository:x:pull"]\n["repository:cache/x:pull"]'
}

# --- tokens end ----------------------------------------------------------------------------------

@test "a token that ends in the middle of a pull is renewed, once for all layers" {
	start_registry
	put_image x 12
	start_gated '"uses": 8'
	pull "$GATE/x"
	# 14 requests want a token: two of them.
	counted token 2
}

@test "a token that holds for less than 10 seconds is renewed before each use" {
	start_registry
	put_image x 3
	start_gated '' '"ttl": 9'
	pull "$GATE/x"
	is "$(count token)" "$(count gate "$WITH_TOKEN")"
	counted gate 1 "$NOBODY"
}

@test "a registry that takes no token at all is given up after one renewal" {
	start_registry
	put_image x
	start_gated '"uses": 0'
	pull_fails 'does not exist, or needs a login' "$GATE/x"
	counted token 1
}

# --- where credentials never go ------------------------------------------------------------------

@test "realms: no address of the local network that is not the registry's own" {
	start_registry
	put_image x
	start_gated
	local port=${TOKEN##*:} realm
	for realm in 'http://169.254.169.254/latest' "http://127.0.0.2:$port/token" \
		"http://localhost:$port/token" "http://[::1]:$port/token" 'http://10.0.0.1/' \
		"http://[::ffff:127.0.0.1]:$port/token" "ftp://$TOKEN/token" "http://a:b@$TOKEN/token" \
		'/token' 'file:///etc/passwd'; do
		behave gate "{$(bearer "$realm")}"
		pull_call "$GATE/x" --creds alice:secret
		((status != 0)) || fail "$realm"
		contains "$stderr" 'its token server'
	done
	counted token 0
}

@test "CVE-2019-10214: a registry with https gets nobody's password sent by http" {
	start_registry
	put_image x
	make_ca
	make_leaf gate IP:127.0.0.1
	behave token '{}'
	start_token
	behave gate "{$(bearer)}"
	start_gate gate --tls "$LEAF"
	pull_fails 'is reached by http, not https: refused' "$GATE/x" --creds alice:secret \
		--tls-ca "$CA/ca.pem"
	pull_fails 'is reached by http, not https: refused' "$GATE/x" --creds alice:secret --insecure
	counted token 0
}

@test "a token server that shows a certificate of nobody's gets no password" {
	start_registry
	put_image x
	make_ca
	make_leaf gate IP:127.0.0.1
	behave token '{}'
	local gate=$LEAF
	CA=$T/other
	"$LAB_DIR/certs" ca "$CA"
	make_leaf token IP:127.0.0.1
	start_token --tls "$LEAF"
	behave gate "{$(bearer "https://$TOKEN/token")}"
	start_gate gate --tls "$gate"
	pull_fails 'certificate' "$GATE/x" --creds alice:secret --tls-ca "$T/ca/ca.pem"
	counted token 0
	pull "$GATE/x" --creds alice:secret --insecure
}

@test "a redirect takes neither token nor password to another host" {
	start_registry
	put_image x 3
	local challenges
	behave cdn '{"refuse": 400}'
	start_gate cdn
	local cdn=$GATE
	start_gated "\"redirect\": \"http://$cdn\""
	pull "$GATE/x"
	counted cdn 4 "$NOBODY"
	begin_anew
	challenges='"challenges": ["Basic realm=\"x\""], "users": {"alice": "secret"}'
	behave gate "{$challenges, \"redirect\": \"http://$cdn\"}"
	pull "$GATE/x" --creds alice:secret
	counted cdn 4
	counted cdn 4 "$NOBODY"
}

@test "CVE-2020-15157: who is behind a redirect asks in vain" {
	start_registry
	put_image x
	behave token '{}'
	start_token
	behave cdn "{$(bearer), \"users\": {\"alice\": \"secret\"}}"
	start_gate cdn
	local cdn=$GATE
	behave gate "{\"redirect\": \"http://$cdn\"}"
	start_gate gate
	pull_fails 'asks for a login: refused' "$GATE/x" --creds alice:secret
	counted token 0
	counted cdn 0 '.authorization != null'
	behave cdn '{"challenges": ["Basic realm=\"x\""], "users": {"alice": "secret"}}'
	pull_fails 'asks for a login: refused' "$GATE/x" --creds alice:secret
	counted cdn 0 '.authorization != null'
}

@test "CVE-2020-15157: neither does the URL of a layer that is elsewhere" {
	REGISTRY_VALIDATION_DISABLED=true start_registry
	behave token '{}'
	start_token
	behave cdn "{$(bearer), \"users\": {\"alice\": \"secret\"}}"
	start_gate cdn
	"$LAB_DIR/mkimage" "$T/layout" >"$T/made" <<-END
		{"ref": "x", "layers": [{"entries": ["a"], "missing": true,
		 "media_type": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		 "descriptor": {"urls": ["http://$GATE/v2/x/blobs/elsewhere"]}}]}
	END
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x" "$T/layout" x
	behave gate "{$(bearer)}"
	start_gate gate
	KEEP_PARTS=1
	pull_fails "$GATE" "$GATE/x" --creds alice:secret
	counted cdn 1
	counted cdn 1 "$NOBODY"
	counted token 1
}

@test "--creds are for the registry that is named, and for no mirror of it" {
	start_registry
	put_image library/x
	start_gated
	pull_call x --mirror "http://$GATE" --creds alice:secret
	counted gate 3 "$WITH_TOKEN"
	counted token 1 "$NOBODY"
}

@test "no secret is printed, whatever is asked for and whatever fails" {
	start_registry
	put_image private/x 2
	start_gated '' '"refresh_tokens": {"re-fresh": "alice"}'
	local call secret
	echo "{\"auths\":{\"$GATE\":{\"identitytoken\":\"re-fresh\"}}}" >"$T/identity.json"
	for call in '--creds alice:secret' '--creds alice:sesame' "--authfile $T/identity.json" \
		"--authfile $T/none"; do
		rm -rf "$STORE"
		# shellcheck disable=SC2086 # the words of a call
		pull_call --debug "$GATE/private/x" $call
		for secret in secret sesame YWxpY2U6 opaque- Bearer Basic re-fresh; do
			lacks "$stderr$output" "$secret"
		done
	done
	behave token '{"status": 200, "body": "{\"token\": \"opaque-x y\"}"}'
	pull_call --debug "$GATE/private/x"
	lacks "$stderr" opaque-
}

# --- the whole of it -----------------------------------------------------------------------------

@test "docker-registry with https and JSON Web Tokens: public, private, denied" {
	start_registry
	put_image public/x 3
	put_image private/x 3
	stop_servers
	make_ca
	make_leaf host DNS:localhost IP:127.0.0.1
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/sign.key" -out "$T/sign.pem" \
		-subj /CN=sign 2>/dev/null
	start_token --tls "$LEAF" --key "$T/sign"
	export REGISTRY_HTTP_TLS_CERTIFICATE=$LEAF.pem REGISTRY_HTTP_TLS_KEY=$LEAF.key \
		REGISTRY_AUTH_TOKEN_REALM=https://$TOKEN/token \
		REGISTRY_AUTH_TOKEN_SERVICE=registry.test REGISTRY_AUTH_TOKEN_ISSUER=issuer.test \
		REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE=$T/sign.pem
	start_registry
	pull "$REGISTRY/public/x" --tls-ca "$CA/ca.pem"
	counted token 1
	pull_fails 'does not exist, or needs a login' "$REGISTRY/private/x" --tls-ca "$CA/ca.pem"
	pull "$REGISTRY/private/x" --tls-ca "$CA/ca.pem" --creds alice:secret
	pull_fails 'takes no such credentials' "$REGISTRY/public/x" --tls-ca "$CA/ca.pem" \
		--creds alice:wrong
	# A token that has ended already, by the registry's clock and its minute of tolerance.
	behave token '{"ttl": -90, "expires_in": 300}'
	begin_anew
	pull_fails 'needs a login' "$REGISTRY/public/x" --tls-ca "$CA/ca.pem"
	counted token 1
}
