/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images, as Docker writes them: [HOST[:PORT]/]PATH[:TAG][@DIGEST]. */
#ifndef BERTH_PULL_REFERENCE_H
#define BERTH_PULL_REFERENCE_H

#include <stdbool.h>

#include "berth/base/alloc.h"

#include "common/digest.h"

struct reference {
	const char *domain; /* "docker.io", "localhost:5000", "[::1]:5000" */
	const char *path;   /* "library/alpine" */
	const char *tag; /* "latest" where none is given and no digest either; else may be NULL */
	bool has_digest; /* it decides then, and the tag is only kept for display */
	struct digest digest;
	const char *name; /* the whole in its full form: "docker.io/library/alpine:3.20" */
};

/*
 * Reads a reference by the grammar of Docker, at most 255 bytes of name. What is left out is filled
 * in: docker.io, library/, latest. Refused: upper case in the path, a name of 64 hexadecimal digits
 * alone, and what the grammar does not have. Texts belong to @arena.
 */
int reference_parse(struct arena *arena, const char *text, struct reference *ret,
		    struct error *err) must_check;

/* The host to ask: "registry-1.docker.io" for "docker.io", otherwise the domain. */
const char *reference_host(const struct reference *reference);

#endif
