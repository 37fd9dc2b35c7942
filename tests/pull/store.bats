#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The store: what is listed, removed, collected, checked and verified.

load helpers

# Two images that share their lowest layer, in a layout that all tests read: one, two.
setup_file() {
	"$LAB_DIR/mkimage" "$BATS_FILE_TMPDIR/layout" >/dev/null <<-'E'
		[{"ref": "one", "layers": [
		  {"entries": ["etc/", {"path": "etc/passwd", "data": "root:x:0:0::/root:/bin/sh\n"}, "usr/", "usr/bin/",
		    {"path": "usr/bin/tool", "size": 300000, "fill": "abc", "mode": "4755", "xattrs": {"user.kept": "x"}},
		    {"path": "usr/bin/other", "type": "hardlink", "target": "usr/bin/tool"},
		    {"path": "lib", "target": "usr/lib"}, {"path": "run/fifo", "type": "fifo"}, "opt/d/e"]},
		  {"entries": [{"path": "usr/bin/tool", "data": "new"}, {"path": "etc/passwd", "type": "whiteout"},
		    {"path": "opt", "type": "opaque"}, {"path": "var/log/x", "data": "yy"}]}]},
		 {"ref": "two", "layers": [
		  {"entries": ["etc/", {"path": "etc/passwd", "data": "root:x:0:0::/root:/bin/sh\n"}, "usr/", "usr/bin/",
		    {"path": "usr/bin/tool", "size": 300000, "fill": "abc", "mode": "4755", "xattrs": {"user.kept": "x"}},
		    {"path": "usr/bin/other", "type": "hardlink", "target": "usr/bin/tool"},
		    {"path": "lib", "target": "usr/lib"}, {"path": "run/fifo", "type": "fifo"}, "opt/d/e"]},
		  {"entries": [{"path": "two", "size": 100000, "fill": "2"}]}]}]
	E
}

setup() {
	pull_setup
	LAYOUT=$BATS_FILE_TMPDIR/layout
	ONE=oci:$LAYOUT:one
	TWO=oci:$LAYOUT:two

	BUNDLES=$T/bundles
	mkdir "$BUNDLES"
}

# Pulls an image of the layout. $1: which, $2: name of its bundle.
pull_one() {
	pull --from "oci:$LAYOUT:$1" -q "$BUNDLES/$2"
}


# Paths of what there is below a directory of the store.
stored() {
	(cd "$STORE" && find "$1" -mindepth 2 -maxdepth 2 | sort)
}

