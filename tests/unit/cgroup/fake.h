/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory that looks like a cgroup v2 hierarchy: plain files with the kernel's names. What
 * berth writes stands in them afterwards; what only a kernel does is not there, and tested
 * elsewhere.
 */
#ifndef BERTH_TESTS_CGROUP_FAKE_H
#define BERTH_TESTS_CGROUP_FAKE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

struct fake {
	char path[64];
	int rootfd;
};

static inline void fake_begin(struct fake *fake)
{
	snprintf(fake->path, sizeof(fake->path), "%s", "/tmp/berth-cgroup-XXXXXX");
	assert_non_null(mkdtemp(fake->path));
	fake->rootfd = open(fake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fake->rootfd >= 0);
}

static inline void fake_end(struct fake *fake)
{
	char command[128];

	close(fake->rootfd);
	snprintf(command, sizeof(command), "rm -rf -- '%s'", fake->path);
	assert_int_equal(system(command), 0);
}

/* Makes the file with this content, whatever was there. */
static inline void fake_file(const struct fake *fake, const char *name, const char *content)
{
	int fd = openat(fake->rootfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* Makes the cgroup @name ("." is the root) with the core's files and these controllers. */
static inline void fake_cgroup(const struct fake *fake, const char *name, const char *controllers)
{
	char file[128];

	if (strcmp(name, ".") != 0)
		assert_int_equal(mkdirat(fake->rootfd, name, 0755), 0);
	snprintf(file, sizeof(file), "%s/cgroup.controllers", name);
	fake_file(fake, file, controllers);
	snprintf(file, sizeof(file), "%s/cgroup.subtree_control", name);
	fake_file(fake, file, "");
	snprintf(file, sizeof(file), "%s/cgroup.procs", name);
	fake_file(fake, file, "");
	snprintf(file, sizeof(file), "%s/cgroup.events", name);
	fake_file(fake, file, "populated 0\nfrozen 0\n");
}

/* The file says exactly this; NULL: there is no such file. */
static inline void fake_expect(const struct fake *fake, const char *name, const char *content)
{
	char found[256];
	int fd = openat(fake->rootfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (!content) {
		assert_true(fd < 0);
		return;
	}
	if (fd < 0)
		fail_msg("%s is not there", name);
	n = read(fd, found, sizeof(found) - 1);
	close(fd);
	assert_true(n >= 0);
	found[n] = '\0';
	assert_string_equal(found, content);
}

#endif
