/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups of users who have no rights over the host; see cgroups(7), "Delegation".
 *
 * Theory of operation. A part of the hierarchy is delegated by giving its directory and its
 * cgroup.procs to the user. He may then make cgroups there, and move a process only if he may write
 * to the cgroup.procs of the innermost cgroup that contains both the old place and the new one. So
 * both are looked at before anything is made: where they are not his, a container lives in the
 * cgroup of its creator.
 *
 * The other way round, a container's user is given its cgroup by the same means.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

/* The line of the one hierarchy of cgroup v2 in /proc/PID/cgroup. */
#define UNIFIED_PREFIX "0::"

/* What a user who is given a cgroup must own. */
#define DELEGATED_FILES	  "/sys/kernel/cgroup/delegate"
#define DELEGATED_USUALLY "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"

int cgroup_of_process(int procfd, pid_t pid, char **ret, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "%d/cgroup", pid);
	fd = pid ? proc_open_at(procfd, name, O_RDONLY, err)
		 : proc_open_self(procfd, "cgroup", O_RDONLY, err);
	if (fd < 0)
		return fd;
	r = file_read_fd(fd, pid ? name : "/proc/self/cgroup", CGROUP_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (str_starts(line, UNIFIED_PREFIX)) {
			size_t skip = strlen(UNIFIED_PREFIX);

			*ret = xstrndup(line + skip, length - skip);
			return 0;
		}
		line += length + (line[length] == '\n');
	}
	return refuse(err, "process %d has no cgroup v2", pid ? pid : getpid());
}

int cgroup_path_of_user(int procfd, const char *cgroups_path, const char *id, bool beside,
			char **ret_path, struct error *err)
{
	_cleanup_free_ char *own = NULL, *path = NULL, *clean = NULL;
	int r = cgroup_path_of(cgroups_path, id, &clean, err);

	if (r >= 0 && cgroups_path && cgroups_path[0] == '/') {
		*ret_path = take_ptr(&clean);
		return 0;
	}
	if (r >= 0)
		r = cgroup_of_process(procfd, /* pid= */ 0, &own, err);
	if (r < 0)
		return r;
	if (beside)
		*strrchr(own, '/') = '\0';
	path = xasprintf("%s%s", own, clean);
	return cgroup_path_of(path, id, ret_path, err);
}

unsigned cgroup_common_depth(const char *a, const char *b)
{
	unsigned depth = 0;

	for (; *a && *a == *b; a++, b++)
		depth += *a == '/';
	/* Of the last component only a part was equal, unless it ends here in both. */
	if (depth && ((*a && *a != '/') || (*b && *b != '/')))
		depth--;
	return depth;
}

static bool may_write(int rootfd, const char *path, unsigned depth, const char *file)
{
	_cleanup_free_ char *prefix = cgroup_path_prefix(path, depth);
	_cleanup_fd_ int fd = root_try_open(rootfd, prefix, ROOT_NO_XDEV, O_PATH | O_DIRECTORY);

	return fd >= 0 && faccessat(fd, file, W_OK, AT_EACCESS) == 0;
}

/* One of the files; the kernel's list names some that not every cgroup has. */
static int give_file(int cgroupfd, const char *name, uid_t owner, struct error *err)
{
	if (fchownat(cgroupfd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
		return 0;
	return fail(err, -errno, "give \"%s\" of the container's cgroup to user %u", name, owner);
}

int cgroup_give(int cgroupfd, const char *files, uid_t owner, struct error *err)
{
	_cleanup_free_ char *list = xstrdup(files);
	char *saved = NULL;
	int r = 0;

	if (fchown(cgroupfd, owner, (gid_t)-1) < 0)
		return fail(err, -errno, "give the container's cgroup to user %u", owner);
	for (char *name = strtok_r(list, "\n", &saved); r >= 0 && name;
	     name = strtok_r(NULL, "\n", &saved)) {
		if (!strchr(name, '/'))
			r = give_file(cgroupfd, name, owner, err);
	}
	return r;
}

int cgroup_delegate(int cgroupfd, uid_t owner, struct error *err)
{
	_cleanup_free_ char *files = NULL;
	struct error unheard = ERROR_NONE;

	/* Where there is no such file, or no /sys, config-linux.md has a list. */
	if (file_read_at(AT_FDCWD, DELEGATED_FILES, CGROUP_FILE_MAX, &files, NULL, &unheard) < 0)
		files = xstrdup(DELEGATED_USUALLY);
	return cgroup_give(cgroupfd, files, owner, err);
}

bool cgroup_is_delegated(int procfd, int rootfd, const char *path)
{
	_cleanup_free_ char *own = NULL;
	struct error unheard = ERROR_NONE;
	unsigned exists, common;

	if (cgroup_existing_depth(rootfd, path, &exists, &unheard) < 0 ||
	    cgroup_of_process(procfd, /* pid= */ 0, &own, &unheard) < 0 || !own)
		return false;
	common = cgroup_common_depth(own, path);
	return may_write(rootfd, path, exists, ".") &&
	       may_write(rootfd, path, exists < common ? exists : common, "cgroup.procs");
}
