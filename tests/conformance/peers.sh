#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Get the runtimes that berth is compared with: WORK/peers/crun and WORK/peers/runc.
#
# The newest Debian packages are unpacked to a directory of their own, and the two binaries are told
# to use the C library that came with them, so that they run here as they are. Where that suite
# cannot be had, the host's own packages take their place; the report shows the versions.

. "$(dirname "$0")/lib.sh"

suite=sid
peers=$work/peers

# Make $1 (a binary in the unpacked tree) use the loader and the libraries of that tree.
rebase() {
	local lib=$work/peers.new/root/usr/lib final=$peers/root/usr/lib loader triplet
	loader=$(cd "$lib" && compgen -G '*/ld-linux*.so.*' | sed -n 1p)
	triplet=${loader%/*}
	patchelf --set-interpreter "$final/$loader" --force-rpath --set-rpath "$final/$triplet" "$1"
}

# Unpack the suite's packages and put both runtimes into the directory of peers.
unpack_suite() {
	local new=$work/peers.new name mirror
	mirror=$(debian_mirror)
	rm -rf "$new"
	mkdir -p "$new"
	mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
		--include=crun,runc "$suite" "$new/root" ${mirror:+"$mirror"} || return 1
	for name in crun runc; do
		cp -L "$new/root/usr/bin/$name" "$new/$name" || return 1
		rebase "$new/$name" || return 1
	done
	rm -rf "$peers"
	mv -T "$new" "$peers"
	complete
}

# Take what the host has installed.
take_host() {
	local name
	rm -rf "$peers" "$work/peers.new"
	mkdir -p "$peers"
	for name in crun runc; do
		ln -s "$(command -v "$name" || die "$name is not installed")" "$peers/$name"
	done
}

# Whether both runtimes of the suite are there and start; a stand-in from the host does not count.
complete() {
	[[ ! -L $peers/crun ]] && "$peers/crun" --version >/dev/null 2>&1 &&
		"$peers/runc" --version >/dev/null 2>&1
}

exclusive
if complete; then
	exit 0
fi
say "getting crun and runc from $suite"
if ! unpack_suite; then
	say "$suite cannot be had; comparing with the host's crun and runc"
	take_host
fi
