/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of an image: from a tar stream to a directory that overlayfs takes as a lower one. */
#ifndef BERTH_PULL_UNPACK_H
#define BERTH_PULL_UNPACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "berth/base/error.h"

#include "common/image_limits.h"
#include "stream/reader.h"

struct unpack_options {
	const struct limits *limits;
	/*
	 * Overlay attributes are user.overlay.* (in a user namespace), otherwise trusted.overlay.*;
	 * and devices, which cannot be made there, become empty files of mode 0 with a warning.
	 */
	bool user_namespace;
	const atomic_bool *cancelled;  /* looked at between entries and chunks; or NULL */
	atomic_ullong *progress;       /* bytes of content that have been written; or NULL */
	_Atomic uint64_t *image_bytes; /* sum over all layers, checked against limits; or NULL */
	int indexfd; /* see index.h; empty, open for reading and writing; -1: none is kept */
};

struct unpack_result {
	uint64_t entries; /* directories that are only implied are counted */
	uint64_t bytes;	  /* content of regular files */
	uint64_t skipped_devices;
	/* What the file system or the user namespace does not take; labels and signatures of the
	 * host that the image was made on are left out without being counted. */
	uint64_t skipped_xattrs;
	uint64_t open_links; /* hard links to what only the layers below can have: "u" in the index
			      */
};

/*
 * Unpacks @layer (an uncompressed tar stream, borrowed, read to its end) into the empty directory
 * @rootfd. No path leaves @rootfd, whatever names, links and races the layer has; whiteouts become
 * character devices 0:0, opaque directories get the attribute. Owners, modes, times and attributes
 * are as the layer says. image-spec layer.md. On an error what was made stays, for the caller to
 * remove.
 */
int unpack_layer(struct reader *layer, int rootfd, const struct unpack_options *options,
		 struct unpack_result *ret, struct error *err) must_check;

#endif
