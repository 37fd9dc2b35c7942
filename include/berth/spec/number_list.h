/* SPDX-License-Identifier: Apache-2.0 */
/* Processors or NUMA nodes that config.json lists. */
#ifndef BERTH_SPEC_NUMBER_LIST_H
#define BERTH_SPEC_NUMBER_LIST_H

#include "berth/base/number_set.h"

/* Both NULL where not given. */
struct spec_number_list {
	const char *text; /* "0-3,7" */
	const struct number_set *set;
};

#endif
