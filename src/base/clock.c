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

#define SECONDS_PER_DAY	   86400
#define DAYS_PER_400_YEARS 146097
/* Days from 0000-03-01 to 1970-01-01 in the Gregorian calendar counted backwards. */
#define EPOCH_DAY 719468

struct date {
	int64_t year;
	int64_t month, day; /* from 1 */
};

/*
 * The date of a day since 1970. Years are counted from March, so that the leap day is the last day
 * of its year; then months have lengths that a line of slope 153/5 hits. gmtime_r(3) would do, but
 * it reads the host's time zone first, and that on the start path.
 */
static struct date date_of(int64_t day)
{
	int64_t shifted = day + EPOCH_DAY;
	int64_t era = shifted / DAYS_PER_400_YEARS, in_era = shifted % DAYS_PER_400_YEARS;
	int64_t year_of_era =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / (DAYS_PER_400_YEARS - 1)) / 365;
	int64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * in_year + 2) / 153; /* 0: March */

	return (struct date){
		.year = era * 400 + year_of_era + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = in_year - (153 * month + 2) / 5 + 1,
	};
}

void clock_stamp(char stamp[static CLOCK_STAMP_MAX])
{
	struct timespec now;
	struct date date;
	int second;

	clock_gettime(CLOCK_REALTIME, &now);
	date = date_of(now.tv_sec / SECONDS_PER_DAY);
	second = (int)(now.tv_sec % SECONDS_PER_DAY);
	snprintf(stamp, CLOCK_STAMP_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", (int)date.year,
		 (int)date.month, (int)date.day, second / 3600, second / 60 % 60, second % 60,
		 now.tv_nsec);
}
