#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs with apt what is needed: `deps.sh build`, or `deps.sh test` for building and testing.
set -euo pipefail

build=(
	gcc clang cmake ninja-build pkg-config git ca-certificates
	libyajl-dev libseccomp-dev libcap-dev libmnl-dev libnftnl-dev libsystemd-dev
	libcurl4-openssl-dev libssl-dev libisal-dev libzstd-dev zlib1g-dev
	busybox-static
)
test=(
	bats parallel jq strace bpftool libcmocka-dev valgrind
	clang-format clang-tidy cppcheck shellcheck
	libclang-rt-14-dev
	iproute2 procps nftables util-linux attr uidmap
	debootstrap mmdebstrap
	crun runc patchelf xz-utils
	podman catatonit containerd iptables netavark slirp4netns passt containernetworking-plugins curl
	golang-go golang-github-opencontainers-runtime-tools-dev
	golang-github-google-uuid-dev golang-github-mrunalp-fileutils-dev
	golang-github-urfave-cli-dev
	skopeo umoci isal zstd tini libarchive-tools python3 apache2-utils
	user-mode-linux qemu-system-x86 checkpolicy systemd dbus dbus-user-session libpam-systemd
)

case "${1:-}" in
build) packages=("${build[@]}") ;;
test) packages=("${build[@]}" "${test[@]}") ;;
*)
	echo "usage: deps.sh build|test" >&2
	exit 2
	;;
esac

# Only what is missing: nothing is asked of the mirror on a machine that has it all.
missing=()
for package in "${packages[@]}"; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
	exit 0
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
