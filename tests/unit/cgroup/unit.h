/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of the cgroup room includes first: cmocka, without its macro fail(). */
#ifndef BERTH_TESTS_CGROUP_UNIT_H
#define BERTH_TESTS_CGROUP_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* cmocka.h includes nothing of what it needs, so it stays below. */

#include <cmocka.h>

/* berth has a function of this name; fail_msg() of cmocka would call it. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
	do {                                                                                       \
		print_error(__VA_ARGS__);                                                          \
		_fail(__FILE__, __LINE__);                                                         \
	} while (0)

/* valgrind of Debian 12 answers openat2(2) and clone3(2) with ENOSYS; the sanitizers see to those.
 */
static inline bool kernel_is_hidden(void)
{
	return getenv("BERTH_UNDER_VALGRIND") != NULL;
}

#endif
