#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The overlay root of the org.berth.overlay annotations.

load helpers

# The bundle gets an empty root.path; the template's rootfs becomes the lowest layer.
setup_layers() {
	mv rootfs lower0
	mkdir rootfs lower1 lower2 upper work
	echo one >lower1/which
	echo two >lower2/which
	echo only-one >lower1/one
	config '.root.readonly = false'
}

overlay() {
	config '.annotations["org.berth.overlay." + $k] = $v' --arg k "$1" --arg v "$2"
}

@test "layers lie on each other, the first one on top" {
	setup_layers
	overlay lower lower1:lower2:lower0
	run_probe report --path /which --path /one --path /bin/probe
	mount_has / '.fstype == "overlay"'
	json '.paths["/which"].text == "one\n" and .paths["/one"].text == "only-one\n"'
}

@test "the order of the layers counts" {
	setup_layers
	overlay lower lower2:lower1:lower0
	run_probe report --path /which
	json '.paths["/which"].text == "two\n"'
}

@test "without an upper directory the root is read-only" {
	setup_layers
	overlay lower lower1:lower0
	run_probe report --path / --path /which
	json '.paths["/"].write == "EROFS" and .paths["/which"].write == "EROFS"'
}

@test "changes go to the upper directory only" {
	setup_layers
	overlay lower lower1:lower0
	overlay upper upper
	overlay work work
	run_script 'echo changed >/which && rm /one && mkdir /new && cat /which'
	is "$output" changed
	is "$(<upper/which)" changed
	[[ -d upper/new && -c upper/one ]]
	is "$(<lower1/which)" one
	is "$(<lower1/one)" only-one
}

@test "changes are there again in the next container" {
	setup_layers
	overlay lower lower0
	overlay upper upper
	overlay work work
	run_script 'echo kept >/kept'
	run_script 'cat /kept'
	is "$output" kept
}

@test "root.readonly makes an overlay with an upper directory read-only" {
	setup_layers
	config '.root.readonly = true'
	overlay lower lower0
	overlay upper upper
	overlay work work
	run_probe report --path /
	json '.paths["/"].write == "EROFS"'
}

@test "absolute paths" {
	setup_layers
	overlay lower "$BUNDLE/lower1:$BUNDLE/lower0"
	overlay upper "$BUNDLE/upper"
	overlay work "$BUNDLE/work"
	run_probe report --path /which --path /
	json '.paths["/which"].text == "one\n" and .paths["/"].write == "OK"'
}

@test "relative paths are relative to the bundle, not to where berth was called" {
	setup_layers
	overlay lower lower1:lower0
	config_args /bin/probe report --path /which
	cd /
	berth run --bundle "$BUNDLE" "$ID"
	json '.paths["/which"].text == "one\n"'
}

@test "a backslash escapes a colon and a backslash; commas and blanks are plain" {
	setup_layers
	mkdir 'with:colon' 'with,comma and blank' 'with\back'
	echo 1 >'with:colon/a'
	echo 2 >'with,comma and blank/b'
	echo 3 >'with\back/c'
	overlay lower 'with\:colon:with,comma and blank:with\\back:lower0'
	run_probe report --path /a --path /b --path /c
	json '[.paths[].text] == ["1\n", "2\n", "3\n"]'
}

@test "upper and work may have such names, too" {
	setup_layers
	mkdir 'up:per,x' 'wo:rk,x'
	overlay lower lower0
	overlay upper 'up:per,x'
	overlay work 'wo:rk,x'
	run_script 'echo here >/here && cat /here'
	is "$(<'up:per,x/here')" here
}

@test "200 layers" {
	local i list=

	setup_layers
	for ((i = 0; i < 200; i++)); do
		mkdir "layer$i"
		echo "$i" >"layer$i/which"
		echo "$i" >"layer$i/file$i"
		list+="layer$i:"
	done
	overlay lower "${list}lower0"
	run_probe report --path /which --path /file199
	json '.paths["/which"].text == "0\n" and .paths["/file199"].text == "199\n"'
}

@test "the host does not see the overlay" {
	setup_layers
	overlay lower lower1:lower0
	run_detached "$ID" sleep
	is "$(find rootfs -mindepth 1)" ''
	is "$(grep -c "$BUNDLE" /proc/self/mountinfo)" 0
}

@test "mount points are made in the upper directory" {
	setup_layers
	config '.mounts += [{destination: "/deep/er", type: "tmpfs", source: "tmpfs"}]'
	overlay lower lower0
	overlay upper upper
	overlay work work
	run_probe
	mount_has /deep/er '.fstype == "tmpfs"'
	[[ -d upper/deep/er && ! -e lower0/deep ]]
}

@test "exec in a container with an overlay" {
	setup_layers
	overlay lower lower1:lower0
	run_detached "$ID" sleep
	berth exec "$ID" /bin/cat /which
	is "$output" one
}

@test "upper without work, work without upper: refused before anything is done" {
	setup_layers
	overlay lower lower0
	overlay upper upper
	berth_fails org.berth.overlay create "$ID"
	contains "$stderr" work
	config 'del(.annotations["org.berth.overlay.upper"])'
	overlay work work
	berth_fails org.berth.overlay create "$ID"
	contains "$stderr" upper
	nothing_left
}

