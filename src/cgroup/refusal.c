/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a cgroup takes no process, or passes no controllers on, which the kernel says with an errno
 * alone; see cgroups(7), "no internal processes" and "thread mode".
 *
 * A cgroup's type is "domain", or has to do with threads: "threaded"; "domain threaded", which has
 * threaded ones below it; and "domain invalid", which is what a new one is below either of them,
 * and which takes no process.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

/* The line in a control file of the cgroup at @path; "" where it cannot be read. The caller's. */
static char *line_of(int rootfd, const char *path, const char *file)
{
	struct error unheard = ERROR_NONE;
	_cleanup_fd_ int fd = cgroup_open(rootfd, path, &unheard);
	char *line = NULL;

	if (fd < 0 || file_read_at(fd, file, CGROUP_FILE_MAX, &line, NULL, &unheard) < 0)
		return xstrdup("");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

char *cgroup_threads_text(int rootfd, const char *path)
{
	for (unsigned depth = cgroup_path_depth(path); depth > 0; depth--) {
		_cleanup_free_ char *at = cgroup_path_prefix(path, depth);
		_cleanup_free_ char *type = line_of(rootfd, at, "cgroup.type");
		bool above = depth < cgroup_path_depth(path);

		if (str_equal(type, "threaded"))
			return xasprintf("cgroup \"%s\"%s is threaded (cgroup.type), and has "
					 "only threads of processes that are in the domain above "
					 "already",
					 at, above ? " above it" : "");
		if (str_equal(type, "domain threaded"))
			return xasprintf("cgroup \"%s\"%s has threaded cgroups below it "
					 "(cgroup.type \"domain threaded\"), beside which there "
					 "can be no others",
					 at, above ? " above it" : "");
	}
	return NULL;
}

bool cgroup_refuses(int rootfd, const char *path, int code, struct error *err)
{
	_cleanup_free_ char *why = NULL;

	if (code == -EBUSY)
		why = line_of(rootfd, path, "cgroup.subtree_control");
	if (code == -EOPNOTSUPP)
		why = cgroup_threads_text(rootfd, path);
	if (!why || !*why)
		return false;
	if (code == -EBUSY)
		refuse_as(err, code,
			  "cgroup \"%s\" takes no process: it passes controllers on to the cgroups "
			  "below it (cgroup.subtree_control: %s), and processes can be in those "
			  "alone",
			  path, why);
	else
		refuse_as(err, code, "cgroup \"%s\" takes no process: %s", path, why);
	return true;
}
