#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hooks: points in the life of a container, namespaces, state on stdin, failures, timeouts.

load helpers

# Adds a hook: $1 the kind, $2 a shell script that runs on the host.
hook() {
	config '.hooks[$k] += [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg k "$1" --arg s "$2"
}

@test "the order of all six, and when they run" {
	local kind

	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind" "echo $kind >>$T/order"
	done
	config '.hooks.startContainer = [{path: "/bin/sh",
		args: ["sh", "-c", "echo startContainer >&2; echo startContainer >/shared/order2"]}] |
		.mounts += [{destination: "/shared", source: $t, options: ["bind"]}] |
		.root.readonly = false' --arg t "$T"
	config_args /bin/true
	berth create "$ID"
	is "$(tr '\n' ' ' <"$T/order")" 'prestart createRuntime createContainer '
	[[ ! -e $T/order2 ]]
	berth start "$ID"
	[[ -e $T/order2 ]]
	is "$(tail -n 1 "$T/order")" poststart
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	is "$(tr '\n' ' ' <"$T/order")" 'prestart createRuntime createContainer poststart poststop '
}

@test "run calls all of them, too" {
	local kind

	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind" "echo $kind >>$T/order"
	done
	config_args /bin/true
	berth run "$ID"
	is "$(tr '\n' ' ' <"$T/order")" 'prestart createRuntime createContainer poststart poststop '
}

@test "several hooks of a kind run in the listed order" {
	hook createRuntime "echo 1 >>$T/order"
	hook createRuntime "echo 2 >>$T/order"
	hook createRuntime "echo 3 >>$T/order"
	config_args /bin/true
	berth run "$ID"
	is "$(tr -d '\n' <"$T/order")" 123
}

@test "the state comes on stdin" {
	local kind

	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind" "cat >$T/state.$kind"
	done
	config '.annotations = {"org.example.key": "va\"lue/x"}'
	config_args /bin/probe sleep
	berth create "$ID"
	PID=$(berth state "$ID" && jq .pid "$OUT")
	berth start "$ID"
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	for kind in prestart createRuntime; do
		is "$(jq .pid "$T/state.$kind")" "$PID" "$kind pid"
	done
	for kind in prestart createRuntime createContainer poststart poststop; do
		jq -e '.id == $i and .bundle == $b and .annotations["org.example.key"] == "va\"lue/x" and
			(.ociVersion | type == "string")' --arg i "$ID" --arg b "$BUNDLE" "$T/state.$kind"
		# Compact, on one line, slashes as they are.
		is "$(wc -l <"$T/state.$kind" | tr -d '01')" '' "$kind lines"
		lacks "$(<"$T/state.$kind")" '\/'
	done
	is "$(jq -r .status "$T/state.createRuntime")" created
	is "$(jq -r .status "$T/state.createContainer")" created
	is "$(jq -r .status "$T/state.poststart")" running
	is "$(jq -r .status "$T/state.poststop")" stopped
}

@test "path, args, env: exactly these" {
	cat >"$T/hook" <<-END
		#!/bin/sh
		echo "\$0" "\$@" >$T/args
		tr '\\0' '\\n' </proc/self/environ >$T/env
	END
	chmod 755 "$T/hook"
	config '.hooks.createRuntime = [{path: $p, args: ["name", "one", "two three"],
		env: ["KEY=value", "EMPTY="]}]' --arg p "$T/hook"
	config_args /bin/true
	export LEAK=1
	berth run "$ID"
	is "$(<"$T/args")" "$T/hook one two three"
	contains "$(<"$T/env")" KEY=value
	lacks "$(<"$T/env")" LEAK=1
}

@test "without args the name is the path" {
	printf '#!/bin/sh\necho "$#" >%s\n' "$T/count" >"$T/hook"
	chmod 755 "$T/hook"
	config '.hooks.createRuntime = [{path: $p}]' --arg p "$T/hook"
	config_args /bin/true
	berth run "$ID"
	is "$(<"$T/count")" 0
}

