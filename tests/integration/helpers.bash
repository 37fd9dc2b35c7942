# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by all bats suites that drive the berth binary.
#
# Each test has a directory, a state root, a bundle and container ids of its own, so that tests can
# run side by side. What a test may call its own on the host carries its ID: container ids and
# cgroup paths contain it, and every process started by it has BERTH_TEST=$ID in its environment
# (berth by the wrapper, payloads by config.json). After every test teardown removes what is left
# and then asserts the invariants: the host's mounts, /dev, core_pattern, links and firewall are as
# before; the runtime's binary is unchanged; a tree beside the bundle is untouched; no state
# directory, cgroup or process with the test's ID remains.
#
# Environment: BERTH the binary to test (default: the release build of this tree).

HELPERS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(cd "$HELPERS_DIR/../.." && pwd)
CACHE_DIR=${BERTH_TEST_CACHE:-$PROJECT_DIR/build/tests}
BERTH=${BERTH:-$PROJECT_DIR/build/release/berth}
BERTH_TIMEOUT=${BERTH_TIMEOUT:-30}
# shellcheck source=tests/assert.bash
. "$PROJECT_DIR/tests/assert.bash"

# --- once per suite ------------------------------------------------------------------------------

# Compiles the program of tests/$1 into the cache when a source is newer.
build_tool() {
	local name=$1 source fresh=no
	local sources=("$PROJECT_DIR/tests/$name"/*.[ch])

	mkdir -p "$CACHE_DIR"
	exec {lock}>"$CACHE_DIR/.lock"
	flock "$lock"
	if [[ -x $CACHE_DIR/$name ]]; then
		fresh=yes
		for source in "${sources[@]}"; do
			[[ $source -ot $CACHE_DIR/$name ]] || fresh=no
		done
	fi
	if [[ $fresh == no ]]; then
		"${CC:-cc}" -static -O1 -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror \
			"$PROJECT_DIR/tests/$name"/*.c -o "$CACHE_DIR/$name.new"
		mv "$CACHE_DIR/$name.new" "$CACHE_DIR/$name"
	fi
	exec {lock}>&-
}

# Makes the root file system that every bundle is a copy of.
make_template_rootfs() {
	local root=$1 applet

	mkdir -p "$root"/{bin,dev,etc,proc,root,sys,usr/bin,var,home/user}
	mkdir -m 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$CACHE_DIR/probe" "$root/bin/probe"
	for applet in sh cat chmod chown cp echo env false grep head id kill ln ls mkdir mount mv nc \
		od pwd readlink rm rmdir sed setsid sha256sum sleep sort stat test touch tr true umount \
		uname wc; do
		ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'user:x:1000:1000:User:/home/user:/bin/sh' \
		'1000:x:0:0:trap:/:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'user:x:1000:' >"$root/etc/group"
}

# Everything that the tests of one run share; called by setup_suite of each directory.
prepare_suite() {
	local helper

	[[ -x $BERTH ]] || {
		echo "no runtime at $BERTH: build it, or set BERTH" >&2
		return 1
	}
	((EUID == 0)) || {
		echo "the integration tests need root" >&2
		return 1
	}
	build_tool probe # the payload
	build_tool pty   # terminals to run berth on
	# Bats makes it 0700; containers in user namespaces must get through.
	chmod 755 "$BATS_RUN_TMPDIR"
	export SUITE=$BATS_SUITE_TMPDIR
	# A copy, so that a build that runs meanwhile changes nothing for the tests.
	cp "$BERTH" "$SUITE/berth"
	export RUNTIME=$SUITE/berth
	cp "$BERTH" "$SUITE/pristine"
	for helper in berth-net berth-systemd; do # where berth looks for them
		[[ ! -x ${BERTH%/*}/$helper ]] || cp "${BERTH%/*}/$helper" "$SUITE/$helper"
	done
	make_template_rootfs "$SUITE/rootfs"
	make_template_victim "$SUITE/victim"
	tree_listing "$SUITE/victim" >"$SUITE/victim.list"
	mkdir "$SUITE/spec"
	(cd "$SUITE/spec" && "$RUNTIME" spec)
	jq '.process.terminal = false | .process.args = ["/bin/probe"] |
		.process.env += ["BERTH_TEST=@ID@"]' "$SUITE/spec/config.json" >"$SUITE/config.json"
	CGROUP2=$(awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup2") { print $5; exit } }' \
		/proc/self/mountinfo)
	export CGROUP2
	cgroup_listing >"$SUITE/cgroups"
}

# The names of all cgroups but those of single tests.
cgroup_listing() {
	find /sys/fs/cgroup -mindepth 1 -type d ! -path '*bt-[0-9]*' 2>/dev/null | sort
}

# What the whole run must not leave: a directory that grew around the tests' cgroups.
check_suite() {
	local new

	new=$(cgroup_listing | comm -13 "$SUITE/cgroups" - | grep -E '/berth(-bt-[^/]*)?$' || true)
	[[ -z $new ]] || {
		echo "cgroups left by the run: $new" >&2
		return 1
	}
}

# --- once per test -------------------------------------------------------------------------------

# Forks are what a test costs here, so both are written to need few of them.
setup() {
	umask 022
	T=$BATS_TEST_TMPDIR
	ID=bt-$$-$BATS_SUITE_TEST_NUMBER
	STATE=$T/state
	BUNDLE=$T/bundle
	VICTIM=$T/victim
	CALLS=0
	BACKGROUND=()
	WRAP=()
	HOST_MOUNTS=()
	mkdir -m 700 "$STATE"
	make_bundle "$BUNDLE"
	cp -a "$SUITE/victim" "$VICTIM"
	HOST_BEFORE=$(host_snapshot)
	cd "$BUNDLE" || return 1
}

teardown() {
	local problems

	cd / || return 1
	stop_background
	unmount_host
	problems=$(
		delete_leftovers
		check_state
		check_processes
		check_cgroups
		check_host
		check_victim
		cmp -s "$RUNTIME" "$SUITE/pristine" || echo 'the runtime changed (I2)'
	)
	if [[ -n $problems ]]; then
		printf 'after the test:\n%s\n' "$problems"
		return 1
	fi
}

# A bundle with the template's rootfs and configuration. The programs are links to the template's;
# what tests write to is a copy.
make_bundle() {
	local text

	mkdir -p "$1"
	cp -al "$SUITE/rootfs" "$1/rootfs"
	cp --remove-destination "$SUITE/rootfs/etc/passwd" "$SUITE/rootfs/etc/group" "$1/rootfs/etc/"
	read_file text "$SUITE/config.json"
	printf '%s\n' "${text/@ID@/$ID}" >"$1/config.json"
}

# The tree outside of every bundle that no container may change.
make_template_victim() {
	mkdir -p "$1/dir"
	echo secret >"$1/file"
	echo secret >"$1/dir/file"
	: >"$1/ptmx"
	ln -s file "$1/link"
}

# A change of a file changes its time, a change of a directory the directory's.
tree_listing() {
	find "$1" -printf '%P %y %m %U %G %s %T@ %l\n' | sort
}

# Mounts of the host, without ids and without what lies in the directories of other tests.
host_mounts() {
	local device root place rest

	while read -r _ _ device root place rest; do
		if [[ $place != "$T"* ]] &&
			[[ $place == "${BATS_RUN_TMPDIR%/*}"/* || $place == /run/* ]]; then
			continue
		fi
		echo "$device $root $place $rest"
	done </proc/self/mountinfo
}

# The host as the invariants see it (I1). Directories of /dev are listed in the kernel's order.
host_snapshot() {
	local text

	host_mounts
	find /dev -xdev ! -name 'loop*' ! -path '/dev/shm*' -printf '%p %y %m %U %G %i %l\n'
	read_file text /proc/sys/kernel/core_pattern
	echo "core_pattern $text"
	read_file text /proc/sys/kernel/hostname
	echo "hostname $text"
	echo /sys/class/net/*
	if [[ -x /usr/sbin/nft ]]; then
		nft list ruleset 2>/dev/null || true
	fi
}

stop_background() {
	local pid

	for pid in "${BACKGROUND[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

unmount_host() {
	local i

	for ((i = ${#HOST_MOUNTS[@]} - 1; i >= 0; i--)); do
		umount -R "${HOST_MOUNTS[i]}" 2>/dev/null || umount -l "${HOST_MOUNTS[i]}" || true
	done
}

# Each of these prints what is wrong, and nothing when all is well.
delete_leftovers() {
	local id ids text

	compgen -G "$STATE/*" >/dev/null || return 0
	ids=$("$RUNTIME" --root "$STATE" list -q 2>&1) || {
		echo "list -q fails: $ids"
		return
	}
	for id in $ids; do
		text=$(BERTH_TEST=$ID timeout -k 2 20 "$RUNTIME" --root "$STATE" delete --force -- "$id" 2>&1) ||
			echo "delete --force $id fails: $text"
	done
}

# I6: no state. Directories whose name no container can have are the runtime's own (a cache).
check_state() {
	local entry

	for entry in "$STATE"/*; do
		[[ ! ${entry##*/} =~ ^[A-Za-z0-9_+.-]+$ ]] || echo "left in the state root (I6): $entry"
	done
}

