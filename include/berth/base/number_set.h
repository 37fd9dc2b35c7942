/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of processors or of NUMA nodes: the kernel's lists, and its masks of bits. */
#ifndef BERTH_BASE_NUMBER_SET_H
#define BERTH_BASE_NUMBER_SET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* No Linux has more processors, nor as many nodes. */
#define NUMBER_SET_MAX 8192

#define NUMBER_SET_WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

struct number_set {
	size_t end; /* one more than the highest number in it */
	/* A bit for each number, as system calls take them. */
	unsigned long words[NUMBER_SET_MAX / NUMBER_SET_WORD_BITS];
};

/*
 * Reads a list such as "0-3,7". As the kernel does, lets blanks stand around an item, and items be
 * empty, but not all of them. Returns 0, -EINVAL (no such list) or -ERANGE (a number is
 * NUMBER_SET_MAX or more); *ret is written in any case.
 */
int number_set_parse(const char *text, struct number_set *ret);
bool number_set_has(const struct number_set *set, size_t number);

#endif
