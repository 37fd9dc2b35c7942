/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: how they are asked for, and what the answer holds. */
#include "token.h"

#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/json_read.h"
#include "berth/base/str.h"

#include "common/base64.h"

#define CLIENT_ID "berth-pull"

/* A day; longer than any pull. */
#define SECONDS_MAX 86400

/* Percent-encodes what may not stand in the value of a query (RFC 3986 §3.4) or a form. */
static void add_encoded(struct buf *out, const char *text, size_t length)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~:/,";

	for (size_t i = 0; i < length; i++) {
		if (strchr(plain, text[i]))
			buf_add_char(out, text[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

/* "NAME=VALUE", with what parts it from what stands before. */
static void add_parameter(struct buf *out, const char *separator, const char *name,
			  const char *value)
{
	buf_printf(out, "%s%s=", separator, name);
	add_encoded(out, value, strlen(value));
}

char *token_url(const struct token_request *request)
{
	_cleanup_buf_ struct buf url = BUF_EMPTY;
	const char *separator = strchr(request->realm, '?') ? "&" : "?";
	const char *scope = request->scope;

	buf_add_string(&url, request->realm);
	if (request->service) {
		add_parameter(&url, separator, "service", request->service);
		separator = "&";
	}
	/* Each scope is a parameter of its own here. */
	for (scope += strspn(scope, " "); *scope; scope += strspn(scope, " ")) {
		size_t length = strcspn(scope, " ");

		buf_printf(&url, "%sscope=", separator);
		add_encoded(&url, scope, length);
		scope += length;
		separator = "&";
	}
	if (request->credentials->kind == CREDENTIALS_PASSWORD)
		add_parameter(&url, separator, "account", request->credentials->user);
	return buf_take(&url);
}

char *token_form(const struct token_request *request)
{
	_cleanup_buf_ struct buf form = BUF_EMPTY;

	add_parameter(&form, "", "grant_type", "refresh_token");
	if (request->service)
		add_parameter(&form, "&", "service", request->service);
	add_parameter(&form, "&", "client_id", CLIENT_ID);
	add_parameter(&form, "&", "scope", request->scope);
	add_parameter(&form, "&", "refresh_token", request->credentials->secret);
	return buf_take(&form);
}

char *token_basic(const struct credentials *credentials)
{
	_cleanup_free_ char *pair = xasprintf("%s:%s", credentials->user, credentials->secret);
	_cleanup_free_ char *encoded = base64_encode(pair, strlen(pair));

	return xasprintf("Basic %s", encoded);
}

/* Fit to be part of a header. */
static bool is_token(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);

	return value && value->type == JSON_STRING && *value->text ? value->text : NULL;
}

int token_read(const char *text, size_t size, const char *what, char **ret_token,
	       int64_t *ret_seconds, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *answer = NULL, *expires;
	const char *token = NULL;
	int64_t seconds = TOKEN_SECONDS;
	int r = json_read(arena, text, size, what, &answer, err);

	if (r < 0)
		return r;
	if (answer->type == JSON_OBJECT)
		token = text_of(answer, "token");
	if (answer->type == JSON_OBJECT && !token)
		token = text_of(answer, "access_token");
	if (!token || !is_token(token))
		return refuse(err, "%s: its answer holds no token", what);
	expires = json_member(answer, "expires_in");
	if (!expires || json_to_i64(expires, &seconds) < 0)
		seconds = TOKEN_SECONDS;
	if (seconds < 0)
		seconds = 0;
	*ret_token = xstrdup(token);
	*ret_seconds = seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
	return 0;
}

/*
 * A code that says nothing about what was asked of the registry: there "not found" and "too large"
 * are about an image.
 */
static int own_code(int r, struct error *err)
{
	if (r != -ECANCELED && r != -EACCES)
		r = -EIO;
	err->code = r;
	return r;
}

/* Text and code for a token server that gives no token. */
static int refused(const struct http_response *response, const struct token_request *request,
		   const char *what, struct error *err)
{
	const struct credentials *credentials = request->credentials;
	bool is_denied =
		response->status == 401 ||
		(response->status == 400 && credentials->kind == CREDENTIALS_IDENTITY_TOKEN);
	int r = http_status_error(response, what, err);
	struct error cause = *err;

	/* Some say so of what is not there, or not for everybody. */
	if (response->status == 403 && credentials->kind == CREDENTIALS_NONE)
		return refuse_as(err, -ENOKEY,
				 "%.1500s; what needs a login needs --creds or --authfile",
				 cause.text);
	if (is_denied && credentials->kind == CREDENTIALS_NONE)
		return refuse_as(err, -ENOKEY, "%s wants a login: use --creds or --authfile", what);
	if (is_denied)
		return refuse_as(err, -EKEYREJECTED, "%s takes no such credentials: those of %s",
				 what, credentials->origin);
	return own_code(r, err);
}

int token_fetch(struct http *http, const struct token_request *request, char **ret_token,
		int64_t *ret_seconds, struct error *err)
{
	bool is_form = request->credentials->kind == CREDENTIALS_IDENTITY_TOKEN;
	static const char *const form_headers[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL};
	_cleanup_http_response_ struct http_response response = {0};
	_cleanup_free_ char *what = xasprintf("token server \"%.200s\"", request->realm);
	_cleanup_free_ char *url = is_form ? xstrdup(request->realm) : token_url(request);
	_cleanup_free_ char *form = is_form ? token_form(request) : NULL;
	_cleanup_free_ char *basic = NULL;
	struct http_request query = {.method = is_form ? "POST" : NULL,
				     .url = url,
				     .headers = is_form ? form_headers : NULL,
				     .body = form,
				     .body_size = form ? strlen(form) : 0,
				     .body_max = TOKEN_ANSWER_MAX,
				     .no_redirects = true,
				     .decodes = true};
	int r;

	if (request->credentials->kind == CREDENTIALS_PASSWORD)
		basic = token_basic(request->credentials);
	query.authorization = basic;
	r = http_request(http, &query, &response, err);
	if (r < 0)
		return within(err, own_code(r, err), "%s", what);
	if (response.status != 200)
		return refused(&response, request, what, err);
	return token_read(response.body ? response.body : "", response.body_size, what, ret_token,
			  ret_seconds, err);
}
