/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as a document of its own: what `update` takes, and what berth keeps after it. */
#include "berth/base/json_write.h"

#include "tables-internal.h"

int spec_decode_resources(struct arena *arena, const char *text, size_t size, const char *what,
			  const struct spec_resources **ret, struct error *err)
{
	const struct decoder d = {.arena = arena, .bundle = NULL};
	/* So that errors name a field as they do for config.json. */
	const struct node config = {.up = NULL}, linux_ = {.up = &config, .member = "linux"};
	struct node document = {.up = &linux_, .member = "resources"};
	struct spec_resources *resources = arena_alloc(arena, 1, sizeof(*resources));
	int r = json_read(arena, text, size, what, &document.value, err);

	if (r < 0)
		return r;
	r = decode_object(&d, &resources_table, &document, resources, err);
	if (r < 0)
		return within(err, r, "%s", what);
	*ret = resources;
	return 0;
}

static void write_i64(struct json_writer *w, const char *key, const struct spec_i64 *number)
{
	if (number->set)
		json_member_i64(w, key, number->value);
}

static void write_u64(struct json_writer *w, const char *key, const struct spec_u64 *number)
{
	if (number->set)
		json_member_u64(w, key, number->value);
}

static void write_text(struct json_writer *w, const char *key, const char *text)
{
	if (text && *text)
		json_member_string(w, key, text);
}

static void begin(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_object(w);
}

static void write_memory(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "memory");
	write_i64(w, "limit", &resources->memory_limit);
	write_i64(w, "reservation", &resources->memory_reservation);
	write_i64(w, "swap", &resources->memory_swap);
	if (resources->memory_check_before_update)
		json_member_bool(w, "checkBeforeUpdate", true);
	json_end_object(w);
}

static void write_cpu(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "cpu");
	write_u64(w, "shares", &resources->cpu_shares);
	write_i64(w, "quota", &resources->cpu_quota_us);
	write_u64(w, "burst", &resources->cpu_burst_us);
	write_u64(w, "period", &resources->cpu_period_us);
	write_i64(w, "idle", &resources->cpu_idle);
	write_text(w, "cpus", resources->cpu_cpus);
	write_text(w, "mems", resources->cpu_mems);
	json_end_object(w);
}

static void write_pids(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "pids");
	write_i64(w, "limit", &resources->pids_limit);
	json_end_object(w);
}

static void write_io_devices(struct json_writer *w, const char *key, const char *value_key,
			     const struct spec_io_devices *devices)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < devices->count; i++) {
		json_begin_object(w);
		json_member_i64(w, "major", devices->items[i].major);
		json_member_i64(w, "minor", devices->items[i].minor);
		json_member_u64(w, value_key, devices->items[i].value);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_block_io(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "blockIO");
	write_u64(w, "weight", &resources->io_weight);
	write_io_devices(w, "weightDevice", "weight", &resources->io_weights);
	for (int i = 0; i < IO_LIMIT_MAX; i++)
		write_io_devices(w, io_limit_names[i], "rate", &resources->io_max[i]);
	json_end_object(w);
}

static void write_hugepages(struct json_writer *w, const struct spec_resources *resources)
{
	json_key(w, "hugepageLimits");
	json_begin_array(w);
	for (size_t i = 0; i < resources->hugepage_limit_count; i++) {
		json_begin_object(w);
		json_member_string(w, "pageSize", resources->hugepage_limits[i].page_size);
		json_member_u64(w, "limit", resources->hugepage_limits[i].limit);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_rdma(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "rdma");
	for (size_t i = 0; i < resources->rdma_count; i++) {
		begin(w, resources->rdma[i].device);
		write_u64(w, "hcaHandles", &resources->rdma[i].hca_handles);
		write_u64(w, "hcaObjects", &resources->rdma[i].hca_objects);
		json_end_object(w);
	}
	json_end_object(w);
}

static void write_rule(struct json_writer *w, const struct spec_device_rule *rule)
{
	const char type[] = {rule->type, '\0'};
	char access[4];
	size_t length = 0;

	if (rule->access & DEVICE_ACCESS_READ)
		access[length++] = 'r';
	if (rule->access & DEVICE_ACCESS_WRITE)
		access[length++] = 'w';
	if (rule->access & DEVICE_ACCESS_MKNOD)
		access[length++] = 'm';
	access[length] = '\0';
	json_begin_object(w);
	json_member_bool(w, "allow", rule->allow);
	json_member_string(w, "type", type);
	json_member_i64(w, "major", rule->major);
	json_member_i64(w, "minor", rule->minor);
	json_member_string(w, "access", access);
	json_end_object(w);
}

static void write_devices(struct json_writer *w, const struct spec_resources *resources)
{
	json_key(w, "devices");
	json_begin_array(w);
	for (size_t i = 0; i < resources->device_rule_count; i++)
		write_rule(w, &resources->device_rules[i]);
	json_end_array(w);
}

static void write_unified(struct json_writer *w, const struct spec_resources *resources)
{
	begin(w, "unified");
	for (size_t i = 0; i < resources->unified_count; i++)
		json_member_string(w, resources->unified[i].file, resources->unified[i].value);
	json_end_object(w);
}

char *spec_resources_document(const struct spec_resources *resources)
{
	static void (*const parts[])(struct json_writer *, const struct spec_resources *) = {
		write_memory,	 write_cpu,  write_pids,    write_block_io,
		write_hugepages, write_rdma, write_devices, write_unified,
	};
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	json_begin_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i](&w, resources);
	json_end_object(&w);
	return buf_take(&text);
}
