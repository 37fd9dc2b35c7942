#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What must never be lost or half made: pulls that are killed, disks that are full, and many at work
# at once.
#
# Environment: KILLS how often a pull is killed at random (200), KILL_STEP every which system call
# is a point to die at (3).

load helpers

# A build with sanitizers cannot look for leaks while it is traced.
export ASAN_OPTIONS=detect_leaks=0

# An image that is quickly made: directories, links, whiteouts, a hundred files, in four layers.
setup_file() {
	"$LAB_DIR/mkimage" "$BATS_FILE_TMPDIR/layout" >/dev/null <<-'E'
		[{"ref": "x", "layers": [
		  {"entries": ["etc/", {"path": "etc/passwd", "data": "root:x:0:0::/root:/bin/sh\n"}, "usr/", "usr/bin/",
		    {"path": "usr/bin/tool", "size": 500000, "fill": "abc", "mode": "4755"},
		    {"path": "usr/bin/other", "type": "hardlink", "target": "usr/bin/tool"},
		    {"path": "lib", "target": "usr/lib"}, {"path": "usr/share/%d/file", "repeat": 40}]},
		  {"entries": [{"path": "opt/file-%d", "repeat": 40, "size": 3000, "fill": "opt"}]},
		  {"compression": "zstd", "entries": [{"path": "usr/share/%d", "type": "whiteout", "repeat": 20},
		    {"path": "new", "size": 700000, "fill": "new"}]},
		  {"entries": [{"path": "opt", "type": "opaque"}, {"path": "opt/%d/d", "repeat": 20}]}],
		 "config": {"Cmd": ["/usr/bin/tool"]}}]
	E
}

setup() {
	pull_setup
	LAYOUT=$BATS_FILE_TMPDIR/layout
	IMAGE=oci:$LAYOUT:x
	ROUND=0
}

# A file system of $1 bytes for the store.
mount_store() {
	mkdir -p "$STORE"
	mount -t tmpfs -o "mode=0700,$1" none "$STORE" || skip 'no right to mount'
}

in_progress() {
	find "$STORE/tmp" "$STORE/ingest" -mindepth 1
}

# The store is whole, as it is, and a pull completes it.
assert_sound() {
	local what=$1

	ROUND=$((ROUND + 1))
	pull fsck || fail "$what: fsck" || return 1
	pull verify || fail "$what: verify" || return 1
	pull --from "$IMAGE" -q "$T/sound-$ROUND" || fail "$what: the second pull" || return 1
	is "$(in_progress)" '' "$what: left" || return 1
	is "$(compgen -G "$T/.berth-bundle-*")" '' "$what: left outside" || return 1
	is "$(find "$STORE/layers" -mindepth 2 -maxdepth 2 | wc -l)" 4 "$what: layers" || return 1
	pull verify || fail "$what: verify at last" || return 1
	pull fsck -q || return 1
	is "$output" '' "$what: fsck at last"
}

