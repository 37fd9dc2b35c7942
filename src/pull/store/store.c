/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's directory: opened, made, locked.
 *
 * Theory of operation. Nothing has a name in blobs/, layers/ or images/ before it is whole: it is
 * made in tmp/ and renamed. So a process that is killed leaves nothing but work in tmp/ behind,
 * which the next one that opens the store for writing removes; what is alive there holds a lock.
 *
 * The lock of the whole store is held shared by all who add or read, so that what they found or
 * made does not vanish before it is named by an image or bundle; who removes holds it exclusively
 * while he decides.
 *
 * Nothing in here is for other users. Layers hold setuid programs, with all the holes that they had
 * when the image was made, and under no mount option that would disarm them, so the directories
 * have mode 0700; whoever mounts a layer for a container is the store's owner, and needs no more.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "store-internal.h"

/* How often a lock that another process holds is tried again in ms, where waiting can be cancelled:
 * flock(2) and a flag cannot be awaited together. */
#define LOCK_RETRY_MS 50
/* Who waits longer for the whole store is told so: a pull may hold its lock for minutes. */
#define LOCK_TELL_MS 1000

const char *const store_directories[] = {"blobs",
					 "blobs/sha256",
					 "blobs/sha512",
					 "layers",
					 "layers/sha256",
					 "layers/sha512",
					 "ingest",
					 STORE_TMP,
					 "images",
					 "bundles",
					 NULL};

const char *store_name(const char *place, const struct digest *digest, char ret[STORE_NAME_MAX])
{
	snprintf(ret, STORE_NAME_MAX, "%s/%s/%s", place, digest_algorithm_name(digest->algorithm),
		 digest->hex);
	return ret;
}

const char *store_flat_name(const char *place, const struct digest *digest,
			    char ret[STORE_NAME_MAX])
{
	snprintf(ret, STORE_NAME_MAX, "%s/%s-%s", place, digest_algorithm_name(digest->algorithm),
		 digest->hex);
	return ret;
}

bool store_name_read(enum digest_algorithm algorithm, const char *hex, struct digest *ret)
{
	struct error err = ERROR_NONE;
	char text[DIGEST_TEXT_MAX];

	if (snprintf(text, sizeof(text), "%s:%s", digest_algorithm_name(algorithm), hex) >=
	    (int)sizeof(text))
		return false;
	return digest_parse(text, "name", ret, &err) == 0;
}

