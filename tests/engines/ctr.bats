#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containerd's client drives the runtime through containerd's shim.

load ctr

@test "run prints, and leaves nothing" {
	runs echo hello
	is hello
}

@test "run ends with the program's status" {
	exits 3 "${RUN[@]}" --rm "$IMAGE" c sh -c 'exit 3'
}

@test "a program that is not there is named" {
	exits 1 "${RUN[@]}" --rm "$IMAGE" c no-such-program
	says no-such-program
	says 'not found'
}

@test "a file that is not executable is named" {
	exits 1 "${RUN[@]}" --rm "$IMAGE" c /data/file
	[[ ${stderr,,} == *'permission denied'* ]]
}

@test "standard output and error stay apart" {
	runs sh -c 'echo out; echo err >&2'
	is out
	[[ $stderr == err ]]
}

@test "standard input arrives" {
	echo word >"$D/in"
	# ctr may miss that its own input ends.
	STDIN=$D/in runs sh -c 'read -r x; echo "got $x"'
	is 'got word'
}

@test "a megabyte of output arrives whole" {
	runs seq 1 160000
	[[ $(md5sum <"$D/out") == "$(seq 1 160000 | md5sum)" ]]
}

@test "run --tty" {
	# ctr itself may lose what a program writes right before its end.
	call script -qec "${CTR[*]} ${RUN[*]} --rm --tty $IMAGE c sh -c 'tty; sleep 0.3'" /dev/null
	has /dev/pts/0
}

@test "a detached task runs, its log is written, it is stopped and deleted" {
	sleeper
	is_status RUNNING
	ctr_ok task kill --signal TERM c
	eventually is_status STOPPED
	ctr_ok task delete c
	ctr_ok container delete c
}

@test "--pid-file" {
	sleeper --pid-file "$D/pid"
	[[ $(<"$D/pid") == "$(pid_of)" ]]
}

@test "kill with a signal that is handled" {
	detached -- sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done'
	eventually grep -q ready "$D/log"
	ctr_ok task kill --signal USR1 c
	eventually grep -q usr1 "$D/log"
	is_status RUNNING
}

@test "kill KILL" {
	detached -- sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
	eventually grep -q ready "$D/log"
	ctr_ok task kill --signal KILL c
	eventually is_status STOPPED
}

@test "kill --all" {
	sleeper
	ctr_ok task exec --detach --exec-id e c sleep 999
	ctr_ok task kill --all --signal KILL c
	eventually is_status STOPPED
}

@test "kill of what has ended is an error that containerd understands" {
	detached -- true
	eventually is_status STOPPED
	call "${CTR[@]}" task kill --signal TERM c
	((status != 0)) || fail 'the dead were killed'
	says 'not found'
}

@test "delete --force of a running task" {
	sleeper
	ctr_ok task delete --force c
	ctr_ok container delete c
}

@test "pause and resume" {
	detached -- sh -c 'echo ready; while :; do echo tick; sleep 0.05; done'
	eventually grep -q ready "$D/log"
	ctr_ok task pause c
	is_status PAUSED
	local before
	before=$(wc -l <"$D/log")
	sleep 0.3
	[[ $(wc -l <"$D/log") == "$before" ]] || fail 'it goes on'
	ctr_ok task resume c
	more() { [[ $(wc -l <"$D/log") -gt $before ]]; }
	eventually more
}

@test "exec prints, and ends with the program's status" {
	sleeper
	ctr_ok task exec --exec-id e c echo hello
	is hello
	exits 4 task exec --exec-id e c sh -c 'exit 4'
}

@test "exec of a program that is not there is named" {
	sleeper
	call "${CTR[@]}" task exec --exec-id e c no-such-program
	((status != 0)) || fail 'it ran'
	says no-such-program
}

@test "exec --tty" {
	sleeper
	call script -qec "${CTR[*]} task exec --tty --exec-id e c tty" /dev/null
	has /dev/pts/0
}

@test "exec --cwd --user" {
	sleeper
	ctr_ok task exec --exec-id e --cwd /data --user 1000:1000 c sh -c 'pwd; id -u'
	is $'/data\n1000'
}

@test "exec: a signal to it alone" {
	sleeper
	ctr_ok task exec --detach --exec-id e c sleep 999
	ctr_ok task kill --exec-id e --signal KILL c
	gone() { ! "${CTR[@]}" task ps c | grep -q '"ExecID":"e"\|exec_id:"e"'; }
	eventually gone
	is_status RUNNING
}

@test "ps lists the container's processes" {
	sleeper
	ctr_ok task exec --detach --exec-id e c sleep 999
	ctr_ok task ps c
	has "$(pid_of)"
	has 'e'
	[[ $(wc -l <<<"$output") -ge 3 ]]
}

