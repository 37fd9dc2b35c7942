#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman drives the runtime; as root or as an ordinary user, as tests/engines/run asks.

load podman

# --- run, its ends, its streams ------------------------------------------------------------------

@test "run prints, and leaves nothing" {
	runs box echo hello
	is hello
}

@test "run ends with the program's status" {
	exits 3 run --rm --network none box sh -c 'exit 3'
}

@test "a program that is not there: 127" {
	exits 127 run --rm --network none box no-such-program
	says no-such-program
}

@test "a file that is not there: 127" {
	exits 127 run --rm --network none box /no/such/program
}

@test "a file that is not executable: 126" {
	exits 126 run --rm --network none box /data/file
}

@test "a directory is not executable: 126" {
	exits 126 run --rm --network none box /data
}

@test "run -i: standard input arrives" {
	echo from outside >"$D/in"
	STDIN=$D/in runs -i box cat
	is 'from outside'
}

@test "standard output and error stay apart" {
	runs box sh -c 'echo out; echo err >&2'
	is out
	[[ $stderr == err ]]
}

@test "a megabyte of output arrives whole" {
	runs box sh -c 'seq 1 160000 | md5sum; seq 1 160000 >&2'
	has "$(seq 1 160000 | md5sum)"
	[[ $(md5sum <"$D/err") == "$(seq 1 160000 | md5sum)" ]]
}

@test "run -t: a terminal" {
	runs -t box sh -c 'tty; stty size'
	has /dev/pts/0
}

@test "run -t: a program that is not there: 127" {
	exits 127 run --rm -t --network none box no-such-program
}

@test "run -d, logs, wait" {
	pod run -d --name c --network none box sh -c 'echo out; echo err >&2; exit 5'
	pod wait c
	is 5
	pod logs c
	is out
	[[ $stderr == err ]]
}

@test "logs -f follows to the end" {
	pod run -d --name c --network none box sh -c 'for i in 1 2 3; do echo $i; sleep 0.1; done'
	pod logs -f c
	is $'1\n2\n3'
}

@test "attach sees the output, and passes the status on" {
	pod create --name c --network none box sh -c 'echo seen; exit 4'
	exits 4 start --attach c
	is seen
}

@test "attach to a running container passes input on" {
	pod run -d -i --name c --network none box sh -c 'read -r x; echo got $x'
	echo word >"$D/in"
	STDIN=$D/in pod attach c
	is 'got word'
}

@test "create, init, start: the program waits for start" {
	pod create --name c --network none box echo started
	pod init c
	state .State.Status c
	is initialized
	pod logs c
	is ''
	pod start c
	pod wait c
	pod logs c
	is started
}

@test "a container that was only set up is removed" {
	pod create --name c --network none box echo started
	pod init c
	pod rm c
}

@test "start runs a stopped container again" {
	pod run --name c --network none box sh -c 'echo run'
	pod start --attach c
	pod logs c
	is $'run\nrun'
}

@test "restart starts it anew" {
	local first
	sleeper c
	state .State.Pid c
	first=$output
	pod restart --time 5 c
	state .State.Pid c
	[[ $output -gt 0 && $output != "$first" ]] || fail "the same process: $first"
	state .State.Running c
	is true
}

@test "--restart=on-failure:2 tries again" {
	pod run -d --name c --network none --restart on-failure:2 box sh -c 'echo once; exit 1'
	eventually is_state .RestartCount c 2
	eventually is_state .State.Status c exited
	pod logs c
	is $'once\nonce\nonce'
}

# --- signals -------------------------------------------------------------------------------------

@test "stop: the program may end by itself" {
	detached c box sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
	pod stop --time 10 c
	state .State.ExitCode c
	is 7
}

@test "stop kills what does not end: 137" {
	detached c box sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
	pod stop --time 1 c
	state .State.ExitCode c
	is 137
}

@test "--stop-signal" {
	detached c --stop-signal INT box sh -c 'trap "exit 8" INT; echo ready; while :; do sleep 0.1; done'
	pod stop --time 10 c
	state .State.ExitCode c
	is 8
}

@test "kill with a signal that is handled" {
	detached c box sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done'
	pod kill --signal USR1 c
	eventually logged c usr1
	state .State.Running c
	is true
}

