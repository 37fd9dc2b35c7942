/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.resources. */
#include "tables-internal.h"

/* Limits of which cgroup v2 has no counterpart: to honour them will never be possible. */
#define V1_ONLY(text, json_kind, which)                                                            \
	{                                                                                          \
		.name = (text), .kind = FIELD_UNSUPPORTED, .type = (json_kind),                    \
		.nothing = (which), .reason = "cgroup v2 has no such limit"                        \
	}

#define OPTIONAL(text, value_member, low, high)                                                    \
	{                                                                                          \
		.name = (text), .kind = FIELD_NUMBER,                                              \
		AT_OPTIONAL(struct spec_resources, value_member), RANGE(low, high)                 \
	}

static const struct field memory_fields[] = {
	OPTIONAL("limit", memory_limit, -1, INT64_MAX),
	OPTIONAL("reservation", memory_reservation, -1, INT64_MAX),
	OPTIONAL("swap", memory_swap, -1, INT64_MAX),
	{.name = "checkBeforeUpdate",
	 .kind = FIELD_BOOL,
	 AT(struct spec_resources, memory_check_before_update)},
	V1_ONLY("kernel", JSON_NUMBER, NOTHING_MINUS_ONE),
	V1_ONLY("kernelTCP", JSON_NUMBER, NOTHING_MINUS_ONE),
	V1_ONLY("swappiness", JSON_NUMBER, NOTHING_NULL),
	V1_ONLY("disableOOMKiller", JSON_BOOL, NOTHING_EMPTY),
	V1_ONLY("useHierarchy", JSON_BOOL, NOTHING_EMPTY),
};

static const struct table memory_table = {FIELDS(memory_fields),
					  .size = sizeof(struct spec_resources)};

static const struct field cpu_fields[] = {
	OPTIONAL("shares", cpu_shares, 0, UINT64_MAX),
	OPTIONAL("quota", cpu_quota_us, -1, INT64_MAX),
	OPTIONAL("burst", cpu_burst_us, 0, UINT64_MAX),
	OPTIONAL("period", cpu_period_us, 0, UINT64_MAX),
	OPTIONAL("idle", cpu_idle, 0, 1),
	V1_ONLY("realtimeRuntime", JSON_NUMBER, NOTHING_EMPTY),
	V1_ONLY("realtimePeriod", JSON_NUMBER, NOTHING_EMPTY),
	{.name = "cpus", .kind = FIELD_STRING, AT(struct spec_resources, cpu_cpus)},
	{.name = "mems", .kind = FIELD_STRING, AT(struct spec_resources, cpu_mems)},
};

static const struct table cpu_table = {FIELDS(cpu_fields), .size = sizeof(struct spec_resources)};

static const struct field pids_fields[] = {
	OPTIONAL("limit", pids_limit, -1, INT64_MAX),
};

static const struct table pids_table = {FIELDS(pids_fields), .size = sizeof(struct spec_resources)};

static int decode_rule_type(const struct decoder *d, const struct field *field,
			    const struct node *node, void *base, struct error *err)
{
	static const char *const names[] = {"a", "b", "c", NULL};
	struct spec_device_rule *rule = base;
	const char *text;
	int r = decode_string(node, &text, err);

	(void)d;
	(void)field;
	if (r < 0 || text[0] == '\0')
		return r;
	if (choice_index(names, text) < 0)
		return refuse_choice(node, text, names, err);
	rule->type = text[0];
	return 0;
}

static int decode_rule_access(const struct decoder *d, const struct field *field,
			      const struct node *node, void *base, struct error *err)
{
	struct spec_device_rule *rule = base;
	const char *text;
	uint32_t access = 0;
	int r = decode_string(node, &text, err);

	(void)d;
	(void)field;
	if (r < 0 || text[0] == '\0')
		return r;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == 'm')
			access |= DEVICE_ACCESS_MKNOD;
		else if (*c == 'r')
			access |= DEVICE_ACCESS_READ;
		else if (*c == 'w')
			access |= DEVICE_ACCESS_WRITE;
		else
			return refuse_at(node, err, "\"%.100s\" has other letters than r, w and m",
					 text);
	}
	rule->access = access;
	return 0;
}

static const struct field rule_fields[] = {
	{.name = "allow", .kind = FIELD_BOOL, .required = true, AT(struct spec_device_rule, allow)},
	{.name = "type", .kind = FIELD_CUSTOM, .custom = decode_rule_type},
	{.name = "major",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device_rule, major),
	 RANGE(-1, UINT32_MAX)},
	{.name = "minor",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device_rule, minor),
	 RANGE(-1, UINT32_MAX)},
	{.name = "access", .kind = FIELD_CUSTOM, .custom = decode_rule_access},
};

static const struct spec_device_rule rule_defaults = {
	.type = 'a',
	.major = -1,
	.minor = -1,
	.access = DEVICE_ACCESS_MKNOD | DEVICE_ACCESS_READ | DEVICE_ACCESS_WRITE,
};

