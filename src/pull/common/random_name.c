/* SPDX-License-Identifier: Apache-2.0 */
#include "random_name.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

int random_name(char ret[static RANDOM_NAME_MAX])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	snprintf(ret, RANDOM_NAME_MAX, "%016llx", (unsigned long long)number);
	return 0;
}
