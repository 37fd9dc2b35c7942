#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --network and what goes with it: what berth-net is asked, and what config.json has. berth-net is a
# stand-in here that writes down its arguments; tests/net has the real one.

load helpers
load bundle
load user

# berth-pull beside a stand-in of berth-net, which prints ANSWER, or fails with the text of $T/refusal.
setup() {
	pull_setup
	mkdir bin
	cp "$BERTH_PULL" bin/berth-pull
	BERTH_PULL=$T/bin/berth-pull
	ANSWER=$T/hosts
	echo '127.0.0.1 localhost of the network' >"$ANSWER"
	stand_in "printf '%s\\n' \"\$*\" >>$T/asked
		[ ! -e $T/refusal ] || { cat $T/refusal >&2; exit 1; }
		echo $ANSWER"
}

# The program beside berth-pull: a script.
stand_in() {
	printf '#!/bin/sh\n%s\n' "$1" >bin/berth-net
	chmod 755 bin/berth-net
}

# A jq expression on the bundle's config.json is true.
config_has() {
	jq -e "$1" bundle/config.json >/dev/null ||
		fail "config.json: not $1: $(jq -c '.annotations, .hooks, .mounts' bundle/config.json)"
}

@test "none: no hook, no annotation, no mount on files of /etc but for the names of loopback" {
	busybox_image
	busybox_bundle bundle --network none
	config_has '.hooks == null'
	config_has '[.annotations | keys[] | select(startswith("org.berth.net"))] == []'
	config_has '[.mounts[] | select(.destination | startswith("/etc")) | .source] == ["hosts"]'
	config_has '[.linux.namespaces[].type] | index("network")'
	[[ ! -e asked && ! -e bundle/resolv.conf ]]
}

