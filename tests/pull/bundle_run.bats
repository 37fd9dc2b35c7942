#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bundles that berth runs: what the options make of a container, seen from inside.

load helpers
load bundle

@test "the image's command runs as the image's user, in its directory, with its variables" {
	busybox_image '{"Entrypoint": ["/bin/sh", "-c"], "User": "web", "WorkingDir": "/srv",
		"Cmd": ["id; pwd; echo $A $HOME; cat /proc/self/cgroup >/dev/null"], "Env": ["A=b c"]}'
	busybox_bundle bundle
	run_bundle bundle
	is "$output" $'uid=33(web) gid=34 groups=80(www)\n/srv\nb c /srv'
}

@test "what is written is in the bundle, and there again the next time; the layers are untouched" {
	local layer before

	busybox_image
	busybox_bundle bundle --entrypoint /bin/sh --arg -c \
		--arg 'cat /kept 2>/dev/null; echo more >>/kept; rm -f /etc/group; ls /etc'
	layer=$(echo "$STORE"/layers/sha256/*/fs)
	before=$(find "$layer" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort | sha256sum)
	run_bundle bundle
	is "$output" $'hosts\npasswd'
	run_bundle bundle
	is "$output" $'more\nhosts\npasswd'
	is "$(<bundle/upper/kept)" $'more\nmore'
	[[ -c bundle/upper/etc/group ]]
	is "$(find "$layer" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort | sha256sum)" "$before"
}

@test "several layers: what is hidden stays hidden" {
	busybox_image '{}' '[
		{"entries": ["dir/", "dir/a", "dir/b", "gone", "opaque/", "opaque/old"]},
		{"entries": [{"path": "dir/a", "type": "whiteout"}, {"path": "gone", "type": "whiteout"},
			"opaque/", {"path": "opaque", "type": "opaque"}, "opaque/new"]},
		{"entries": ["dir/", "dir/c"]}]'
	run_script 'cd / && ls -d dir/* gone opaque/* 2>/dev/null; :'
	is "$output" $'dir/b\ndir/c\nopaque/new'
}

@test "the same layer twice" {
	busybox_image '{}' '[{"entries": ["a"]}, {"entries": [{"path": "a", "type": "whiteout"}]},
		{"entries": ["a"]}]'
	run_script 'ls /a'
	is "$output" /a
}

@test "the root of the image has the image's owner and mode" {
	busybox_image '{}' '[{"entries": [{"path": "./", "mode": "0711", "uid": 33, "gid": 34}]}]'
	run_script 'stat -c "%a %u %g" /'
	is "$output" '711 33 34'
}

@test "no new privileges, a filter, eleven capabilities, nothing of the host's" {
	busybox_image
	run_script 'grep -E "^(CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | tr -s "\t" " "
		ls /sys/class/net; hostname; cat /proc/kcore | head -c 1 | wc -c
		mount -t tmpfs x /srv 2>/dev/null || echo refused
		dd if=/dev/zero of=/proc/sysrq-trigger count=0 2>/dev/null || echo read-only'
	contains "$output" 'CapEff: 00000000800405fb'
	contains "$output" 'CapBnd: 00000000800405fb'
	contains "$output" 'CapAmb: 0000000000000000'
	contains "$output" 'NoNewPrivs: 1'
	contains "$output" 'Seccomp: 2'
	contains "$output" $'\nlo\nbundle'
	contains "$output" $'\n0\nrefused\nread-only'
}

@test "--user, --cwd, --env, --hostname" {
	busybox_image '{"User": "web", "Env": ["A=1", "B=1"]}'
	run_script --user 1000 --cwd /new/dir --env A=2 --env C= --hostname box.example \
		'id -u; pwd; echo "$A $B [$C] $HOME"; hostname'
	is "$output" $'1000\n/new/dir\n2 1 [] /home/user\nbox.example'
}

@test "--volume: read-only and writable, files and directories" {
	mkdir -p host/sub
	echo one >host/file
	busybox_image
	run_script --volume ./host:/mnt/ro:ro --volume "$T/host:/mnt/rw" --volume ./host/file:/mnt/one \
		'cat /mnt/one; echo two >/mnt/rw/two; ls /mnt/ro; touch /mnt/ro/x 2>/dev/null || echo refused
		grep -c -E " /mnt/.* (ro|rw),nosuid,nodev" /proc/self/mountinfo'
	is "$output" $'one\nfile\nsub\ntwo\nrefused\n3'
	is "$(<host/two)" two
}

@test "--volume: read-only goes all the way down" {
	mkdir -p host/sub
	mount -t tmpfs tmpfs host/sub
	busybox_image
	run_script --volume ./host:/mnt:ro 'touch /mnt/sub/x 2>/dev/null || echo refused'
	umount host/sub
	is "$output" refused
}

@test "--tmpfs" {
	busybox_image
	run_script --tmpfs /run:size=1m,mode=700 --tmpfs /exec:exec --read-only \
		'stat -c %a /run; df -k /run | awk "NR == 2 {print \$2}"; echo x >/run/x
		cp /bin/busybox /exec/true 2>/dev/null || dd if=/bin/busybox of=/exec/true 2>/dev/null
		chmod 755 /exec/true; /exec/true && echo runs; touch /x 2>/dev/null || echo read-only'
	contains "$output" $'700\n1024'
	contains "$output" read-only
}

@test "--cap-add, --cap-drop, --security-opt" {
	busybox_image
	run_script --cap-drop ALL 'grep CapBnd /proc/self/status'
	contains "$output" 0000000000000000
	run_script --cap-add SYS_ADMIN --security-opt no-new-privileges=false \
		'mount -t tmpfs x /srv && echo mounted; grep NoNewPrivs /proc/self/status'
	contains "$output" mounted
	contains "$output" $'NoNewPrivs:\t0'
	run_script --security-opt seccomp=unconfined 'grep Seccomp: /proc/self/status'
	contains "$output" $'Seccomp:\t0'
	run_script --user 1000 --cap-add NET_RAW 'grep CapEff /proc/self/status'
	contains "$output" 0000000000002000
	run_script --user 1000 'grep CapEff /proc/self/status'
	contains "$output" 0000000000000000
}

@test "--memory, --cpus, --pids" {
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
		skip 'no cgroup v2 with controllers here'
	busybox_image
	run_script --flat --memory 64m --cpus 0.5 --pids 20 'cd /sys/fs/cgroup
		cat memory.max memory.swap.max cpu.max pids.max'
	is "$output" $'67108864\n67108864\n50000 100000\n20'
	# They are kept to.
	run_script --flat --memory 32m 'head -c 100m /dev/zero | tail >/dev/null; echo $?'
	is "$output" 137
	run_script --flat --cpus 0.1 'i=0; while test $i -lt 40000; do i=$((i + 1)); done
		awk "/^nr_throttled/ {print (\$2 > 0)}" /sys/fs/cgroup/cpu.stat'
	is "$output" 1
	busybox_bundle bundle --flat --pids 6 --entrypoint /bin/sh --arg -c \
		--arg 'for i in 1 2 3 4 5 6 7; do sleep 100 & done; echo all'
	berth_call run -b bundle "$ID"
	((status != 0)) || fail 'seven processes more than six'
	contains "$stderr" fork
	lacks "$output" all
}

@test "labels with power become no annotations, and that is said" {
	busybox_image '{"Labels": {"org.berth.overlay.lower": "/", "run.oci.handler": "krun", "ok": "1"}}'
	busybox_bundle bundle
	contains "$stderr" 'label "run.oci.handler" is left out'
	is "$(jq -r '.annotations | .ok, ."run.oci.handler"' bundle/config.json)" $'1\nnull'
	lacks "$(jq -r '.annotations["org.berth.overlay.lower"]' bundle/config.json)" '/:'
	run_bundle bundle
}

@test "in a network of its own, anybody has low ports, and the sockets of ping" {
	local option

	probe_layer
	busybox_image '{"User": "web"}' "$PROBE_LAYER"
	for option in --network=none --userns=300000:65536; do
		run_script "$option" 'id -u; cat /proc/sys/net/ipv4/ip_unprivileged_port_start
			probe syscall socket 2 2 1; probe syscall socket 2 3 1'
		is "$output" $'33\n0\n3 OK\n-1 EPERM'
	done
	busybox_bundle bundle --network host
	is "$(jq -c .linux.sysctl bundle/config.json)" null
}

@test "where the image says nothing of names, loopback and the container have theirs" {
	local line

	busybox_image
	run_script --userns 300000:65536 --hostname box.example \
		'echo "127.0.0.1 more" >>/etc/hosts && cat /etc/hosts'
	for line in $'127.0.0.1\tlocalhost' $'::1\tlocalhost' $'127.0.0.1\tbox.example' '127.0.0.1 more'; do
		contains "$output" "$line"
	done
	mkdir mine
	run_script --volume ./mine:/etc 'ls /etc'
	is "$output" ''
	rm -rf layout
	busybox_image '{}' '[{"entries": [{"path": "etc/hosts", "data": "own"}]}]'
	run_script 'cat /etc/hosts'
	is "$output" own
	rm -rf layout
	busybox_image '{}' '[{"entries": [{"path": "etc/hosts", "target": "none", "type": "symlink"}]}]'
	run_script 'cat /etc/hosts 2>/dev/null || echo nothing'
	is "$output" nothing
}

@test "a working directory that is not there is root's, in a read-only root, too" {
	busybox_image '{"User": "web", "WorkingDir": "/w/deep"}'
	run_script 'pwd; stat -c "%a %u %g" /w .'
	is "$output" $'/w/deep\n755 0 0\n755 0 0'
	run_script --read-only --userns 300000:65536 'pwd; stat -c "%a %u %g" .'
	is "$output" $'/w/deep\n755 0 0'
}

@test "--network host" {
	busybox_image
	run_script --network host 'ls /sys/class/net; cat /etc/hosts'
	is "$output" "$(ls /sys/class/net; cat /etc/hosts)"
}

@test "--init reaps, and passes the exit status on" {
	busybox_image
	busybox_bundle bundle --init --entrypoint /bin/sh --arg -c \
		--arg 'test "$$" != 1 && cat /proc/1/cmdline; exit 7'
	berth_call run -b bundle "$ID"
	is "$status" 7
	contains "${output//$'\0'/ }" /dev/init
}

@test "--tty" {
	busybox_image
	busybox_bundle bundle --tty --entrypoint /bin/sh --arg -c --arg 'test -t 0 && echo $TERM'
	run_bundle bundle
	contains "$output" xterm
}

@test "an image without layers" {
	jq -n '{ref: "none", layers: [], config: {Cmd: ["/x"]}}' | images layout
	pull --from oci:layout:none bundle
	jq -e '[.annotations | keys[] | select(startswith("org.berth"))] == []' bundle/config.json
	berth_call run -b bundle "$ID"
	contains "$stderr" /x
}

@test "--userns: the layers serve all, what is written is the container's" {
	busybox_image
	run_script --userns 300000:65536 'id -u; cat /proc/self/uid_map; stat -c %u /etc/passwd /data
		touch /x; chown 33 /x'
	contains "$output" $'0\n         0     300000      65536\n0\n33'
	is "$(stat -c %u bundle.*/upper/x)" 300033
	rm -rf bundle.*
	run_script --userns 400000:65536 'stat -c %u /etc/passwd; touch /x'
	is "$output" 0
	is "$(stat -c %u bundle.*/upper/x)" 400000
}

