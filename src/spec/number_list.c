/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that list processors or NUMA nodes, as "0-3,7". */
#include <errno.h>

#include "tables-internal.h"

int number_list_decode(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err)
{
	struct spec_number_list *list = base;
	struct number_set *set;
	const char *text;
	int r = decode_string(node, &text, err);

	(void)field;
	if (r < 0 || text[0] == '\0')
		return r;
	set = arena_alloc(d->arena, 1, sizeof(*set));
	r = number_set_parse(text, set);
	if (r == -ERANGE)
		return refuse_at(node, err, "\"%.100s\" has a number above %d", text,
				 NUMBER_SET_MAX - 1);
	if (r < 0)
		return refuse_at(node, err, "\"%.100s\" is not a list of numbers such as \"0-3,7\"",
				 text);
	*list = (struct spec_number_list){.text = text, .set = set};
	return 0;
}
