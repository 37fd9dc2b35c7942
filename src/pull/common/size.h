/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of bytes, as users write and read them. */
#ifndef BERTH_PULL_SIZE_H
#define BERTH_PULL_SIZE_H

#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/str.h"

/*
 * Reads a whole number with an optional unit of 1024 and its powers: b, k, m, g, t, in any case,
 * also as "KiB" or "kb". @what names the option in errors.
 */
int size_parse(const char *text, const char *what, uint64_t *ret, struct error *err) must_check;

/* Adds "3.4 MB" and the like: units of 1000, as image sizes are given everywhere. */
void size_write(struct buf *out, uint64_t bytes);

#endif
