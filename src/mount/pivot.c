/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving the host's tree: the container's root becomes "/", and the old one goes away. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

#define MOUNTINFO_MAX (16u << 20)

static int enter(const char *path, struct error *err)
{
	return chdir(path) < 0 ? fail(err, -errno, "chdir \"%s\"", path) : 0;
}

/*
 * The old root is put on top of the new one, and taken off again at once: no directory is needed
 * in the new root for it. The tree below "/" is not shared by now, so the host loses nothing.
 */
static int pivot(struct error *err)
{
	int r = sys_pivot_root(".", ".");

	if (r == -EINVAL)
		return fail(err, r,
			    "pivot_root (from an initramfs it is impossible: use --no-pivot)");
	if (r < 0)
		return fail(err, r, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(err, -errno, "detach the host's root");
	return 0;
}

/* Turns the escapes of mountinfo ("\\040") back, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/*
 * Takes one line of mountinfo apart: *ret_place is its fifth field, unescaped; true if the file
 * system (the first field after "-") is a procfs or a sysfs.
 */
static bool is_kernel_mount(char *line, char **ret_place)
{
	char *type = strstr(line, " - ");
	char *place = line;

	if (!type)
		return false;
	type += 3;
	type[strcspn(type, " ")] = '\0';
	for (int i = 0; i < 4; i++) {
		place = strchr(place, ' ');
		if (!place)
			return false;
		place++;
	}
	place[strcspn(place, " ")] = '\0';
	unescape(place);
	*ret_place = place;
	return str_equal(type, "proc") || str_equal(type, "sysfs");
}

/* Covers with an empty tmpfs what can't be unmounted. */
static int cover(const char *place, struct error *err)
{
	_cleanup_fd_ int fs = fs_open("tmpfs", err);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (fs < 0)
		return fs;
	fd = fs_finish(fs, MOUNT_ATTR_RDONLY, err);
	if (fd < 0)
		return fd;
	r = sys_move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? fail(err, r, "cover \"%s\"", place) : 0;
}

static int detach(const char *place, struct error *err)
{
	if (umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* Gone with the one that it was mounted on. */
	if (errno == ENOENT)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return fail(err, -errno, "unmount \"%s\"", place);
	return cover(place, err);
}

/*
 * Takes the host's procfs and sysfs away. The tree below "/" stays, if only covered; and while
 * whole ones are in it, the kernel would allow a user namespace in the container to mount new ones,
 * without what is masked in the container's own.
 */
static int detach_kernel_mounts(int rootfd, struct error *err)
{
	_cleanup_free_ char *table = NULL;
	char link[FD_PATH_MAX], root[PATH_MAX];
	char *saved = NULL;
	ssize_t n;
	int r = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &table, NULL, err);

	if (r < 0)
		return r;
	fd_path(rootfd, link);
	n = readlink(link, root, sizeof(root) - 1);
	if (n < 0)
		return fail(err, -errno, "read link \"%s\"", link);
	root[n] = '\0';
	for (char *line = strtok_r(table, "\n", &saved); r >= 0 && line;
	     line = strtok_r(NULL, "\n", &saved)) {
		char *place;

		if (is_kernel_mount(line, &place) && !path_within(place, root))
			r = detach(place, err);
	}
	return r;
}

/* Without pivot_root(2): the root is moved over the old one, which stays beneath it. */
static int move_root(int rootfd, struct error *err)
{
	int r = detach_kernel_mounts(rootfd, err);

	if (r < 0)
		return r;
	r = sys_move_mount(rootfd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return fail(err, r, "move the root over \"/\"");
	return chroot(".") < 0 ? fail(err, -errno, "chroot") : 0;
}

int mount_pivot(int rootfd, bool no_pivot, struct error *err)
{
	int r;

	if (fchdir(rootfd) < 0)
		return fail(err, -errno, "enter the root");
	r = no_pivot ? move_root(rootfd, err) : pivot(err);
	return r < 0 ? r : enter("/", err);
}

int mount_enter_held(int rootfd, struct error *err)
{
	if (fchdir(rootfd) < 0 || chroot(".") < 0)
		return fail(err, -errno, "enter the root");
	return enter("/", err);
}
