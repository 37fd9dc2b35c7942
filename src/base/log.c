/* SPDX-License-Identifier: Apache-2.0 */
/* The log sink: the one mutable global of the program. */
#include "berth/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/json_write.h"
#include "berth/base/str.h"

static const char *const level_names[LOG_LEVEL_MAX] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static struct {
	int fd; /* open until the process ends */
	bool to_file;
	enum log_format format;
	enum log_level level;
	const char *name;
	void (*write)(void *context, const char *line); /* what is for standard error; or NULL */
	void *write_context;
} sink = {
	.name = "berth",
	.fd = STDERR_FILENO,
	.format = LOG_FORMAT_TEXT,
	.level = LOG_LEVEL_ERROR,
};

void log_set_name(const char *name)
{
	sink.name = name;
}

void log_set_writer(void (*write)(void *context, const char *line), void *context)
{
	sink.write = write;
	sink.write_context = context;
}

int log_open(const char *path, enum log_format format, enum log_level level, struct error *err)
{
	int fd = STDERR_FILENO;

	if (path) {
		_cleanup_fd_ int opened =
			open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

		if (opened < 0)
			return fail(err, -errno, "open the log \"%s\"", path);
		/* Numbers 0 to 2 may be closed in our caller: the log must not become one of them.
		 */
		fd = fd_dup(opened, err);
		if (fd < 0)
			return fd;
	}
	sink.fd = fd;
	sink.to_file = path != NULL;
	sink.format = format;
	sink.level = level;
	return 0;
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (int i = 0; i < LOG_LEVEL_MAX; i++) {
		if (str_equal(name, level_names[i])) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int log_format_parse(const char *name, enum log_format *ret)
{
	if (!str_equal(name, "text") && !str_equal(name, "json"))
		return -EINVAL;
	*ret = str_equal(name, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	return 0;
}

/* One line whatever the text holds: control characters become blanks. */
static void add_one_line(struct buf *line, const char *text)
{
	size_t length = strlen(text);

	while (length && (unsigned char)text[length - 1] <= ' ')
		length--;
	for (size_t i = 0; i < length; i++)
		buf_add_char(line, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
}

static void write_line(int fd, struct buf *line)
{
	if (fd == STDERR_FILENO && sink.write) {
		sink.write(sink.write_context, line->data);
		return;
	}
	buf_add_char(line, '\n');
	/* A log that cannot be written leaves nobody to be told. */
	ignore(fd_write_all(fd, line->data, line->size));
}

static void write_text(int fd, enum log_level level, const char *text, bool with_time)
{
	_cleanup_buf_ struct buf line = BUF_EMPTY;
	char stamp[CLOCK_STAMP_MAX];

	if (with_time) {
		clock_stamp(stamp);
		buf_printf(&line, "%s %s: ", stamp, level_names[level]);
	} else {
		buf_printf(&line, "%s: %s", sink.name,
			   level == LOG_LEVEL_ERROR ? "" : level_names[level]);
		if (level != LOG_LEVEL_ERROR)
			buf_add_string(&line, ": ");
	}
	add_one_line(&line, text);
	write_line(fd, &line);
}

static void write_json(int fd, enum log_level level, const char *text)
{
	_cleanup_buf_ struct buf line = BUF_EMPTY, message = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&line, false);
	char stamp[CLOCK_STAMP_MAX];

	clock_stamp(stamp);
	add_one_line(&message, text);
	json_begin_object(&w);
	json_member_string(&w, "level", level_names[level]);
	json_member_string(&w, "msg", message.data ? message.data : "");
	json_member_string(&w, "time", stamp);
	json_end_object(&w);
	write_line(fd, &line);
}

static void log_text(enum log_level level, const char *text)
{
	if (level > sink.level)
		return;
	if (sink.format == LOG_FORMAT_JSON)
		write_json(sink.fd, level, text);
	else
		write_text(sink.fd, level, text, sink.to_file);
	if (sink.to_file && level == LOG_LEVEL_ERROR)
		write_text(STDERR_FILENO, level, text, false);
}

void log_error(const struct error *err)
{
	log_text(LOG_LEVEL_ERROR, err->text);
}

void log_message(enum log_level level, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	if (level > sink.level)
		return;
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	log_text(level, text);
}
