#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Id-mapped mounts: the options idmap and ridmap, and mounts[].uidMappings and gidMappings.

load helpers

# A source with a file of each of some owners.
make_source() {
	local id

	requires idmap
	mkdir -p "$T/source" rootfs/data
	for id in 0 1000 5000; do
		echo "of $id" >"$T/source/$id"
		chown "$id:$id" "$T/source/$id"
	done
}

bind_source() {
	local options

	options=$(jq -nc '$ARGS.positional' --args -- "$@")
	config '.mounts += [{destination: "/data", type: "bind", source: $s, options: $o}]' \
		--arg s "$T/source" --argjson o "$options"
}

# Maps of that mount: CONTAINER-ID HOST-ID SIZE.
map_source() {
	config '.mounts[-1] |= (.uidMappings = [{containerID: $c, hostID: $h, size: $n}] |
		.gidMappings = .uidMappings)' --argjson c "$1" --argjson h "$2" --argjson n "$3"
}

owners() {
	run_script 'stat -c "%n %u %g" /data/*'
}

@test "idmap takes the maps of the container's user namespace" {
	make_source
	new_user
	bind_source bind idmap
	run_script 'stat -c "%n %u %g" /data/* && echo new >/data/new'
	is "$output" $'/data/0 0 0\n/data/1000 1000 1000\n/data/5000 5000 5000'
	is "$(stat -c '%u %g' "$T/source/new")" '0 0'
}

@test "without idmap the files of the same source belong to nobody" {
	make_source
	new_user
	bind_source bind
	owners
	is "$output" $'/data/0 65534 65534\n/data/1000 65534 65534\n/data/5000 65534 65534'
}

@test "maps of the mount's own, without a user namespace" {
	make_source
	bind_source bind
	map_source 1000 77 1
	owners
	is "$output" $'/data/0 65534 65534\n/data/1000 77 77\n/data/5000 65534 65534'
}

@test "what is written through the mount belongs to the mapped owner" {
	make_source
	chown 1000:1000 "$T/source"
	bind_source bind idmap
	map_source 1000 0 1
	run_script 'echo x >/data/new'
	is "$(stat -c '%u %g' "$T/source/new")" '1000 1000'
}

@test "maps of the mount's own in a user namespace" {
	make_source
	new_user
	bind_source rbind idmap
	map_source 5000 100003 1
	owners
	is "$output" $'/data/0 65534 65534\n/data/1000 65534 65534\n/data/5000 3 3'
}

@test "two mounts of one source, each with its maps" {
	make_source
	mkdir rootfs/other
	bind_source bind
	map_source 1000 77 1
	config '.mounts += [.mounts[-1] | .destination = "/other" | .uidMappings[0].hostID = 88]'
	run_script 'stat -c "%u %g" /data/1000 /other/1000'
	is "$output" $'77 77\n88 77'
}

@test "idmap leaves the mounts below alone, ridmap maps them too" {
	make_source
	mkdir "$T/source/below"
	host_mount -t tmpfs tmpfs "$T/source/below"
	echo x >"$T/source/below/file"
	chown 1000:1000 "$T/source/below/file"
	bind_source rbind idmap
	map_source 1000 77 1
	run_script 'stat -c "%u" /data/1000 /data/below/file'
	is "$output" $'77\n1000'
	config '.mounts[-1].options = ["rbind", "ridmap"]'
	run_script 'stat -c "%u" /data/1000 /data/below/file'
	is "$output" $'77\n77'
}

@test "an id-mapped mount that is read-only" {
	make_source
	new_user
	bind_source bind idmap ro
	run_probe report --path /data --path /data/0
	json '.paths["/data"].write == "EROFS" and .paths["/data/0"].text == "of 0\n"'
}

@test "a file system without id-mapped mounts is named" {
	new_user
	mkdir rootfs/data
	config '.mounts += [{destination: "/data", type: "bind", source: "/proc", options: ["bind", "idmap"]}]'
	berth_fails 'mounts[7].source: "/proc": map the ids (its file system cannot do that)' create "$ID"
	nothing_left
}

@test "idmap without any maps is refused" {
	make_source
	bind_source bind idmap
	berth_fails 'mounts[7].options: mapped ids need a "user" namespace' create "$ID"
	nothing_left
}

@test "maps that the kernel refuses are named" {
	make_source
	bind_source bind
	config '.mounts[-1] |= (.uidMappings = [range(341) | {containerID: (2 * .), hostID: (2 * .), size: 1}] |
		.gidMappings = [{containerID: 0, hostID: 0, size: 1}])'
	berth_fails 'mounts[7].uidMappings: ' create "$ID"
	nothing_left
}

@test "ids of a new file system are not mapped" {
	config '.mounts += [{destination: "/data", type: "tmpfs", options: ["idmap"]}]'
	berth_fails 'mounts[7].options: ids are mapped by bind mounts only' create "$ID"
	nothing_left
}

@test "exec sees the mapped ids" {
	make_source
	new_user
	bind_source bind idmap
	run_detached "$ID" sleep
	berth exec "$ID" /bin/stat -c %u /data/1000
	is "$output" 1000
}

@test "the mapped ids of a joined user namespace" {
	make_source
	new_user
	run_detached "$ID-pod" sleep
	config 'del(.linux.uidMappings, .linux.gidMappings) |
		.linux.namespaces |= map(if .type == "user" then .path = $p else . end)' \
		--arg p "/proc/$PID/ns/user"
	bind_source bind idmap
	owners
	is "$output" $'/data/0 0 0\n/data/1000 1000 1000\n/data/5000 5000 5000'
}

@test "features tells of id-mapped mounts" {
	berth features
	json '.linux.mountExtensions.idmap.enabled and (.mountOptions | contains(["idmap", "ridmap"]))'
}
