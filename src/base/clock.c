/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks. */
#include "berth/base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_stamp(char stamp[static CLOCK_STAMP_MAX])
{
	struct timespec now;
	struct tm utc;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	used = strftime(stamp, CLOCK_STAMP_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp + used, CLOCK_STAMP_MAX - used, ".%09ldZ", now.tv_nsec);
}
