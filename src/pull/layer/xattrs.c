/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: which ones an image may have, and under what names.
 *
 * Theory of operation. A layer becomes a lower directory of an overlay, and attributes named
 * trusted.overlay.* (user.overlay.* in a user namespace) tell overlayfs what to hide, and where a
 * file's content is. An image that could set them would say what overlayfs does. Since Linux 6.7
 * overlayfs shows an attribute X.overlay.overlay.Y as X.overlay.Y and does not act on it, which is
 * what an image can mean that has such attributes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "berth/base/alloc.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

#include "index.h"
#include "metadata.h"

/* What belongs to the host that the image was made on, or to the file system it was made on. */
static const char *const of_host[] = {
	"security.selinux", "security.ima",	 "security.evm",
	"security.SMACK64", "security.apparmor", "system.nfs4_acl",
};

bool xattr_is_of_host(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_host); i++)
		if (str_starts(name, of_host[i]))
			return true;
	return false;
}

const char *xattr_name_in_layer(const char *name, bool user_namespace,
				char buffer[static XATTR_NAME_ROOM])
{
	const char *own = OVERLAY_XATTR(user_namespace, "");
	const char *other = OVERLAY_XATTR(!user_namespace, "");

	if (str_starts(name, other) || (user_namespace && str_starts(name, "trusted.")))
		return NULL;
	if (!str_starts(name, own))
		return name;
	/* The kernel takes names of 255 bytes; what is cut here is none. */
	snprintf(buffer, XATTR_NAME_ROOM, "%soverlay.%s", own, name + strlen(own));
	return buffer;
}

const char *xattr_name_from_layer(const char *name, bool user_namespace, bool plain,
				  char buffer[static XATTR_NAME_ROOM])
{
	const char *own = OVERLAY_XATTR(user_namespace, "");
	const char *escaped = OVERLAY_XATTR(user_namespace, "overlay.");

	if (!str_starts(name, own))
		return name;
	if (!str_starts(name, escaped))
		return NULL;
	if (!plain)
		return name;
	snprintf(buffer, XATTR_NAME_ROOM, "%s%s", own, name + strlen(escaped));
	return buffer;
}

/* By fsetxattr(2), or, for what is only named, by its name in /proc. */
static int set(int fd, const struct xattr *xattr)
{
	char path[FD_PATH_MAX];

	if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	fd_path(fd, path);
	return setxattr(path, xattr->name, xattr->value, xattr->size, 0) < 0 ? -errno : 0;
}

/* xattr(7): user.* is refused with EPERM on what is no file and no directory. */
static bool is_forbidden(int fd, const char *name, bool user_namespace)
{
	struct stat st;

	if (user_namespace && !str_starts(name, "user."))
		return true;
	return str_starts(name, "user.") && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) &&
	       !S_ISDIR(st.st_mode);
}

int xattr_set(int fd, const struct xattr *xattr, bool user_namespace, const char *path,
	      struct error *err)
{
	int r = set(fd, xattr);

	if (r == 0)
		return 1;
	if (r == -EOPNOTSUPP || (r == -EPERM && is_forbidden(fd, xattr->name, user_namespace)))
		return 0;
	return fail(err, r, "set the attribute %s of \"%s\"", xattr->name, path);
}

/* As listxattr(2) of either kind of descriptor. */
static ssize_t list_into(int fd, char *names, size_t room)
{
	char path[FD_PATH_MAX];
	ssize_t size = flistxattr(fd, names, room);

	if (size < 0 && errno == EBADF) {
		fd_path(fd, path);
		size = listxattr(path, names, room);
	}
	return size < 0 ? -errno : size;
}

/* The names, one behind the other, the caller's; *ret_size bytes, or negative errno. */
static char *list(int fd, ssize_t *ret_size)
{
	char *names = NULL;
	ssize_t size;

	do {
		/* It may grow between the calls only where somebody interferes. */
		size = list_into(fd, NULL, 0);
		if (size <= 0)
			break;
		names = xrealloc(names, (size_t)size, 1);
		size = list_into(fd, names, (size_t)size);
	} while (size == -ERANGE);
	*ret_size = size == -EOPNOTSUPP ? 0 : size;
	return names;
}

