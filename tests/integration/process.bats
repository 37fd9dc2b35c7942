#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process: args and PATH, env, cwd, descriptors (I3), signals, session, keyring, oom score.

load helpers

@test "args are passed exactly" {
	config_args /bin/probe report '' 'with blank' $'new\nline' 'quote"' 'ü'
	berth run "$ID"
	json '.args[2:5] == ["", "with blank", "new\nline"] and .args[5] == "quote\""'
}

@test "a name without a slash is looked for in PATH inside the root" {
	mkdir -p rootfs/opt/first rootfs/opt/second
	cp "$SUITE/rootfs/bin/probe" rootfs/opt/second/lookedup
	config '.process.env = ["PATH=/opt/none:/opt/first:/opt/second", "BERTH_TEST=" + $i]' --arg i "$ID"
	config_args lookedup
	berth run "$ID"
	json '.args[0] == "lookedup"'
}

@test "a name in PATH that is a directory or not executable is passed over" {
	mkdir -p rootfs/opt/one/tool rootfs/opt/two rootfs/opt/three
	touch rootfs/opt/two/tool
	cp "$SUITE/rootfs/bin/probe" rootfs/opt/three/tool
	config '.process.env = ["PATH=/opt/one:/opt/two:/opt/three", "BERTH_TEST=" + $i]' --arg i "$ID"
	config_args tool
	berth run "$ID"
	json '.args[0] == "tool"'
}

@test "a PATH entry that is empty or relative means the working directory" {
	mkdir -p rootfs/srv/tools
	cp "$SUITE/rootfs/bin/probe" rootfs/srv/tools/tool
	config '.process.cwd = "/srv" | .process.env = ["PATH=/bin:tools", "BERTH_TEST=" + $i]' --arg i "$ID"
	config_args tool
	berth run "$ID"
	json '.args[0] == "tool"'
}

@test "a relative name with a slash starts at the working directory" {
	mkdir -p rootfs/srv
	cp "$SUITE/rootfs/bin/probe" rootfs/srv/tool
	config '.process.cwd = "/srv"'
	config_args ./tool
	berth run "$ID"
	json '.cwd == "/srv"'
}

@test "without PATH a default one is used" {
	config '.process.env = ["BERTH_TEST=" + $i]' --arg i "$ID"
	config_args probe
	berth run "$ID"
	json '.args[0] == "probe"'
}

@test "the host's PATH is not used" {
	mkdir "$T/hostbin"
	cp "$SUITE/rootfs/bin/probe" "$T/hostbin/hosttool"
	config_args hosttool
	PATH=$T/hostbin:$PATH berth_exits 1 run "$ID"
}

@test "env: order, duplicates and odd entries are kept" {
	config '.process.env += ["A=1", "B=", "C=x=y", "D=with blank"]'
	run_probe
	json '.env | contains(["A=1", "B=", "C=x=y", "D=with blank"])'
}

@test "a large environment" {
	config '.process.env += [range(2000) | "VARIABLE_\(.)=" + ("x" * 100)]'
	run_probe
	json '[.env[] | select(startswith("VARIABLE_"))] | length == 2000'
}

@test "cwd" {
	mkdir -p rootfs/srv/deep
	config '.process.cwd = "/srv/deep"'
	run_probe
	json '.cwd == "/srv/deep" and .cwd_inside'
}

@test "a cwd that is missing is made in a writable root" {
	config '.process.cwd = "/srv/made" | .root.readonly = false'
	run_probe
	json '.cwd == "/srv/made" and .cwd_inside'
	[[ -d rootfs/srv/made ]]
}

@test "a cwd that is missing is made before the root becomes read-only" {
	config '.process.cwd = "/srv/made" | .root.readonly = true'
	run_probe
	json '.cwd == "/srv/made" and .cwd_inside'
	[[ -d rootfs/srv/made ]]
	# nor does it matter where it cannot be made, unless it is not there
	config '.process.cwd = "/proc/none"'
	berth_fails 'process.cwd: create "/proc/none"' run "$ID"
}

@test "a cwd that is a file: the error names it" {
	config '.process.cwd = "/etc/passwd"'
	berth_call run "$ID"
	((status == 1)) || fail "exit status $status"
	one_line_error process.cwd
	contains "$stderr" /etc/passwd
	nothing_left
}

@test "a cwd only the user may enter" {
	mkdir -m 700 rootfs/private
	chown 1000:1000 rootfs/private
	config '.process.cwd = "/private" | .process.user = {uid: 1000, gid: 1000} |
		del(.process.capabilities)'
	run_probe
	json '.cwd == "/private"'
}

@test "a symbolic link as cwd stays inside" {
	ln -s / rootfs/link
	config '.process.cwd = "/link"'
	run_probe
	json '.cwd == "/" and .cwd_inside'
}

@test "only the standard streams are open (I3)" {
	exec 7</ 8<"$VICTIM" 9</etc/passwd
	config_args /bin/probe
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" >"$T/out" </dev/null 2>"$T/err"
	exec 7<&- 8<&- 9<&-
	OUT=$T/out
	json '[.fds[].fd] == [0, 1, 2]'
}

@test "only the standard streams are open in exec (I3)" {
	run_detached "$ID" sleep
	exec 7</ 8<"$VICTIM" 9</etc/passwd
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" exec "$ID" /bin/probe >"$T/out" </dev/null 2>"$T/err"
	exec 7<&- 8<&- 9<&-
	OUT=$T/out
	json '[.fds[].fd] == [0, 1, 2]'
}

@test "the executable, root and cwd of process 1 are the container's (I3)" {
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE"])'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.pid1 == {exe: "/bin/probe", cwd: "/", root: "/"}'
}

