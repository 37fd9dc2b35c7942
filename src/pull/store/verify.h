/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a layer is still what was unpacked: its tree against its index. */
#ifndef BERTH_PULL_VERIFY_H
#define BERTH_PULL_VERIFY_H

#include <stdatomic.h>
#include <stdint.h>

#include "berth/base/error.h"

struct verify {
	/* Called for everything that is wrong: @path beneath the layer's root (which is "") and
	 * what is wrong with it, for people. Or NULL. */
	void (*finding)(void *context, const char *path, const char *what);
	void *context;
	const atomic_bool *cancelled; /* looked at between entries; or NULL */
	atomic_ullong *progress;      /* bytes of content that have been read; or NULL */
};

/*
 * Compares type, mode, owner, size, time, link target, device and content (CRC-32) of all that the
 * index of the layer @layerfd (O_PATH, see store_layer_open()) has, and looks for what it has not.
 * Extended attributes are not in an index, but for those that make a directory opaque. The caller
 * must be able to read all of it. Memory is bounded whatever the layer. Returns the number of
 * findings, -EINTR where it was cancelled, or negative errno where nothing could be said.
 */
int layer_verify(int layerfd, const struct verify *verify, uint64_t *ret_findings,
		 struct error *err) must_check;

#endif
