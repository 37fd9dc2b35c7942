#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --log, --log-format, --log-level, --debug: what engines read when something fails.

load helpers

# The one JSON object that a failed command leaves in a log file.
one_json_error() {
	is "$(jq -s length "$1")" 1 'objects in the log'
	jq -e '.level == "error" and (.msg | type == "string" and length > 0) and
		(.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?(Z|[+-][0-9:]+)$"))' "$1"
	is "$(wc -l <"$1")" 1 'lines in the log'
}

@test "--log with json: exactly one error object, and the text on stderr" {
	config_args /bin/no-such-program
	berth_call --log "$T/log" --log-format json run "$ID"
	((status != 0))
	one_json_error "$T/log"
	contains "$(jq -r .msg "$T/log")" /bin/no-such-program
	contains "$stderr" /bin/no-such-program
}

@test "json on stderr when there is no log file" {
	config '.process.cwd = 7'
	berth_call --log-format json create "$ID"
	((status == 1))
	one_json_error "$ERR"
	contains "$(jq -r .msg "$ERR")" process.cwd
}

@test "--log=PATH and --log-format=json" {
	config '.process.cwd = 7'
	berth_call --log="$T/log" --log-format=json create "$ID"
	one_json_error "$T/log"
}

@test "the log grows by one object for each failure: nothing is cut off" {
	config '.process.cwd = 7'
	berth_call --log "$T/log" --log-format json create "$ID"
	berth_call --log "$T/log" --log-format json create "$ID"
	is "$(jq -s length "$T/log")" 2
}

@test "success writes nothing" {
	config_args /bin/true
	berth --log "$T/log" --log-format json run "$ID"
	[[ ! -s $T/log ]]
	is "$stderr" ''
}

@test "text is the default" {
	config '.process.cwd = 7'
	berth_call --log "$T/log" create "$ID"
	((status == 1))
	contains "$(<"$T/log")" process.cwd
	is "$(wc -l <"$T/log")" 1
}

@test "hostile text in a message stays one valid object" {
	config '.mounts += [{destination: "/tmp", type: "no\"such\n\\fs\u0001", source: "x"}]'
	berth_call --log "$T/log" --log-format json create "$ID"
	((status == 1))
	one_json_error "$T/log"
	config '.hooks.createRuntime = [{path: "/bin/sh",
		args: ["sh", "-c", "printf \"a\\\"b\\n\\377\\001c\" >&2; exit 1"]}] | .mounts |= .[:-1]'
	rm "$T/log"
	berth_call --log "$T/log" --log-format json create "$ID"
	((status == 1))
	one_json_error "$T/log"
	# Control characters never reach the terminal raw.
	is "$(wc -l <"$ERR")" 1
	is "$(tr -d '[:print:]\n' <"$ERR" | tr -d '\200-\377' | wc -c | tr -d ' ')" 0
}

@test "every failing command leaves exactly one object" {
	local command

	for command in "start $ID" "state $ID" "kill $ID TERM" "delete $ID" "exec $ID /bin/true" \
		"run --bundle /no/such/bundle $ID" "create --no-such-option $ID" "no-such-command" \
		"spec --bundle /no/such/dir" "list --format nonsense"; do
		rm -f "$T/log"
		# shellcheck disable=SC2086 # words on purpose
		berth_call --log "$T/log" --log-format json $command
		((status != 0)) || fail "$command succeeds"
		one_json_error "$T/log" || fail "$command: $(cat "$T/log")"
	done
}

@test "an error inside the container's init is one object, too" {
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "x", options: ["size=banana"]}]'
	berth_call --log "$T/log" --log-format json create "$ID"
	((status == 1))
	one_json_error "$T/log"
	nothing_left
}

@test "warnings do not spoil the log at the default level" {
	config '.process.capabilities.bounding += ["CAP_OF_THE_FUTURE"] | .process.cwd = 7'
	berth_call --log "$T/log" --log-format json create "$ID"
	one_json_error "$T/log"
}

@test "--debug and --log-level debug say more, each line an object" {
	config_args /bin/true
	berth --debug --log "$T/log" --log-format json run "$ID"
	jq -es 'length > 0 and all(.level == "debug" or .level == "info" or .level == "warning")' "$T/log"
	rm "$T/log"
	berth --log-level debug --log "$T/log" --log-format json run "$ID"
	jq -es 'length > 0' "$T/log"
}

@test "--log-level error, warning and debug; another one is refused" {
	local level

	config_args /bin/true
	for level in error warning debug; do
		berth --log-level "$level" --log "$T/log" run "$ID"
	done
	berth_fails nonsense --log-level nonsense run "$ID"
}

@test "an unknown log format is refused" {
	berth_fails nonsense --log-format nonsense list
}

@test "a log file that cannot be opened is named" {
	berth_fails /no/such/dir/log --log /no/such/dir/log list
}

@test "--rootless takes true, false and auto" {
	local value

	config_args /bin/true
	for value in false auto; do
		berth --rootless "$value" run "$ID"
		berth --rootless="$value" run "$ID"
	done
	berth_fails nonsense --rootless nonsense list
}