forget_all() {
	rm -rf "${STORE:?}"/* "$T"/sound-* "$T"/b
}

@test "a pull that is killed at any moment leaves a whole store" {
	local kills=${KILLS:-200} killed=0 start us i

	mount_store size=64m
	start=${EPOCHREALTIME/./}
	pull --from "$IMAGE" -q b
	us=$((${EPOCHREALTIME/./} - start))
	for ((i = 0; i < kills; i++)); do
		forget_all
		timeout -s KILL "$(printf '0.%06d' $((us * (i % 40) / 36 + 500 + RANDOM % 1000)))" \
			"$BERTH_PULL" --root "$STORE" --from "$IMAGE" -q b >/dev/null 2>&1 ||
			killed=$((killed + 1))
		assert_sound "kill $i"
	done
	echo "$killed of $i were killed in time; a pull takes $us us"
	((killed > kills / 4))
	umount "$STORE"
}

@test "a pull that is killed at each change that it makes leaves a whole store" {
	local calls=write,pwrite64,mkdir,mkdirat,mknodat,unlinkat,renameat,renameat2,linkat,symlinkat
	local when died=1 step=${KILL_STEP:-3}

	calls+=,fchmod,fchown,fchownat,utimensat,fsetxattr,openat,flock,ftruncate,copy_file_range
	mount_store size=64m
	for ((when = 1; died; when += step)); do
		forget_all
		died=0
		strace -f -qq -o /dev/null -e "inject=$calls:signal=KILL:when=$when" \
			"$BERTH_PULL" --root "$STORE" --from "$IMAGE" -q b >/dev/null 2>&1 || died=1
		assert_sound "kill at $when"
	done
	echo "$when"
	((when > 50))
	umount "$STORE"
}

@test "a bundle that is killed at each change that it makes leaves nothing beside its place" {
	local calls=write,pwrite64,mkdir,mkdirat,mknodat,unlinkat,renameat,renameat2,linkat,symlinkat
	local how when died left=0

	calls+=,fchmod,fchown,fchownat,utimensat,fsetxattr,openat,flock,ftruncate,copy_file_range
	pull --from "$IMAGE" -q
	mkdir beside
	for how in --hostname=x --flat; do
		for ((when = 1, died = 1; died; when += 7)); do
			died=0
			strace -f -qq -o /dev/null -e "inject=$calls:signal=KILL:when=$when" \
				"$BERTH_PULL" --root "$STORE" bundle "$how" "$IMAGE" beside/b >/dev/null 2>&1 ||
				died=1
			compgen -G 'beside/.berth-bundle-*' >/dev/null && left=$((left + 1))
			pull gc -q
			is "$(compgen -G 'beside/.berth-bundle-*')" '' "$how, kill at $when"
			is "$(in_progress)" '' "$how, kill at $when"
			rm -rf beside/b
		done
	done
	echo "$left times there was something left"
	((left > 10))
}

# A bundle that was killed when it was about to get its name; sets BESIDE and NOTE.
half_bundle() {
	strace -f -qq -o /dev/null -e inject=renameat:signal=KILL:when=2 \
		"$BERTH_PULL" --root "$STORE" bundle "$IMAGE" "$T/beside/b" >/dev/null 2>&1 || true
	BESIDE=$(compgen -G "$T/beside/.berth-bundle-*")
	NOTE=$(compgen -G "$STORE/tmp/*.outside")
	[[ -e $BESIDE/config.json ]]
}

@test "what a dead bundle left is removed while nobody works at it, and nothing in its place" {
	pull --from "$IMAGE" -q
	mkdir beside
	half_bundle
	flock -s "$NOTE" timeout 60 "$BERTH_PULL" --root "$STORE" gc -q
	[[ -e $BESIDE/config.json ]]
	pull gc -q
	[[ ! -e $BESIDE && ! -e $NOTE ]]
	# Another directory, and a link to one.
	half_bundle
	mv "$BESIDE" beside/moved
	mkdir "$BESIDE"
	touch "$BESIDE/file"
	pull gc -q
	[[ -e $BESIDE/file && -e beside/moved/config.json && ! -e $NOTE ]]
	rm -r beside/moved "$BESIDE"
	half_bundle
	mv "$BESIDE" beside/moved
	ln -s moved "$BESIDE"
	pull gc -q
	[[ -L $BESIDE && -e beside/moved/config.json && ! -e $NOTE ]]
}

@test "a gc that is killed at each change that it makes leaves a whole store" {
	local calls=mkdirat,unlinkat,renameat,openat,flock
	local when died=1

	mount_store size=64m
	for ((when = 10; died; when += 3)); do
		forget_all
		pull --from "$IMAGE" -q b
		rm -r b
		pull remove "$IMAGE"
		died=0
		strace -f -qq -o /dev/null -e "inject=$calls:signal=KILL:when=$when" \
			"$BERTH_PULL" --root "$STORE" gc >/dev/null 2>&1 || died=1
		assert_sound "kill at $when"
	done
	((when > 30))
	umount "$STORE"
}

# killed_repair WHAT COMMAND…: with the damage that the function WHAT does, a command that is killed
# at each change; a repair and a pull make all whole. $T/whole is the store.
killed_repair() {
	local calls=mkdirat,unlinkat,renameat,openat,flock,write
	local what=$1 when died=1

	shift
	for ((when = 10; died; when += 4)); do
		forget_all
		cp -a "$T/whole/." "$STORE"
		(cd "$STORE" && "$what") || fail "$what" || return 1
		died=0
		strace -f -qq -o /dev/null -e "inject=$calls:signal=KILL:when=$when" \
			"$BERTH_PULL" --root "$STORE" "$@" >/dev/null 2>&1 || died=$?
		((died > 128)) || died=0
		pull_call verify --repair
		pull fsck --repair || fail "$*, kill at $when" || return 1
		assert_sound "$*, kill at $when" || return 1
	done
	((when > 14))
}

spoil_content() {
	local file

	for file in layers/sha256/*/fs/new; do
		printf x >>"$file"
	done
}

