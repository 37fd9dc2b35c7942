/* SPDX-License-Identifier: Apache-2.0 */
/* A program of several commands, as tables: which one is meant, its options, its help. */
#ifndef BERTH_BASE_PROGRAM_H
#define BERTH_BASE_PROGRAM_H

#include "berth/base/options.h"

/* Options that several commands share, and where in a command's values their struct lies. */
struct option_group {
	const struct option *options;
	size_t count;
	size_t offset;
};

/* What the command line of one command looks like. */
struct command_syntax {
	const char *name;
	const char *arguments; /* "IMAGE [BUNDLE]" */
	const char *summary;
	const struct option *options;
	size_t option_count;
	const struct option_group *groups;
	size_t group_count;
	size_t values_size; /* of the struct that the options fill */
	size_t args_min, args_max;
};

struct program {
	const char *name;
	const char *version; /* what is printed behind the name and "version" */
	const struct command_syntax *const *commands;
	size_t command_count;
	const struct command_syntax *by_default; /* where none is named; NULL: one must be */
	const struct option *global_options;	 /* with "version" among them, at version_offset */
	size_t global_count;
	size_t globals_size;
	size_t version_offset; /* of the bool in the globals that asks for the version */
};

/* A command line, taken apart. */
struct invocation {
	const struct command_syntax *command; /* NULL: the help or version of the whole program */
	struct option *options;		      /* all of them in one table, offsets into the block */
	size_t option_count;
	char *globals; /* the program's struct; one block with values */
	char *values;  /* the command's struct */
	struct strv words;
	bool help;
};

/*
 * Takes @args (NULL-terminated, without the program's own name) apart. Global options may stand
 * before the command's name or among its own. Words are counted against args_min and args_max
 * unless help or the version is asked for. @ret: invocation_done() frees it, after an error too.
 */
int invocation_parse(const struct program *program, char *const *args, struct invocation *ret,
		     struct error *err) must_check;

/* The words, NULL-terminated; never NULL itself. */
char *const *invocation_words(const struct invocation *invocation);

/* Appends the help of the command, or of the program with a list of its commands. */
void invocation_help(const struct program *program, const struct invocation *invocation,
		     struct buf *out);

/* Whether the command line asks for help or for the version only; it is appended then. */
bool invocation_is_answered(const struct program *program, const struct invocation *invocation,
			    struct buf *out) must_check;

void invocation_done(struct invocation *invocation);

#endif
