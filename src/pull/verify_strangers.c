/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer's tree has and its index has not.
 *
 * Theory of operation. Every directory of the tree is one of the index, or a finding itself. So
 * each is listed by itself, and each name looked for in a set of all paths of the index. That set
 * holds hashes, of 64 bits, and has a bounded size: where the index has more paths than fit, it is
 * gone through several times, with a share of the paths each time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"

#include "verify-internal.h"

#define SET_MAX (1u << 19) /* places, of 8 bytes */

struct search {
	struct verification *verification;
	uint64_t *set; /* hashes; 0: a place that is free */
	size_t places; /* a power of two */
	size_t room;   /* how many more may be taken: the set must never be full */
	uint64_t seed; /* nobody can make paths that all fall into one share */
	uint64_t share, shares;
};

/* FNV-1a of 64 bits, and never 0. */
static uint64_t hash_path(const struct search *search, const char *path)
{
	uint64_t hash = search->seed;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3u;
	return hash ? hash : 1;
}

/* The place of the hash, or the free one that it would take. */
static uint64_t *find(const struct search *search, uint64_t hash)
{
	size_t at = (size_t)(hash ^ hash >> 32) & (search->places - 1);

	while (search->set[at] && search->set[at] != hash)
		at = (at + 1) & (search->places - 1);
	return &search->set[at];
}

static bool is_of_share(const struct search *search, uint64_t hash)
{
	return (hash >> 40) % search->shares == search->share;
}

static int add_line(void *context, const struct index_entry *entry, struct error *err)
{
	struct search *search = context;
	uint64_t hash = hash_path(search, entry->path);
	uint64_t *place;

	if (entry->type == 'o' || !is_of_share(search, hash))
		return 0;
	place = find(search, hash);
	if (*place)
		return 0;
	if (!search->room)
		return fail(err, -EOVERFLOW, "verify \"%s\"", entry->path);
	search->room--;
	*place = hash;
	return 0;
}

static void look_at(struct search *search, const char *directory, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s%s%s", directory, *directory ? "/" : "", name);
	uint64_t hash = hash_path(search, path);
	uint64_t *place;

	if (!is_of_share(search, hash))
		return;
	place = find(search, hash);
	if (*place)
		return;
	/* Once is enough, also where the directory has several lines. */
	if (search->room) {
		search->room--;
		*place = hash;
	}
	verify_report(search->verification, path, "not of the layer");
}

/* A directory that is none any more has been reported. */
static int list(struct search *search, const char *path, struct error *err)
{
	int fd = root_try_open(search->verification->rootfd, path, ROOT_NO_SYMLINKS,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (fd == -EMFILE || fd == -ENFILE || fd == -EACCES || (fd >= 0 && !dir))
		return fail(err, fd < 0 ? fd : -errno, "list \"%s\"", path);
	if (fd < 0)
		return 0;
	while ((entry = readdir(dir))) {
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			look_at(search, path, entry->d_name);
	}
	closedir(dir);
	return 0;
}

static int list_line(void *context, const struct index_entry *entry, struct error *err)
{
	struct search *search = context;
	const atomic_bool *cancelled = search->verification->verify->cancelled;

	if (cancelled && atomic_load(cancelled))
		return fail(err, -EINTR, "verify");
	if (entry->type != 'd' && entry->type != 'i')
		return 0;
	return *entry->path ? list(search, entry->path, err) : 0;
}

static int search_share(struct search *search, struct error *err)
{
	int indexfd = search->verification->indexfd, r;

	memset(search->set, 0, search->places * sizeof(*search->set));
	search->room = search->places / 8 * 7;
	r = index_read(indexfd, add_line, search, err);
	/* The root is a directory also where the index says nothing of it. */
	if (r >= 0)
		r = list(search, "", err);
	return r < 0 ? r : index_read(indexfd, list_line, search, err);
}

int verify_strangers(struct verification *verification, struct error *err)
{
	struct search search = {.verification = verification, .places = 64};
	_cleanup_free_ uint64_t *set = NULL;
	int r = 0;

	/* At most half of the places are taken by the index, if chance is fair to all shares. */
	while (search.places < SET_MAX && search.places < 2 * verification->lines)
		search.places *= 2;
	search.shares = verification->lines / (search.places / 2) + 1;
	set = xcalloc(search.places, sizeof(*set));
	search.set = set;
	if (getrandom(&search.seed, sizeof(search.seed), 0) != sizeof(search.seed))
		return fail(err, -EIO, "get random bytes");
	for (; r >= 0 && search.share < search.shares; search.share++)
		r = search_share(&search, err);
	return r;
}
