# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs once before and after all test files of this directory.

# shellcheck source=tests/integration/helpers.bash
source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

setup_suite() {
	prepare_suite
}

teardown_suite() {
	check_suite
}
