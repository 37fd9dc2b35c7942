/* SPDX-License-Identifier: Apache-2.0 */
/* What a container may use: --memory, --cpus, --pids. */
#include <errno.h>

#include "common/size.h"

#include "bundle-internal.h"

/* Decimals of --cpus: microseconds of a period. */
#define CPU_DECIMALS 5

/* Below that the kernel takes no quota. */
#define CPU_QUOTA_MIN_US 1000
#define CPU_MAX		 100000

/* More the kernel has not. */
#define PIDS_MAX 4194304

static int read_memory(const char *text, struct bundle_plan *ret, struct error *err)
{
	int r;

	if (!text)
		return 0;
	r = size_parse(text, "--memory", &ret->memory_bytes, err);
	if (r < 0)
		return r;
	if (ret->memory_bytes == 0 || ret->memory_bytes > INT64_MAX / 2)
		return refuse(err, "--memory: \"%s\" is too %s", text,
			      ret->memory_bytes ? "large" : "small");
	ret->has_memory = true;
	return 0;
}

/* "1", "0.5", ".25": in hundred-thousandths. */
static int read_decimal(const char *text, uint64_t *ret)
{
	const char *point = strchr(text, '.');
	size_t length = point ? (size_t)(point - text) : strlen(text);
	_cleanup_free_ char *whole = length > 0 ? xstrndup(text, length) : xstrdup("0");
	uint64_t scale = CPU_PERIOD_US;
	int r = str_to_u64(whole, ret);

	if (r < 0 || *ret > CPU_MAX)
		return r < 0 ? r : -ERANGE;
	*ret *= scale;
	if (!point)
		return 0;
	if (point[1] == '\0' || strlen(point + 1) > CPU_DECIMALS)
		return -EINVAL;
	for (const char *c = point + 1; *c; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		scale /= 10;
		*ret += scale * (uint64_t)(*c - '0');
	}
	return 0;
}

static int read_cpus(const char *text, struct bundle_plan *ret, struct error *err)
{
	if (!text)
		return 0;
	if (read_decimal(text, &ret->cpu_quota_us) < 0 || ret->cpu_quota_us < CPU_QUOTA_MIN_US)
		return refuse(err,
			      "--cpus: \"%s\" is no number of processors: 0.01 or more, as in 1.5",
			      text);
	ret->has_cpus = true;
	return 0;
}

static int read_pids(const char *text, struct bundle_plan *ret, struct error *err)
{
	if (!text)
		return 0;
	if (str_to_i64(text, &ret->pids) < 0 || ret->pids == 0 || ret->pids < -1 ||
	    ret->pids > PIDS_MAX)
		return refuse(err,
			      "--pids: \"%s\" is no number of processes: 1 to %d, or -1 for any "
			      "number",
			      text, PIDS_MAX);
	ret->has_pids = true;
	return 0;
}

int bundle_limits_read(const struct bundle_options *options, struct bundle_plan *ret,
		       struct error *err)
{
	int r = read_memory(options->memory, ret, err);

	if (r >= 0)
		r = read_cpus(options->cpus, ret, err);
	return r < 0 ? r : read_pids(options->pids, ret, err);
}

/* Members of linux.resources. With memory comes as much swap again, as Docker does: a limit that
 * swapping gets round would be none. */
void bundle_limits_write(struct json_writer *w, const struct bundle_plan *plan)
{
	if (plan->has_memory) {
		json_key(w, "memory");
		json_begin_object(w);
		json_member_u64(w, "limit", plan->memory_bytes);
		json_member_u64(w, "swap", 2 * plan->memory_bytes);
		json_end_object(w);
	}
	if (plan->has_cpus) {
		json_key(w, "cpu");
		json_begin_object(w);
		json_member_u64(w, "quota", plan->cpu_quota_us);
		json_member_u64(w, "period", CPU_PERIOD_US);
		json_end_object(w);
	}
	if (plan->has_pids) {
		json_key(w, "pids");
		json_begin_object(w);
		json_member_i64(w, "limit", plan->pids);
		json_end_object(w);
	}
}
