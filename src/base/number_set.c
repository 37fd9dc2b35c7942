/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of processors or NUMA nodes. */
#include "berth/base/number_set.h"

#include <errno.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#define BLANKS " \t\n"

static void add(struct number_set *set, size_t number)
{
	set->words[number / NUMBER_SET_WORD_BITS] |= 1ul << number % NUMBER_SET_WORD_BITS;
	if (number >= set->end)
		set->end = number + 1;
}

/* One item, "3" or "0-2", without blanks around it; @item is changed. */
static int add_item(struct number_set *set, char *item)
{
	char *dash = strchr(item, '-');
	uint64_t first, last;
	int r;

	if (dash)
		*dash = '\0';
	r = str_to_u64(item, &first);
	if (r >= 0)
		r = str_to_u64(dash ? dash + 1 : item, &last);
	if (r < 0)
		return r;
	if (first > last)
		return -EINVAL;
	if (last >= NUMBER_SET_MAX)
		return -ERANGE;
	for (uint64_t number = first; number <= last; number++)
		add(set, (size_t)number);
	return 0;
}

int number_set_parse(const char *text, struct number_set *ret)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *item;

	*ret = (struct number_set){.end = 0};
	while ((item = strsep(&rest, ",")) != NULL) {
		size_t length;
		int r;

		item += strspn(item, BLANKS);
		length = strlen(item);
		while (length && strchr(BLANKS, item[length - 1]))
			item[--length] = '\0';
		r = length ? add_item(ret, item) : 0;
		if (r < 0)
			return r;
	}
	return ret->end ? 0 : -EINVAL;
}

bool number_set_has(const struct number_set *set, size_t number)
{
	return number < set->end &&
	       set->words[number / NUMBER_SET_WORD_BITS] >> number % NUMBER_SET_WORD_BITS & 1;
}
