#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec: a further process in a running container.

load helpers

@test "the process sees what the container sees" {
	local kind

	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	for kind in cgroup ipc mnt net pid user uts; do
		is "$(value ".namespaces.$kind")" "$(readlink "/proc/$PID/ns/$kind")" "$kind"
	done
	json '.hostname == $h and .cwd == "/" and .cwd_inside' --arg h "$(jq -r .hostname config.json)"
	json '.pid > 1 and .sid == .pid and .no_new_privs == 1'
}

@test "env, cwd, user, capabilities and limits come from the container's process" {
	mkdir rootfs/srv
	config '.process |= (.cwd = "/srv" | .user = {uid: 12, gid: 34, additionalGids: [56], umask: 7} |
		.env += ["KEY=value"] | del(.capabilities.ambient) | .oomScoreAdj = 321)'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.uid == 12 and .gid == 34 and .groups - [34] == [56] and .umask == "0007" and .cwd == "/srv"'
	json '(.env | index("KEY=value")) and .rlimits.RLIMIT_NOFILE.soft == 1024 and .oom_score_adj == 321'
	json '.caps.effective == [] and (.caps.bounding | length) == 3 and .caps.inheritable == []'
}

@test "the exit status, and 128 and the number for signals" {
	run_detached "$ID" sleep
	berth_exits 0 exec "$ID" /bin/true
	berth_exits 7 exec "$ID" /bin/probe exit 7
	berth_exits 255 exec "$ID" /bin/probe exit 255
	berth_exits 143 exec "$ID" /bin/probe signal 15
	berth_exits 137 exec "$ID" /bin/probe signal 9
}

@test "option parsing stops at the id" {
	run_detached "$ID" sleep
	berth exec "$ID" /bin/sh -c 'echo $0 $1' -d --tty
	is "$output" '-d --tty'
	berth exec "$ID" -- /bin/echo fine || true
}

@test "--env and -e add and replace" {
	config '.process.env += ["KEY=old", "OTHER=stays"]'
	run_detached "$ID" sleep
	berth exec --env KEY=new -e MORE=1 -e 'BLANK=a b' "$ID" /bin/probe
	json '.env | index("OTHER=stays") and index("MORE=1") and index("BLANK=a b")'
	berth exec -e KEY=new "$ID" /bin/sh -c 'echo $KEY'
	is "$output" new
}

@test "--cwd" {
	mkdir rootfs/srv
	run_detached "$ID" sleep
	berth exec --cwd /srv "$ID" /bin/probe
	json '.cwd == "/srv"'
	berth_call exec --cwd /no/such/dir "$ID" /bin/probe
	((status == 255))
	one_line_error /no/such/dir
	berth_call exec --cwd relative "$ID" /bin/probe
	((status == 255))
}

@test "--user with uid, and with uid and gid" {
	config 'del(.process.capabilities.ambient)'
	run_detached "$ID" sleep
	berth exec --user 12 "$ID" /bin/probe
	json '.uid == 12 and .gid == 0 and .caps.effective == []'
	berth exec -u 12:34 "$ID" /bin/probe
	json '.uid == 12 and .gid == 34'
	berth exec --user=0 "$ID" /bin/probe
	json '.uid == 0'
}

@test "--additional-gids and -g" {
	run_detached "$ID" sleep
	berth exec -u 1000:1000 --additional-gids 5 --additional-gids 6 "$ID" /bin/probe
	json '.groups - [1000] | sort == [5, 6]'
	berth exec -u 1000:1000 -g 7 "$ID" /bin/probe
	json '.groups - [1000] == [7]'
}

@test "--cap adds to all sets but inheritable" {
	run_detached "$ID" sleep
	berth exec --cap CAP_NET_RAW "$ID" /bin/probe
	json '(.caps.effective | index("CAP_NET_RAW")) and (.caps.bounding | index("CAP_NET_RAW")) and
		.caps.inheritable == [] and (.caps.bounding | length) == 4'
}

@test "--no-new-privs" {
	config '.process.noNewPrivileges = false'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.no_new_privs == 0'
	berth exec --no-new-privs "$ID" /bin/probe
	json '.no_new_privs == 1'
}

