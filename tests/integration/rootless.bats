#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of an ordinary user: no capability, no right over the host but what /etc/subuid gives.
#
# The users are there for the test only: in a mount namespace of its own /etc/passwd, /etc/subuid
# and /etc/subgid are files of the test, so that nothing of the host is changed. User 1000 has the
# ids from 200000 on, user 1001 those from 300000 on; 65536 each.

load helpers
load debian

eval "$(declare -f setup teardown | sed 's/^\(setup\|teardown\) ()/\1_test ()/')"

setup() {
	setup_test
	make_users
	make_user_bundle 1000 "$BUNDLE"
	config '.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.namespaces += [{type: "user"}] | del(.mounts[].options[]? | select(. == "gid=5"))'
	chown 1000:1000 "$T" "$STATE"
	USER_ID=1000
}

make_users() {
	mkdir "$T/etc"
	{
		printf '%s:x:%s:%s::/:/bin/sh\n' berth-one 1000 1000 berth-two 1001 1001
		cat /etc/passwd
	} >"$T/etc/passwd"
	printf '%s:%s:65536\n' berth-one 200000 berth-two 300000 >"$T/etc/subuid"
	cp "$T/etc/subuid" "$T/etc/subgid"
	touch "$T/etc/empty"
	mkdir -m 700 "$T/run-1000" "$T/run-1001"
	chown 1000:1000 "$T/run-1000"
	chown 1001:1001 "$T/run-1001"
}

# A root file system of the user's own: a copy, since the template is shared by hard links.
make_user_bundle() {
	mkdir -p "$2"
	rm -rf "$2/rootfs"
	cp -a "$SUITE/rootfs" "$2/rootfs"
	[[ $2 == "$BUNDLE" ]] || cp "$BUNDLE/config.json" "$2/"
	chown -Rh "$1:$1" "$2"
}

# Executes a command as the user USER_ID, in the directory BUNDLE, with a clean environment. The
# files in HIDDEN cannot be executed.
as_user() {
	unshare -m --propagation private bash -c '
		for file in passwd subuid subgid; do
			mount --bind "$1/etc/$file" "/etc/$file" || exit 99
		done
		for file in $4; do
			mount --bind "$1/etc/empty" "$file" || exit 99
		done
		exec setpriv --reuid "$2" --regid "$2" ${5:---clear-groups} \
			env -i "PATH=$PATH" "BERTH_TEST=$3" "XDG_RUNTIME_DIR=$1/run-$2" "${@:6}"' \
		_ "$T" "$USER_ID" "$ID" "${HIDDEN:-}" "${GROUPS_OPTION:-}" "$@"
}

# berth as the user: as berth_call of the helpers, without --root where STATE is empty.
berth_call() {
	local state=()

	[[ -z $STATE ]] || state=(--root "$STATE")
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	as_user timeout -k 2 "$BERTH_TIMEOUT" "${BINARY:-$RUNTIME}" "${state[@]}" "$@" \
		<"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# Ids 0 to 65536: the user's own first, as podman maps them.
map_sub_ids() {
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 1000, size: 1},
		{containerID: 1, hostID: 200000, size: 65536}]'
}

# --- scheduling ---------------------------------------------------------------------------------

@test "a process that is less important: of one's own id, and of a sub id that is another user's" {
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} |
		.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	run_probe
	json '.sched.policy == 3 and .nice == 5 and .ioprio == 16390'
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 200000, size: 1000}]'
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe
	json '.sched.policy == 3 and .nice == 5 and .ioprio == 16390'
	jq '.process | .args = ["/bin/probe"] | .scheduler.nice = -1' config.json >"$T/process.json"
	chmod 644 "$T/process.json"
	berth_exits 255 exec --process "$T/process.json" "$ID"
	one_line_error 'process.scheduler: set SCHED_BATCH, nice -1: needs CAP_SYS_NICE'
}

@test "a process that is more important is refused" {
	config_args /bin/true
	config '.process.scheduler = {policy: "SCHED_FIFO", priority: 1}'
	berth_fails 'process.scheduler: set SCHED_FIFO, priority 1: needs CAP_SYS_NICE' run "$ID"
	nothing_left
	config 'del(.process.scheduler) | .process.ioPriority = {class: "IOPRIO_CLASS_RT"}'
	berth_fails 'process.ioPriority: set IOPRIO_CLASS_RT, 0: this class needs CAP_SYS_NICE' \
		run "$ID"
	nothing_left
}

# --- ids -----------------------------------------------------------------------------------------

