#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CVE-2025-31133 (CVE-2025-62161): masks made with the container's /dev/null, which is no null;
# CVE-2025-52881 (CVE-2025-62596): writes to /proc that end up in another file of /proc;
# CVE-2025-52565: /dev/console and /dev/pts.

load ../integration/helpers

# A root whose /dev comes from the image.
own_dev() {
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) |
		.root.readonly = false | .linux.maskedPaths = ["/proc/kcore", "/proc/keys", "/proc/timer_list",
		"/proc/sysrq-trigger"]'
}

# The masks must hold, or the container be refused.
masks_hold() {
	config_args /bin/probe report --path /proc/keys --path /proc/timer_list --path /proc/sysrq-trigger
	berth_call run "$ID"
	if ((status == 0)); then
		json '.paths["/proc/keys"].bytes == 0 and .paths["/proc/timer_list"].bytes == 0'
		json '[.paths[] | select(.type != "none") | .type] | unique == ["char"]'
		json '[.paths[] | select(.type != "none") | .rdev] | unique == ["1:3"]'
	else
		one_line_error ''
	fi
	nothing_left
}

@test "CVE-2025-31133: /dev/null is a link to core_pattern, to another file, to nothing" {
	local target

	own_dev
	for target in /proc/sys/kernel/core_pattern /etc/passwd "$VICTIM/file" /no/where /proc/self/fd/0; do
		ln -sfn "$target" rootfs/dev/null
		masks_hold
	done
}

@test "CVE-2025-31133: /dev/null is missing, a file, a directory, another device, a fifo" {
	own_dev
	masks_hold
	rm -rf rootfs/dev/null
	echo file >rootfs/dev/null
	masks_hold
	rm -rf rootfs/dev/null
	mkdir rootfs/dev/null
	masks_hold
	rm -rf rootfs/dev/null
	mknod rootfs/dev/null c 1 5
	masks_hold
	rm -rf rootfs/dev/null
	mkfifo rootfs/dev/null
	masks_hold
}

@test "CVE-2025-31133: the attack raced, /dev/null of a shared /dev is exchanged all the time" {
	mkdir "$T/shared"
	mknod "$T/shared/null" c 1 3
	ln -s /proc/sys/kernel/core_pattern "$T/shared/other"
	own_dev
	config '.mounts += [{destination: "/dev", source: ($t + "/shared"), options: ["bind"]}]' --arg t "$T"
	background "$SUITE/rootfs/bin/probe" flip "$T/shared/null" "$T/shared/other"
	wait_for 5 grep -q ready "$OUT"
	config_args /bin/probe report --path /proc/keys --path /proc/timer_list
	for _ in {1..150}; do
		berth_call run "$ID"
		((status != 0)) ||
			json '.paths["/proc/keys"].bytes == 0 and .paths["/proc/timer_list"].bytes == 0'
	done
	kill -KILL "$BG_PID"
	nothing_left
}

@test "CVE-2025-52881: links in a volume on /proc/self/attr and /proc/sys: nothing is written there" {
	mkdir -p "$T/volume"
	ln -s /proc/sysrq-trigger "$T/volume/exec"
	ln -s /proc/sys/kernel/core_pattern "$T/volume/current"
	config '.linux |= (del(.maskedPaths) | del(.readonlyPaths)) |
		.process.apparmorProfile = "x" |
		.mounts += [{destination: "/proc/self/attr", source: ($t + "/volume"), options: ["bind"]}]' \
		--arg t "$T"
	config_args /bin/true
	berth_call run "$ID"
	if ((status != 0)); then
		one_line_error ''
	fi
	nothing_left
	is "$(find "$T/volume" -type f)" ''
}

@test "CVE-2025-52881: a volume on /proc/sys does not take the sysctl values" {
	mkdir -p "$T/volume/net/ipv4"
	ln -s /proc/sys/kernel/core_pattern "$T/volume/net/ipv4/ip_forward"
	config '.linux |= (del(.maskedPaths) | del(.readonlyPaths)) |
		.linux.sysctl = {"net.ipv4.ip_forward": "1"} |
		.mounts += [{destination: "/proc/sys", source: ($t + "/volume"), options: ["bind"]}]' --arg t "$T"
	config_args /bin/probe exit 0
	berth_call run "$ID"
	((status == 0)) || one_line_error ''
	is "$(readlink "$T/volume/net/ipv4/ip_forward")" /proc/sys/kernel/core_pattern
}

@test "CVE-2025-52881: what berth writes in /proc goes to its own, verified procfs" {
	requires command=strace
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 100'
	config_args /bin/true
	# A build with sanitizers cannot look for leaks while it is traced.
	BERTH_TEST=$ID ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -f -y -s 200 -o "$T/trace" -e trace=openat,openat2,write \
		"$RUNTIME" --root "$STATE" run "$ID" >/dev/null </dev/null
	# Never by the name /proc/... in the container's view: the calls have a descriptor.
	is "$(grep -E 'openat2?\(AT_FDCWD[^,]*, "/proc/(sys|self/attr|thread-self/attr)' "$T/trace" |
		grep -cE 'O_WRONLY|O_RDWR')" 0 'writes to /proc by name'
}

@test "CVE-2025-52565: devpts and ptmx of the image are links" {
	own_dev
	config '.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
		options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]}]'
	ln -s "$VICTIM/dir" rootfs/dev/pts
	ln -s "$VICTIM/ptmx" rootfs/dev/ptmx
	config_args /bin/probe report --path /dev/ptmx --path /dev/pts
	berth_call run "$ID"
	((status == 0)) || one_line_error ''
	nothing_left
}
