#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A payload that cannot be executed: the error says which file and why. Exec ends with 255, run
# with 1, like for all other failures.

load helpers

# The payload fails to start with one line, the given parts in it; the same in exec. Sets reason.
cannot_run() {
	local program=$1 part

	shift
	config_args "$program" argument
	berth_exits 1 run "$ID"
	one_line_error "$program"
	for part in "$@"; do
		contains "$stderr" "$part"
	done
	nothing_left
	run_detached "$ID" sleep
	berth_exits 255 exec "$ID" "$program" argument
	one_line_error "$program"
	for part in "$@"; do
		contains "$stderr" "$part"
	done
	reason=$stderr
	berth delete --force "$ID"
}

@test "a missing file" {
	cannot_run /bin/no-such-program 'No such file or directory'
}

@test "a name that PATH does not have" {
	cannot_run no-such-program PATH
	# The words that engines look for.
	[[ $reason =~ ([Ee]xecutable file not found in|[Nn]o such file or directory) ]] || fail 'words'
}

@test "a missing directory on the way" {
	cannot_run /no/such/dir/program 'No such file or directory'
}

@test "a script whose interpreter is missing" {
	printf '#!/usr/bin/no-such-interpreter -x\n' >rootfs/bin/script
	chmod 755 rootfs/bin/script
	cannot_run /bin/script /usr/bin/no-such-interpreter interpreter
}

@test "a script with DOS line ends" {
	printf '#!/bin/sh\r\necho hi\r\n' >rootfs/bin/script
	chmod 755 rootfs/bin/script
	cannot_run /bin/script interpreter '/bin/sh'
	[[ $reason =~ (carriage return|CR|\\r|line end) ]] || fail 'says nothing of the carriage return'
}

@test "a program whose loader is missing" {
	[[ $(file -bL /bin/true 2>/dev/null || readelf -l /bin/true) == *'interpreter'* ]] || skip 'no dynamic program'
	cp -L /bin/true rootfs/bin/dynamic
	cannot_run /bin/dynamic ld-linux loader
}

@test "a file that is not executable" {
	printf '#!/bin/sh\n' >rootfs/bin/script
	chmod 644 rootfs/bin/script
	cannot_run /bin/script 'Permission denied' execut
}

@test "a file that the user may not execute" {
	cp "$SUITE/rootfs/bin/probe" rootfs/bin/private
	chmod 700 rootfs/bin/private
	config '.process.user = {uid: 1000, gid: 1000}'
	cannot_run /bin/private 'Permission denied' 1000
}

@test "a directory of the way that the user may not enter" {
	mkdir -m 700 rootfs/closed
	cp "$SUITE/rootfs/bin/probe" rootfs/closed/program
	config '.process.user = {uid: 1000, gid: 1000} | del(.process.capabilities)'
	cannot_run /closed/program 'Permission denied' /closed
}

@test "a directory" {
	mkdir rootfs/bin/directory
	cannot_run /bin/directory directory
}

@test "a program of another architecture" {
	[[ $(uname -m) == x86_64 ]] || skip 'needs x86-64'
	# An ELF header of a machine that this is not.
	printf '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf7\x00\x01\x00\x00\x00' \
		>rootfs/bin/foreign
	head -c 4000 /dev/zero >>rootfs/bin/foreign
	chmod 755 rootfs/bin/foreign
	cannot_run /bin/foreign machine x86-64
}

@test "an empty file, and a text without #!" {
	: >rootfs/bin/empty
	chmod 755 rootfs/bin/empty
	cannot_run /bin/empty 'Exec format error'
	echo 'echo hi' >rootfs/bin/text
	chmod 755 rootfs/bin/text
	cannot_run /bin/text 'Exec format error'
}

@test "a file on a mount with noexec" {
	mkdir -p rootfs/data "$T/source"
	cp "$SUITE/rootfs/bin/probe" "$T/source/program"
	config '.mounts += [{destination: "/data", source: $s, options: ["bind", "noexec"]}]' \
		--arg s "$T/source"
	cannot_run /data/program noexec
}

@test "a symbolic link that leads nowhere" {
	ln -s /nowhere rootfs/bin/link
	cannot_run /bin/link 'No such file or directory'
}

@test "a loop of symbolic links" {
	ln -s loop2 rootfs/bin/loop1
	ln -s loop1 rootfs/bin/loop2
	cannot_run /bin/loop1 'symbolic links'
}

@test "arguments that are too large" {
	config '.process.args = ["/bin/true", ("x" * 200000)]'
	berth_exits 1 run "$ID"
	one_line_error 'Argument list too long'
	nothing_left
}

@test "a foreground run and create tell the same" {
	config_args /bin/no-such-program
	berth_call create "$ID"
	if ((status == 0)); then
		berth_call start "$ID"
		((status != 0))
		one_line_error /bin/no-such-program
		berth delete --force "$ID"
	fi
	nothing_left
}

@test "a failing run of a name with shell and format characters" {
	config_args '/bin/%s%n$(x)'
	berth_exits 1 run "$ID"
	one_line_error '/bin/%s%n$(x)'
}

@test "nothing after the message: no usage text, no second line, nothing on stdout" {
	config_args /bin/no-such-program
	berth_exits 1 run "$ID"
	is "$output" ''
	is "$(wc -l <"$ERR")" 1
}

@test "a program that is gone at the start: start names it, and nothing else" {
	cp rootfs/bin/busybox rootfs/bin/gone
	config_args /bin/gone
	berth create "$ID"
	rm rootfs/bin/gone
	berth_fails '"/bin/gone"' start "$ID"
}
