/* SPDX-License-Identifier: Apache-2.0 */
/* Where images come from: a registry, or a file or directory of this host. */
#ifndef BERTH_PULL_SOURCE_H
#define BERTH_PULL_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#include "common/image_limits.h"
#include "image/image.h"
#include "stream/reader.h"

/* The raw bytes of an index, manifest or configuration, checked against what was asked for. */
struct raw_document {
	char *text; /* NUL-terminated, the caller's */
	size_t size;
	char *content_type; /* the caller's; NULL: not known */
	struct digest digest;
};

static inline void cleanup_raw_document(struct raw_document *document)
{
	free(document->text);
	free(document->content_type);
}
#define _cleanup_raw_document_ __attribute__((cleanup(cleanup_raw_document)))

/* Takes the bytes of a blob as they arrive. */
struct blob_sink {
	uint64_t offset; /* how many bytes are there already; the source goes on from here */
	const atomic_bool *abandoned; /* nobody wants the rest: fetch() ends soon; or NULL */
	/* @size more bytes; adds to offset. Negative errno ends the download. */
	int (*write)(struct blob_sink *self, const void *data, size_t size, struct error *err);
	/* The source begins anew: what was written is void, offset becomes 0. */
	int (*restart)(struct blob_sink *self, struct error *err);
};

struct source {
	/* The full name under which the image is stored. */
	const char *name;
	/* Whether blobs come by fetch() (slow, by a network), otherwise by open(). */
	bool is_remote;
	/*
	 * What the source's name stands for (@want NULL), or the index or manifest that a
	 * descriptor asks for, whose digest and size are checked. At most @max bytes.
	 */
	int (*document)(struct source *self, const struct descriptor *want, uint64_t max,
			struct raw_document *ret, struct error *err);
	/*
	 * Digest and type of what the name stands for, without its content, where that is cheap (a
	 * HEAD request). -EOPNOTSUPP without a text where it is not.
	 */
	int (*head)(struct source *self, struct digest *ret, struct error *err);
	/* The configuration: a small blob, whole. Digest and size are checked. */
	int (*config)(struct source *self, const struct descriptor *want, uint64_t max,
		      struct raw_document *ret, struct error *err);
	/* A layer's bytes, neither checked nor decompressed. Any thread, several at once. */
	int (*open)(struct source *self, const struct descriptor *layer, struct reader **ret,
		    struct error *err);
	/*
	 * Downloads a layer into @sink, from sink->offset to the descriptor's size: goes on after
	 * broken connections, waits and tries again where that has a point. Never more bytes than
	 * the descriptor says. The digest is not checked. Any thread, several at once.
	 */
	int (*fetch)(struct source *self, const struct descriptor *layer, struct blob_sink *sink,
		     struct error *err);
	/* NULL where there are none: one line about what is left of a quota, for people; NULL or
	 * "": nothing is known. */
	const char *(*quota)(struct source *self);
	void (*free)(struct source *self);
};

static inline void cleanup_source(struct source **variable)
{
	if (*variable)
		(*variable)->free(*variable);
	*variable = NULL;
}
#define _cleanup_source_ __attribute__((cleanup(cleanup_source)))

/*
 * oci:DIR[:REF|@DIGEST], oci-archive:FILE[:REF], docker-archive:FILE[:REF]. Archives are read in
 * place; one that is compressed as a whole is decompressed once, into a file without a name in the
 * directory @tmp, which must exist. Descriptors that are given to the source outlive its readers.
 */
int source_open_local(const char *text, const char *tmp, const struct limits *limits,
		      struct source **ret, struct error *err) must_check;

#endif
