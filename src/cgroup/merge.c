/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's limits are after an update: those that it has, and what was asked for. */
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

/* Numbers of which 0 says nothing: engines write it for "not given". */
static void merge_i64(struct spec_i64 *to, const struct spec_i64 *from)
{
	if (from->set && from->value != 0)
		*to = *from;
}

static void merge_u64(struct spec_u64 *to, const struct spec_u64 *from)
{
	if (from->set && from->value != 0)
		*to = *from;
}

static void merge_text(const char **to, const char *from)
{
	if (from && *from)
		*to = from;
}

static void merge_memory(struct spec_resources *to, const struct spec_resources *from)
{
	merge_i64(&to->memory_limit, &from->memory_limit);
	merge_i64(&to->memory_reservation, &from->memory_reservation);
	merge_i64(&to->memory_swap, &from->memory_swap);
	/* As with cgroup v1: there is no limit of both together without one of memory. */
	if (from->memory_limit.set && from->memory_limit.value < 0 &&
	    (!from->memory_swap.set || from->memory_swap.value == 0))
		to->memory_swap = (struct spec_i64){.set = true, .value = -1};
	to->memory_check_before_update |= from->memory_check_before_update;
}

static void merge_cpu(struct spec_resources *to, const struct spec_resources *from)
{
	merge_u64(&to->cpu_shares, &from->cpu_shares);
	merge_i64(&to->cpu_quota_us, &from->cpu_quota_us);
	merge_u64(&to->cpu_period_us, &from->cpu_period_us);
	if (from->cpu_burst_us.set)
		to->cpu_burst_us = from->cpu_burst_us;
	if (from->cpu_idle.set)
		to->cpu_idle = from->cpu_idle;
	merge_text(&to->cpu_cpus, from->cpu_cpus);
	merge_text(&to->cpu_mems, from->cpu_mems);
}

struct list {
	const void *items;
	size_t count;
};

/* Two lists as one: items of @second take the place of those of @first that are the @same. */
static void *merge_lists(struct arena *arena, size_t size, struct list first, struct list second,
			 size_t *ret_count, bool (*same)(const void *a, const void *b))
{
	char *merged = arena_alloc(arena, first.count + second.count, size);
	size_t count = 0;

	for (size_t i = 0; i < first.count; i++) {
		const char *item = (const char *)first.items + i * size;
		bool replaced = false;

		for (size_t k = 0; k < second.count; k++)
			replaced |= same(item, (const char *)second.items + k * size);
		if (!replaced)
			memcpy(merged + count++ * size, item, size);
	}
	if (second.count)
		memcpy(merged + count * size, second.items, second.count * size);
	*ret_count = count + second.count;
	return merged;
}

static bool same_device(const void *a, const void *b)
{
	const struct spec_io_device *x = a, *y = b;

	return x->major == y->major && x->minor == y->minor;
}

static bool same_page_size(const void *a, const void *b)
{
	const struct spec_hugepage_limit *x = a, *y = b;

	return str_equal(x->page_size, y->page_size);
}

static bool same_rdma(const void *a, const void *b)
{
	const struct spec_rdma *x = a, *y = b;

	return str_equal(x->device, y->device);
}

static bool same_file(const void *a, const void *b)
{
	const struct spec_unified *x = a, *y = b;

	return str_equal(x->file, y->file);
}

static void merge_io_devices(struct arena *arena, struct spec_io_devices *to,
			     const struct spec_io_devices *from)
{
	to->items = merge_lists(arena, sizeof(*to->items), (struct list){to->items, to->count},
				(struct list){from->items, from->count}, &to->count, same_device);
}

static void merge_block_io(struct arena *arena, struct spec_resources *to,
			   const struct spec_resources *from)
{
	merge_u64(&to->io_weight, &from->io_weight);
	merge_io_devices(arena, &to->io_weights, &from->io_weights);
	for (int i = 0; i < IO_LIMIT_MAX; i++)
		merge_io_devices(arena, &to->io_max[i], &from->io_max[i]);
}

/* An entry may have one number new, and keeps the other. */
static void merge_rdma(struct arena *arena, struct spec_resources *to,
		       const struct spec_resources *from)
{
	struct spec_rdma *asked = arena_alloc(arena, from->rdma_count, sizeof(*asked));

	for (size_t i = 0; i < from->rdma_count; i++) {
		asked[i] = from->rdma[i];
		for (size_t k = 0; k < to->rdma_count; k++) {
			const struct spec_rdma *had = &to->rdma[k];

			if (!same_rdma(had, &asked[i]))
				continue;
			if (!asked[i].hca_handles.set)
				asked[i].hca_handles = had->hca_handles;
			if (!asked[i].hca_objects.set)
				asked[i].hca_objects = had->hca_objects;
		}
	}
	to->rdma = merge_lists(arena, sizeof(*asked), (struct list){to->rdma, to->rdma_count},
			       (struct list){asked, from->rdma_count}, &to->rdma_count, same_rdma);
}

/* An older text for a file is no match for a field that is asked for now. */
static void drop_overruled(struct arena *arena, struct spec_resources *to,
			   const struct settings *asked)
{
	struct spec_unified *left = arena_alloc(arena, to->unified_count, sizeof(*left));
	size_t count = 0;

	for (size_t i = 0; i < to->unified_count; i++) {
		bool overruled = false;

		for (size_t k = 0; k < asked->count; k++)
			overruled |= str_equal(asked->items[k].file, to->unified[i].file);
		if (!overruled || limit_file_is_keyed(to->unified[i].file))
			left[count++] = to->unified[i];
	}
	to->unified = left;
	to->unified_count = count;
}

void cgroup_resources_merge(struct arena *arena, const struct spec_resources *saved,
			    const struct spec_resources *asked, struct spec_resources *ret)
{
	_cleanup_settings_ struct settings settings = settings_of(asked);
	struct spec_resources to = *saved;

	merge_memory(&to, asked);
	merge_cpu(&to, asked);
	if (asked->pids_limit.set)
		to.pids_limit = asked->pids_limit;
	merge_block_io(arena, &to, asked);
	to.hugepage_limits =
		merge_lists(arena, sizeof(*to.hugepage_limits),
			    (struct list){to.hugepage_limits, to.hugepage_limit_count},
			    (struct list){asked->hugepage_limits, asked->hugepage_limit_count},
			    &to.hugepage_limit_count, same_page_size);
	merge_rdma(arena, &to, asked);
	if (asked->device_rule_count) {
		to.device_rules = asked->device_rules;
		to.device_rule_count = asked->device_rule_count;
	}
	drop_overruled(arena, &to, &settings);
	to.unified = merge_lists(
		arena, sizeof(*to.unified), (struct list){to.unified, to.unified_count},
		(struct list){asked->unified, asked->unified_count}, &to.unified_count, same_file);
	*ret = to;
}
