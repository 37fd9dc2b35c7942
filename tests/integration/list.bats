#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# list.

load helpers

@test "nothing there: a header, null, nothing" {
	berth list
	contains "$output" ID
	is "$(wc -l <"$OUT")" 1
	berth list --format json
	is "$output" null
	berth list -q
	is "$output" ''
}

@test "a state root that does not exist is empty" {
	rmdir "$STATE"
	berth_call list -q
	is "$output" ''
	mkdir -m 700 "$STATE" 2>/dev/null || true
}

@test "all states in the table" {
	config_args /bin/probe
	berth create "$ID-created"
	run_detached "$ID-running" sleep
	config_args /bin/true
	berth create "$ID-stopped"
	berth start "$ID-stopped"
	wait_for 5 status_is "$ID-stopped" stopped
	berth list
	is "$(head -n 1 "$OUT" | tr -s ' ' | sed 's/ $//')" 'ID PID STATUS BUNDLE CREATED OWNER'
	is "$(wc -l <"$OUT")" 4
	grep -E "^$ID-created +[0-9]+ +created +$BUNDLE +[0-9]{4}-[0-9-]+T[0-9:.]+Z +root *$" "$OUT"
	grep -E "^$ID-running +$PID +running " "$OUT"
	grep -E "^$ID-stopped +0 +stopped " "$OUT"
}

@test "json" {
	run_detached "$ID" sleep
	berth list --format json
	json 'length == 1 and (.[0] | .id == $i and .pid == $p and .status == "running" and
		.bundle == $b and .owner == "root" and (.created | fromdateiso8601? // true))' \
		--arg i "$ID" --argjson p "$PID" --arg b "$BUNDLE"
	berth list -f json
	json '.[0].created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z$")'
	berth list --format=json
	json 'length == 1'
}

@test "-q and --quiet print ids only, in order" {
	config_args /bin/true
	berth create "$ID-b"
	berth create "$ID-a"
	berth list -q
	is "$output" "$ID-a"$'\n'"$ID-b"
	berth list --quiet
	is "$output" "$ID-a"$'\n'"$ID-b"
}

@test "a broken state directory does not keep the others from being listed" {
	run_detached "$ID" sleep
	mkdir "$STATE/$ID-broken"
	berth_call list -q
	contains "$output" "$ID"
	berth delete --force "$ID-broken"
}

@test "an unknown format is an error" {
	berth_fails nonsense list --format nonsense
}
