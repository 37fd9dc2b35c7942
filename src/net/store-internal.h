/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that keep things in the store share. */
#ifndef BERTH_NET_STORE_INTERNAL_H
#define BERTH_NET_STORE_INTERNAL_H

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "store.h"

/* Bounds of one file of the store. */
#define STORE_FILE_MAX (4u << 20)

/*
 * Locks an open file (flock(2)), and waits for @timeout_ms at most. Errors: -ETIMEDOUT, with the
 * process that holds it where /proc/locks says so; -EINTR: a signal was caught. @what names the
 * file.
 */
int store_lock(int fd, const char *what, int operation, int timeout_ms,
	       struct error *err) must_check;

/* Whether file_replace_at() was killed when it wrote this file. No network, container or link has
 * such a name: ".NAME.new". */
bool store_is_unfinished(const char *name);

/* Whether @name ends in @suffix, with something before it. */
bool store_has_suffix(const char *name, const char *suffix);

/*
 * Calls @each with every name in the directory @dirfd (-EBADF: there is none) but "." and "..",
 * and stops where that returns other than 0, with its result; names may be removed meanwhile. @what
 * names the directory in errors.
 */
int store_each(int dirfd, const char *what,
	       int (*each)(void *data, const char *name, struct error *err), void *data,
	       struct error *err) must_check;

/*
 * The names in the directory @dirfd that end in @suffix, without it, sorted. Unfinished files are
 * passed over, and what else there is is an error.
 */
int store_names(int dirfd, const char *what, const char *suffix, struct strv *ret,
		struct error *err) must_check;

/* As file_read_at(); that there is no directory or no such file is -ENOENT without a text. */
int store_read(int dirfd, const char *name, char **ret_text, size_t *ret_size,
	       struct error *err) must_check;

/* Removes unfinished files from the whole store. */
int store_tidy(const struct store *store, struct error *err) must_check;

#endif
