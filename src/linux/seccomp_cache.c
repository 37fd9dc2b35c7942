/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled system call filters, kept between two calls of berth.
 *
 * Theory of operation. libseccomp takes 10 to 20 ms for a usual profile, longer than all the rest
 * of a container's start. A file holds the whole key (everything that the program depends on) and
 * the program. Its name is a hash of the key, and only a name: what is loaded must have the same
 * key, byte by byte, so a collision costs time and nothing else.
 *
 * Who can write the file decides what the filter allows, so the directory and the file must belong
 * to us and be writable by nobody else; a file is replaced as a whole by rename(2), and carries a
 * checksum, because after a crash of the host it may be there without its content. What does not
 * fit in any way counts as not there, and is replaced.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"

#include "seccomp-internal.h"

/* To be changed with every change of what is compiled from the same key. */
#define CACHE_VERSION "berth filter 1"

struct header {
	char magic[8];
	uint64_t checksum; /* of all that follows it */
	uint64_t key_size;
	uint64_t count; /* instructions, each a struct sock_filter */
};

#define MAGIC	      "berthbpf"
#define NAME_MAX_SIZE 24

/* --- the key ----------------------------------------------------------------------------- */

/* Texts end with a NUL, which JSON strings cannot contain: no two filters have the same bytes. */
static void add_text(struct buf *key, const char *text)
{
	buf_add(key, text, strlen(text) + 1);
}

static void add_number(struct buf *key, uint64_t number)
{
	buf_add(key, &number, sizeof(number));
}

static void add_texts(struct buf *key, const char *const *list)
{
	uint64_t count = 0;

	while (list && list[count])
		count++;
	add_number(key, count);
	for (uint64_t i = 0; i < count; i++)
		add_text(key, list[i]);
}

static void add_rule(struct buf *key, const struct spec_seccomp_rule *rule)
{
	add_texts(key, rule->names);
	add_number(key, rule->action);
	add_number(key, rule->errno_set);
	add_number(key, rule->errno_ret);
	add_number(key, rule->arg_count);
	for (size_t i = 0; i < rule->arg_count; i++) {
		add_number(key, rule->args[i].index);
		add_number(key, rule->args[i].op);
		add_number(key, rule->args[i].value);
		add_number(key, rule->args[i].value_two);
	}
}

void seccomp_cache_key(const struct spec_seccomp *spec, const char *library, uint32_t native,
		       struct buf *key)
{
	add_text(key, CACHE_VERSION);
	add_text(key, library);
	add_number(key, native);
	add_number(key, spec->default_action);
	add_number(key, spec->default_errno_set);
	add_number(key, spec->default_errno);
	add_number(key, spec->flags_given);
	add_number(key, spec->flags);
	add_texts(key, spec->architectures);
	add_number(key, spec->rule_count);
	for (size_t i = 0; i < spec->rule_count; i++)
		add_rule(key, &spec->rules[i]);
}

/* A hash of 64 bits, eight bytes at a step: multiply by an odd constant, fold the halves. */
static uint64_t hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) ^ size;

	while (size) {
		size_t step = size < 8 ? size : 8;
		uint64_t word = 0;

		memcpy(&word, bytes, step);
		state = (state ^ word) * UINT64_C(0xd6e8feb86659fd93);
		state ^= state >> 32;
		bytes += step;
		size -= step;
	}
	return state;
}

static void file_name(const struct buf *key, char name[static NAME_MAX_SIZE])
{
	snprintf(name, NAME_MAX_SIZE, "%016" PRIx64, hash(key->data, key->size));
}

/* --- loading ----------------------------------------------------------------------------- */

/* Nobody else may write here. */
static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool usable(int cachefd)
{
	struct stat st;

	return cachefd >= 0 && fstat(cachefd, &st) == 0 && S_ISDIR(st.st_mode) && is_ours(&st);
}

