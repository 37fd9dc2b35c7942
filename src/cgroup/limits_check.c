/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the limits of linux.resources can be meant: ranges, and clashes between fields. */
#include <inttypes.h>
#include <string.h>

#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

/* The kernel's bounds, in microseconds. */
#define CPU_PERIOD_MIN_US 1000
#define CPU_PERIOD_MAX_US 1000000
#define CPU_QUOTA_MIN_US  1000

/* The kernel's PID_MAX_LIMIT. */
#define PIDS_LIMIT_MAX 4194304

static int check_memory(const struct spec_resources *r, struct error *err)
{
	const struct {
		const char *name;
		const struct spec_i64 *bytes;
	} fields[] = {
		{"limit", &r->memory_limit},
		{"reservation", &r->memory_reservation},
		{"swap", &r->memory_swap},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].bytes->set && fields[i].bytes->value < -1)
			return refuse(err,
				      "linux.resources.memory.%s: %" PRId64
				      " is neither a number of bytes nor -1 (unlimited)",
				      fields[i].name, fields[i].bytes->value);
	}
	if (!r->memory_swap.set || r->memory_swap.value <= 0)
		return 0;
	if (!r->memory_limit.set || r->memory_limit.value <= 0)
		return refuse(err, "linux.resources.memory.swap: needs memory.limit, since it "
				   "counts memory and swap together");
	if (r->memory_swap.value < r->memory_limit.value)
		return refuse(err,
			      "linux.resources.memory.swap: %" PRId64 " is below memory.limit, "
			      "%" PRId64 ", although it counts memory and swap together",
			      r->memory_swap.value, r->memory_limit.value);
	return 0;
}

static int check_cpu(const struct spec_resources *r, struct error *err)
{
	bool quota = r->cpu_quota_us.set && r->cpu_quota_us.value > 0;

	if (r->cpu_period_us.set && r->cpu_period_us.value &&
	    (r->cpu_period_us.value < CPU_PERIOD_MIN_US ||
	     r->cpu_period_us.value > CPU_PERIOD_MAX_US))
		return refuse(err,
			      "linux.resources.cpu.period: %" PRIu64 " is not between %d and %d",
			      r->cpu_period_us.value, CPU_PERIOD_MIN_US, CPU_PERIOD_MAX_US);
	if (quota && r->cpu_quota_us.value < CPU_QUOTA_MIN_US)
		return refuse(err, "linux.resources.cpu.quota: %" PRId64 " is below %d",
			      r->cpu_quota_us.value, CPU_QUOTA_MIN_US);
	if (quota && r->cpu_burst_us.set && r->cpu_burst_us.value > (uint64_t)r->cpu_quota_us.value)
		return refuse(err,
			      "linux.resources.cpu.burst: %" PRIu64 " is above cpu.quota, %" PRId64,
			      r->cpu_burst_us.value, r->cpu_quota_us.value);
	if (r->cpu_idle.set && r->cpu_idle.value != 0 && r->cpu_idle.value != 1)
		return refuse(err, "linux.resources.cpu.idle: %" PRId64 " is neither 0 nor 1",
			      r->cpu_idle.value);
	return 0;
}

static int check_pids(const struct spec_resources *r, struct error *err)
{
	if (r->pids_limit.set && (r->pids_limit.value < -1 || r->pids_limit.value > PIDS_LIMIT_MAX))
		return refuse(err,
			      "linux.resources.pids.limit: %" PRId64
			      " is neither -1 (unlimited) nor between 0 and %d",
			      r->pids_limit.value, PIDS_LIMIT_MAX);
	return 0;
}

static int check_devices(const struct spec_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->device_rule_count; i++) {
		const struct spec_device_rule *rule = &r->device_rules[i];

		if (rule->major < -1)
			return refuse(err,
				      "linux.resources.devices[%zu].major: %" PRId64 " is negative",
				      i, rule->major);
		if (rule->minor < -1)
			return refuse(err,
				      "linux.resources.devices[%zu].minor: %" PRId64 " is negative",
				      i, rule->minor);
	}
	return 0;
}

static int check_unified(const struct spec_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->unified_count; i++) {
		const char *file = r->unified[i].file;

		if (file[0] == '.' || !strchr(file, '.') || strchr(file, '/') ||
		    strlen(file) > CGROUP_NAME_LENGTH_MAX)
			return refuse(err,
				      "linux.resources.unified[\"%s\"]: not the name of a cgroup "
				      "v2 file, such as \"memory.high\"",
				      file);
	}
	return 0;
}

int cgroup_check(const struct spec_resources *resources, struct error *err)
{
	static int (*const checks[])(const struct spec_resources *, struct error *) = {
		check_memory, check_cpu, check_pids, io_check, check_devices, check_unified,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](resources, err);

		if (r < 0)
			return r;
	}
	return 0;
}
