#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Hostile root file systems: links in the places that the runtime goes to. The tree beside the
# bundle, which the links point to, must never change; teardown compares it.

load helpers

# Runs the payload, which may succeed or be refused; a success must be inside.
run_hostile() {
	config_args /bin/probe paths / /proc /dev
	berth_call run "$ID"
	((status == 0)) || one_line_error ''
	((status < 2)) || fail "exit status $status"
	nothing_left
}

# Replaces a directory of the root by a link.
link_at() {
	rm -rf "rootfs/${1:?}"
	ln -s "$2" "rootfs/$1"
}

@test "the root is a link: refused" {
	ln -s rootfs link
	config '.root.path = "link"'
	berth_fails 'root.path: "'"$BUNDLE"'/link" is a symbolic link' run "$ID"
	# What lies behind a link may be reached by it.
	ln -s . here
	config '.root.path = "here/rootfs/"'
	config_args /bin/true
	berth run "$ID"
}

@test "/proc is a link to the outside: refused" {
	link_at proc "$VICTIM"
	run_hostile
	((status == 1))
	contains "$stderr" /proc
}

@test "/proc is a link inside the root: refused, too" {
	mkdir rootfs/elsewhere
	link_at proc /elsewhere
	run_hostile
	((status == 1))
	contains "$stderr" /proc
}

@test "/sys is a link: refused" {
	link_at sys "../../../../../../../../$VICTIM"
	run_hostile
	((status == 1))
	contains "$stderr" /sys
}

@test "/dev is a link to the outside, with a mount on it" {
	link_at dev "$VICTIM"
	run_hostile
}

@test "/dev is a link to the outside, without a mount on it" {
	local target

	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
	for target in "$VICTIM" "../../../../../../../..$VICTIM" /proc/1/root/tmp /proc/self/cwd; do
		link_at dev "$target"
		run_hostile
	done
}

@test "/dev/shm, /dev/pts, /dev/mqueue are links" {
	local name

	config '.mounts |= map(select(.destination != "/dev"))'
	rm -rf rootfs/dev
	mkdir rootfs/dev
	for name in shm pts mqueue; do
		ln -s "$VICTIM/dir" "rootfs/dev/$name"
	done
	run_hostile
}

@test "default devices are links to the outside" {
	local name

	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
	for name in null zero full random urandom tty console ptmx fd stdin stdout stderr core; do
		ln -s "$VICTIM/file" "rootfs/dev/$name"
	done
	run_hostile
	for name in null zero full random urandom tty console ptmx fd stdin stdout stderr core; do
		rm -f "rootfs/dev/$name"
		ln -s "$VICTIM/new-$name" "rootfs/dev/$name"
	done
	run_hostile
	[[ -z $(find "$VICTIM" -name 'new-*') ]]
}

@test "devices of linux.devices through links" {
	ln -s "$VICTIM" rootfs/outside
	ln -s "$VICTIM/new" rootfs/newlink
	config '.root.readonly = false | .linux.devices = [
		{path: "/outside/node", type: "c", major: 1, minor: 3},
		{path: "/outside/fifo", type: "p"},
		{path: "/newlink", type: "b", major: 7, minor: 0}]'
	run_hostile
	[[ ! -e $VICTIM/node && ! -e $VICTIM/fifo && ! -e $VICTIM/new ]]
}

@test "mount points through links to the outside" {
	ln -s "$VICTIM" rootfs/absolute
	ln -s "../../../../../../../../../..$VICTIM" rootfs/climbing
	ln -s climbing rootfs/chain1
	ln -s chain1 rootfs/chain2
	config '.root.readonly = false | .mounts += [
		{destination: "/absolute/new", type: "tmpfs", source: "tmpfs"},
		{destination: "/climbing/dir", type: "tmpfs", source: "tmpfs"},
		{destination: "/chain2/new2/deep", type: "tmpfs", source: "tmpfs"},
		{destination: "/absolute/file", source: "/etc/hostname", options: ["bind"]}]'
	run_hostile
	[[ ! -e $VICTIM/new && ! -e $VICTIM/new2 ]]
}

