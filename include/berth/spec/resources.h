/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.resources: the limits, as written; cgroup/ converts them. */
#ifndef BERTH_SPEC_RESOURCES_H
#define BERTH_SPEC_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

/* A number that may not be there. */
struct spec_u64 {
	bool set;
	uint64_t value;
};

struct spec_i64 {
	bool set;
	int64_t value;
};

/* Which accesses a device rule is about, as bits of linux/bpf.h's BPF_DEVCG_ACC_*. */
#define DEVICE_ACCESS_MKNOD 1u
#define DEVICE_ACCESS_READ  2u
#define DEVICE_ACCESS_WRITE 4u

/* linux.resources.devices[] */
struct spec_device_rule {
	bool allow;
	char type;	 /* 'a', 'b' or 'c' */
	int64_t major;	 /* -1: any */
	int64_t minor;	 /* -1: any */
	uint32_t access; /* DEVICE_ACCESS_*; all where not given */
};

struct spec_unified {
	const char *file; /* "memory.high": no '/', does not begin with '.' */
	const char *value;
};

/* A number for one block device. */
struct spec_io_device {
	int64_t major, minor;
	uint64_t value;
};

struct spec_io_devices {
	const struct spec_io_device *items;
	size_t count;
};

/* The four kinds of linux.resources.blockIO.throttle*Device. */
enum io_limit {
	IO_READ_BPS,
	IO_WRITE_BPS,
	IO_READ_IOPS,
	IO_WRITE_IOPS,
	IO_LIMIT_MAX
};

extern const char *const io_limit_names[IO_LIMIT_MAX]; /* "throttleReadBpsDevice", … */

/* linux.resources.hugepageLimits[] */
struct spec_hugepage_limit {
	const char *page_size; /* "2MB", as in the name of the cgroup's file */
	uint64_t limit;	       /* bytes */
};

/* An entry of linux.resources.rdma: at least one of the two numbers is set. */
struct spec_rdma {
	const char *device; /* "mlx5_1": neither empty nor with blanks */
	struct spec_u64 hca_handles, hca_objects;
};

/* Only what berth honours; everything else was refused, or asked for nothing. */
struct spec_resources {
	struct spec_i64 memory_limit; /* bytes; -1: unlimited */
	struct spec_i64 memory_reservation;
	struct spec_i64 memory_swap; /* memory and swap together */
	bool memory_check_before_update;

	struct spec_u64 cpu_shares;
	struct spec_i64 cpu_quota_us;
	struct spec_u64 cpu_burst_us;
	struct spec_u64 cpu_period_us;
	struct spec_i64 cpu_idle;
	const char *cpu_cpus; /* lists, "0-3,7"; NULL or empty: all */
	const char *cpu_mems;

	struct spec_i64 pids_limit; /* -1: unlimited */

	struct spec_u64 io_weight;	   /* 10 to 1000; 0: not given */
	struct spec_io_devices io_weights; /* the same for single devices */
	struct spec_io_devices io_max[IO_LIMIT_MAX];

	const struct spec_hugepage_limit *hugepage_limits;
	size_t hugepage_limit_count;

	const struct spec_rdma *rdma;
	size_t rdma_count;

	const struct spec_device_rule *device_rules;
	size_t device_rule_count;

	const struct spec_unified *unified;
	size_t unified_count;
};

/*
 * Decodes a document that is a linux.resources object alone; its errors name fields as those of
 * config.json, after @what, which names the document. *ret lives in @arena.
 */
int spec_decode_resources(struct arena *arena, const char *text, size_t size, const char *what,
			  const struct spec_resources **ret, struct error *err) must_check;

/* Such a document, from which spec_decode_resources() makes the same again. The caller's. */
char *spec_resources_document(const struct spec_resources *resources)
	__attribute__((returns_nonnull));

#endif
