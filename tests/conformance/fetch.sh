#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetch the source of the OCI validation programs from Debian and unpack it to WORK/source.
#
# The binary package leaves the programs out, so they come from the source package. apt works here
# on a sources.list, lists and a cache of its own: the host's apt is read, never changed. A mirror
# may lack the .dsc of a suite while it has the tarball, so the tarball alone decides, and the
# suites are tried in turn.

. "$(dirname "$0")/lib.sh"

package=golang-github-opencontainers-runtime-tools
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suites=(sid trixie bookworm)

apt=$work/apt

# apt-get on the private configuration.
private_apt() {
	apt-get -q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" \
		-o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}

# Download the source package of suite $1; succeed if its tarball arrived.
download() {
	local suite=$1 mirror
	mirror=$(debian_mirror)
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/download"
	echo "deb-src [signed-by=$keyring] ${mirror:?apt knows no Debian mirror} $suite main" \
		>"$apt/sources.list"
	private_apt update >"$apt/log" 2>&1 || return 1
	(cd "$apt/download" && private_apt source --download-only "$package" >>"$apt/log" 2>&1) ||
		say "apt reports an error for $suite; looking whether the tarball came all the same"
	compgen -G "$apt/download/*.orig.tar.*" >/dev/null
}

# Unpack the tarball that was downloaded, and note its version.
unpack() {
	local tarball version
	tarball=$(compgen -G "$apt/download/*.orig.tar.*" | grep -v '\.asc$' | sed -n 1p)
	version=${tarball##*_}
	rm -rf "$work/source.new"
	mkdir "$work/source.new"
	tar -xf "$tarball" -C "$work/source.new" --strip-components=1
	[[ -d $work/source.new/validation ]] || return 1
	echo "${version%.orig.tar.*}" >"$work/source.new/.version"
	mv -T "$work/source.new" "$work/source"
	rm -rf "$apt"
}

exclusive
if [[ -s $work/source/.version ]]; then
	exit 0
fi
rm -rf "$work/source"
for suite in "${suites[@]}"; do
	say "fetching $package from $suite"
	if download "$suite" && unpack; then
		exit 0
	fi
done
die "no suite of ${suites[*]} gave the source of $package"