@test "kill with a real-time signal" {
	detached c box sh -c 'trap "exit 9" 37; echo ready; while :; do sleep 0.1; done'
	pod kill --signal RTMIN+3 c
	pod wait c
	is 9
}

@test "kill: 137 in wait and inspect" {
	detached c box sh -c 'echo ready; while :; do sleep 1; done'
	pod kill c
	pod wait c
	is 137
	state '.State.ExitCode}} {{.State.OOMKilled' c
	is '137 false'
}

@test "kill fails on a container that has ended" {
	pod run --name c --network none box true
	call podman --runtime "$RUNTIME" kill c
	((status != 0)) || fail 'kill of the dead succeeds'
}

@test "rm -f of a running container" {
	detached c box sh -c 'trap "" TERM; echo ready; sleep 1000'
	pod rm --force --time 0 c
	exits 1 container exists c
}

@test "rm -f takes programs along that exec started" {
	sleeper c
	pod exec -d c sleep 1000
	pod exec -d c sh -c 'trap "" TERM; sleep 1000'
	pod rm --force --time 0 c
}

@test "a program without a pid namespace of its own takes nothing with it, leaves nothing" {
	needs_root 'podman has no way to kill all of them without a cgroup'
	detached c --pid host box sh -c 'sleep 1000 & echo ready; wait'
	pod rm --force --time 0 c
}

@test "pause and unpause" {
	needs_root 'podman needs a cgroup that is handed over by systemd'
	detached c box sh -c 'echo ready; while :; do echo tick; sleep 0.05; done'
	pod pause c
	state .State.Status c
	is paused
	pod logs c
	local before=$output
	sleep 0.3
	pod logs c
	is "$before"
	pod unpause c
	state .State.Status c
	is running
	more() { pod logs c && [[ $output != "$before" ]]; }
	eventually more
}

@test "rm -f of a paused container" {
	needs_root 'podman needs a cgroup that is handed over by systemd'
	sleeper c
	pod pause c
	pod rm --force --time 0 c
}

# --- exec ----------------------------------------------------------------------------------------

@test "exec prints, and ends with the program's status" {
	sleeper c
	pod exec c echo hello
	is hello
	exits 4 exec c sh -c 'exit 4'
}

@test "exec sees the container's processes and ends up in its cgroup" {
	sleeper c
	pod exec c sh -c 'cat /proc/self/cgroup; echo --; cat /proc/1/cgroup'
	[[ ${output%%--*} == "${output##*--$'\n'}"$'\n' ]] || fail 'another cgroup'
	pod exec c ps
	has 'sleep 1000'
}

@test "exec -i: standard input arrives" {
	sleeper c
	echo word >"$D/in"
	STDIN=$D/in pod exec -i c cat
	is word
}

@test "exec -t: a terminal" {
	sleeper c
	pod exec -t c tty
	has /dev/pts/0
}

@test "exec --user --workdir --env" {
	sleeper c
	pod exec --user user --workdir /data --env X=1 c sh -c 'id; pwd; echo $X $HOME'
	has 'uid=1000(user) gid=1000(user)'
	has '2000(extra)'
	has $'/data\n1 /home/user'
}

@test "exec --privileged" {
	sleeper c
	pod exec c grep CapEff /proc/self/status
	local before=$output
	pod exec --privileged c grep CapEff /proc/self/status
	[[ $output != "$before" ]] || fail "no more than before"
}

@test "exec of a program that is not there: 127" {
	sleeper c
	exits 127 exec c no-such-program
}

@test "exec of a file that is not executable: 126" {
	sleeper c
	exits 126 exec c /data/file
}

@test "exec --preserve-fds" {
	sleeper c
	echo preserved >"$D/in"
	call bash -c 'exec podman --runtime "$1" exec --preserve-fds 1 c cat /proc/self/fd/3 3<"$2"' _ \
		"$RUNTIME" "$D/in"
	is preserved
}

@test "run --preserve-fds" {
	echo preserved >"$D/in"
	call bash -c 'exec podman --runtime "$1" run --rm --network none --preserve-fds 1 box \
		sh -c "cat <&3" 3<"$2"' _ "$RUNTIME" "$D/in"
	is preserved
}