spoil_documents() {
	local files=(images/* layers/sha256/*/index)

	truncate -s 20 "${files[@]}"
}

@test "a repair and a removal that are killed at each change that they make leave a store to repair" {
	mount_store size=64m
	pull --from "$IMAGE" -q
	cp -a "$STORE" whole
	killed_repair spoil_content verify --repair
	killed_repair spoil_documents fsck --repair
	killed_repair true remove "$IMAGE"
	umount "$STORE"
}

# Whatever the size of the disk: one line says why, nothing is half made, and with room it goes on.
try_full() {
	local what=$1

	pull_call --from "$IMAGE" -q "$T/b"
	((status != 0)) || return 0
	FULL=$((FULL + 1))
	contains "$stderr" 'No space left on device' || fail "$what" || return 1
	is "$(grep -c . "$ERR")" 1 "$what: lines of error" || return 1
	[[ ! -e $T/b ]] || fail "$what: the bundle stayed" || return 1
	is "$(ls "$STORE/tmp" 2>/dev/null)" '' "$what: left" || return 1
	pull fsck -q || return 1
	pull verify -q || return 1
	# What is needed to make room has room.
	pull gc -q
}

@test "a full disk, at every size: one line of error, a whole store, and with room it goes on" {
	local kib

	FULL=0
	for ((kib = 16; kib < 2400; kib += 68)); do
		mount_store "size=${kib}k"
		try_full "size $kib"
		mount -o remount,size=64m "$STORE"
		rm -rf "$T/b"
		assert_sound "size $kib"
		umount "$STORE"
	done
	((FULL > 15))
}

@test "a disk without inodes, at every number: one line of error, a whole store, and so on" {
	local inodes

	FULL=0
	for ((inodes = 2; inodes < 260; inodes += 7)); do
		mount_store "size=64m,nr_inodes=$inodes"
		try_full "inodes $inodes"
		mount -o remount,nr_inodes=10000 "$STORE"
		rm -rf "$T/b"
		assert_sound "inodes $inodes"
		umount "$STORE"
	done
	((FULL > 15))
}

@test "a full disk for the bundle: nothing of it stays" {
	local kib

	mkdir disk
	for kib in 4 8 12 16 20 24; do
		mount -t tmpfs -o "size=${kib}k" none disk || skip 'no right to mount'
		pull_call --from "$IMAGE" -q disk/b
		((status == 0)) || is "$(ls disk)" '' "size $kib"
		umount disk
	done
	assert_sound 'bundle'
}