@test "--userns auto takes the range of containers, or root" {
	busybox_image
	mkdir etc
	printf 'root:500000:65536\ncontainers:600000:100000\n' >etc/subuid
	printf 'other:1:1\nroot:700000:1000\n' >etc/subgid
	unshare -m --propagation private bash -c 'for file in subuid subgid; do
			mount --bind "etc/$file" "/etc/$file" || exit; done; exec "$@"' _ \
		"$BERTH_PULL" --root "$STORE" -q --from oci:layout:busybox --userns auto bundle
	is "$(jq -c '.linux | .uidMappings, .gidMappings' bundle/config.json)" \
		$'[{"containerID":0,"hostID":600000,"size":65536}]\n[{"containerID":0,"hostID":700000,"size":1000}]'
	run_bundle bundle
}

@test "--userns: a user that is not mapped is refused" {
	busybox_image '{"User": "1000"}'
	pull_fails 'is not among the ids of the container' --from oci:layout:busybox \
		--userns 300000:1000 bundle
}

@test "--volume with idmap shows the container's ids" {
	busybox_image
	mkdir host
	touch host/file
	chown 5:6 host/file
	run_script --userns 300000:65536 --volume ./host:/mnt:idmap 'stat -c "%u %g" /mnt/file
		touch /mnt/new'
	is "$output" '5 6'
	is "$(stat -c %u host/new)" 0
}