@test "--process and -p take the whole process from a file" {
	run_detached "$ID" sleep
	jq '.process | .args = ["/bin/probe", "report", "x"] | .env = ["ONLY=this", "BERTH_TEST=" + $i] |
		.cwd = "/tmp" | .user = {uid: 5, gid: 6} |
		.capabilities = {bounding: ["CAP_KILL"], permitted: [], effective: []}' \
		--arg i "$ID" config.json >"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	json '.args == ["/bin/probe", "report", "x"] and .uid == 5 and .gid == 6 and .cwd == "/tmp"'
	json '(.env | index("ONLY=this")) and (.env | map(select(startswith("TERM="))) == []) and
		.caps.bounding == ["CAP_KILL"] and .caps.effective == []'
	berth exec -p "$T/process.json" "$ID"
}

@test "a process file with an error: its path in one line" {
	run_detached "$ID" sleep
	jq '.process | .user.uid = "root"' config.json >"$T/process.json"
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error user.uid
	echo '{"args": [' >"$T/process.json"
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error line
	berth_exits 255 exec --process /no/such/file "$ID"
	one_line_error /no/such/file
}

@test "-d: returns at once, with a pid file" {
	run_detached "$ID" sleep
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/probe sleep
	wait_for 5 grep -q ready "$OUT"
	[[ $(<"$T/exec.pid") =~ ^[0-9]+$ ]]
	is "$(readlink "/proc/$(<"$T/exec.pid")/ns/mnt")" "$(readlink "/proc/$PID/ns/mnt")"
	berth exec --detach --pid-file="$T/exec2.pid" "$ID" /bin/true
	[[ $(<"$T/exec2.pid") =~ ^[0-9]+$ ]]
}

@test "-d of a program that is missing fails with 255 and writes no pid file" {
	run_detached "$ID" sleep
	berth_exits 255 exec -d --pid-file "$T/exec.pid" "$ID" /bin/no-such-program
	one_line_error /bin/no-such-program
	[[ ! -e $T/exec.pid ]]
}

@test "a failed exec leaves no zombie, and the container ends by KILL" {
	run_detached "$ID" sleep
	berth_exits 255 exec "$ID" /bin/no-such-program
	berth_exits 255 exec -d "$ID" /bin/no-such-program
	berth exec "$ID" /bin/sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status | wc -l'
	is "$output" 0
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
}

@test "no arguments, no id, an unknown id" {
	run_detached "$ID" sleep
	berth_call exec "$ID"
	((status == 1 || status == 255))
	berth_call exec
	((status == 1 || status == 255))
	berth_exits 255 exec "$ID-unknown" /bin/true
	one_line_error 'does not exist'
}

@test "a stopped container is refused" {
	config_args /bin/true
	berth create "$ID"
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth_exits 255 exec "$ID" /bin/true
	one_line_error stopped
}

@test "a created container takes an exec" {
	config_args /bin/probe sleep
	berth create "$ID"
	berth exec "$ID" /bin/probe
	json '.cwd_inside and .pid > 1'
	status_is "$ID" created
	berth start "$ID"
	status_is "$ID" running
}

@test "stdin and signals" {
	run_detached "$ID" sleep
	echo hello >"$T/input"
	STDIN=$T/input berth exec "$ID" /bin/cat
	is "$output" hello
	berth_background exec "$ID" /bin/probe trap 1 15
	wait_for 10 grep -q ready "$OUT"
	kill -TERM "$BG_PID"
	wait_for 10 grep -q 'signal 15' "$OUT"
	wait "$BG_PID"
}

@test "the payload's orphans go on when exec ends" {
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe orphans 2 leave
	berth exec "$ID" /bin/sh -c 'grep -l probe /proc/[0-9]*/comm | wc -l'
	is "$output" 3
	status_is "$ID" running
}

@test "many at once" {
	local n

	run_detached "$ID" sleep
	for n in {1..20}; do
		berth_background exec "$ID" /bin/probe exit "$n"
	done
	for n in {1..20}; do
		status=0
		wait "${BACKGROUND[n - 1]}" || status=$?
		is "$status" "$n"
	done
}