static const struct table rule_table = {
	FIELDS(rule_fields), .size = sizeof(struct spec_device_rule), .defaults = &rule_defaults};

static int decode_unified(const struct decoder *d, const struct field *field,
			  const struct node *node, void *base, struct error *err)
{
	struct spec_resources *resources = base;
	struct spec_unified *unified;
	struct spec_strings map;
	int r = decode_map(d, node, &map, err);

	(void)field;
	if (r < 0)
		return r;
	unified = arena_alloc(d->arena, map.count, sizeof(*unified));
	for (size_t i = 0; i < map.count; i++) {
		const struct node at = {.up = node, .key = map.items[i].key};

		if (strchr(at.key, '/') != NULL || at.key[0] == '.')
			return refuse_at(&at, err, "is not the name of a file of a cgroup");
		unified[i] = (struct spec_unified){.file = at.key, .value = map.items[i].value};
	}
	resources->unified = unified;
	resources->unified_count = map.count;
	return 0;
}

/* "64KB", "2MB", "1GB": as the kernel names the files of the hugetlb controller. */
static int check_page_size(const struct decoder *d, const struct node *node, void *base,
			   struct error *err)
{
	const struct spec_hugepage_limit *limit = base;
	const struct node at = node_member(node, "pageSize");
	size_t digits = strspn(limit->page_size, "0123456789");
	const char *unit = limit->page_size + digits;

	(void)d;
	if (digits == 0 || limit->page_size[0] == '0' || strchr("KMG", unit[0]) == NULL ||
	    !str_equal(unit[0] ? unit + 1 : unit, "B"))
		return refuse_at(&at, err, "\"%.100s\" is not a size such as 64KB, 2MB or 1GB",
				 limit->page_size);
	return 0;
}

static const struct field hugepage_fields[] = {
	{.name = "pageSize",
	 .kind = FIELD_STRING,
	 .required = true,
	 .empty = EMPTY_REFUSED,
	 AT(struct spec_hugepage_limit, page_size)},
	{.name = "limit",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_hugepage_limit, limit),
	 RANGE(0, UINT64_MAX)},
};

static const struct table hugepage_table = {FIELDS(hugepage_fields),
					    .size = sizeof(struct spec_hugepage_limit),
					    .check = check_page_size};

static int check_rdma(const struct decoder *d, const struct node *node, void *base,
		      struct error *err)
{
	const struct spec_rdma *rdma = base;

	(void)d;
	if (!rdma->hca_handles.set && !rdma->hca_objects.set)
		return refuse_at(node, err, "needs at least one of hcaHandles and hcaObjects");
	return 0;
}

static const struct field rdma_fields[] = {
	{.name = "hcaHandles",
	 .kind = FIELD_NUMBER,
	 AT_OPTIONAL(struct spec_rdma, hca_handles),
	 RANGE(0, UINT32_MAX)},
	{.name = "hcaObjects",
	 .kind = FIELD_NUMBER,
	 AT_OPTIONAL(struct spec_rdma, hca_objects),
	 RANGE(0, UINT32_MAX)},
};

static const struct table rdma_table = {FIELDS(rdma_fields), .size = sizeof(struct spec_rdma),
					.check = check_rdma};

static int decode_rdma(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err)
{
	struct spec_resources *resources = base;
	struct spec_rdma *rdma;
	size_t count = 0;
	int r = node_expect(node, JSON_OBJECT, err);

	(void)field;
	if (r < 0)
		return r;
	rdma = arena_alloc(d->arena, node->value->count, sizeof(*rdma));
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		const struct node at = {.up = node, .key = item->key, .value = item};

		if (item->key[0] == '\0' || item->key[strcspn(item->key, " \t\n=")] != '\0')
			return refuse_at(&at, err, "is not the name of a device");
		r = decode_object(d, &rdma_table, &at, &rdma[count], err);
		if (r < 0)
			return r;
		rdma[count++].device = item->key;
	}
	resources->rdma = rdma;
	resources->rdma_count = count;
	return 0;
}

static const struct field resources_fields[] = {
	{.name = "memory", .kind = FIELD_OBJECT, .table = &memory_table},
	{.name = "cpu", .kind = FIELD_OBJECT, .table = &cpu_table},
	{.name = "pids", .kind = FIELD_OBJECT, .table = &pids_table},
	{.name = "devices",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_resources, device_rules),
	 .count = offsetof(struct spec_resources, device_rule_count),
	 .table = &rule_table},
	{.name = "unified", .kind = FIELD_CUSTOM, .custom = decode_unified},
	{.name = "blockIO", .kind = FIELD_OBJECT, .table = &block_io_table},
	{.name = "hugepageLimits",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_resources, hugepage_limits),
	 .count = offsetof(struct spec_resources, hugepage_limit_count),
	 .table = &hugepage_table},
	V1_ONLY("network", JSON_OBJECT, NOTHING_EMPTY),
	{.name = "rdma", .kind = FIELD_CUSTOM, .custom = decode_rdma},
};

const struct table resources_table = {FIELDS(resources_fields),
				      .size = sizeof(struct spec_resources)};
