/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's layers as one tree: what a container sees. Layers are given by the descriptors of
 * their directories in the store (store_layer_open()), the lowest first; all are borrowed.
 */
#ifndef BERTH_PULL_MERGED_H
#define BERTH_PULL_MERGED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"

struct merged {
	const int *layers; /* the lowest first */
	size_t count;
	bool user_namespace; /* the layers were unpacked so: see unpack.h */
};

/*
 * The lowest layer that shows: where a layer hides all that is below its root, overlayfs must not
 * be given what is below, since it does not look for that at roots. 0 where no layer does.
 */
size_t merged_bottom(const struct merged *merged);

/*
 * Opens @path (a leading "/" means the root) as it is in the merged tree, symbolic links followed
 * within it, the last one too unless @flags say O_NOFOLLOW. @flags as for open(2), O_CLOEXEC is
 * added; what may block or act when it is opened must be opened with O_PATH or O_NONBLOCK. Returns
 * the descriptor, or negative errno without a text: -ENOENT and so on.
 */
int merged_open(const struct merged *merged, const char *path, int flags) must_check;

struct id_maps; /* common/id_maps.h */

/*
 * Makes in @upperfd, the empty upper directory of an overlay over the layers, what the layers alone
 * show wrongly: the owner, mode, times and attributes of the root and of directories that are only
 * implied by the highest layer that has them; and copies for hard links to what another layer has.
 * What is made belongs to what @uids and @gids make of the layers' ids, where they are mapped when
 * the overlay is mounted; NULL: to these ids themselves. -ENOENT with a text where a link leads to
 * what no layer below has: the image is broken.
 */
int merged_prepare_upper(const struct merged *merged, int upperfd, const struct id_maps *uids,
			 const struct id_maps *gids, struct error *err) must_check;

/*
 * Copies the directory @path of the merged tree, with all below it, into the empty directory @tofd.
 * Several names of one file become several files. @cancelled: see flat_make(). -ENOENT without a
 * text if there is nothing, -ENOTDIR without a text if it is no directory.
 */
int merged_copy(const struct merged *merged, const char *path, int tofd,
		const atomic_bool *cancelled, struct error *err) must_check;

#endif
