/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of an index with which the tree does not agree, and whether later lines explain it: one
 * for the same path, or one that is no directory's for a directory on the way to it.
 */
#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "verify-internal.h"

#define SUSPECTS_MAX	  4096
#define SUSPECTS_TEXT_MAX (512u << 10) /* bytes */

struct suspect {
	char *path, *what;
	char *target; /* of a hard link: it may have been replaced as well; otherwise NULL */
	uint64_t line;
	bool explained;
};

/* A path that explains a suspect if it is replaced. */
struct key {
	const char *path;
	struct suspect *suspect;
};

struct suspects {
	struct suspect list[SUSPECTS_MAX];
	size_t count, text;
	struct key keys[2 * SUSPECTS_MAX]; /* sorted by path, while a search is on */
	size_t key_count;
	uint64_t line; /* of the search */
};

struct suspects *suspects_new(void)
{
	return xcalloc(1, sizeof(struct suspects));
}

static void forget(struct suspects *suspects)
{
	for (size_t i = 0; i < suspects->count; i++) {
		free(suspects->list[i].path);
		free(suspects->list[i].what);
		free(suspects->list[i].target);
	}
	suspects->count = suspects->text = 0;
}

struct suspects *suspects_free(struct suspects *suspects)
{
	if (suspects)
		forget(suspects);
	free(suspects);
	return NULL;
}

int suspects_add(struct verification *verification, const struct index_entry *entry,
		 const char *what, struct error *err)
{
	struct suspects *suspects = verification->suspects;
	struct suspect *suspect;

	if (suspects->count == SUSPECTS_MAX || suspects->text > SUSPECTS_TEXT_MAX) {
		int r = suspects_settle(verification, err);

		if (r < 0)
			return r;
	}
	suspect = &suspects->list[suspects->count++];
	*suspect = (struct suspect){
		.path = xstrdup(entry->path),
		.what = xstrdup(what),
		.target = entry->type == 'h' ? xstrdup(entry->target) : NULL,
		.line = verification->lines,
	};
	suspects->text += strlen(entry->path) + strlen(entry->target) + strlen(what);
	return 0;
}

/* As strcmp(3), but that "/" comes before all else: what is beneath a directory follows it. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b || !*a || !*b)
		return (*a != '\0') - (*b != '\0');
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_keys(const void *a, const void *b)
{
	return compare_paths(((const struct key *)a)->path, ((const struct key *)b)->path);
}

static bool is_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (path[length] == '/' || length == 0);
}

/* The first key that is @path or comes after it. */
static size_t find(const struct suspects *suspects, const char *path)
{
	size_t low = 0, high = suspects->key_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_paths(suspects->keys[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int explain(void *context, const struct index_entry *entry, struct error *err)
{
	struct suspects *suspects = context;
	bool ends_tree = !strchr("dio", entry->type);

	(void)err;
	suspects->line++;
	if (entry->type == 'o')
		return 0;
	for (size_t i = find(suspects, entry->path); i < suspects->key_count; i++) {
		const struct key *key = &suspects->keys[i];

		if (!str_equal(key->path, entry->path) &&
		    !(ends_tree && is_beneath(key->path, entry->path)))
			break;
		if (suspects->line > key->suspect->line)
			key->suspect->explained = true;
	}
	return 0;
}

int suspects_settle(struct verification *verification, struct error *err)
{
	struct suspects *suspects = verification->suspects;
	int r;

	if (!suspects->count)
		return 0;
	suspects->key_count = 0;
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->list[i];

		suspects->keys[suspects->key_count++] = (struct key){suspect->path, suspect};
		if (suspect->target)
			suspects->keys[suspects->key_count++] =
				(struct key){suspect->target, suspect};
	}
	qsort(suspects->keys, suspects->key_count, sizeof(*suspects->keys), compare_keys);
	suspects->line = 0;
	r = index_read(verification->indexfd, explain, suspects, err);
	for (size_t i = 0; r >= 0 && i < suspects->count; i++) {
		if (!suspects->list[i].explained)
			verify_report(verification, suspects->list[i].path, suspects->list[i].what);
	}
	forget(suspects);
	return r;
}
