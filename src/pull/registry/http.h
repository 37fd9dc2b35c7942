/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over http and https (RFC 9110), blocking, by any thread, several at once. libcurl does
 * the work, and is loaded when the first request is made. Proxies are those of the environment.
 */
#ifndef BERTH_PULL_HTTP_H
#define BERTH_PULL_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/str.h"

/* For all requests; all is borrowed. 0, NULL, false: the usual. */
struct http_options {
	const atomic_bool *cancelled; /* looked at all the time */
	unsigned stall_seconds;	      /* less than 1 KiB in this time is a failure; 30 */
	bool insecure;		      /* certificates are not checked, https may go to http */
	bool wait;		      /* also until a pull limit is over */
	const char *tls_ca;	      /* file of certificates to trust besides */
	const char *ssl_cert_file, *ssl_cert_dir; /* to trust instead of the system's */
	const char *no_proxy;	       /* $no_proxy: who is reached without a proxy (host.h) */
	const char *const *certs_dirs; /* of HOST[:PORT]/{*.crt,*.cert,*.key}; NULL-terminated */
};

/* Nothing is loaded or opened yet. */
struct http *http_new(const struct http_options *options);
/* No request may be under way. Accepts and returns NULL. */
struct http *http_free(struct http *http);

struct http_response;

/* Takes a body as it arrives. Each may return negative errno, which ends the request. */
struct http_sink {
	/* The headers of a 2xx answer are there, its body comes next. May be NULL. */
	int (*begin)(struct http_sink *self, const struct http_response *response,
		     struct error *err);
	int (*write)(struct http_sink *self, const void *data, size_t size, struct error *err);
};

/* All is borrowed for the call. */
struct http_request {
	const char *method;	    /* NULL: GET */
	const char *url;	    /* absolute; one that carries a user's name is refused */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	/* Value of the header Authorization, or NULL. Goes to the origin (scheme, host, port) of
	 * @url alone: from the first redirect to another one on it is not sent any more. */
	const char *authorization;
	const void *body; /* what is sent, or NULL */
	size_t body_size;
	uint64_t offset;	/* above 0: "Range: bytes=N-" */
	struct http_sink *sink; /* for the body of a 2xx answer; NULL: into the response */
	size_t body_max;	/* then at most so many bytes: more are -EFBIG */
	size_t body_min;	/* fewer, of a length that nobody announced: the connection broke */
	const atomic_bool *cancelled; /* besides the one of the options; or NULL */
	unsigned connect_seconds;     /* to connect, TLS included; 0: as long as a stall */
	bool no_redirects;	      /* refused, as they are of methods other than GET and HEAD */
	bool decodes; /* Content-Encoding, which nobody is asked for, is undone (gzip and so on) */
};

/* Why there is no answer: whether another try may help. */
enum http_failure {
	HTTP_FAILURE_NONE,
	HTTP_FAILURE_UNREACHABLE, /* no such name, no route, nobody listens */
	HTTP_FAILURE_NO_TLS,	  /* somebody listens, but speaks no TLS */
	HTTP_FAILURE_BROKEN,	  /* the connection broke, stalled, ended too early */
	HTTP_FAILURE_FINAL	  /* trust, a refusal, the sink, cancelled, too large */
};

struct http_response {
	long status;	     /* never a redirect's, but 304 */
	char *url;	     /* that answered, after redirects */
	struct strv headers; /* "name: value" in the order of the answer, names in lower case */
	char *body; /* NUL-terminated, or NULL; of an answer other than 2xx its beginning */
	size_t body_size;
	enum http_failure failure;
};

void http_response_done(struct http_response *response); /* to be used anew, all zero */
#define _cleanup_http_response_ __attribute__((cleanup(http_response_done)))

/* Value of the header @name (lower case), the one after @skip others of that name; or NULL. */
const char *http_header(const struct http_response *response, const char *name, size_t skip);

/*
 * One try. Follows redirects of GET and HEAD (ten at most, never from https to http unless
 * insecure), and refuses those of other methods. Returns 0 with any other status, or negative
 * errno: then ret->failure says of what kind. @ret must be zero; it is the caller's in any case.
 */
int http_try(struct http *http, const struct http_request *request, struct http_response *ret,
	     struct error *err) must_check;

/*
 * As http_try(), again and again where and when that has a point (retry.h), for requests without a
 * sink. Returns the last answer, of whatever status. -ECANCELED where it was cancelled.
 */
int http_request(struct http *http, const struct http_request *request, struct http_response *ret,
		 struct error *err) must_check;

/*
 * After a try of @request: http_try() returned @r, with @response and @err; what came of the tries
 * before is in @retry. Where another one has a point (retry.h), waits until it is time, and returns
 * 1; otherwise 0; or -ECANCELED.
 */
struct retry;
int http_again(struct http *http, struct retry *retry, const struct http_request *request,
	       const struct http_response *response, int r, struct error *err) must_check;

/*
 * The error that an answer stands for: @what, its status and what its body says about it (the
 * errors of distribution-spec, "message", "details"), in one line. Returns -EACCES for 401 and 403,
 * -ENOENT for 404, -EBUSY for 429, otherwise -EIO.
 */
int http_status_error(const struct http_response *response, const char *what,
		      struct error *err) must_check;

/* Parts of a URL, as libcurl itself sees them. */
struct http_url {
	char *scheme; /* "http", "https" */
	char *host;   /* in lower case; IPv6 in brackets */
	unsigned port;
};

/* Refused: schemes but http and https, and a user's name in it. */
int http_url_parse(struct http *http, const char *url, struct http_url *ret,
		   struct error *err) must_check;
void http_url_done(struct http_url *url);
#define _cleanup_http_url_ __attribute__((cleanup(http_url_done)))

bool http_url_same_origin(const struct http_url *a, const struct http_url *b);

#endif
