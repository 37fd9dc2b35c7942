/* SPDX-License-Identifier: Apache-2.0 */
/* On which processors a process runs. */
#include <sched.h>

#include "berth/base/str.h"
#include "berth/linux/placement.h"

#include "unit.h"

static struct spec_number_list list_of(const char *text, struct number_set *set)
{
	child_assert(number_set_parse(text, set) == 0);
	return (struct spec_number_list){.text = text, .set = set};
}

/* One of those that we may run on. */
static int own_processor(void)
{
	cpu_set_t own;
	int first = 0;

	child_assert(sched_getaffinity(0, sizeof(own), &own) == 0);
	while (!CPU_ISSET(first, &own))
		first++;
	return first;
}

static void child_none(void *argument)
{
	const struct spec_number_list none = {.text = NULL};
	struct error err = ERROR_NONE;
	cpu_set_t before, after;

	(void)argument;
	child_assert(sched_getaffinity(0, sizeof(before), &before) == 0);
	child_assert(cpu_affinity_apply(&none, "initial", &err) == 0);
	child_assert(sched_getaffinity(0, sizeof(after), &after) == 0);
	child_assert(CPU_EQUAL(&before, &after));
}

/* Processors that the machine lacks do no harm, whatever their numbers are. */
static void child_one(void *argument)
{
	const int processor = own_processor();
	_cleanup_free_ char *text = xasprintf("%d,1023-1025,8191", processor);
	struct number_set set;
	const struct spec_number_list list = list_of(text, &set);
	struct error err = ERROR_NONE;
	cpu_set_t after;

	(void)argument;
	child_assert(cpu_affinity_apply(&list, "initial", &err) == 0);
	child_assert(sched_getaffinity(0, sizeof(after), &after) == 0);
	child_assert(CPU_COUNT(&after) == 1 && CPU_ISSET(processor, &after));
}

static void child_absent(void *argument)
{
	struct number_set set;
	const struct spec_number_list list = list_of("8000-8191", &set);
	struct error err = ERROR_NONE;

	(void)argument;
	child_assert(cpu_affinity_apply(&list, "final", &err) == -EINVAL);
	child_assert(str_starts(err.text, "process.execCPUAffinity.final: none of the processors "
					  "\"8000-8191\" is online"));
}

static void test_none(void **state)
{
	(void)state;
	in_child(child_none, NULL);
}

static void test_one(void **state)
{
	(void)state;
	in_child(child_one, NULL);
}

static void test_absent(void **state)
{
	(void)state;
	in_child(child_absent, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
