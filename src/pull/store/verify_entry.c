/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a layer's index against the tree. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"

#include "layer/metadata.h"

#include "verify-internal.h"

#define TARGET_MAX 4096 /* bytes of a symbolic link's text: symlink(7) */

static const struct kind {
	char type;
	mode_t format; /* 0: any that is no directory's */
	const char *name;
	bool has_mode, has_owner;
} kinds[] = {
	{'f', S_IFREG, "a file", true, true},
	{'l', S_IFLNK, "a symbolic link", false, true},
	{'c', S_IFCHR, "a character device", true, true},
	{'b', S_IFBLK, "a block device", true, true},
	{'p', S_IFIFO, "a fifo", true, true},
	{'d', S_IFDIR, "a directory", true, true},
	{'i', S_IFDIR, "a directory", false, false},
	{'o', S_IFDIR, "a directory", false, false},
	{'w', S_IFCHR, "a whiteout", false, false},
	{'u', S_IFCHR, "a whiteout", false, false},
	{'h', 0, "a hard link", false, false},
};

/* Adds one difference. */
static void differ(struct buf *what, const char *text)
{
	if (what->size)
		buf_add_string(what, ", ");
	buf_add_string(what, text);
}

static int open_entry(const struct verification *verification, const char *path, int flags)
{
	return root_try_open(verification->rootfd, path, ROOT_NO_SYMLINKS, flags | O_NOFOLLOW);
}

/* The path, or the way to it, is not there. */
static bool is_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

/* Of what a file system cannot keep the kernel keeps the time that is nearest. */
static bool is_same_time(const struct timespec *listed, const struct timespec *found)
{
	static const int64_t ends[] = {
		-0x80000000LL, /* all */
		0x7fffffff,    /* small inodes */
		0x37fffffff,   /* ext4 */
		16299260424,   /* XFS */
	};

	if (listed->tv_sec == found->tv_sec)
		return listed->tv_nsec == found->tv_nsec;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		bool is_beyond = i == 0 ? listed->tv_sec < ends[i] : listed->tv_sec > ends[i];

		if (is_beyond && found->tv_sec == ends[i] && found->tv_nsec == 0)
			return true;
	}
	return false;
}

static void compare_metadata(const struct index_entry *entry, const struct stat *st, bool has_mode,
			     struct buf *what)
{
	if (has_mode && (st->st_mode & 07777) != (entry->mode & 07777)) {
		differ(what, "mode");
		buf_printf(what, " %04o, not %04o", st->st_mode & 07777, entry->mode & 07777);
	}
	if (st->st_uid != entry->uid || st->st_gid != entry->gid) {
		differ(what, "owner");
		buf_printf(what, " %u:%u, not %u:%u", st->st_uid, st->st_gid, entry->uid,
			   entry->gid);
	}
	if (!is_same_time(&entry->mtime, &st->st_mtim))
		differ(what, "time");
}

static int compare_content(const struct verification *verification, const struct index_entry *entry,
			   struct buf *what, struct error *err)
{
	_cleanup_fd_ int fd = open_entry(verification, entry->path, O_RDONLY | O_NONBLOCK);
	uint32_t check = 0;
	int r = fd < 0 ? fail(err, fd, "open") : index_check_file(fd, &check, err);

	/* A disk that cannot read it any more is a finding like another. */
	if (r == -EIO) {
		differ(what, "cannot be read");
		return 0;
	}
	if (r < 0)
		return r;
	if (check != entry->check)
		differ(what, "content");
	if (verification->verify->progress)
		atomic_fetch_add(verification->verify->progress, entry->size);
	return 0;
}

static int compare_attributes(int fd, const struct index_entry *entry, struct buf *what,
			      struct error *err)
{
	uint32_t found;
	int r = xattrs_check(fd, &found, entry->path, err);

	if (r == -EIO)
		differ(what, "attributes cannot be read");
	else if (r >= 0 && found != entry->attributes)
		differ(what, "attributes");
	return r == -EIO ? 0 : r;
}

static int compare_file(const struct verification *verification, const struct index_entry *entry,
			const struct stat *st, struct buf *what, struct error *err)
{
	if ((uint64_t)st->st_size != entry->size) {
		differ(what, "size");
		buf_printf(what, " %llu, not %llu", (unsigned long long)st->st_size,
			   (unsigned long long)entry->size);
		return 0;
	}
	return entry->size ? compare_content(verification, entry, what, err) : 0;
}

