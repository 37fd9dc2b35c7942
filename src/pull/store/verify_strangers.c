/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer's tree has and its index has not.
 *
 * Theory of operation. Every directory of the tree is one of the index, or a finding itself. So
 * each is listed by itself, and each name looked for among all paths of the index. Of these no more
 * are kept in mind than a bounded number: where there are more, all is gone through several times,
 * with a share of the paths each time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"

#include "common/path_set.h"
#include "layer/index_once.h"

#include "verify-internal.h"

struct search {
	struct verification *verification;
	struct path_set *known; /* paths of this share */
	uint64_t share, shares;
};

static int add_line(void *context, const struct index_entry *entry, struct error *err)
{
	const struct search *search = context;

	(void)err;
	if (entry->type != 'o' && index_share_of(entry->path, search->shares) == search->share)
		path_set_add(search->known, entry->path);
	return 0;
}

static void look_at(const struct search *search, const char *directory, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s%s%s", directory, *directory ? "/" : "", name);

	if (index_share_of(path, search->shares) != search->share ||
	    path_set_has(search->known, path))
		return;
	/* Once is enough, also where the directory has several lines. */
	if (path_set_count(search->known) < (size_t)2 * INDEX_SHARE_MAX)
		path_set_add(search->known, path);
	verify_report(search->verification, path, "not of the layer");
}

/* A directory that is none any more has been reported. */
static int list(const struct search *search, const char *path, struct error *err)
{
	int fd = root_try_open(search->verification->rootfd, path, ROOT_NO_SYMLINKS,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r;

	if (fd >= 0 && !dir) {
		r = -errno;
		fd_close(fd);
		return fail(err, r, "list \"%s\"", path);
	}
	if (fd == -EMFILE || fd == -ENFILE || fd == -EACCES)
		return fail(err, fd, "list \"%s\"", path);
	if (fd < 0)
		return 0;
	while ((entry = readdir(dir))) {
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			look_at(search, path, entry->d_name);
	}
	return 0;
}

static int list_line(void *context, const struct index_entry *entry, struct error *err)
{
	const struct search *search = context;
	const atomic_bool *cancelled = search->verification->verify->cancelled;

	if (cancelled && atomic_load(cancelled))
		return fail(err, -EINTR, "verify");
	if (entry->type != 'd' && entry->type != 'i')
		return 0;
	return *entry->path ? list(search, entry->path, err) : 0;
}

static int search_share(struct search *search, struct error *err)
{
	_cleanup_path_set_ struct path_set *known = path_set_new();
	int indexfd = search->verification->indexfd, r;

	search->known = known;
	r = index_read(indexfd, add_line, search, err);
	/* The root is a directory also where the index says nothing of it. */
	if (r >= 0)
		r = list(search, "", err);
	return r < 0 ? r : index_read(indexfd, list_line, search, err);
}

int verify_strangers(struct verification *verification, struct error *err)
{
	struct search search = {.verification = verification,
				.shares = index_shares(verification->lines)};
	int r = 0;

	for (; r >= 0 && search.share < search.shares; search.share++)
		r = search_share(&search, err);
	return r;
}
