/* SPDX-License-Identifier: Apache-2.0 */
/* A word that was meant to be a command, and was taken for an image. */
#include "near_command.h"

#include <string.h>

#include "command.h"

#define WORD_MAX 16

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be put in, taken out or changed to make one of the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], length = strlen(b);

	for (size_t k = 0; k <= length; k++)
		row[k] = k;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= length; k++) {
			size_t changed = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			row[k] = least(row[k] + 1, row[k - 1] + 1, changed);
		}
	}
	return row[length];
}

const char *near_command(const char *word)
{
	static const struct command *const commands[] = {
		&command_pull, &command_bundle, &command_list,	 &command_remove,
		&command_gc,   &command_fsck,	&command_verify, &command_inspect,
	};
	const char *found = NULL;
	size_t nearest = 3;

	if (strlen(word) > WORD_MAX || strpbrk(word, "/:@."))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *name = commands[i]->syntax.name;
		size_t far = distance(word, name);

		/* Of a short name two letters are all of it: everything is near to "gc". */
		if (far >= nearest || strlen(name) < 4)
			continue;
		nearest = far;
		found = name;
	}
	return found;
}
