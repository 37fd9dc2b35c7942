/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks for ordinary users, who can make no link on the host: pasta(1) or slirp4netns(1) runs
 * beside the container, has a tap device in its network namespace, and speaks for it with sockets
 * that are the user's own.
 */
#ifndef BERTH_NET_USER_NET_H
#define BERTH_NET_USER_NET_H

#include "request.h"

/* What is written down of one, in user/ID@LINK.json of the store: it is to this kind of network
 * what a lease is to others. */
struct user_net {
	const char *id;	  /* of the container */
	const char *link; /* its name in the container */
	enum request_mode mode;
	bool complete; /* false: add has begun, and not ended */
	pid_t pid;     /* of the container's process, */
	uint64_t start_ticks;
	pid_t helper_pid; /* and of the program; 0: not known */
	uint64_t helper_ticks;
	const char *token; /* in the names of its files, and so on its command line */
	struct publish_list publish;
};

struct user_net_list {
	struct user_net *items; /* in the arena */
	size_t count;
};

/* Whether @mode is one of these. */
bool user_net_is_mode(enum request_mode mode);
const char *user_net_name(enum request_mode mode); /* "pasta", "slirp4netns" */
/* The name server that the program is to its container; NULL-terminated. */
const char *const *user_net_dns(enum request_mode mode);

/*
 * Starts the program for the network namespace of the container's process @pid, and returns when
 * the link is there and the ports are published. @path: where it is looked for, in absolute
 * directories; NULL: the usual ones. -ENOENT: it is not installed. A record of the same container
 * and link is -EEXIST, unless that container is gone. On failure nothing is left.
 */
int user_net_add(const struct store *store, struct arena *arena, const struct request *request,
		 pid_t pid, const char *path, struct error *err) must_check;

/* Ends the program and forgets it, whatever of it is left. */
int user_net_remove(const struct store *store, const struct user_net *net,
		    struct error *err) must_check;

/* All of them, or those of one container (@id not NULL), by file name. */
int user_net_list(const struct store *store, struct arena *arena, const char *id,
		  struct user_net_list *ret, struct error *err) must_check;

/* Whether container and program both run. */
bool user_net_is_alive(const struct user_net *net);

/* As user_net_is_alive(), and whether the container has the link; the error says what is missing.
 */
int user_net_check(const struct user_net *net, struct error *err) must_check;

/* Removes those that are not complete or not alive. *ret_count: how many. Goes on after an error,
 * and returns the first. */
int user_net_gc(const struct store *store, struct arena *arena, size_t *ret_count,
		struct error *err) must_check;

void user_net_write_json(struct json_writer *w, const struct user_net *net);

#endif
