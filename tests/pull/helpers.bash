# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by all bats suites that drive berth-pull.
#
# Each test has a directory T of its own with a store, a home and its servers, so that tests can run
# side by side. Every process that a test starts has BERTH_TEST=$ID in its environment. After every
# test teardown ends the servers, and asserts that no process, no mount and no work in progress in
# the store remains (KEEP_PARTS=1: the parts of a broken download may).
#
# Environment: BERTH the runtime to test (default: the release build of this tree), BERTH_PULL
# (default: the one beside it).

PULL_TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(cd "$PULL_TESTS_DIR/../.." && pwd)
LAB_DIR=$PULL_TESTS_DIR/lab
BERTH=${BERTH:-$PROJECT_DIR/build/release/berth}
BERTH_PULL=${BERTH_PULL:-${BERTH%/*}/berth-pull}
PULL_TIMEOUT=${PULL_TIMEOUT:-60}
# shellcheck source=tests/assert.bash
. "$PROJECT_DIR/tests/assert.bash"

# --- once per test -------------------------------------------------------------------------------

setup() {
	pull_setup
}

teardown() {
	pull_teardown
}

# For files with a setup() of their own.
pull_setup() {
	umask 022
	T=$BATS_TEST_TMPDIR
	ID=pt-$$-$BATS_SUITE_TEST_NUMBER
	STORE=$T/store
	CALLS=0
	SERVERS=()
	KEEP_PARTS=0
	export BERTH_TEST=$ID
	# Nothing of the user who runs the tests decides anything.
	export HOME=$T/home
	mkdir "$HOME"
	unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_CONFIG_HOME XDG_RUNTIME_DIR XDG_DATA_HOME
	unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
	unset SSL_CERT_FILE SSL_CERT_DIR
	cd "$T" || return 1
}

pull_teardown() {
	local problems

	cd / || return 1
	stop_servers
	problems=$(
		check_processes
		check_mounts
		check_store
	)
	if [[ -n $problems ]]; then
		printf 'after the test:\n%s\n' "$problems"
		return 1
	fi
}

stop_servers() {
	local pid

	for pid in "${SERVERS[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in "${SERVERS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	SERVERS=()
}

# Whether a process is dead and only waits to be noticed.
is_zombie() {
	local stat

	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	[[ ${stat##*) } == 'Z '* ]]
}

# The processes of the test, but this shell and what it has just started.
own_processes() {
	local file pid

	while read -r file; do
		pid=${file#/proc/}
		pid=${pid%%/*}
		[[ $pid == "$$" || $pid == "$BASHPID" ]] || is_zombie "$pid" || echo "$pid"
	done < <(grep -lsaE -- "(^|[^A-Z_])BERTH_TEST=$ID([^0-9]|\$)" /proc/[0-9]*/environ)
}

check_processes() {
	local pid left
	local end=$((SECONDS + 3))

	while left=$(own_processes) && [[ -n $left ]] && ((SECONDS < end)); do
		sleep 0.05
	done
	for pid in $left; do
		echo "process left: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
		kill -KILL "$pid" 2>/dev/null || true
	done
}

check_mounts() {
	awk -v t="$T" '$5 == t || index($5, t "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r place; do
			echo "mount left: $place"
			umount -l "$place" || true
		done
}

check_store() {
	local place

	for place in "$STORE"/tmp/* "$STORE"/ingest/*; do
		[[ -e $place ]] || continue
		[[ $place == */ingest/* && $KEEP_PARTS == 1 ]] || echo "left in the store: $place"
	done
}

# --- servers -------------------------------------------------------------------------------------

# Starts a program of the lab that writes $1/address once it answers; sets ADDRESS and SERVER_PID.
# $1: its directory, which is made.
start_server() {
	local directory=$1

	shift
	mkdir -p "$directory"
	rm -f "$directory/address"
	"$@" </dev/null >>"$directory/out" 2>&1 3>&- 4>&- &
	SERVER_PID=$!
	SERVERS+=("$SERVER_PID")
	wait_for_server "$directory" || return 1
	read -r ADDRESS <"$directory/address"
}

wait_for_server() {
	local end=$((SECONDS + 60))

	until [[ -e $1/address ]]; do
		if is_zombie "$SERVER_PID" || ((SECONDS >= end)); then
			fail "no server: $(tail -n 5 "$1/out")"
			return 1
		fi
		sleep 0.02
	done
}

# A registry with a storage of its own; sets REGISTRY to HOST:PORT. $1: name of its directory.
start_registry() {
	start_server "$T/${1:-registry}" "$LAB_DIR/registry" "$T/${1:-registry}"
	REGISTRY=$ADDRESS
}

# The registry $REGISTRY with faults (see lab/faulty), which takes its place in REGISTRY; sets FAULTY
# to its directory. More arguments are faults.
start_faulty() {
	FAULTY=$T/faulty
	start_server "$FAULTY" "$LAB_DIR/faulty" "$FAULTY" "$REGISTRY" "$@" || return 1
	REGISTRY=$ADDRESS
}

# From the next request on, the faulty registry has these faults, and its log is empty.
set_faults() {
	printf '%s\n' "$@" >"$FAULTY/faults.new"
	mv "$FAULTY/faults.new" "$FAULTY/faults"
	: >"$FAULTY/log"
}

# The requests that the faulty registry has had, one a line, by a jq filter on each.
requests() {
	jq -r "${1:-[.server, .method, .path, .range, .status] | join(\" \")}" "$FAULTY/log"
}

# How many requests a jq condition is true for.
count_requests() {
	jq -s "map(select($1)) | length" "$FAULTY/log"
}

# Puts an image into the registry: push_image LAYOUT[:REF] NAME[:TAG]; more options for skopeo.
push_image() {
	local layout=$1 name=$2

	shift 2
	skopeo copy -q --insecure-policy --dest-tls-verify=false "$@" "oci:$layout" \
		"docker://$REGISTRY/$name" 3>&- 4>&-
}

# --- running berth-pull --------------------------------------------------------------------------

# Runs berth-pull on the test's store; sets status, output, stderr, OUT and ERR. Never fails.
pull_call() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	timeout -k 2 "$PULL_TIMEOUT" "$BERTH_PULL" --root "$STORE" "$@" \
		<"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# berth-pull must succeed.
pull() {
	pull_call "$@"
	((status == 0)) || fail "berth-pull $*: exit status $status"
}

# berth-pull must fail, and the last line on stderr contains $1.
pull_fails() {
	local text=$1

	shift
	pull_call "$@"
	((status > 0 && status < 124)) || fail "berth-pull $*: exit status $status" || return 1
	contains "${stderr##*$'\n'}" "$text"
}

# Starts berth-pull in the background; sets BG_PID, OUT and ERR. teardown ends it. SIGINT, which a
# shell has such processes ignore, acts as with one in the foreground.
pull_background() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	env --default-signal=INT "$BERTH_PULL" --root "$STORE" "$@" <"${STDIN:-/dev/null}" \
		>"$OUT" 2>"$ERR" 3>&- 4>&- &
	BG_PID=$!
	SERVERS+=("$BG_PID")
}
