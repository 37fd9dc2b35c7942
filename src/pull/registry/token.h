/* SPDX-License-Identifier: Apache-2.0 */
/* One token from a token server: Docker's "Token Authentication", and its OAuth 2 form. */
#ifndef BERTH_PULL_TOKEN_H
#define BERTH_PULL_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"

#include "credentials.h"
#include "http.h"

#define TOKEN_ANSWER_MAX ((size_t)64 * 1024) /* bytes */
#define TOKEN_SECONDS	 60 /* how long a token holds where the server does not say */

/* All is borrowed. */
struct token_request {
	const char *realm;   /* URL, which realm_check() has accepted */
	const char *service; /* NULL: not given */
	const char *scope;   /* one or, parted by blanks, several */
	const struct credentials *credentials;
};

/*
 * Asks for a token: by GET, with the name and password where there are some, or by POST with an
 * identity token. Redirects are refused. *ret_token is the caller's, visible ASCII; *ret_seconds is
 * for how long it holds, from now on. Errors: -EKEYREJECTED where the credentials are wrong,
 * -ENOKEY where some are wanted and there are none, -EACCES, -ECANCELED, otherwise -EIO.
 */
int token_fetch(struct http *http, const struct token_request *request, char **ret_token,
		int64_t *ret_seconds, struct error *err) must_check;

/* The URL of the GET request, the caller's. */
char *token_url(const struct token_request *request) __attribute__((returns_nonnull));

/* The form of the POST request, the caller's. */
char *token_form(const struct token_request *request) __attribute__((returns_nonnull));

/* Reads a token server's answer; errors name @what and hold nothing of it. */
int token_read(const char *text, size_t size, const char *what, char **ret_token,
	       int64_t *ret_seconds, struct error *err) must_check;

/* Value of the header Authorization for basic authentication (RFC 7617), the caller's. */
char *token_basic(const struct credentials *credentials) __attribute__((returns_nonnull));

#endif