@test "more layers than the kernel stacks: refused, but for a flat root" {
	busybox_image '{}' "$(jq -nc '[range(500) | {entries: ["layer\(.)"], compression: "none"}]')"
	pull_fails 'the kernel stacks 500 at most' --max-layers 0 --from oci:layout:busybox bundle
	[[ ! -e bundle ]]
	run_script --max-layers 0 --flat 'ls -d /layer* | wc -l'
	is "$output" 500
}

@test "names with colons, backslashes and blanks: of the store, and of the bundle" {
	busybox_image
	STORE="$T/st:o\\re, x"
	run_script 'echo here'
	is "$output" here
	mkdir 'a:b c'
	busybox_bundle 'a:b c/bun:dle,\x' --entrypoint /bin/sh --arg -c --arg 'touch /x; hostname'
	run_bundle 'a:b c/bun:dle,\x'
	is "$output" berth
	[[ -e 'a:b c/bun:dle,\x/upper/x' ]]
}

@test "a bundle that was moved runs where it is" {
	busybox_image '{"Volumes": {"/data": {}}}'
	busybox_bundle bundle --entrypoint /bin/sh --arg -c --arg 'ls /data; touch /kept'
	mkdir elsewhere
	mv bundle elsewhere/other
	run_bundle elsewhere/other
	is "$output" seeded
	[[ -e elsewhere/other/upper/kept ]]
}

