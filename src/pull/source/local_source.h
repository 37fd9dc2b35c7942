/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of local files share: their names, and blobs that are checked. */
#ifndef BERTH_PULL_LOCAL_SOURCE_H
#define BERTH_PULL_LOCAL_SOURCE_H

#include <stdbool.h>

#include "berth/base/str.h"

#include "local_files.h"
#include "source.h"

/* Which image of a local place is meant. */
struct local_wish {
	const char *place;	     /* absolute path of the directory or archive */
	const char *ref;	     /* NULL: the only one */
	const struct digest *digest; /* in place of ref; or NULL */
};

/* What every one of them is; the first member of its own struct. */
struct local_source {
	struct source source;
	char *name;
	struct local_files *files;
	struct arena *arena; /* of what is read from it */
};

/* @calls: the functions. @files is taken over, @name copied. */
void local_source_init(struct local_source *ret, const struct source *calls,
		       struct local_files *files, const char *name);
void local_source_done(struct local_source *local);

/* Open oci: and oci-archive:, docker-archive:. @files is taken over, @name copied. */
int source_open_oci(struct local_files *files, const char *name, const struct local_wish *wish,
		    const struct limits *limits, struct source **ret, struct error *err) must_check;
int source_open_docker(struct local_files *files, const char *name, const struct local_wish *wish,
		       const struct limits *limits, struct source **ret,
		       struct error *err) must_check;

/*
 * The file @path as the blob that @want describes (or the content that is in it), at most @max
 * bytes: size and digest are checked.
 */
int local_blob_read(const struct local_files *files, const char *path,
		    const struct descriptor *want, uint64_t max, struct raw_document *ret,
		    struct error *err) must_check;

/* The same as a stream: the size is checked, the digest is not. */
int local_blob_open(const struct local_files *files, const char *path,
		    const struct descriptor *want, struct reader **ret,
		    struct error *err) must_check;

/* Whether both name the same image, after what is left out in either is filled in. */
bool local_ref_equal(const char *a, const char *b);

/* A list for a message: appends @text, unless there are too many by now. */
struct local_list {
	struct buf text;
	size_t count;
};
void local_list_add(struct local_list *list, const char *text);
void local_list_done(struct local_list *list);
#define _cleanup_local_list_ __attribute__((cleanup(local_list_done)))

#endif
