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