@test "set-user-id programs of the image are nobody's on the host" {
	busybox_image '{}' '[{"entries": [{"path": "suid", "mode": "4755"}]}]'
	busybox_bundle bundle
	is "$(stat -c %a bundle)" 700
	if setpriv --reuid 1000 --clear-groups ls bundle 2>/dev/null; then
		fail 'another user lists the bundle'
	fi
}

# What the filter answers, as "CALL ERRNO" lines. Sockets: 1 unix, 2 inet, 16 netlink, 38 algorithms,
# 40 virtual machines, 29 CAN; the kernel looks at the lower half of the number alone.
filter_script='for call in "clone3 0 0" "clone 0x10000000" "clone 0x40000011" "unshare 0" "mount 0 0 0" \
	"bpf 0 0 0" "keyctl 0 0 0" "add_key 0 0 0" "perf_event_open 0 0 0" "setns 0 0" "init_module 0 0" \
	"userfaultfd 0" "io_uring_setup 0 0" "open_by_handle_at 0 0 0" "personality 0xffffffff" \
	"personality 0x0040000" "socket 1 1 0" "socket 2 1 0" "socket 16 3 0" "socket 38 5 0" \
	"socket 40 1 0" "socket 29 3 1" "socket 0x100000026 5 0" "socket 0x100000028 1 0" "getpid"; do
	set -- $call; echo "$1 $2 $(probe syscall $call | sed "s/.* //")"; done'

