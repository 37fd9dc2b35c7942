/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The annotations of berth's own that make the root an overlay.
 *
 * Theory of operation. Annotations are the one place where a caller may put what the specification
 * has no field for; engines copy them from many sources. So a misspelt one is refused rather than
 * ignored: a container that was to be read-only must not come up writable, nor one without layers.
 */
#include "tables-internal.h"

#define PREFIX "org.berth.overlay."

/* What the kernel stacks at most. */
#define LOWER_MAX 500

struct annotation {
	struct node node;
	const char *value; /* NULL: not there */
};

/* How many bytes @list has before its first ":" that no backslash stands before. */
static size_t entry_length(const char *list)
{
	size_t length = 0;

	while (list[length] != '\0' && list[length] != ':')
		length += list[length] == '\\' && list[length + 1] != '\0' ? 2 : 1;
	return length;
}

/*
 * Takes the next directory off *@rest. "\:" stands for a colon, "\\" for a backslash. NULL where
 * a backslash stands before anything else, or the name is empty.
 */
static char *next_lower(struct arena *arena, const char **rest)
{
	const char *const end = *rest + entry_length(*rest);
	char *const name = arena_alloc(arena, (size_t)(end - *rest) + 1, 1);
	size_t length = 0;

	for (const char *c = *rest; c < end; c++) {
		if (*c == '\\' && *++c != ':' && *c != '\\')
			return NULL;
		name[length++] = *c;
	}
	*rest = end;
	return length > 0 ? name : NULL;
}

static int decode_lower(const struct decoder *d, const struct annotation *lower,
			struct spec_overlay *ret, struct error *err)
{
	const char **list = arena_alloc(d->arena, LOWER_MAX + 1, sizeof(*list));
	const char *rest = lower->value;
	size_t count = 0;

	do {
		const char *name;

		rest += count > 0; /* the colon */
		name = next_lower(d->arena, &rest);
		if (name == NULL)
			return refuse_at(&lower->node, err,
					 "\"%.100s\" is not a list of directories with \":\" "
					 "between them",
					 lower->value);
		if (count == LOWER_MAX)
			return refuse_at(&lower->node, err,
					 "has more than %d directories, which "
					 "is what the kernel stacks at most",
					 LOWER_MAX);
		list[count++] = path_in_bundle(d->arena, d->bundle, name);
	} while (*rest == ':');
	ret->lower = list;
	ret->lower_count = count;
	return 0;
}

static int decode_layer(const struct decoder *d, const struct annotation *layer, const char **ret,
			struct error *err)
{
	if (layer->value == NULL)
		return 0;
	if (layer->value[0] == '\0')
		return refuse_at(&layer->node, err, "must not be empty");
	*ret = path_in_bundle(d->arena, d->bundle, layer->value);
	return 0;
}

static int check_together(const struct annotation *lower, const struct annotation *upper,
			  const struct annotation *work, struct error *err)
{
	const struct annotation *lonely = upper->value != NULL ? upper : work;

	if ((upper->value != NULL) != (work->value != NULL))
		return refuse_at(&lonely->node, err, "needs " PREFIX "%s as well",
				 lonely == upper ? "work" : "upper");
	if (upper->value != NULL && lower->value == NULL)
		return refuse_at(&upper->node, err, "needs " PREFIX "lower as well");
	return 0;
}

static int decode_idmap(const struct annotation *lower, const struct annotation *idmap,
			struct spec_overlay *ret, struct error *err)
{
	static const char *const names[] = {"lower", NULL};

	if (idmap->value == NULL)
		return 0;
	if (lower->value == NULL)
		return refuse_at(&idmap->node, err, "needs " PREFIX "lower as well");
	if (choice_index(names, idmap->value) < 0)
		return refuse_choice(&idmap->node, idmap->value, names, err);
	ret->map_lower = true;
	return 0;
}

int overlay_decode(const struct decoder *d, const struct node *node,
		   const struct spec_strings *annotations, struct spec_overlay *ret,
		   struct error *err)
{
	struct annotation lower = {.value = NULL}, upper = {.value = NULL}, work = {.value = NULL};
	struct annotation idmap = {.value = NULL};
	int r;

	for (size_t i = 0; i < annotations->count; i++) {
		const struct spec_string_pair *pair = &annotations->items[i];
		const struct annotation found = {{.up = node, .key = pair->key}, pair->value};

		if (str_equal(pair->key, PREFIX "lower"))
			lower = found;
		else if (str_equal(pair->key, PREFIX "upper"))
			upper = found;
		else if (str_equal(pair->key, PREFIX "work"))
			work = found;
		else if (str_equal(pair->key, PREFIX "idmap"))
			idmap = found;
		else if (str_starts(pair->key, PREFIX))
			return refuse_at(&found.node, err,
					 "berth has no such annotation; there are lower, upper, "
					 "work and idmap");
	}
	r = check_together(&lower, &upper, &work, err);
	if (r >= 0)
		r = decode_idmap(&lower, &idmap, ret, err);
	if (r < 0 || lower.value == NULL)
		return r;
	r = decode_lower(d, &lower, ret, err);
	if (r >= 0)
		r = decode_layer(d, &upper, &ret->upper, err);
	return r < 0 ? r : decode_layer(d, &work, &ret->work, err);
}
