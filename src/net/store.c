/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's directory: opened, made, locked; emptied of what another boot left.
 *
 * Theory of operation. The lock file is for its owner alone: whoever could open it could hold it,
 * and so keep all containers from their network. The boot's name is written after everything of
 * another boot is gone, so that who is killed in between leaves the work to the next one.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/proc.h"

#include "hosts.h"
#include "store-internal.h"

#define LOCK_TIMEOUT_MS 60000

#define BOOT_ID_MAX 64

struct place {
	const char *name;
	mode_t mode;
	size_t offset; /* of the descriptor in struct store */
};

static const struct place places[] = {
	{"networks", 0755, offsetof(struct store, networksfd)},
	/* Containers' mounts lead to what is in there. */
	{"hosts", 0755, offsetof(struct store, hostsfd)},
	{"leases", 0700, offsetof(struct store, leasesfd)},
	{"addresses", 0755, offsetof(struct store, addressesfd)},
};

static int *place_fd(struct store *store, const struct place *place)
{
	return (int *)((char *)store + place->offset);
}

/* Makes @path and the directories before it, where they are missing. */
static int make_path(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *slash = copy;;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* Whoever else could write here could have us undo and make what he likes. */
static int check_owner(const char *path, const char *name, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "stat \"%s%s\"", path, name);
	if (st.st_uid != geteuid())
		return refuse_as(err, -EPERM, "the store \"%s%s\" belongs to user %u, not to %u",
				 path, name, st.st_uid, geteuid());
	if (st.st_mode & 022)
		return refuse_as(err, -EPERM,
				 "other users may write to the store \"%s%s\" (mode %04o)", path,
				 name, st.st_mode & 07777);
	return 0;
}

/* Returns 1, 0 if there is no store, or negative errno. */
static int open_root(struct store *store, enum store_access access, struct error *err)
{
	int r;

	store->rootfd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->rootfd < 0 && errno == ENOENT && access == STORE_READ)
		return 0;
	if (store->rootfd < 0 && errno == ENOENT) {
		r = make_path(store->path);
		if (r < 0)
			return fail(err, r, "make the store \"%s\"", store->path);
		store->rootfd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (store->rootfd < 0)
		return fail(err, -errno, "open the store \"%s\"", store->path);
	r = check_owner(store->path, "", store->rootfd, err);
	return r < 0 ? r : 1;
}

/* Returns 1, 0 if there is no lock (nobody has changed anything yet), or negative errno. */
static int take_lock(struct store *store, enum store_access access, struct error *err)
{
	int flags = access == STORE_READ ? O_RDONLY : O_RDWR | O_CREAT;
	int r;

	store->lockfd = openat(store->rootfd, "lock", flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (store->lockfd < 0 && errno == ENOENT && access == STORE_READ)
		return 0;
	if (store->lockfd < 0)
		return fail(err, -errno, "open \"%s/lock\"", store->path);
	r = store_lock(store->lockfd, store->path, access == STORE_READ ? LOCK_SH : LOCK_EX,
		       LOCK_TIMEOUT_MS, err);
	return r < 0 ? r : 1;
}

static int open_place(struct store *store, const struct place *place, enum store_access access,
		      struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_free_ char *name = xasprintf("/%s", place->name);
	int *fd = place_fd(store, place);

	*fd = openat(store->rootfd, place->name, flags);
	if (*fd < 0 && errno == ENOENT) {
		if (access == STORE_READ)
			return 0;
		if (mkdirat(store->rootfd, place->name, place->mode) < 0)
			return fail(err, -errno, "make \"%s%s\"", store->path, name);
		*fd = openat(store->rootfd, place->name, flags);
	}
	if (*fd < 0)
		return fail(err, -errno, "open \"%s%s\"", store->path, name);
	return check_owner(store->path, name, *fd, err);
}

static int read_boot_id(char ret[static BOOT_ID_MAX], struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);
	_cleanup_fd_ int fd = -EBADF;
	ssize_t size;

	if (procfd < 0)
		return procfd;
	fd = proc_open_at(procfd, "sys/kernel/random/boot_id", O_RDONLY, err);
	if (fd < 0)
		return fd;
	size = read(fd, ret, BOOT_ID_MAX - 1);
	if (size <= 0)
		return fail(err, size < 0 ? -errno : -ENODATA,
			    "read \"/proc/sys/kernel/random/boot_id\"");
	ret[size] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Whether the leases are of this boot; false too where nobody has said of which. */
static bool is_this_boot(const struct store *store, const char *boot_id)
{
	struct error unused = ERROR_NONE;
	_cleanup_free_ char *text = NULL;

	if (file_read_at(store->rootfd, "boot", BOOT_ID_MAX, &text, NULL, &unused) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return str_equal(text, boot_id);
}

static int drop_file(void *data, const char *name, struct error *err)
{
	if (unlinkat(*(const int *)data, name, 0) < 0 && errno != ENOENT)
		return fail(err, -errno, "remove \"%s\" of another boot", name);
	return 0;
}

static int drop_addresses(void *data, const char *name, struct error *err)
{
	int addressesfd = *(const int *)data, r;
	_cleanup_fd_ int fd =
		openat(addressesfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "open \"addresses/%s\"", name);
	r = store_each(fd, name, drop_file, &fd, err);
	if (r < 0)
		return r;
	if (unlinkat(addressesfd, name, AT_REMOVEDIR) < 0)
		return fail(err, -errno, "remove \"addresses/%s\" of another boot", name);
	return 0;
}

static int empty_hosts(void *data, const char *name, struct error *err)
{
	static const struct lease_list none = {.count = 0};

	if (store_is_unfinished(name))
		return 0;
	return hosts_rebuild(data, name, &none, err);
}

/* Drops what is of another boot: the networks and the names of hosts files stay. */
static int enter_boot(struct store *store, const char *boot_id, struct error *err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", boot_id);
	int r = store_each(store->leasesfd, "leases", drop_file, &store->leasesfd, err);

	if (r >= 0)
		r = store_each(store->addressesfd, "addresses", drop_addresses, &store->addressesfd,
			       err);
	if (r >= 0)
		r = store_each(store->hostsfd, "hosts", empty_hosts, store, err);
	if (r >= 0)
		r = file_replace_at(store->rootfd, "boot", 0644, line, strlen(line), err);
	return r < 0 ? within(err, r, "the store \"%s\"", store->path) : 0;
}

static int check_boot(struct store *store, enum store_access access, struct error *err)
{
	char boot_id[BOOT_ID_MAX];
	int r = read_boot_id(boot_id, err);

	if (r < 0 || is_this_boot(store, boot_id))
		return r;
	if (access == STORE_CHANGE)
		return enter_boot(store, boot_id, err);
	store->leasesfd = fd_close(store->leasesfd);
	store->addressesfd = fd_close(store->addressesfd);
	return 0;
}

static int open_places(struct store *store, enum store_access access, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++)
		r = open_place(store, &places[i], access, err);
	return r;
}

int store_open(const char *path, enum store_access access, struct store *ret, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	int r;

	store.path = path;
	r = open_root(&store, access, err);
	if (r > 0)
		r = take_lock(&store, access, err);
	if (r > 0)
		r = open_places(&store, access, err);
	else if (r == 0)
		/* Without a lock there is nothing to be read. */
		store.rootfd = fd_close(store.rootfd);
	if (r >= 0 && store.rootfd >= 0)
		r = check_boot(&store, access, err);
	if (r < 0)
		return r;
	*ret = store;
	store = (struct store)STORE_CLOSED;
	return 0;
}

void store_close(struct store *store)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		*place_fd(store, &places[i]) = fd_close(*place_fd(store, &places[i]));
	store->lockfd = fd_close(store->lockfd);
	store->rootfd = fd_close(store->rootfd);
}

