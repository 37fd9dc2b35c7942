#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gets a kernel: kernels.sh uml|uml-old|qemu|qemu-new. Nothing is installed: packages are unpacked to
# build/vm/KERNEL, which is kept.
#
# User-mode Linux comes from the newest suite, since it is four times faster than that of Debian 12
# (it traps system calls by seccomp instead of ptrace) and has time namespaces; uml-old, or a mirror
# without that suite, is the installed package. The kernel for QEMU is the host's suite's: 6.1 in
# Debian 12; qemu-new is that of the newest suite.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/mirror.sh
. tests/mirror.sh

work=$PWD/build/vm
suite=sid

say() {
	echo "vm: $*" >&2
}

die() {
	say "$@"
	exit 1
}

# extract PACKAGE DIR: it and what it needs, from the newest suite.
extract() {
	local mirror

	mirror=$(debian_mirror)
	mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
		--include="$1" "$suite" "$2" ${mirror:+"$mirror"}
}

# The program runs with the loader and the C library that came with it.
fetch_uml() {
	local new=$1 root=$1/root lib final=$work/uml/lib

	extract user-mode-linux "$root" || return 1
	lib=$(dirname "$(compgen -G "$root/usr/lib/*/libc.so.6")") || return 1
	mkdir "$new/lib"
	cp -L "$lib/libc.so.6" "$lib/ld-linux-x86-64.so.2" "$new/lib/" &&
		mv "$root/usr/bin/linux.uml" "$new/linux" &&
		mv "$root"/usr/lib/uml/modules/* "$new/modules" &&
		rm -rf "$root" &&
		patchelf --set-interpreter "$final/ld-linux-x86-64.so.2" --force-rpath \
			--set-rpath "$final" "$new/linux"
}

get_uml() {
	fetch_uml "$1" && return
	say "taking the installed user-mode-linux"
	rm -rf "$1"
	mkdir "$1"
	get_uml-old "$1"
}

get_uml-old() {
	ln -s "$(command -v linux.uml || die 'user-mode-linux is not installed')" "$1/linux"
	ln -s "$(compgen -G '/usr/lib/uml/modules/*' | tail -n 1)" "$1/modules"
}

# take_linux ROOT DIR: the kernel of an unpacked package, its modules as busybox can load them. Where
# the kernel is differs from suite to suite.
take_linux() {
	mv "$(find "$1" -name 'vmlinuz*' -type f -print -quit)" "$2/linux" &&
		mv "$(find "$1" -path '*/lib/modules/*' -prune -print -quit)" "$2/modules" &&
		rm -rf "$1" &&
		find "$2/modules" -name '*.ko.xz' -exec xz -d {} +
}

get_qemu() {
	local package

	package=$(apt-cache depends --important linux-image-cloud-amd64 |
		awk '/Depends: linux-image/ { print $2; exit }')
	[ -n "$package" ] || die 'apt knows no linux-image-cloud-amd64: apt-get update'
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$package") &&
		dpkg-deb -x "$1"/*.deb "$1/root" &&
		take_linux "$1/root" "$1" &&
		rm "$1"/*.deb
}

get_qemu-new() {
	extract linux-image-cloud-amd64 "$1/root" && take_linux "$1/root" "$1"
}

kernel=${1:?uml, uml-old, qemu or qemu-new}
[ ! -e "$work/$kernel/linux" ] || exit 0
say "getting the kernel $kernel"
rm -rf "${work:?}/$kernel" "$work/$kernel.new"
mkdir -p "$work/$kernel.new"
"get_$kernel" "$work/$kernel.new" || die "there is no kernel $kernel"
mv -T "$work/$kernel.new" "$work/$kernel"
