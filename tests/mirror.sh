# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every script that fetches packages needs; to be sourced.

# The Debian mirror that this machine's own apt is set up to use.
debian_mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(ORIGIN)|$(SITE)|$(LABEL)' 'Created-By: Packages' |
		awk -F'|' '$1 == "Debian" && $3 == "Debian" && !seen++ { print $2 }'
}
