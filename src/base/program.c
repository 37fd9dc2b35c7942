/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's command line: global options, a command, its options and arguments, in any order.
 *
 * Theory of operation. The first word that is no option says which command it is; everything else
 * is then parsed by one table: the global options, those of the command, and those of the groups
 * that it shares with others. Their structs lie one behind the other in one block.
 */
#include "berth/base/program.h"

#include <errno.h>

#include "berth/base/alloc.h"

/* Where the command's values begin. */
static size_t values_offset(const struct program *program)
{
	return (program->globals_size + 15) & ~(size_t)15;
}

static const struct command_syntax *find_command(const struct program *program, const char *name)
{
	for (size_t i = 0; i < program->command_count; i++) {
		if (str_equal(program->commands[i]->name, name))
			return program->commands[i];
	}
	return NULL;
}

static void add_options(struct invocation *invocation, const struct option *options, size_t count,
			size_t offset)
{
	for (size_t i = 0; i < count; i++) {
		struct option *row = &invocation->options[invocation->option_count++];

		*row = options[i];
		row->offset += offset;
	}
}

static void make_table(const struct program *program, struct invocation *invocation)
{
	static const struct command_syntax none = {.name = ""};
	const struct command_syntax *command = invocation->command ? invocation->command : &none;
	const size_t offset = values_offset(program);
	size_t count = program->global_count + command->option_count;

	for (size_t i = 0; i < command->group_count; i++)
		count += command->groups[i].count;
	invocation->options = xcalloc(count, sizeof(*invocation->options));
	add_options(invocation, command->options, command->option_count, offset);
	for (size_t i = 0; i < command->group_count; i++)
		add_options(invocation, command->groups[i].options, command->groups[i].count,
			    offset + command->groups[i].offset);
	add_options(invocation, program->global_options, program->global_count, 0);
	invocation->globals = xcalloc(1, offset + command->values_size);
	invocation->values = invocation->globals + offset;
}

/* Which command it is, by the first word behind global options; returns the words behind it. */
static char *const *choose_command(const struct program *program, struct invocation *invocation,
				   char *const *args)
{
	_cleanup_free_ char *scratch = xcalloc(1, program->globals_size);
	struct error ignored = ERROR_NONE;
	bool help = false;
	int r = options_parse(program->global_options, program->global_count, args, scratch, &help,
			      &ignored);

	invocation->command = r >= 0 && args[r] ? find_command(program, args[r]) : NULL;
	if (invocation->command)
		return args + r + 1;
	invocation->command = program->by_default;
	if (r >= 0 && args[r] && str_equal(args[r], "help")) {
		invocation->help = true;
		if (args[r + 1])
			invocation->command = find_command(program, args[r + 1]);
		if (args[r + 1] && !invocation->command)
			strv_add(&invocation->words, args[r + 1]);
	}
	return args;
}

static int check_words(const struct program *program, const struct invocation *invocation,
		       struct error *err)
{
	const struct command_syntax *command = invocation->command;
	size_t count = invocation->words.count;

	if (!command && count > 0)
		return refuse(err, "there is no command \"%s\" (see %s help)",
			      invocation->words.items[0], program->name);
	if (!command)
		return refuse(err, "missing command (see %s help)", program->name);
	if (count < command->args_min)
		return refuse(err, "%s: missing argument (usage: %s %s %s)", command->name,
			      program->name, command->name, command->arguments);
	if (count > command->args_max)
		return refuse(err, "%s: unexpected argument \"%s\"", command->name,
			      invocation->words.items[command->args_max]);
	return 0;
}

static bool wants_version(const struct program *program, const struct invocation *invocation)
{
	return *(const bool *)(invocation->globals + program->version_offset);
}

int invocation_parse(const struct program *program, char *const *args, struct invocation *ret,
		     struct error *err)
{
	char *const *rest = choose_command(program, ret, args);
	bool help = false;
	int r;

	make_table(program, ret);
	if (ret->help) /* for a command that there is not */
		return ret->words.count ? check_words(program, ret, err) : 0;
	/* What stands before the command's name. */
	if (rest != args) {
		r = options_parse(program->global_options, program->global_count, args,
				  ret->globals, &help, err);
		if (r < 0)
			return r;
	}
	r = options_parse_anywhere(ret->options, ret->option_count, rest, ret->globals, &ret->words,
				   err);
	if (r < 0)
		return ret->command ? within(err, r, "%s", ret->command->name) : r;
	ret->help = help || r > 0;
	if (ret->help || wants_version(program, ret))
		return 0;
	return check_words(program, ret, err);
}

char *const *invocation_words(const struct invocation *invocation)
{
	static char *const none[] = {NULL};

	return invocation->words.items ? invocation->words.items : none;
}

static void add_commands(const struct program *program, struct buf *out)
{
	if (program->by_default)
		buf_printf(out, "(\"%s\" may be left out)\n", program->by_default->name);
	buf_add_string(out, "\nCommands:\n");
	for (size_t i = 0; i < program->command_count; i++)
		buf_printf(out, "  %-10s %s\n", program->commands[i]->name,
			   program->commands[i]->summary);
	buf_printf(out,
		   "  help       print this text, or a command's: "
		   "%s help COMMAND\n",
		   program->name);
}

void invocation_help(const struct program *program, const struct invocation *invocation,
		     struct buf *out)
{
	const struct command_syntax *command = invocation->command;

	if (command)
		buf_printf(out, "%s %s: %s\n\nUsage: %s %s [OPTION]…%s%s\n", program->name,
			   command->name, command->summary, program->name, command->name,
			   command->arguments[0] ? " " : "", command->arguments);
	else
		buf_printf(out, "Usage: %s COMMAND [OPTION]… [ARGUMENT]…\n", program->name);
	if (command == program->by_default)
		add_commands(program, out);
	buf_add_string(out, "\nOptions:\n");
	options_help(invocation->options, invocation->option_count, out);
}

bool invocation_is_answered(const struct program *program, const struct invocation *invocation,
			    struct buf *out)
{
	if (invocation->help)
		invocation_help(program, invocation, out);
	else if (wants_version(program, invocation))
		buf_printf(out, "%s version %s\n", program->name, program->version);
	else
		return false;
	return true;
}

void invocation_done(struct invocation *invocation)
{
	if (invocation->globals)
		options_done(invocation->options, invocation->option_count, invocation->globals);
	free(invocation->globals);
	free(invocation->options);
	strv_done(&invocation->words);
}
