/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry tells besides: the rest of a pull limit, and warnings. */
#ifndef BERTH_PULL_NEWS_H
#define BERTH_PULL_NEWS_H

#include <pthread.h>

#include "http.h"

struct news {
	pthread_mutex_t lock;
	uint64_t limit, remaining, seconds; /* "limit" pulls in so many seconds; 0: not known */
	char *quota;			    /* the line that was given out last */
	struct strv warnings;		    /* told already */
};

void news_init(struct news *news);
void news_done(struct news *news);

/*
 * Reads ratelimit-limit and ratelimit-remaining ("100;w=21600"), and Warning with the code 299
 * (RFC 7234 §5.5), which is passed on to the user once, with @host in front. Any thread.
 */
void news_take(struct news *news, const char *host, const struct http_response *response);

/* One line, or NULL where nothing is known; valid until the next call. */
const char *news_quota(struct news *news, const char *host);

#endif
