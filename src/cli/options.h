/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines by tables: options, their help, and where their values go. */
#ifndef BERTH_CLI_OPTIONS_H
#define BERTH_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"
#include "berth/base/str.h"
#include "berth/container/container.h"

/* Most descriptors that --preserve-fds passes on. */
#define PRESERVE_MAX 1024

enum option_kind {
	OPTION_FLAG,	     /* bool */
	OPTION_TEXT,	     /* const char *, the argument itself */
	OPTION_NUMBER,	     /* unsigned, at most PRESERVE_MAX */
	OPTION_LIST,	     /* struct strv; may be given more than once */
	OPTION_REFUSED_FLAG, /* known from runc, not there yet: an error that says so */
	OPTION_REFUSED_TEXT,
	OPTION_IGNORED_FLAG /* accepted for compatibility, has no meaning for berth */
};

struct option {
	const char *name; /* without dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset;	      /* of the value in the command's struct */
	const char *argument; /* name of the argument in the help; NULL for flags */
	const char *help;
};

/*
 * Takes options from the front of @args (NULL-terminated) and stores their values in @values. As
 * Go's flag package does, one dash is as good as two, and the first word that is no option ends
 * the options; "--" does too, and is dropped. Returns how many words were taken.
 * `help` and `h` set *ret_help and end the parsing.
 */
int options_parse(const struct option *options, size_t count, char *const *args, void *values,
		  bool *ret_help, struct error *err) must_check;

/* Frees what options_parse() allocated within @values. */
void options_done(const struct option *options, size_t count, void *values);

/* Appends the options' part of a help text. */
void options_help(const struct option *options, size_t count, struct buf *out);

/* One command. */
struct command {
	const char *name;
	const char *arguments; /* "ID [SIGNAL]" */
	const char *summary;
	const struct option *options;
	size_t option_count;
	size_t values_size;  /* of the struct that the options fill */
	int preserve_offset; /* of its `unsigned preserve_fds`; -1: it has none */
	bool executes;	     /* its process may execute a container's program */
	int failure_status;  /* exit status where the command itself fails */
	size_t args_min, args_max;
	int (*run)(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
		   struct error *err);
};

extern const struct command command_checkpoint, command_create, command_delete, command_exec,
	command_features, command_kill, command_list, command_pause, command_ps, command_restore,
	command_resume, command_run, command_spec, command_start, command_state;

/* Writes @text to standard output. */
int print_out(const char *text, struct error *err) must_check;

#endif