# The one layer that has a path; sets LAYER to its directory.
layer_with() {
	local found

	found=$(cd "$STORE" && compgen -G "layers/sha256/*/fs/$1")
	LAYER=$STORE/${found%%/fs/*}
}

assert_clean() {
	pull fsck
	is "$output" clean
	pull verify
}

@test "a store that is not there is empty, and is not made by those who only look" {
	pull list
	is "$(wc -l <"$OUT")" 1
	pull list --json
	is "$(jq -c . "$OUT")" '[]'
	pull fsck
	pull verify
	pull gc --dry-run
	pull gc
	pull_fails 'there is no image "x"' remove x
	[[ ! -e $STORE ]]
}

@test "images are listed, as a table, as JSON, as names" {
	pull_one one b1
	pull_one two b2
	pull list
	is "$(awk 'NR == 1 { print $1, $2, $3, $4, $5 }' "$OUT")" 'NAME PLATFORM DIGEST SIZE PULLED'
	is "$(awk 'NR > 1 { print $1, $2 }' "$OUT")" "$ONE linux/amd64"$'\n'"$TWO linux/amd64"
	pull list -q
	is "$output" "$ONE"$'\n'"$TWO"
	pull list --json -q
	is "$(jq length "$OUT")" 2
	pull list --json
	is "$(jq -r '.[].name' "$OUT")" "$ONE"$'\n'"$TWO"
	is "$(jq -r '.[0].digest' "$OUT")" "$(jq -r '.manifests[0].digest' "$LAYOUT/index.json")"
	is "$(jq -r '.[0].size' "$OUT")" \
		"$(jq '[.layers[].size] | add' "$LAYOUT/blobs/sha256/$(jq -r '.[0].digest[7:]' "$OUT")")"
}

@test "remove takes names and digests, all or nothing; gc frees what only they needed" {
	local digest

	pull_one one b1
	pull_one two b2
	rm -r "$BUNDLES/b1" "$BUNDLES/b2"
	is "$(stored layers | wc -l)" 3
	pull_fails 'there is no image "nothing"' remove "$ONE" nothing
	pull list -q
	is "$(wc -l <"$OUT")" 2
	digest=$(jq -r '.manifests[0].digest' "$LAYOUT/index.json")
	pull remove "${digest:7:12}"
	is "$output" "removed $ONE"
	is "$(stored layers | wc -l)" 3
	pull gc
	contains "$output" '1 layer, 2 documents, 0 parts, 2 bundles'
	is "$(stored layers | wc -l)" 2
	assert_clean
	pull remove --json "$TWO"
	is "$(jq -c .removed "$OUT")" "[\"$TWO\"]"
	pull gc -q
	((output > 300000))
	is "$(stored layers)$(stored blobs)" ''
	assert_clean
}

@test "removing by digest takes all names of the image, by name that one" {
	cp -r "$LAYOUT" copy
	pull_one one b1
	pull --from oci:copy:one -q "$BUNDLES/b2"
	pull remove "oci:$T/copy:one"
	pull list -q
	is "$output" "$ONE"
	pull --from oci:copy:one -q "$BUNDLES/b3"
	pull remove "$(jq -r '.manifests[0].digest' "$LAYOUT/index.json")"
	pull list -q
	is "$output" ''
}

@test "bundle writes what pull writes" {
	pull_one one b1
	pull bundle "$ONE" b2
	is "$output" "$(jq -r '.manifests[0].digest' "$LAYOUT/index.json")"
	pull bundle "$ONE" b3 --json
	is "$(jq -c '[.event, .name, .present, .bundle]' "$OUT")" "[\"done\",\"$ONE\",true,\"b3\"]"
}

@test "a name with a digest is the image that has a tag there, and no other repository's" {
	local digest name

	start_registry
	push_image "$LAYOUT:one" one:1
	push_image "$LAYOUT:one" one:2
	push_image "$LAYOUT:one" other:1
	for name in one:1 one:2 other:1; do
		pull -q "$REGISTRY/$name"
	done
	digest=$output
	pull inspect "$REGISTRY/one@$digest"
	contains "$output" "$REGISTRY/one:1"
	pull bundle "$REGISTRY/one:9@$digest" b1
	pull_fails 'there is no image' inspect "$REGISTRY/third@$digest"
	pull_fails 'there is no image' inspect "$REGISTRY/one@sha256:$(printf '0%.0s' {1..64})"
	pull remove "$REGISTRY/one@$digest"
	pull list -q
	is "$output" "$REGISTRY/other:1"
	pull remove "${digest:7:12}"
	pull list -q
	is "$output" ''
}

@test "a bundle keeps its layers: where it was made, renamed, moved, and until it is removed" {
	pull_one one b1
	pull remove "$ONE"
	pull gc
	contains "$output" '0 layers'
	mkdir elsewhere
	mv "$BUNDLES/b1" elsewhere/renamed
	rmdir "$BUNDLES"
	pull gc
	contains "$output" '0 layers'
	assert_clean
	rm -r elsewhere
	pull gc
	contains "$output" '2 layers, 0 documents, 0 parts, 1 bundle'
	is "$(stored layers)" ''
}

@test "a bundle in another file system keeps its layers, also while that is not mounted" {
	mkdir disk
	mount -t tmpfs none disk || skip 'no right to mount'
	pull --from "$ONE" -q disk/bundle
	pull remove "$ONE"
	pull gc
	contains "$output" '0 layers'
	contains "$(<disk/bundle/.berth-pull)" "$T/disk/bundle"
	umount disk
	pull gc
	contains "$output" '0 layers'
	contains "$stderr" "the bundle \"$T/disk/bundle\" is in a file system that is not there"
	pull gc --json
	is "$(jq -c .unseen "$OUT")" "[\"$T/disk/bundle\"]"
	pull_fails '/nowhere' gc --forget /nowhere
	pull gc --forget disk/bundle
	contains "$output" '2 layers, 0 documents, 0 parts, 1 bundle'
	assert_clean
}

@test "a bundle in another file system that was removed frees its layers" {
	mkdir disk
	mount -t tmpfs none disk || skip 'no right to mount'
	pull --from "$ONE" -q disk/bundle
	pull remove "$ONE"
	rm -r disk/bundle
	pull gc
	contains "$output" '2 layers, 2 documents, 0 parts, 1 bundle'
	umount disk
}

@test "a bundle that lacks a layer is told, and a pull of its image brings that back" {
	pull_one one b1
	layer_with var/log/x
	rm -r "$LAYER"
	pull_fails ' fault' fsck
	contains "$output" "the bundle \"$BUNDLES/b1\" lacks layer"
	# The image's record can go, the bundle cannot.
	pull_fails 'has 1 fault' fsck --repair
	pull_one one b2
	assert_clean
}

@test "gc --dry-run says what gc does, and does nothing" {
	local would

	pull_one one b1
	rm -r "$BUNDLES/b1"
	pull remove "$ONE"
	pull gc --dry-run
	would=$(tail -n 1 "$OUT")
	is "$(grep -c '^would remove layers/' "$OUT")" 2
	is "$(stored layers | wc -l)" 2
	pull gc
	is "$output" "${would/would free/freed}"
}

@test "parts of broken downloads stay an hour, or until gc --all" {
	local fresh old

	pull_one one b1
	fresh=$STORE/ingest/sha256-$(printf 'a%.0s' {1..64})
	old=$STORE/ingest/sha256-$(printf 'b%.0s' {1..64})
	touch "$fresh"
	touch -d '2 hours ago' "$old"
	pull gc
	contains "$output" '1 part,'
	[[ -e $fresh && ! -e $old ]]
	pull gc --all
	[[ ! -e $fresh ]]
}

@test "gc removes nothing while it does not know what is needed" {
	pull_one one b1
	pull_one two b2
	rm -r "$BUNDLES/b1"
	pull remove "$ONE"
	: >"$STORE"/bundles/"$(cd "$STORE/bundles" && grep -l bundles/b2 -- *)"
	pull_fails 'nothing is removed' gc
	is "$(stored layers | wc -l)" 3
	pull fsck --repair
	contains "$output" 'damaged: bundles/'
	is "$(grep -o bundles/ "$OUT" | wc -l)" 1
	pull gc
	is "$(stored layers | wc -l)" 2
	assert_clean
}

# damage NAME EXPECTED COMMAND…: with the damage fsck fails and says so; repaired and pulled again
# all is well.
damage() {
	local name=$1 expected=$2

	shift 2
	rm -rf "${BUNDLES:?}"/*
	(cd "$STORE" && "$@") || fail "$name: $*" || return 1
	pull_fails ' fault' fsck || return 1
	contains "$output" "$expected" || return 1
	pull_call fsck --json
	is "$(jq 'length > 0' "$OUT")" true || return 1
	pull fsck --repair || return 1
	contains "$output" '(repaired)' || return 1
	pull fsck || return 1
	pull_one one b1 || return 1
	pull_one two b2 || return 1
	assert_clean || fail "$name: not clean" || return 1
	is "$(stored layers | wc -l)" 3
}

cut_index() {
	truncate -s -1 "$LAYER/index"
}

swap_blobs() {
	local names

	mapfile -t names < <(ls blobs/sha256)
	cp "blobs/sha256/${names[0]}" "blobs/sha256/${names[1]}"
}

@test "fsck finds what is damaged, repairs it, and a pull completes it" {
	pull_one one b1
	pull_one two b2
	assert_clean
	layer_with two
	damage 'a layer without a tree' 'there is no directory fs in it' rm -r "$LAYER/fs"
	damage 'a layer without an index' 'there is no file index in it' rm "$LAYER/index"
	damage 'an empty index' 'its index is damaged' truncate -s 0 "$LAYER/index"
	damage 'a cut index' 'its index is damaged' cut_index
	damage 'a layer that is a file' 'not a directory' sh -c "rm -r $LAYER; touch $LAYER"
	damage 'a missing layer' 'lacks layer' rm -r "$LAYER"
	damage 'a blob of another digest' 'does not have this digest' swap_blobs
	damage 'an empty blob' 'does not have this digest' sh -c ': >blobs/sha256/$(ls blobs/sha256 | head -n 1)'
	damage 'a blob that is a directory' 'not a regular file' \
		sh -c 'set -- blobs/sha256/*; rm $1; mkdir $1'
	damage 'missing blobs' 'the store has no blob' sh -c 'rm blobs/sha256/*'
	damage 'an empty image' 'damaged: images/' sh -c ': >images/$(ls images | head -n 1)'
	damage 'an image under another name' 'belongs elsewhere' \
		sh -c 'set -- images/*; mv $1 $2'
	damage 'an open directory' 'open to other users' chmod 0755 layers/sha256
}

@test "fsck tells what it does not know, and leaves it alone" {
	local name

	pull_one one b1
	layer_with etc/passwd
	for name in x blobs/x blobs/sha256/x layers/x layers/sha256/x ingest/x \
		"${LAYER#"$STORE"/}/x" ingest/sha256-x; do
		touch "$STORE/$name"
		pull_fails 'has 1 fault' fsck
		contains "$output" "unknown: $name:"
		pull_fails 'has 1 fault' fsck --repair
		[[ -e $STORE/$name ]]
		rm "$STORE/$name"
	done
	rm "$STORE/lock"
	mkfifo "$STORE/lock"
	PULL_TIMEOUT=5 pull list
	# Whoever takes the lock for a stale one loses nothing.
	rm "$STORE/lock"
	pull list -q
	is "$output" "$ONE"
	pull_fails 'no image "x"' remove x
	[[ ! -e $STORE/lock ]]
	pull gc
	[[ -f $STORE/lock ]]
	pull_one one b2
	# What mkfs makes where the store is a file system of its own.
	mkdir "$STORE/lost+found"
	assert_clean
}

@test "what the dead leave is no damage, and goes with the next pull" {
	pull_one one b1
	mkdir -p "$STORE/tmp/sha256-0/fs/deep"
	touch "$STORE/tmp/sha256-0.lock" "$STORE/tmp/0123456789abcdef"
	pull fsck
	is "$(grep -c '^leftover: tmp/' "$OUT")" 2
	# It is in use while somebody holds the lock.
	(
		flock 9
		pull fsck
		is "$(grep -c '^leftover: tmp/' "$OUT")" 1
		pull_one two b2
		[[ -e $STORE/tmp/sha256-0/fs/deep ]]
	) 9<"$STORE/tmp/sha256-0.lock"
	pull_one two b3
	is "$(ls "$STORE/tmp")" ''
	assert_clean
}

@test "who waits for the store says so, once" {
	local waiting="the store \"$STORE\" is in use by another berth-pull: waiting for it to end"

	pull_one one b1
	exec 8<"$STORE/lock"
	flock -s 8
	pull_background gc 8<&-
	timeout 20 sh -c 'until grep -q waiting "$0"; do sleep 0.05; done' "$ERR" 8<&-
	is "$(<"$ERR")" "berth-pull: warning: $waiting"
	# Who only reads need not wait.
	pull list 8<&-
	is "$stderr" ''
	exec 8<&-
	wait "$BG_PID"
	ERR=$T/err.2
	is "$(grep -c waiting "$ERR")" 1
	# A signal ends the waiting.
	exec 8<"$STORE/lock"
	flock -x 8
	pull_background list 8<&-
	timeout 20 sh -c 'until grep -q waiting "$0"; do sleep 0.05; done' "$ERR" 8<&-
	kill "$BG_PID"
	wait "$BG_PID" && return 1
	exec 8<&-
	pull gc
	is "$stderr" ''
}

# spoil EXPECTED COMMAND…: verify says so; repaired and pulled again all is well. In the tree of the
# lowest layer.
spoil() {
	local expected=$1

	shift
	layer_with usr/bin/other
	(cd "$LAYER/fs" && "$@") || fail "$*" || return 1
	pull_fails 'layers is damaged' verify || return 1
	contains "$output" "$expected" || return 1
	pull_fails '1 of 2 layers is damaged' verify "$ONE" --json || return 1
	is "$(jq -c '[.[] | select(.count > 0)] | length' "$OUT")" 1 || return 1
	pull verify --repair || return 1
	contains "$output" removed || return 1
	pull_fails ' fault' fsck || return 1
	rm -rf "${BUNDLES:?}"/*
	pull_one one b1 || return 1
	assert_clean || return 1
}

keeping_time() {
	local file=$1

	shift
	touch -r "$file" "$T/stamp"
	"$@" && touch -r "$T/stamp" "$file"
}

flip() {
	printf X | dd of="$1" bs=1 seek=1000 conv=notrunc status=none
}

@test "verify finds every kind of damage" {
	pull_one one b1
	assert_clean
	spoil '/usr/bin/tool: content' keeping_time usr/bin/tool flip usr/bin/tool
	spoil '/usr/bin/tool: size 299999, not 300000' keeping_time usr/bin/tool truncate -s -1 usr/bin/tool
	spoil '/usr/bin/tool: mode 0755, not 4755' chmod 0755 usr/bin/tool
	spoil '/usr/bin/tool: attributes' setfattr -x user.kept usr/bin/tool
	spoil '/usr/bin/tool: attributes' setfattr -n user.kept -v other usr/bin/tool
	spoil '/usr/bin/tool: attributes' setfattr -n security.capability \
		-v 0x0100000200040000000000000000000000000000 usr/bin/tool
	spoil '/etc: attributes' setfattr -n trusted.x -v y etc
	spoil '/etc/passwd: owner 7:8, not 0:0' chown 7:8 etc/passwd
	spoil '/etc: time' touch etc
	spoil '/etc/passwd: missing' keeping_time etc rm etc/passwd
	spoil '/etc/shadow: not of the layer' keeping_time etc touch etc/shadow
	spoil '/usr/bin/other: not the same file' keeping_time usr/bin sh -c 'cp -a usr/bin/other x; mv x usr/bin/other'
	spoil '/lib: time, target' keeping_time . ln -sfn elsewhere lib
	spoil '/run/fifo: a file, not a fifo' sh -c 'rm run/fifo; touch run/fifo'
	spoil '/lib: a directory, not a symbolic link' sh -c 'rm lib; mkdir lib'
	spoil '/opt/d: missing' rm -r opt/d
}

@test "one of a thing is one thing" {
	"$LAB_DIR/mkimage" small >/dev/null <<-'E'
		[{"ref": "x", "layers": [{"entries": ["a"]}]}]
	E
	pull --from oci:small:x x
	contains "$stderr" ': 1 layer'$'\n'
	rm "$STORE"/layers/sha256/*/fs/a
	pull_fails '1 of 1 layer is damaged' verify
	pull gc
	contains "$output" 'freed 0 B (0 bytes): 0 layers, 0 documents, 0 parts, 0 bundles'
	pull_fails 'the layer has more than 1 entry (--max-files)' --max-files 1 --from "oci:$LAYOUT:two" y
}

@test "verify finds layers that are missing, whoever needs them" {
	local missing

	pull_one one b1
	layer_with usr/bin/other
	missing=${LAYER##*/}
	rm -r "$LAYER"
	pull_fails '1 of 2 layers is damaged' verify
	contains "$output" "${missing:0:12}: /: the layer is missing: pull its image again"
	pull_fails "layer $missing is not there: pull the image again" inspect "$ONE"
	pull_fails '1 of 2 layers is damaged' verify --repair
	# The bundle stands on it still.
	pull remove "$ONE"
	pull_fails '1 of 2 layers is damaged' verify
	rm -r "$BUNDLES/b1"
	pull verify
	pull_one one b1
	assert_clean
	# What cannot be read may need more.
	: >"$(echo "$STORE"/images/*)"
	pull_fails 'what it needs is not known (see berth-pull fsck --repair)' verify
	contains "$output" 'as it was unpacked'
}

@test "a layer without an index names the way out" {
	local command remedy='berth-pull fsck --repair takes the layer away, and another pull brings it back'

	pull_one one b1
	layer_with usr/bin/other
	rm "$LAYER/index"
	for command in "inspect $ONE" "bundle $ONE $BUNDLES/b2" "bundle --flat $ONE $BUNDLES/b2"; do
		# shellcheck disable=SC2086
		pull_fails "the index of a layer is missing ($remedy)" $command
	done
	printf 'index 2\nx' >"$LAYER/index"
	pull_fails "($remedy)" inspect "$ONE"
	# The bundle that stands on it is whole again with the layer.
	pull_fails 'has 1 fault' fsck --repair
	pull_one one b2
	assert_clean
}

@test "of a layer of an older berth-pull verify says that it does not know the attributes" {
	pull_one one b1
	layer_with usr/bin/other
	sed -i -e 1d -e 's/\x00\x00.*//' "$LAYER/index"
	setfattr -n trusted.x -v y "$LAYER/fs/usr/bin/tool"
	pull verify
	is "$(grep -c ': as it was unpacked$' "$OUT")" 1
	is "$(grep -c ': as it was unpacked, but nobody knows its extended attributes' "$OUT")" 1
	pull verify --json
	is "$(jq -c '[.[].attributes] | sort' "$OUT")" '[false,true]'
	pull fsck
	pull_one two b2
}

@test "a layer of a newer berth-pull is no damage" {
	pull_one one b1
	layer_with usr/bin/other
	sed -i '1s/.*/index 3/' "$LAYER/index"
	for command in verify fsck 'verify --repair' 'fsck --repair'; do
		# shellcheck disable=SC2086
		pull_fails 'of a newer berth-pull (version 3)' $command
		[[ -d $LAYER ]]
	done
}

@test "verify finds what became of whiteouts and opaque directories" {
	pull_one one b1
	layer_with var/log/x
	cd "$LAYER/fs"
	setfattr -x trusted.overlay.opaque opt
	rm etc/passwd
	pull_fails 'layers is damaged' verify
	contains "$output" '/opt: not opaque'
	contains "$output" '/etc/passwd: missing'
}

@test "a layer that was not on the disk when the power went is verified before it is used" {
	pull_one one b1
	layer_with usr/bin/other
	[[ $(readlink "$LAYER/unsynced") == "$(</proc/sys/kernel/random/boot_id)" ]]
	# As after another start of the machine: nothing is lost, and the note goes.
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	pull_one one b2
	[[ -d $LAYER && ! -L $LAYER/unsynced ]]
	# And where something was lost, it comes back.
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	: >"$LAYER/fs/usr/bin/tool"
	pull_one one b3
	is "$(stat -c %s "$LAYER/fs/usr/bin/tool")" 300000
	[[ $(readlink "$LAYER/unsynced") == "$(</proc/sys/kernel/random/boot_id)" ]]
	assert_clean
}

@test "fsck looks at what may have been hurt when the power went, and at nothing else" {
	pull_one one b1
	layer_with usr/bin/other
	: >"$LAYER/fs/usr/bin/tool"
	pull fsck
	is "$output" clean
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	pull_fails 'has 1 fault' fsck
	contains "$output" "damaged: layers/sha256/${LAYER##*/}: hurt when the machine went down"
	# A repair that is killed leaves nothing that is taken for a whole layer.
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e inject=unlinkat:signal=KILL:when=3 \
		"$BERTH_PULL" --root "$STORE" fsck --repair >/dev/null 2>&1 || true
	[[ ! -e $LAYER ]]
	# The image's name goes, the bundle's record cannot.
	pull_fails 'has 1 fault' fsck --repair
	pull_one one b2
	assert_clean
	# What is well loses its note.
	layer_with usr/bin/other
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	pull fsck
	is "$output" clean
	[[ ! -L $LAYER/unsynced ]]
}

@test "a bundle of a layer that was damaged when the power went is not made" {
	pull_one one b1
	layer_with usr/bin/other
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	pull bundle "$ONE" b2
	[[ ! -L $LAYER/unsynced ]]
	ln -sfn 00000000-0000-0000-0000-000000000000 "$LAYER/unsynced"
	: >"$LAYER/fs/usr/bin/tool"
	pull_fails 'pull the image again' bundle "$ONE" b3
	[[ ! -e b3 && ! -e $LAYER ]]
	pull_one one b3
	assert_clean
}

@test "--sync: what a pull has made is on the disk when it ends" {
	# A build with sanitizers cannot look for leaks while it is traced.
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=syncfs,fsync,rename,renameat,renameat2,unlinkat -o trace \
		"$BERTH_PULL" --root "$STORE" --from "$ONE" --sync -q "$BUNDLES/b1" >/dev/null
	is "$(find "$STORE" -name unsynced)" ''
	# Layers before the image, the image's own name, and the bundle.
	awk '/syncfs/ { if (!synced) synced = NR; last_synced = NR }
		/rename.*images\// { named = NR }
		/fsync/ { if (named && !last) last = NR }
		END { exit !(synced && named > synced && last > named && last_synced > last) }' trace
	assert_clean
	# What was there already without it.
	rm -rf "$STORE"
	pull --from "$ONE" -q "$BUNDLES/b2"
	is "$(find "$STORE" -name unsynced | wc -l)" 2
	pull --from "$ONE" -q --sync
	is "$(find "$STORE" -name unsynced)" ''
}

@test "nobody but its owner gets into a store" {
	local name

	chmod 0755 "$T" "${T%/*}"
	pull_one one b1
	for name in '' layers layers/sha256 blobs tmp ingest images bundles; do
		is "$(stat -c %a "$STORE/$name")" 700 "mode of $name"
	done
	chmod 0770 "$STORE"
	pull_fails 'other users may write to the store' list
	chmod 0700 "$STORE"
	chown 1234 "$STORE"
	pull_fails 'belongs to user 1234' list
	chown 0 "$STORE"
}
