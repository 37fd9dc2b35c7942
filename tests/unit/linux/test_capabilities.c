/* SPDX-License-Identifier: Apache-2.0 */
/* The five capability sets of a process after berth set them, for root and for other users. */
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "berth/base/str.h"
#include "berth/linux/process.h"

#include "unit.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* What the kernel says of the calling process: CapInh, CapPrm, CapEff, CapBnd, CapAmb. */
struct seen {
	uint64_t inheritable, permitted, effective, bounding, ambient;
};

static struct seen look(void)
{
	struct seen seen = {0};
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	child_assert(file);
	while (fgets(line, sizeof(line), file)) {
		if (str_starts(line, "CapInh:"))
			seen.inheritable = strtoull(line + 7, NULL, 16);
		if (str_starts(line, "CapPrm:"))
			seen.permitted = strtoull(line + 7, NULL, 16);
		if (str_starts(line, "CapEff:"))
			seen.effective = strtoull(line + 7, NULL, 16);
		if (str_starts(line, "CapBnd:"))
			seen.bounding = strtoull(line + 7, NULL, 16);
		if (str_starts(line, "CapAmb:"))
			seen.ambient = strtoull(line + 7, NULL, 16);
	}
	fclose(file);
	return seen;
}

struct wish {
	struct spec_process process;
	struct seen expected;
};

/* As stage/ calls them. */
static void child_apply(void *argument)
{
	const struct wish *wish = argument;
	const struct spec_capabilities *capabilities = &wish->process.capabilities;
	struct error err = ERROR_NONE;
	struct seen seen;

	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(capabilities_bound(capabilities, &err) == 0);
	child_assert(ids_apply(&wish->process, &err) == 0);
	child_assert(capabilities_apply(capabilities, &err) == 0);
	seen = look();
	child_assert(seen.bounding == wish->expected.bounding);
	child_assert(seen.permitted == wish->expected.permitted);
	child_assert(seen.effective == wish->expected.effective);
	child_assert(seen.inheritable == wish->expected.inheritable);
	child_assert(seen.ambient == wish->expected.ambient);
	child_assert(prctl(PR_GET_KEEPCAPS) == 0);
	child_assert(geteuid() == wish->process.uid && getegid() == wish->process.gid);
}

#define SOME (BIT(CAP_CHOWN) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL))

static void run_both(struct wish wish)
{
	wish.process.capabilities.given = true;
	wish.process.uid = wish.process.gid = 0;
	in_child(child_apply, &wish);
	wish.process.uid = 1234;
	wish.process.gid = 5678;
	in_child(child_apply, &wish);
}

static void test_as_engines_ask(void **state)
{
	struct wish wish = {.expected = {.bounding = SOME, .permitted = SOME, .effective = SOME}};
	uint64_t *sets = wish.process.capabilities.sets;

	(void)state;
	sets[CAPABILITY_BOUNDING] = sets[CAPABILITY_PERMITTED] = sets[CAPABILITY_EFFECTIVE] = SOME;
	run_both(wish);
}

static void test_all_five(void **state)
{
	struct wish wish = {.expected = {SOME, SOME, SOME, SOME, SOME}};

	(void)state;
	for (int i = 0; i < CAPABILITY_SET_MAX; i++)
		wish.process.capabilities.sets[i] = SOME;
	run_both(wish);
}

static void test_none(void **state)
{
	struct wish wish = {.expected = {0}};

	(void)state;
	run_both(wish);
}

/* What cannot be granted is left out, and the rest is granted. */
static void test_ungrantable_is_left_out(void **state)
{
	struct wish wish = {.expected = {
				    .bounding = SOME,
				    .permitted = BIT(CAP_CHOWN) | BIT(CAP_SYS_TIME),
				    .effective = BIT(CAP_CHOWN),
				    .inheritable = BIT(CAP_KILL) | BIT(CAP_CHOWN),
				    .ambient = BIT(CAP_CHOWN),
			    }};
	uint64_t *sets = wish.process.capabilities.sets;

	(void)state;
	sets[CAPABILITY_BOUNDING] = SOME;
	/* Permitted without being in the bounding set: that bounds exec, not this process. */
	sets[CAPABILITY_PERMITTED] = BIT(CAP_CHOWN) | BIT(CAP_SYS_TIME);
	/* Effective without being permitted. */
	sets[CAPABILITY_EFFECTIVE] = BIT(CAP_CHOWN) | BIT(CAP_KILL);
	/* Inheritable from outside the bounding set. */
	sets[CAPABILITY_INHERITABLE] = BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_SYS_TIME);
	/* Ambient without being permitted, or inheritable. */
	sets[CAPABILITY_AMBIENT] = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE);
	run_both(wish);
}

/* CVE-2022-29162: what the creator had in these two sets does not go on. */
static void child_inherited(void *argument)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(capget(&header, data) == 0);
	data[0].inheritable |= 1u << CAP_CHOWN;
	child_assert(capset(&header, data) == 0);
	child_assert(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
	child_apply(argument);
}

static void test_inherited_sets_are_emptied(void **state)
{
	struct wish wish = {.expected = {.bounding = SOME, .permitted = SOME, .effective = SOME}};
	uint64_t *sets = wish.process.capabilities.sets;

	(void)state;
	sets[CAPABILITY_BOUNDING] = sets[CAPABILITY_PERMITTED] = sets[CAPABILITY_EFFECTIVE] = SOME;
	in_child(child_inherited, &wish);
	wish.process.uid = 1234;
	in_child(child_inherited, &wish);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_engines_ask),
		cmocka_unit_test(test_all_five),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_ungrantable_is_left_out),
		cmocka_unit_test(test_inherited_sets_are_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