@test "closed standard streams do not end up as something else" {
	config_args /bin/probe
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" run "$ID" >"$T/out" 2>"$T/err" <&-
	OUT=$T/out
	json '[.fds[] | select(.fd == 0) | .target] - ["/dev/null"] == []'
}

@test "--preserve-fds passes that many, and no more" {
	config_args /bin/probe
	(BERTH_TEST=$ID exec "$RUNTIME" --root "$STATE" run --preserve-fds 2 "$ID" >"$T/out" </dev/null \
		3</etc/passwd 4</etc/group 5</)
	OUT=$T/out
	json '[.fds[].fd] == [0, 1, 2, 3, 4]'
	json '.fds[3].target | endswith("passwd")'
}

@test "--preserve-fds in exec" {
	run_detached "$ID" sleep
	(BERTH_TEST=$ID exec "$RUNTIME" --root "$STATE" exec --preserve-fds 1 "$ID" /bin/probe >"$T/out" \
		</dev/null 3</etc/passwd 4</etc/group 5</)
	OUT=$T/out
	json '[.fds[].fd] == [0, 1, 2, 3]'
}

@test "--preserve-fds with a descriptor that is not open" {
	config_args /bin/probe
	(BERTH_TEST=$ID exec "$RUNTIME" --root "$STATE" run --preserve-fds 2 "$ID" >"$T/out" 2>"$T/err" \
		</dev/null 3<&- 4<&-) || true
	# Refused with a reason, or the container sees nothing of berth in their place.
	if [[ -s $T/out ]]; then
		OUT=$T/out
		json '[.fds[].fd] == [0, 1, 2]'
	else
		contains "$(<"$T/err")" preserve-fds
	fi
}

@test "no signal is blocked, ignored or pending" {
	config_args /bin/probe
	BERTH_TEST=$ID env --ignore-signal=PIPE --ignore-signal=INT --ignore-signal=TERM \
		--block-signal=USR1 --block-signal=CHLD \
		"$RUNTIME" --root "$STATE" run "$ID" >"$T/out" </dev/null
	OUT=$T/out
	json '.signals == {blocked: [], ignored: [], pending: []}'
}

@test "no signal is blocked or ignored in exec" {
	run_detached "$ID" sleep
	BERTH_TEST=$ID env --ignore-signal=PIPE --block-signal=USR1 \
		"$RUNTIME" --root "$STATE" exec "$ID" /bin/probe >"$T/out" </dev/null
	OUT=$T/out
	json '.signals == {blocked: [], ignored: [], pending: []}'
}

@test "the payload leads a session of its own" {
	run_probe
	json '.pid == 1 and .sid == .pid and .pgid == .pid'
}

@test "no parent-death signal, no subreaper, dumpable" {
	run_probe
	json '.pdeathsig == 0 and .subreaper == 0 and .dumpable == 1 and .thp_disabled == 0'
}

@test "noNewPrivileges on and off" {
	run_probe
	json '.no_new_privs == 1'
	config '.process.noNewPrivileges = false'
	run_probe
	json '.no_new_privs == 0'
	config 'del(.process.noNewPrivileges)'
	run_probe
	json '.no_new_privs == 0'
}

@test "noNewPrivileges keeps setuid programs from working" {
	cp "$SUITE/rootfs/bin/probe" rootfs/setuid
	chmod 4755 rootfs/setuid
	config '.process.user = {uid: 1000, gid: 1000}'
	config_args /setuid
	berth run "$ID"
	json '.euid == 1000'
	config '.process.noNewPrivileges = false'
	berth run "$ID"
	json '.euid == 0'
}

@test "oomScoreAdj: raised, and left alone when it is not set" {
	config '.process.oomScoreAdj = 555'
	run_probe
	json '.oom_score_adj == 555'
	config 'del(.process.oomScoreAdj)'
	run_probe
	is "$(value .oom_score_adj)" "$(</proc/self/oom_score_adj)"
}

@test "oomScoreAdj lowered" {
	requires cap_sys_resource
	config '.process.oomScoreAdj = -500'
	run_probe
	json '.oom_score_adj == -500'
}

@test "a session keyring of its own, and --no-new-keyring" {
	run_probe
	json '.keyring | contains($i)' --arg i "$ID"
	config_args /bin/probe
	berth run --no-new-keyring "$ID"
	json '.keyring | contains($i) | not' --arg i "$ID"
}

@test "a user other than root possesses the keyring, too" {
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '.keyring | contains($i)' --arg i "$ID"
}

@test "personality, priority and affinity are the caller's" {
	config_args /bin/probe
	BERTH_TEST=$ID nice -n 3 taskset -c 0 "$RUNTIME" --root "$STATE" run "$ID" >"$T/out" </dev/null
	OUT=$T/out
	json '.personality == "0" and .nice == 3 and .scheduler == 0 and .cpus == 1'
}

@test "the root is read-only, or writable" {
	run_probe report --path /
	json '.paths["/"].write == "EROFS"'
	config '.root.readonly = false'
	run_probe report --path /
	json '.paths["/"].write == "OK"'
	config 'del(.root.readonly)'
	run_probe report --path /
	json '.paths["/"].write == "OK"'
}

@test "root.path: absolute, relative, with dots and a link" {
	run_probe
	config '.root.path = $p' --arg p "$BUNDLE/rootfs"
	run_probe
	config '.root.path = "./other/../rootfs"'
	mkdir other
	run_probe
	ln -s rootfs link
	config '.root.path = "link"'
	berth_call run "$ID"
	# A link as root.path may be refused; if it is taken, it must be the same tree.
	((status == 1)) || json '.pid == 1'
}