@test "--cwd and --env" {
	runs --cwd=/data --env=X=1 sh -c 'pwd; echo $X'
	is $'/data\n1'
}

@test "--read-only" {
	runs --read-only sh -c 'touch /x || echo refused'
	is refused
}

@test "--mount: a bind mount" {
	mkdir "$D/dir"
	echo host >"$D/dir/in"
	runs "--mount=type=bind,src=$D/dir,dst=/mnt,options=rbind:rw" sh -c 'cat /mnt/in; echo guest >/mnt/out'
	is host
	[[ $(<"$D/dir/out") == guest ]]
}

@test "--mount: a read-only bind mount" {
	mkdir "$D/dir"
	runs "--mount=type=bind,src=$D/dir,dst=/mnt,options=rbind:ro" sh -c 'touch /mnt/x || echo refused'
	is refused
}

@test "--mount: tmpfs" {
	runs --mount=type=tmpfs,src=tmpfs,dst=/mnt,options=size=64k:mode=1700 sh -c 'stat -c %a /mnt; grep " /mnt " /proc/mounts'
	has 1700
	has size=64k
}

@test "--cap-drop and --cap-add" {
	runs --cap-drop=CAP_CHOWN --cap-add=CAP_NET_ADMIN grep CapEff /proc/self/status
	has 00000000a80435fa
}

@test "no new privileges, unless they are allowed" {
	runs grep NoNewPrivs /proc/self/status
	has 1
	runs --allow-new-privs grep NoNewPrivs /proc/self/status
	has 0
}

@test "--seccomp" {
	runs --seccomp sh -c 'grep Seccomp: /proc/self/status; unshare -m true || echo refused'
	has $'Seccomp:\t2'
	has refused
}

@test "--privileged" {
	runs --privileged grep -E 'CapBnd|Seccomp:' /proc/self/status
	has "$(grep CapBnd /proc/self/status)"
	has $'Seccomp:\t0'
}

@test "--device" {
	runs --device=/dev/fuse sh -c 'stat -c "%t %T" /dev/fuse'
	is 'a e5'
}

@test "--net-host" {
	runs --net-host readlink /proc/self/ns/net
	is "$(readlink /proc/self/ns/net)"
}

@test "--with-ns: a namespace that exists" {
	sleeper
	ctr_ok "${RUN[@]}" --rm --with-ns "network:/proc/$(pid_of)/ns/net" "$IMAGE" d readlink /proc/self/ns/net
	is "$(readlink "/proc/$(pid_of)/ns/net")"
}

@test "--uidmap and --gidmap" {
	ctr_ok "${RUN[@]}" --rm --uidmap 0:100000:2000 --gidmap 0:100000:2000 "$IMAGE" c \
		sh -c 'cat /proc/self/uid_map; id -u; stat -c %u /etc/passwd'
	has 100000
	[[ $output == *$'0\n0' ]]
}

@test "--rootfs: a directory instead of an image" {
	cp -a "$LAB/image/rootfs" "$D/rootfs"
	ctr_ok "${RUN[@]}" --rm --rootfs "$D/rootfs" c /bin/sh -c 'echo here >/made'
	[[ $(<"$D/rootfs/made") == here ]]
}

@test "--config: a specification of one's own" {
	"$RUNC" spec --bundle "$D"
	jq --arg root "$LAB/image/rootfs" '.root.path = $root | .process.terminal = false | .hostname = "own"
		| .process.args = ["hostname"] | .process.rlimits = []' "$D/config.json" >"$D/spec.json"
	ctr_ok "${RUN[@]}" --rm --config "$D/spec.json" c
	is own
}

@test "--cgroup: a place of its own" {
	sleeper --cgroup /own/place
	grep -q /own/place "/proc/$(pid_of)/cgroup"
	ctr_ok task delete --force c
	# Some leave the directories that they made on the way.
	rmdir /sys/fs/cgroup/own 2>/dev/null || true
}

@test "--memory-limit" {
	controllers memory
	sleeper --memory-limit=67108864
	[[ $(cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")/memory.max") == 67108864 ]]
}

@test "metrics" {
	controllers memory pids cpu
	sleeper
	ctr_ok task metrics c
	has pids.current
}

@test "the daemon may restart under a running container" {
	sleeper
	local pid
	pid=$(pid_of)
	kill "$(<"$LAB/containerd.pid")"
	eventually bash -c "! kill -0 $(<"$LAB/containerd.pid") 2>/dev/null"
	containerd --config "$LAB/containerd.toml" >>"$LAB/containerd.log" 2>&1 3>&- 4>&- &
	echo $! >"$LAB/containerd.pid"
	eventually "${CTR[@]}" version >/dev/null 2>&1
	[[ $(pid_of) == "$pid" ]]
	ctr_ok task exec --exec-id e c echo still
	is still
}
