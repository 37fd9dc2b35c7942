/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in which berth reports that something failed. */
#ifndef BERTH_BASE_ERROR_H
#define BERTH_BASE_ERROR_H

#include <stdbool.h>

/* Longest text of an error in bytes, its terminating NUL included; longer ones are cut. */
#define ERROR_TEXT_MAX 2048

/*
 * What failed and why, as text for people. Fixed in size and free of pointers, so that it crosses
 * a process border unchanged. Initialise with ERROR_NONE; nothing is owned, nothing is to be freed.
 */
struct error {
	int code; /* negative errno of the failure, 0: nothing failed yet */
	char text[ERROR_TEXT_MAX];
};

#define ERROR_NONE                                                                                 \
	{                                                                                          \
		.code = 0                                                                          \
	}

/* For functions whose result must not be thrown away; see ignore(). */
#define must_check __attribute__((warn_unused_result))

/* Throws a result away on purpose; the reason stands beside the call. */
#define ignore(expression)                                                                         \
	do {                                                                                       \
		__typeof__(expression) ignored_ = (expression);                                    \
		(void)ignored_;                                                                    \
	} while (0)

/*
 * Fills @err with the formatted text, ": " and the description of @code, and returns @code.
 * @code: negative errno, the value that failed itself (not a later errno).
 * Use: return fail(err, -errno, "open \"%s\"", path);
 */
int fail(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/*
 * As fail(), for a refusal that no system call made: the text stands alone, and -EINVAL is
 * returned and kept as the code.
 */
int refuse(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* As refuse(), with a @code of the caller's choice that is not spelled out in the text. */
int refuse_as(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/*
 * Puts the formatted context and ": " before the text that @err has already, and returns @code
 * unchanged. Use: return within(err, r, "mounts[%zu]", i);
 */
int within(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/*
 * For work that goes on after an error: keeps the first. Where @r is negative and *first is not
 * yet, both it and its text, @now, are kept.
 */
void error_keep_first(int r, const struct error *now, int *first, struct error *err);

#endif
