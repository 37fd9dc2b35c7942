/* SPDX-License-Identifier: Apache-2.0 */
/* A set of paths, of which it keeps the hashes alone: eight bytes for each. */
#ifndef BERTH_PULL_PATH_SET_H
#define BERTH_PULL_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>

/* The hash has a random key, so that nobody can choose names that are taken for each other. */
struct path_set *path_set_new(void) __attribute__((returns_nonnull));
struct path_set *path_set_free(struct path_set *set); /* accepts and returns NULL */
void path_set_add(struct path_set *set, const char *path);
void path_set_remove(struct path_set *set, const char *path);
bool path_set_has(const struct path_set *set, const char *path);
size_t path_set_count(const struct path_set *set);

static inline void cleanup_path_set(struct path_set **variable)
{
	*variable = path_set_free(*variable);
}
#define _cleanup_path_set_ __attribute__((cleanup(cleanup_path_set)))

#endif
