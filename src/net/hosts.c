/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts files of networks: "ADDRESS ID NAME…" a line.
 *
 * Theory of operation. A container may read at any time, and the inode must stay. Writes of more
 * than a byte can be seen half done, so a line comes and goes by its first byte alone: a line that
 * begins with "#" is none. It is written as such, behind the others or over one that is none any
 * more and as long, and then gets its first byte. Lines never move. What is none at the end of the
 * file is cut off.
 */
#include "hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "store-internal.h"

static const char first_lines[] = "127.0.0.1 localhost\n"
				  "::1 localhost ip6-localhost ip6-loopback\n";

#define BLANKS " \t"

/* A hosts file that is open, and what it holds. */
struct hosts {
	int fd; /* owned */
	struct buf text;
};

#define HOSTS_NONE                                                                                 \
	{                                                                                          \
		.fd = -EBADF, .text = BUF_EMPTY                                                    \
	}

static void hosts_done(struct hosts *hosts)
{
	hosts->fd = fd_close(hosts->fd);
	buf_done(&hosts->text);
}

#define _cleanup_hosts_ __attribute__((cleanup(hosts_done)))

static int open_file(const struct store *store, const char *network)
{
	int fd = openat(store->hostsfd, network, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Opens the file, making it with the lines of localhost where it is missing. */
static int open_or_make(const struct store *store, const char *network, struct error *err)
{
	int fd = open_file(store, network), r;

	if (fd == -ENOENT) {
		r = file_replace_at(store->hostsfd, network, 0644, first_lines,
				    sizeof(first_lines) - 1, err);
		if (r < 0)
			return within(err, r, "the hosts file of network \"%s\"", network);
		fd = open_file(store, network);
	}
	return fd < 0 ? fail(err, fd, "open the hosts file of network \"%s\"", network) : fd;
}

static int explain(int r, const char *network, struct error *err)
{
	return r < 0 ? fail(err, r, "write the hosts file of network \"%s\"", network) : 0;
}

static int write_at(struct hosts *hosts, size_t offset, const char *data, size_t size)
{
	ssize_t written = pwrite(hosts->fd, data, size, (off_t)offset);

	if (written < 0)
		return -errno;
	return (size_t)written == size ? 0 : -ENOSPC;
}

/* Reads the text, of which every line has an end then. */
static int read_file(struct hosts *hosts, const char *network, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = file_read_fd(hosts->fd, network, STORE_FILE_MAX, &text, &size, err);

	if (r < 0)
		return within(err, r, "the hosts file of network \"%s\"", network);
	buf_add_string(&hosts->text, text);
	if (size == 0 || text[size - 1] != '\n') {
		r = write_at(hosts, hosts->text.size, "\n", 1);
		buf_add_char(&hosts->text, '\n');
	}
	return explain(r, network, err);
}

/* Yields the next line at *@at (NULL: no text), without its end, and steps behind it; NULL at the
 * end. */
static const char *next_line(const char **at, size_t *ret_length)
{
	const char *line = *at;

	if (!line || !*line)
		return NULL;
	*ret_length = strcspn(line, "\n");
	*at = line + *ret_length + (line[*ret_length] == '\n');
	return line;
}

/* Yields the next word of a line that ends at @end; NULL where there is none. */
static const char *next_word(const char **at, const char *end, size_t *ret_length)
{
	const char *word = *at + strspn(*at, BLANKS);

	if (word >= end)
		return NULL;
	*ret_length = strcspn(word, BLANKS "\n");
	*at = word + *ret_length;
	return word;
}

static bool is_word(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && strncasecmp(word, name, length) == 0;
}

/* Whether the line is of another container than @id, and gives it the name. */
static bool line_has(const char *line, const char *end, const char *id, const char *name)
{
	const char *at = line, *word;
	size_t length;

	/* The address, then the id. */
	if (*line == '#' || !next_word(&at, end, &length))
		return false;
	word = next_word(&at, end, &length);
	if (!word || is_word(word, length, id))
		return false;
	for (; word; word = next_word(&at, end, &length)) {
		if (is_word(word, length, name))
			return true;
	}
	return false;
}

static bool is_taken(const struct buf *text, const char *id, const char *name)
{
	const char *at = text->data, *line;
	size_t length;

	if (name_is_local(name))
		return true;
	while ((line = next_line(&at, &length))) {
		if (line_has(line, line + length, id, name))
			return true;
	}
	return false;
}

/* The lines of a lease, where @text stands already; appended to @out, which may be the same. */
static void add_lines(const struct buf *text, const struct lease *lease, struct buf *out)
{
	_cleanup_buf_ struct buf names = BUF_EMPTY;

	for (size_t i = 0; lease->names[i]; i++) {
		/* A container is always found by its id, but never mistaken for the host. */
		if (i == 0 ? name_is_local(lease->id) : is_taken(text, lease->id, lease->names[i]))
			continue;
		buf_add_char(&names, ' ');
		buf_add_string(&names, lease->names[i]);
	}
	for (size_t i = 0; names.size && i < lease->address_count; i++) {
		char address[ADDRESS_TEXT_MAX];

		address_format(&lease->addresses[i].address, address);
		buf_printf(out, "%s%s\n", address, names.data);
	}
}

/* Whether the text has the line; what fills up its room is none of it. */
static bool has_line(const struct buf *text, const char *line, size_t length)
{
	const char *at = text->data, *other;
	size_t other_length;

	while ((other = next_line(&at, &other_length))) {
		while (other_length > 0 && other[other_length - 1] == ' ')
			other_length--;
		if (other_length == length && strncmp(line, other, length) == 0)
			return true;
	}
	return false;
}

/* @line points into the text. */
static int set_first_byte(struct hosts *hosts, char *line, char byte)
{
	*line = byte;
	return write_at(hosts, (size_t)(line - hosts->text.data), &byte, 1);
}

/* Finds a line that is none, with room for @length bytes; NULL where there is none. */
static char *find_room(const struct hosts *hosts, size_t length, size_t *ret_length)
{
	const char *at = hosts->text.data, *line;

	while ((line = next_line(&at, ret_length))) {
		if (*line == '#' && *ret_length >= length)
			return hosts->text.data + (line - hosts->text.data);
	}
	return NULL;
}

static int put_line(struct hosts *hosts, const char *line, size_t length)
{
	_cleanup_free_ char *whole = NULL;
	size_t room = length;
	char *place = find_room(hosts, length, &room);
	int r;

	if (place) {
		whole = xasprintf("#%-*.*s", (int)room - 1, (int)length - 1, line + 1);
		memcpy(place, whole, room);
	} else {
		const size_t end = hosts->text.size;

		whole = xasprintf("#%.*s\n", (int)length - 1, line + 1);
		buf_add_string(&hosts->text, whole);
		place = hosts->text.data + end;
	}
	r = write_at(hosts, (size_t)(place - hosts->text.data), whole, strlen(whole));
	return r < 0 ? r : set_first_byte(hosts, place, line[0]);
}

/* Adds those of the lines that the file has not. */
static int put_lines(struct hosts *hosts, const char *lines)
{
	const char *line;
	size_t length;
	int r = 0;

	while (r >= 0 && (line = next_line(&lines, &length))) {
		if (!has_line(&hosts->text, line, length))
			r = put_line(hosts, line, length);
	}
	return r;
}

/* Whether a line goes. */
typedef bool picks(const char *line, size_t length, const void *data);

static int drop_lines(struct hosts *hosts, picks *is_picked, const void *data)
{
	const char *at = hosts->text.data, *line;
	size_t length, end = 0;
	int r = 0;

	while (r >= 0 && (line = next_line(&at, &length))) {
		size_t offset = (size_t)(line - hosts->text.data);

		if (length > 0 && *line != '#' && is_picked(line, length, data))
			r = set_first_byte(hosts, hosts->text.data + offset, '#');
		if (length > 0 && *line != '#')
			end = offset + length + 1;
	}
	if (r >= 0 && end < hosts->text.size) {
		hosts->text.size = end;
		hosts->text.data[end] = '\0';
		r = ftruncate(hosts->fd, (off_t)end) < 0 ? -errno : 0;
	}
	return r;
}

int hosts_prepare(const struct store *store, struct arena *arena, const char *network,
		  const char **ret_path, struct error *err)
{
	_cleanup_fd_ int fd = open_or_make(store, network, err);

	if (fd < 0)
		return fd;
	*ret_path = arena_printf(arena, "%s/hosts/%s", store->path, network);
	return 0;
}

int hosts_add(const struct store *store, const struct lease *lease, struct error *err)
{
	_cleanup_hosts_ struct hosts hosts = HOSTS_NONE;
	_cleanup_buf_ struct buf lines = BUF_EMPTY;
	const char *network = lease->network.name;
	int r;

	hosts.fd = open_or_make(store, network, err);
	if (hosts.fd < 0)
		return hosts.fd;
	r = read_file(&hosts, network, err);
	if (r < 0)
		return r;
	add_lines(&hosts.text, lease, &lines);
	return explain(put_lines(&hosts, lines.data ? lines.data : ""), network, err);
}

/* Whether the line is of one of the lease's addresses. */
static bool is_of_lease(const char *line, size_t length, const void *data)
{
	const struct lease *lease = data;
	const char *at = line, *word = next_word(&at, line + length, &length);

	for (size_t i = 0; word && i < lease->address_count; i++) {
		char address[ADDRESS_TEXT_MAX];

		address_format(&lease->addresses[i].address, address);
		if (is_word(word, length, address))
			return true;
	}
	return false;
}

int hosts_remove(const struct store *store, const struct lease *lease, struct error *err)
{
	_cleanup_hosts_ struct hosts hosts = HOSTS_NONE;
	const char *network = lease->network.name;
	int r;

	hosts.fd = open_file(store, network);
	if (hosts.fd == -ENOENT)
		return 0;
	if (hosts.fd < 0)
		return fail(err, hosts.fd, "open the hosts file of network \"%s\"", network);
	r = read_file(&hosts, network, err);
	return r < 0 ? r : explain(drop_lines(&hosts, is_of_lease, lease), network, err);
}

/* Whether the text @data lacks the line. */
static bool is_unwanted(const char *line, size_t length, const void *data)
{
	while (length > 0 && line[length - 1] == ' ')
		length--;
	return !has_line(data, line, length);
}

int hosts_rebuild(const struct store *store, const char *network, const struct lease_list *leases,
		  struct error *err)
{
	_cleanup_hosts_ struct hosts hosts = HOSTS_NONE;
	_cleanup_buf_ struct buf wanted = BUF_EMPTY;
	int r;

	hosts.fd = open_or_make(store, network, err);
	if (hosts.fd < 0)
		return hosts.fd;
	r = read_file(&hosts, network, err);
	if (r < 0)
		return r;
	buf_add_string(&wanted, first_lines);
	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];

		if (lease->complete && str_equal(lease->network.name, network))
			add_lines(&wanted, lease, &wanted);
	}
	r = drop_lines(&hosts, is_unwanted, &wanted);
	if (r >= 0)
		r = put_lines(&hosts, wanted.data);
	return explain(r, network, err);
}