@test "a single id: root inside is the user outside" {
	config '.root.readonly = false'
	run_script 'id -u; cat /proc/self/uid_map /proc/self/setgroups; echo text >/tmp/file'
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 0 1000 1 deny '
	is "$(stat -c %u:%g rootfs/tmp/file)" 1000:1000
}

@test "sub ids: all that config.json maps is mapped, and groups can be set" {
	map_sub_ids
	config '.root.readonly = false | .process.user = {uid: 0, gid: 0, additionalGids: [5, 70]} |
		.process.capabilities[] += ["CAP_CHOWN"]'
	run_script 'id -G; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
		echo text >/tmp/file; chown 7:8 /tmp/file'
	is "$(tr -s ' \n' ' ' <"$OUT")" \
		'0 5 70 0 1000 1 1 200000 65536 0 1000 1 1 200000 65536 allow '
	is "$(stat -c %u:%g rootfs/tmp/file)" 200006:200007
}

@test "the process as another user than root" {
	map_sub_ids
	config '.process.user = {uid: 1000, gid: 100}'
	run_probe
	json '[.uid, .euid, .gid, .egid] == [1000, 1000, 100, 100]'
	json '.caps.effective == []'
}

@test "only sub ids, without the user's own" {
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 200000, size: 1000}]'
	run_script 'id -u; cat /proc/self/uid_map'
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 0 200000 1000 '
}

@test "a missing newuidmap is named" {
	map_sub_ids
	HIDDEN=$(readlink -f "$(command -v newuidmap)")
	berth_fails 'linux.uidMappings: user 1000 needs newuidmap' run "$ID"
	contains "$stderr" 'package uidmap'
	nothing_left
}

@test "a missing newgidmap is named" {
	map_sub_ids
	HIDDEN=$(readlink -f "$(command -v newgidmap)")
	berth_fails 'linux.gidMappings: user 1000 needs newgidmap' run "$ID"
	nothing_left
}

@test "a range that is not in /etc/subuid is refused, with newuidmap's words" {
	map_sub_ids
	config '.linux.uidMappings[1].hostID = 300000'
	berth_fails 'linux.uidMappings: ' run "$ID"
	contains "$stderr" '/etc/subuid'
	contains "$stderr" 'newuidmap: uid range [1-65537) -> [300000-365536) not allowed'
	nothing_left
}

@test "a range that is not in /etc/subgid is refused" {
	map_sub_ids
	config '.linux.gidMappings[1].size = 65537'
	berth_fails 'linux.gidMappings: ' run "$ID"
	contains "$stderr" '/etc/subgid'
	contains "$stderr" 'not allowed'
	nothing_left
}

@test "additional groups with a single id are refused" {
	config '.process.user.additionalGids = [5]'
	berth_fails 'process.user.additionalGids: cannot be set' run "$ID"
	nothing_left
}

@test "groups of the user: given up where that is allowed, else kept" {
	GROUPS_OPTION='--groups 33,44'
	run_probe
	json '.groups | length == 2'
	map_sub_ids
	run_probe
	json '.groups - [0] == []'
}

@test "without a user namespace the error says what is missing" {
	config 'del(.linux.uidMappings, .linux.gidMappings) |
		.linux.namespaces |= map(select(.type != "user"))'
	berth_fails 'linux.namespaces: a user who is not root needs a "user" namespace' run "$ID"
	nothing_left
}

# --- the life of a container ---------------------------------------------------------------------

@test "berth spec --rootless makes a config.json that runs" {
	rm config.json
	chown 1000:1000 .
	berth spec --rootless
	config '.process.args = ["/bin/id", "-u"]'
	berth run "$ID"
	# On a terminal of its own.
	is "$output" $'0\r'
}

@test "create, state, start, kill, delete" {
	config_args /bin/sleep 300
	berth create "$ID"
	berth state "$ID"
	json '.status == "created"'
	berth start "$ID"
	berth state "$ID"
	json '.status == "running"'
	berth list
	contains "$output" "$ID"
	berth_fails 'that is not stopped' delete "$ID"
	berth kill "$ID" KILL
	berth delete "$ID"
	nothing_left
}

@test "an agent that the filter asks: run, create and start, exec" {
	local socket=$T/agent privileges

	map_sub_ids
	background env -u BERTH_TEST "$CACHE_DIR/probe" agent "$socket" getpriority=5
	wait_for 5 test -S "$socket"
	chmod 777 "$socket"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY", listenerPath: $p} |
		.process.user = {uid: 1000, gid: 100}' --arg p "$socket"
	for privileges in true false; do
		config '.process.noNewPrivileges = $p' --argjson p "$privileges"
		run_probe syscall getpriority 0 0
		is "$output" '-1 EIO'
	done
	config_args /bin/probe sleep
	berth create "$ID"
	berth start "$ID"
	berth exec "$ID" /bin/probe syscall getpriority 0 0
	is "$output" '-1 EIO'
}

