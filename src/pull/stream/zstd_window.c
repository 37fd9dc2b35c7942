/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of a frame, most of it in a file.
 *
 * Theory of operation. Data refers mostly to what came shortly before: half a MiB at least is in
 * memory. All of it is written to a file, a ring as large as the window, which has no name and so
 * is gone with the process, however that ends. What is further back is read from there: short
 * pieces by pages, of which some are kept, long ones at once. Where a page may be kept is decided
 * by its number, but there is more than one place: a sequence that costs no bits at all can go to
 * and fro between three distances, and each of its three bytes would be read from the file. The
 * file is not mapped: how much of a mapping counts as memory of this process is the kernel's
 * decision and depends on the file system, and a full disk would be a signal instead of an error.
 */
#include "zstd_window.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"

#include "common/random_name.h"

#define RECENT_LEAST ((size_t)512 << 10)
#define RECENT_MAX   (2 * RECENT_LEAST + ZSTD_BLOCK_MAX)

#define PAGE   ((size_t)1024)
#define SETS   ((size_t)256)
#define PLACES ((size_t)4)

/* Pages that may be in one of so many places; the oldest makes room. */
struct set {
	uint64_t numbers[PLACES]; /* counted from 1, since 0 is none */
	size_t oldest;
	uint8_t content[PLACES][PAGE];
};

struct zstd_pages {
	struct set sets[SETS];
};

static_assert(RECENT_MAX + sizeof(struct zstd_pages) <= ZSTD_WINDOW_MEMORY,
	      "what frames at work are counted with");

/* Where the file system knows no files without a name it loses its name at once; what a kill in
 * between leaves, is swept with what else the dead have left. */
static int make_file(const char *directory)
{
	char random[RANDOM_NAME_MAX];
	_cleanup_free_ char *path = NULL;
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd < 0 ? -errno : fd;
	r = random_name(random);
	if (r < 0)
		return r;
	path = xasprintf("%s/%s.window", directory, random);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int zstd_window_open(struct zstd_window *window, const char *directory, uint64_t size,
		     struct error *err)
{
	_cleanup_fd_ int fd = make_file(directory);

	size = (size + PAGE - 1) / PAGE * PAGE;
	/* What is not written yet reads as zeros, as whole pages. */
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return fail(err, fd < 0 ? fd : -errno,
			    "make a file in \"%s\" for the window of zstd data", directory);
	*window = (struct zstd_window){
		.recent = xcalloc(1, RECENT_MAX + ZSTD_WINDOW_SLACK),
		.size = size,
		.fd = take_fd(&fd),
		.cache = xcalloc(1, sizeof(*window->cache)),
		.directory = directory,
	};
	return 0;
}

void zstd_window_close(struct zstd_window *window)
{
	fd_close(window->fd);
	free(window->recent);
	free(window->cache);
}

/* Which of its places the page is in; PLACES: none. */
static size_t find_page(const struct set *set, uint64_t page)
{
	size_t place = 0;

	while (place < PLACES && set->numbers[place] != page + 1)
		place++;
	return place;
}

/* Forgets the pages of the file that change. */
static void forget(struct zstd_window *window, uint64_t from, size_t size)
{
	for (uint64_t page = from / PAGE; page <= (from + size - 1) / PAGE; page++) {
		struct set *set = &window->cache->sets[page % SETS];
		const size_t place = find_page(set, page);

		if (place < PLACES)
			set->numbers[place] = 0;
	}
}

/* Writes what the file does not have. */
static int write_file(struct zstd_window *window, struct error *err)
{
	while (window->file_end < window->end) {
		const uint64_t left = window->end - window->file_end;
		const uint64_t at = window->file_end % window->size;
		const uint64_t room = window->size - at;
		const ssize_t done = pwrite(window->fd, window->recent + window->fill - left,
					    left < room ? left : room, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail(err, done < 0 ? -errno : -EIO,
				    "keep the window of zstd data in \"%s\"", window->directory);
		forget(window, at, (size_t)done);
		window->file_end += (uint64_t)done;
	}
	return 0;
}

int zstd_window_begin_block(struct zstd_window *window, struct error *err)
{
	int r = write_file(window, err);

	if (r < 0 || RECENT_MAX - window->fill >= ZSTD_BLOCK_MAX)
		return r;
	memcpy(window->recent, window->recent + window->fill - RECENT_LEAST, RECENT_LEAST);
	window->fill = RECENT_LEAST;
	return 0;
}

static int read_file(const struct zstd_window *window, uint64_t at, uint8_t *to, size_t size,
		     struct error *err)
{
	while (size > 0) {
		const ssize_t done = pread(window->fd, to, size, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail(err, done < 0 ? -errno : -EIO,
				    "read the window of zstd data in \"%s\"", window->directory);
		at += (uint64_t)done;
		to += done;
		size -= (size_t)done;
	}
	return 0;
}

/* The content of a page of the file. */
static int get_page(struct zstd_window *window, uint64_t page, const uint8_t **ret,
		    struct error *err)
{
	struct set *set = &window->cache->sets[page % SETS];
	size_t place = find_page(set, page);
	int r;

	if (place == PLACES) {
		place = set->oldest;
		set->oldest = (place + 1) % PLACES;
		set->numbers[place] = 0;
		r = read_file(window, page * PAGE, set->content[place], PAGE, err);
		if (r < 0)
			return r;
		set->numbers[place] = page + 1;
	}
	*ret = set->content[place];
	return 0;
}

/* Adds the first bytes of @size at @at in the file; returns how many. */
static int add_some(struct zstd_window *window, uint64_t at, size_t size, struct error *err)
{
	const size_t within_page = at % PAGE;
	const uint8_t *content;
	int r;

	if (size > window->size - at)
		size = (size_t)(window->size - at);
	if (size >= PAGE) {
		r = read_file(window, at, window->recent + window->fill, size, err);
		if (r < 0)
			return r;
		window->fill += size;
		window->end += size;
		return (int)size;
	}
	if (size > PAGE - within_page)
		size = PAGE - within_page;
	r = get_page(window, at / PAGE, &content, err);
	if (r < 0)
		return r;
	memcpy(window->recent + window->fill, content + within_page, size);
	window->fill += size;
	window->end += size;
	return (int)size;
}

/* Of what is in memory. */
static void add_recent(struct zstd_window *window, size_t distance, size_t size)
{
	uint8_t *to = window->recent + window->fill, *const end = to + size;
	const uint8_t *from = to - distance;

	if (distance >= ZSTD_WINDOW_SLACK) {
		zstd_window_add(window, from, size);
		return;
	}
	/* What is repeated overlaps what is added. */
	while (to < end)
		*to++ = *from++;
	window->fill += size;
	window->end += size;
}

int zstd_window_repeat(struct zstd_window *window, uint64_t distance, size_t size,
		       struct error *err)
{
	while (size > 0 && distance > window->fill) {
		const uint64_t far = distance - window->fill;
		int r = add_some(window, (window->end - distance) % window->size,
				 size < far ? size : (size_t)far, err);

		if (r < 0)
			return r;
		size -= (size_t)r;
	}
	if (size > 0)
		add_recent(window, (size_t)distance, size);
	return 0;
}
