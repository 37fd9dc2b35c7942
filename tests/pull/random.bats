#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Random images (lab/randimage): umoci makes the same tree of them, an overlay shows the same, and
# verify finds nothing.
#
# SEED and COUNT in the environment choose others than the few that are usual. What differs by design,
# and is left out where umoci is asked (see also fidelity.bats):
# - directories that a layer hides and at the same time implies: umoci leaves what layers below say of
#   them; in ours nothing of them is left, whatever the order of the entries,
# - implied directories below one with the set-group-id bit, or with a default access list: in umoci's
#   tree they inherit, in ours they are root's, with mode 0755,
# - attributes with an empty value: umoci has none of them; they are written so by GNU tar, which
#   brings them back, as we do,
# - old GNU sparse files and contiguous ones: umoci 0.4 refuses them.

load helpers
load trees
load user

SEED=${SEED:-1}
COUNT=${COUNT:-4}

setup() {
	pull_setup
	((EUID == 0)) || skip "owners and devices need root"
}

# Goes to a directory of its own, with a store of its own and the image of seed $1. More: options.
make_image() {
	T=$BATS_TEST_TMPDIR/$1
	STORE=$T/store
	mkdir "$T"
	cd "$T" || return 1
	"$LAB_DIR/randimage" "$@" >"$T/image.json"
	mkimage <"$T/image.json"
}

# Each image whose options are the arguments, as umoci and as an overlay has it; $1: for
# same_as_overlay.
compare() {
	local seed normal=$1

	shift
	for ((seed = SEED; seed < SEED + COUNT; seed++)); do
		echo "seed $seed"
		make_image "$seed" "$@"
		if [[ $* == *wild* ]]; then
			pull -q --from oci:layout:a --flat flat
		else
			same_as_umoci a 1
		fi
		same_as_overlay a "$normal"
		pull verify
		cd "$BATS_TEST_TMPDIR" && rm -r "$T"
	done
	T=$BATS_TEST_TMPDIR
}

@test "layers of all that tar can say" {
	command -v umoci >/dev/null || skip "no umoci"
	compare ''
}

@test "hard links to what other layers have" {
	command -v umoci >/dev/null || skip "no umoci"
	compare 's/ names=\S+//' links
}

@test "what umoci refuses, or sees in another way" {
	compare '' wild
}

@test "the same, with hard links to what other layers have" {
	compare 's/ names=\S+//' links wild
}

@test "what an ordinary user makes of them" {
	local seed

	make_users
	cd user || return 1
	for ((seed = SEED; seed < SEED + COUNT; seed++)); do
		echo "seed $seed"
		"$LAB_DIR/randimage" "$seed" wild links user | "$LAB_DIR/mkimage" layout >/dev/null
		chmod -R a+rX layout
		user_runs "$BERTH_PULL" -q --from oci:layout:a --flat flat
		user_runs "$BERTH_PULL" -q --from oci:layout:a overlay
		mount_overlay userxattr
		differ flat/rootfs overlay/rootfs 's/ names=\S+//' >"$T/differences" || {
			umount overlay/rootfs
			fail "the flat root (<) is not the overlay (>): $(head -n 20 "$T/differences")"
			return 1
		}
		umount overlay/rootfs
		user_runs "$BERTH_PULL" verify
		rm -r layout flat overlay lower
	done
}
