#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the user sees: on a terminal, in a log, as JSON, not at all.

load helpers

setup() {
	pull_setup
	"$LAB_DIR/mkimage" "$T/image" >"$T/made" <<-'JSON'
		{"ref": "latest", "config": {"Cmd": ["sh"]}, "layers": [
			{"entries": ["etc/", {"path": "etc/a", "data": "first"}]},
			{"entries": ["etc/", {"path": "etc/b", "data": "second"}]}]}
	JSON
	DIGEST=$(jq -r '.[0].digest' "$T/made")
	mapfile -t LAYERS < <(jq -r '.[0].layers[].digest' "$T/made")
}

build_pty() {
	cc -D_GNU_SOURCE -O1 -o "$T/pty" "$PROJECT_DIR/tests/pty/pty.c"
}

# REGISTRY/big, which takes seconds to come.
slow_registry() {
	head -c 300000 /dev/urandom | base64 >"$T/noise"
	tar -C "$T" -cf "$T/noise.tar" noise
	"$LAB_DIR/mkimage" "$T/big" >/dev/null <<<"{\"ref\": \"latest\", \"layers\": [{\"tar\": \"$T/noise.tar\"}]}"
	start_registry
	push_image "$T/big:latest" big
	start_faulty slow:100000
}

# Something has come, and is kept.
has_part() {
	[[ -n $(find "$STORE/ingest" -type f -size +1k) ]]
}

