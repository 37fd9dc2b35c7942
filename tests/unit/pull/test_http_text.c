/* SPDX-License-Identifier: Apache-2.0 */
/* What URLs consist of, and what refusals say. */
#include "registry/http.h"

#include "../base/unit.h"

static void test_status_error(void **state)
{
	static const struct {
		long status;
		const char *body;
		int code;
		const char *text;
	} rows[] = {
		{404, "", -ENOENT, "pull x: status 404 Not Found"},
		{404, "<html>", -ENOENT, "pull x: status 404 Not Found"},
		{403, "{\"details\":\"who?\"}", -EACCES, "pull x: status 403 Forbidden: who?"},
		{429, "{\"errors\":[{\"code\":\"C\",\"message\":\"too many\"}]}", -EBUSY,
		 "pull x: status 429 Too Many Requests: too many"},
		{500, "{\"errors\":[{\"code\":\"C\",\"message\":\"\"}]}", -EIO,
		 "pull x: status 500 Internal Server Error: C"},
		{418, "{\"errors\":[],\"message\":\"m\"}", -EIO, "pull x: status 418: m"},
		{500, "{\"errors\":[7]}", -EIO, "pull x: status 500 Internal Server Error"},
		{500, "[]", -EIO, "pull x: status 500 Internal Server Error"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_response response = {.status = rows[i].status,
						 .body = (char *)(uintptr_t)rows[i].body,
						 .body_size = strlen(rows[i].body)};
		struct error err = ERROR_NONE;

		assert_int_equal(http_status_error(&response, "pull x", &err), rows[i].code);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void test_urls(void **state)
{
	static const struct {
		const char *url, *scheme, *host;
		unsigned port;
	} rows[] = {
		{"https://Example.COM/x", "https", "example.com", 443},
		{"http://example.com:8080", "http", "example.com", 8080},
		{"HTTP://[::1]:5000/x?y#z", "http", "[::1]", 5000},
		{"https://a@example.com/", NULL, NULL, 0},
		{"https://a:b@example.com/", NULL, NULL, 0},
		{"ftp://example.com/", NULL, NULL, 0},
		{"file:///etc/passwd", NULL, NULL, 0},
		{"example.com/x", NULL, NULL, 0},
		{"https://", NULL, NULL, 0},
		{"https://example.com:99999/", NULL, NULL, 0},
		{"https://exa mple.com/", NULL, NULL, 0},
		{"", NULL, NULL, 0},
	};
	struct http_options options = {0};
	struct http *http = http_new(&options);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_http_url_ struct http_url url = {0};
		struct error err = ERROR_NONE;
		int r = http_url_parse(http, rows[i].url, &url, &err);

		if ((r >= 0) != (rows[i].scheme != NULL))
			fail_msg("row %zu: %d %s", i, r, err.text);
		if (r < 0)
			continue;
		assert_string_equal(url.scheme, rows[i].scheme);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.port, rows[i].port);
	}
	http_free(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_error),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
