/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says when it refuses: its status, and the words in its body. */
#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/json_read.h"

#include "http.h"

#define WORDS_MAX 400 /* bytes of the server's own */

static const struct {
	long status;
	const char *text;
} names[] = {
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{416, "Range Not Satisfiable"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{520, "Web Server Returned an Unknown Error"},
	{521, "Web Server Is Down"},
	{522, "Connection Timed Out"},
	{523, "Origin Is Unreachable"},
	{524, "A Timeout Occurred"},
};

static const struct {
	long status;
	int code;
} codes[] = {{401, -EACCES}, {403, -EACCES}, {404, -ENOENT}, {429, -EBUSY}};

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *value = object ? json_member(object, key) : NULL;

	return value && value->type == JSON_STRING && value->text[0] ? value->text : NULL;
}

/* The first text of the first object that has one: distribution-spec's list of errors, or what
 * token servers answer. */
static const char *find_words(const struct json *root)
{
	static const char *const keys[] = {"message", "details", "error_description", "code",
					   "error"};
	const struct json *errors = json_member(root, "errors");
	const struct json *objects[] = {errors && errors->type == JSON_ARRAY ? errors->item : NULL,
					root};

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (!objects[i] || objects[i]->type != JSON_OBJECT)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (text_of(objects[i], keys[k]))
				return text_of(objects[i], keys[k]);
	}
	return NULL;
}

static const char *read_words(struct arena *arena, const struct http_response *response)
{
	const struct json *root = NULL;
	struct error err = ERROR_NONE;

	/* A body that is no JSON is a page for browsers. */
	if (!response->body || response->body_size == 0 ||
	    json_read(arena, response->body, response->body_size, "answer", &root, &err) < 0 ||
	    root->type != JSON_OBJECT)
		return NULL;
	return find_words(root);
}

int http_status_error(const struct http_response *response, const char *what, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *words = read_words(arena, response), *name = "";
	int code = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].status == response->status)
			name = names[i].text;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].status == response->status)
			code = codes[i].code;
	return refuse_as(err, code, "%s: status %ld%s%s%s%.*s", what, response->status,
			 *name ? " " : "", name, words ? ": " : "", WORDS_MAX, words ? words : "");
}