@test "in a log: a line for each change of a layer" {
	pull --from "oci:$T/image"
	is "$output" "$DIGEST"
	for layer in "${LAYERS[@]}"; do
		layer=${layer#sha256:}
		contains "$stderr" "${layer:0:12}: done"
	done
	lacks "$stderr" $'\033'
}

@test "what is there already is not fetched, and that is said" {
	pull --from "oci:$T/image"
	pull --from "oci:$T/image" web
	is "$stderr" "oci:$T/image: is there already"
}

@test "on a terminal: a line a layer, drawn over, with what is here, the rate, and the time left" {
	build_pty
	slow_registry
	run timeout 30 "$T/pty" size:24x90 expect:downloading expect:' s left' expect:done -- \
		"$BERTH_PULL" --root "$STORE" "$REGISTRY/big"
	is "$status" 0
	contains "$output" $'\033[K'
	contains "$output" $'\033[1A'
	contains "$output" 'B/s'
}

@test "on a terminal: a warning takes the place of what is drawn, which goes on below it" {
	build_pty
	slow_registry
	set_faults slow:100000 cut:60000:1
	run timeout 30 "$T/pty" size:24x200 expect:downloading expect:'trying again' expect:done -- \
		"$BERTH_PULL" --root "$STORE" "$REGISTRY/big"
	is "$status" 0
	grep -qE $'^\033\\[1Aberth-pull: warning: .*; trying again in [0-9.]+ s\033\\[K\r?$' <<<"$output"
}

@test "on a terminal: a line is cut where the terminal ends" {
	build_pty
	run timeout 20 "$T/pty" size:24x20 -- "$BERTH_PULL" --root "$STORE" --from "oci:$T/image"
	is "$status" 0
	while IFS= read -r line; do
		[[ $line != *$'\033[K'* ]] || ((${#line} < 20 + 10)) || fail "too long: $line"
	done <<<"$output"
}

@test "on a terminal that is not as high as there are layers, nothing is scrolled away" {
	local lines

	build_pty
	seq 30 | jq -s '{ref: "x", layers: map({entries: [{path: "f\(.)"}]})}' |
		"$LAB_DIR/mkimage" "$T/many" >/dev/null
	run timeout 20 "$T/pty" size:10x60 -- "$BERTH_PULL" --root "$STORE" --from "oci:$T/many"
	is "$status" 0
	contains "$output" 'and 22 more layers'
	contains "$output" $'\033[9A'
	lines=$(grep -oE $'\033\\[[0-9]+A' <<<"$output" | sort -u)
	is "$lines" $'\033[9A'
	run timeout 20 "$T/pty" size:1x60 -- "$BERTH_PULL" --root "$STORE.2" --from "oci:$T/many"
	is "$status" 0
	lacks "$output" $'\033[2A'
}

@test "a terminal that knows no movement gets plain lines" {
	build_pty
	TERM=dumb run timeout 20 "$T/pty" size:24x80 -- "$BERTH_PULL" --root "$STORE" --from "oci:$T/image"
	is "$status" 0
	lacks "$output" $'\033'
	contains "$output" ': done,'
}

@test "--quiet: the digest alone" {
	pull --quiet --from "oci:$T/image"
	is "$output" "$DIGEST"
	is "$stderr" ''
}

@test "--json: an object a line, the last one says what was made" {
	pull --json --from "oci:$T/image" web
	is "$stderr" ''
	is "$(jq -s '[.[] | select(.event == "layer" and .state == "done")] | length' "$OUT")" 2
	is "$(jq -rs 'last | "\(.event) \(.digest) \(.present) \(.bundle)"' "$OUT")" \
		"done $DIGEST false web"
	pull --json --from "oci:$T/image"
	is "$(jq -rs 'last.present' "$OUT")" true
}

@test "standard output that nobody reads is an error" {
	run bash -c "'$BERTH_PULL' --root '$STORE' --from 'oci:$T/image' --quiet 2>&1 >/dev/full"
	is "$status" 1
	contains "$output" 'write to standard output: No space left on device'
}

@test "closed standard streams are not taken for files of the store" {
	local calls=$T/calls

	# Progress and results would go where a lock, a layer or a connection has their number.
	"$BERTH_PULL" --root "$STORE" --from "oci:$T/image" web <&- 2>&-
	rm -rf "$STORE" web
	run bash -c "'$BERTH_PULL' --root '$STORE' --from 'oci:$T/image' web <&- 2>&1 >&-"
	is "$status" 1
	contains "$output" 'write to standard output: Bad file descriptor'
	is "$(stat -c %s "$STORE/lock")" 0
	pull verify
	rm -rf "$STORE" web
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=openat,flock -o "$calls" \
		"$BERTH_PULL" --root "$STORE" --from "oci:$T/image" web <&- >&- 2>&- || true
	run grep -E 'openat\(([0-9]|AT_FDCWD, "/tmp).* = [012]$' "$calls"
	is "$output" ''
}

@test "a signal in the middle of a download ends it, and is its status; the beginning stays" {
	slow_registry
	pull_background "$REGISTRY/big"
	wait_for 10 has_part
	kill -TERM "$BG_PID"
	status=0
	wait "$BG_PID" || status=$?
	is "$status" 143
	KEEP_PARTS=1
	has_part
	is "$(ls -A "$STORE/tmp")" ''
}

@test "help: every command and option" {
	pull help
	for word in pull bundle list inspect remove gc fsck verify --from --platform --memory; do
		contains "$output" "$word"
	done
	pull help gc
	contains "$output" 'berth-pull gc'
	pull_fails 'there is no command "lsit" (see berth-pull help)' help lsit
	pull --version
	contains "$output" 'berth-pull version'
}

@test "mistakes on the command line: one line each" {
	pull_fails 'missing argument: the image'
	pull_fails 'unknown option: --nonsense' --nonsense image
	pull_fails 'unexpected argument "c"' a b c
	pull_fails 'with --from the only one is the bundle' --from "oci:$T/image" a b
	pull_fails '--max-depth: 0 would allow nothing' --max-depth 0 image
	pull_fails '--max-layer-size: "4x" is not a number of bytes' --max-layer-size 4x image
	pull_fails '--parallel: 17 is more than 16' --parallel 17 image
	[[ ! -e $STORE ]]
	run "$BERTH_PULL" --root '' --from "oci:$T/image"
	is "$output" 'berth-pull: --root: it is empty'
	((UID == 0)) || return 0
	run setpriv --reuid 65534 --regid 65534 --clear-groups env -i HOME=home "$BERTH_PULL" list
	contains "$output" 'neither XDG_DATA_HOME nor HOME is the path of a directory'
}