@test "prestart and createRuntime run in the host's namespaces" {
	hook prestart "readlink /proc/self/ns/mnt /proc/self/ns/net >$T/prestart"
	hook createRuntime "readlink /proc/self/ns/mnt /proc/self/ns/net >$T/createRuntime"
	config_args /bin/true
	berth run "$ID"
	is "$(<"$T/prestart")" "$(readlink /proc/self/ns/mnt /proc/self/ns/net)"
	is "$(<"$T/createRuntime")" "$(readlink /proc/self/ns/mnt /proc/self/ns/net)"
}

@test "createContainer runs in the container's namespaces, before the root is changed" {
	hook createContainer "readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/ns/uts >$T/seen
		test -d $BUNDLE/rootfs && echo host-root >>$T/seen"
	run_probe
	is "$(sed -n 1p "$T/seen")" "$(value .namespaces.mnt)"
	is "$(sed -n 2p "$T/seen")" "$(value .namespaces.net)"
	is "$(sed -n 3p "$T/seen")" "$(value .namespaces.uts)"
	is "$(sed -n 4p "$T/seen")" host-root
}

@test "a mount made by createContainer below the root is seen by the payload" {
	mkdir rootfs/gpu
	hook createContainer "mount -t tmpfs -o size=64k tmpfs $BUNDLE/rootfs/gpu && echo dev >$BUNDLE/rootfs/gpu/0"
	run_probe report --path /gpu/0
	json '.paths["/gpu/0"].text == "dev\n"'
	[[ ! -e rootfs/gpu/0 ]]
}

@test "createRuntime can reach the network namespace by the pid of the state" {
	hook createRuntime 'pid=$(sed "s/.*\"pid\": *\([0-9]*\).*/\1/"); exec nsenter -t $pid -n sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward"'
	run_probe report --sysctl net.ipv4.ip_forward
	json '.sysctl["net.ipv4.ip_forward"] == "1"'
}

@test "startContainer resolves and runs inside the container" {
	config '.hooks.startContainer = [{path: "/bin/hook"}]'
	mkdir rootfs/shared
	printf '#!/bin/sh\nreadlink /proc/self/ns/mnt >/shared/ns\ncat >/shared/hookstate\n' >rootfs/bin/hook
	chmod 755 rootfs/bin/hook
	config '.mounts += [{destination: "/shared", source: $t, options: ["bind"]}]' --arg t "$T"
	run_probe
	is "$(<"$T/ns")" "$(value .namespaces.mnt)"
	jq -e '.id == $i and .pid == 1' --arg i "$ID" "$T/hookstate"
}

@test "createRuntime sees the container's mounts not yet pivoted; poststart sees it running" {
	hook poststart "cat /proc/\$(sed 's/.*\"pid\": *\([0-9]*\).*/\1/')/cmdline >$T/cmdline"
	config_args /bin/probe sleep
	berth run -d "$ID"
	contains "$(tr '\0' ' ' <"$T/cmdline")" '/bin/probe sleep'
	berth kill "$ID" KILL
}

@test "a failing poststart hook does no harm to a container that has the name by then" {
	local berth="$RUNTIME --root $STATE"

	make_bundle "$T/second"
	config_args /bin/probe sleep
	jq '.process.args = ["/bin/probe", "sleep"]' "$BUNDLE/config.json" >"$T/second/config.json"
	hook poststart "$berth delete --force $ID && $berth run -d --bundle $T/second $ID >$T/second/out 2>&1
		exit 3"
	berth create "$ID"
	berth_fails 'hooks.poststart[0]' start "$ID"
	is "$(berth state "$ID" && jq -r '.bundle + " " + .status' "$OUT")" "$T/second running"
}

# A hook of the kind $1 that fails; what must be said.
failing() {
	hook "$1" 'echo reason-of-the-hook >&2; exit 3'
}

@test "a failing prestart, createRuntime or createContainer hook stops create and cleans up" {
	local kind

	for kind in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		hook poststop "echo poststop >>$T/poststop"
		failing "$kind"
		berth_fails "hooks.${kind}[0]" create "$ID"
		contains "$stderr" reason-of-the-hook
		contains "$stderr" 3
		nothing_left
	done
	is "$(wc -l <"$T/poststop")" 3 'poststop hooks run'
}

