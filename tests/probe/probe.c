/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c: the payload of the integration tests.
 *
 * A static program with no libraries beyond libc. Without arguments, or with "report", it prints
 * what it sees as one JSON document; with a sub-command it does one thing and prints how that went:
 * OK or the name of the errno. It is put into each test bundle as /bin/probe.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(int error)
{
	puts(errno_name(error));
	fflush(stdout);
	return error ? 10 : 0;
}

static void report_arguments(int argc, char **argv)
{
	json_array("args");
	for (int i = 0; i < argc; i++)
		json_string(NULL, argv[i]);
	json_end();
}

static void report_asked(int argc, char **argv, const char *option, const char *key,
			 void (*report)(const char *))
{
	json_object(key);
	for (int i = 0; i + 1 < argc; i++) {
		if (strcmp(argv[i], option) == 0)
			report(argv[i + 1]);
	}
	json_end();
}

/* report [--path PATH]... [--sysctl NAME]... */
static int command_report(int argc, char **argv)
{
	json_object(NULL);
	report_arguments(argc, argv);
	report_identity();
	report_capabilities();
	report_process();
	report_signals();
	report_descriptors();
	report_system();
	report_mounts();
	report_asked(argc, argv, "--path", "paths", report_path);
	report_asked(argc, argv, "--sysctl", "sysctl", report_sysctl);
	json_end();
	return 0;
}

/* paths PATH...: the paths section alone, for places where /proc is missing. */
static int command_paths(int argc, char **argv)
{
	json_object(NULL);
	for (int i = 1; i < argc; i++)
		report_path(argv[i]);
	json_end();
	return 0;
}

static int command_read(int argc, char **argv)
{
	char buffer[4096];
	ssize_t n;
	int fd;

	if (argc < 2)
		return 2;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say(errno);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)n, stdout);
	return n < 0 ? say(errno) : 0;
}

/* write PATH TEXT: into a file that is there. */
static int command_write(int argc, char **argv)
{
	ssize_t n;
	int fd;

	if (argc < 3)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return say(errno);
	n = write(fd, argv[2], strlen(argv[2]));
	return say(n < 0 ? errno : 0);
}

/* open PATH r|w|rw|create: only opens. */
static int command_open(int argc, char **argv)
{
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd;

	if (argc < 3)
		return 2;
	if (strcmp(argv[2], "w") == 0)
		flags |= O_WRONLY;
	else if (strcmp(argv[2], "rw") == 0)
		flags |= O_RDWR;
	else if (strcmp(argv[2], "create") == 0)
		flags |= O_WRONLY | O_CREAT | O_EXCL;
	fd = open(argv[1], flags, 0600);
	return say(fd < 0 ? errno : 0);
}

/* mknod PATH c|b|p MAJOR MINOR, then opens it when told to: mknod ... rw */
static int command_mknod(int argc, char **argv)
{
	mode_t type;

	if (argc < 5)
		return 2;
	type = argv[2][0] == 'c' ? S_IFCHR : argv[2][0] == 'b' ? S_IFBLK : S_IFIFO;
	if (mknod(argv[1], type | 0666,
		  makedev((unsigned int)atoi(argv[3]), (unsigned int)atoi(argv[4]))))
		return say(errno);
	if (argc > 5)
		return command_open(3, (char *[]){argv[0], argv[1], argv[5], NULL});
	return say(0);
}

static int command_exit(int argc, char **argv)
{
	return argc < 2 ? 0 : atoi(argv[1]);
}

/* signal N: dies by it; as process 1 of a pid namespace only SIGKILL from outside would do that. */
static int command_signal(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	signal(atoi(argv[1]), SIG_DFL);
	kill(getpid(), atoi(argv[1]));
	return 3;
}

/* sleep: says "ready" and waits for ever. */
static int command_sleep(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

/* reaper: says "ready", and reaps for ever what is left to it, as an init does. */
static int command_reaper(int argc, char **argv)
{
	sigset_t set;

	(void)argc;
	(void)argv;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		sigwaitinfo(&set, NULL);
	}
	return 0;
}

/* trap COUNT SIGNAL...: blocks the signals, says "ready", prints the first COUNT that arrive. */
static int command_trap(int argc, char **argv)
{
	sigset_t set;

	if (argc < 3)
		return 2;
	sigemptyset(&set);
	for (int i = 2; i < argc; i++)
		sigaddset(&set, atoi(argv[i]));
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	for (int left = atoi(argv[1]); left > 0; left--) {
		int number;

		/* Freezing interrupts it. */
		do
			number = sigwaitinfo(&set, NULL);
		while (number < 0);
		printf("signal %d\n", number);
		fflush(stdout);
	}
	return 0;
}

/* orphans COUNT stay|leave: children in sessions of their own that ignore all polite signals. */
static int command_orphans(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (int left = atoi(argv[1]); left > 0; left--) {
		if (fork() != 0)
			continue;
		setsid();
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		for (;;)
			pause();
	}
	puts("ready");
	fflush(stdout);
	while (strcmp(argv[2], "stay") == 0)
		pause();
	return 0;
}

/* hugepages BYTES: maps so much in huge pages; "mapped", or the error. */
static int command_hugepages(int argc, char **argv)
{
	const char *memory;

	if (argc < 2)
		return 2;
	memory = mmap(NULL, (size_t)atoll(argv[1]), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	puts(memory == MAP_FAILED ? strerror(errno) : "mapped");
	return 0;
}

/* memory BYTES: touches so much, says "ready", and stays. */
static int command_memory(int argc, char **argv)
{
	size_t size = argc < 2 ? 0 : (size_t)atoll(argv[1]);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		return 2;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

/* fd NUMBER TEXT: writes to an inherited descriptor. */
static int command_fd(int argc, char **argv)
{
	ssize_t n;

	if (argc < 3)
		return 2;
	n = write(atoi(argv[1]), argv[2], strlen(argv[2]));
	return say(n < 0 ? errno : 0);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"report", command_report},
	{"paths", command_paths},
	{"read", command_read},
	{"write", command_write},
	{"open", command_open},
	{"mknod", command_mknod},
	{"exit", command_exit},
	{"signal", command_signal},
	{"sleep", command_sleep},
	{"reaper", command_reaper},
	{"trap", command_trap},
	{"orphans", command_orphans},
	{"fd", command_fd},
	{"hugepages", command_hugepages},
	{"memory", command_memory},
	{"syscall", command_syscall},
	{"x32", command_x32},
	{"hunt-exe", command_hunt_exe},
	{"hunt-host", command_hunt_host},
	{"flip", command_flip},
	{"receive-fd", command_receive_fd},
	{"labels", command_labels},
	{"datagrams", command_datagrams},
	{"notify", command_notify},
	{"agent", command_agent},
	{"unlock", command_unlock},
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return command_report(argc, argv);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (strcmp(argv[1], "report") == 0)
			return command_report(argc, argv);
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "probe: unknown command '%s'\n", argv[1]);
	return 2;
}
