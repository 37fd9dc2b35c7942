/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits of a process; see prlimit(2). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "berth/linux/process.h"

/* "unlimited" or the number. */
static const char *limit_text(rlim_t value, char text[static 24])
{
	if (value == RLIM_INFINITY)
		return "unlimited";
	snprintf(text, 24, "%" PRIu64, (uint64_t)value);
	return text;
}

/* Says why prlimit(2) refused @limit with @code. */
static int explain(pid_t pid, const struct spec_rlimit *limit, int code, struct error *err)
{
	char hard[24], now[24];
	struct rlimit old;

	if (code == -EPERM && prlimit(pid, (__rlimit_resource_t)limit->resource, NULL, &old) == 0 &&
	    limit->hard > old.rlim_max)
		return fail(err, code,
			    "set %s to hard limit %s: raising it above %s needs CAP_SYS_RESOURCE%s",
			    limit->name, limit_text(limit->hard, hard),
			    limit_text(old.rlim_max, now),
			    limit->resource == RLIMIT_NOFILE
				    ? ", and no more than /proc/sys/fs/nr_open is allowed"
				    : "");
	if (code == -EINVAL && limit->soft > limit->hard)
		return fail(err, code, "set %s: the soft limit is above the hard one", limit->name);
	return fail(err, code, "set %s to hard limit %s", limit->name,
		    limit_text(limit->hard, hard));
}

static int raise(pid_t pid, const struct spec_rlimit *limit, struct error *err)
{
	const __rlimit_resource_t resource = (__rlimit_resource_t)limit->resource;
	struct rlimit value;

	if (prlimit(pid, resource, NULL, &value) < 0)
		return explain(pid, limit, -errno, err);
	if (limit->hard <= value.rlim_max)
		return 0;
	value.rlim_max = limit->hard;
	if (prlimit(pid, resource, &value, NULL) < 0)
		return explain(pid, limit, -errno, err);
	return 0;
}

int rlimits_raise(pid_t pid, const struct spec_rlimit *limits, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		int r = raise(pid, &limits[i], err);

		if (r < 0)
			return within(err, r, "process.rlimits[%zu]", i);
	}
	return 0;
}

int rlimits_apply(pid_t pid, const struct spec_rlimit *limits, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct rlimit value = {.rlim_cur = limits[i].soft,
					     .rlim_max = limits[i].hard};
		int r;

		if (prlimit(pid, (__rlimit_resource_t)limits[i].resource, &value, NULL) == 0)
			continue;
		r = explain(pid, &limits[i], -errno, err);
		return within(err, r, "process.rlimits[%zu]", i);
	}
	return 0;
}
