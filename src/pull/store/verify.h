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
 * Compares type, mode, owner, size, time, link target, device, extended attributes and content
 * (both by CRC-32) of all that the index of the layer @layerfd (O_PATH, see store_layer_open())
 * has, and looks for what it has not. The caller must be able to read all of it. Memory is bounded
 * whatever the layer. Returns 0, 1 where the index is of a berth-pull that did not write attributes
 * down (all else was compared), -EINTR where it was cancelled, or negative errno where nothing
 * could be said.
 */
int layer_verify(int layerfd, const struct verify *verify, uint64_t *ret_findings,
		 struct error *err) must_check;

#endif
