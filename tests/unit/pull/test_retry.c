/* SPDX-License-Identifier: Apache-2.0 */
/* When a request is sent once more, and after how long. */
#include "registry/retry.h"

#include "../base/unit.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW 784111777

#define PULL_LIMIT                                                                                 \
	"{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"You have reached your pull "     \
	"rate "                                                                                    \
	"limit.\"}]}"

struct row {
	long status;
	enum http_failure failure;
	const char *header; /* "retry-after: …", or NULL */
	const char *body;
	unsigned tries; /* before this one */
	bool fallback;
	bool wait; /* --wait */
	uint64_t received;
	int64_t min, max; /* milliseconds; -1: never */
};

static const struct row rows[] = {
	/* What may pass, by backoff within 20 %. */
	{.status = 503, .min = 800, .max = 1200},
	{.status = 500, .tries = 1, .min = 1600, .max = 2400},
	{.status = 502, .tries = 2, .min = 3200, .max = 4800},
	{.status = 504, .tries = 3, .min = 6400, .max = 9600},
	{.status = 520, .min = 800, .max = 1200},
	{.status = 521, .min = 800, .max = 1200},
	{.status = 522, .min = 800, .max = 1200},
	{.status = 523, .min = 800, .max = 1200},
	{.status = 524, .min = 800, .max = 1200},
	{.status = 408, .min = 800, .max = 1200},
	{.status = 429, .min = 800, .max = 1200},
	{.failure = HTTP_FAILURE_BROKEN, .min = 800, .max = 1200},
	{.failure = HTTP_FAILURE_UNREACHABLE, .min = 800, .max = 1200},
	/* Enough is enough: the fifth failure is the last, unless there was progress. */
	{.status = 503, .tries = 4, .min = -1, .max = -1},
	{.status = 503, .tries = 4, .received = RETRY_PROGRESS, .min = 800, .max = 1200},
	{.status = 503, .tries = 4, .received = RETRY_PROGRESS - 1, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_BROKEN, .tries = 4, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_UNREACHABLE, .tries = 1, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_UNREACHABLE, .tries = 1, .received = 1, .min = 1600, .max = 2400},
	/* What does not pass. */
	{.status = 400, .min = -1, .max = -1},
	{.status = 401, .min = -1, .max = -1},
	{.status = 403, .min = -1, .max = -1},
	{.status = 404, .min = -1, .max = -1},
	{.status = 416, .min = -1, .max = -1},
	{.status = 501, .min = -1, .max = -1},
	{.status = 200, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_FINAL, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_NO_TLS, .min = -1, .max = -1},
	/* A failure counts, not the status of an answer that broke off. */
	{.status = 503, .failure = HTTP_FAILURE_FINAL, .min = -1, .max = -1},
	{.status = 200, .failure = HTTP_FAILURE_BROKEN, .min = 800, .max = 1200},
	/* Retry-After: never earlier, hardly later. */
	{.status = 429, .header = "retry-after: 1", .min = 1000, .max = 1050},
	{.status = 503, .header = "retry-after: 7", .tries = 3, .min = 7000, .max = 7350},
	{.status = 503, .header = "retry-after: 0", .min = 0, .max = 0},
	{.status = 503, .header = "retry-after: 99999", .min = 120000, .max = 126000},
	{.status = 503, .header = "retry-after: 99999999999999999999", .min = 800, .max = 1200},
	{.status = 503, .header = "retry-after: 9999999999999", .min = 120000, .max = 126000},
	{.status = 503, .header = "retry-after: -1", .min = 800, .max = 1200},
	{.status = 503, .header = "retry-after: soon", .min = 800, .max = 1200},
	{.status = 503,
	 .header = "retry-after: Sun, 06 Nov 1994 08:49:47 GMT",
	 .min = 10000,
	 .max = 10500},
	{.status = 503, .header = "retry-after: Sun, 06 Nov 1994 08:49:07 GMT", .min = 0, .max = 0},
	{.status = 503,
	 .header = "retry-after: Sun, 06 Nov 1994 08:49:47 GMT or so",
	 .min = 800,
	 .max = 1200},
	{.failure = HTTP_FAILURE_BROKEN, .header = "retry-after: 7", .min = 800, .max = 1200},
	/* A mirror is worth no patience. */
	{.status = 503, .fallback = true, .min = -1, .max = -1},
	{.status = 429, .fallback = true, .wait = true, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_UNREACHABLE, .fallback = true, .min = -1, .max = -1},
	{.failure = HTTP_FAILURE_BROKEN, .fallback = true, .min = 800, .max = 1200},
	{.failure = HTTP_FAILURE_BROKEN, .fallback = true, .tries = 1, .min = -1, .max = -1},
	/* The pull limit of hours is no matter of seconds. */
	{.status = 429, .body = PULL_LIMIT, .header = "retry-after: 1", .min = -1, .max = -1},
	{.status = 429, .body = PULL_LIMIT, .wait = true, .min = 800, .max = 1200},
	{.status = 429,
	 .body = PULL_LIMIT,
	 .wait = true,
	 .tries = 1000,
	 .min = 48000,
	 .max = 60000},
	{.status = 429,
	 .body = PULL_LIMIT,
	 .wait = true,
	 .header = "retry-after: 3000",
	 .min = 3000000,
	 .max = 3150000},
	{.status = 429, .body = "slow down", .tries = 4, .min = -1, .max = -1},
	{.status = 503, .wait = true, .tries = 4, .min = -1, .max = -1},
};

static void test_table(void **state)
{
	static const uint32_t chances[] = {0, 1, 12345, 0x7fffffff, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		char *headers[] = {(char *)(uintptr_t)row->header, NULL};
		struct http_response response = {
			.status = row->status,
			.failure = row->failure,
			.headers = {.items = headers, .count = row->header ? 1 : 0},
			.body = (char *)(uintptr_t)row->body,
		};

		for (size_t c = 0; c < ARRAY_SIZE(chances); c++) {
			struct retry retry = {.tries = row->tries,
					      .has_fallback = row->fallback,
					      .wait = row->wait,
					      .received = row->received};
			struct retry_event event = {
				.response = &response, .now = NOW, .chance = chances[c]};
			int64_t ms = retry_next(&retry, &event);

			if (ms < row->min || ms > row->max)
				fail_msg("row %zu, chance %u: %lld ms, not %lld to %lld", i,
					 chances[c], (long long)ms, (long long)row->min,
					 (long long)row->max);
		}
	}
}

/* A download that gets on a little between failures goes on for ever; one that does not, ends. */
static void test_history(void **state)
{
	struct http_response response = {.failure = HTTP_FAILURE_BROKEN};
	struct retry_event event = {.response = &response, .now = NOW};
	struct retry retry = {.wait = false};

	(void)state;
	for (int i = 0; i < 100; i++) {
		retry.received += RETRY_PROGRESS;
		assert_true(retry_next(&retry, &event) >= 0);
	}
	for (unsigned i = 1; i < RETRY_TRIES - 1; i++) {
		retry.received += 1000;
		assert_true(retry_next(&retry, &event) >= 0);
	}
	assert_int_equal(retry_next(&retry, &event), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
