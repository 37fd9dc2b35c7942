/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a root, resolved by the kernel under a policy.
 *
 * Theory of operation. What lies inside a container's root belongs to an attacker, who may swap a
 * directory for a symbolic link while we look at it. So a path is never joined to the root's own
 * path, and never checked first and used later: openat2(2) resolves it within the root and gives a
 * descriptor, and everything that follows acts on the descriptor. Missing directories are made one
 * by one, each beneath the descriptor of its parent: mkdirat(2) does not follow a link at its last
 * component, and the new directory is opened without following one either.
 *
 * openat2(2) answers -EAGAIN (or -EXDEV) when something was renamed beside its walk through "..":
 * the kernel could not tell whether the root was left. It is tried again, a bounded number of
 * times.
 */
#include "berth/base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#define RETRIES_MAX 256

static const uint64_t policies[ROOT_POLICY_MAX] = {
	[ROOT_FOLLOW] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	[ROOT_NO_SYMLINKS] = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	[ROOT_BENEATH] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	[ROOT_NO_XDEV] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
};

int root_try_open(int rootfd, const char *path, enum root_policy policy, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = policies[policy],
	};
	int r = -EAGAIN;

	/* RESOLVE_BENEATH refuses what begins with "/"; here it means the start itself. */
	path += strspn(path, "/");
	if (!*path)
		path = ".";
	for (int i = 0; i < RETRIES_MAX && r == -EAGAIN; i++)
		r = sys_openat2(rootfd, path, &how);
	return r;
}

int root_open(int rootfd, const char *path, enum root_policy policy, int flags, struct error *err)
{
	int fd = root_try_open(rootfd, path, policy, flags);

	return fd < 0 ? fail(err, fd, "open \"%s\"", path) : fd;
}

/* Opens directory @name beneath @dirfd, making it if it is missing. Returns negative errno. */
static int enter_directory(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_last(int dirfd, const char *name, enum root_kind kind)
{
	struct stat st;
	int fd;

	if (kind == ROOT_DIRECTORY)
		return enter_directory(dirfd, name);
	fd = openat(dirfd, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 && errno != EEXIST)
		return -errno;
	fd_close(fd);
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A dangling link, or one that was put there just now: nothing may be mounted over it. */
	if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode)) {
		fd_close(fd);
		return -ELOOP;
	}
	return fd;
}

/*
 * Finds the longest part of @path (which is cut apart in place and put together again) that
 * exists. Returns its descriptor, and *ret_rest: what is missing, without leading slashes.
 */
static int open_existing(int rootfd, char *path, char **ret_rest)
{
	char *cut = path + strlen(path);
	int fd;

	for (;;) {
		char kept = *cut;

		*cut = '\0';
		fd = root_try_open(rootfd, path, ROOT_FOLLOW, O_PATH);
		*cut = kept;
		if (fd != -ENOENT)
			break;
		/* One component less. The root itself exists, so this comes to an end. */
		while (cut > path && cut[-1] == '/')
			cut--;
		while (cut > path && cut[-1] != '/')
			cut--;
		while (cut > path && cut[-1] == '/')
			cut--;
	}
	*ret_rest = cut + strspn(cut, "/");
	return fd;
}

/* True for the names that are no entries of their own. */
static bool is_dot(const char *name)
{
	return str_equal(name, ".") || str_equal(name, "..");
}

/* Makes the components of @rest beneath @dirfd, which is consumed; the last one of @kind. */
static int make_rest(int dirfd, char *rest, enum root_kind kind, const char *path,
		     struct error *err)
{
	_cleanup_fd_ int at = dirfd;
	char *saved = NULL;

	for (char *name = strtok_r(rest, "/", &saved); name;) {
		char *next = strtok_r(NULL, "/", &saved);
		int fd;

		if (str_equal(name, ".")) {
			name = next;
			continue;
		}
		/* ".." after something that does not exist: nothing sensible can be meant. */
		if (str_equal(name, ".."))
			return fail(err, -ENOENT, "create \"%s\" (component \"%s\")", path, name);
		fd = next ? enter_directory(at, name) : make_last(at, name, kind);
		/* A dangling link is in the way: what it names can't be made in its stead. */
		if (fd == -ENOTDIR || fd == -ELOOP)
			return fail(err, fd, "create \"%s\" (\"%s\" is in the way)", path, name);
		if (fd < 0)
			return fail(err, fd, "create \"%s\" (component \"%s\")", path, name);
		fd_close(at);
		at = fd;
		name = next;
	}
	return take_fd(&at);
}

int root_make(int rootfd, const char *path, enum root_kind kind, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *rest;
	int fd = open_existing(rootfd, copy, &rest);

	if (fd < 0)
		return fail(err, fd, "open \"%s\"", path);
	return *rest ? make_rest(fd, rest, kind, path, err) : fd;
}

int root_make_parent(int rootfd, const char *path, const char **ret_name, struct error *err)
{
	_cleanup_free_ char *parent = NULL;
	const char *name = strrchr(path, '/');
	int fd;

	name = name ? name + 1 : path;
	if (!*name || is_dot(name))
		return refuse(err, "\"%s\" does not name a file", path);
	parent = xstrndup(path, (size_t)(name - path));
	fd = root_make(rootfd, parent, ROOT_DIRECTORY, err);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}
