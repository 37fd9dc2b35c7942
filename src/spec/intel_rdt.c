/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `linux.intelRdt`: shares of caches and of memory bandwidth. */
#include "tables-internal.h"

static const struct field rdt_fields[] = {
	{.name = "closID", .kind = FIELD_STRING, AT(struct spec_intel_rdt, clos_id)},
	{.name = "l3CacheSchema", .kind = FIELD_STRING, AT(struct spec_intel_rdt, l3_cache)},
	{.name = "memBwSchema", .kind = FIELD_STRING, AT(struct spec_intel_rdt, memory_bandwidth)},
	{.name = "schemata", .kind = FIELD_STRINGS, AT(struct spec_intel_rdt, schemata)},
	{.name = "enableMonitoring", .kind = FIELD_BOOL, AT(struct spec_intel_rdt, monitoring)},
	/* Of versions 1.1 and 1.2 of the specification, which took them back. */
	{.name = "enableCMT",
	 .kind = FIELD_UNSUPPORTED,
	 .type = JSON_BOOL,
	 .reason = "the specification has enableMonitoring in its place"},
	{.name = "enableMBM",
	 .kind = FIELD_UNSUPPORTED,
	 .type = JSON_BOOL,
	 .reason = "the specification has enableMonitoring in its place"},
};

/* A name in one directory; "/" is the default group. No tool makes one that is hidden. */
static bool is_group(const char *name)
{
	return str_equal(name, "/") || (name[0] != '.' && !strpbrk(name, "/\n"));
}

/* One line of a file that has a line for each resource. */
static int check_line(const struct node *node, const char *text, struct error *err)
{
	if (text && strchr(text, '\n'))
		return refuse_at(node, err, "more than one line");
	if (text && !strchr(text, ':'))
		return refuse_at(node, err, "\"%.100s\" is not of the form RESOURCE:ID=VALUE",
				 text);
	return 0;
}

static int check_schemata(const struct node *node, const char *const *lines, struct error *err)
{
	const struct node list = node_member(node, "schemata");
	int r = 0;

	for (size_t i = 0; r >= 0 && lines && lines[i]; i++) {
		const struct node item = node_item(&list, i, NULL);

		r = check_line(&item, lines[i], err);
	}
	return r;
}

static int check_rdt(const struct decoder *d, const struct node *node, void *base,
		     struct error *err)
{
	const struct spec_intel_rdt *rdt = base;
	const struct node group = node_member(node, "closID");
	const struct node l3 = node_member(node, "l3CacheSchema");
	const struct node bandwidth = node_member(node, "memBwSchema");
	int r;

	(void)d;
	if (rdt->clos_id && !is_group(rdt->clos_id))
		return refuse_at(&group, err, "\"%.100s\" is not the name of a group",
				 rdt->clos_id);
	r = check_line(&l3, rdt->l3_cache, err);
	if (r >= 0)
		r = check_line(&bandwidth, rdt->memory_bandwidth, err);
	if (r >= 0 && rdt->memory_bandwidth && !str_starts(rdt->memory_bandwidth, "MB:"))
		return refuse_at(&bandwidth, err, "\"%.100s\" does not begin with \"MB:\"",
				 rdt->memory_bandwidth);
	return r < 0 ? r : check_schemata(node, rdt->schemata, err);
}

const struct table intel_rdt_table = {FIELDS(rdt_fields), .size = sizeof(struct spec_intel_rdt),
				      .check = check_rdt};
