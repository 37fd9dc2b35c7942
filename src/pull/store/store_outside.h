/* SPDX-License-Identifier: Apache-2.0 */
/* Directories outside of the store that are work in progress of it. */
#ifndef BERTH_PULL_STORE_OUTSIDE_H
#define BERTH_PULL_STORE_OUTSIDE_H

#include "store.h"

/* Room for the name of a file in tmp/. */
#define TMP_NAME_MAX 64

/*
 * A directory outside of the store in which something is made: should this process be killed, it is
 * removed as what is in tmp/ is. Begin before it is made; say that it is made while it is empty;
 * end when it has got its name or is gone.
 */
struct store_outside {
	const struct store *store;
	char name[TMP_NAME_MAX]; /* of the note, beneath the store */
	int fd;			 /* of the note, locked; negative: there is none */
};

int store_outside_begin(const struct store *store, const char *path, struct store_outside *ret,
			struct error *err) must_check;
int store_outside_made(const struct store_outside *outside, int dirfd,
		       struct error *err) must_check;
void store_outside_end(struct store_outside *outside);

#endif
