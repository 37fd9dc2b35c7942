#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CVE-2016-9962: a process of the container traces the newcomer of an exec, or opens its
# descriptors, working directory or root, before it has left the host behind.

load ../integration/helpers

# Starts the hunter with the given capabilities beside the default ones.
start_hunt() {
	mkdir -p rootfs/shared "$T/shared"
	touch "$T/marker"
	config '.process.capabilities |= with_entries(.value += $c) | .process.noNewPrivileges = false |
		.mounts += [{destination: "/shared", source: ($t + "/shared"), options: ["bind"]}]' \
		--arg t "$T" --argjson c "$1"
	run_detached "$ID" hunt-host /shared/stop 300 "${T#/}/marker"
}

# Ends the hunt; its report is in hunt.json.
end_hunt() {
	touch "$T/shared/stop"
	wait_for 30 grep -q escapes "$CONTAINER_OUT"
	wait_for 5 status_is "$ID" stopped
	tail -n +2 "$CONTAINER_OUT" >"$T/hunt.json"
	cat "$T/hunt.json"
	jq -e '.processes > 100' "$T/hunt.json" || fail 'the hunter saw nothing'
}

@test "nothing of the host can be opened through the newcomers of exec" {
	start_hunt '[]'
	for _ in {1..150}; do
		berth exec "$ID" /bin/true
	done
	end_hunt
	jq -e '.escapes == {}' "$T/hunt.json"
}

@test "nothing of the host can be opened through the init of a container with shared processes" {
	start_hunt '[]'
	config '.linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' \
		--arg p "/proc/$PID/ns/pid"
	config_args /bin/true
	berth run "$ID-first"
	for n in {1..100}; do
		berth run "$ID-$n"
	done
	end_hunt
	jq -e '.escapes == {}' "$T/hunt.json"
}

@test "the state root and the records in it are not readable for others" {
	config_args /bin/probe
	berth create "$ID"
	[[ $(stat -c %a "$STATE/$ID") =~ ^7[01]{2}$ ]] || fail "mode $(stat -c %a "$STATE/$ID")"
	is "$(find "$STATE/$ID" -type f -perm /0077)" '' 'readable files'
}

@test "CVE-2020-15257: no abstract socket" {
	local before

	before=$(awk '$8 ~ /^@/ { print $8 }' /proc/net/unix | sort)
	config_args /bin/probe sleep
	berth create "$ID"
	is "$(awk '$8 ~ /^@/ { print $8 }' /proc/net/unix | sort)" "$before" 'abstract sockets'
	berth start "$ID"
	is "$(awk '$8 ~ /^@/ { print $8 }' /proc/net/unix | sort)" "$before" 'abstract sockets'
}
