/* SPDX-License-Identifier: Apache-2.0 */
/* What the user sees while layers come in. Every function may be called by any thread. */
#ifndef BERTH_PULL_PROGRESS_H
#define BERTH_PULL_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "berth/base/error.h"

#include "common/digest.h"

enum progress_style {
	PROGRESS_AUTO,	/* lines that are drawn anew on a terminal, plain lines elsewhere */
	PROGRESS_PLAIN, /* plain lines everywhere */
	PROGRESS_QUIET, /* nothing */
	PROGRESS_JSON,	/* one JSON object a line, to standard output */
};

enum layer_state {
	LAYER_WAITING,
	LAYER_DOWNLOADING,
	LAYER_UNPACKING, /* all bytes are there */
	LAYER_DONE,
	LAYER_PRESENT, /* was there before */
	LAYER_FAILED,
	LAYER_STATE_MAX
};

/* One layer's line. The counters are advanced by those who do the work. */
struct progress_layer {
	struct digest digest;
	uint64_t size;		  /* packed bytes, all */
	atomic_ullong downloaded; /* packed bytes that are here */
	atomic_ullong unpacked;	  /* bytes of content written */
	_Atomic int state;	  /* enum layer_state */
};

/* Where lines are drawn, those of the log come between them. */
struct progress *progress_begin(enum progress_style style, const char *name,
				struct progress_layer *layers, size_t count);
/* To be called when a layer's state has changed: plain and JSON lines are written then. */
void progress_changed(struct progress *progress, struct progress_layer *layer);
/* A line for people, where there are no layers to tell of: not with QUIET and JSON. */
void progress_line(enum progress_style style, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct progress *progress_end(struct progress *progress); /* accepts and returns NULL */

#endif
