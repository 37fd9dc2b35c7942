/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that the store has, for who looks through them. */
#ifndef BERTH_PULL_STORED_LAYERS_H
#define BERTH_PULL_STORED_LAYERS_H

#include "common/digest_set.h"

#include "store.h"

/* Adds all of them to *ret: one that its note makes suspect, too. */
int stored_layers_list(const struct store *store, struct digest_set *ret,
		       struct error *err) must_check;
/* Whether the layer's directory is there, whatever its note says. */
bool layer_exists(const struct store *store, const struct digest *diff_id);
/* The layer has been read from the disk and found whole: its note goes if it is of another boot. */
void layer_settled(const struct store *store, const struct digest *diff_id);
/* Removes the layer, whose lock (or the store's, exclusively) is held; adds the bytes that this
 * frees to *@freed (may be NULL). Negative errno, no text. */
int layer_remove(const struct store *store, const struct digest *diff_id,
		 uint64_t *freed) must_check;

#endif
