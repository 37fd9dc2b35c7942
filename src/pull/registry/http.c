/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: redirects, and trying again.
 *
 * Redirects are followed here and not by libcurl, since each hop has its own rules: the
 * certificates of its host, no way back from https, and no credentials from the first other origin
 * on, not even where a later hop returns to the first.
 */
#include "http.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/log.h"

#include "retry.h"
#include "transfer.h"

#define REDIRECTS_MAX	10
#define STALL_SECONDS	30
#define CANCEL_WATCH_MS 50 /* while nothing is done but waiting */

struct http *http_new(const struct http_options *options)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->options = *options;
	if (http->options.stall_seconds == 0)
		http->options.stall_seconds = STALL_SECONDS;
	pthread_mutex_init(&http->lock, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(http->share_locks); i++)
		pthread_mutex_init(&http->share_locks[i], NULL);
	return http;
}

struct http *http_free(struct http *http)
{
	if (!http)
		return NULL;
	while (http->idle) {
		struct http_handle *handle = http->idle;

		http->idle = handle->next;
		http_handle_free(http, handle);
	}
	if (http->share)
		http->curl.share_cleanup(http->share);
	certs_free(http->certs);
	for (size_t i = 0; i < ARRAY_SIZE(http->share_locks); i++)
		pthread_mutex_destroy(&http->share_locks[i]);
	pthread_mutex_destroy(&http->lock);
	free(http);
	return NULL;
}

void http_response_done(struct http_response *response)
{
	free(response->url);
	strv_done(&response->headers);
	free(response->body);
	*response = (struct http_response){0};
}

const char *http_header(const struct http_response *response, const char *name, size_t skip)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < response->headers.count; i++) {
		const char *line = response->headers.items[i];

		if (strncmp(line, name, length) != 0 || line[length] != ':' || skip-- > 0)
			continue;
		line += length + 1;
		return line + strspn(line, " \t");
	}
	return NULL;
}

void http_url_done(struct http_url *url)
{
	free(url->scheme);
	free(url->host);
	*url = (struct http_url){0};
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
	return str_equal(a->scheme, b->scheme) && str_equal(a->host, b->host) && a->port == b->port;
}