@test "the exit status is that of the program, and nothing is left" {
	config_args /bin/sh -c 'exit 7'
	berth_exits 7 run "$ID"
	nothing_left
}

@test "delete --force ends a container that runs" {
	run_detached "$ID" sleep
	berth delete --force "$ID"
	wait_for 5 test ! -d "/proc/$PID"
	nothing_left
}

@test "the state root is XDG_RUNTIME_DIR/berth, for the user alone" {
	local given=$STATE

	STATE=
	config_args /bin/sleep 300
	berth create "$ID"
	is "$(stat -c '%a %u' "$T/run-1000/berth" "$T/run-1000/berth/$ID" | tr '\n' ' ')" \
		'700 1000 700 1000 '
	berth delete --force "$ID"
	STATE=$given
}

@test "without XDG_RUNTIME_DIR the error says what to do" {
	STATE=
	config_args /bin/true
	OUT=$T/out ERR=$T/err status=0
	as_user env -u XDG_RUNTIME_DIR "$RUNTIME" run "$ID" >"$OUT" 2>"$ERR" || status=$?
	STATE=$T/state
	stderr=$(<"$ERR")
	is "$status" 1
	one_line_error '/run/berth'
	contains "$stderr" XDG_RUNTIME_DIR
}

@test "two users do not see each other's containers" {
	STATE=
	config_args /bin/sleep 300
	make_user_bundle 1001 "$T/other"
	jq '(.linux.uidMappings, .linux.gidMappings)[].hostID = 1001' config.json >"$T/other/config.json"
	berth create "$ID"
	USER_ID=1001
	berth create -b "$T/other" "$ID"
	berth list -q
	is "$output" "$ID"
	berth delete --force "$ID"
	berth list -q
	is "$output" ''
	berth_call --root "$T/run-1000/berth" kill "$ID" KILL
	is "$status" 1
	contains "$stderr" 'Permission denied'
	USER_ID=1000
	berth state "$ID"
	json '.status == "created"'
	berth delete --force "$ID"
	STATE=$T/state
}

@test "another user's process cannot be killed by a forged state" {
	config_args /bin/sleep 300
	berth run -d --pid-file "$T/pid" "$ID"
	mkdir "$T/forged"
	cp -r "$STATE/$ID" "$T/forged/"
	chown -R 1001:1001 "$T/forged"
	USER_ID=1001
	berth_call --root "$T/forged" kill "$ID" KILL
	is "$status" 1
	contains "$stderr" 'Operation not permitted'
	USER_ID=1000
	status_is "$ID" running
	berth delete --force "$ID"
}

@test "creates that fail leave nothing" {
	config_args /bin/no-such-program
	berth_fails 'no-such-program' create "$ID"
	nothing_left
	config '.mounts += [{destination: "/x", source: "/no/such/source", options: ["bind"]}]'
	berth_fails 'mounts[7].source' create "$ID"
	nothing_left
}

@test "hooks run as the user" {
	config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "id -u >$0", $f]}],
		poststop: [{path: "/bin/sh", args: ["sh", "-c", "echo stop >>$0", $f]}]} |
		.process.args = ["/bin/true"]' --arg f "$T/run-1000/hooks"
	berth run "$ID"
	is "$(tr '\n' ' ' <"$T/run-1000/hooks")" '1000 stop '
}

# --- limits and cgroups --------------------------------------------------------------------------

@test "a limit without a delegated cgroup is refused by name" {
	config '.linux.resources.memory.limit = 100000000'
	berth_fails 'linux.resources.memory.limit: a limit needs a cgroup that is delegated' run "$ID"
	nothing_left
	config 'del(.linux.resources.memory) | .linux.resources.unified = {"pids.max": "10"}'
	berth_fails 'linux.resources.unified["pids.max"]' run "$ID"
	nothing_left
}

@test "without limits the container lives in the cgroup of its creator" {
	config '.linux.cgroupsPath = "/some/where"'
	run_detached "$ID" sleep
	is "$(grep '^0::' "/proc/$PID/cgroup")" "$(grep '^0::' /proc/self/cgroup)"
	berth kill --all "$ID" KILL
	wait_for 5 test ! -d "/proc/$PID"
	berth delete "$ID"
	nothing_left
}

