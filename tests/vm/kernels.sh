#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gets the kernel of one kind of machine: kernels.sh uml|qemu. Nothing is installed: packages are
# unpacked to build/vm/KIND, which is kept.
#
# User-mode Linux comes from the newest suite, since it is four times faster than that of Debian 12
# (it traps system calls by seccomp instead of ptrace) and has time namespaces; VM_UML=installed, or
# a mirror without that suite, takes the installed package. The kernel for QEMU is the host's
# suite's: 6.1 in Debian 12, so that the older one is tested, too.
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

# The program runs with the loader and the C library that came with it.
fetch_uml() {
	local new=$1 mirror root=$1/root lib final=$work/uml/lib

	mirror=$(debian_mirror)
	mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
		--include=user-mode-linux "$suite" "$root" ${mirror:+"$mirror"} || return 1
	lib=$(dirname "$(compgen -G "$root/usr/lib/*/libc.so.6")") || return 1
	mkdir "$new/lib"
	cp -L "$lib/libc.so.6" "$lib/ld-linux-x86-64.so.2" "$new/lib/" &&
		mv "$root/usr/bin/linux.uml" "$new/linux" &&
		mv "$root"/usr/lib/uml/modules/* "$new/modules" &&
		rm -rf "$root" &&
		patchelf --set-interpreter "$final/ld-linux-x86-64.so.2" --force-rpath \
			--set-rpath "$final" "$new/linux"
}

take_uml() {
	ln -s "$(command -v linux.uml || die 'user-mode-linux is not installed')" "$1/linux"
	ln -s "$(compgen -G '/usr/lib/uml/modules/*' | tail -n 1)" "$1/modules"
}

get_uml() {
	if [ "${VM_UML:-}" = installed ] || ! fetch_uml "$1"; then
		say "taking the installed user-mode-linux"
		rm -rf "$1"
		mkdir "$1"
		take_uml "$1"
	fi
}

get_qemu() {
	local package

	package=$(apt-cache depends --important linux-image-cloud-amd64 |
		awk '/Depends: linux-image/ { print $2; exit }')
	[ -n "$package" ] || die 'apt knows no linux-image-cloud-amd64: apt-get update'
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$package") &&
		dpkg-deb -x "$1"/*.deb "$1/root" &&
		mv "$1"/root/boot/vmlinuz-* "$1/linux" &&
		mv "$1"/root/lib/modules/* "$1/modules" &&
		rm -rf "$1/root" "$1"/*.deb
}

kind=${1:?uml or qemu}
[ ! -e "$work/$kind/linux" ] || exit 0
say "getting the kernel for $kind"
rm -rf "${work:?}/$kind" "$work/$kind.new"
mkdir -p "$work/$kind.new"
"get_$kind" "$work/$kind.new" || die "there is no kernel for $kind"
mv -T "$work/$kind.new" "$work/$kind"
