/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are towards one registry: the header Authorization of its requests. Distribution-spec has
 * nothing on it; this is what Docker's registry does (docs "Token Authentication"), and basic
 * authentication (RFC 7617).
 */
#ifndef BERTH_PULL_AUTH_H
#define BERTH_PULL_AUTH_H

#include <stdbool.h>

#include "berth/base/error.h"

#include "credentials.h"
#include "http.h"

/* Borrowed, outlives the auth. */
struct auth_registry {
	const char *base;	/* as it is reached: "https://registry-1.docker.io" */
	const char *domain;	/* under which credentials are kept: "docker.io" */
	const char *repository; /* "library/alpine" */
	/* The reference's own registry, which --creds is for; false: a mirror of it. */
	bool is_own;
};

/* Nothing is asked or read yet. @http and what @places and @registry hold outlive it. */
struct auth *auth_new(struct http *http, const struct credentials_places *places,
		      const struct auth_registry *registry);
struct auth *auth_free(struct auth *auth); /* accepts and returns NULL */

static inline void cleanup_auth(struct auth **variable)
{
	*variable = auth_free(*variable);
}
#define _cleanup_auth_ __attribute__((cleanup(cleanup_auth)))

/*
 * What one request has tried. Initialise all zero. Whoever sends again (a broken download) calls
 * auth_prepare() again with the same one after auth_try_done().
 */
struct auth_try {
	char *authorization; /* for http_request.authorization; NULL: none */
	bool renewed;	     /* with all that we have: once */
	bool widened;	     /* for the scope that the registry wants: once */
};

void auth_try_done(struct auth_try *attempt);
#define _cleanup_auth_try_ __attribute__((cleanup(auth_try_done)))

/*
 * Before a request: sets attempt->authorization to what the registry is known to want; nothing, as
 * long as it has not asked. A token that ends within 10 seconds is renewed first. Any thread; while
 * one renews, the others wait for it.
 */
int auth_prepare(struct auth *auth, struct auth_try *attempt, struct error *err) must_check;

/*
 * After the answer 401: sets attempt->authorization anew, and returns 0 if the request is to be
 * sent again. Otherwise (a second 401 in spite of a new token, wrong credentials, a realm that is
 * not to be trusted) a negative errno that is the request's own:
 *   -EKEYREJECTED  the credentials are wrong; they never turn into an anonymous request
 *   -ENOKEY        there is no such repository, or it needs a login
 *   others         the token server, a file of credentials, a helper failed
 * Secrets are never part of a text.
 */
int auth_challenged(struct auth *auth, const struct http_response *response,
		    struct auth_try *attempt, struct error *err) must_check;

#endif
