#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The runtime's own binary cannot be written from inside a container (CVE-2019-5736).
#
# A process whose program is "#!/proc/self/exe" is an interpreter line that runs the runtime itself
# inside the container. A hunter beside it keeps its /proc/PID/exe and tries to write there.

load helpers

# A private copy of the runtime, which a success would damage; an entrypoint that runs it again.
prepare_hunt() {
	local all

	cp "$RUNTIME" "$T/berth"
	TARGET_SHA=$(sha256sum <"$T/berth")
	printf '#!/proc/self/exe\n' >rootfs/bin/self
	chmod 755 rootfs/bin/self
	ln -s /proc/self/exe rootfs/bin/selflink
	mkdir -p rootfs/shared "$T/shared"
	all=$("$SUITE/rootfs/bin/probe" | jq -c .caps.permitted)
	config '.process.capabilities = {bounding: $all, permitted: $all, effective: $all,
		inheritable: $all, ambient: $all} | .process.noNewPrivileges = false | .root.readonly = false |
		.linux |= (del(.maskedPaths) | del(.readonlyPaths)) |
		.mounts += [{destination: "/shared", source: ($t + "/shared"), options: ["bind"]}]' \
		--argjson all "$all" --arg t "$T"
}

# Starts the hunter in the container $1.
start_hunter() {
	config_args /bin/probe hunt-exe /shared/stop 300
	BERTH_TEST=$ID "$T/berth" --root "$STATE" run -d "$1" >"$T/hunter" </dev/null
	wait_for 10 grep -q ready "$T/hunter"
}

stop_hunter() {
	touch "$T/shared/stop"
	wait_for 30 grep -q inodes "$T/hunter"
	tail -n +2 "$T/hunter" >"$T/hunter.json"
	cat "$T/hunter.json"
}

@test "the hunt works: it damages an unprotected program" {
	local n

	prepare_hunt
	start_hunter "$ID"
	cp "$(command -v nsenter)" "$T/victim-program"
	n=$(sha256sum <"$T/victim-program")
	# nsenter runs "#!/proc/self/exe" in the container, which runs nsenter from the host.
	PID=$("$RUNTIME" --root "$STATE" state "$ID" | jq .pid)
	for _ in {1..300}; do
		BERTH_TEST=$ID "$T/victim-program" -t "$PID" -m -p -u -i -n -- /bin/self >/dev/null 2>&1 || true
		[[ $(sha256sum <"$T/victim-program") == "$n" ]] || break
	done
	stop_hunter
	[[ $(sha256sum <"$T/victim-program") != "$n" ]] || fail 'the hunter caught nothing'
}

@test "exec cannot be used to write the runtime" {
	prepare_hunt
	start_hunter "$ID"
	for _ in {1..100}; do
		BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" exec "$ID" /bin/self \
			>/dev/null 2>&1 </dev/null || true
		BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" exec "$ID" /bin/selflink --version \
			>/dev/null 2>&1 </dev/null || true
	done
	stop_hunter
	is "$(sha256sum <"$T/berth")" "$TARGET_SHA" 'hash of the runtime'
	jq -e '.seen > 0' "$T/hunter.json" || fail 'the hunter saw nothing'
	jq -e '.written == []' "$T/hunter.json"
}

@test "run cannot be used to write the runtime, from a container that shares the processes" {
	prepare_hunt
	start_hunter "$ID-hunter"
	PID=$("$RUNTIME" --root "$STATE" state "$ID-hunter" | jq .pid)
	config '.linux.namespaces |= (map(select(.type != "pid")) + [{type: "pid", path: $p}])' \
		--arg p "/proc/$PID/ns/pid"
	config_args /bin/self
	for n in {1..100}; do
		BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" run "$ID-$n" \
			>/dev/null 2>&1 </dev/null || true
	done
	stop_hunter
	is "$(sha256sum <"$T/berth")" "$TARGET_SHA" 'hash of the runtime'
	jq -e '.seen > 0' "$T/hunter.json" || fail 'the hunter saw nothing'
	jq -e '.written == []' "$T/hunter.json"
}

@test "process 1 that is the runtime itself cannot write it" {
	prepare_hunt
	# The entrypoint is a shell whose interpreter line is fine; it looks at its starter's traces.
	config_args /bin/sh -c 'for n in 1 2 3; do
		echo damaged 2>/dev/null >/proc/1/exe; cp /bin/true /proc/self/exe; done 2>/dev/null; true'
	BERTH_TEST=$ID "$T/berth" --root "$STATE" run "$ID" >/dev/null </dev/null
	is "$(sha256sum <"$T/berth")" "$TARGET_SHA" 'hash of the runtime'
	[[ -x rootfs/bin/busybox ]]
}

@test "an entrypoint of #!/proc/self/exe ends with an error and leaves nothing" {
	prepare_hunt
	config_args /bin/self
	status=0
	BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" run "$ID" >"$T/out" 2>"$T/err" </dev/null ||
		status=$?
	((status != 0 && status != 124)) || fail "exit status $status"
	is "$(sha256sum <"$T/berth")" "$TARGET_SHA" 'hash of the runtime'
	nothing_left
}

@test "a runtime on a read-only mount works, and cannot be written either" {
	prepare_hunt
	host_mount -t tmpfs tmpfs "$T/readonly"
	cp "$RUNTIME" "$T/readonly/berth"
	mount -o remount,ro "$T/readonly"
	config_args /bin/self
	BERTH_TEST=$ID timeout 20 "$T/readonly/berth" --root "$STATE" run "$ID" >/dev/null 2>&1 </dev/null ||
		true
	config_args /bin/probe exit 3
	status=0
	BERTH_TEST=$ID "$T/readonly/berth" --root "$STATE" run "$ID" </dev/null || status=$?
	is "$status" 3
	is "$(sha256sum <"$T/readonly/berth")" "$(sha256sum <"$RUNTIME")" 'hash of the runtime'
}

@test "berth started through a link, and by a deleted path" {
	prepare_hunt
	ln -s berth "$T/link"
	config_args /bin/probe exit 3
	status=0
	BERTH_TEST=$ID "$T/link" --root "$STATE" run "$ID" </dev/null || status=$?
	is "$status" 3
	exec {fd}<"$T/berth"
	rm "$T/berth"
	status=0
	BERTH_TEST=$ID "/proc/self/fd/$fd" --root "$STATE" run "$ID" </dev/null || status=$?
	exec {fd}<&-
	is "$status" 3
}