# A cgroup of the test that is the user's, as systemd delegates one; as_user then runs in it.
delegate() {
	requires cgroup2
	DELEGATED=$CGROUP2/user-${ID#bt-}
	mkdir "$DELEGATED" "$DELEGATED/own"
	chown -R 1000:1000 "$DELEGATED/own"
	echo $$ >"$DELEGATED/own/cgroup.procs"
}

teardown() {
	teardown_test
	[[ -z ${DELEGATED:-} ]] || undelegate
}

undelegate() {
	echo $$ >"$CGROUP2/cgroup.procs"
	rmdir "$DELEGATED/own" "$DELEGATED"
}

@test "a delegated cgroup is used, below the own one" {
	delegate
	run_detached "$ID" sleep
	contains "$(<"/proc/$PID/cgroup")" "0::/${DELEGATED##*/}/own/berth-$ID"
	berth delete --force "$ID"
	[[ ! -e $DELEGATED/own/berth-$ID ]] || fail 'the cgroup is left'
	config '.linux.cgroupsPath = "a/b"'
	run_detached "$ID" sleep
	contains "$(<"/proc/$PID/cgroup")" "0::/${DELEGATED##*/}/own/a/b"
	berth kill --all "$ID" KILL
	wait_for 5 test ! -d "/proc/$PID"
	berth delete "$ID"
	[[ ! -e $DELEGATED/own/a ]] || fail 'the cgroup is left'
}

@test "the cgroup is beside the own one, where that is delegated too" {
	delegate
	mkdir "$DELEGATED/own/shell"
	chown -R 1000:1000 "$DELEGATED/own/shell"
	echo $$ >"$DELEGATED/own/shell/cgroup.procs"
	config '.linux.resources.unified = {"cgroup.max.depth": "3"}'
	run_detached "$ID" sleep
	contains "$(<"/proc/$PID/cgroup")" "0::/${DELEGATED##*/}/own/berth-$ID"
	is "$(<"$DELEGATED/own/berth-$ID/cgroup.max.depth")" 3
	berth delete --force "$ID"
	[[ ! -e $DELEGATED/own/berth-$ID ]] || fail 'the cgroup is left'
	echo $$ >"$DELEGATED/own/cgroup.procs"
	rmdir "$DELEGATED/own/shell"
}

@test "resource limits: lowered, and an error where they cannot be raised" {
	requires plain_build
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}]'
	run_script 'ulimit -n; ulimit -Hn'
	is "$(tr '\n' ' ' <"$OUT")" '100 200 '
	config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_NPROC", soft: 1e15, hard: 1e15}]'
	berth_fails 'process.rlimits[1]: set RLIMIT_NPROC' run "$ID"
	nothing_left
}

@test "oomScoreAdj: raised, and an error where it would be lowered" {
	config '.process.oomScoreAdj = 500'
	run_script 'cat /proc/self/oom_score_adj'
	is "$output" 500
	config '.process.oomScoreAdj = -500'
	berth_fails 'process.oomScoreAdj: set -500: lowering it needs CAP_SYS_RESOURCE' run "$ID"
	nothing_left
}

# --- the file system -----------------------------------------------------------------------------

@test "devices are the host's, bound" {
	run_script 'echo text >/dev/null && head -c 3 /dev/zero | wc -c && stat -c "%F %t:%T" /dev/full'
	is "$(tr '\n' ' ' <"$OUT")" '3 character special file 1:7 '
}

@test "linux.devices: a node of the host's, a fifo; a node that the host lacks is an error" {
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11},
		{path: "/dev/pipe", type: "p"}]'
	run_script 'stat -c %F /dev/kmsg /dev/pipe'
	is "$(tr '\n' ' ' <"$OUT")" 'character special file fifo '
	config '.linux.devices = [{path: "/dev/not-there", type: "c", major: 1, minor: 11}]'
	berth_fails 'linux.devices[0]: open the host' run "$ID"
	nothing_left
}

@test "all kinds of new namespaces at once; proc, sysfs, mqueue and cgroup in them" {
	run_script 'cat /proc/1/comm; ls /sys/class/net; stat -f -c %T /proc /sys; hostname 2>/dev/null
		grep -c . /proc/self/mounts >/dev/null; touch /dev/mqueue/q && ls /dev/mqueue'
	contains "$output" lo
	contains "$output" q
	contains "$output" sysfs
}