@test "a network: hooks, annotations, namespace, hosts and resolv.conf" {
	busybox_image
	busybox_bundle bundle --network bridge:web --publish 8080:80 --publish '[::1]:53:53/udp' \
		--ip 10.1.2.3 --mac 02:00:00:00:00:01 --dns 10.1.2.1 --bandwidth 10mbit \
		--hostname www --net-root ./net
	config_has '.annotations | with_entries(select(.key | startswith("org.berth.net"))) == {
		"org.berth.net.network": "bridge:web",
		"org.berth.net.publish": "8080:80,[::1]:53:53/udp",
		"org.berth.net.ip": "10.1.2.3",
		"org.berth.net.mac": "02:00:00:00:00:01",
		"org.berth.net.dns": "10.1.2.1",
		"org.berth.net.bandwidth": "10mbit",
		"org.berth.net.names": "www",
		"org.berth.net.resolv-conf": "resolv.conf"}'
	config_has ".hooks | [.createRuntime, .poststop | .[0] | .path, (.args | join(\" \"))] ==
		[\"$T/bin/berth-net\", \"berth-net --root $T/net add\",
		\"$T/bin/berth-net\", \"berth-net --root $T/net del\"]"
	config_has '.hooks | keys == ["createRuntime", "poststop"]'
	config_has '[.linux.namespaces[].type] | index("network")'
	config_has ".mounts | map(select(.destination | startswith(\"/etc\"))) == [
		{destination: \"/etc/resolv.conf\", type: \"bind\", source: \"resolv.conf\",
			options: [\"bind\", \"rw\", \"nosuid\", \"nodev\", \"noexec\"]},
		{destination: \"/etc/hosts\", type: \"bind\", source: \"$ANSWER\",
			options: [\"bind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]}]"
	is "$(stat -c '%F %a %u' bundle/resolv.conf)" 'regular empty file 644 0'
}

@test "berth-net is asked with all that is wanted, before anything is fetched" {
	pull_fails No --from oci:nowhere --network web --publish 8080:80 --dns 10.1.2.1 --hostname www bundle
	is "$(<asked)" 'network --publish=8080:80 --dns=10.1.2.1 --names=www --resolv-conf=resolv.conf -- prepare web'
}

@test "without --hostname others find it by the bundle's name, if that can be one" {
	busybox_image
	busybox_bundle shop --network web
	is "$(tail -n 1 asked)" 'network --names=shop --resolv-conf=resolv.conf -- prepare web'
	is "$(jq -c '[.hostname, .annotations["org.berth.net.names"]]' shop/config.json)" '["shop","shop"]'
	busybox_bundle 1 --network web
	is "$(jq -c '[.hostname, .annotations["org.berth.net.names"]]' 1/config.json)" '["1",null]'
	busybox_bundle _ --network web
	is "$(jq -c '[.hostname, .annotations["org.berth.net.names"]]' _/config.json)" '["berth",null]'
}

@test "what berth-net refuses is refused, with its words" {
	busybox_image
	echo 'berth-net: --publish: "x" is no port' >refusal
	pull_fails '--publish: "x" is no port' --from oci:layout:busybox --network bridge --publish x bundle
	contains "$stderr" '--network bridge: '
	[[ ! -e bundle && ! -e $STORE/images ]]
}

@test "an answer that is no path is refused" {
	busybox_image
	stand_in 'echo relative/hosts'
	pull_fails 'which is no absolute path' --from oci:layout:busybox --network bridge bundle
	stand_in 'exit 0'
	busybox_bundle bundle --network slirp4netns
	config_has '[.mounts[].destination] | index("/etc/hosts") == null'
	config_has '[.mounts[].destination] | index("/etc/resolv.conf")'
}

@test "without berth-net the error names it, and the option" {
	[[ ! -e /usr/local/sbin/berth-net ]] || skip 'berth-net is installed here'
	busybox_image
	rm bin/berth-net
	pull_fails '--network bridge needs the program "berth-net"' --from oci:layout:busybox \
		--network bridge bundle
	busybox_bundle bundle --network host
}

@test "options of a network of its own, without one" {
	busybox_image
	pull_fails '--publish needs a network' --from oci:layout:busybox --publish 80:80 bundle
	pull_fails '--dns needs a network of the container'"'"'s own: not with --network host' \
		--from oci:layout:busybox --network host --dns 10.1.2.3 bundle
	pull_fails 'has a comma' --from oci:layout:busybox --network web --publish 80:80,81:81 bundle
	[[ ! -e asked ]]
}

@test "what the user mounts there stays" {
	echo mine >mine
	busybox_image
	busybox_bundle bundle --network web --volume ./mine:/etc/resolv.conf --volume ./mine:/etc/hosts
	config_has '[.mounts[] | select(.destination | startswith("/etc")) | .source] | unique | length == 1'
	config_has '.annotations | has("org.berth.net.resolv-conf") | not'
	[[ ! -e bundle/resolv.conf ]]
}

@test "labels of the image ask for nothing" {
	busybox_image '{"Labels": {"org.berth.net.network": "host", "org.berth.net.publish": "22:22",
		"ORG.BERTH.NET.dns": "10.1.2.3"}}'
	busybox_bundle bundle
	contains "$stderr" 'label "org.berth.net.publish" is left out'
	config_has '[.annotations | keys[] | select(ascii_downcase | startswith("org.berth.net"))] == []'
	rm -r bundle
	busybox_bundle bundle --network web
	config_has '.annotations["org.berth.net.network"] == "web"'
	config_has '.annotations | has("org.berth.net.publish") | not'
}

@test "--userns: root of the container has its resolv.conf" {
	busybox_image
	busybox_bundle bundle --network web --userns 300000:65536
	is "$(stat -c '%u %g' bundle/resolv.conf)" '300000 300000'
}

@test "an ordinary user: no bridge, but pasta, whose records are in his own directory" {
	[[ $EUID -eq 0 ]] || skip 'needs root, to become a user'
	busybox_image
	make_users
	chmod -R a+rX layout busybox.tar bin
	install -m 666 /dev/null asked
	user_call "$BERTH_PULL" --from "oci:$T/layout:busybox" --network bridge bundle
	is "$status" 1
	contains "$stderr" '--network bridge is root'"'"'s'
	contains "$stderr" '--network pasta'
	is "$(<asked)" ''
	user_runs "$BERTH_PULL" --from "oci:$T/layout:busybox" --network pasta --publish 8080:80 bundle
	is "$(sort -u asked)" "--root $T/run/berth-net network --publish=8080:80 \
--resolv-conf=resolv.conf -- prepare pasta"
	is "$(jq -c '[.hooks[][].args[:3]] | unique' user/bundle/config.json)" \
		"[[\"berth-net\",\"--root\",\"$T/run/berth-net\"]]"
	is "$(stat -c %u user/bundle/resolv.conf)" 1000
	jq -e '.annotations["org.berth.net.network"] == "pasta"' user/bundle/config.json
}

# Runs a runtime where there is cgroup v2 alone, as it has it in its documentation.
with_cgroup2() {
	unshare -m --propagation private sh -c 'umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
}

# From now on the stand-in is the hook: it keeps the state, and whether it is a network namespace of
# its own that the process with the pid is in.
keep_states() {
	stand_in "cat >$T/state.\$1
		pid=\$(jq .pid $T/state.\$1)
		[ \$1 = del ] || readlink /proc/\$pid/ns/net >$T/netns
		[ \$1 = del ] || echo nameserver 10.9.9.9 >bundle/resolv.conf
		[ ! -e $T/refusal ] || exit 1"
	sed -i '1a cd '"$T" bin/berth-net
}

# What a hook is told, and the container then sees: check_run RUNTIME…
check_run() {
	local seen

	rm -f state.*
	seen=$("$@" run -b bundle "$ID" </dev/null)
	is "$seen" $'nameserver 10.9.9.9\n127.0.0.1 localhost of the network\nread-only' "$*"
	jq -e --arg id "$ID" '.id == $id and .pid > 1 and .annotations["org.berth.net.publish"] == "80:80"' \
		state.add >/dev/null || fail "$*: $(<state.add)"
	jq -e --arg id "$ID" '.id == $id and .annotations["org.berth.net.network"] == "web"' \
		state.del >/dev/null || fail "$*: $(<state.del)"
	is "$(jq -r .bundle state.add)" "$T/bundle"
	[[ $(<netns) == net:* && $(<netns) != "$(readlink /proc/self/ns/net)" ]]
}

# A container whose program is not there: del is run for it. (crun does not: berth-net gc finds it.)
check_failure() {
	rm -f state.*
	cp bundle/config.json whole.json
	jq '.process.args = ["/nowhere"]' whole.json >bundle/config.json
	! "$@" run -b bundle "$ID" </dev/null 2>failure || fail "$* runs what is not there"
	cp whole.json bundle/config.json
	[[ -e state.del ]] || fail "$*: poststop has not run: $(<failure)"
}

@test "--flat: berth, runc and crun give the hooks what berth-net needs" {
	busybox_image
	busybox_bundle bundle --flat --network web --publish 80:80 --entrypoint /bin/sh --arg -c --arg \
		'cat /etc/resolv.conf /etc/hosts; echo x 2>/dev/null >>/etc/hosts || echo read-only'
	keep_states
	check_run "$BERTH" --root "$T/state"
	check_failure "$BERTH" --root "$T/state"
	check_run with_cgroup2 runc --root "$T/runc"
	check_failure with_cgroup2 runc --root "$T/runc"
	check_run with_cgroup2 crun --cgroup-manager=disabled --root "$T/crun"
}

@test "a hook that fails: berth runs the other one, and leaves nothing" {
	busybox_image
	busybox_bundle bundle --network web --entrypoint /bin/sh --arg -c --arg 'echo ran'
	keep_states
	touch refusal
	berth_call run -b bundle "$ID"
	((status > 0))
	contains "$stderr" createRuntime
	lacks "$output" ran
	[[ -e state.add && -e state.del ]]
	[[ ! -e $T/state/$ID ]]
}