@test "upper without lower is refused" {
	setup_layers
	overlay upper upper
	overlay work work
	berth_fails org.berth.overlay create "$ID"
	contains "$stderr" lower
	nothing_left
}

@test "a missing layer is named" {
	setup_layers
	overlay lower lower1:no-such-layer:lower0
	berth_fails no-such-layer create "$ID"
	contains "$stderr" org.berth.overlay.lower
	nothing_left
}

@test "an empty list or an empty entry is refused" {
	setup_layers
	overlay lower ''
	berth_fails org.berth.overlay.lower create "$ID"
	overlay lower lower1::lower0
	berth_fails org.berth.overlay.lower create "$ID"
	nothing_left
}

@test "the annotations are announced as unsafe" {
	berth features
	json '.potentiallyUnsafeConfigAnnotations | any(startswith("org.berth.overlay"))'
}

writable_layers() {
	local i list=

	setup_layers
	for ((i = 0; i < $1; i++)); do
		mkdir "layer$i"
		echo "$i" >"layer$i/which"
		echo "$i" >"layer$i/file$i"
		chown 7:8 "layer$i/file$i"
		list+="layer$i:"
	done
	overlay lower "${list}lower0"
	overlay upper upper
	overlay work work
	new_user
}

@test "idmap: the lower directories belong to the container's users, upper to the host's ids" {
	requires idmap
	writable_layers 1
	chown 100000:100000 upper work
	overlay idmap lower
	run_script 'stat -c "%u %g" / /which /file0; echo more >>/which; echo new >/new; mkdir /dir
		echo x >>/file0; stat -c "%u %g" /file0'
	is "$output" $'0 0\n0 0\n7 8\n7 8'
	contains "$stderr" 'ermission denied'
	is "$(stat -c '%u %g' upper/which)" '100000 100000'
	is "$(stat -c '%u %g' upper/new)" '100000 100000'
	is "$(stat -c '%u %g' layer0/which layer0/file0)" $'0 0\n7 8'
}

@test "idmap: ten layers, each of them seen, and written to" {
	requires idmap
	writable_layers 10
	chown 100000:100000 upper work
	overlay idmap lower
	run_script 'cat /which /file0 /file9 && stat -c "%u %g" /file0 /file9 && echo up >/file && cat /file'
	is "$output" $'0\n0\n9\n7 8\n7 8\nup'
	mkdir again
	run_script 'cat /file && stat -c "%u %g" /file /file9'
	is "$output" $'up\n0 0\n7 8'
}

@test "idmap: what is copied up keeps its owner" {
	requires idmap
	writable_layers 1
	chown 100000:100000 upper work
	overlay idmap lower
	config '.process.capabilities |= (.bounding += ["CAP_FOWNER", "CAP_DAC_OVERRIDE", "CAP_CHOWN"] |
		.permitted = .bounding | .effective = .bounding)'
	run_script 'echo more >>/file0; stat -c "%u %g" /file0; chown 5:6 /which; stat -c "%u %g" /which'
	is "$output" $'7 8\n5 6'
	is "$(stat -c '%u %g' upper/file0 upper/which)" $'100007 100008\n100005 100006'
}

@test "idmap without upper: one layer, and several" {
	requires idmap
	setup_layers
	new_user
	overlay lower lower0
	overlay idmap lower
	run_probe report --path / --path /bin/probe
	json '.paths["/"].write == "EROFS"'
	run_script 'stat -c "%u %g" / /bin/sh'
	is "$output" $'0 0\n0 0'
	overlay lower lower1:lower0
	run_script 'stat -c "%u %g" / /which'
	is "$output" $'0 0\n0 0'
}

@test "without idmap the lower directories of a user namespace belong to nobody" {
	writable_layers 1
	chown 100000:100000 upper work
	run_script 'stat -c "%u %g" / /which'
	is "$output" $'0 0\n65534 65534'
}

@test "idmap: an upper directory whose owner is not mapped is refused" {
	writable_layers 1
	overlay idmap lower
	berth_fails 'org.berth.overlay.upper: ' create "$ID"
	contains "$stderr" 'belongs to 0:0, who are not mapped'
	nothing_left
}

@test "idmap: a lower directory that is missing, or cannot be mapped, is named" {
	setup_layers
	new_user
	overlay lower no-such-layer:lower0
	overlay idmap lower
	berth_fails 'org.berth.overlay.lower: open "' create "$ID"
	contains "$stderr" no-such-layer
	overlay lower /proc/sys:lower0
	berth_fails 'org.berth.overlay.lower: "/proc/sys": map the ids' create "$ID"
	nothing_left
}

@test "idmap needs a user namespace, and has one value" {
	setup_layers
	overlay lower lower0
	overlay idmap lower
	berth_fails 'annotations["org.berth.overlay.idmap"]: needs a "user" namespace' create "$ID"
	new_user
	overlay idmap upper
	berth_fails '"upper" is not one of lower' create "$ID"
	nothing_left
}

@test "idmap: the host's mounts stay as they are" {
	requires idmap
	local before

	writable_layers 10
	chown 100000:100000 upper work
	overlay idmap lower
	before=$(cut -d' ' -f3- /proc/self/mountinfo)
	run_detached "$ID" sleep
	is "$(cut -d' ' -f3- /proc/self/mountinfo)" "$before"
	is "$(grep -c overlay "/proc/$PID/mountinfo")" 1
}
