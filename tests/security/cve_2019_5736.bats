#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CVE-2019-5736: the runtime's binary is overwritten from inside through /proc/PID/exe.
# The hunt itself, with its control, is in the integration suite (selfexe.bats); here are the forms
# in which the attack was published.

load ../integration/helpers

# A private copy of the runtime to attack, and all capabilities for the attacker.
prepare() {
	local all

	cp "$RUNTIME" "$T/berth"
	TARGET=$(sha256sum <"$T/berth")
	all=$("$SUITE/rootfs/bin/probe" | jq -c .caps.permitted)
	config '.process.capabilities = {bounding: $all, permitted: $all, effective: $all} |
		.process.noNewPrivileges = false | .root.readonly = false |
		.linux |= (del(.maskedPaths) | del(.readonlyPaths))' --argjson all "$all"
}

untouched() {
	is "$(sha256sum <"$T/berth")" "$TARGET" 'hash of the runtime'
}

@test "the container's shell is replaced by #!/proc/self/exe while exec calls it" {
	prepare
	config_args /bin/busybox sh -c 'echo ready
		while :; do for exe in /proc/[0-9]*/exe; do
		exec 9<"$exe" && (echo damaged >/proc/self/fd/9) 2>/dev/null; done; done 2>/dev/null'
	BERTH_TEST=$ID "$T/berth" --root "$STATE" run -d "$ID" >"$T/out" 2>&1 </dev/null
	wait_for 10 grep -q ready "$T/out"
	rm rootfs/bin/sh
	printf '#!/proc/self/exe\n' >rootfs/bin/sh
	chmod 755 rootfs/bin/sh
	for _ in {1..60}; do
		BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" exec "$ID" /bin/sh >/dev/null 2>&1 \
			</dev/null || true
	done
	untouched
}

@test "a link to /proc/self/exe as the entrypoint" {
	prepare
	ln -s /proc/self/exe rootfs/bin/entry
	config_args /bin/entry --version
	BERTH_TEST=$ID timeout 20 "$T/berth" --root "$STATE" run "$ID" >/dev/null 2>&1 </dev/null || true
	untouched
	nothing_left
}

@test "the runtime loads no library of the container" {
	# A static program has no interpreter, so nothing of the container is loaded into it.
	[[ $(readelf -lW "$RUNTIME") != *INTERP* ]] || {
		[[ $BERTH != "$PROJECT_DIR/build/release/berth" ]] || fail 'the release binary is dynamic'
		skip 'a debug build is dynamic'
	}
	[[ $(readelf -dW "$RUNTIME") != *NEEDED* ]]
}
