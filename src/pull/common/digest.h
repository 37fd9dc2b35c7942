/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of content: image-spec descriptor.md, "Digests". */
#ifndef BERTH_PULL_DIGEST_H
#define BERTH_PULL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"

enum digest_algorithm {
	DIGEST_SHA256,
	DIGEST_SHA512,
	DIGEST_MAX
};

#define DIGEST_HEX_MAX	128
#define DIGEST_TEXT_MAX (8 + DIGEST_HEX_MAX) /* "sha512:", hex, NUL */

/* A digest that has been checked: @hex is of the algorithm's length and lower case, so that it is
 * fit to be a file's name. */
struct digest {
	enum digest_algorithm algorithm;
	char hex[DIGEST_HEX_MAX + 1];
};

/* "sha256", "sha512". */
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/*
 * Reads "sha256:" and 64, or "sha512:" and 128 lower case hexadecimal digits. Refused: everything
 * else, before it becomes part of a path or a request. @what names it in errors.
 */
int digest_parse(const char *text, const char *what, struct digest *ret,
		 struct error *err) must_check;

/* "sha256:…", NUL-terminated. Returns @ret. */
const char *digest_text(const struct digest *digest, char ret[DIGEST_TEXT_MAX]);

bool digest_equal(const struct digest *a, const struct digest *b);

/* A digest in the making. Allocations end the process where they fail. */
struct hasher *hasher_new(enum digest_algorithm algorithm);
void hasher_add(struct hasher *hasher, const void *data, size_t size);
void hasher_finish(struct hasher *hasher, struct digest *ret); /* once */
struct hasher *hasher_free(struct hasher *hasher);	       /* accepts and returns NULL */

static inline void cleanup_hasher(struct hasher **variable)
{
	*variable = hasher_free(*variable);
}
#define _cleanup_hasher_ __attribute__((cleanup(cleanup_hasher)))

/* Digest of @size bytes. */
void digest_of(enum digest_algorithm algorithm, const void *data, size_t size, struct digest *ret);

#endif
