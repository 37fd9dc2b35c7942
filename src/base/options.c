/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and describing options. */
#include "berth/base/options.h"

#include <errno.h>

#include "berth/base/alloc.h"

#define HELP_COLUMN 34

static bool takes_argument(const struct option *option)
{
	return option->argument != NULL;
}

/* The option that the word (without its dashes) begins with; *ret_value: what follows a "=". */
static const struct option *find(const struct option *options, size_t count, const char *word,
				 const char **ret_value)
{
	size_t length = strcspn(word, "=");

	*ret_value = word[length] ? word + length + 1 : NULL;
	for (size_t i = 0; i < count; i++) {
		const struct option *option = &options[i];

		if (strlen(option->name) == length && strncmp(option->name, word, length) == 0)
			return option;
		if (length == 1 && option->letter && option->letter == word[0])
			return option;
	}
	return NULL;
}

static int store_flag(const struct option *option, const char *value, bool *flag, struct error *err)
{
	if (!value || str_equal(value, "true"))
		*flag = true;
	else if (str_equal(value, "false"))
		*flag = false;
	else
		return refuse(err, "--%s: \"%s\" is neither true nor false", option->name, value);
	return 0;
}

static int store(const struct option *option, const char *value, char *values, struct error *err)
{
	void *field = values + option->offset;
	uint32_t number;

	switch (option->kind) {
	case OPTION_FLAG:
		return store_flag(option, value, field, err);
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_NUMBER:
		if (str_to_u32(value, &number) < 0)
			return refuse(err, "--%s: \"%s\" is not a number", option->name, value);
		*(unsigned *)field = number;
		return 0;
	case OPTION_LIST:
		strv_add(field, value);
		return 0;
	case OPTION_REFUSED_FLAG:
	case OPTION_REFUSED_TEXT:
		return refuse(err, "--%s: not supported yet", option->name);
	case OPTION_IGNORED_FLAG:
		return 0;
	}
	return 0;
}

/*
 * Takes one option, and its argument where it has one, from the front of @args, which is neither
 * empty nor "--". Returns how many words were taken.
 */
static int parse_one(const struct option *options, size_t count, char *const *args, void *values,
		     bool *ret_help, struct error *err)
{
	const char *word = args[0] + (args[0][1] == '-' ? 2 : 1);
	const struct option *option;
	const char *value;
	int taken = 1;
	int r;

	if (str_equal(word, "help") || str_equal(word, "h")) {
		*ret_help = true;
		return taken;
	}
	option = find(options, count, word, &value);
	if (!option)
		return refuse(err, "unknown option: %s", args[0]);
	if (takes_argument(option) && !value) {
		value = args[taken];
		if (!value)
			return refuse(err, "flag needs an argument: --%s", option->name);
		taken++;
	}
	r = store(option, value, values, err);
	return r < 0 ? r : taken;
}

static bool is_option(const char *word)
{
	return word && word[0] == '-' && word[1];
}

int options_parse(const struct option *options, size_t count, char *const *args, void *values,
		  bool *ret_help, struct error *err)
{
	int taken = 0;

	while (is_option(args[taken]) && !*ret_help) {
		int r;

		if (str_equal(args[taken], "--"))
			return taken + 1;
		r = parse_one(options, count, args + taken, values, ret_help, err);
		if (r < 0)
			return r;
		taken += r;
	}
	return taken;
}

int options_parse_anywhere(const struct option *options, size_t count, char *const *args,
			   void *values, struct strv *words, struct error *err)
{
	bool ended = false, help = false;

	while (*args && !help) {
		int r = 1;

		if (ended || !is_option(*args))
			strv_add(words, *args);
		else if (str_equal(*args, "--"))
			ended = true;
		else
			r = parse_one(options, count, args, values, &help, err);
		if (r < 0)
			return r;
		args += r;
	}
	return help;
}

void options_done(const struct option *options, size_t count, void *values)
{
	for (size_t i = 0; i < count; i++) {
		if (options[i].kind == OPTION_LIST)
			strv_done((struct strv *)((char *)values + options[i].offset));
	}
}

void options_help(const struct option *options, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *option = &options[i];
		_cleanup_buf_ struct buf left = BUF_EMPTY;

		buf_printf(&left, "  --%s", option->name);
		if (option->letter)
			buf_printf(&left, ", -%c", option->letter);
		if (option->argument)
			buf_printf(&left, " %s", option->argument);
		buf_printf(out, "%-*s %s\n", HELP_COLUMN, left.data, option->help);
	}
}
