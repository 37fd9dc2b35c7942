# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For suites about what comes over the network: images whose layers are as long as the test says,
# and a registry with faults before them. Loaded after helpers.

# make_random_image LAYOUT SIZE…: one layer for each size, a file of so many random bytes (and 2 KiB
# of tar around it), not compressed. DIGESTS and SIZES are what the manifest says of the layers.
make_random_image() {
	local layout=$1

	shift
	python3 - "$@" >"$T/description.json" <<-'END'
		import base64, json, os, sys
		print(json.dumps({"ref": "x", "layers": [
		    {"compression": "none", "entries": [
		        {"path": "file%d" % i, "data": {"base64": base64.b64encode(os.urandom(int(n))).decode()}}]}
		    for i, n in enumerate(sys.argv[1:])]}))
	END
	"$LAB_DIR/mkimage" "$layout" <"$T/description.json" >"$T/made.json"
	mapfile -t DIGESTS < <(jq -r '.[].layers[].digest' "$T/made.json")
	mapfile -t SIZES < <(jq -r '.[].layers[].size' "$T/made.json")
	MANIFEST=$(jq -r '.[].digest' "$T/made.json")
}

# serve_random_image SIZE…: the image x:1 in a registry with faults, as yet none.
serve_random_image() {
	start_registry
	make_random_image "$T/image" "$@"
	"$LAB_DIR/mkimage" --push "http://$REGISTRY/x:1" "$T/image" x
	start_faulty
	IMAGE=$REGISTRY/x:1
}

# The layer file N of the store is that of the image: its digest was checked, its size is.
has_layers() {
	local i size

	for i in "${!SIZES[@]}"; do
		size=$(stat -c %s "$STORE"/layers/sha256/*/fs/"file$i") || fail "no file$i" || return 1
		((size + 1024 <= SIZES[i])) || fail "file$i: $size bytes"
	done
}

# The requests for blob $1, as "RANGE STATUS LENGTH", one a line.
blob_requests() {
	jq -r --arg d "$1" 'select(.path | contains($d)) | "\(.range // "whole") \(.status) \(.length)"' \
		"$FAULTY/log"
}

# The file of a layer that is not whole yet.
part_of() {
	echo "$STORE/ingest/${1/:/-}"
}

part_has() {
	[[ $(stat -c %s "$(part_of "$1")" 2>/dev/null) -ge $2 ]]
}

# Runs a command, which must succeed; PEAK is the most memory that it had, in KiB.
peak_of() {
	python3 - "$T/peak" "$@" <<-'END' || fail "$*"
		import resource, subprocess, sys
		code = subprocess.run(sys.argv[2:]).returncode
		with open(sys.argv[1], "w") as file:
		    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
		sys.exit(code)
	END
	read -r PEAK <"$T/peak"
}
