/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for berth-systemd where there is no systemd: its "units" are cgroups directly below the
 * mount that the file "base" beside it names. What it is asked goes to "questions", a line each.
 * "orders" has lines of a verb and what to do instead: "error TEXT", "die" or "hang"; and "late
 * VERB" to be obeyed after the work was done. With the owner's rights where it is set-user-ID, as
 * systemd has more than who asks it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[PATH_MAX], base[PATH_MAX];

static void answer(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (send(0, text, strlen(text), 0) < 0)
		exit(1);
}

static FILE *open_beside(const char *name, const char *mode)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return fopen(path, mode);
}

/* A member's text; "" if there is none. */
static void member(const char *question, const char *name, char value[512])
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(question, key);
	value[0] = '\0';
	if (!at)
		return;
	at += strlen(key);
	at += *at == '"';
	snprintf(value, 512, "%.*s", (int)strcspn(at, "\",}"), at);
}

static int move(const char *cgroup, const char *pid)
{
	char path[PATH_MAX * 2];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, pid, strlen(pid)) < 0 ? -1 : 0;
}

static void give_to_user(const char *cgroup)
{
	static const char *const names[] = {"",
					    "/cgroup.procs",
					    "/cgroup.subtree_control",
					    "/cgroup.threads",
					    "/cgroup.freeze",
					    "/cgroup.kill"};
	char path[PATH_MAX * 2];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", cgroup, names[i]);
		if (chown(path, getuid(), getgid()) < 0 && errno != ENOENT)
			exit(1);
	}
}

/* Returns 0 where the question was answered with an error. */
static int work(const char *verb, const char *question)
{
	char unit[512], pid[512], below[512], cgroup[PATH_MAX + 1200];

	member(question, "unit", unit);
	member(question, "pid", pid);
	member(question, "subcgroup", below);
	snprintf(cgroup, sizeof(cgroup), "%s/%s%s", base, unit, below);
	if (strcmp(verb, "start") == 0) {
		if (mkdir(cgroup, 0755) < 0) {
			answer("{\"error\":\"start %s: %s\"}", unit, strerror(errno));
			return 0;
		}
		give_to_user(cgroup);
		snprintf(pid, sizeof(pid), "%d", getpid());
	}
	if (*pid && move(cgroup, pid) < 0) {
		answer("{\"error\":\"move %s: %s\"}", pid, strerror(errno));
		return 0;
	}
	if (strcmp(verb, "stop") == 0 && rmdir(cgroup) < 0 && errno != ENOENT) {
		answer("{\"error\":\"stop %s: %s\"}", unit, strerror(errno));
		return 0;
	}
	return 1;
}

static void obey(const char *order)
{
	if (strncmp(order, "error ", 6) == 0)
		answer("{\"error\":\"%s\"}", order + 6);
	else if (strcmp(order, "hang") == 0)
		pause();
	else
		exit(3);
}

/* The order for the verb, "late VERB" among them; "" if there is none. */
static void find_order(const char *verb, char order[512])
{
	FILE *file = open_beside("orders", "re");
	char line[512];
	size_t length = strlen(verb);

	order[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, verb, length) == 0 && line[length] == ' ')
			snprintf(order, 512, "%s", line + length + 1);
	}
	if (file)
		fclose(file);
}

static void serve(const char *question)
{
	char verb[64], late[128], order[512], unit[512];

	snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(question + 2, "\""), question + 2);
	snprintf(late, sizeof(late), "late %s", verb);
	find_order(verb, order);
	if (*order) {
		obey(order);
		return;
	}
	if (!work(verb, question))
		return;
	find_order(late, order);
	member(question, "unit", unit);
	if (*order)
		obey(order);
	else if (strcmp(verb, "start") == 0)
		answer("{\"cgroup\":\"/%s\"}", unit);
	else
		answer("{}");
}

int main(int argc, char **argv)
{
	char question[70000];
	FILE *file;
	ssize_t n = readlink("/proc/self/exe", home, sizeof(home) - 1);

	if (n < 0)
		return 1;
	dirname(home);
	file = open_beside("base", "re");
	if (!file || !fgets(base, sizeof(base), file))
		return 1;
	base[strcspn(base, "\n")] = '\0';
	fclose(file);
	while ((n = recv(0, question, sizeof(question) - 1, 0)) > 0) {
		question[n] = '\0';
		file = open_beside("questions", "ae");
		if (file) {
			fprintf(file, "%s%s\n", argc > 1 ? argv[1] : "", question);
			fclose(file);
		}
		serve(question);
	}
	return 0;
}
