/* SPDX-License-Identifier: Apache-2.0 */
/* Whether, and when, a request is sent once more. Pure: time and chance are given. */
#ifndef BERTH_PULL_RETRY_H
#define BERTH_PULL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define RETRY_TRIES	     5		/* without progress */
#define RETRY_PROGRESS	     (1u << 20) /* bytes that make the count begin anew */
#define RETRY_BACKOFF_MAX_MS 60000
#define RETRY_AFTER_MAX_MS   120000  /* how long a server may make us wait, unless --wait */
#define RETRY_WAIT_MAX_MS    3600000 /* with --wait, between two tries */

/* One request's history. Initialise all zero. */
struct retry {
	bool has_fallback; /* somebody else can be asked: little patience */
	bool wait;	   /* set by http_again(): also until a pull limit is over, for ever */
	unsigned tries;	   /* that failed since the last progress */
	uint64_t mark;	   /* bytes that had been received then */
	uint64_t received; /* bytes of content in all tries; kept by whoever counts them */
};

/* How a try failed. */
struct retry_event {
	const struct http_response *response; /* its status counts where failure is NONE */
	int64_t now;			      /* seconds since 1970, for dates */
	uint32_t chance;		      /* any number */
};

/*
 * How many milliseconds to wait before the next try, or -1: there shall be none.
 *   again   408, 429, 500, 502 to 504, 520 to 524; broken connections; hosts that cannot be reached
 *           (those twice only, unless bytes have come before: a wrong name is to fail soon)
 *   never   any other status; what is final; the pull limit of Docker Hub (429 with its text),
 *           unless @wait; with @has_fallback, anything but a connection that broke, once
 * The wait is what Retry-After says (seconds or a date) and up to 5 % more; without it 1 s, 2 s, 4
 * s … up to 60 s, each within 20 %.
 */
int64_t retry_next(struct retry *retry, const struct retry_event *event);

/* Whether the answer says that a pull limit is reached, not just that requests come too fast. */
bool retry_is_pull_limit(const struct http_response *response);

#endif