@test "many in a row" {
	local n

	run_detached "$ID" sleep
	for n in {1..100}; do
		berth exec "$ID" /bin/true
	done
	berth exec "$ID" /bin/sh -c 'set -- /proc/[0-9]*; echo $#'
	# Process 1 and the shell: nothing that forks, since it might be counted or not.
	is "$output" 2
}

@test "a container without an own pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.uid == 0 and .cwd_inside'
	is "$(value .namespaces.pid)" "$(readlink /proc/self/ns/pid)"
}

@test "exec when the container's root has been emptied" {
	run_detached "$ID" sleep
	rm -f rootfs/bin/true
	berth_exits 255 exec "$ID" /bin/true
	one_line_error /bin/true
}

@test "exec while the container ends: an error or a status, never a hang" {
	run_detached "$ID" sleep
	berth_background exec "$ID" /bin/probe sleep
	wait_for 10 grep -q ready "$OUT"
	berth kill "$ID" KILL
	status=0
	wait "$BG_PID" || status=$?
	is "$status" 137
}

@test "exec takes the container's session keyring, and none where the container has none" {
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.keyring | contains($i)' --arg i "$ID"
	berth delete --force "$ID"
	config_args /bin/probe sleep
	berth run -d --no-new-keyring "$ID"
	berth exec "$ID" /bin/probe
	json '.keyring | contains($i) | not' --arg i "$ID"
}

# The cgroup of a detached exec with the options given, relative to the mount; sets WHERE.
exec_where() {
	berth exec -d --pid-file "$T/exec.pid" "$@" /bin/probe sleep
	WHERE=$(cgroup_of "$(<"$T/exec.pid")")
	kill -KILL "$(<"$T/exec.pid")"
}

@test "--cgroup names a cgroup below the container's" {
	local own

	requires cgroup2
	run_detached "$ID" sleep
	own=$(cgroup_of "$PID")
	mkdir -p "$own/a/b"
	exec_where --cgroup a/b "$ID"
	is "$WHERE" "$own/a/b"
	exec_where --cgroup /a "$ID"
	is "$WHERE" "$own/a"
	exec_where --cgroup / "$ID"
	is "$WHERE" "$own"
	exec_where --cgroup a/../a/./b "$ID"
	is "$WHERE" "$own/a/b"
	exec_where --cgroup cpu,memory:a --cgroup pids:a "$ID"
	is "$WHERE" "$own/a"
}

@test "--cgroup cannot leave the container's cgroup, and does not make one" {
	local path

	requires cgroup2
	run_detached "$ID" sleep
	for path in .. ../.. /.. a/../.. "../${ID}x"; do
		berth_exits 255 exec --cgroup "$path" "$ID" /bin/true
		one_line_error 'not a sub cgroup path'
	done
	berth_exits 255 exec --cgroup no/such "$ID" /bin/true
	one_line_error no/such
	berth_exits 255 exec --cgroup cpu:a --cgroup memory:b "$ID" /bin/true
	one_line_error 'one hierarchy'
	berth_exits 255 exec --cgroup :a "$ID" /bin/true
	one_line_error 'name of a controller'
	berth --cgroup-manager disabled run -d "$ID-2"
	berth_exits 255 exec --cgroup / "$ID-2" /bin/true
	one_line_error 'has no cgroup'
}

@test "a container whose init has moved on to a cgroup below: exec goes there" {
	local own

	requires cgroup2 controller=hugetlb
	run_detached "$ID" sleep
	own=$(cgroup_of "$PID")
	mkdir "$own/init"
	echo "$PID" >"$own/init/cgroup.procs"
	grep -qw hugetlb "$own/cgroup.controllers" || skip 'the controller is not passed on'
	echo +hugetlb >"$own/cgroup.subtree_control"
	exec_where "$ID"
	is "$WHERE" "$own/init"
	berth_exits 255 exec --cgroup / "$ID" /bin/true
	one_line_error "cgroup \"${own#"$CGROUP2"}\" takes no process: it passes controllers on"
	contains "$stderr" 'cgroup.subtree_control: hugetlb'
}

