/* SPDX-License-Identifier: Apache-2.0 */
/* How a token is asked for, and which answers hold one. */
#include "registry/token.h"

#include "../base/unit.h"

#define REALM "https://auth.example/token"

static struct credentials alice = {
	.kind = CREDENTIALS_PASSWORD, .user = (char[]){"al ice&x"}, .secret = (char[]){"se:cret"}};
static struct credentials identity = {.kind = CREDENTIALS_IDENTITY_TOKEN,
				      .secret = (char[]){"re+fresh=="}};
static const struct credentials none = {.kind = CREDENTIALS_NONE};

static void test_url(void **state)
{
	static const struct {
		struct token_request request;
		const char *expected;
	} rows[] = {
		{{REALM, "registry.example", "repository:a/b:pull", &none},
		 REALM "?service=registry.example&scope=repository:a/b:pull"},
		{{REALM "?x=1", "s", "repository:a/b:pull", &none},
		 REALM "?x=1&service=s&scope=repository:a/b:pull"},
		{{REALM, NULL, "repository:a/b:pull", &none}, REALM "?scope=repository:a/b:pull"},
		{{REALM, "a b&c=d#e", " r:a:pull,push  r:b:pull ", &none},
		 REALM "?service=a%20b%26c%3Dd%23e&scope=r:a:pull,push&scope=r:b:pull"},
		{{REALM, "s", "r", &alice}, REALM "?service=s&scope=r&account=al%20ice%26x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *url = token_url(&rows[i].request);

		assert_string_equal(url, rows[i].expected);
	}
}

static void test_form(void **state)
{
	const struct token_request request = {REALM, "s", "r:a:pull r:b:pull", &identity};
	_cleanup_free_ char *form = token_form(&request), *basic = token_basic(&alice);

	(void)state;
	assert_string_equal(form, "grant_type=refresh_token&service=s&client_id=berth-pull&"
				  "scope=r:a:pull%20r:b:pull&refresh_token=re%2Bfresh%3D%3D");
	assert_string_equal(basic, "Basic YWwgaWNlJng6c2U6Y3JldA==");
}

static void test_answer(void **state)
{
	static const struct {
		const char *text, *token;
		int64_t seconds;
	} rows[] = {
		{"{\"token\":\"t.o-k_e~n+/=\",\"expires_in\":300,\"issued_at\":\"x\"}",
		 "t.o-k_e~n+/=", 300},
		{"{\"access_token\":\"a\"}", "a", 60},
		{"{\"token\":\"t\",\"access_token\":\"a\"}", "t", 60},
		{"{\"token\":\"\",\"access_token\":\"a\"}", "a", 60},
		{"{\"token\":null,\"access_token\":\"a\"}", "a", 60},
		{"{\"token\":\"t\",\"expires_in\":\"300\"}", "t", 60},
		{"{\"token\":\"t\",\"expires_in\":1.5}", "t", 60},
		{"{\"token\":\"t\",\"expires_in\":99999999999999999999}", "t", 60},
		{"{\"token\":\"t\",\"expires_in\":0}", "t", 0},
		{"{\"token\":\"t\",\"expires_in\":-5}", "t", 0},
		{"{\"token\":\"t\",\"expires_in\":9223372036854775807}", "t", 86400},
	};
	static const char *const wrong[] = {
		"",
		"secret",
		"[\"secret\"]",
		"\"secret\"",
		"{}",
		"{\"token\":7}",
		"{\"Token\":\"secret\"}",
		"{\"token\":\"secret secret\"}",
		"{\"token\":\"secret\\r\\nX: y\"}",
		"{\"token\":\"secr\\u00e9t\"}",
		"{\"token\":\"secret\",\"token\":\"secret2\"}",
		"{\"token\":\"secret\"",
	};
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *token = NULL;
		int64_t seconds = -1;

		assert_fine(
			token_read(rows[i].text, strlen(rows[i].text), "x", &token, &seconds, &err),
			err);
		assert_string_equal(token, rows[i].token);
		assert_int_equal(seconds, rows[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *token = NULL;
		int64_t seconds = -1;

		if (token_read(wrong[i], strlen(wrong[i]), "server", &token, &seconds, &err) >= 0)
			fail_msg("accepted: %s", wrong[i]);
		assert_null(token);
		assert_int_equal(seconds, -1);
		assert_contains(err.text, "server");
		assert_null(strstr(err.text, "secr"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
