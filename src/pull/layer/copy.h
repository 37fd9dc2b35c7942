/* SPDX-License-Identifier: Apache-2.0 */
/* Copying files out of layers: content and all else. */
#ifndef BERTH_PULL_COPY_H
#define BERTH_PULL_COPY_H

#include <stdbool.h>
#include <sys/stat.h>

#include "berth/base/error.h"

#include "metadata.h"

struct id_maps;

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

/* How files are copied, and where to. */
struct copy {
	struct copier copier;
	bool user_namespace; /* the layers were unpacked so, see unpack.h */
	bool plain;	     /* into a plain tree; otherwise into a directory of an overlay */
	/* What the ids become; NULL: they stay. */
	const struct id_maps *uids, *gids;
};

/* The metadata of @st as they are to be. */
int copy_metadata(const struct copy *copy, const struct stat *st, const char *path,
		  struct metadata *ret, struct error *err) must_check;

/* Where a copy is made: @name in @dirfd, which must be free. */
struct copy_place {
	int dirfd;
	const char *name;
	bool inherits;	  /* the directory gives access lists to what is made in it */
	const char *path; /* for messages */
};

/*
 * Makes a copy of @from: one that is open for reading, or, where it is no regular file, an O_PATH
 * descriptor. No directories.
 */
int copy_file(struct copy *copy, int from, const struct stat *st, const struct copy_place *place,
	      struct error *err) must_check;

#endif
