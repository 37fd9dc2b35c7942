/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of its own for each test of src/mount: a child process in new namespaces, with a tmpfs
 * that goes away with it. A failed CHECK ends the child, and the test fails.
 */
#ifndef BERTH_TESTS_MOUNT_WORLD_H
#define BERTH_TESTS_MOUNT_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off: needs what stands above */
#include <cmocka.h>
/* clang-format on */
/* Its macro is in the way of berth's function. */
#undef fail

#include "berth/base/error.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/mount/filesystem.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__,    \
				#condition, errno);                                                \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Checks that a call succeeded, and shows its error if it did not. */
#define CHECK_OK(call)                                                                             \
	do {                                                                                       \
		int code_ = (call);                                                                \
		if (code_ < 0) {                                                                   \
			fprintf(stderr, "%s:%d: %s: %d: %s\n", __FILE__, __LINE__, #call, code_,   \
				world.err.text);                                                   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Checks that a call failed with a text that has @part in it. */
#define CHECK_FAILS(call, part)                                                                    \
	do {                                                                                       \
		int code_;                                                                         \
		world.err.text[0] = '\0';                                                          \
		code_ = (call);                                                                    \
		if (code_ >= 0 || !strstr(world.err.text, part)) {                                 \
			fprintf(stderr, "%s:%d: %s: %d: %s\n", __FILE__, __LINE__, #call, code_,   \
				world.err.text);                                                   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* The one world of the child process. */
static struct {
	struct error err;
	struct spec spec;
	struct mount_sources sources;
	struct mount_context context;
	char base[64]; /* an empty tmpfs, with a directory "root" in it */
	char root[80];
} world;

/* Path beneath the tmpfs; a few may be in use at once. */
__attribute__((format(printf, 1, 2))) static inline const char *at(const char *format, ...)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];
	int n = snprintf(path, 512, "%s/", world.base);
	va_list args;

	va_start(args, format);
	vsnprintf(path + n, 512 - (size_t)n, format, args);
	va_end(args);
	return path;
}

static inline void make_dir(const char *path)
{
	CHECK(mkdir(path, 0755) == 0);
}

static inline void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

/* Whether the file's content begins with @text. */
static inline bool file_begins(const char *path, const char *text)
{
	char data[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data) - 1);

	fd_close(fd);
	return n >= 0 && str_starts(data, text);
}

static inline bool exists(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static inline unsigned long mount_flags(const char *path)
{
	struct statvfs fs;

	CHECK(statvfs(path, &fs) == 0);
	return fs.f_flag;
}

/* How many entries of mountinfo of process @pid have @part in them. */
static inline int count_mounts(const char *pid, const char *part)
{
	char path[64], *line = NULL;
	size_t room = 0;
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	file = fopen(path, "re");
	CHECK(file);
	while (getline(&line, &room, file) >= 0)
		count += strstr(line, part) != NULL;
	free(line);
	fclose(file);
	return count;
}

/* How many descriptors the process has open. */
static inline int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static inline void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline void enter_namespaces(int flags)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", getuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getgid());
	CHECK(unshare(flags | CLONE_NEWNS) == 0);
	if (flags & CLONE_NEWUSER) {
		write_map("/proc/self/setgroups", "deny");
		write_map("/proc/self/uid_map", uid_map);
		write_map("/proc/self/gid_map", gid_map);
	}
}

static inline void fill_world(const char *base, int flags)
{
	snprintf(world.base, sizeof(world.base), "%s", base);
	snprintf(world.root, sizeof(world.root), "%s/root", base);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("world", base, "tmpfs", 0, "mode=755") == 0);
	make_dir(world.root);
	world.sources.root = -1;
	world.spec.root_path = world.root;
	world.context.rootfd = -1;
	world.context.cgroupfd = -1;
	world.context.consolefd = -1;
	world.context.user_namespace = flags & CLONE_NEWUSER;
	world.context.cgroup_namespace = flags & CLONE_NEWCGROUP;
	world.context.bundle = world.base;
	world.context.procfd = proc_open(&world.err);
	CHECK_OK(world.context.procfd);
}

static inline int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* cmocka would take a crash for the end of a test, and go on with the next one in the child. */
static inline void reset_signals(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_DFL);
}

/* Every kernel that berth runs on has these calls; valgrind 3.19 does not know them. */
static inline void needs_mount_calls(void)
{
	struct mount_attr none = {.attr_set = 0};

	if (sys_mount_setattr(-EBADF, "", 0, &none) != -ENOSYS)
		return;
	print_message("skipped: no mount_setattr(2) here\n");
	skip();
}

/* Runs @body in a child in new namespaces (@flags: CLONE_NEW…, besides CLONE_NEWNS). */
static inline void run_in_world(int flags, void (*body)(void))
{
	char base[] = "/tmp/berth-mount-XXXXXX";
	int status, removed;
	pid_t pid;

	needs_mount_calls();
	/* Without rights a user namespace gives them. */
	if (geteuid() != 0)
		flags |= CLONE_NEWUSER;
	assert_non_null(mkdtemp(base));
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		reset_signals();
		enter_namespaces(flags);
		/* The first child of a new pid namespace is the one that is in it. */
		pid = flags & CLONE_NEWPID ? fork() : 0;
		CHECK(pid >= 0);
		if (pid > 0)
			_exit(wait_for(pid));
		fill_world(base, flags);
		body();
		_exit(0);
	}
	status = wait_for(pid);
	/* First of all, so that a test that fails leaves nothing behind either. */
	removed = rmdir(base);
	assert_int_equal(status, 0);
	assert_int_equal(removed, 0);
}

/* The steps up to the attached root. */
static inline void attach_root(void)
{
	CHECK_OK(mount_propagation_prepare(&world.spec, &world.err));
	CHECK_OK(mount_sources_open(&world.spec, NULL, &world.sources, &world.err));
	CHECK_OK(mount_root_attach(&world.spec, &world.sources, &world.context.rootfd, &world.err));
}

/* mount_all() alone, in the attached root. */
static inline int mount_entries(void)
{
	return mount_all(&world.context, &world.spec, &world.sources, &world.err);
}

static inline void use_mounts(struct spec_mount *mounts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mounts[i].index = i;
		if (!mounts[i].type)
			mounts[i].type = "";
	}
	world.spec.mounts = mounts;
	world.spec.mount_count = count;
}

/* Carries out one entry that needs no source, in a root that is attached already. */
static inline int mount_single(struct spec_mount *mount)
{
	int none = -EBADF;
	struct mount_sources sources = {.fds = &none, .count = 1, .root = -1};
	int r;

	use_mounts(mount, 1);
	r = mount_all(&world.context, &world.spec, &sources, &world.err);
	fd_close(none);
	return r;
}

/* A list of strings; it lives as long as the scope that it stands in. */
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