@test "top" {
	sleeper c
	pod top c pid args
	has 'sleep 1000'
}

@test "healthcheck" {
	sleeper c --health-cmd 'test -e /tmp/well' --health-interval disable
	exits 1 healthcheck run c
	pod exec c touch /tmp/well
	pod healthcheck run c
	is_state .State.Health.Status c healthy || is_state .State.Healthcheck.Status c healthy
}

# --- the process ---------------------------------------------------------------------------------

@test "--user by name: its groups and home" {
	runs --user user box sh -c 'id; echo $HOME'
	has 'uid=1000(user) gid=1000(user)'
	has '2000(extra)'
	has /home/user
}

@test "--user by numbers, --group-add" {
	runs --user 77:88 --group-add 99 box id
	[[ $output =~ ^uid=77.*\ gid=88.*99 ]] || fail 'other ids'
}

@test "an unknown user name is refused" {
	call podman --runtime "$RUNTIME" run --rm --network none --user nobody-here box true
	((status != 0)) || fail 'it ran'
	says nobody-here
}

@test "a user can write to /dev/stdout and /dev/stderr" {
	runs --user user box sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
	is out
	[[ $stderr == err ]]
}

@test "--workdir" {
	runs --workdir /data box pwd
	is /data
}

@test "--workdir that is not there" {
	call podman --runtime "$RUNTIME" run --rm --network none --workdir /no/such box true
	((status != 0)) || fail 'it ran'
	says /no/such
}

@test "--env and --entrypoint" {
	runs --env A=1 --env 'B=two words' --entrypoint '["/bin/sh", "-c"]' box 'echo "$A $B"; env'
	has '1 two words'
	has container=podman
}

@test "--umask" {
	runs --umask 0077 box sh -c 'umask; touch /tmp/x; stat -c %a /tmp/x'
	is $'0077\n600'
}

@test "--oom-score-adj" {
	runs --oom-score-adj 500 box cat /proc/self/oom_score_adj
	is 500
}

@test "--ulimit" {
	runs --ulimit nofile=512:600 --ulimit nproc=4096:4096 box sh -c 'ulimit -Sn; ulimit -Hn'
	is $'512\n600'
}

@test "--init: orphans are buried" {
	runs --init box sh -c 'cat /proc/1/comm; (sleep 0.01 &); sleep 0.3; ps -o comm,stat'
	has podman-init
	hasnt 'Z'
}

@test "--cap-drop all" {
	runs --cap-drop all box grep Cap /proc/self/status
	[[ $(grep -c '0000000000000000' <<<"$output") -eq 5 ]] || fail 'some are left'
}

@test "--cap-add" {
	runs --cap-drop all --cap-add net_admin box grep -E 'Cap(Eff|Bnd)' /proc/self/status
	has $'CapEff:\t0000000000001000'
	has $'CapBnd:\t0000000000001000'
}

@test "--cap-add for another user is ambient" {
	runs --user user --cap-drop all --cap-add net_admin box grep -E 'Cap(Eff|Amb)' /proc/self/status
	has $'CapEff:\t0000000000001000'
	has $'CapAmb:\t0000000000001000'
}

@test "no-new-privileges" {
	runs --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
	has 1
}

@test "the default seccomp profile is loaded, and bites" {
	runs box sh -c 'grep Seccomp: /proc/self/status; unshare -m true; echo $?'
	has $'Seccomp:\t2'
	has 1
	[[ $stderr == *'not permitted'* ]]
}

@test "seccomp=unconfined" {
	runs --security-opt seccomp=unconfined box grep Seccomp: /proc/self/status
	has $'Seccomp:\t0'
}

@test "a seccomp profile of one's own" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmodat",
		"fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}' >"$D/profile"
	exits 1 run --rm --network none --security-opt "seccomp=$D/profile" box chmod 600 /tmp
	says 'No space left'
}

@test "--privileged: all capabilities, no filter, the host's devices" {
	runs --privileged box sh -c 'grep -E "CapBnd|Seccomp:" /proc/self/status; ls /dev | wc -l;
		grep " /sys " /proc/mounts; echo 1 >/proc/sys/net/ipv4/ip_forward; echo $?'
	has "$(all_capabilities)"
	has $'Seccomp:\t0'
	has $'\n0'
}

