#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build the validation programs and runtimetest from WORK/source to WORK/programs, offline.
#
# The libraries are those of Debian's -dev packages. What no package has is the TAP writer: tap/ is
# written for this harness and takes its import path.

. "$(dirname "$0")/lib.sh"

module=github.com/opencontainers/runtime-tools
go_path=$work/gopath
programs=$work/programs

export GO111MODULE=off GOPROXY=off GOFLAGS='' GOCACHE=$work/gocache
export GOPATH=$go_path:/usr/share/gocode

# Lay out the source and the TAP writer as GOPATH wants them.
lay_out() {
	local root=$go_path/src/$module
	rm -rf "$go_path"
	mkdir -p "$(dirname "$root")" "$go_path/src/github.com/mndrix/tap-go"
	cp -r "$work/source" "$root"
	cp "$here/tap/tap.go" "$go_path/src/github.com/mndrix/tap-go/"
	# Newer libraries have this function in another package.
	sed -i -e 's/label\.FileLabel(/selinux.FileLabel(/' \
		-e 's,opencontainers/selinux/go-selinux/label",opencontainers/selinux/go-selinux",' \
		"$root/cmd/runtimetest/main.go"
}

# Take a file of Go's own library out of the probe: it raises the soft limit of open files as the
# program starts, so that the limit which the runtime has set could not be seen.
write_overlay() {
	local file
	file=$(go env GOROOT)/src/os/rlimit.go
	echo 'package os' >"$go_path/rlimit.go"
	if [[ -e $file ]]; then
		jq -n --arg file "$file" --arg with "$go_path/rlimit.go" '{Replace: {($file): $with}}'
	else
		echo '{}'
	fi >"$go_path/overlay.json"
}

# Build all programs; the probe that runs inside containers is static.
build() {
	local root=$go_path/src/$module main name
	mkdir -p "$programs"
	write_overlay
	CGO_ENABLED=0 go build -tags 'netgo osusergo' -overlay "$go_path/overlay.json" \
		-o "$programs/runtimetest" "$root/cmd/runtimetest"
	for main in "$root"/validation/*/; do
		name=$(basename "$main")
		[[ $name == util ]] && continue
		go build -o "$programs/bin/$name" "$main" || die "$name does not build"
	done
	cp "$root"/rootfs-*.tar.gz "$programs/"
}

exclusive
stamp=$(cat "$work/source/.version" "$here/tap/tap.go" "$here/build.sh" | sha256sum)
if [[ -f $programs/.stamp && $(cat "$programs/.stamp") == "$stamp" ]]; then
	exit 0
fi
say "building the validation programs $(cat "$work/source/.version")"
rm -rf "$programs"
lay_out
build
echo "$stamp" >"$programs/.stamp"
say "$(find "$programs/bin" -type f | wc -l) programs built"
