/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.c: an agent of system call filters (SCMP_ACT_NOTIFY), on the host.
 *
 * It takes the listeners that a runtime sends it, prints the text of each connection as a line, and
 * answers what they ask by its rules; what has no rule goes on as if nobody had asked.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#define LISTENERS_MAX 32
#define RULES_MAX     16

enum answer {
	ANSWER_CONTINUE,
	ANSWER_ERROR,
	ANSWER_VALUE,
	ANSWER_HOLD,
	ANSWER_DIE
};

struct rule {
	const char *name;
	long call;
	enum answer answer;
	long number;
};

static struct rule rules[RULES_MAX];
static size_t rule_count;

/* NAME=continue|hold|die|ERRNO|+VALUE */
static int parse_rule(char *text)
{
	struct rule *rule = &rules[rule_count];
	char *answer = strchr(text, '=');

	if (!answer || rule_count == RULES_MAX)
		return -1;
	*answer++ = '\0';
	*rule = (struct rule){.name = text, .call = system_call(text), .number = atol(answer)};
	if (rule->call < 0)
		return -1;
	rule->answer = strcmp(answer, "continue") == 0 ? ANSWER_CONTINUE
		       : strcmp(answer, "hold") == 0   ? ANSWER_HOLD
		       : strcmp(answer, "die") == 0    ? ANSWER_DIE
		       : answer[0] == '+'	       ? ANSWER_VALUE
						       : ANSWER_ERROR;
	rule_count++;
	return 0;
}

static const struct rule *find_rule(long call)
{
	for (size_t i = 0; i < rule_count; i++) {
		if (rules[i].call == call)
			return &rules[i];
	}
	return NULL;
}

/* Answers one call; false: the listener has nobody any more. */
static bool serve(int listener)
{
	struct seccomp_notif call = {.id = 0};
	struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	const struct rule *rule;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return errno == EINTR || errno == ENOENT;
	answer.id = call.id;
	rule = find_rule(call.data.nr);
	if (rule) {
		printf("asked %s\n", rule->name);
		fflush(stdout);
	}
	if (rule && rule->answer == ANSWER_DIE)
		exit(0);
	if (rule && rule->answer == ANSWER_HOLD)
		return true;
	if (rule && rule->answer != ANSWER_CONTINUE)
		answer.flags = 0;
	if (rule && rule->answer == ANSWER_ERROR)
		answer.error = (int)-rule->number;
	if (rule && rule->answer == ANSWER_VALUE)
		answer.val = rule->number;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return true;
}

/* Reads a connection to its end, and prints it; returns the only descriptor that came with it. */
static int take_listener(int socket_fd)
{
	static char text[1 << 20];
	int connection = accept(socket_fd, NULL, NULL), fd = -1, count;
	size_t size;
	ssize_t n;

	if (connection < 0)
		return -1;
	count = receive_message(connection, text, sizeof(text), &fd);
	size = strlen(text);
	while ((n = read(connection, text + size, sizeof(text) - size)) > 0)
		size += (size_t)n;
	close(connection);
	printf("%.*s\n", (int)size, text);
	if (count != 1)
		printf("%d descriptors\n", count);
	fflush(stdout);
	return count == 1 ? fd : -1;
}

/* agent SOCKET [RULE...]: until it is killed. */
int command_agent(int argc, char **argv)
{
	struct pollfd polls[LISTENERS_MAX] = {{.events = POLLIN}};
	nfds_t count = 1;

	for (int i = 2; i < argc; i++) {
		if (parse_rule(argv[i]) < 0)
			return 2;
	}
	polls[0].fd = argc < 2 ? -1 : bind_at(argv[1], SOCK_STREAM);
	if (polls[0].fd < 0 || listen(polls[0].fd, 16) < 0)
		return 2;
	for (;;) {
		poll(polls, count, -1);
		for (nfds_t i = 1; i < count; i++) {
			if (polls[i].revents & POLLIN && serve(polls[i].fd))
				continue;
			if (polls[i].revents) {
				close(polls[i].fd);
				polls[i].fd = -1;
			}
		}
		if (polls[0].revents & POLLIN && count < LISTENERS_MAX)
			polls[count++] =
				(struct pollfd){.fd = take_listener(polls[0].fd), .events = POLLIN};
	}
}
