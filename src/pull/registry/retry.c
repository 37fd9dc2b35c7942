/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of trying again. */
#include "retry.h"

#include <time.h>

#define UNREACHABLE_TRIES 2
#define FALLBACK_TRIES	  2

bool retry_is_pull_limit(const struct http_response *response)
{
	return response->status == 429 && response->body &&
	       strcasestr(response->body, "pull rate limit");
}

static bool status_may_pass(long status)
{
	/* From 520 on: what Cloudflare says of a server behind it. */
	static const long statuses[] = {408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524};

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

static unsigned tries_of_status(const struct retry *retry, const struct http_response *response)
{
	if (retry->has_fallback)
		return 0;
	if (response->status == 429 && retry->wait)
		return UINT32_MAX;
	if (!status_may_pass(response->status) || retry_is_pull_limit(response))
		return 0;
	return RETRY_TRIES;
}

/* Most tries without progress of such a failure. */
static unsigned tries_of(const struct retry *retry, const struct retry_event *event)
{
	switch (event->response->failure) {
	case HTTP_FAILURE_NONE:
		return tries_of_status(retry, event->response);
	case HTTP_FAILURE_UNREACHABLE:
		if (retry->has_fallback)
			return 0;
		return retry->received > 0 ? RETRY_TRIES : UNREACHABLE_TRIES;
	case HTTP_FAILURE_BROKEN:
		return retry->has_fallback ? FALLBACK_TRIES : RETRY_TRIES;
	case HTTP_FAILURE_NO_TLS:
	case HTTP_FAILURE_FINAL:
	default:
		return 0;
	}
}

/* Milliseconds, or -1 where the server says nothing that can be read. */
static int64_t retry_after_ms(const struct retry_event *event)
{
	const char *text = http_header(event->response, "retry-after", 0);
	struct tm date = {0};
	const char *end;
	uint64_t seconds;

	if (!text)
		return -1;
	if (str_to_u64(text, &seconds) >= 0)
		return seconds < INT32_MAX ? (int64_t)seconds * 1000 : INT64_MAX;
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date);
	if (!end || *end)
		return -1;
	seconds = (uint64_t)timegm(&date);
	return (int64_t)seconds > event->now ? ((int64_t)seconds - event->now) * 1000 : 0;
}

static int64_t backoff_ms(unsigned tries, uint32_t chance)
{
	int64_t ms = tries > 6 ? RETRY_BACKOFF_MAX_MS : (int64_t)1000 << (tries - 1);

	ms += (int64_t)chance % (2 * ms / 5 + 1) - ms / 5;
	return ms < RETRY_BACKOFF_MAX_MS ? ms : RETRY_BACKOFF_MAX_MS;
}

int64_t retry_next(struct retry *retry, const struct retry_event *event)
{
	bool answered = event->response->failure == HTTP_FAILURE_NONE;
	int64_t asked, max = retry->wait ? RETRY_WAIT_MAX_MS : RETRY_AFTER_MAX_MS;

	if (retry->received - retry->mark >= RETRY_PROGRESS) {
		retry->mark = retry->received;
		retry->tries = 0;
	}
	if (++retry->tries >= tries_of(retry, event))
		return -1;
	asked = answered ? retry_after_ms(event) : -1;
	if (asked < 0)
		return backoff_ms(retry->tries, event->chance);
	if (asked > max)
		asked = max;
	return asked + (int64_t)event->chance % (asked / 20 + 1);
}