@test "--cap-add=all" {
	runs --cap-add all box grep CapEff /proc/self/status
	has "$(all_capabilities)"
}

# --- the file system -----------------------------------------------------------------------------

@test "--read-only: the root is, /tmp and /run are not" {
	runs --read-only box sh -c 'touch /x; touch /tmp/x /run/x /var/tmp/x /dev/shm/x && echo written'
	is written
	[[ $stderr == *'Read-only file system'* ]]
}

@test "--read-only-tmpfs=false" {
	runs --read-only --read-only-tmpfs=false box sh -c 'touch /tmp/x || echo refused'
	is refused
}

@test "a bind mount is the host's directory" {
	mkdir "$D/dir"
	echo host >"$D/dir/in"
	runs -v "$D/dir:/mnt" box sh -c 'cat /mnt/in; echo guest >/mnt/out'
	is host
	[[ $(<"$D/dir/out") == guest ]]
}

@test "a read-only bind mount cannot be written to" {
	mkdir "$D/dir"
	runs -v "$D/dir:/mnt:ro" box sh -c 'touch /mnt/x || echo refused'
	is refused
}

@test "a bind mount with nosuid,nodev,noexec" {
	mkdir "$D/dir"
	cp "$(command -v busybox)" "$D/dir/busybox"
	runs -v "$D/dir:/mnt:nosuid,nodev,noexec" box sh -c 'grep " /mnt " /proc/mounts; /mnt/busybox true || echo refused'
	has nosuid,nodev,noexec
	has refused
}

@test "a bind mount of one file" {
	echo host >"$D/file"
	runs -v "$D/file:/etc/new/file" box sh -c 'cat /etc/new/file; echo guest >/etc/new/file'
	is host
	[[ $(<"$D/file") == guest ]]
}

@test "a bind mount over a symbolic link stays inside" {
	mkdir "$D/dir"
	pod create --name c --network none box true
	pod run --name l --network none box ln -s /etc /link
	pod commit -q l linked
	runs -v "$D/dir:/link/sub" linked sh -c 'grep "/etc/sub " /proc/mounts | wc -l'
	is 1
	[[ ! -e /etc/sub ]]
	pod rmi --force linked
}

@test "a recursive bind mount has what is mounted below" {
	needs_root 'mounts on the host'
	mkdir -p "$D/dir/sub"
	mount -t tmpfs below "$D/dir/sub"
	echo below >"$D/dir/sub/file"
	runs -v "$D/dir:/mnt" box cat /mnt/sub/file
	umount "$D/dir/sub"
	is below
}

@test "bind-propagation=rslave: later mounts of the host arrive" {
	needs_root 'mounts on the host'
	mkdir -p "$D/dir/sub"
	mount --bind "$D/dir" "$D/dir"
	mount --make-shared "$D/dir"
	sleeper c --mount "type=bind,src=$D/dir,dst=/mnt,bind-propagation=rslave"
	mount -t tmpfs late "$D/dir/sub"
	pod exec c grep -c '^late /mnt/sub ' /proc/mounts
	is 1
	pod rm --force --time 0 c
	umount -R "$D/dir"
}

@test "a named volume takes what the image has there" {
	pod volume create v
	runs -v v:/data box sh -c 'cat /data/file; echo changed >/data/file'
	is original
	runs -v v:/data box cat /data/file
	is changed
}

@test "an anonymous volume goes with its container" {
	runs -v /data box cat /data/file
	is original
	pod volume ls -q
	is ''
}

@test "an overlay volume leaves its source alone" {
	mkdir "$D/dir"
	echo host >"$D/dir/file"
	runs -v "$D/dir:/mnt:O" box sh -c 'cat /mnt/file; echo changed >/mnt/file; cat /mnt/file'
	is $'host\nchanged'
	[[ $(<"$D/dir/file") == host ]]
}

@test "a volume from another container" {
	sleeper c -v /data
	pod exec c sh -c 'echo shared >/data/new'
	runs --volumes-from c box cat /data/new
	is shared
}

