/* SPDX-License-Identifier: Apache-2.0 */
/* What the store holds: documents, layers, parts, work in progress. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "layer/index.h"

#include "fsck-internal.h"
#include "stored_layers.h"
#include "verify.h"

static const char *last_name(const char *name)
{
	return strrchr(name, '/') + 1;
}

/* Whether the name is that of a digest; otherwise it is reported. */
static bool read_name(struct checking *checking, const char *name, struct digest *ret)
{
	if (store_name_read(checking->algorithm, last_name(name), ret))
		return true;
	fsck_report(checking, FSCK_UNKNOWN, name, "not a digest");
	return false;
}

/* Returns 1 if @fd holds what its digest says, 0, or negative errno. */
static int check_content(int fd, const struct digest *digest)
{
	_cleanup_hasher_ struct hasher *hasher = hasher_new(digest->algorithm);
	struct digest found;
	char chunk[32 * 1024];

	for (;;) {
		ssize_t size = read(fd, chunk, sizeof(chunk));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		if (size == 0)
			break;
		hasher_add(hasher, chunk, (size_t)size);
	}
	hasher_finish(hasher, &found);
	return digest_equal(&found, digest);
}

int fsck_blob(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;
	const struct store *store = checking->store;
	_cleanup_fd_ int fd = -EBADF;
	struct digest digest;
	struct stat st;
	int r;

	if (!read_name(checking, name, &digest))
		return 0;
	fd = openat(store->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno != ELOOP)
		return fail(err, -errno, "open \"%s/%s\"", store->path, name);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fsck_damaged(checking, name, "not a regular file");
		return 0;
	}
	r = check_content(fd, &digest);
	if (r < 0 && r != -EIO)
		return fail(err, r, "read \"%s/%s\"", store->path, name);
	if (r < 0)
		fsck_damaged(checking, name, "cannot be read");
	if (r == 0)
		fsck_damaged(checking, name, "does not have this digest");
	return 0;
}

static int count_line(void *context, const struct index_entry *entry, struct error *err)
{
	(void)entry;
	(void)err;
	++*(uint64_t *)context;
	return 0;
}

/* *ret_what: what is wrong with the parts of a layer; NULL: nothing. */
static int check_parts(int layerfd, const char **ret_what, struct error *err)
{
	_cleanup_fd_ int indexfd =
		openat(layerfd, "index", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint64_t lines = 0;
	struct stat st;
	int r = 0;

	*ret_what = NULL;
	if (fstatat(layerfd, "fs", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		*ret_what = "there is no directory fs in it";
	else if (indexfd < 0 || fstat(indexfd, &st) < 0 || !S_ISREG(st.st_mode))
		*ret_what = "there is no file index in it";
	else
		r = index_read(indexfd, count_line, &lines, err);
	/* What a newer berth-pull has made is no damage. */
	if (r == -EOPNOTSUPP)
		return r;
	/* There is the root's line at least: a power cut can leave none. */
	if (!*ret_what && (r < 0 || !lines))
		*ret_what = "its index is damaged";
	*err = (struct error)ERROR_NONE;
	return 0;
}

/* An entry of a layer's directory. */
static int check_part(void *context, const char *name, struct error *err)
{
	const char *last = last_name(name);

	(void)err;
	if (!str_equal(last, "fs") && !str_equal(last, "index") && !str_equal(last, "unsynced"))
		fsck_report(context, FSCK_UNKNOWN, name, "not part of a layer");
	return 0;
}

/* Whether it is what was unpacked, where it was not on the disk for certain when the machine went
 * down. Returns 1 where it is, or need not be looked at, 0, or negative errno. */
static int check_since_boot(const struct store *store, const struct digest *diff_id, int layerfd,
			    struct error *err)
{
	const struct verify verify = {.cancelled = store->cancelled};
	uint64_t findings = 0;
	int r;

	if (layer_note(store, diff_id) != NOTE_OTHER_BOOT)
		return 1;
	r = layer_verify(layerfd, &verify, &findings, err);
	if (r < 0)
		return within(err, r, "layer %s", diff_id->hex);
	if (findings)
		return 0;
	layer_settled(store, diff_id);
	return 1;
}

int fsck_layer(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;
	const struct store *store = checking->store;
	_cleanup_fd_ int fd = -EBADF;
	struct digest digest;
	const char *what = "not a directory";
	int r = 1;

	if (!read_name(checking, name, &digest))
		return 0;
	fd = openat(store->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOTDIR)
		return fail(err, -errno, "open \"%s/%s\"", store->path, name);
	if (fd >= 0)
		r = check_parts(fd, &what, err);
	if (r < 0)
		return within(err, r, "layer %s", digest.hex);
	r = 1;
	if (!what)
		r = check_since_boot(store, &digest, fd, err);
	if (r < 0)
		return r;
	if (r == 0)
		what = "hurt when the machine went down";
	if (what) {
		fsck_damaged_layer(checking, name, &digest, what);
		return 0;
	}
	return store_each(store, name, check_part, checking, err);
}

int fsck_part(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;
	const char *last = last_name(name), *dash = strchr(last, '-');
	struct digest digest;
	struct stat st;

	(void)err;
	for (int i = 0; dash && i < DIGEST_MAX; i++) {
		const char *algorithm = digest_algorithm_name((enum digest_algorithm)i);

		if (str_starts(last, algorithm) && dash == last + strlen(algorithm) &&
		    store_name_read((enum digest_algorithm)i, dash + 1, &digest) &&
		    fstatat(checking->store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			return 0;
	}
	fsck_report(checking, FSCK_UNKNOWN, name, "not part of a layer");
	return 0;
}

/* The lock of a directory is not worth a line of its own. */
static bool is_lock_of_directory(const struct store *store, const char *name)
{
	char directory[STORE_NAME_MAX];
	struct stat st;

	return tmp_is_lock(name, directory) &&
	       fstatat(store->fd, directory, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int fsck_work(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;

	(void)err;
	if (!tmp_in_use(checking->store, name) && !is_lock_of_directory(checking->store, name))
		fsck_report(checking, FSCK_LEFTOVER, name, "goes when the next pull begins");
	return 0;
}
