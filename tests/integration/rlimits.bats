#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# process.rlimits.

load helpers

@test "the default spec's limit" {
	run_probe
	json '.rlimits.RLIMIT_NOFILE == {soft: 1024, hard: 1024}'
}

@test "every type can be set, soft and hard apart" {
	config '.process.rlimits = [
		{type: "RLIMIT_AS", soft: 4000000000, hard: 5000000000},
		{type: "RLIMIT_CORE", soft: 0, hard: 4096},
		{type: "RLIMIT_CPU", soft: 100, hard: 200},
		{type: "RLIMIT_DATA", soft: 2000000000, hard: 3000000000},
		{type: "RLIMIT_FSIZE", soft: 1000000, hard: 2000000},
		{type: "RLIMIT_LOCKS", soft: 10, hard: 20},
		{type: "RLIMIT_MEMLOCK", soft: 65536, hard: 131072},
		{type: "RLIMIT_MSGQUEUE", soft: 4096, hard: 8192},
		{type: "RLIMIT_NICE", soft: 0, hard: 0},
		{type: "RLIMIT_NOFILE", soft: 100, hard: 200},
		{type: "RLIMIT_NPROC", soft: 1000, hard: 2000},
		{type: "RLIMIT_RSS", soft: 1000000, hard: 2000000},
		{type: "RLIMIT_RTPRIO", soft: 0, hard: 0},
		{type: "RLIMIT_RTTIME", soft: 100000, hard: 200000},
		{type: "RLIMIT_SIGPENDING", soft: 10, hard: 20},
		{type: "RLIMIT_STACK", soft: 1000000, hard: 2000000}]'
	cp config.json "$T/asked.json"
	run_probe
	json '.rlimits == ($asked[0].process.rlimits |
		map({(.type): {soft: .soft, hard: .hard}}) | add)' --slurpfile asked "$T/asked.json"
}

@test "the largest value means unlimited" {
	config_infinity
	berth run "$ID"
	json '.rlimits.RLIMIT_CPU == {soft: "unlimited", hard: "unlimited"}'
}

# jq cannot write 2^64-1, so the limits are put in as text.
config_infinity() {
	config '.process.rlimits = ["@LIMITS@"]'
	sed -i 's/"@LIMITS@"/{"type": "RLIMIT_CPU", "soft": MAX, "hard": MAX}/; s/MAX/18446744073709551615/g' \
		config.json
}

@test "no limits: those of the caller" {
	config 'del(.process.rlimits)'
	BERTH_TEST=$ID prlimit --nofile=321:654 "$RUNTIME" --root "$STATE" run "$ID" >"$T/out"
	OUT=$T/out
	json '.rlimits.RLIMIT_NOFILE == {soft: 321, hard: 654}'
}

@test "berth itself works with few descriptors and restores what it raised" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 7, hard: 64}]'
	config_args /bin/probe
	BERTH_TEST=$ID prlimit --nofile=64:64 "$RUNTIME" --root "$STATE" run "$ID" >"$T/out"
	OUT=$T/out
	json '.rlimits.RLIMIT_NOFILE == {soft: 7, hard: 64}'
}

@test "raising a hard limit" {
	requires cap_sys_resource
	config '.process.rlimits = [{type: "RLIMIT_MEMLOCK", soft: 99999744, hard: 99999744}]'
	run_probe
	json '.rlimits.RLIMIT_MEMLOCK == {soft: 99999744, hard: 99999744}'
}

@test "a hard limit that cannot be raised is an error that names it" {
	config '.process.rlimits = [{type: "RLIMIT_MEMLOCK", soft: 99999744, hard: 99999744}]'
	printf '#!/bin/sh\nexec setpriv --bounding-set -sys_resource "%s" "$@"\n' "$RUNTIME" >"$T/weak"
	chmod +x "$T/weak"
	RUNTIME=$T/weak berth_fails RLIMIT_MEMLOCK run "$ID"
	contains "$stderr" 'process.rlimits[0]'
	nothing_left
}

@test "exec applies the limits of its process" {
	run_detached "$ID" sleep
	jq '.process | .args = ["/bin/probe"] | .rlimits = [{type: "RLIMIT_NOFILE", soft: 33, hard: 44}]' \
		config.json >"$T/process.json"
	berth exec --process "$T/process.json" "$ID"
	json '.rlimits.RLIMIT_NOFILE == {soft: 33, hard: 44}'
	berth exec "$ID" /bin/probe
	json '.rlimits.RLIMIT_NOFILE == {soft: 1024, hard: 1024}'
}
