/* SPDX-License-Identifier: Apache-2.0 */
/* Copying the content of regular files. */
#ifndef BERTH_PULL_COPY_H
#define BERTH_PULL_COPY_H

#include <stdbool.h>
#include <sys/stat.h>

#include "berth/base/error.h"

/* What has been learnt about the two file systems. Initialise with zeros. */
struct copier {
	bool no_clone, no_range;
	char *buffer;
};

void copier_done(struct copier *copier);
#define _cleanup_copier_ __attribute__((cleanup(copier_done)))

/*
 * Gives the new file @to the content of @from (@st: its stat): shared where the file systems can do
 * that (FICLONE), otherwise copied, in the kernel where possible; holes stay holes. @path names it
 * in errors.
 */
int copy_content(struct copier *copier, int from, int to, const struct stat *st, const char *path,
		 struct error *err) must_check;

#endif