/* A part of @url as a text of ours, or NULL. */
static char *url_part(const struct curl_api *curl, CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy;

	if (curl->url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return NULL;
	copy = xstrdup(text);
	curl->free(text);
	return copy;
}

/*
 * Resolves @reference against @base (or NULL); yields the whole, without what follows "#". Blanks
 * and what is not ASCII, which some servers write into Location, are encoded; all else stays as it
 * is, since a signature may be of it.
 */
static int url_resolve(const struct curl_api *curl, const char *base, const char *reference,
		       char **ret_url, struct http_url *ret)
{
	const unsigned flags =
		CURLU_DISALLOW_USER | (base ? CURLU_URLENCODE | CURLU_ALLOW_SPACE : 0);
	CURLU *url = curl->url();
	_cleanup_free_ char *port = NULL;
	uint32_t number = 0;
	int r = -EINVAL;

	if (!url)
		out_of_memory();
	if ((!base || curl->url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK) &&
	    curl->url_set(url, CURLUPART_URL, reference, flags) == CURLUE_OK &&
	    curl->url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK) {
		ret->scheme = url_part(curl, url, CURLUPART_SCHEME);
		ret->host = url_part(curl, url, CURLUPART_HOST);
		port = url_part(curl, url, CURLUPART_PORT);
		*ret_url = url_part(curl, url, CURLUPART_URL);
	}
	curl->url_cleanup(url);
	if (ret->scheme && ret->host && *ret_url && port && str_to_u32(port, &number) >= 0 &&
	    (str_equal(ret->scheme, "http") || str_equal(ret->scheme, "https")))
		r = 0;
	ret->port = number;
	for (char *c = ret->host; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return r;
}

/* What stands before "@" is nobody's business, and a query may be a key. */
static int refuse_url(struct error *err, const char *before, const char *url)
{
	if (strchr(url, '@'))
		return refuse(err, "%sa URL with a user's name in it", before);
	return refuse(err, "%s\"%.*s\": no http or https URL", before, (int)strcspn(url, "?#"),
		      url);
}

int http_url_parse(struct http *http, const char *url, struct http_url *ret, struct error *err)
{
	_cleanup_http_url_ struct http_url parts = {0};
	_cleanup_free_ char *whole = NULL;
	int r = transfer_load(http, err);

	if (r < 0)
		return r;
	if (url_resolve(&http->curl, NULL, url, &whole, &parts) < 0)
		return refuse_url(err, "", url);
	*ret = parts;
	parts = (struct http_url){0};
	return 0;
}

static bool is_redirect(const struct http_response *response)
{
	static const long statuses[] = {301, 302, 303, 307, 308};

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (response->status == statuses[i])
			return http_header(response, "location", 0) != NULL;
	return false;
}

static bool may_redirect(const struct http_request *request)
{
	return !request->no_redirects && (!request->method || str_equal(request->method, "GET") ||
					  str_equal(request->method, "HEAD"));
}

/*
 * Where an answer sends us: *url and @exchange become those of the next hop.
 */
static int follow(struct http *http, struct exchange *exchange, char **url,
		  const struct http_response *response, struct error *err)
{
	const char *location = http_header(response, "location", 0);
	_cleanup_free_ char *what = exchange_text(exchange), *next = NULL;
	_cleanup_http_url_ struct http_url where = {0};

	if (!may_redirect(exchange->request))
		return refuse(err, "%s: the answer is a redirect, which is not followed", what);
	if (url_resolve(&http->curl, *url, location, &next, &where) < 0 || !where.scheme)
		return within(err, refuse_url(err, "a redirect to ", location), "%s", what);
	if (str_equal(exchange->where.scheme, "https") && str_equal(where.scheme, "http") &&
	    !http->options.insecure)
		return refuse(err,
			      "%s: redirects from https to http (\"%.*s\"), which only "
			      "--insecure allows",
			      what, (int)strcspn(next, "?"), next);
	if (!http_url_same_origin(&exchange->where, &where))
		exchange->authorized = false;
	http_url_done(&exchange->where);
	exchange->where = where;
	where = (struct http_url){0};
	free(*url);
	*url = take_ptr(&next);
	exchange->url = *url;
	return 0;
}

static int try_hops(struct http *http, struct exchange *exchange, char **url,
		    struct http_response *ret, struct error *err)
{
	for (int hops = 0;; hops++) {
		int r;

		http_response_done(ret);
		r = transfer(http, exchange, ret, err);
		if (r < 0 || !is_redirect(ret))
			return r;
		ret->failure = HTTP_FAILURE_FINAL;
		if (hops >= REDIRECTS_MAX)
			return refuse_as(err, -ELOOP, "%.*s: more than %d redirects",
					 (int)strcspn(exchange->request->url, "?#"),
					 exchange->request->url, REDIRECTS_MAX);
		r = follow(http, exchange, url, ret, err);
		if (r < 0)
			return r;
	}
}

int http_try(struct http *http, const struct http_request *request, struct http_response *ret,
	     struct error *err)
{
	struct exchange exchange = {.request = request, .authorized = true};
	_cleanup_free_ char *url = xstrdup(request->url);
	int r = http_url_parse(http, url, &exchange.where, err);

	ret->failure = HTTP_FAILURE_FINAL;
	if (r < 0 || !exchange.where.scheme)
		return r;
	exchange.url = url;
	r = try_hops(http, &exchange, &url, ret, err);
	ret->url = take_ptr(&url);
	http_url_done(&exchange.where);
	return r;
}

/* There is nothing to be woken by: the flag is set by a signal, which may meet any thread. */
static int wait_ms(struct http *http, const struct http_request *request, int64_t ms,
		   struct error *err)
{
	int64_t end = clock_now_ms() + ms, left;

	while ((left = end - clock_now_ms()) > 0) {
		if (transfer_is_cancelled(http, request))
			return refuse_as(err, -ECANCELED, "cancelled while waiting to try again");
		poll(NULL, 0, left < CANCEL_WATCH_MS ? (int)left : CANCEL_WATCH_MS);
	}
	return 0;
}

int http_again(struct http *http, struct retry *retry, const struct http_request *request,
	       const struct http_response *response, int r, struct error *err)
{
	struct retry_event event = {.response = response, .now = time(NULL)};
	_cleanup_free_ char *what = NULL;
	struct error why = ERROR_NONE;
	int64_t ms;

	if (getrandom(&event.chance, sizeof(event.chance), 0) < 0)
		event.chance = 0; /* no harm: all wait alike */
	retry->wait = http->options.wait;
	ms = retry_next(retry, &event);
	if (ms < 0)
		return 0;
	if (r >= 0) {
		/* The query of a URL that one is redirected to is a key. */
		what = xstrndup(response->url, strcspn(response->url, "?#"));
		ignore(http_status_error(response, what, &why)); /* for its text */
	}
	log_warning("%s; trying again in %lld.%lld s", r < 0 ? err->text : why.text,
		    (long long)ms / 1000, (long long)ms / 100 % 10);
	r = wait_ms(http, request, ms, err);
	return r < 0 ? r : 1;
}

int http_request(struct http *http, const struct http_request *request, struct http_response *ret,
		 struct error *err)
{
	struct retry retry = {0};

	for (;;) {
		int r = http_try(http, request, ret, err);
		int again = http_again(http, &retry, request, ret, r, err);

		if (again <= 0)
			return again < 0 ? again : r;
		http_response_done(ret);
	}
}