@test "without a network namespace the host's /sys is shown, read-only" {
	config '.linux.namespaces |= map(select(.type != "network"))'
	run_script 'ls /sys/kernel >/dev/null && echo seen; ls /sys/class/net'
	contains "$output" seen
}

@test "read-only binds of the host stay so, with all capabilities inside" {
	local all

	all=$("$SUITE/rootfs/bin/probe" | jq -c .caps.permitted)
	host_mount -t tmpfs -o ro tmpfs "$T/ro"
	config '.process.capabilities = {bounding: $all, permitted: $all, effective: $all} |
		.mounts += [{destination: "/ro", source: ($t + "/ro"), options: ["bind"]},
		{destination: "/clear", source: ($t + "/ro"), options: ["bind", "ro"]}]' \
		--argjson all "$all" --arg t "$T"
	run_script 'mount -o remount,bind,rw /ro 2>&1; touch /ro/x 2>&1; mount -o remount,bind,rw /clear 2>&1
		touch /clear/x 2>&1; true'
	is "$(grep -c 'Read-only file system' "$OUT")" 2
	config '.mounts[-1].options = ["bind", "exec", "dev", "suid", "rw"]'
	berth run "$ID"
	is "$(grep -c 'Read-only file system' "$OUT")" 2
}

@test "binds read-only, read-write, and of a file" {
	mkdir "$T/shared"
	echo text >"$T/shared/file"
	chown -R 1000:1000 "$T/shared"
	config '.root.readonly = false | .mounts += [
		{destination: "/rw", source: ($t + "/shared"), options: ["rbind"]},
		{destination: "/ro", source: ($t + "/shared"), options: ["rbind", "ro"]},
		{destination: "/one", source: ($t + "/shared/file"), options: ["bind", "ro"]}]' --arg t "$T"
	run_script 'echo more >>/rw/file; cat /one; echo no >>/ro/file; true'
	is "$(tr '\n' ' ' <"$OUT")" 'text more '
	contains "$stderr" 'Read-only file system'
}

@test "an overlay as the root, with an upper layer" {
	mkdir "$T/layers" "$T/layers/upper" "$T/layers/work" "$T/layers/extra"
	echo extra >"$T/layers/extra/file"
	chown -R 1000:1000 "$T/layers"
	config '.root.readonly = false | .annotations = {
		"org.berth.overlay.lower": ($t + "/layers/extra:rootfs"),
		"org.berth.overlay.upper": ($t + "/layers/upper"),
		"org.berth.overlay.work": ($t + "/layers/work")}' --arg t "$T"
	run_script 'cat /file; echo written >/file; rm -r /home/user; cat /file'
	is "$(tr '\n' ' ' <"$OUT")" 'extra written '
	is "$(<"$T/layers/upper/file")" written
	is "$(<"$T/layers/extra/file")" extra
	run_script 'ls /home'
	is "$output" ''
}

@test "an overlay that the user cannot have is an error that names the layer" {
	mkdir -p "$T/layers/upper" "$T/layers/work"
	config '.annotations = {"org.berth.overlay.lower": "rootfs",
		"org.berth.overlay.upper": ($t + "/layers/upper"),
		"org.berth.overlay.work": ($t + "/layers/work")}' --arg t "$T"
	berth_fails 'org.berth.overlay' run "$ID"
	nothing_left
}

# --- security ------------------------------------------------------------------------------------

@test "seccomp, with and without no_new_privs; the compiled filter is kept with the user's state" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]} |
		.process.noNewPrivileges = true'
	run_script 'grep Seccomp: /proc/self/status; mkdir /tmp/x 2>&1; true'
	is "$(tr -s '\t\n' '  ' <"$OUT")" \
		"Seccomp: 2 mkdir: can't create directory '/tmp/x': Operation not supported "
	config '.process.noNewPrivileges = false'
	run_script 'grep Seccomp: /proc/self/status; mkdir /tmp/x 2>&1; true'
	contains "$output" 'not supported'
	is "$(stat -c '%a %u' "$STATE/@seccomp")" '700 1000'
}

@test "root's berth is out of the reach of the container's root" {
	config_args /bin/sleep 300
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	is "$(stat -Lc %d:%i "/proc/$PID/exe")" "$(stat -c %d:%i "$RUNTIME")"
	run nsenter -U -t "$PID" -S 0 -G 0 sh -c 'true >>"$0"' "$RUNTIME"
	contains "$output" 'Permission denied'
	berth delete --force "$ID"
}

@test "a berth that is the user's own is not what a container executes" {
	BINARY=$T/berth
	cp "$RUNTIME" "$BINARY"
	chown 1000:1000 "$BINARY"
	config_args /bin/sleep 300
	berth create --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
	contains "$(readlink "/proc/$PID/exe")" memfd:berth
	berth delete --force "$ID"
}