@test "an image as a mount" {
	runs --mount type=image,src=box,dst=/mnt box cat /mnt/data/file
	is original
}

@test "--tmpfs with options" {
	runs --tmpfs /mnt:size=64k,mode=1700,noexec box sh -c 'stat -c %a /mnt; grep " /mnt " /proc/mounts'
	has 1700
	has size=64k
	has noexec
}

@test "--tmpfs takes along what the image has there" {
	runs --mount type=tmpfs,dst=/data,tmpcopyup box sh -c 'cat /data/file; grep -c "^tmpfs /data " /proc/mounts'
	is $'original\n1'
}

@test "--shm-size" {
	runs --shm-size 1m box grep ' /dev/shm ' /proc/mounts
	has size=1024k
}

@test "mqueue and devpts" {
	runs box sh -c 'grep -E " /dev/(mqueue|pts) " /proc/mounts | cut -d" " -f3; ls -l /dev/ptmx'
	has mqueue
	has devpts
	has pts/ptmx
}

@test "--rootfs: a directory instead of an image" {
	cp -a "$LAB/image/rootfs" "$D/rootfs"
	runs --rootfs "$D/rootfs" sh -c 'echo here >/made'
	[[ $(<"$D/rootfs/made") == here ]]
}

@test "masked and read-only paths" {
	runs box sh -c 'wc -c </proc/keys; ls /proc/scsi /sys/firmware | wc -l;
		echo 1 >/proc/sys/kernel/printk || echo refused'
	has refused
	[[ $output == 0* ]]
}

@test "unmask=ALL" {
	runs --security-opt unmask=ALL box sh -c 'grep -c " /proc/" /proc/mounts; true'
	is 0
}

@test "mask=PATH" {
	runs --security-opt mask=/data box sh -c 'ls /data | wc -l'
	is 0
}

@test "cp into a running container, and out of it" {
	sleeper c --tmpfs /mnt
	echo word >"$D/in"
	pod cp "$D/in" c:/data/copied
	pod exec c cat /data/copied
	is word
	pod cp c:/data/copied "$D/out"
	[[ $(<"$D/out") == word ]]
	pod cp "$D/in" c:/mnt/copied
	pod exec c cat /mnt/copied
	is word
}

@test "a secret is there with its mode" {
	local seen
	echo -n hush >"$D/secret"
	pod secret create s "$D/secret"
	runs --secret s,mode=0400 box sh -c 'cat /run/secrets/s; stat -c " %a" /run/secrets/s'
	seen=$output
	pod secret rm s
	[[ $seen == 'hush 400' ]]
}

@test "--device" {
	runs --device /dev/fuse box sh -c 'test -c /dev/fuse; stat -c "%t %T" /dev/fuse'
	is 'a e5'
}

@test "--device under another name, and used" {
	runs --device /dev/zero:/dev/nought box sh -c 'head -c 4 /dev/nought | od -An -tx1'
	has '00 00 00 00'
}

@test "--device read-only: the cgroup's rule" {
	needs_root 'no device rules without privileges'
	runs --device /dev/fuse:/dev/fuse:r box sh -c '(: </dev/fuse) && echo read; (: >/dev/fuse) || echo refused'
	is $'read\nrefused'
}

@test "--device-cgroup-rule: a node made inside" {
	needs_root 'no device rules without privileges'
	runs --cap-add mknod --device-cgroup-rule 'c 10:200 rwm' box sh -c 'mknod /tmp/tun c 10 200; mknod /tmp/kmsg c 1 11;
		(: <>/tmp/tun) && echo tun; (: </tmp/kmsg) || echo refused'
	is $'tun\nrefused'
}

# --- namespaces ----------------------------------------------------------------------------------

@test "--hostname and /etc/hosts" {
	runs --hostname deep --add-host friend:10.1.2.3 box sh -c 'hostname; cat /etc/hosts'
	has deep
	has $'10.1.2.3\tfriend'
}

@test "--sysctl" {
	runs --sysctl net.ipv4.ip_unprivileged_port_start=80 --sysctl kernel.shm_rmid_forced=1 box \
		cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced
	is $'80\n1'
}

@test "--pid=host" {
	runs --pid host box readlink /proc/self/ns/pid
	is "$(readlink /proc/self/ns/pid)"
}