@test "the filter answers as it should" {
	[[ $(uname -m) == x86_64 ]] || skip 'the numbers are those of x86-64'
	probe_layer
	busybox_image '{}' "$PROBE_LAYER"
	run_script "$filter_script"
	is "$output" "clone3 0 ENOSYS
clone 0x10000000 EPERM
clone 0x40000011 EPERM
unshare 0 EPERM
mount 0 EPERM
bpf 0 EPERM
keyctl 0 EPERM
add_key 0 EPERM
perf_event_open 0 EPERM
setns 0 EPERM
init_module 0 EPERM
userfaultfd 0 EPERM
io_uring_setup 0 EPERM
open_by_handle_at 0 EPERM
personality 0xffffffff OK
personality 0x0040000 EPERM
socket 1 OK
socket 2 OK
socket 16 OK
socket 38 EPERM
socket 40 EPERM
socket 29 EPERM
socket 0x100000026 EPERM
socket 0x100000028 EPERM
getpid  OK"
}

@test "with CAP_SYS_ADMIN what it is for is let through" {
	[[ $(uname -m) == x86_64 ]] || skip 'the numbers are those of x86-64'
	probe_layer
	busybox_image '{}' "$PROBE_LAYER"
	run_script --cap-add SYS_ADMIN 'probe syscall unshare 0x04000000; probe syscall setns -1 0
		probe syscall clone3 0 0; probe syscall keyctl 0 0 0; probe syscall socket 38 5 0'
	is "$output" $'0 OK\n-1 EBADF\n-1 EINVAL\n-1 EPERM\n-1 EPERM'
}

# --- volumes of the image ------------------------------------------------------------------------

@test "a volume of the image has what the image has there, and keeps what is written" {
	busybox_image '{"Volumes": {"/data": {}, "/new/deep": {}, "/data/seeded": {}}}' '[
		{"entries": ["data/", {"path": "data/more", "data": "x", "uid": 5, "mode": "0640"},
			{"path": "data/gone"}]},
		{"entries": [{"path": "data/gone", "type": "whiteout"},
			{"path": "data/link", "target": "more", "type": "symlink"}]}]'
	busybox_bundle bundle --read-only --entrypoint /bin/sh --arg -c --arg \
		'cd /data && ls -R . && stat -c "%a %u %g" . more seeded/file && cat seeded/file link kept
		echo kept >kept; touch /new/deep/x; touch /srv/x 2>/dev/null || echo read-only'
	run_bundle bundle
	is "$output" $'.:\nlink\nmore\nseeded\n\n./seeded:\nfile\n755 0 0\n640 5 0\n644 33 34\ncontent\nxread-only'
	run_bundle bundle
	contains "$output" $'content\nxkept\nread-only'
	is "$(<bundle/volumes/data/kept)" kept
	[[ -e bundle/volumes/new/deep/x ]]
	[[ ! -e bundle/upper/data/kept ]]
}

@test "an implied directory as a volume has the metadata of the layer below" {
	busybox_image '{"Volumes": {"/data": {}}}' '[{"entries": ["data/added"]}]'
	run_script 'stat -c "%a %u %g" /data; ls /data'
	is "$output" $'750 33 34\nadded\nseeded'
}

@test "--image-volumes tmpfs and ignore; --volume in the place of one" {
	mkdir host
	busybox_image '{"Volumes": {"/data": {}}}'
	run_script --image-volumes tmpfs 'grep -c " /data tmpfs" /proc/mounts; ls /data; touch /data/x'
	is "$output" $'1\nseeded'
	[[ ! -e bundle.1/volumes ]]
	run_script --image-volumes ignore 'grep -c " /data " /proc/mounts; ls /data; touch /data/x'
	is "$output" $'0\nseeded'
	[[ -e $(echo bundle.*/upper/data/x) ]]
	run_script --volume ./host:/data 'ls /data; touch /data/x'
	is "$output" ''
	[[ -e host/x ]]
}