static void compare_link(int fd, const struct index_entry *entry, struct buf *what)
{
	char target[TARGET_MAX + 1];
	ssize_t size = readlinkat(fd, "", target, TARGET_MAX);

	if (size < 0)
		size = 0;
	target[size] = '\0';
	if (!str_equal(target, entry->target))
		differ(what, "target");
}

static void compare_device(const struct index_entry *entry, const struct stat *st, struct buf *what)
{
	char numbers[32];

	snprintf(numbers, sizeof(numbers), "%u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (!str_equal(numbers, entry->target))
		differ(what, "device");
}

static void compare_hard_link(const struct verification *verification,
			      const struct index_entry *entry, const struct stat *st,
			      struct buf *what)
{
	_cleanup_fd_ int fd = open_entry(verification, entry->target, O_PATH);
	struct stat other;

	if (fd < 0 || fstat(fd, &other) < 0 || other.st_dev != st->st_dev ||
	    other.st_ino != st->st_ino) {
		differ(what, "not the same file as \"");
		buf_printf(what, "%s\"", entry->target);
	}
}

/* fgetxattr(2) takes no O_PATH descriptor. */
static bool is_opaque(int fd)
{
	static const char *const names[] = {"trusted.overlay.opaque", "user.overlay.opaque"};
	char path[FD_PATH_MAX], value;

	fd_path(fd, path);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (getxattr(path, names[i], &value, 1) == 1 && value == 'y')
			return true;
	}
	return false;
}

/* In an opaque directory there are no whiteouts, whatever the archive has. */
static bool is_beneath_opaque(const struct verification *verification, const char *path)
{
	_cleanup_free_ char *parent = xstrdup(path);
	bool found = false;

	while (!found && *parent) {
		char *slash = strrchr(parent, '/');
		_cleanup_fd_ int fd = -EBADF;

		*(slash ? slash : parent) = '\0';
		fd = open_entry(verification, parent, O_PATH);
		found = fd >= 0 && is_opaque(fd);
	}
	return found;
}

static const struct kind *kind_of(char type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type == type)
			return &kinds[i];
	}
	return &kinds[0];
}

static const char *name_of(const struct stat *st)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].format == (st->st_mode & S_IFMT))
			return S_ISCHR(st->st_mode) && st->st_rdev == 0 ? "a whiteout"
									: kinds[i].name;
	}
	return "a socket";
}

static bool has_format(const struct kind *kind, const struct stat *st)
{
	bool is_whiteout = S_ISCHR(st->st_mode) && st->st_rdev == 0;

	if (!kind->format)
		return !S_ISDIR(st->st_mode);
	return (st->st_mode & S_IFMT) == kind->format &&
	       (!S_ISCHR(st->st_mode) || is_whiteout == (kind->type == 'w' || kind->type == 'u'));
}

static int compare(const struct verification *verification, const struct index_entry *entry, int fd,
		   struct buf *what, struct error *err)
{
	const struct kind *kind = kind_of(entry->type);
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "stat");
	if (!has_format(kind, &st)) {
		buf_printf(what, "%s, not %s", name_of(&st), kind->name);
		return 0;
	}
	if (kind->has_owner)
		compare_metadata(entry, &st, kind->has_mode, what);
	if (kind->has_owner && verification->has_attributes)
		r = compare_attributes(fd, entry, what, err);
	if (r < 0)
		return r;
	if (entry->type == 'l')
		compare_link(fd, entry, what);
	else if (entry->type == 'h')
		compare_hard_link(verification, entry, &st, what);
	else if (entry->type == 'c' || entry->type == 'b')
		compare_device(entry, &st, what);
	else if (entry->type == 'o' && !is_opaque(fd))
		differ(what, "not opaque");
	else if (entry->type == 'f')
		return compare_file(verification, entry, &st, what, err);
	return 0;
}

int verify_entry(const struct verification *verification, const struct index_entry *entry,
		 struct buf *what, struct error *err)
{
	_cleanup_fd_ int fd = open_entry(verification, entry->path, O_PATH);

	if (fd == -EIO)
		differ(what, "cannot be read");
	else if (is_absent(fd) &&
		 (entry->type != 'w' || !is_beneath_opaque(verification, entry->path)))
		differ(what, "missing");
	if (fd == -EIO || is_absent(fd))
		return 0;
	if (fd < 0)
		return fail(err, fd, "open");
	return compare(verification, entry, fd, what, err);
}
