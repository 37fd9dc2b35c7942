/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed layer while it is downloaded: one thread writes it to its file in the store, another
 * reads what is there and waits for the rest. The file is what a later run goes on from.
 */
#ifndef BERTH_PULL_PART_H
#define BERTH_PULL_PART_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "source/source.h"
#include "store/store.h"
#include "stream/reader.h"

#include "turns.h"

struct part;

/* What it is about; all that is pointed to outlives the part. */
struct part_request {
	const struct store *store;
	struct source *source;
	const struct descriptor *layer;
	struct turns *turns;
	atomic_ullong *downloaded; /* bytes that are here, advanced */
};

/*
 * Opens the layer's file in the store, where a run before may have left its beginning, and begins
 * to download the rest in a thread.
 */
int part_begin(const struct part_request *request, struct part **ret, struct error *err) must_check;

/*
 * Its bytes, from the first on. Whoever reads has a turn of the request's; it is given back as long
 * as the reader waits for the network. One reader for a part; it may be freed before the part, not
 * after.
 */
struct reader *part_reader(struct part *part);

/* Whether bytes from an earlier run were taken over, so that a wrong digest may be their fault. */
bool part_was_resumed(const struct part *part);

/* Ends the download and the waiting of the reader, from any thread. */
void part_abandon(struct part *part);

/*
 * Ends the download if it is not over, waits for its thread and frees the part. The file stays, or
 * is removed with @remove.
 */
void part_end(struct part *part, bool remove);

#endif
