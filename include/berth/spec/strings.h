/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object whose members are all strings: annotations, sysctl. */
#ifndef BERTH_SPEC_STRINGS_H
#define BERTH_SPEC_STRINGS_H

#include <stddef.h>

struct spec_string_pair {
	const char *key, *value;
};

struct spec_strings {
	struct spec_string_pair *items; /* in the document's order */
	size_t count;
};

#endif