# Whether a process is dead and only waits for process 1 to notice.
is_reaped_soon() {
	local stat

	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	[[ ${stat##*) } == 'Z 1 '* ]]
}

# The processes that carry the test's ID.
own_processes() {
	local file pid seen=' '

	while read -r file; do
		pid=${file#/proc/}
		pid=${pid%%/*}
		if [[ $seen != *" $pid "* ]] && ! is_reaped_soon "$pid"; then
			echo "$pid"
		fi
		seen+="$pid "
	done < <(grep -lsaE -- "$ID([^0-9]|\$)" /proc/[0-9]*/environ /proc/[0-9]*/cgroup)
}

check_processes() {
	local pid left
	local end=$((SECONDS + 3))

	while left=$(own_processes) && [[ -n $left ]] && ((SECONDS < end)); do
		sleep 0.05
	done
	for pid in $left; do
		echo "process left (I6): $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" \
			"$(grep State "/proc/$pid/status" 2>/dev/null)"
		kill -KILL "$pid" 2>/dev/null || true
	done
}

check_cgroups() {
	find /sys/fs/cgroup -depth -type d -name "*$ID*" ! -name "*${ID}[0-9]*" \
		-printf 'cgroup left (I6): %p\n' -exec rmdir {} \; 2>/dev/null || true
}

check_host() {
	local now

	now=$(host_snapshot)
	[[ $now == "$HOST_BEFORE" ]] || diff <(echo "$HOST_BEFORE") <(echo "$now") |
		sed -n 's/^[<>]/the host changed (I1): &/p' | head -n 20
}

check_victim() {
	local before now

	read_file before "$SUITE/victim.list"
	now=$(tree_listing "$VICTIM")
	[[ $now == "$before" ]] || diff <(echo "$before") <(echo "$now") |
		sed -n 's/^[<>]/the tree outside changed: &/p'
}

# --- running berth -------------------------------------------------------------------------------

# Runs berth with the test's state root; sets status, output, stderr, OUT and ERR. Never fails. WRAP
# is a command that goes before it (setup: none).
# STDIN names the file that becomes standard input. The files are new ones for each call, since a
# detached container goes on writing to its own.
berth_call() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	BERTH_TEST=$ID timeout -k 2 "$BERTH_TIMEOUT" "${WRAP[@]}" "$RUNTIME" --root "$STATE" "$@" \
		<"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# Berth must succeed.
berth() {
	berth_call "$@"
	((status == 0)) || fail "berth $*: exit status $status"
}

# Berth must exit with the status $1.
berth_exits() {
	local expected=$1

	shift
	berth_call "$@"
	((status == expected)) || fail "berth $*: exit status $status, not $expected"
}

# Berth must exit with 1 and one line on stderr that contains $1.
berth_fails() {
	local text=$1

	shift
	berth_exits 1 "$@"
	one_line_error "$text"
}

# Starts berth in the background; sets BG_PID, OUT and ERR.
berth_background() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	BERTH_TEST=$ID "$RUNTIME" --root "$STATE" "$@" <"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- &
	BG_PID=$!
	BACKGROUND+=("$BG_PID")
}

# Starts any helper process of the test in the background; sets BG_PID and OUT.
background() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	BERTH_TEST=$ID "$@" </dev/null >"$OUT" 2>&1 3>&- 4>&- &
	BG_PID=$!
	BACKGROUND+=("$BG_PID")
}

# The container gets a user namespace whose root is 100000.
new_user() {
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
}

# Edits config.json: a jq filter, then jq options (--arg NAME VALUE ...).
config() {
	local filter=$1 text

	shift
	text=$(jq "$@" "$filter" "$BUNDLE/config.json") || fail "jq: $filter"
	printf '%s\n' "$text" >"$BUNDLE/config.json"
}

# Sets process.args.
config_args() {
	local text

	# shellcheck disable=SC2016 # a jq variable
	text=$(jq '.process.args = $ARGS.positional' "$BUNDLE/config.json" --args -- "$@") || fail jq
	printf '%s\n' "$text" >"$BUNDLE/config.json"
}

# Runs the probe in a container in the foreground, which must succeed; its JSON is in OUT.
run_probe() {
	config_args /bin/probe "$@"
	berth run "$ID"
}

# Runs a shell script in a container in the foreground, which must succeed.
run_script() {
	config_args /bin/sh -c "$1"
	berth run "$ID"
}

# Starts a detached container with a probe that says "ready"; sets PID and CONTAINER_OUT.
run_detached() {
	local id=$1

	shift
	config_args /bin/probe "$@"
	berth run -d --pid-file "$T/$id.pid" "$id"
	# shellcheck disable=SC2034 # for the tests
	PID=$(<"$T/$id.pid")
	CONTAINER_OUT=$OUT
	wait_for 10 grep -q ready "$CONTAINER_OUT"
}

# The status of a container.
status_of() {
	"$RUNTIME" --root "$STATE" state "$1" | jq -r .status
}

status_is() {
	[[ $(status_of "$1") == "$2" ]]
}

# The directory of the container's cgroup on the cgroup2 mount, by a process in it.
cgroup_of() {
	printf '%s%s' "$CGROUP2" "$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# A file system of the host that teardown unmounts: options of mount(8), the target last.
host_mount() {
	mkdir -p "${*: -1}"
	mount "$@" || fail "mount $*"
	HOST_MOUNTS+=("${*: -1}")
}

# --- asserting -----------------------------------------------------------------------------------

# One line on stderr, which contains $1.
one_line_error() {
	[[ $(wc -l <"$ERR") == 1 ]] || fail "stderr has $(wc -l <"$ERR") lines, not one"
	contains "$stderr" "$1"
}

# The jq filter $1 is true for what the payload printed; more arguments are jq options.
json() {
	local filter=$1

	shift
	jq -e "$@" "$filter" "$OUT" >/dev/null || {
		# shellcheck disable=SC2016 # a jq variable
		fail "not true: $filter"
	}
}

# The raw value of a jq filter on what the payload printed.
value() {
	jq -r "$1" "$OUT"
}

# The mount at a destination, as compact JSON (the topmost one).
mount_at() {
	# shellcheck disable=SC2016 # a jq variable
	jq -c --arg d "$1" '[.mounts[] | select(.destination == $d)] | last' "$OUT"
}

# The mount at $1 satisfies the jq filter $2.
mount_has() {
	mount_at "$1" | jq -e "$2" >/dev/null || fail "mount $1: not $2: $(mount_at "$1")"
}

# Nothing of the test remains after a failed or finished command: state, cgroup, process.
nothing_left() {
	local left

	left=$(
		check_state
		check_processes
		check_cgroups
	)
	[[ -z $left ]] || fail "$left"
}

# --- conditions ----------------------------------------------------------------------------------

has_controller() {
	[[ -n $CGROUP2 ]] && grep -qw "$1" "$CGROUP2/cgroup.controllers"
}

# Whether the calling shell has a capability, by number.
has_capability() {
	local effective

	effective=$(awk '/^CapEff/ { print $2 }' /proc/self/status)
	((0x$effective >> $1 & 1))
}

# Whether the file system of the tests has id-mapped mounts (tmpfs since Linux 6.3).
can_map_ids() {
	local bundle=$T/can-map-ids text

	make_bundle "$bundle"
	text=$(jq --arg s "$T" '.mounts += [{destination: "/tmp", source: $s, options: ["bind"],
		uidMappings: [{containerID: 0, hostID: 1, size: 1}],
		gidMappings: [{containerID: 0, hostID: 1, size: 1}]}] |
		.process.args = ["/bin/true"]' "$bundle/config.json")
	printf '%s\n' "$text" >"$bundle/config.json"
	text=$("$RUNTIME" --root "$STATE" run --bundle "$bundle" "$ID-map" 2>&1 </dev/null 3>&- 4>&-) || true
	[[ $text != *'file system cannot do that'* ]]
}

# Whether a process in a cgroup may have a real-time policy: where the kernel has group scheduling
# for these, cgroup v2 has no means to give it any.
can_run_realtime() {
	local bundle=$T/can-run-realtime text

	make_bundle "$bundle"
	text=$(jq '.process.scheduler = {policy: "SCHED_FIFO", priority: 1} |
		.process.args = ["/bin/true"]' "$bundle/config.json")
	printf '%s\n' "$text" >"$bundle/config.json"
	text=$("$RUNTIME" --root "$STATE" run --bundle "$bundle" "$ID-realtime" 2>&1 </dev/null 3>&- 4>&-) || true
	[[ $text != *'gives real-time to groups'* ]]
}

is_systemd() {
	[[ $(</proc/1/comm) == systemd ]] &&
		timeout 60 systemctl show --property Version >/dev/null 2>&1
}

# Whether the machine's ordinary user (tests/vm/systemd.sh) has a manager; it is started now.
has_user_manager() {
	[[ -n ${VM_KIND:-} ]] && is_systemd && loginctl enable-linger tester &&
		systemctl start user@4444.service
}

# as_tester COMMAND...: as the machine's ordinary user, who can reach his manager, in the cgroup of
# the test, as after su(1).
as_tester() {
	setpriv --reuid tester --regid tester --init-groups env -i "PATH=$PATH" "TMPDIR=/tmp" \
		HOME=/home/tester USER=tester "BERTH_TEST=$ID" XDG_RUNTIME_DIR=/run/user/4444 \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/4444/bus "$@"
}

# in_tester_scope COMMAND...: the same in a cgroup of his manager's, which is delegated to him.
in_tester_scope() {
	as_tester systemd-run --user --scope --quiet --property Delegate=yes -- "$@"
}

# Skips the test unless all conditions hold: cap_sys_resource controller=NAME command=NAME cgroup2
# idmap plain_build machine systemd user-manager selinux.
requires() {
	local condition

	for condition in "$@"; do
		case $condition in
		cap_sys_resource)
			has_capability 24 || skip 'needs CAP_SYS_RESOURCE'
			;;
		cgroup2)
			[[ -n $CGROUP2 ]] || skip 'needs a cgroup2 mount'
			;;
		controller=*)
			has_controller "${condition#*=}" ||
				skip "needs the ${condition#*=} controller on cgroup2"
			;;
		idmap)
			can_map_ids || skip 'the kernel maps no ids on the file system of the tests'
			;;
		plain_build)
			! grep -q __asan_init "$RUNTIME" || skip 'AddressSanitizer reserves terabytes'
			;;
		machine)
			# Where sysctls and devices are nobody else's; see docs/testing.md.
			[[ -n ${VM_KIND:-} ]] || skip 'needs a machine of its own'
			;;
		realtime)
			can_run_realtime || skip 'the kernel gives real-time to groups, and cgroups none'
			;;
		systemd)
			is_systemd || skip 'needs systemd as process 1'
			;;
		user-manager)
			has_user_manager || skip 'needs systemd and its manager of an ordinary user'
			;;
		selinux)
			# In force, by the policy of tests/vm/selinux.te.
			[[ $(tr -d '\0' </proc/self/attr/current 2>/dev/null) == *:host_t:* ]] ||
				skip 'needs SELinux'
			;;
		command=*)
			command -v "${condition#*=}" >/dev/null || skip "needs ${condition#*=}"
			;;
		*)
			fail "unknown condition '$condition'"
			;;
		esac
	done
}
