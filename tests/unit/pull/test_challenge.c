/* SPDX-License-Identifier: Apache-2.0 */
/* What registries ask with, and what no reader should be led astray by. */
#include "registry/challenge.h"

#include "../base/unit.h"

/* A text without end would be too long for a table: lines of it are made here. */
static char *repeated(const char *text, size_t times)
{
	_cleanup_buf_ struct buf buf = BUF_EMPTY;

	while (times--)
		buf_add_string(&buf, text);
	return buf_take(&buf);
}

static const char *shown(const char *text)
{
	return text ? text : "-";
}

/* "scheme realm service scope error" of each challenge, in one line. */
static char *summary(const char *const *lines)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct challenge all[CHALLENGES_MAX];
	size_t count = challenges_parse(arena, lines, all);

	assert_true(count <= CHALLENGES_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(&out, "%s%s|%s|%s|%s|%s", i ? " ; " : "", all[i].scheme,
			   shown(all[i].realm), shown(all[i].service), shown(all[i].scope),
			   shown(all[i].error));
	return buf_take(&out);
}

static void check(const char *line, const char *expected)
{
	const char *const lines[] = {line, NULL};
	_cleanup_free_ char *found = summary(lines);

	if (!str_equal(found, expected))
		fail_msg("%s\n  gives    %s\n  expected %s", line, found, expected);
}

static void test_grammar(void **state)
{
	static const struct {
		const char *line, *expected;
	} rows[] = {
		{"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
		 "scope=\"repository:library/alpine:pull\"",
		 "bearer|https://auth.docker.io/token|registry.docker.io|"
		 "repository:library/alpine:pull|-"},
		{"Bearer "
		 "realm=\"r\",scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\"",
		 "bearer|r|-|repository:a/b:pull,push|insufficient_scope"},
		{"Basic realm=\"x\"", "basic|x|-|-|-"},
		{"BASIC REALM=x", "basic|x|-|-|-"},
		{"basic", "basic|-|-|-|-"},
		{"bEaReR ReAlM = \"r\" , SERVICE\t=\ts", "bearer|r|s|-|-"},
		{"Bearer realm=https://a.example/t?x=y;z,service=s",
		 "bearer|https://a.example/t?x=y;z|s|-|-"},
		{"Basic realm=\"a, Bearer realm=\\\"b\\\"\"", "basic|a, Bearer realm=\"b\"|-|-|-"},
		{"Basic realm=\"a\\\\\"", "basic|a\\|-|-|-"},
		{"Basic realm=\"\"", "basic|-|-|-|-"},
		{"Basic realm=\"x\", Bearer realm=\"y\",service=s",
		 "basic|x|-|-|- ; bearer|y|s|-|-"},
		{"Bearer realm=\"y\",service=s, Basic realm=\"x\"",
		 "bearer|y|s|-|- ; basic|x|-|-|-"},
		{"Negotiate, Basic realm=x", "negotiate|-|-|-|- ; basic|x|-|-|-"},
		{"Negotiate YWJj==, Basic realm=x", "negotiate|-|-|-|- ; basic|x|-|-|-"},
		{"NTLM YWJj, Bearer realm=x", "ntlm|-|-|-|- ; bearer|x|-|-|-"},
		{"Digest realm=\"d\",nonce=\"n,\",qop=\"auth, auth-int\" , Basic realm=\"b\"",
		 "digest|d|-|-|- ; basic|b|-|-|-"},
		{",, Basic realm=x ,, , charset=\"UTF-8\",", "basic|x|-|-|-"},
		{"", ""},
		{" \t", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].line, rows[i].expected);
}

/* What cannot be read counts as not there, whole: half a challenge is none. */
static void test_broken(void **state)
{
	static const char *const lines[] = {
		"realm=\"x\"",
		"Bearer realm=\"x",
		"Bearer realm=\"x\\",
		"Bearer realm=\"x\\\"",
		"Bearer realm=\"x\" service=\"y\"",
		"Bearer realm=\"x\"service=\"y\"",
		"Bearer realm=\"x\", =y",
		"Bearer realm=, service=, =",
		"Bearer realm=\"x\",realm=\"y\"",
		"Bearer realm=\"x\",service=\"s\",REALM=y",
		"Bearer \"x\"",
		"Bearer a b",
		"Bearer realm=\"x\ny\"",
		"Bearer realm=\"x\\\ny\"",
		"Bearer realm=\"x\x7f\"",
		"Bearer realm=a\"b\"",
		"Bearer realm=a\\b",
		"Be@rer realm=x",
		"Bearer: realm=x",
		"Basic realm=x, \xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		check(lines[i], "");
}

static void test_lines(void **state)
{
	const char *const good[] = {"Basic realm=\"x\"", "Bearer realm=\"y\",service=\"s\"", NULL};
	const char *const damaged[] = {"Bearer realm=\"x", "Basic realm=\"y\"", NULL};
	const char *const none[] = {NULL};
	_cleanup_free_ char *a = summary(good), *b = summary(damaged), *c = summary(none),
			    *d = summary(NULL);

	(void)state;
	assert_string_equal(a, "basic|x|-|-|- ; bearer|y|s|-|-");
	/* A parameter never joins the challenge of another line. */
	assert_string_equal(b, "basic|y|-|-|-");
	assert_string_equal(c, "");
	assert_string_equal(d, "");
}

static void test_bounds(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *blanks = repeated(" ", CHALLENGE_LINE_MAX - strlen("Basic"));
	_cleanup_free_ char *many = repeated("Basic realm=x, ", 100);
	_cleanup_free_ char *fits = xasprintf("Basic%s", blanks);
	_cleanup_free_ char *longer = xasprintf("Basic %s", blanks);
	const char *const lines[] = {longer, fits, many, many, NULL};
	struct challenge all[CHALLENGES_MAX];

	(void)state;
	check(fits, "basic|-|-|-|-");
	check(longer, "");
	assert_int_equal(challenges_parse(arena, lines, all), CHALLENGES_MAX);
	assert_null(all[0].realm);
	assert_string_equal(all[CHALLENGES_MAX - 1].realm, "x");
}

static void test_find(void **state)
{
	const char *const lines[] = {"Basic realm=a, Bearer realm=b, Bearer realm=c", NULL};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct challenge all[CHALLENGES_MAX];
	size_t count = challenges_parse(arena, lines, all);

	(void)state;
	assert_string_equal(challenge_find(all, count, "bearer")->realm, "b");
	assert_null(challenge_find(all, count, "negotiate"));
	assert_null(challenge_find(all, 0, "basic"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_lines),	cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
