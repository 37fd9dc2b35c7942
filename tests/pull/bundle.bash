# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the suites about bundles: images with busybox in them, and running what was made.

# Makes an image layout of a description on standard input: images DIR.
images() {
	"$LAB_DIR/mkimage" "$1" >/dev/null 3>&- 4>&-
}

# One layer with busybox, users and a few files, as a tar archive: busybox_layer FILE.
busybox_layer() {
	local root=$T/busybox-root applet

	mkdir -p "$root"/{bin,etc,root,srv,data/seeded,home/user} "$root/usr/bin"
	mkdir -m 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh cat id ls grep stat sleep env hostname touch mkdir rm ps mount df test pwd \
		head awk od dd chown sed wc; do
		ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'web:x:33:34:Web:/srv:/bin/sh' \
		'user:x:1000:1000:User:/home/user:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'www:x:80:web' 'user:x:1000:' >"$root/etc/group"
	echo content >"$root/data/seeded/file"
	chown -R 33:34 "$root/data"
	chmod 750 "$root/data"
	chown 1000:1000 "$root/home/user"
	tar -C "$root" --numeric-owner -cf "$1" .
}

# An image "busybox" in the layout DIR: busybox_image [CONFIG [MORE-LAYERS]].
busybox_image() {
	[[ -e $T/busybox.tar ]] || busybox_layer "$T/busybox.tar"
	jq -n --arg tar "$T/busybox.tar" --argjson config "${1:-{\}}" --argjson more "${2:-[]}" \
		'{ref: "busybox", config: $config, layers: ([{tar: $tar, compression: "none"}] + $more)}' |
		images "$T/layout"
}

# Makes the bundle DIR of the image "busybox": busybox_bundle DIR [OPTION…].
busybox_bundle() {
	local bundle=$1

	shift
	pull --from "oci:$T/layout:busybox" "$@" "$bundle"
}

# Runs berth on the test's own state; sets status, output, stderr. Never fails.
berth_call() {
	CALLS=$((CALLS + 1))
	OUT=$T/out.$CALLS
	ERR=$T/err.$CALLS
	status=0
	mkdir -p "$T/state"
	timeout -k 2 "$PULL_TIMEOUT" "$BERTH" --root "$T/state" "$@" \
		<"${STDIN:-/dev/null}" >"$OUT" 2>"$ERR" 3>&- 4>&- || status=$?
	read_file output "$OUT"
	read_file stderr "$ERR"
}

# Runs a bundle to its end, which must be a success.
run_bundle() {
	berth_call run -b "$1" "$ID"
	((status == 0)) || fail "berth run -b $1: exit status $status"
}

# Makes a bundle with options, and runs a script in it: run_script [OPTION…] SCRIPT.
run_script() {
	local bundle=$T/bundle.$CALLS script=${*: -1}

	busybox_bundle "$bundle" "${@:1:$#-1}" --entrypoint /bin/sh --arg -c --arg "$script"
	run_bundle "$bundle"
}

# The probe of the integration tests, as one layer more: sets PROBE_LAYER.
probe_layer() {
	local cache=$PROJECT_DIR/build/tests lock

	mkdir -p "$cache"
	exec {lock}>"$cache/.lock"
	flock "$lock"
	if [[ ! -x $cache/probe || -n $(find "$PROJECT_DIR/tests/probe" -newer "$cache/probe" -name '*.[ch]') ]]; then
		cc -static -O1 -std=gnu17 -D_GNU_SOURCE "$PROJECT_DIR"/tests/probe/*.c -o "$cache/probe.new" &&
			mv "$cache/probe.new" "$cache/probe"
	fi
	exec {lock}>&-
	mkdir -p "$T/probe-root/bin"
	cp "$cache/probe" "$T/probe-root/bin/"
	tar -C "$T/probe-root" --numeric-owner --owner=0 --group=0 -cf "$T/probe.tar" bin
	PROBE_LAYER="[{\"tar\": \"$T/probe.tar\", \"compression\": \"none\"}]"
}