int store_wait_lock(const struct store *store, int fd, int operation)
{
	while (flock(fd, operation | (store->cancelled ? LOCK_NB : 0)) < 0) {
		if (store->cancelled && atomic_load(store->cancelled))
			return -EINTR;
		if (errno == EWOULDBLOCK)
			poll(NULL, 0, LOCK_RETRY_MS);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* The same for the lock of the whole store. */
static int wait_for_store(const struct store *store, int operation)
{
	for (int waited = 0; waited < LOCK_TELL_MS; waited += LOCK_RETRY_MS) {
		if (flock(store->lockfd, operation | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (store->cancelled && atomic_load(store->cancelled))
			return -EINTR;
		poll(NULL, 0, LOCK_RETRY_MS);
	}
	log_warning("the store \"%s\" is in use by another berth-pull: waiting for it to end",
		    store->path);
	return store_wait_lock(store, store->lockfd, operation);
}

/* Makes @path and the directories before it, where they are missing. */
static int make_path(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *slash = copy;;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int check_owner(const struct store *store, struct error *err)
{
	struct stat st;

	if (fstat(store->fd, &st) < 0)
		return fail(err, -errno, "stat the store \"%s\"", store->path);
	if (st.st_uid != geteuid())
		return refuse_as(err, -EPERM, "the store \"%s\" belongs to user %u, not to %u",
				 store->path, st.st_uid, geteuid());
	if (st.st_mode & 022)
		return refuse_as(err, -EPERM,
				 "other users may write to the store \"%s\" (mode %04o)",
				 store->path, st.st_mode & 07777);
	return 0;
}

/* Returns 1, 0 if there is no store, or negative errno. */
static int open_root(struct store *store, bool make, struct error *err)
{
	int r = make ? make_path(store->path) : 0;

	if (r < 0)
		return fail(err, r, "make the store \"%s\"", store->path);
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0 && errno == ENOENT && !make)
		return 0;
	if (store->fd < 0)
		return fail(err, -errno, "open the store \"%s\"", store->path);
	r = check_owner(store, err);
	return r < 0 ? r : 1;
}

static int make_directories(const struct store *store, struct error *err)
{
	for (size_t i = 0; store_directories[i]; i++) {
		if (mkdirat(store->fd, store_directories[i], 0700) < 0 && errno != EEXIST)
			return fail(err, -errno, "make \"%s/%s\"", store->path,
				    store_directories[i]);
	}
	return 0;
}

/* Opens the lock; -ENOENT where there is none, and is not made: whoever only reads makes nothing.
 */
static int open_lock(const struct store *store, enum store_mode mode)
{
	static const int flags[] = {
		[STORE_READ] = O_RDONLY, [STORE_ADD] = O_RDWR | O_CREAT, [STORE_REMOVE] = O_RDWR};
	bool is_anew =
		mode == STORE_REMOVE && faccessat(store->fd, "images", F_OK, AT_EACCESS) == 0;
	/* Who waits for a fifo's other end cannot be interrupted. */
	int fd = openat(store->fd, "lock",
			flags[mode] | (is_anew ? O_CREAT : 0) | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
			0600);

	return fd < 0 ? -errno : fd;
}

/* Returns 1, 0 if there is no store, or negative errno. */
static int lock_store(struct store *store, enum store_mode mode, struct error *err)
{
	int r;

	store->lockfd = open_lock(store, mode);
	/* Somebody has removed it: nobody is kept out then. Without directories nothing has ever
	 * been here. */
	if (store->lockfd == -ENOENT)
		return faccessat(store->fd, "images", F_OK, AT_EACCESS) == 0;
	if (store->lockfd < 0)
		return fail(err, store->lockfd, "open \"%s/lock\"", store->path);
	r = wait_for_store(store, mode == STORE_REMOVE ? LOCK_EX : LOCK_SH);
	return r < 0 ? fail(err, r, "lock the store \"%s\"", store->path) : 1;
}

DIR *store_open_dir(const struct store *store, const char *name)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		fd_close(fd);
	return dir;
}

int store_each(const struct store *store, const char *place,
	       int (*each)(void *context, const char *name, struct error *err), void *context,
	       struct error *err)
{
	_cleanup_dir_ DIR *dir = store->fd < 0 ? NULL : store_open_dir(store, place);
	int r = 0;

	if (!dir && (store->fd < 0 || errno == ENOENT))
		return 0;
	if (!dir)
		return fail(err, -errno, "open \"%s/%s\"", store->path, place);
	while (r >= 0) {
		char name[STORE_NAME_MAX];
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? fail(err, -errno, "list \"%s/%s\"", store->path, place) : 0;
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%.200s/%s", place, entry->d_name);
		r = each(context, name, err);
	}
	return r;
}

/* Where it cannot be read, it is a boot that nothing else was made in. */
static void read_boot(struct store *store)
{
	char random[RANDOM_NAME_MAX] = "?";
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;

	if (file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", sizeof(store->boot) - 1,
			 &text, NULL, &err) < 0) {
		ignore(random_name(random)); /* "?" has no other boot, either */
		memcpy(store->boot, random, strlen(random) + 1);
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	memcpy(store->boot, text, strlen(text) + 1);
}

static int open_store(struct store *store, enum store_mode mode, struct error *err)
{
	int r = open_root(store, mode == STORE_ADD, err);

	if (r <= 0)
		return r;
	read_boot(store);
	r = lock_store(store, mode, err);
	/* Who adds makes the lock first: without one nothing has ever been here. */
	if (r == 0)
		store->fd = fd_close(store->fd);
	if (r > 0 && mode == STORE_ADD)
		r = make_directories(store, err);
	if (r >= 0 && store->fd >= 0 && mode != STORE_READ)
		tmp_sweep(store, &store->swept);
	return r;
}

int store_open(const char *path, enum store_mode mode, struct store *ret, struct error *err)
{
	int r;

	ret->path = xstrdup(path);
	ret->tmp = xasprintf("%s/" STORE_TMP, path);
	ret->mode = mode;
	r = open_store(ret, mode, err);
	if (r < 0)
		store_close(ret);
	return r < 0 ? r : 0;
}

void store_close(struct store *store)
{
	free(take_ptr(&store->path));
	free(take_ptr(&store->tmp));
	store->fd = fd_close(store->fd);
	store->lockfd = fd_close(store->lockfd);
}