@test "a mount point with .. in it stays inside" {
	config '.root.readonly = false | .mounts += [
		{destination: ("/tmp/../../../../../.." + $v + "/new"), type: "tmpfs", source: "tmpfs"}]' \
		--arg v "$VICTIM"
	run_hostile
	[[ ! -e $VICTIM/new ]]
}

@test "masked and read-only paths through links" {
	ln -s "$VICTIM/file" rootfs/maskfile
	ln -s "$VICTIM" rootfs/maskdir
	config '.linux.maskedPaths += ["/maskfile", "/maskdir/dir"] |
		.linux.readonlyPaths += ["/maskdir", "/maskfile"]'
	run_hostile
	is "$(<"$VICTIM/file")" secret
}

@test "the working directory through a link is made inside, and owned by nobody new" {
	ln -s "$VICTIM" rootfs/work
	config '.root.readonly = false | .process.cwd = "/work/new/dir" |
		.process.user = {uid: 1000, gid: 1000}'
	run_hostile
	[[ ! -e $VICTIM/new ]]
}

@test "the passwd file is a link, a fifo, a device, a directory, or huge" {
	rm rootfs/etc/passwd
	ln -s "$VICTIM/file" rootfs/etc/passwd
	run_hostile
	rm rootfs/etc/passwd
	mkfifo rootfs/etc/passwd
	run_hostile
	rm rootfs/etc/passwd
	mknod rootfs/etc/passwd c 1 5
	run_hostile
	rm rootfs/etc/passwd
	mkdir rootfs/etc/passwd
	run_hostile
	rmdir rootfs/etc/passwd
	truncate -s 20G rootfs/etc/passwd
	run_hostile
}

@test "a passwd file with odd lines" {
	printf '%s\n' ':::::' 'x' '1000:x:0:0::/trap:' 'u:x:+1000:1:::' 'u:x:1000' \
		'good:x:1000:1000::/good:/bin/sh' 'late:x:1000:1000::/late:/bin/sh' >rootfs/etc/passwd
	head -c 100000 /dev/zero | tr '\0' a >>rootfs/etc/passwd
	config '.process.user = {uid: 1000, gid: 1000}'
	run_probe
	json '.env | index("HOME=/good")'
}

@test "the program is a link to the outside" {
	rm rootfs/bin/probe
	ln -s "$SUITE/rootfs/bin/probe" rootfs/bin/probe
	config_args /bin/probe
	berth_exits 1 run "$ID"
	one_line_error /bin/probe
}

@test "a chain of 45 links, and a very long target" {
	local n

	ln -s /bin rootfs/l0
	for n in {1..45}; do
		ln -s "/l$((n - 1))" "rootfs/l$n"
	done
	ln -s "$(printf '/x%.0s' {1..2000})" rootfs/longlink
	config '.root.readonly = false | .mounts += [
		{destination: "/l45/x", type: "tmpfs", source: "tmpfs"}]'
	run_hostile
	((status == 1))
	config '.mounts |= .[:-1] | .mounts += [
		{destination: "/longlink/x", type: "tmpfs", source: "tmpfs"}]'
	run_hostile
}

@test "a loop of links as a mount point" {
	ln -s b rootfs/a
	ln -s a rootfs/b
	config '.mounts += [{destination: "/a/x", type: "tmpfs", source: "tmpfs"}]'
	run_hostile
	((status == 1))
	contains "$stderr" 'symbolic links'
}

@test "magic links of /proc in a path of the root are not followed" {
	local target

	config '.root.readonly = false'
	for target in /proc/self/root /proc/1/cwd /proc/self/fd/0 /proc/thread-self/fd/5; do
		ln -sfn "$target" rootfs/magic
		cp config.json "$T/saved.json"
		config '.mounts += [{destination: ("/magic" + $v), source: "/etc/hostname", options: ["bind"]}]' \
			--arg v "$VICTIM/new"
		run_hostile
		[[ ! -e $VICTIM/new ]]
		mv "$T/saved.json" config.json
	done
}