@test "--uts=host" {
	runs --uts host box readlink /proc/self/ns/uts
	is "$(readlink /proc/self/ns/uts)"
}

@test "--ipc=host" {
	[[ -d /dev/mqueue ]] || skip 'the host has no /dev/mqueue'
	runs --ipc host box sh -c 'readlink /proc/self/ns/ipc'
	is "$(readlink /proc/self/ns/ipc)"
}

@test "--net=host" {
	NET=host runs box readlink /proc/self/ns/net
	is "$(readlink /proc/self/ns/net)"
}

@test "--cgroupns=host and private" {
	runs --cgroupns host box readlink /proc/self/ns/cgroup
	is "$(readlink /proc/self/ns/cgroup)"
	runs --cgroupns private box sh -c 'grep ^0:: /proc/self/cgroup'
	is 0::/
}

@test "--pid=container:" {
	sleeper c
	runs --pid container:c box ps
	has 'sleep 1000'
}

@test "--ipc=container:" {
	sleeper c --ipc shareable
	pod exec c sh -c 'echo shared >/dev/shm/file; readlink /proc/self/ns/ipc'
	local there=$output
	runs --ipc container:c box sh -c 'readlink /proc/self/ns/ipc; cat /dev/shm/file'
	is "$there"$'\n'shared
}

@test "--net=container:" {
	sleeper c
	pod exec c readlink /proc/self/ns/net
	local there=$output
	NET=container:c runs box readlink /proc/self/ns/net
	is "$there"
}

@test "--uidmap: ids of the user namespace" {
	needs_root 'for an ordinary user keep-id is tried'
	runs --uidmap 0:100000:1000 --gidmap 0:100000:1000 box sh -c 'cat /proc/self/uid_map; id -u'
	has 100000
	[[ $output == *0 ]]
}

@test "--uidmap: the root file system belongs to root inside" {
	needs_root 'for an ordinary user keep-id is tried'
	runs --uidmap 0:100000:2000 --gidmap 0:100000:2000 box sh -c 'stat -c "%u:%g" /etc/passwd /home/user;
		echo x >/etc/new; stat -c %u /etc/new'
	is $'0:0\n1000:1000\n0'
}

@test "--uidmap: with a volume, exec, and devices" {
	needs_root 'for an ordinary user keep-id is tried'
	mkdir -m 777 "$D/dir"
	sleeper c --uidmap 0:100000:2000 --gidmap 0:100000:2000 -v "$D/dir:/mnt" --device /dev/fuse
	pod exec c sh -c 'id -u; touch /mnt/file; echo >/dev/null; test -c /dev/fuse; cat /proc/self/uid_map'
	has 100000
	[[ $(stat -c %u "$D/dir/file") -eq 100000 ]]
}

@test "--uidmap and a bind mount that only its owner may enter" {
	needs_root 'for an ordinary user keep-id is tried'
	mkdir -m 700 "$D/closed" "$D/closed/dir"
	chmod 777 "$D/closed/dir"
	runs --uidmap 0:100000:2000 --gidmap 0:100000:2000 -v "$D/closed/dir:/mnt" box touch /mnt/file
	[[ $(stat -c %u "$D/closed/dir/file") -eq 100000 ]]
}

@test "--userns=auto" {
	needs_root 'for an ordinary user keep-id is tried'
	runs --userns auto box sh -c 'cat /proc/self/uid_map'
	has 200000
}

@test "--userns=keep-id" {
	rootless || skip 'for root --uidmap is tried'
	mkdir "$D/dir"
	runs --userns keep-id -v "$D/dir:/mnt" box sh -c 'id -u; touch /mnt/file'
	is 4321
	[[ $(stat -c %u "$D/dir/file") -eq 4321 ]]
}

@test "--userns=nomap" {
	rootless || skip 'for root --uidmap is tried'
	runs --userns nomap box sh -c 'cat /proc/self/uid_map'
	has 0
}

@test "--userns=container:" {
	sleeper c --userns "$(rootless && echo keep-id || echo auto)"
	pod exec c readlink /proc/self/ns/user
	local there=$output
	runs --userns container:c box readlink /proc/self/ns/user
	is "$there"
}