/* Reads the file whole; *ret_size is its length. NULL: none that can be used. */
static char *read_file(int cachefd, const char *name, size_t *ret_size)
{
	_cleanup_fd_ int fd =
		openat(cachefd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t size;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_ours(&st))
		return NULL;
	if (st.st_size < (off_t)sizeof(struct header) ||
	    st.st_size > (off_t)SECCOMP_CACHE_BYTES_MAX)
		return NULL;
	size = (size_t)st.st_size;
	data = xcalloc(size, 1);
	if (read(fd, data, size) != (ssize_t)size)
		return NULL;
	*ret_size = size;
	return take_ptr(&data);
}

static uint64_t checksum(const char *data, size_t size)
{
	const size_t start = offsetof(struct header, key_size);

	return hash(data + start, size - start);
}

/* Whether the file's content is the program of @key, whole and as it was written. */
static bool fits(const char *data, size_t size, const struct buf *key)
{
	struct header header;
	size_t rest = size - sizeof(header);

	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return false;
	if (header.key_size != key->size || rest < key->size)
		return false;
	rest -= key->size;
	return header.count > 0 && header.count <= BPF_MAXINSNS &&
	       rest == header.count * sizeof(struct sock_filter) &&
	       memcmp(data + sizeof(header), key->data, key->size) == 0 &&
	       checksum(data, size) == header.checksum;
}

bool seccomp_cache_load(int cachefd, const struct buf *key, struct seccomp_program *ret)
{
	_cleanup_free_ char *data = NULL;
	char name[NAME_MAX_SIZE];
	size_t size = 0, start = sizeof(struct header) + key->size;

	if (!usable(cachefd))
		return false;
	file_name(key, name);
	data = read_file(cachefd, name, &size);
	if (!data || !fits(data, size, key))
		return false;
	ret->count = (size - start) / sizeof(struct sock_filter);
	ret->instructions = xcalloc(ret->count, sizeof(struct sock_filter));
	memcpy(ret->instructions, data + start, size - start);
	return true;
}

/* --- storing ----------------------------------------------------------------------------- */

static DIR *open_list(int cachefd)
{
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		fd_close(fd);
	return dir;
}

static bool is_older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

/* Counts the files; *ret_oldest is the caller's, NULL if there is none. */
static size_t survey(int cachefd, char **ret_oldest)
{
	_cleanup_dir_ DIR *dir = open_list(cachefd);
	const struct dirent *entry;
	struct stat st, oldest = {.st_mtim.tv_sec = 0};
	size_t count = 0;

	*ret_oldest = NULL;
	while (dir && (entry = readdir(dir))) {
		if (fstatat(cachefd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(st.st_mode))
			continue;
		count++;
		if (*ret_oldest && !is_older(&st, &oldest))
			continue;
		oldest = st;
		free(*ret_oldest);
		*ret_oldest = xstrdup(entry->d_name);
	}
	return count;
}

/* Removes the oldest files until there is room for one more. */
static void make_room(int cachefd)
{
	for (;;) {
		_cleanup_free_ char *oldest = NULL;

		if (survey(cachefd, &oldest) < SECCOMP_CACHE_FILES_MAX)
			return;
		if (unlinkat(cachefd, oldest, 0) < 0)
			return;
	}
}

void seccomp_cache_store(int cachefd, const struct buf *key, const struct seccomp_program *program)
{
	struct header header = {.key_size = key->size, .count = program->count};
	_cleanup_buf_ struct buf file = BUF_EMPTY;
	struct error unkept = ERROR_NONE;
	char name[NAME_MAX_SIZE];

	if (!usable(cachefd))
		return;
	memcpy(header.magic, MAGIC, sizeof(header.magic));
	buf_add(&file, &header, sizeof(header));
	buf_add(&file, key->data, key->size);
	buf_add(&file, program->instructions, program->count * sizeof(struct sock_filter));
	if (file.size > SECCOMP_CACHE_BYTES_MAX)
		return;
	header.checksum = checksum(file.data, file.size);
	memcpy(file.data, &header, sizeof(header));
	file_name(key, name);
	make_room(cachefd);
	/* A cache that cannot be written is as good as none. */
	ignore(file_replace_at(cachefd, name, 0600, file.data, file.size, &unkept));
}
