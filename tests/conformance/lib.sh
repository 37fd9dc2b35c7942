# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of the conformance harness share: where things lie, and how to stop.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)

# shellcheck source=tests/mirror.sh
. "$tree/tests/mirror.sh"

# Where everything fetched, built and measured goes; kept between runs.
work=${CONFORMANCE_WORK:-$tree/build/conformance}
mkdir -p "$work"
work=$(cd "$work" && pwd)
export CONFORMANCE_WORK=$work

# Print a line about the progress on standard error.
say() {
	printf 'conformance: %s\n' "$*" >&2
}

# Print what is wrong and stop.
die() {
	say "$@"
	exit 1
}

# Wait until no other run works on the same directory; held until this script ends.
exclusive() {
	exec {lock}>"$work/.lock"
	flock "$lock"
}
