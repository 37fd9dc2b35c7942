/* SPDX-License-Identifier: Apache-2.0 */
/* Time: deadlines and the stamps that are written down. */
#ifndef BERTH_BASE_CLOCK_H
#define BERTH_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ms(void);

/* Now in UTC as RFC 3339 with nanoseconds: "2026-01-02T03:04:05.123456789Z". */
#define CLOCK_STAMP_MAX 96
void clock_stamp(char stamp[static CLOCK_STAMP_MAX]);

#endif