@test "volumes of the image and --userns" {
	busybox_image '{"Volumes": {"/data": {}}}'
	run_script --userns 300000:65536 'stat -c "%u %g" /data /data/seeded/file; touch /data/x'
	is "$output" $'33 34\n33 34'
	is "$(stat -c %u bundle.*/volumes/data/x)" 0
}

@test "a volume of the image cannot have any place" {
	local place

	for place in / /.. /a/../b /proc /proc/sys /sys/fs/cgroup /dev /dev/shm; do
		rm -rf layout
		busybox_image "{\"Volumes\": {\"$place\": {}}}"
		pull_fails '--image-volumes ignore' --from oci:layout:busybox bundle
		[[ ! -e bundle ]]
	done
	pull --from oci:layout:busybox --image-volumes ignore bundle
	rm -rf layout
	busybox_image '{"Volumes": {"/etc/passwd": {}}}'
	pull_fails 'is no directory' --from oci:layout:busybox bundle2
	# A link of the image leads nowhere but into the image.
	rm -rf layout
	busybox_image '{"Volumes": {"/link": {}}}' \
		"[{\"entries\": [{\"path\": \"link\", \"target\": \"$T\", \"type\": \"symlink\"}]}]"
	pull --from oci:layout:busybox bundle3
	is "$(ls -A bundle3/volumes/link)" ''
}

# --- flat roots ----------------------------------------------------------------------------------

# Runs a runtime where there is cgroup v2 alone, as it has it in its documentation.
with_cgroup2() {
	unshare -m --propagation private sh -c 'umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
}

@test "--flat: berth, runc and crun run it unchanged" {
	local expected

	busybox_image '{"User": "web", "Volumes": {"/data": {}}}' \
		'[{"entries": [{"path": "tmp/sticky", "uid": 33, "mode": "4755"},
			{"path": "etc/group", "type": "whiteout"}, "etc/added"]}]'
	busybox_bundle bundle --flat --init --tmpfs /run:size=1m --volume /etc/hostname:/mnt/name:ro \
		--entrypoint /bin/sh --arg -c --arg 'id; ls /etc /data; stat -c "%a %u" /tmp/sticky
		cat /data/seeded/file; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status
		touch /run/x && touch /mnt/name 2>/dev/null || echo read-only; hostname'
	[[ ! -e bundle/upper && ! -e bundle/work ]]
	jq -e '[.annotations | keys[] | select(startswith("org.berth"))] == []' bundle/config.json
	cp bundle/config.json before.json
	run_bundle bundle
	expected=$output
	contains "$expected" $'uid=33(web) gid=34\n'
	contains "$expected" $'/etc:\nadded\nhosts\npasswd\n4755 33\ncontent\nCapBnd:\t00000000800405fb\nNoNewPrivs:\t1\nSeccomp:\t2'
	contains "$expected" $'read-only\nbundle'
	is "$(with_cgroup2 runc --root "$T/runc" run -b bundle "$ID" </dev/null)" "$expected" runc
	# Debian 12's crun raises a limit that root here may not raise, unless there are no cgroups.
	is "$(with_cgroup2 crun --cgroup-manager=disabled --root "$T/crun" run -b bundle "$ID" \
		</dev/null)" "$expected" crun
	cmp bundle/config.json before.json
}

@test "--flat: the root does not depend on the store" {
	busybox_image
	busybox_bundle bundle --flat --entrypoint /bin/sh --arg -c --arg 'echo still'
	pull remove "oci:$T/layout:busybox"
	pull gc
	rm -rf "$STORE"
	run_bundle bundle
	is "$output" still
}

@test "--flat with --userns is refused" {
	busybox_image
	pull_fails 'not with --flat' --from oci:layout:busybox --flat --userns 300000:65536 bundle
}

@test "a bundle in the store keeps its layers, a flat one does not" {
	busybox_image
	busybox_bundle bundle
	pull remove "oci:$T/layout:busybox"
	pull gc
	run_bundle bundle
	rm -rf bundle
	pull gc
	is "$(find "$STORE/layers" -name fs)" ''
}
