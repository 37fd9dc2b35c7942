/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: allocations that cannot fail, ownership by declaration, arenas. */
#ifndef BERTH_BASE_ALLOC_H
#define BERTH_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * berth lives for milliseconds and bounds every size that a user controls before it allocates, so
 * running out of memory ends the process with one line instead of being carried through every
 * caller. All functions here return zeroed or fully written memory, never NULL.
 */
void out_of_memory(void) __attribute__((noreturn, cold)); /* for allocators of libraries */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static inline void cleanup_free(void *variable)
{
	free(*(void **)variable);
}

/* The variable's memory is freed where its scope ends. Always initialise it. */
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))

/* Hands a pointer over: yields its value and leaves NULL behind. */
#define take_ptr(variable)                                                                         \
	({                                                                                         \
		__typeof__(*(variable)) taken_ = *(variable);                                      \
		*(variable) = NULL;                                                                \
		taken_;                                                                            \
	})

/*
 * An arena: memory that is freed all at once. What is decoded from one document (its tree, and the
 * structs made from it) lives in one arena, and points freely within it.
 */
struct arena;

struct arena *arena_new(void) __attribute__((returns_nonnull));
struct arena *arena_free(struct arena *arena); /* accepts NULL, returns NULL */
/* Zeroed memory, aligned for any type, alive until arena_free(). */
void *arena_alloc(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *text, size_t length)
	__attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

static inline void cleanup_arena(struct arena **variable)
{
	*variable = arena_free(*variable);
}

#define _cleanup_arena_ __attribute__((cleanup(cleanup_arena)))

#endif