@test "--cgroup with a cgroup that takes no process, beside a threaded one, which does" {
	requires cgroup2
	local own

	run_detached "$ID" sleep
	own=$(cgroup_of "$PID")
	mkdir "$own/threads" "$own/none"
	echo threaded >"$own/threads/cgroup.type"
	exec_where --cgroup threads "$ID"
	is "$WHERE" "$own/threads"
	berth_exits 255 exec --cgroup none "$ID" /bin/true
	own=${own#"$CGROUP2"}
	one_line_error "cgroup \"$own/none\" takes no process: cgroup \"$own\" above it has threaded"
	exec_where "$ID"
	is "$WHERE" "$CGROUP2$own"
}

@test "labels are left out with a warning where the kernel enforces none" {
	run_detached "$ID" sleep
	[[ ! -e /sys/module/apparmor/parameters/enabled ]] || skip 'there is AppArmor'
	[[ ! -d /sys/fs/selinux/class ]] || skip 'there is SELinux'
	berth --log-level warning exec --apparmor no-such --process-label a:b:c "$ID" /bin/true
	contains "$stderr" 'process.apparmorProfile: "no-such" has no meaning'
	contains "$stderr" 'process.selinuxLabel: "a:b:c" has no meaning'
	berth exec --apparmor no-such --process-label a:b:c "$ID" /bin/true
	is "$stderr" ''
}

@test "AppArmor: a profile that is not loaded is refused, unconfined is fine" {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y ]] || skip 'needs AppArmor'
	run_detached "$ID" sleep
	berth_exits 255 exec --apparmor no-such-profile "$ID" /bin/true
	one_line_error 'attr/apparmor/exec'
	berth exec --apparmor unconfined "$ID" /bin/cat /proc/self/attr/current
	contains "$output" unconfined
	config '.process.apparmorProfile = "no-such-profile"'
	berth_fails 'attr/apparmor/exec' run "$ID-2"
}

@test "--user takes numbers alone" {
	local user

	run_detached "$ID" sleep
	for user in root 0:root -1 1x ' 1' 1: :1 '' 4294967295 1:4294967295; do
		berth_exits 255 exec --user "$user" "$ID" /bin/true
		one_line_error 'is not a number'
	done
	berth exec --user 4294967294:4294967294 "$ID" /bin/probe
	json '.uid == 4294967294 and .gid == 4294967294'
}

@test "--preserve-fds" {
	run_detached "$ID" sleep
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" exec --preserve-fds 1 "$ID" /bin/probe fd 3 kept \
		3>"$T/third" 4>"$T/fourth"
	is "$(<"$T/third")" kept
	run env "BERTH_TEST=$ID" "$RUNTIME" --root "$STATE" exec --preserve-fds 1 "$ID" \
		/bin/probe fd 4 lost 3>"$T/third" 4>"$T/fourth"
	is "$(<"$T/fourth")" ''
}

# As under an engine's own user namespace: root in it, in a pid namespace that belongs to the host.
@test "exec by whom may not return to the own pid namespace" {
	config 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup")
		| if .type == "devpts" then .options -= ["gid=5"] else . end)'
	config_args /bin/sleep 100
	# shellcheck disable=SC2016 # the inner shell expands it
	BERTH_TEST=$ID unshare --user --map-root-user --mount sh -euc '
		berth="$1 --root $2 --cgroup-manager disabled"
		$berth run -d "$3" </dev/null >/dev/null 2>&1
		trap "$berth delete --force $3" EXIT
		$berth exec "$3" readlink /proc/self/ns/pid
		$berth exec "$3" readlink /proc/1/ns/pid' _ "$RUNTIME" "$STATE" "$ID" >"$T/out"
	[[ $(sort -u "$T/out" | wc -l) -eq 1 ]]
	[[ $(<"$T/out") != *"$(readlink /proc/self/ns/pid)"* ]]
}

@test "descriptors to be passed on that are not there are an error, and the log does not become one" {
	run_detached "$ID" sleep
	run env "BERTH_TEST=$ID" "$RUNTIME" --root "$STATE" --log "$T/log" exec --preserve-fds 1 "$ID" \
		/bin/probe fd 3 leaked 3>&- 4>&-
	((status == 255))
	contains "$output" 'descriptor 3'
	lacks "$(<"$T/log")" leaked
}
