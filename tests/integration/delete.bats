#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# delete: states, --force, removal of everything.

load helpers

@test "a stopped container" {
	config_args /bin/true
	berth create "$ID"
	berth start "$ID"
	wait_for 5 status_is "$ID" stopped
	berth delete "$ID"
	nothing_left
	berth_fails 'does not exist' state "$ID"
}

@test "a running container is refused and goes on running" {
	run_detached "$ID" sleep
	berth_fails 'not stopped' delete "$ID"
	contains "$stderr" running
	status_is "$ID" running
}

@test "a created container is refused without --force" {
	config_args /bin/probe
	berth create "$ID"
	berth_fails created delete "$ID"
	status_is "$ID" created
	berth delete --force "$ID"
	nothing_left
}

@test "--force ends a running container and all its processes" {
	run_detached "$ID" orphans 5 stay
	berth delete --force "$ID"
	nothing_left
}

@test "-f, --force and -force" {
	local option

	for option in -f --force -force; do
		run_detached "$ID" sleep
		berth delete "$option" "$ID"
		nothing_left
	done
}

@test "--force of a container that does not exist succeeds without a word" {
	berth delete --force "$ID"
	is "$stderr" ''
}

@test "without --force it is an error in the words that engines look for" {
	berth_fails 'does not exist' delete "$ID"
}

@test "the id can be used again" {
	local n

	for n in 1 2 3; do
		config_args /bin/echo "$n"
		berth run "$ID"
		is "$output" "$n"
	done
}

@test "a container whose bundle is gone can be deleted" {
	run_detached "$ID" sleep
	rm -rf "$BUNDLE/config.json" "$BUNDLE/rootfs/bin/cat"
	mv "$BUNDLE" "$T/moved"
	berth delete --force "$ID"
	nothing_left
	mv "$T/moved" "$BUNDLE"
}

@test "a half-made state directory is removed by --force" {
	mkdir -m 711 "$STATE/$ID"
	berth delete --force "$ID"
	nothing_left
}

@test "a state directory with rubbish in it is removed by --force" {
	local file

	run_detached "$ID" sleep
	berth kill "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	for file in "$STATE/$ID"/*; do
		if [[ -f $file ]]; then
			echo '{"rubbish' >"$file"
		fi
	done
	berth delete --force "$ID"
	nothing_left
}

@test "a link in the place of a state directory is not followed" {
	ln -s "$VICTIM" "$STATE/$ID"
	berth_call delete --force "$ID"
	[[ -f $VICTIM/file ]]
	rm -f "$STATE/$ID"
}

@test "ids that are no ids are refused by every command" {
	local id command

	for id in '' . .. a/b ../x /abs -x $'a\nb' 'a b' "$(printf 'x%.0s' {1..1100})"; do
		for command in create run start state kill delete exec; do
			berth_call "$command" -- "$id"
			((status != 0)) || fail "$command '$id': accepted"
			(($(wc -l <"$ERR") <= 1)) || fail "$command '$id': more than one line"
		done
	done
	is "$(ls -A "$STATE")" ''
	[[ ! -e $T/x ]]
}

@test "two deletes at once: both end well, nothing is left" {
	run_detached "$ID" orphans 3 stay
	berth_background delete --force "$ID"
	berth delete --force "$ID"
	wait "$BG_PID"
	nothing_left
}

@test "poststop runs once" {
	config '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo x >>\($t)/poststop"]}]' \
		--arg t "$T"
	run_detached "$ID" sleep
	berth delete --force "$ID"
	berth delete --force "$ID"
	is "$(<"$T/poststop")" x
}
