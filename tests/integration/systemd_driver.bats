#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The systemd driver without systemd: berth's side of the conversation with berth-systemd, which
# tests/systemd stands in for. systemd.bats has the real one.

load helpers

eval "$(declare -f setup teardown | sed 's/^\(setup\|teardown\) ()/\1_test ()/')"

setup_file() {
	build_tool systemd
}

# A berth of the test's own, with the stand-in beside it.
setup() {
	setup_test
	requires cgroup2
	BIN=$T/bin
	mkdir "$BIN"
	cp "$RUNTIME" "$BIN/berth"
	cp "$CACHE_DIR/systemd" "$BIN/berth-systemd"
	echo "$CGROUP2" >"$BIN/base"
	: >"$BIN/questions"
	chmod 666 "$BIN/questions"
	RUNTIME=$BIN/berth
	UNIT=berth-$ID.scope
}

teardown() {
	rm -f "$BIN/orders"
	teardown_test
}

# Lines of the stand-in's orders.
order() {
	printf '%s\n' "$@" >"$BIN/orders"
}

# The questions with this verb, a line each.
questions() {
	grep "^\(--user\)\?{\"$1\"" "$BIN/questions" | sed 's/^--user//'
}

# The filter is true for the last question with this verb.
asked() {
	questions "$1" | tail -n 1 | jq -e ".$1 | $2" >/dev/null ||
		fail "$1: not $2: $(<"$BIN/questions")"
}

asked_times() {
	is "$(questions "$1" | wc -l)" "$2" "$(<"$BIN/questions")"
}

# property VERB NAME JSON: the last value of a property in the last question.
property() {
	asked "$1" "[.properties[] | select(.[0] == \"$2\") | .[2]] | last == $3"
}

in_record() {
	jq -e "$1" "$STATE/$ID/state.json" >/dev/null || fail "not $1: $(<"$STATE/$ID/state.json")"
}

run_in_unit() {
	config_args /bin/probe sleep
	berth --systemd-cgroup run -d --pid-file "$T/pid" "$ID"
	PID=$(<"$T/pid")
}

@test "a container lives in the scope; all later commands know by themselves" {
	run_in_unit
	is "$(grep '^0::' "/proc/$PID/cgroup")" "0::/$UNIT"
	asked start ".unit == \"$UNIT\""
	property start Slice '"system.slice"'
	property start Delegate true
	property start DevicePolicy '"strict"'
	property start CollectMode '"inactive-or-failed"'
	in_record ".cgroupManager == \"systemd\" and .unit == \"$UNIT\" and (.unitOfUser | not)"
	in_record ".cgroupPath == \"/$UNIT\""
	# The stand-in is gone from the scope, and only the container is there.
	is "$(<"$CGROUP2/$UNIT/cgroup.procs")" "$PID"
	is "$(pgrep -f "$BIN/berth-systemd" || true)" ''
	berth exec "$ID" /bin/cat /proc/self/cgroup
	contains "$output" "0::/"
	berth pause "$ID"
	status_is "$ID" paused
	berth resume "$ID"
	berth ps --format json "$ID"
	is "$output" "[$PID]"
	berth events --stats "$ID"
	berth kill --all "$ID" KILL
	wait_for 5 status_is "$ID" stopped
	asked_times stop 0
	berth delete "$ID"
	asked_times stop 1
	asked stop ".unit == \"$UNIT\""
	nothing_left
}

@test "run in the foreground, and its exit status" {
	config_args /bin/sh -c 'exit 7'
	berth_exits 7 --cgroup-manager systemd run "$ID"
	is "$stderr" ''
	asked_times start 1
	asked_times stop 1
	nothing_left
}

@test "create, start, delete --force of one that runs" {
	config_args /bin/probe sleep
	berth --systemd-cgroup create "$ID"
	status_is "$ID" created
	berth start "$ID"
	# As go-runc's shim does on its way out: without the flag.
	berth delete --force "$ID"
	asked_times stop 1
	nothing_left
}

@test "cgroupsPath: slice, prefix and name; other forms are refused" {
	config ".linux.cgroupsPath = \"machine.slice:libpod:$ID\""
	run_in_unit
	asked start ".unit == \"libpod-$ID.scope\""
	property start Slice '"machine.slice"'
	berth delete --force "$ID"
	config '.linux.cgroupsPath = "/a/b"'
	berth_fails 'linux.cgroupsPath: "/a/b": the systemd driver takes "SLICE:PREFIX:NAME"' \
		--systemd-cgroup run "$ID"
	config '.linux.cgroupsPath = "system.slice:x:y"'
	berth_fails 'linux.cgroupsPath: "system.slice:x:y" is the form of the systemd driver' run "$ID"
	asked_times start 1
	nothing_left
}

@test "flags: systemd and another manager at once" {
	berth_fails '--systemd-cgroup says otherwise' --systemd-cgroup --cgroup-manager cgroupfs run "$ID"
	berth_fails '"what" is neither' --cgroup-manager what run "$ID"
	berth --systemd-cgroup list
	berth --systemd-cgroup --cgroup-manager systemd list
	nothing_left
}

@test "annotations become properties, and are checked before anything is done" {
	config '.annotations = {"org.systemd.property.TimeoutStopSec": "1.5",
		"org.systemd.property.CollectMode": "'"'inactive'"'", "org.example": "x"}'
	run_in_unit
	property start TimeoutStopUSec 1500000
	property start CollectMode '"inactive"'
	berth delete --force "$ID"
	config '.annotations = {"org.systemd.property.After": "[1, '"'a'"']"}'
	berth_fails 'annotations["org.systemd.property.After"]: at byte' --systemd-cgroup run "$ID"
	asked_times start 1
	# They are none of the other driver's business.
	config_args /bin/true
	berth run "$ID"
	nothing_left
}

