/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and describing options. */
#include "options.h"

#include <errno.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"

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
		if (str_to_u32(value, &number) < 0 || number > PRESERVE_MAX)
			return refuse(err, "--%s: \"%s\" is not a number of 0 to %d", option->name,
				      value, PRESERVE_MAX);
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

int options_parse(const struct option *options, size_t count, char *const *args, void *values,
		  bool *ret_help, struct error *err)
{
	int taken = 0;

	while (args[taken] && args[taken][0] == '-' && args[taken][1]) {
		const char *word = args[taken++];
		const struct option *option;
		const char *value;
		int r;

		if (str_equal(word, "--"))
			break;
		word += word[1] == '-' ? 2 : 1;
		if (str_equal(word, "help") || str_equal(word, "h")) {
			*ret_help = true;
			return taken;
		}
		option = find(options, count, word, &value);
		if (!option)
			return refuse(err, "unknown option: %s", args[taken - 1]);
		if (takes_argument(option) && !value) {
			value = args[taken];
			if (!value)
				return refuse(err, "flag needs an argument: --%s", option->name);
			taken++;
		}
		r = store(option, value, values, err);
		if (r < 0)
			return r;
	}
	return taken;
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

int print_out(const char *text, struct error *err)
{
	int r = fd_write_all(STDOUT_FILENO, text, strlen(text));

	return r < 0 ? fail(err, r, "write to standard output") : 0;
}