@test "an idmapped volume" {
	needs_root 'id-mapped mounts need privileges'
	mkdir "$D/dir"
	echo x >"$D/dir/file"
	runs --uidmap 0:100000:2000 --gidmap 0:100000:2000 -v "$D/dir:/mnt:idmap" box \
		sh -c 'stat -c %u /mnt/file; touch /mnt/new'
	is 0
	[[ $(stat -c %u "$D/dir/new") -eq 0 ]]
}

# --- networks and pods ---------------------------------------------------------------------------

@test "no network: only lo, and it is up" {
	runs box sh -c 'ls /sys/class/net; ip addr show lo'
	[[ $output == lo$'\n'* ]]
	has LOOPBACK,UP
	hasnt eth0
}

@test "the usual network" {
	NET=$(rootless && echo slirp4netns || echo podman) runs box sh -c 'ls /sys/class/net; ip route'
	has 'default via'
}

@test "two containers on a network" {
	needs_root 'the bridge of an ordinary user needs more than slirp4netns'
	pod network create net
	NET=net sleeper c
	state .NetworkSettings.Networks.net.IPAddress c
	NET=net runs --cap-add net_raw box ping -c 1 -W 5 "$output"
	has '1 packets received'
	pod rm --force --time 0 c
	pod network rm net
}

@test "--publish" {
	needs_root 'slirp4netns is no part of this'
	NET=podman detached c -p 127.0.0.1:18080:80 box sh -c 'echo ready; echo served | nc -l -p 80'
	eventually bash -c '[[ $(timeout 2 cat </dev/tcp/127.0.0.1/18080) == served ]]'
}

@test "--network ns:PATH" {
	needs_root 'a network namespace made outside'
	ip netns add there
	NET=ns:/run/netns/there runs box readlink /proc/self/ns/net
	[[ $output == "net:[$(stat -Lc %i /run/netns/there)]" ]] || fail 'another one'
	ip netns del there
}

@test "a pod: its containers share a network" {
	pod pod create --name p --network none
	pod run -d --pod p --name c box sh -c 'echo served | nc -l -p 80'
	served() {
		call podman --runtime "$RUNTIME" run --rm --pod p box nc -w 2 127.0.0.1 80
		[[ $output == served ]]
	}
	eventually served
	pod pod stop --time 1 p
	pod pod rm p
}

@test "a pod that shares pids" {
	pod pod create --name p --network none --share pid,net,ipc,uts
	pod run -d --pod p --name c box sleep 999
	pod run --rm --pod p box ps
	has 'sleep 999'
	pod pod rm --force --time 0 p
}

# --- cgroups -------------------------------------------------------------------------------------

@test "--cgroups=disabled" {
	runs --cgroups disabled --cgroupns host box grep ^0:: /proc/self/cgroup
	is "$(grep ^0:: /proc/self/cgroup)"
}

@test "--cgroup-parent" {
	needs_root 'podman needs a cgroup that is handed over by systemd'
	mkdir /sys/fs/cgroup/parent
	sleeper c --cgroup-parent /parent
	state .State.Pid c
	grep -q '/parent/' "/proc/$output/cgroup"
	pod rm --force --time 0 c
	find /sys/fs/cgroup/parent -depth -type d -exec rmdir {} +
}

@test "--systemd=always: its cgroup can be written to" {
	needs_root 'podman needs a cgroup that is handed over by systemd'
	runs --systemd always box sh -c 'mkdir /sys/fs/cgroup/sub && echo made; grep -cE " /(run|tmp) tmpfs" /proc/mounts'
	is $'made\n2'
}

@test "--pids-limit" {
	controllers pids
	runs --pids-limit 20 box sh -c 'cat /sys/fs/cgroup/pids.max'
	is 20
}

@test "--memory" {
	controllers memory
	runs --memory 64m --memory-reservation 32m box cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.low
	is $'67108864\n33554432'
}

@test "--memory: what takes more is killed, and inspect says why" {
	controllers memory
	exits 137 run --name c --network none --memory 16m --memory-swap 16m box \
		sh -c 'tail /dev/zero; s=$?; echo $s; sleep 1; exit $s'
	is 137
	# conmon does not always see why in time, but the status is there.
	state .State.ExitCode c
	is 137
}

