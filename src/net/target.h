/* SPDX-License-Identifier: Apache-2.0 */
/* Which container a command is about: by options, or by the state document that a hook gets. */
#ifndef BERTH_NET_TARGET_H
#define BERTH_NET_TARGET_H

#include "request.h"

struct target_options {
	const char *id; /* NULL: the command is a hook */
	const char *pid;
	const char *netns;
	const char *bundle;
};

#define TARGET_OPTION_COUNT 4
extern const struct option target_option_table[TARGET_OPTION_COUNT];

struct target {
	const char *id;
	const char *bundle; /* absolute; NULL: none */
	bool from_hook;
	pid_t pid;	   /* 0: none */
	const char *netns; /* absolute path; NULL: that of pid */
	const struct request_options *wanted;
};

/*
 * Without --id the state document is read from standard input: what @options ask for counts before
 * the annotations. All of *ret lies in @arena or is the caller's. The id is checked.
 */
int target_find(struct arena *arena, const struct target_options *target,
		const struct request_options *options, struct target *ret,
		struct error *err) must_check;

/* Opens the container's network namespace; refused where neither --pid nor --netns was given. */
int target_open_netns(const struct target *target, struct netns_id *ret_id,
		      struct error *err) must_check;

#endif