# --- exec ----------------------------------------------------------------------------------------

@test "exec: in all of the container's namespaces, with the right exit status" {
	run_detached "$ID" sleep
	berth_exits 9 exec "$ID" sh -c 'id -u; cat /proc/1/comm; for n in pid net ipc uts mnt user cgroup; do
		[ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] || echo "other $n"; done; exit 9'
	is "$(tr '\n' ' ' <"$OUT")" '0 probe '
	is "$stderr" ''
	berth delete --force "$ID"
	nothing_left
}

@test "exec with sub ids: as another user, with groups" {
	map_sub_ids
	run_detached "$ID" sleep
	berth exec --user 1000:100 --additional-gids 7 "$ID" id
	contains "$output" 'uid=1000(user) gid=100 groups=7'
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/sleep 200
	is "$(awk '/^Uid/ { print $2 }' "/proc/$(<"$T/exec.pid")/status")" 1000
	berth delete --force "$ID"
	nothing_left
}

@test "exec goes to the processors that are asked for, and has the memory policy" {
	local own

	own=$(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0))[-1:])')
	config '.process.execCPUAffinity = {initial: "0-8191", final: $c}' --arg c "$own"
	[[ ! -d /sys/devices/system/node/node0 ]] ||
		config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	run_detached "$ID" sleep
	berth exec "$ID" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	is "$output" "$own"
	[[ ! -d /sys/devices/system/node/node0 ]] || {
		berth exec "$ID" /bin/probe
		json '.memory_policy == {mode: 2, flags: 0, nodes: [0]}'
	}
	config '.process.execCPUAffinity.final = "8191"'
	jq '.process | .args = ["/bin/true"]' config.json >"$T/process"
	berth_exits 255 exec --process "$T/process" "$ID"
	one_line_error 'process.execCPUAffinity.final: none of the processors "8191" is online'
}

@test "exec with additional groups and a single id is refused" {
	run_detached "$ID" sleep
	berth_exits 255 exec --additional-gids 7 "$ID" id
	contains "$stderr" 'process.user.additionalGids: cannot be set'
	berth delete --force "$ID"
}

@test "exec sees limits and the OOM score of its own" {
	config '.process.oomScoreAdj = 300 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 90, hard: 90}]'
	run_detached "$ID" sleep
	berth exec "$ID" sh -c 'ulimit -n; cat /proc/self/oom_score_adj'
	is "$(tr '\n' ' ' <"$OUT")" '90 300 '
	jq '.process | .args = ["/bin/true"] | .oomScoreAdj = -300 | .user.umask = 18' config.json >"$T/process"
	berth_exits 255 exec --process "$T/process" "$ID"
	contains "$stderr" 'process.oomScoreAdj'
	berth delete --force "$ID"
	nothing_left
}

@test "exec reaches a container whose program has given up root" {
	map_sub_ids
	config '.process.user = {uid: 1000, gid: 1000}'
	run_detached "$ID" sleep
	berth exec "$ID" id -u
	is "$output" 1000
	berth exec --user 0 "$ID" id -u
	is "$output" 0
	berth delete --force "$ID"
}

@test "exec in a container that is created only says why it cannot" {
	config_args /bin/sleep 300
	berth create "$ID"
	berth_exits 255 exec "$ID" id
	contains "$stderr" 'created, but not started'
	berth delete --force "$ID"
}

@test "exec in a delegated cgroup: the process is in it" {
	delegate
	run_detached "$ID" sleep
	berth exec "$ID" sh -c 'cat /proc/self/cgroup'
	contains "$output" '0::/'
	is "$(sed -n 's/^0:://p' <<<"$output")" /
	berth delete --force "$ID"
}

@test "ps, pause and resume: with a delegated cgroup; without one there is only ps" {
	run_detached "$ID" sleep
	berth_call pause "$ID"
	is "$status" 1
	contains "$stderr" cgroup
	berth exec -d --pid-file "$T/exec.pid" "$ID" /bin/sleep 200
	berth ps --format json "$ID"
	is "$(jq -c sort "$OUT")" "[$PID,$(<"$T/exec.pid")]"
	berth ps "$ID"
	contains "$output" "/bin/sleep 200"
	berth delete --force "$ID"
	delegate
	run_detached "$ID" sleep
	berth pause "$ID"
	berth resume "$ID"
	berth ps --format json "$ID"
	is "$(tr -d '[] \n' <"$OUT")" "$PID"
	berth delete --force "$ID"
}