bool store_has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && str_equal(name + length - tail, suffix);
}

bool store_is_unfinished(const char *name)
{
	return name[0] == '.' && store_has_suffix(name, ".new");
}

int store_each(int dirfd, const char *what,
	       int (*each)(void *data, const char *name, struct error *err), void *data,
	       struct error *err)
{
	int fd = dirfd < 0 ? -EBADF : openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (dirfd < 0)
		return 0;
	if (!dir) {
		r = -errno;
		fd_close(fd);
		return fail(err, r, "open \"%s\"", what);
	}
	while (r == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? fail(err, -errno, "list \"%s\"", what) : 0;
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			r = each(data, entry->d_name, err);
	}
	return r;
}

struct listing {
	const char *what;
	const char *suffix;
	struct strv names;
};

static int add_name(void *data, const char *name, struct error *err)
{
	struct listing *listing = data;
	_cleanup_free_ char *copy = NULL;

	if (store_is_unfinished(name))
		return 0;
	if (!store_has_suffix(name, listing->suffix))
		return refuse(err, "\"%s/%s\" is none of berth-net's files", listing->what, name);
	copy = xstrndup(name, strlen(name) - strlen(listing->suffix));
	strv_add(&listing->names, copy);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_names(int dirfd, const char *what, const char *suffix, struct strv *ret,
		struct error *err)
{
	struct listing listing = {.what = what, .suffix = suffix, .names = {.items = NULL}};
	int r = store_each(dirfd, what, add_name, &listing, err);

	if (r < 0) {
		strv_done(&listing.names);
		return r;
	}
	if (listing.names.count)
		qsort(listing.names.items, listing.names.count, sizeof(char *), compare_names);
	*ret = listing.names;
	return 0;
}

int store_read(int dirfd, const char *name, char **ret_text, size_t *ret_size, struct error *err)
{
	struct error now = ERROR_NONE;
	int r;

	if (dirfd < 0)
		return -ENOENT;
	r = file_read_at(dirfd, name, STORE_FILE_MAX, ret_text, ret_size, &now);
	if (r < 0 && r != -ENOENT)
		*err = now;
	return r;
}

static int drop_unfinished(void *data, const char *name, struct error *err)
{
	return store_is_unfinished(name) ? drop_file(data, name, err) : 0;
}

int store_tidy(const struct store *store, struct error *err)
{
	const int directories[] = {store->rootfd, store->networksfd, store->hostsfd,
				   store->leasesfd};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(directories); i++) {
		int fd = directories[i];

		r = store_each(fd, store->path, drop_unfinished, &fd, err);
	}
	return r;
}
