/* SPDX-License-Identifier: Apache-2.0 */
/* Asking one place: by which scheme, and as whom. */
#include "endpoint.h"

#include <errno.h>

#include "berth/base/alloc.h"

#include "host.h"
#include "retry.h"

#define HUB "docker.io"

/* A server that speaks no TLS may wait for more of what it takes for a request. */
#define PROBE_SECONDS 5

static void add_base(struct endpoint *endpoint, const char *scheme, const char *host,
		     const struct registry_options *options)
{
	size_t i = endpoint->base_count++;

	endpoint->bases[i] = xasprintf("%s%s", scheme, host);
	endpoint->registries[i] = (struct auth_registry){
		.base = endpoint->bases[i],
		.domain = endpoint->domain,
		.repository = endpoint->repository,
		.is_own = !endpoint->is_mirror,
	};
	endpoint->auths[i] =
		auth_new(endpoint->http, &options->credentials, &endpoint->registries[i]);
}

/* @host is without a scheme: both, where that is no risk or the user takes it. */
static void add_bases(struct endpoint *endpoint, const char *host,
		      const struct registry_options *options)
{
	add_base(endpoint, "https://", host, options);
	if (options->insecure || host_is_loopback(host))
		add_base(endpoint, "http://", host, options);
}

void endpoint_of_registry(struct endpoint *ret, struct http *http,
			  const struct reference *reference, const struct registry_options *options)
{
	*ret = (struct endpoint){
		.http = http,
		.name = xstrdup(reference->domain),
		.domain = xstrdup(reference->domain),
		.repository = reference->path,
		.query = "",
	};
	add_bases(ret, reference_host(reference), options);
}

/* The host and perhaps a path: nothing that would change what is asked. */
static int check_mirror(const char *url, const char *host, struct error *err)
{
	if (strchr(url, '@'))
		return refuse(err, "a mirror's URL has a user's name in it: that belongs into a "
				   "file of credentials");
	if (*host == '\0' || *host == '/' || strstr(host, "://") || strpbrk(host, "?#@\\ \t\r\n"))
		return refuse(err,
			      "the mirror \"%.300s\" is no URL like https://HOST[:PORT][/PATH]",
			      url);
	return 0;
}

int endpoint_of_mirror(struct endpoint *ret, struct http *http, const struct reference *reference,
		       const struct registry_options *options, const char *url, struct error *err)
{
	static const char *const schemes[] = {"https://", "http://"};
	const char *scheme = NULL, *host = url;
	_cleanup_free_ char *place = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (!str_starts(url, schemes[i]))
			continue;
		scheme = schemes[i];
		host = url + strlen(scheme);
	}
	r = check_mirror(url, host, err);
	if (r < 0)
		return r;
	place = xstrdup(host);
	for (size_t n = strlen(place); n > 0 && place[n - 1] == '/'; n--)
		place[n - 1] = '\0';
	*ret = (struct endpoint){
		.http = http,
		.name = xstrdup(url),
		.domain = xstrndup(place, strcspn(place, "/")),
		.repository = reference->path,
		.is_mirror = true,
		.query = "?ns=" HUB,
	};
	if (scheme)
		add_base(ret, scheme, place, options);
	else
		add_bases(ret, place, options);
	return 0;
}

void endpoint_done(struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->base_count; i++) {
		auth_free(endpoint->auths[i]);
		free(endpoint->bases[i]);
	}
	free(endpoint->name);
	free(endpoint->domain);
}

/* Whether the failure may come from a server that expects http; or http has another port, or a
 * proxy that https has not. */
static bool looks_like_no_tls(const struct http_response *response)
{
	return response->failure != HTTP_FAILURE_NONE && response->failure != HTTP_FAILURE_FINAL;
}

static int try_base(struct endpoint *endpoint, size_t base, struct http_request *request,
		    const char *path, struct http_response *ret, struct error *err)
{
	_cleanup_free_ char *url = xasprintf("%s/v2/%s/%s%s", endpoint->bases[base],
					     endpoint->repository, path, endpoint->query);

	request->url = url;
	return http_try(endpoint->http, request, ret, err);
}

/* What a server with TLS answers to http: 400, and a text about HTTPS. */
static bool wants_tls(const struct http_response *response)
{
	return response->status == 400 && response->body && strcasestr(response->body, "https");
}

/* Whether what http brought tells more than that https did not work. */
static bool tells_more(const struct http_response *https, const struct http_response *http)
{
	if (https->failure == HTTP_FAILURE_NO_TLS)
		return true;
	return http->status != 0 ? !wants_tls(http) : http->failure == HTTP_FAILURE_BROKEN;
}

/*
 * By the scheme that is known, or else by each: the first that gets an answer is the one from then
 * on.
 */
static int try_bases(struct endpoint *endpoint, const struct http_request *given,
		     struct http_response *ret, struct error *err)
{
	struct http_request request = *given;
	_cleanup_http_response_ struct http_response other = {0};
	size_t base = atomic_load(&endpoint->base);
	bool decided = atomic_load(&endpoint->answered) || base + 1 == endpoint->base_count;
	struct error why = ERROR_NONE;
	int r, other_r;

	if (!decided)
		request.connect_seconds = PROBE_SECONDS;
	r = try_base(endpoint, base, &request, given->url, ret, err);
	if (ret->status != 0)
		atomic_store(&endpoint->answered, true);
	if (decided || r >= 0 || !looks_like_no_tls(ret))
		return r;
	other_r = try_base(endpoint, base + 1, &request, given->url, &other, &why);
	if (!tells_more(ret, &other))
		return r;
	if (other.status != 0) {
		atomic_store(&endpoint->base, base + 1);
		atomic_store(&endpoint->answered, true);
	}
	http_response_done(ret);
	*ret = other;
	other = (struct http_response){0};
	*err = why;
	return other_r;
}

int endpoint_try(struct endpoint *endpoint, const struct http_request *request,
		 struct http_response *ret, struct error *err)
{
	_cleanup_auth_try_ struct auth_try attempt = {0};
	struct http_request authorized = *request;
	struct auth *auth = endpoint->auths[atomic_load(&endpoint->base)];
	int r = auth_prepare(auth, &attempt, err);

	while (r >= 0) {
		authorized.authorization = attempt.authorization;
		r = try_bases(endpoint, &authorized, ret, err);
		if (r < 0 || ret->status != 401)
			return r;
		/* Only now is it known by which scheme. */
		auth = endpoint->auths[atomic_load(&endpoint->base)];
		r = auth_challenged(auth, ret, &attempt, err);
		if (r >= 0)
			http_response_done(ret);
	}
	ret->failure = HTTP_FAILURE_FINAL;
	return r;
}

int endpoint_request(struct endpoint *endpoint, const struct http_request *request,
		     struct http_response *ret, struct error *err)
{
	struct retry retry = {.has_fallback = endpoint->is_mirror};

	for (;;) {
		int r = endpoint_try(endpoint, request, ret, err);
		int again = http_again(endpoint->http, &retry, request, ret, r, err);

		if (again <= 0)
			return again < 0 ? again : r;
		http_response_done(ret);
	}
}