@test "a failing startContainer hook: the payload never runs" {
	mkdir rootfs/shared
	config '.hooks.startContainer = [{path: "/bin/false"}] |
		.mounts += [{destination: "/shared", source: $t, options: ["bind"]}]' --arg t "$T"
	config_args /bin/sh -c 'echo ran >/shared/ran'
	berth create "$ID"
	berth_fails 'hooks.startContainer[0]' start "$ID"
	[[ ! -e $T/ran ]]
	berth delete --force "$ID"
	nothing_left
}

@test "a failing poststart hook stops the container" {
	failing poststart
	hook poststop "echo poststop >>$T/poststop"
	config_args /bin/probe sleep
	berth_fails 'hooks.poststart[0]' run "$ID"
	contains "$stderr" reason-of-the-hook
	nothing_left
	is "$(<"$T/poststop")" poststop
}

@test "a failing poststop hook is a warning only, and the next one runs" {
	failing poststop
	hook poststop "echo second >$T/second"
	config_args /bin/true
	berth run "$ID"
	is "$(<"$T/second")" second
	nothing_left
}

@test "the hook after a failing one does not run" {
	failing createRuntime
	hook createRuntime "touch $T/second"
	berth_fails 'hooks.createRuntime[0]' create "$ID"
	[[ ! -e $T/second ]]
}

@test "a hook that is missing or not executable is named" {
	config '.hooks.createRuntime = [{path: "/no/such/hook"}]'
	berth_fails /no/such/hook create "$ID"
	contains "$stderr" 'hooks.createRuntime[0]'
	echo text >"$T/plain"
	config '.hooks.createRuntime = [{path: $p}]' --arg p "$T/plain"
	berth_fails "$T/plain" create "$ID"
	nothing_left
}

@test "a hook that runs too long is ended, with its children" {
	local start=$SECONDS

	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 300 & sleep 300"],
		timeout: 1, env: ["BERTH_TEST=" + $i]}]' --arg i "$ID"
	berth_fails 'hooks.createRuntime[0]' create "$ID"
	contains "$stderr" time
	((SECONDS - start < 10))
	nothing_left
}

@test "a hook within its time is left alone" {
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 0.1"], timeout: 20}]'
	config_args /bin/true
	berth run "$ID"
}

@test "a hook that is killed by a signal fails with its name" {
	hook createRuntime 'kill -SEGV $$'
	berth_fails 'hooks.createRuntime[0]' create "$ID"
	contains "$stderr" SEGV
}

@test "a hook that never reads its stdin does no harm" {
	config '.annotations = {"big": ("x" * 200000)}'
	hook createRuntime 'exit 0'
	config_args /bin/true
	berth run "$ID"
}

@test "a hook that writes much to stderr and fails: one line" {
	hook createRuntime 'i=0; while [ $i -lt 20000 ]; do echo "noise $i" >&2; i=$((i + 1)); done; exit 1'
	berth_fails 'hooks.createRuntime[0]' create "$ID"
}

@test "a hook gets no descriptors but its streams" {
	hook createRuntime "ls /proc/self/fd >$T/fds"
	exec 7</
	config_args /bin/true
	berth run "$ID"
	exec 7<&-
	# ls itself opens one for the directory.
	is "$(tr '\n' ' ' <"$T/fds")" '0 1 2 3 '
}

@test "an annotation with shell characters changes nothing" {
	config '.annotations = {"a": "$(touch \($t)/pwned); `touch \($t)/pwned` | & > < \u0001 \\ '"'"'"}' \
		--arg t "$T"
	hook createRuntime "cat >$T/hookstate"
	config_args /bin/true
	berth run "$ID"
	[[ ! -e $T/pwned ]]
	jq -e '.annotations.a | contains("\u0001")' "$T/hookstate"
}

@test "what startContainer prints does not keep the payload from running" {
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo hook"]}]'
	config_args /bin/sh -c 'echo payload'
	berth run "$ID"
	contains "$output" payload
}