@test "a helper that is not there, at create and at delete" {
	run_in_unit
	mv "$BIN/berth-systemd" "$BIN/elsewhere"
	berth_exits 0 --log-level warning delete --force "$ID"
	contains "$stderr" 'its cgroup is removed without systemd: --systemd-cgroup needs the program "berth-systemd"'
	berth_fails '--systemd-cgroup needs the program "berth-systemd"' --systemd-cgroup run "$ID"
	mv "$BIN/elsewhere" "$BIN/berth-systemd"
	nothing_left
}

@test "what systemd refuses is told, and nothing is left" {
	order 'start error start unit x: access denied'
	berth_fails 'start unit x: access denied' --systemd-cgroup run "$ID"
	order 'start die'
	berth_fails "unit \"$UNIT\": \"$BIN/berth-systemd\" has ended without an answer" --systemd-cgroup run "$ID"
	asked_times stop 0
	nothing_left
}

@test "a unit that is there already stays" {
	mkdir "$CGROUP2/$UNIT"
	berth_fails "start $UNIT: File exists" --systemd-cgroup run "$ID"
	asked_times stop 0
	[[ -d $CGROUP2/$UNIT ]] || fail 'it is gone'
	rmdir "$CGROUP2/$UNIT"
	nothing_left
}

@test "a create that fails later takes its unit back" {
	config '.linux.resources.unified = {"cgroup.max.depth": "what"}'
	berth_fails "unit \"$UNIT\": linux.resources.unified[\"cgroup.max.depth\"]: write \"what\"" \
		--systemd-cgroup run "$ID"
	asked_times stop 1
	config 'del(.linux.resources.unified) | .process.args = ["/not/there"]'
	berth_fails '/not/there' --systemd-cgroup run "$ID"
	asked_times stop 2
	nothing_left
}

@test "a creator that is killed: delete --force finds the unit" {
	config '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
	berth_background --systemd-cgroup create "$ID"
	wait_for 10 test -s "$STATE/$ID/config.json"
	kill -KILL "$BG_PID"
	wait "$BG_PID" || true
	in_record ".unit == \"$UNIT\" and .pid == null"
	berth delete --force "$ID"
	asked_times stop 1
	nothing_left
}

@test "a creator that is killed while it waits for systemd" {
	order 'start hang'
	berth_background --systemd-cgroup create "$ID"
	wait_for 10 grep -q start "$BIN/questions"
	kill -KILL "$BG_PID"
	wait "$BG_PID" || true
	in_record '.unit == null and .cgroupPath == null'
	wait_for 10 eval "! pgrep -f '$BIN/berth-systemd'"
	berth delete --force "$ID"
	asked_times stop 0
	nothing_left
}

@test "update: files first, then the unit; other fields are not touched" {
	config '.linux.resources.unified = {"cgroup.max.depth": "5"}'
	run_in_unit
	printf '{"unified": {"cgroup.max.depth": "7"}}' >"$T/update.json"
	berth update --resources "$T/update.json" "$ID"
	is "$(<"$CGROUP2/$UNIT/cgroup.max.depth")" 7
	# There is no property for it.
	asked_times set 0
	printf '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}' >"$T/update.json"
	berth update --resources "$T/update.json" "$ID"
	asked set '[.properties[][0]] == ["DeviceAllow", "DevicePolicy", "DeviceAllow"]'
	asked set '.properties[2][2] | last == ["/dev/char/10:229", "rw"]'
	berth delete --force "$ID"
	nothing_left
}

@test "update: what systemd refuses is set back" {
	config '.linux.resources.unified = {"cgroup.max.depth": "5"}'
	run_in_unit
	order 'set error SetUnitProperties: no'
	printf '{"unified": {"cgroup.max.depth": "7"}, "devices": [{"allow": true, "access": "rwm"}]}' \
		>"$T/update.json"
	berth_fails 'SetUnitProperties: no; what was changed before is set back' \
		update --resources "$T/update.json" "$ID"
	is "$(<"$CGROUP2/$UNIT/cgroup.max.depth")" 5
	rm "$BIN/orders"
	# The next one begins with what there was.
	printf '{"unified": {"cgroup.max.descendants": "9"}}' >"$T/update.json"
	berth update --resources "$T/update.json" "$ID"
	is "$(<"$CGROUP2/$UNIT/cgroup.max.depth")" 5
	berth delete --force "$ID"
	nothing_left
}

@test "delete: systemd that fails, or is gone, keeps nothing" {
	run_in_unit
	mkdir -p "$CGROUP2/$UNIT/below/it"
	order 'stop error no answer'
	berth_exits 0 --log-level warning delete --force "$ID"
	contains "$stderr" 'its cgroup is removed without systemd: no answer'
	nothing_left
}

@test "delete --force of a record that was damaged" {
	config ".linux.cgroupsPath = \"-:p:$ID\""
	run_in_unit
	echo garbage >"$STATE/$ID/state.json"
	berth delete --force "$ID"
	nothing_left
}

@test "exec into a cgroup below" {
	run_in_unit
	mkdir "$CGROUP2/$UNIT/below"
	berth exec --cgroup below "$ID" /bin/cat /proc/1/cgroup /proc/self/cgroup
	contains "$output" '/below'
	berth_exits 255 exec --cgroup ../x "$ID" /bin/true
	contains "$stderr" 'not a sub cgroup path'
	berth delete --force "$ID"
	nothing_left
}
