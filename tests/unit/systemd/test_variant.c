/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "message.h"
#include "variant.h"

/* Messages are made for a connection; this one leads to nobody. */
struct line {
	sd_bus *bus;
	sd_bus_message *message;
	struct arena *arena;
	int other;
};

static int line_make(void **state)
{
	struct line *line = xcalloc(1, sizeof(*line));
	int pair[2];

	line->arena = arena_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	line->other = pair[1];
	assert_true(sd_bus_new(&line->bus) >= 0);
	assert_true(sd_bus_set_fd(line->bus, pair[0], pair[0]) >= 0);
	assert_true(sd_bus_start(line->bus) >= 0);
	assert_true(sd_bus_message_new_signal(line->bus, &line->message, "/x", "x.y", "Z") >= 0);
	*state = line;
	return 0;
}

static int line_end(void **state)
{
	struct line *line = *state;

	sd_bus_message_unref(line->message);
	sd_bus_close_unref(line->bus);
	arena_free(line->arena);
	fd_close(line->other);
	free(line);
	return 0;
}

#define line_test(function) cmocka_unit_test_setup_teardown(function, line_make, line_end)

static const struct json *read_json(struct line *line, const char *text)
{
	const struct json *document = NULL;
	struct error err = ERROR_NONE;

	assert_fine(json_read(line->arena, text, strlen(text), "test", &document, &err), err);
	return document;
}

static int append(struct line *line, const char *signature, const char *json, struct error *err)
{
	return variant_append(line->message, signature, read_json(line, json), err);
}

/* Everything that was appended. */
static void assert_message(struct line *line, const char *expected)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	assert_true(sd_bus_message_seal(line->message, 1, 0) >= 0);
	describe(line->message, &text);
	assert_string_equal(text.data, expected);
}

static void assert_appended(struct line *line, const char *signature, const char *json)
{
	struct error err = ERROR_NONE;

	assert_fine(append(line, signature, json, &err), err);
}

static void test_whole_numbers_are_exact(void **state)
{
	struct line *line = *state;

	assert_appended(line, "t", "18446744073709551615");
	assert_appended(line, "t", "\"18446744073709551615\"");
	assert_appended(line, "t", "9007199254740993");
	assert_appended(line, "x", "-9223372036854775808");
	assert_appended(line, "x", "9223372036854775807");
	assert_appended(line, "u", "4294967295");
	assert_appended(line, "i", "-2147483648");
	assert_appended(line, "q", "65535");
	assert_appended(line, "n", "-32768");
	assert_appended(line, "y", "255");
	assert_message(line,
		       "18446744073709551615 18446744073709551615 9007199254740993 "
		       "-9223372036854775808 9223372036854775807 4294967295 -2147483648 65535 "
		       "-32768 255");
}

static void test_other_basic_values(void **state)
{
	struct line *line = *state;

	assert_appended(line, "b", "true");
	assert_appended(line, "b", "false");
	assert_appended(line, "s", "\"caf\xc3\xa9\"");
	assert_appended(line, "s", "\"\"");
	assert_appended(line, "o", "\"/org/x\"");
	assert_appended(line, "g", "\"a(ss)\"");
	assert_appended(line, "d", "1.5");
	assert_appended(line, "d", "-2e3");
	assert_message(line, "true false 'caf\xc3\xa9' '' '/org/x' 'a(ss)' 1.5 -2000");
}

static void test_arrays_and_structures(void **state)
{
	struct line *line = *state;

	assert_appended(line, "as", "[]");
	assert_appended(line, "au", "[1, \"2\"]");
	assert_appended(line, "ay", "[0, 255]");
	assert_appended(line, "a(ss)", "[[\"/dev/null\", \"rwm\"], [\"char-*\", \"m\"]]");
	assert_appended(line, "(bas)", "[true, [\"a\", \"b\"]]");
	assert_appended(line, "aas", "[[], [\"x\"]]");
	assert_appended(line, "a(s(ut))", "[[\"a\", [1, 2]]]");
	assert_message(line, "[] [1 2] [0 255] [('/dev/null' 'rwm') ('char-*' 'm')] "
			     "(true ['a' 'b']) [[] ['x']] [('a' (1 2))]");
}

struct refused {
	const char *signature, *json, *text;
};

