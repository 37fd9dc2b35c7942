/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy. */
#include "unit.h"

/* The numbers are the kernel's. */
static void test_memory_policy(void **state)
{
	static const struct {
		const char *text;
		int mode, flags;
		size_t end;
	} policies[] = {
		{"\"MPOL_DEFAULT\"", 0, 0, 0},
		{"\"MPOL_PREFERRED\"", 1, 0, 0},
		{"\"MPOL_PREFERRED\", \"nodes\": \"1\"", 1, 0, 2},
		{"\"MPOL_BIND\", \"nodes\": \"0-3,7\", \"flags\": []", 2, 0, 8},
		{"\"MPOL_INTERLEAVE\", \"nodes\": \"1500\", \"flags\": null", 3, 0, 1501},
		{"\"MPOL_LOCAL\", \"nodes\": \"\"", 4, 0, 0},
		{"\"MPOL_PREFERRED_MANY\", \"nodes\": \"0\"", 5, 0, 1},
		{"\"MPOL_WEIGHTED_INTERLEAVE\", \"nodes\": \"0\"", 6, 0, 1},
		{"\"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"MPOL_F_NUMA_BALANCING\"]", 2,
		 1 << 13, 1},
		{"\"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"MPOL_F_RELATIVE_NODES\"]", 2,
		 1 << 14, 1},
		{"\"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"MPOL_F_STATIC_NODES\", "
		 "\"MPOL_F_NUMA_BALANCING\", \"MPOL_F_STATIC_NODES\"]",
		 2, 1 << 15 | 1 << 13, 1},
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		_cleanup_free_ char *text =
			xasprintf("\"memoryPolicy\": {\"mode\": %s}", policies[i].text);
		const struct spec_memory_policy *policy =
			accept(arena, LINUX, text)->linux.memory_policy;

		assert_int_equal(policy->mode, policies[i].mode);
		assert_int_equal(policy->flags, policies[i].flags);
		assert_int_equal(policy->nodes.set ? policy->nodes.set->end : 0, policies[i].end);
	}
	assert_null(accept(arena, LINUX, "\"memoryPolicy\": null")->linux.memory_policy);
}

static const struct refusal refusals[] = {
	{LINUX, "\"memoryPolicy\": \"MPOL_BIND\"",
	 "linux.memoryPolicy: found a string, must be an object"},
	{LINUX, "\"memoryPolicy\": {}", "linux.memoryPolicy.mode: required, but missing"},
	{LINUX, "\"memoryPolicy\": {\"mode\": 2}",
	 "linux.memoryPolicy.mode: found a number, must be a string"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"BIND\"}",
	 "linux.memoryPolicy.mode: \"BIND\" is not one of MPOL_DEFAULT, MPOL_BIND, "
	 "MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, "
	 "MPOL_LOCAL"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_BIND\"}",
	 "linux.memoryPolicy.nodes: required for MPOL_BIND, but missing"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_PREFERRED_MANY\", \"nodes\": \"\"}",
	 "linux.memoryPolicy.nodes: required for MPOL_PREFERRED_MANY, but missing"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_WEIGHTED_INTERLEAVE\"}",
	 "linux.memoryPolicy.nodes: required for MPOL_WEIGHTED_INTERLEAVE, but missing"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_INTERLEAVE\", \"nodes\": \"1-\"}",
	 "linux.memoryPolicy.nodes: \"1-\" is not a list of numbers such as \"0-3,7\""},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"8192\"}",
	 "linux.memoryPolicy.nodes: \"8192\" has a number above 8191"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_LOCAL\", \"nodes\": \"0\"}",
	 "linux.memoryPolicy.nodes: MPOL_LOCAL takes no nodes"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_DEFAULT\", \"nodes\": \"0\"}",
	 "linux.memoryPolicy.nodes: MPOL_DEFAULT takes no nodes"},
	{LINUX, "\"memoryPolicy\": {\"mode\": \"MPOL_LOCAL\", \"flags\": \"MPOL_F_STATIC_NODES\"}",
	 "linux.memoryPolicy.flags: found a string, must be an array"},
	{LINUX,
	 "\"memoryPolicy\": {\"mode\": \"MPOL_LOCAL\", \"flags\": [\"MPOL_F_STATIC_NODES\", "
	 "\"X\"]}",
	 "linux.memoryPolicy.flags[1]: \"X\" is not one of MPOL_F_NUMA_BALANCING, "
	 "MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES"},
	{LINUX,
	 "\"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"0\", \"flags\": "
	 "[\"MPOL_F_STATIC_NODES\", \"MPOL_F_RELATIVE_NODES\"]}",
	 "linux.memoryPolicy.flags: MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each "
	 "other"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_policy),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
