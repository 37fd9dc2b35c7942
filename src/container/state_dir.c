/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state root, and in it a directory for each container.
 *
 * Theory of operation. mkdir(2) claims a name: of two creators one gets it. The creator and whoever
 * deletes hold a flock(2) on the directory while they work; a reader takes none. A lock that was
 * won on a directory that somebody removed meanwhile shows by its link count of 0. `start` takes no
 * lock: init itself lets exactly one starter through, and a starter that hangs must not keep the
 * next one out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"

#include "container-internal.h"
#include "limits-internal.h"
#include "sockets-internal.h"

#define ID_MAX 255
/* How often a lock that somebody holds is tried for. */
#define LOCK_RETRY_MS 10
/* How long others may work on a container until we give up. */
#define LOCK_TIMEOUT_MS 10000
#define BACKLOG		16
/* How often something new may be found in a directory that is being removed: see oom_note.c. */
#define REMOVALS_MAX 16

int container_id_check(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+.-";
	size_t length = strlen(id);

	if (length == 0 || length > ID_MAX || strspn(id, allowed) != length || id[0] == '-' ||
	    str_equal(id, ".") || str_equal(id, ".."))
		return refuse(err,
			      "invalid container ID format: \"%.64s\" (letters, digits and "
			      "\"_+.-\", at most %d)",
			      id, ID_MAX);
	return 0;
}

/* What a user who is not root has forgotten. */
static const char *root_hint(int code)
{
	return code == EACCES && geteuid() != 0 ? " (set XDG_RUNTIME_DIR, or use --root)" : "";
}

/* Makes the state root with its parents: the path is the user's own, and of the host. */
static int make_state_root(const char *path, struct error *err)
{
	_cleanup_fd_ int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), parent = -EBADF;
	const char *name;

	if (slash < 0)
		return fail(err, -errno, "open \"/\"");
	parent = root_make_parent(slash, path, &name, err);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return fail(err, -errno, "create the state root \"%s\"%s", path, root_hint(errno));
	return 0;
}

int state_root_open(const struct runtime *runtime, bool make, struct error *err)
{
	const char *path = runtime->root;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make) {
		int r = make_state_root(path, err);

		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fail(err, -errno, "open the state root \"%s\"%s", path, root_hint(errno))
		      : fd;
}

static int open_locked(int rootfd, const char *id, struct error *err)
{
	_cleanup_fd_ int fd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(err, -errno, "open the state directory of \"%s\"", id);
	r = state_lock(fd, /* wait= */ false, err);
	if (r == 0)
		return refuse_as(err, -ENOENT, "container \"%s\" was deleted while it was created",
				 id);
	return r < 0 ? r : take_fd(&fd);
}

int state_claim(int rootfd, const char *id, struct error *err)
{
	int r = container_id_check(id, err);

	if (r < 0)
		return r;
	if (mkdirat(rootfd, id, 0700) < 0) {
		r = -errno;
		if (r == -EEXIST)
			return refuse_as(err, r, "container with given ID already exists: \"%s\"",
					 id);
		return fail(err, r, "create the state directory of \"%s\"", id);
	}
	return open_locked(rootfd, id, err);
}

int state_open(const struct runtime *runtime, const char *id, struct error *err)
{
	_cleanup_fd_ int rootfd = -EBADF;
	struct error unheard = ERROR_NONE;
	int fd = container_id_check(id, err);

	if (fd < 0)
		return fd;
	rootfd = state_root_open(runtime, /* make= */ false, &unheard);
	if (rootfd == -ENOENT)
		return refuse_as(err, -ENOENT, "container \"%s\" does not exist", id);
	if (rootfd < 0) {
		*err = unheard;
		return rootfd;
	}
	fd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return refuse_as(err, -ENOENT, "container \"%s\" does not exist", id);
	return fd < 0 ? fail(err, -errno, "open the state directory of \"%s\"", id) : fd;
}

int state_lock(int dirfd, bool wait, struct error *err)
{
	int64_t end = clock_now_ms() + (wait ? LOCK_TIMEOUT_MS : 0);
	struct stat st;

	while (flock(dirfd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(err, -errno, "lock the state directory");
		if (clock_now_ms() >= end)
			return refuse_as(err, -EBUSY,
					 "another berth is creating or deleting the "
					 "container");
		poll(NULL, 0, LOCK_RETRY_MS);
	}
	if (fstat(dirfd, &st) < 0)
		return fail(err, -errno, "stat the state directory");
	return st.st_nlink > 0;
}

void state_unlock(int dirfd)
{
	flock(dirfd, LOCK_UN); /* of a descriptor that is open it can't fail */
}

/* The record is the first that is written, and the last that is removed. */
bool state_has_record(int dirfd)
{
	return faccessat(dirfd, STATE_RECORD, F_OK, 0) == 0 || errno != ENOENT;
}

/* Every file in the directory: the names above, and what a killed writer left. */
static int remove_content(int dirfd, struct error *err)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int r = 0;

	if (!dir) {
		r = fail(err, -errno, "read the state directory");
		fd_close(copy);
		return r;
	}
	for (struct dirent *entry = readdir(dir); entry && r >= 0; entry = readdir(dir)) {
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR && notify_remove_directory(dirfd) >= 0)
			continue;
		if (unlinkat(dirfd, entry->d_name, 0) < 0 && errno != ENOENT)
			r = fail(err, -errno, "remove \"%s\" of the state directory",
				 entry->d_name);
	}
	closedir(dir);
	return r;
}

int state_remove(int rootfd, int dirfd, const char *id, struct error *err)
{
	/* The usual files by name; only where something else is left is the directory read. */
	static const char *const names[] = {STATE_SOCKET, STATE_RESOURCES, STATE_CONFIG,
					    STATE_RECORD};
	int r = -ENOTEMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(dirfd, names[i], 0);
	for (int i = 0; i < REMOVALS_MAX && r == -ENOTEMPTY; i++) {
		if (unlinkat(rootfd, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		r = -errno;
		if (r == -ENOTEMPTY && remove_content(dirfd, err) < 0)
			return err->code;
	}
	return fail(err, r, "remove the state directory of \"%s\"", id);
}

int state_stage_make(int rootfd, struct error *err)
{
	if (mkdirat(rootfd, STATE_STAGE, 0700) < 0 && errno != EEXIST)
		return fail(err, -errno, "make \"" STATE_STAGE "\" in the state root");
	return 0;
}

int state_cache_open(int rootfd)
{
	if (mkdirat(rootfd, STATE_CACHE, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(rootfd, STATE_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* By way of the directory's descriptor, so that its path may be of any length. */
static void socket_address(int dirfd, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", dirfd,
		 STATE_SOCKET);
}

int state_listen(int dirfd, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	socket_address(dirfd, &address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return fail(err, -errno,
			    "make the socket on which the container waits for its "
			    "start");
	return take_fd(&fd);
}

int state_connect(int dirfd)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int flags;

	socket_address(dirfd, &address);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return -errno;
	return take_fd(&fd);
}