static void test_what_does_not_fit_is_refused(void **state)
{
	static const struct refused rows[] = {
		{"y", "256", "\"256\" is no whole number from 0 to 255"},
		{"y", "-1", "from 0 to 255"},
		{"n", "32768", "from -32768 to 32767"},
		{"n", "-32769", "from -32768 to 32767"},
		{"q", "65536", "from 0 to 65535"},
		{"i", "2147483648", "to 2147483647"},
		{"u", "4294967296", "from 0 to 4294967295"},
		{"x", "9223372036854775808", "from -9223372036854775808 to 9223372036854775807"},
		{"t", "18446744073709551616", "from 0 to 18446744073709551615"},
		{"t", "1.5", "\"1.5\" is no whole number"},
		{"t", "1e3", "\"1e3\" is no whole number"},
		{"t", "\"many\"", "\"many\" is no whole number"},
		{"t", "\"\"", "is no whole number"},
		{"t", "true", "expected a number, found a boolean"},
		{"d", "\"1.5\"", "expected a number, found a string"},
		{"b", "1", "expected a boolean, found a number"},
		{"s", "1", "expected a string, found a number"},
		{"o", "\"no path\"", "no path cannot be put"},
		{"g", "\"(\"", "cannot be put"},
		{"as", "\"a\"", "expected an array, found a string"},
		{"as", "[\"a\", 2]", "[1]: expected a string, found a number"},
		{"a(ss)", "[[\"a\", \"b\"], [\"a\", null]]", "[1]: [1]: expected a string"},
		{"(ss)", "[\"a\"]", "too few items: 1"},
		{"(ss)", "[\"a\", \"b\", \"c\"]", "too many items: 3"},
		{"", "1", "no signature of one value: \"\""},
		{"tt", "1", "no signature of one value: \"tt\""},
		{"a", "[]", "no signature of one value: \"a\""},
		{"()", "[]", "no signature of one value: \"()\""},
		{"(s", "[]", "no signature of one value: \"(s\""},
		{"a{ss}", "[]", "no signature of one value: \"a{ss}\""},
		{"v", "1", "no signature of one value: \"v\""},
		{"h", "1", "no signature of one value: \"h\""},
		{"aaaaaaaaas", "[]", "no signature of one value"},
	};
	struct line *line = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;
		int r = append(line, rows[i].signature, rows[i].json, &err);

		if (r >= 0)
			fail_msg("\"%s\" took %s", rows[i].signature, rows[i].json);
		assert_contains(err.text, rows[i].text);
		/* What was begun cannot be ended. */
		line->message = sd_bus_message_unref(line->message);
		assert_true(sd_bus_message_new_signal(line->bus, &line->message, "/x", "x.y",
						      "Z") >= 0);
	}
}

static int append_properties(struct line *line, const char *json, struct error *err)
{
	int r;

	assert_true(sd_bus_message_open_container(line->message, 'a', "(sv)") >= 0);
	r = variant_append_properties(line->message, json ? read_json(line, json) : NULL, err);
	if (r >= 0)
		assert_true(sd_bus_message_close_container(line->message) >= 0);
	return r;
}

static void test_properties(void **state)
{
	struct error err = ERROR_NONE;
	struct line *line = *state;

	assert_fine(append_properties(line,
				      "[[\"MemoryMax\", \"t\", 1], [\"Wants\", \"as\", []], "
				      "[\"DeviceAllow\", \"a(ss)\", [[\"x\", \"r\"]]]]",
				      &err),
		    err);
	assert_fine(append_properties(line, NULL, &err), err);
	assert_message(line, "[('MemoryMax' <t:1>) ('Wants' <as:[]>) "
			     "('DeviceAllow' <a(ss):[('x' 'r')]>)] []");
}

static void test_a_bad_property_is_named(void **state)
{
	static const struct refused rows[] = {
		{"", "[[\"CPUWeight\", \"t\", \"x\"]]", "property \"CPUWeight\": \"x\" is no"},
		{"", "[[\"Slice\", \"s\", \"a\"], [\"Y\", \"yy\", 1]]", "\"yy\""},
		{"", "[[\"A\", \"s\", \"a\"], [\"B\", \"s\"]]", "properties[1]: expected [NAME"},
		{"", "[[\"A\", \"s\", \"a\", 1]]", "properties[0]: expected [NAME"},
		{"", "[{\"A\": 1}]", "properties[0]: expected [NAME"},
		{"", "[[1, \"s\", \"a\"]]", "properties[0]: expected [NAME"},
		{"", "[[\"A\", null, \"a\"]]", "properties[0]: expected [NAME"},
	};
	struct line *line = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;

		assert_true(append_properties(line, rows[i].json, &err) < 0);
		assert_contains(err.text, rows[i].text);
		line->message = sd_bus_message_unref(line->message);
		assert_true(sd_bus_message_new_signal(line->bus, &line->message, "/x", "x.y",
						      "Z") >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		line_test(test_whole_numbers_are_exact),
		line_test(test_other_basic_values),
		line_test(test_arrays_and_structures),
		line_test(test_what_does_not_fit_is_refused),
		line_test(test_properties),
		line_test(test_a_bad_property_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