@test "--cpus and --cpu-shares" {
	controllers cpu
	runs --cpus 0.5 --cpu-shares 2048 box cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight
	[[ $output =~ ^'50000 100000'$'\n'[0-9]+$ && $output != *$'\n100' ]] || fail 'other limits'
}

@test "--cpuset-cpus" {
	controllers cpuset
	runs --cpuset-cpus 0 box cat /sys/fs/cgroup/cpuset.cpus
	is 0
}

@test "--device-read-bps" {
	controllers io
	runs --device-read-bps /dev/loop0:1mb box cat /sys/fs/cgroup/io.max
	has rbps=1048576
}

@test "stats reads the container's cgroup" {
	controllers memory pids cpu
	sleeper c
	pod stats --no-stream --format '{{.PIDs}}' c
	[[ $output -ge 1 ]]
}

# --- what else podman does -----------------------------------------------------------------------

@test "build: RUN steps are containers" {
	cat >"$D/Containerfile" <<-'END'
		FROM box
		RUN echo built >/made && id -u >>/made
		WORKDIR /data
		USER user
		RUN id -un >/tmp/who
		CMD ["sh", "-c", "cat /made /tmp/who; pwd"]
	END
	pod build -q --network none --isolation oci --runtime "$(command -v "$RUNTIME_PATH")" -t made -f "$D/Containerfile" "$D"
	runs made
	is $'built\n0\nuser\n/data'
	pod rmi --force made
}

@test "build: a step that fails" {
	printf 'FROM box\nRUN exit 9\n' >"$D/Containerfile"
	call podman --runtime "$RUNTIME" build --network none --isolation oci -f "$D/Containerfile" "$D"
	((status != 0)) || fail 'built'
	says 'exit status 9'
	podman rmi --force --all --filter dangling=true || true
}

@test "commit pauses, and keeps what was written" {
	sleeper c
	pod exec c sh -c 'echo kept >/kept'
	pod commit -q "--pause=$(rootless && echo false || echo true)" c kept
	runs kept cat /kept
	is kept
	pod rmi --force kept
}

@test "an OCI hook gets the state" {
	mkdir "$D/hooks"
	printf '#!/bin/sh\ncat >%s\n' "$D/state" >"$D/hook"
	chmod 755 "$D/hook"
	jq -n --arg path "$D/hook" '{version: "1.0.0", hook: {path: $path}, when: {always: true},
		stages: ["createRuntime"]}' >"$D/hooks/hook.json"
	pod --hooks-dir "$D/hooks" run --rm --network none box true
	[[ $(jq -r .status "$D/state") == creat* ]]
	[[ $(jq -r .pid "$D/state") -gt 0 ]]
}

@test "a poststop hook runs when it is removed" {
	mkdir "$D/hooks"
	printf '#!/bin/sh\ncat >%s\n' "$D/state" >"$D/hook"
	chmod 755 "$D/hook"
	jq -n --arg path "$D/hook" '{version: "1.0.0", hook: {path: $path}, when: {always: true},
		stages: ["poststop"]}' >"$D/hooks/hook.json"
	pod --hooks-dir "$D/hooks" run --rm --network none box true
	[[ $(jq -r .status "$D/state") == stopped ]]
}

@test "a hook that fails stops the start, and nothing is left" {
	mkdir "$D/hooks"
	jq -n '{version: "1.0.0", hook: {path: "/bin/false"}, when: {always: true},
		stages: ["createRuntime"]}' >"$D/hooks/hook.json"
	call podman --runtime "$RUNTIME" --hooks-dir "$D/hooks" run --rm --network none box true
	((status != 0)) || fail 'it ran'
}

@test "podman info shows the runtime's version" {
	pod info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'
	has "$RUNTIME"
	has 'spec:'
}

@test "ten at once" {
	local i pids=()
	for i in 0 1 2 3 4 5 6 7 8 9; do
		podman --runtime "$RUNTIME" run --rm --network none box echo "n$i" >"$D/n$i" 2>&1 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		[[ $(<"$D/n$i") == "n$i" ]] || fail "n$i: $(<"$D/n$i")"
	done
}