newcomer() {
	sed "/^$PID\$/d" "$(cgroup_of "$PID")/cgroup.procs"
}

has_newcomer() {
	[[ -n $(newcomer) ]]
}

# The one that waits there is the process in between, frozen before it has joined anything.
@test "TERM ends an exec that waits in a paused container" {
	local waiting

	delegate
	run_detached "$ID" sleep
	berth pause "$ID"
	as_user "$RUNTIME" --root "$STATE" exec --ignore-paused "$ID" /bin/true 2>"$T/err" 3>&- 4>&- &
	BACKGROUND+=("$!")
	wait_for 5 has_newcomer
	waiting=$(newcomer)
	kill -TERM "$(sed -n 's/^PPid:\t//p' "/proc/$waiting/status")"
	status=0
	wait "${BACKGROUND[-1]}" || status=$?
	is "$status" 255
	is "$(<"$T/err")" 'berth: interrupted by a signal'
	is "$(newcomer)" ''
	berth resume "$ID"
	berth exec "$ID" /bin/true
	berth delete --force "$ID"
}

# --- terminals -----------------------------------------------------------------------------------

@test "a terminal, with run and with exec" {
	requires command=script
	config '.process.terminal = true'
	config_args /bin/sh -c 'test -t 0 && test -t 1 && echo is-a-terminal; stat -c %t /dev/console'
	as_user script -qec "$RUNTIME --root $STATE run $ID" /dev/null </dev/null >"$T/typed" 2>&1
	contains "$(<"$T/typed")" is-a-terminal
	config '.process.terminal = false'
	run_detached "$ID" sleep
	as_user script -qec "$RUNTIME --root $STATE exec -t $ID sh -c 'test -t 0 && echo is-a-terminal'" \
		/dev/null </dev/null >"$T/typed" 2>&1
	contains "$(<"$T/typed")" is-a-terminal
	berth delete --force "$ID"
}

# --- root of somebody's user namespace -----------------------------------------------------------

# berth as root of a user namespace of USER_ID's, as in "podman unshare".
berth_unshared() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	as_user unshare -U -r --map-auto -m timeout -k 2 "$BERTH_TIMEOUT" "$RUNTIME" --root "$STATE" "$@" \
		</dev/null >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

@test "root of a user namespace: without another one for the container" {
	config 'del(.linux.uidMappings, .linux.gidMappings) | .process.user.additionalGids = [5] |
		.linux.namespaces |= map(select(.type != "user"))'
	config_args /bin/sh -c 'id -G; cat /proc/self/uid_map; echo text >/dev/null'
	berth_unshared run "$ID"
	is "$stderr" ''
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 5 0 1000 1 1 200000 65535 '
}

@test "root of a user namespace: with one more inside, limits refused, a lower OOM score too" {
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 0, size: 1000}]'
	config_args /bin/sh -c 'id -u; cat /proc/self/uid_map'
	berth_unshared run "$ID"
	is "$status" 1
	one_line_error 'linux.uidMappings: '
	contains "$stderr" 'by one range there'
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 0, size: 1},
		{containerID: 1, hostID: 1, size: 999}]'
	berth_unshared run "$ID"
	is "$stderr" ''
	is "$(tr -s ' \n' ' ' <"$OUT")" '0 0 0 1 1 1 999 '
	config '.process.oomScoreAdj = -500'
	berth_unshared run "$ID"
	is "$status" 1
	one_line_error 'process.oomScoreAdj: set -500: lowering it needs CAP_SYS_RESOURCE'
	config 'del(.process.oomScoreAdj) | .linux.resources.pids.limit = 10'
	berth_unshared run "$ID"
	is "$status" 1
	one_line_error 'linux.resources.pids.limit: a limit needs a cgroup that is delegated'
	nothing_left
}

@test "--rootless=false: no cgroup is an error; =true for root: it is none" {
	config_args /bin/true
	berth_call --rootless=false run "$ID"
	is "$status" 1
	contains "$stderr" 'is not delegated to user 1000'
	berth --rootless=true run "$ID"
	nothing_left
}

# --- a distribution ------------------------------------------------------------------------------

# The tree of the Debian in the cache, unpacked by the user: ids 0 to 65535 are his own and sub ids.
debian_of_user() {
	debian_rootfs
	DEBIAN_ROOT=$T/debian
	mkdir "$DEBIAN_ROOT"
	chown 1000:1000 "$DEBIAN_ROOT"
	tar -C "$CACHE_DIR/debian" --exclude ./dev -c . |
		as_user unshare -U -r --map-auto tar -x -C "$DEBIAN_ROOT"
}

