/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of user_net.h share. */
#ifndef BERTH_NET_USER_NET_INTERNAL_H
#define BERTH_NET_USER_NET_INTERNAL_H

#include "user_net.h"

/* How long a program has to set the network up. */
#define USER_NET_TIMEOUT_MS 20000

/* One start of a program. */
struct user_start {
	const struct store *store;
	const struct request *request;
	const char *program;   /* absolute */
	const char *directory; /* of its files, absolute */
	int directoryfd;
	struct user_net *net; /* written, not complete */
};

struct user_program {
	const char *name, *package;
	const char *dns[2]; /* NULL-terminated */
	/* Refuses what it cannot do for the container; NULL: nothing more. */
	int (*check)(const struct request *request, struct error *err);
	/*
	 * Runs it until it is ready, and fills in net->helper_pid and helper_ticks. After a
	 * failure, or when berth-net is killed in it, user_net_remove() finds what runs by the
	 * record.
	 */
	int (*start)(const struct user_start *start, struct error *err);
};

extern const struct user_program pasta_program, slirp4netns_program;

/* --- records: user_record.c ------------------------------------------------------------------ */

/* Opens a directory of the store; -ENOENT without a text where there is none, unless @make. */
int user_directory_open(const struct store *store, const char *name, bool make,
			struct error *err) must_check;
int user_record_write(const struct store *store, const struct user_net *net,
		      struct error *err) must_check;
int user_record_remove(const struct store *store, const struct user_net *net,
		       struct error *err) must_check;
/* Removes what a killed user_record_write() left. */
int user_record_tidy(const struct store *store, struct error *err) must_check;

/* --- processes: user_process.c --------------------------------------------------------------- */

/* When the process @pid began; the error says that it, @what, is gone. */
int user_process_ticks(pid_t pid, const char *what, uint64_t *ret, struct error *err) must_check;
bool user_process_runs(pid_t pid, uint64_t ticks);
/* Kills the record's program, by number and time or, where they are not known, by its command line,
 * which has the token. That it is gone is fine. */
int user_process_stop(const struct user_net *net, struct error *err) must_check;

#endif
