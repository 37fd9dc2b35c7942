/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the registry source share. */
#ifndef BERTH_PULL_REGISTRY_SOURCE_H
#define BERTH_PULL_REGISTRY_SOURCE_H

#include "endpoint.h"
#include "news.h"
#include "registry.h"

struct registry {
	struct source source; /* first */
	const struct reference *reference;
	const struct registry_options *options;
	struct http *http;
	char *certs_dirs[4]; /* NULL-terminated; the first is the user's own, or the list is shorter
			      */
	struct endpoint *endpoints; /* mirrors, then the registry itself */
	size_t endpoint_count;
	struct news news;
};

/*
 * Asks the endpoints one after the other, until @ask returns 0 or more; what mirrors fail at is
 * told to the user. @ask: one endpoint, with @context; *final set: no other endpoint may help.
 */
typedef int (*registry_ask)(struct registry *registry, struct endpoint *endpoint, void *context,
			    bool *final, struct error *err);
int registry_ask_all(struct registry *registry, registry_ask ask, void *context,
		     struct error *err) must_check;

/* The content that a descriptor has in itself, as if it had been asked for; false: there is none.
 */
bool registry_take_data(const struct descriptor *want, struct raw_document *ret);

/* source/source.h's fetch() and config(). */
int registry_fetch(struct source *source, const struct descriptor *layer, struct blob_sink *sink,
		   struct error *err) must_check;
int registry_config(struct source *source, const struct descriptor *want, uint64_t max,
		    struct raw_document *ret, struct error *err) must_check;

#endif
