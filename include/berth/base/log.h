/* SPDX-License-Identifier: Apache-2.0 */
/* Where messages go: standard error, or the --log file in the format that engines read. */
#ifndef BERTH_BASE_LOG_H
#define BERTH_BASE_LOG_H

#include <stdbool.h>

#include "berth/base/error.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_MAX
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON
};

/*
 * Opens the sink, once per process. @path: the file, appended to and created with mode 0644, or
 * NULL for standard error. Until then messages of level error go to standard error as text.
 */
int log_open(const char *path, enum log_format format, enum log_level level,
	     struct error *err) must_check;

/* The program's name at the beginning of a line on standard error; "berth" where nobody says so. */
void log_set_name(const char *name);

/*
 * What is for standard error goes to @write in its place, a line at a time and without its end, by
 * whichever thread has something to say: for those who draw on a terminal. NULL: no longer. To be
 * called while no other thread has anything to say.
 */
void log_set_writer(void (*write)(void *context, const char *line), void *context);

/* Reads a level's or a format's name; -EINVAL if there is none such. */
int log_level_parse(const char *name, enum log_level *ret) must_check;
int log_format_parse(const char *name, enum log_format *ret) must_check;

/*
 * Writes one line: text ("level: message" on standard error, with a time in a file) or one JSON
 * object {"level":…,"msg":…,"time":…}. Control characters are escaped, so that it stays one line.
 * An error that goes to a file is repeated as text on standard error, as runc and crun do.
 */
void log_error(const struct error *err);
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_debug(...)	 log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
