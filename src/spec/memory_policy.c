/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `linux.memoryPolicy`: from which NUMA nodes memory is taken. */
#include <linux/mempolicy.h>

#include "tables-internal.h"

/* KERNEL(6.9): headers of older ones lack it. */
#define WEIGHTED_INTERLEAVE 6

enum nodes_rule {
	NODES_NONE,
	NODES_SOME,
	NODES_ANY
};

const char *const memory_policy_modes[] = {
	"MPOL_DEFAULT",	  "MPOL_BIND",		 "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
	"MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",	    NULL};

/* In the order of their names: what every kernel holds to. */
static const struct {
	int mode;
	enum nodes_rule nodes;
} modes[] = {
	{MPOL_DEFAULT, NODES_NONE},    {MPOL_BIND, NODES_SOME},
	{MPOL_INTERLEAVE, NODES_SOME}, {WEIGHTED_INTERLEAVE, NODES_SOME},
	{MPOL_PREFERRED, NODES_ANY},   {MPOL_PREFERRED_MANY, NODES_SOME},
	{MPOL_LOCAL, NODES_NONE},
};

const char *const memory_policy_flags[] = {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
					   "MPOL_F_STATIC_NODES", NULL};

static const int flags[] = {MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES};

static int decode_mode(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err)
{
	struct spec_memory_policy *policy = base;
	int index = decode_choice(node, memory_policy_modes, err);

	(void)d;
	(void)field;
	if (index < 0)
		return index;
	policy->mode = modes[index].mode;
	policy->mode_name = memory_policy_modes[index];
	return 0;
}

static int decode_flags(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	struct spec_memory_policy *policy = base;
	const char *const *names;
	int r = decode_strings(d, node, &names, err);

	(void)field;
	for (size_t i = 0; r >= 0 && names[i]; i++) {
		const struct node item = node_item(node, i, NULL);
		int index = choice_index(memory_policy_flags, names[i]);

		if (index < 0)
			return refuse_choice(&item, names[i], memory_policy_flags, err);
		policy->flags |= flags[index];
	}
	return r;
}

static const struct field policy_fields[] = {
	{.name = "mode", .kind = FIELD_CUSTOM, .required = true, .custom = decode_mode},
	{.name = "nodes",
	 .kind = FIELD_CUSTOM,
	 AT(struct spec_memory_policy, nodes),
	 .custom = number_list_decode},
	{.name = "flags", .kind = FIELD_CUSTOM, .custom = decode_flags},
};

static enum nodes_rule rule_of(int mode)
{
	size_t i = 0;

	while (modes[i].mode != mode)
		i++;
	return modes[i].nodes;
}

static int check_policy(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	const struct spec_memory_policy *policy = base;
	const struct node nodes = node_member(node, "nodes"), list = node_member(node, "flags");
	const enum nodes_rule rule = rule_of(policy->mode);
	const int both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

	(void)d;
	if (rule == NODES_NONE && policy->nodes.set)
		return refuse_at(&nodes, err, "%s takes no nodes", policy->mode_name);
	if (rule == NODES_SOME && !policy->nodes.set)
		return refuse_at(&nodes, err, "required for %s, but missing", policy->mode_name);
	if ((policy->flags & both) == both)
		return refuse_at(
			&list, err,
			"MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other");
	return 0;
}

const struct table memory_policy_table = {
	FIELDS(policy_fields), .size = sizeof(struct spec_memory_policy), .check = check_policy};
