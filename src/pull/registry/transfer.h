/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer, redirects included as answers: what http.c is made of. */
#ifndef BERTH_PULL_TRANSFER_H
#define BERTH_PULL_TRANSFER_H

#include <pthread.h>

#include "certs.h"
#include "curl.h"
#include "http.h"

/* A connection, and what else libcurl keeps between requests; of one thread at a time. */
struct http_handle {
	struct http_handle *next;
	CURL *easy;
	CURLM *multi;
};

struct http {
	struct http_options options;
	pthread_mutex_t lock; /* of what follows, up to the shares */
	bool loaded;
	struct curl_api curl;
	const char *system_certs; /* directory, or NULL */
	struct http_handle *idle;
	struct certs *certs; /* of the hosts asked so far; they stay until the end */
	CURLSH *share;	     /* names and TLS sessions, for all handles */
	pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
};

/* Loads libcurl, where that has not been done. */
int transfer_load(struct http *http, struct error *err) must_check;

void http_handle_free(struct http *http, struct http_handle *handle);

struct exchange {
	const struct http_request *request;
	const char *url; /* the request's, or that of a redirect */
	struct http_url where;
	bool authorized; /* the request's Authorization may go there */
};

/* Returns and fills as http_try(), but does not follow redirects. */
int transfer(struct http *http, const struct exchange *exchange, struct http_response *ret,
	     struct error *err) must_check;

/* Whether nobody wants the answer any more. */
bool transfer_is_cancelled(const struct http *http, const struct http_request *request);

/* "GET https://HOST/PATH", without what may be secret in the query. The caller's. */
char *exchange_text(const struct exchange *exchange);

/* What libcurl says when a request ends without an answer. */
struct transfer_end {
	const char *what;   /* as of exchange_text() */
	CURLcode code;	    /* not CURLE_OK */
	long os_error;	    /* errno of connect(2), or 0 */
	long proxy_status;  /* of a proxy that was asked for a tunnel, or 0 */
	const char *detail; /* libcurl's own words, or "" */
};

/* In words for the user, with what may help. Returns negative errno. */
int transfer_explain(const struct transfer_end *end, enum http_failure *ret,
		     struct error *err) must_check;

#endif
