/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least engine that runs a chain of CNI plugins, as fast as an engine can be: for benchmarks.
 *
 *     cni-chain ADD|DEL ID NETNS PLUGIN CONF [PLUGIN CONF]...
 *
 * Each CONF is a JSON object as text in a file. On ADD the result of a plugin goes to the next as
 * "prevResult"; on DEL the order is the reverse, without results.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TEXT_MAX = 16384,
};

static void die(const char *what)
{
	fprintf(stderr, "cni-chain: %s\n", what);
	exit(1);
}

static void read_text(int fd, char *text)
{
	ssize_t size = pread(fd, text, TEXT_MAX - 1, 0);

	if (size < 0)
		die("cannot read");
	text[size] = '\0';
}

/* The configuration with the last result inside, in a file without a name. */
static int make_input(const char *conf, const char *previous)
{
	char text[TEXT_MAX];
	int fd = open(conf, O_RDONLY | O_CLOEXEC), input = memfd_create("input", 0);
	char *end;

	if (fd < 0 || input < 0)
		die(conf);
	read_text(fd, text);
	close(fd);
	end = strrchr(text, '}');
	if (!end)
		die(conf);
	*end = '\0';
	if (dprintf(input, previous[0] ? "%s,\"prevResult\":%s}" : "%s%s}", text, previous) < 0)
		die("cannot write");
	lseek(input, 0, SEEK_SET);
	return input;
}

/* Runs one plugin; its result replaces @result. */
static void run_plugin(char *plugin, const char *conf, char *result)
{
	int input = make_input(conf, result), output = memfd_create("output", 0), status;
	char *const argv[] = {plugin, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	if (posix_spawn(&pid, plugin, &actions, NULL, argv, environ) != 0)
		die(plugin);
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		read_text(output, result);
		fprintf(stderr, "cni-chain: %s: %s\n", plugin, result);
		exit(1);
	}
	read_text(output, result);
	posix_spawn_file_actions_destroy(&actions);
	close(input);
	close(output);
}

int main(int argc, char **argv)
{
	char result[TEXT_MAX] = "";
	int pairs = (argc - 4) / 2;
	int is_del;

	if (argc < 6 || argc % 2)
		die("usage: cni-chain ADD|DEL ID NETNS PLUGIN CONF [PLUGIN CONF]...");
	is_del = strcmp(argv[1], "DEL") == 0;
	setenv("CNI_COMMAND", argv[1], 1);
	setenv("CNI_CONTAINERID", argv[2], 1);
	setenv("CNI_NETNS", argv[3], 1);
	setenv("CNI_IFNAME", "eth0", 1);
	setenv("CNI_PATH", "/usr/lib/cni", 1);
	for (int i = 0; i < pairs; i++) {
		int at = 4 + 2 * (is_del ? pairs - 1 - i : i);

		run_plugin(argv[at], argv[at + 1], result);
		if (is_del)
			result[0] = '\0';
	}
	return 0;
}
