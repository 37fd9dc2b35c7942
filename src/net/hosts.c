/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts files of networks: "ADDRESS ID NAME…" a line.
 *
 * Theory of operation. A container may read at any time, and the inode must stay, so the file is
 * never empty, cut in the middle of a line, or replaced. A new line comes by one write(2) at the
 * end. Where lines go, one write covers the file from the first difference to its old end, filled
 * up with newlines, and then the file is cut: who reads in between sees empty lines.
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
	int fd = openat(store->hostsfd, network, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

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

static int read_file(struct hosts *hosts, const char *network, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = file_read_fd(hosts->fd, network, STORE_FILE_MAX, &text, &size, err);

	if (r < 0)
		return within(err, r, "the hosts file of network \"%s\"", network);
	buf_add(&hosts->text, text, size);
	return 0;
}

/* Yields the next line at *@at, without its end, and steps behind it; NULL at the end. */
static const char *next_line(const char **at, size_t *ret_length)
{
	const char *line = *at;

	if (!*line)
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
	if (!next_word(&at, end, &length))
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
	const char *at = text->data ? text->data : "", *line;
	size_t length;

	if (name_is_local(name))
		return true;
	while ((line = next_line(&at, &length))) {
		if (line_has(line, line + length, id, name))
			return true;
	}
	return false;
}

/* The lines of a lease, where @text stands already; appended to @out. */
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

/* Makes the file hold @fresh instead of its text. */
static int replace_text(const struct hosts *hosts, const char *network, struct buf *fresh,
			struct error *err)
{
	size_t old_size = hosts->text.size, size = fresh->size, same = 0;

	while (same < size && same < old_size && fresh->data[same] == hosts->text.data[same])
		same++;
	while (fresh->size < old_size)
		buf_add_char(fresh, '\n');
	/* pwrite(2) would append: the file is open with O_APPEND. */
	if (fcntl(hosts->fd, F_SETFL, 0) < 0 || lseek(hosts->fd, (off_t)same, SEEK_SET) < 0)
		return fail(err, -errno, "write the hosts file of network \"%s\"", network);
	if (same < fresh->size) {
		int r = fd_write_all(hosts->fd, fresh->data + same, fresh->size - same);

		if (r < 0)
			return fail(err, r, "write the hosts file of network \"%s\"", network);
	}
	if (size < old_size && ftruncate(hosts->fd, (off_t)size) < 0)
		return fail(err, -errno, "cut the hosts file of network \"%s\"", network);
	return 0;
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
	r = lines.size ? fd_write_all(hosts.fd, lines.data, lines.size) : 0;
	return r < 0 ? fail(err, r, "write the hosts file of network \"%s\"", network) : 0;
}

/* Whether the line is of one of the lease's addresses. */
static bool is_of_lease(const struct lease *lease, const char *line, size_t length)
{
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
	_cleanup_buf_ struct buf rest = BUF_EMPTY;
	const char *network = lease->network.name, *at, *line;
	size_t length;
	int r;

	hosts.fd = open_file(store, network);
	if (hosts.fd == -ENOENT)
		return 0;
	if (hosts.fd < 0)
		return fail(err, hosts.fd, "open the hosts file of network \"%s\"", network);
	r = read_file(&hosts, network, err);
	if (r < 0 || hosts.text.size == 0)
		return r;
	at = hosts.text.data;
	while ((line = next_line(&at, &length))) {
		if (!is_of_lease(lease, line, length))
			buf_add(&rest, line, (size_t)(at - line));
	}
	return replace_text(&hosts, network, &rest, err);
}

int hosts_rebuild(const struct store *store, const char *network, const struct lease_list *leases,
		  struct error *err)
{
	_cleanup_hosts_ struct hosts hosts = HOSTS_NONE;
	_cleanup_buf_ struct buf fresh = BUF_EMPTY;
	int r;

	hosts.fd = open_or_make(store, network, err);
	if (hosts.fd < 0)
		return hosts.fd;
	r = read_file(&hosts, network, err);
	if (r < 0)
		return r;
	buf_add_string(&fresh, first_lines);
	for (size_t i = 0; i < leases->count; i++) {
		const struct lease *lease = &leases->items[i];
		_cleanup_buf_ struct buf lines = BUF_EMPTY;

		if (!lease->complete || !str_equal(lease->network.name, network))
			continue;
		add_lines(&fresh, lease, &lines);
		buf_add_string(&fresh, lines.data ? lines.data : "");
	}
	return replace_text(&hosts, network, &fresh, err);
}
