/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines by tables: options, their help, and where their values go. */
#ifndef BERTH_BASE_OPTIONS_H
#define BERTH_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"
#include "berth/base/str.h"

enum option_kind {
	OPTION_FLAG,	     /* bool */
	OPTION_TEXT,	     /* const char *, the argument itself */
	OPTION_NUMBER,	     /* unsigned */
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

/*
 * As options_parse(), with options and other words in any order, as GNU programs take them: what is
 * no option is added to @words. After "--" every word is one. Returns 1 where help is asked for,
 * which ends the parsing, otherwise 0.
 */
int options_parse_anywhere(const struct option *options, size_t count, char *const *args,
			   void *values, struct strv *words, struct error *err) must_check;

/* Frees what options_parse() allocated within @values. */
void options_done(const struct option *options, size_t count, void *values);

/* Appends the options' part of a help text. */
void options_help(const struct option *options, size_t count, struct buf *out);

#endif