@test "a disk that gets full while a registry sends keeps the part, and the next pull goes on" {
	local size half

	start_registry
	"$LAB_DIR/mkimage" big >/dev/null <<-'E'
		[{"ref": "x", "layers": [{"compression": "none", "entries": [
		  {"path": "a", "size": 3000000, "fill": "a"}]}]}]
	E
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/big:latest" big x >/dev/null
	start_faulty
	mount_store size=2m
	pull_fails 'No space left on device' --insecure -q "$REGISTRY/big" b
	is "$(ls "$STORE/tmp")" ''
	size=$(stat -c %s "$STORE"/ingest/*)
	((size > 100000))
	pull fsck
	mount -o remount,size=64m "$STORE"
	set_faults
	pull --insecure -q "$REGISTRY/big" b
	half=$(requests 'select(.range) | .range')
	is "$half" "bytes=$size-"
	is "$(ls "$STORE/ingest")" ''
	pull verify
	umount "$STORE"
}

# What is on the disk when the power goes: names, and the content of hardly anything.
@test "a power cut: no bundle runs that has lost its layers, fsck --repair and a pull make all whole" {
	local layer

	truncate -s 100M disk
	mkfs.ext4 -q -O has_journal disk || skip 'no mkfs.ext4'
	mkdir -m 0700 live dead
	mount -o loop disk live || skip 'no right to mount'
	STORE=$T/live/store
	pull --from "$IMAGE" -q live/b
	touch live/last
	sync live/last
	cp --sparse=always disk crash
	umount live
	mount -o loop crash dead
	STORE=$T/dead/store
	[[ -d dead/b/rootfs ]]
	for layer in "$STORE"/layers/sha256/*; do
		[[ $(readlink "$layer/unsynced") == "$(</proc/sys/kernel/random/boot_id)" ]]
		ln -sfn 00000000-0000-0000-0000-000000000000 "$layer/unsynced"
	done
	# The youngest file: what is older is on the disk before it is.
	is "$(stat -c %s dead/b/config.json)" 0
	pull_fails ' fault' fsck
	is "$(grep -c '^damaged: layers/' "$OUT")" 4
	pull fsck --repair
	assert_sound 'power cut'
	umount dead
}

# $1 pulls of the same image at once; each layer is made once.
pull_at_once() {
	local count=$1 i pids=() pid

	for ((i = 0; i < count; i++)); do
		pull_background --from "$IMAGE" --json "$T/at-once-$i"
		pids+=("$BG_PID")
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "one of $count: $(tail -n 1 "$T"/err.*)" || return 1
	done
	for ((i = 0; i < count; i++)); do
		[[ -e $T/at-once-$i/config.json ]] || fail "no bundle $i" || return 1
	done
	rm -r "$T"/at-once-*
}

@test "two and eight pulls at once all succeed" {
	local round

	for ((round = 0; round < 5; round++)); do
		rm -rf "$STORE"
		pull_at_once 2
		assert_sound "two, round $round"
		rm -rf "$STORE"
		pull_at_once 8
		assert_sound "eight, round $round"
	done
}

@test "two pulls at once download each layer once" {
	local first

	start_registry
	push_image "$LAYOUT:x" x
	start_faulty slow:200000
	pull_background --insecure -q "$REGISTRY/x" b1
	first=$BG_PID
	pull_background --insecure -q "$REGISTRY/x" b2
	wait "$first"
	wait "$BG_PID"
	[[ -e b1/config.json && -e b2/config.json ]]
	is "$(count_requests '.method == "GET" and .status == 200 and
		(.path | contains("/blobs/")) and (.length // 0) > 100000')" \
		"$(jq '[.layers[] | select(.size > 100000)] | length' \
			"$LAYOUT/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$LAYOUT/index.json")")"
	is "$(requests '.path' | grep /blobs/ | sort | uniq -d | grep -cv "$(jq -r .config.digest \
		"$LAYOUT/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$LAYOUT/index.json")")")" 0
	pull verify
}

@test "a second pull goes on by itself where the first one dies" {
	local first second

	start_registry
	push_image "$LAYOUT:x" x
	start_faulty slow:20000
	pull_background --insecure -q "$REGISTRY/x" b1
	first=$BG_PID
	wait_for 10 compgen -G "$STORE/tmp/*.lock"
	pull_background --insecure -q "$REGISTRY/x" b2
	second=$BG_PID
	wait_for 10 sh -c "grep -q FLOCK /proc/locks && ls -l /proc/$second/fd | grep -q /tmp/"
	# It must not be fast itself, or it may die with a layer done and its traces not yet removed.
	kill -STOP "$first"
	set_faults
	kill -KILL "$first"
	wait "$first" || true
	wait "$second"
	[[ -e b2/config.json ]]
	is "$(in_progress)" ''
	pull verify
}

@test "who waits for another pull can be interrupted" {
	local first

	start_registry
	push_image "$LAYOUT:x" x
	start_faulty slow:20000
	pull_background --insecure -q "$REGISTRY/x" b1
	first=$BG_PID
	wait_for 10 compgen -G "$STORE/tmp/*.lock"
	pull_background --insecure -q "$REGISTRY/x" b2
	wait_for 10 sh -c "ls -l /proc/$BG_PID/fd | grep -q /tmp/"
	kill -TERM "$BG_PID"
	if wait "$BG_PID"; then fail 'it went on'; fi
	kill -TERM "$first"
	if wait "$first"; then fail 'the first went on'; fi
	is "$(ls "$STORE/tmp")" ''
	KEEP_PARTS=1
}

@test "gc beside pulls takes nothing away from them" {
	local i pids=() pid

	pull --from "$IMAGE" -q b
	pull remove "$IMAGE"
	for ((i = 0; i < 6; i++)); do
		rm -rf b
		pull_background --from "$IMAGE" -q "b-$i"
		pids=("$BG_PID")
		pull_background gc -q --all
		pids+=("$BG_PID")
		pull_background gc -q --all
		pids+=("$BG_PID")
		for pid in "${pids[@]}"; do
			wait "$pid" || fail "round $i: $(tail -n 1 "$T"/err.*)"
		done
		pull fsck
		[[ -e b-$i/config.json ]]
		pull remove "$IMAGE"
		rm -r "b-$i"
	done
	pull gc
	is "$(find "$STORE/layers" -mindepth 2 -maxdepth 2 | wc -l)" 0
}

@test "bundles, removals and gc at once: a bundle is there whole, or there is a line that says why not" {
	local round i pids

	for round in 1 2 3 4; do
		pids=()
		pull --from "$IMAGE" -q
		for ((i = 0; i < 4; i++)); do
			pull_background bundle "$IMAGE" "$T/beside-$i"
			pids+=("$BG_PID")
			pull_background gc -q
			pids+=("$BG_PID")
			((i != 1)) || pull_call remove "$IMAGE"
		done
		for ((i = 0; i < ${#pids[@]}; i++)); do
			wait "${pids[i]}" || ((i % 2 == 0)) || fail "gc: $(tail -n 1 "$T"/err.*)" || return 1
		done
		pull fsck || return 1
		is "$output" clean
		for ((i = 0; i < 4; i++)); do
			[[ ! -e $T/beside-$i ]] || [[ -e $T/beside-$i/config.json ]]
		done
		is "$(compgen -G "$T/.berth-bundle-*")" ''
		rm -rf "$T"/beside-*
	done
	pull gc
	is "$(find "$STORE/layers" -mindepth 2 -maxdepth 2 | wc -l)" 0
}

@test "gc waits for a pull, and a pull does not wait for the emptying of trees" {
	local first

	start_registry
	push_image "$LAYOUT:x" x
	start_faulty slow:100000
	pull_background --insecure -q "$REGISTRY/x" b1
	first=$BG_PID
	wait_for 10 compgen -G "$STORE/tmp/*.lock"
	pull gc --all -q
	# The pull has ended before gc did anything.
	[[ -e b1/config.json ]]
	wait "$first"
	pull fsck
	pull verify
}
