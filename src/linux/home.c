/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The home directory of a user, from the container's own /etc/passwd.
 *
 * Theory of operation. The file belongs to the container's image, which nobody vouches for: it may
 * be a link out of the root, a fifo, a device, or endless. So it is resolved inside the root,
 * opened without blocking, and read only if it is a regular file of bounded size.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/linux/process.h"

#define PASSWD_MAX ((size_t)16 << 20)

/* Fields of a line, counted from 0; see passwd(5). */
#define FIELD_UID  2
#define FIELD_HOME 5

/* Field @index of the line from @line to @end. *ret_size: its length. NULL: there is none. */
static const char *field(const char *line, const char *end, int index, size_t *ret_size)
{
	const char *stop;

	for (; index > 0; index--) {
		line = memchr(line, ':', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}
	stop = memchr(line, ':', (size_t)(end - line));
	*ret_size = (size_t)((stop ? stop : end) - line);
	return line;
}

/* The home directory in one line, if that is the line of the user @uid (decimal). */
static char *home_in_line(const char *line, const char *end, const char *uid)
{
	size_t size = 0;
	const char *text = field(line, end, FIELD_UID, &size);

	if (!text || size != strlen(uid) || memcmp(text, uid, size) != 0)
		return NULL;
	text = field(line, end, FIELD_HOME, &size);
	if (!text || size == 0 || memchr(text, '\0', size))
		return NULL;
	return xstrndup(text, size);
}

static char *home_in_text(const char *text, size_t size, const char *uid)
{
	const char *end = text + size, *next;

	for (; text < end; text = next + 1) {
		char *home;

		next = memchr(text, '\n', (size_t)(end - text));
		if (!next)
			next = end;
		home = home_in_line(text, next, uid);
		if (home)
			return home;
	}
	return NULL;
}

char *home_of(int rootfd, uid_t uid)
{
	_cleanup_fd_ int fd =
		root_try_open(rootfd, "etc/passwd", ROOT_FOLLOW, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct error unread = ERROR_NONE;
	char *home = NULL;
	char number[16];
	size_t size;

	snprintf(number, sizeof(number), "%u", uid);
	if (fd >= 0 && file_read_fd(fd, "/etc/passwd", PASSWD_MAX, &text, &size, &unread) >= 0)
		home = home_in_text(text, size, number);
	return home ? home : xstrdup("/");
}