@test "a mount source that is the root file system itself" {
	mkdir rootfs/again
	config '.mounts += [{destination: "/again", source: "rootfs", options: ["rbind"]}]'
	run_hostile
}

@test "root.path that is /, a file, or missing" {
	config '.root.path = "/"'
	config_args /bin/true
	berth_call run "$ID"
	((status <= 1))
	nothing_left
	config '.root.path = "/etc/hostname"'
	berth_fails root.path run "$ID"
	config '.root.path = "no-such-dir"'
	berth_fails root.path run "$ID"
	nothing_left
}

@test "an empty root: the error is about the program" {
	rm -rf rootfs
	mkdir rootfs
	config '.root.readonly = false'
	config_args /bin/true
	berth_exits 1 run "$ID"
	one_line_error /bin/true
	nothing_left
}

@test "an empty read-only root: the error names the mount point that cannot be made" {
	rm -rf rootfs
	mkdir rootfs
	host_mount -t tmpfs -o ro tmpfs "$T/ro"
	config '.root.path = $r' --arg r "$T/ro"
	config_args /bin/true
	berth_exits 1 run "$ID"
	one_line_error /proc
	contains "$stderr" 'Read-only file system'
	nothing_left
}

@test "create never uses a path of the root by name (I7)" {
	requires command=strace
	local trace=$T/trace

	mkdir -p "$T/source"
	config '.root.readonly = false | .mounts += [
		{destination: "/uniq-one/uniq-two", type: "tmpfs", source: "tmpfs"},
		{destination: "/uniq-three/file", source: "/etc/hostname", options: ["bind"]}] |
		.linux.devices = [{path: "/uniq-four/node", type: "c", major: 1, minor: 3}] |
		.linux.maskedPaths += ["/uniq-five"] | .linux.readonlyPaths += ["/uniq-six"]'
	mkdir rootfs/uniq-five rootfs/uniq-six
	config_args /bin/true
	# strace goes on with init until that ends.
	background strace -f -s 300 -o "$trace" -e trace=%file,%desc,mount,move_mount \
		"$RUNTIME" --root "$STATE" create "$ID"
	wait_for 10 status_is "$ID" created
	berth delete --force "$ID"
	wait "$BG_PID" || true
	grep -q pivot_root "$trace"
	# Nothing below the root is reached by the root's own name.
	is "$(grep -c "$BUNDLE/rootfs/[^\"]" "$trace")" 0 'paths below the root'
	is "$(grep -cE '"rootfs/' "$trace")" 0 'relative paths below the root'
	# mount(2) changes the propagation of / at most; overlays alone may use it otherwise.
	is "$(grep -E ' mount\(' "$trace" | grep -cvE ' mount\((NULL|"[^"]*"), "/", ')" 0 'mount(2) calls'
	# What the configuration names inside the root is only ever looked up beneath a descriptor, by
	# openat2 with a RESOLVE flag, or as a single name in its parent.
	is "$(grep -E '"/uniq-(one|two|three|four|five|six)' "$trace" | grep -v 'openat2([0-9]' | grep -cv ' write(\| read(\| pread64(')" 0 \
		'absolute paths of the container'
	is "$(grep -E 'openat2\(.*uniq-' "$trace" | grep -cvE 'RESOLVE_(IN_ROOT|BENEATH|NO_SYMLINKS)')" 0 \
		'openat2 without a RESOLVE flag'
	is "$(grep -E ' (open|openat|mkdir|mkdirat|mknod|mknodat|symlink|symlinkat|unlink|unlinkat|chmod|fchmodat|chown|fchownat|stat|newfstatat|statx)\((AT_FDCWD, )?"[^"]*uniq-' "$trace" | grep -c .)" 0 \
		'calls by path'
}
