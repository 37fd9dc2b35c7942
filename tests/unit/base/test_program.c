/* SPDX-License-Identifier: Apache-2.0 */
#include "berth/base/program.h"

#include "unit.h"

/* main() gets its words without const. */
#define WORDS(...) ((char *const *)(const char *const[]){__VA_ARGS__})

struct globals {
	const char *root;
	bool version;
};

struct shared {
	struct strv names;
};

struct values {
	bool all;
	struct shared shared;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR", "where"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print it"},
};

static const struct option show_options[] = {
	{"all", 'a', OPTION_FLAG, offsetof(struct values, all), NULL, "everything"},
};

static const struct option shared_options[] = {
	{"name", 0, OPTION_LIST, offsetof(struct shared, names), "NAME", "a name"},
};

static const struct option_group groups[] = {
	{shared_options, ARRAY_SIZE(shared_options), offsetof(struct values, shared)},
};

static const struct command_syntax show = {
	.name = "show",
	.arguments = "THING",
	.summary = "show things",
	.options = show_options,
	.option_count = ARRAY_SIZE(show_options),
	.groups = groups,
	.group_count = ARRAY_SIZE(groups),
	.values_size = sizeof(struct values),
	.args_min = 1,
	.args_max = 1,
};

static const struct command_syntax idle = {.name = "idle", .arguments = "", .summary = "rest"};
static const struct command_syntax *const commands[] = {&show, &idle};

static struct program program_with(const struct command_syntax *by_default)
{
	return (struct program){
		.name = "thing",
		.version = "7",
		.commands = commands,
		.command_count = ARRAY_SIZE(commands),
		.by_default = by_default,
		.global_options = global_options,
		.global_count = ARRAY_SIZE(global_options),
		.globals_size = sizeof(struct globals),
		.version_offset = offsetof(struct globals, version),
	};
}

static void options_of_all_tables_in_any_order(void **state)
{
	char *const *args =
		WORDS("--root", "/r", "show", "x", "--name", "a", "-a", "--name=b", NULL);
	struct program program = program_with(NULL);
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;
	const struct values *values;

	(void)state;
	assert_int_equal(invocation_parse(&program, args, &invocation, &err), 0);
	values = (const struct values *)invocation.values;
	assert_ptr_equal(invocation.command, &show);
	assert_string_equal(((struct globals *)invocation.globals)->root, "/r");
	assert_true(values->all);
	assert_int_equal(values->shared.names.count, 2);
	assert_string_equal(values->shared.names.items[1], "b");
	assert_string_equal(invocation_words(&invocation)[0], "x");
	assert_null(invocation_words(&invocation)[1]);
	invocation_done(&invocation);
}

static void refused(const struct command_syntax *by_default, char *const *args, const char *text)
{
	struct program program = program_with(by_default);
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;

	assert_int_equal(invocation_parse(&program, args, &invocation, &err), -EINVAL);
	assert_non_null(strstr(err.text, text));
	invocation_done(&invocation);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	refused(NULL, WORDS("sohw", NULL), "there is no command \"sohw\"");
	refused(NULL, WORDS(NULL), "missing command");
	refused(NULL, WORDS("show", NULL), "show: missing argument");
	refused(NULL, WORDS("show", "a", "b", NULL), "unexpected argument \"b\"");
	refused(NULL, WORDS("idle", "-a", NULL), "idle: ");
}

static void the_default_command_takes_what_is_no_name(void **state)
{
	char *const *args = WORDS("busybox", NULL);
	struct program program = program_with(&show);
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(invocation_parse(&program, args, &invocation, &err), 0);
	assert_ptr_equal(invocation.command, &show);
	assert_string_equal(invocation_words(&invocation)[0], "busybox");
	invocation_done(&invocation);
}

static void help_of(const struct command_syntax *by_default, char *const *args, const char *has,
		    const char *lacks)
{
	struct program program = program_with(by_default);
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;
	struct buf text = BUF_EMPTY;

	assert_int_equal(invocation_parse(&program, args, &invocation, &err), 0);
	assert_true(invocation.help);
	assert_true(invocation_is_answered(&program, &invocation, &text));
	assert_non_null(strstr(text.data, has));
	assert_null(strstr(text.data, lacks));
	buf_done(&text);
	invocation_done(&invocation);
}

static void help_is_of_the_program_or_of_a_command(void **state)
{
	(void)state;
	help_of(NULL, WORDS("help", NULL), "rest", "--all");
	help_of(NULL, WORDS("--help", NULL), "Usage: thing COMMAND", "--all");
	help_of(NULL, WORDS("help", "show", NULL), "--all", "Commands:");
	help_of(NULL, WORDS("show", "--help", NULL), "--name NAME", "Commands:");
	help_of(&show, WORDS("help", NULL), "Commands:", "there is no");
}

static void the_version_is_answered_and_a_command_is_not(void **state)
{
	static const char *const asks[][4] = {{"-v"}, {"show", "--version"}, {"-v", "show"}};
	struct program program = program_with(NULL);
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(asks); i++) {
		const bool is_asked = i < ARRAY_SIZE(asks);
		struct invocation invocation = {.command = NULL};
		struct buf text = BUF_EMPTY;
		char *const *args = is_asked ? (char *const *)asks[i] : WORDS("idle", NULL);

		assert_int_equal(invocation_parse(&program, args, &invocation, &err), 0);
		assert_int_equal(invocation_is_answered(&program, &invocation, &text), is_asked);
		assert_string_equal(is_asked ? text.data : "", is_asked ? "thing version 7\n" : "");
		assert_true(is_asked || text.size == 0);
		buf_done(&text);
		invocation_done(&invocation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_all_tables_in_any_order),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(the_default_command_takes_what_is_no_name),
		cmocka_unit_test(help_is_of_the_program_or_of_a_command),
		cmocka_unit_test(the_version_is_answered_and_a_command_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