/* Whether it tells overlayfs something; not what is only called so in the image. */
static bool is_of_overlay(const char *name)
{
	return (str_starts(name, OVERLAY_XATTR(false, "")) &&
		!str_starts(name, OVERLAY_XATTR(false, "overlay."))) ||
	       (str_starts(name, OVERLAY_XATTR(true, "")) &&
		!str_starts(name, OVERLAY_XATTR(true, "overlay.")));
}

int xattrs_clear(int fd, bool plain, const char *path, struct error *err)
{
	ssize_t size;
	_cleanup_free_ char *names = list(fd, &size);

	if (size < 0)
		return fail(err, (int)size, "list the attributes of \"%s\"", path);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;

		if ((!plain && is_of_overlay(name)) || xattr_is_of_host(name))
			continue;
		if (fremovexattr(fd, name) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return fail(err, -errno, "remove the attribute %s of \"%s\"", name, path);
	}
	return 0;
}

/* One file's attributes on their way: from the file at @from, a name in /proc. */
struct transfer {
	char from[FD_PATH_MAX];
	int to;
	bool user_namespace;
	const char *path; /* for messages */
};

/* The value of the attribute @name of the file @from, a name in /proc: the caller's. */
static char *read_value(const char *from, const char *name, ssize_t *ret_size)
{
	ssize_t size = getxattr(from, name, NULL, 0);
	char *value = NULL;

	if (size > 0) {
		value = xcalloc((size_t)size, 1);
		size = getxattr(from, name, value, (size_t)size);
	}
	*ret_size = size < 0 ? -errno : size;
	return value;
}

/* @to: what @name is called there. */
static int copy_one(const struct transfer *transfer, const char *name, const char *to,
		    struct error *err)
{
	ssize_t size;
	_cleanup_free_ char *value = read_value(transfer->from, name, &size);
	const struct xattr xattr = {.name = to, .value = value ? value : "", .size = (size_t)size};
	int r;

	if (size < 0)
		return fail(err, (int)size, "read the attribute %s of \"%s\"", name,
			    transfer->path);
	r = xattr_set(transfer->to, &xattr, transfer->user_namespace, transfer->path, err);
	return r < 0 ? r : 0;
}

int xattrs_copy(int fromfd, int tofd, bool user_namespace, bool plain, const char *path,
		struct error *err)
{
	struct transfer transfer = {.to = tofd, .user_namespace = user_namespace, .path = path};
	ssize_t size;
	_cleanup_free_ char *names = list(fromfd, &size);
	int r = 0;

	if (size < 0)
		return fail(err, (int)size, "list the attributes of \"%s\"", path);
	fd_path(fromfd, transfer.from);
	for (ssize_t at = 0; at < size && r >= 0; at += (ssize_t)strlen(names + at) + 1) {
		char buffer[XATTR_NAME_ROOM];
		const char *name = names + at;
		const char *to = xattr_name_from_layer(name, user_namespace, plain, buffer);

		/* A security module labels what is made by itself. */
		if (to && !xattr_is_of_host(name))
			r = copy_one(&transfer, name, to, err);
	}
	return r;
}

/* Those that an image can have. Some file systems show settings of theirs as others. */
static bool is_of_image(const char *name)
{
	static const char *const kinds[] = {"user.", "security.", "trusted.", "system.posix_acl_"};

	if (is_of_overlay(name) || xattr_is_of_host(name))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_starts(name, kinds[i]))
			return true;
	return false;
}

int xattrs_check(int fd, uint32_t *ret, const char *path, struct error *err)
{
	char from[FD_PATH_MAX];
	ssize_t size;
	_cleanup_free_ char *names = list(fd, &size);

	*ret = 0;
	if (size < 0)
		return fail(err, (int)size, "list the attributes of \"%s\"", path);
	fd_path(fd, from);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		_cleanup_free_ char *value = NULL;
		const char *name = names + at;
		ssize_t value_size;
		uint32_t check;

		if (!is_of_image(name))
			continue;
		value = read_value(from, name, &value_size);
		if (value_size < 0)
			return fail(err, (int)value_size, "read the attribute %s of \"%s\"", name,
				    path);
		check = index_check(0, name, strlen(name) + 1);
		*ret += value ? index_check(check, value, (size_t)value_size) : check;
	}
	return 0;
}