@test "Debian with Docker-like configuration: bash, apt, id and the status of the process" {
	map_sub_ids
	debian_of_user
	docker_like
	config_args bash -c 'apt --version; id; cat /proc/self/status'
	BERTH_TIMEOUT=120 berth run "$ID"
	is "$stderr" ''
	contains "$output" 'apt 2.'
	contains "$output" 'uid=0(root) gid=0(root) groups=0(root)'
	contains "$output" $'CapEff:\t00000000a80425fb'
	contains "$output" $'CapBnd:\t00000000a80425fb'
	contains "$output" $'Seccomp:\t2'
	contains "$output" $'Uid:\t0\t0\t0\t0'
	config_args bash -c 'su -s /bin/sh nobody -c "id -un"; stat -c %U /etc/shadow /var/mail
		mount -t tmpfs tmpfs /mnt 2>&1; seq 1 1000 | sort -R | sort -n | tail -n 1'
	berth run "$ID"
	contains "$output" $'nobody\nroot\nroot'
	contains "$output" 'ermi'
	contains "$output" 1000
}

# --- cgroups seen from inside --------------------------------------------------------------------

@test "a cgroup mount without a cgroup namespace: the host's, read-only all over" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	run_script 'while read -r _ _ _ _ place options _; do case $place in /sys/fs/cgroup*) echo "$place $options";; esac
		done </proc/self/mountinfo; mkdir /sys/fs/cgroup/x 2>&1; true'
	contains "$output" '/sys/fs/cgroup ro'
	contains "$output" 'Read-only file system'
	lacks "$(grep '^/sys/fs/cgroup' "$OUT")" ' rw,'
}

@test "the /sys of berth spec --rootless is read-only all over" {
	rm config.json
	berth spec --rootless
	config 'del(.mounts[] | select(.destination == "/sys/fs/cgroup")) | .process.terminal = false'
	run_script 'while read -r _ _ _ _ place options _; do case $place in /sys*) echo "$place $options";; esac
		done </proc/self/mountinfo'
	contains "$output" '/sys ro'
	lacks "$output" ' rw,'
}

@test "limits in a delegated cgroup" {
	local controller=pids

	requires controller=pids
	echo +pids >"$CGROUP2/cgroup.subtree_control"
	delegate
	echo +pids >"$DELEGATED/cgroup.subtree_control"
	config ".linux.cgroupsPath = \"/${DELEGATED##*/}/limited\" | .linux.resources.pids.limit = 20"
	chown 1000:1000 "$DELEGATED" "$DELEGATED/cgroup.procs" "$DELEGATED/cgroup.subtree_control"
	run_detached "$ID" sleep
	is "$(<"$DELEGATED/limited/pids.max")" 20
	berth delete --force "$ID"
	# Beside the own cgroup by itself, where that is delegated.
	config 'del(.linux.cgroupsPath)'
	run_detached "$ID" sleep
	is "$(<"$DELEGATED/berth-$ID/pids.max")" 20
	berth delete --force "$ID"
	# Below the own cgroup there cannot be one: processes are in it.
	chown 0:0 "$DELEGATED" "$DELEGATED/cgroup.procs" "$DELEGATED/cgroup.subtree_control"
	berth_fails 'linux.resources.pids.limit: enable "+pids"' run "$ID"
	contains "$stderr" 'processes of its own'
	is "$(<"$DELEGATED/own/cgroup.subtree_control")" ''
}

@test "a directory that the container's root may not enter is named" {
	mkdir -m 711 "$T/open"
	mkdir -m 700 "$T/open/private"
	mkdir "$T/open/private/source"
	chown -R 1000:1000 "$T/open"
	config '(.linux.uidMappings, .linux.gidMappings) |= [{containerID: 0, hostID: 200000, size: 1000}] |
		.mounts += [{destination: "/tmp", source: ($t + "/open/private/source"), options: ["bind"]}]' --arg t "$T"
	berth_fails "the container's root may not enter \"$T/open/private\"" run "$ID"
	contains "$stderr" 'mounts[7].source: open'
	nothing_left
}

@test "an id-mapped mount of the host's is refused by name" {
	mkdir "$T/shared"
	config '.mounts += [{destination: "/tmp", source: ($t + "/shared"), options: ["bind", "idmap"]}]' --arg t "$T"
	berth_fails 'mounts[7].options: mapping ids needs' run "$ID"
	nothing_left
}
