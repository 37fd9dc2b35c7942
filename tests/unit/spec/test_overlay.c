/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations that make the root an overlay. */
#include "unit.h"

/* The member `annotations` with these, in the order lower, upper, work; NULL: not there. */
static char *annotations(const char *lower, const char *upper, const char *work)
{
	const char *const values[] = {lower, upper, work};
	static const char *const names[] = {"lower", "upper", "work"};
	struct buf text = BUF_EMPTY;

	buf_add_string(&text, "\"annotations\": {\"org.example\": \"x\"");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i] != NULL)
			buf_printf(&text, ", \"org.berth.overlay.%s\": \"%s\"", names[i],
				   values[i]);
	}
	buf_add_string(&text, "},");
	return buf_take(&text);
}

static void test_layers(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = annotations("/top:layers/../base", "upper", "/w/./x/");
	const struct spec *spec = accept(arena, TOP, text);

	(void)state;
	assert_int_equal(spec->overlay.lower_count, 2);
	assert_string_equal(spec->overlay.lower[0], "/top");
	assert_string_equal(spec->overlay.lower[1], BUNDLE "/base");
	assert_null(spec->overlay.lower[2]);
	assert_string_equal(spec->overlay.upper, BUNDLE "/upper");
	assert_string_equal(spec->overlay.work, "/w/x");
	assert_int_equal(spec->annotations.count, 4);
}

static void test_read_only(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = annotations("one", NULL, NULL);
	const struct spec *spec = accept(arena, TOP, text);

	(void)state;
	assert_int_equal(spec->overlay.lower_count, 1);
	assert_string_equal(spec->overlay.lower[0], BUNDLE "/one");
	assert_null(spec->overlay.upper);
	assert_null(spec->overlay.work);
}

/* The texts here are JSON's: a backslash of a name is written twice. */
static void test_escapes(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = annotations("/a\\\\:b:/c\\\\\\\\:/d", NULL, NULL);
	const struct spec *spec = accept(arena, TOP, text);

	(void)state;
	assert_int_equal(spec->overlay.lower_count, 3);
	assert_string_equal(spec->overlay.lower[0], "/a:b");
	assert_string_equal(spec->overlay.lower[1], "/c\\");
	assert_string_equal(spec->overlay.lower[2], "/d");
}

#define A(name) "annotations[\"org.berth.overlay." name "\"]: "

static void test_refused(void **state)
{
	static const struct {
		const char *lower, *upper, *work, *error;
	} cases[] = {
		{"/l", "/u", NULL, A("upper") "needs org.berth.overlay.work as well"},
		{"/l", NULL, "/w", A("work") "needs org.berth.overlay.upper as well"},
		{NULL, "/u", NULL, A("upper") "needs org.berth.overlay.work as well"},
		{NULL, "/u", "/w", A("upper") "needs org.berth.overlay.lower as well"},
		{"/l", "", "/w", A("upper") "must not be empty"},
		{"/l", "/u", "", A("work") "must not be empty"},
		{"", NULL, NULL,
		 A("lower") "\"\" is not a list of directories with \":\" between them"},
		{"/a::/b", NULL, NULL,
		 A("lower") "\"/a::/b\" is not a list of directories with \":\" between them"},
		{"/a:", NULL, NULL,
		 A("lower") "\"/a:\" is not a list of directories with \":\" between them"},
		{":/a", NULL, NULL,
		 A("lower") "\":/a\" is not a list of directories with \":\" between them"},
		{"/a\\\\b", NULL, NULL,
		 A("lower") "\"/a\\b\" is not a list of directories with \":\" between them"},
		{"/a\\\\", NULL, NULL,
		 A("lower") "\"/a\\\" is not a list of directories with \":\" between them"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text =
			annotations(cases[i].lower, cases[i].upper, cases[i].work);

		reject(TOP, text, cases[i].error);
	}
}

static void test_misspelt(void **state)
{
	(void)state;
	reject(TOP, "\"annotations\": {\"org.berth.overlay.lowers\": \"/a\"},",
	       A("lowers") "berth has no such annotation; there are lower, upper, work and idmap");
	reject(TOP, "\"annotations\": {\"org.berth.overlay.\": \"/a\"},",
	       A("") "berth has no such annotation; there are lower, upper, work and idmap");
}

static void test_idmap(void **state)
{
	static const char in_user[] =
		"{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"annotations\": {"
		"\"org.berth.overlay.lower\": \"/a\", \"org.berth.overlay.idmap\": \"lower\"},"
		"\"linux\": {\"namespaces\": [{\"type\": \"mount\"},"
		"{\"type\": \"user\", \"path\": \"/u\"}]}}";
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	assert_true(accept(arena, WHOLE, in_user)->overlay.map_lower);
	reject(TOP,
	       "\"annotations\": {\"org.berth.overlay.lower\": \"/a\","
	       "\"org.berth.overlay.idmap\": \"lower\"},",
	       A("idmap") "needs a \"user\" namespace in linux.namespaces");
	reject(TOP,
	       "\"annotations\": {\"org.berth.overlay.lower\": \"/a\","
	       "\"org.berth.overlay.idmap\": \"true\"},",
	       A("idmap") "\"true\" is not one of lower");
	reject(TOP, "\"annotations\": {\"org.berth.overlay.idmap\": \"lower\"},",
	       A("idmap") "needs org.berth.overlay.lower as well");
}

/* The kernel stacks 500 directories, and refuses the next one. */
static void test_many(void **state)
{
	(void)state;
	for (size_t count = 500; count <= 501; count++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf lower = BUF_EMPTY;
		_cleanup_free_ char *text = NULL;

		buf_add_string(&lower, "/0");
		for (size_t i = 1; i < count; i++)
			buf_printf(&lower, ":/%zu", i);
		text = annotations(lower.data, NULL, NULL);
		if (count == 500)
			assert_int_equal(accept(arena, TOP, text)->overlay.lower_count, 500);
		else
			reject(TOP, text,
			       A("lower") "has more than 500 directories, which is what the kernel "
					  "stacks at most");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),	 cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_escapes),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_misspelt), cmocka_unit_test(test_many),
		cmocka_unit_test(test_idmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
