/* SPDX-License-Identifier: Apache-2.0 */
/* One place that serves a repository: the registry itself, or a mirror of it. */
#ifndef BERTH_PULL_ENDPOINT_H
#define BERTH_PULL_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "image/reference.h"

#include "auth.h"
#include "http.h"
#include "registry.h"

/* https first, then http, where that may be. */
#define ENDPOINT_BASES 2

struct endpoint {
	struct http *http;
	char *name;		     /* for messages: as the user wrote it */
	char *domain;		     /* credentials are kept under it */
	char *bases[ENDPOINT_BASES]; /* "https://localhost:5000", a path behind it possible */
	struct auth_registry registries[ENDPOINT_BASES];
	struct auth *auths[ENDPOINT_BASES];
	size_t base_count;
	atomic_size_t base;   /* in use */
	atomic_bool answered; /* so it stays with that one */
	atomic_bool failed;   /* a mirror that is not asked any more */
	bool is_mirror;
	const char *repository;
	const char *query; /* for mirrors: whose content it is, "?ns=docker.io"; or "" */
};

/* The registry of @reference. All that is given outlives the endpoint. */
void endpoint_of_registry(struct endpoint *ret, struct http *http,
			  const struct reference *reference,
			  const struct registry_options *options);

/* The mirror at @url: "https://HOST[:PORT][/PATH]", or with http, or the host alone. */
int endpoint_of_mirror(struct endpoint *ret, struct http *http, const struct reference *reference,
		       const struct registry_options *options, const char *url,
		       struct error *err) must_check;

void endpoint_done(struct endpoint *endpoint);

/*
 * One try of @request, whose url is only "manifests/…" or "blobs/…", and whose authorization comes
 * from here: with all that the registry asks for, and by http where that is allowed and needed.
 * Otherwise as http_try().
 */
int endpoint_try(struct endpoint *endpoint, const struct http_request *request,
		 struct http_response *ret, struct error *err) must_check;

/* As http_request(), in the same manner. */
int endpoint_request(struct endpoint *endpoint, const struct http_request *request,
		     struct http_response *ret, struct error *err) must_check;

#endif
