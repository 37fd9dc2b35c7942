/* SPDX-License-Identifier: Apache-2.0 */
/* Headers for people. */
#include "news.h"

#include "berth/base/alloc.h"
#include "berth/base/log.h"

#define WARNINGS_MAX   16
#define WARNING_LENGTH 400 /* bytes that are shown */

void news_init(struct news *news)
{
	*news = (struct news){.limit = 0};
	pthread_mutex_init(&news->lock, NULL);
}

void news_done(struct news *news)
{
	free(news->quota);
	strv_done(&news->warnings);
	pthread_mutex_destroy(&news->lock);
}

/* "100;w=21600"; *ret_seconds is 0 where no window is given. */
static bool read_rate(const char *text, uint64_t *ret, uint64_t *ret_seconds)
{
	size_t length = text ? strcspn(text, ";, ") : 0;
	_cleanup_free_ char *number = xstrndup(text ? text : "", length);
	const char *window = text ? strstr(text + length, "w=") : NULL;
	_cleanup_free_ char *seconds =
		xstrndup(window ? window + 2 : "", window ? strcspn(window + 2, ";, ") : 0);

	if (str_to_u64(number, ret) < 0)
		return false;
	if (str_to_u64(seconds, ret_seconds) < 0)
		*ret_seconds = 0;
	return true;
}

static void take_rate(struct news *news, const struct http_response *response)
{
	uint64_t limit, remaining, seconds, ignored;

	if (!read_rate(http_header(response, "ratelimit-limit", 0), &limit, &seconds) ||
	    !read_rate(http_header(response, "ratelimit-remaining", 0), &remaining, &ignored))
		return;
	pthread_mutex_lock(&news->lock);
	news->limit = limit;
	news->remaining = remaining;
	news->seconds = seconds;
	pthread_mutex_unlock(&news->lock);
}

/*
 * The text of `299 AGENT "TEXT"`, unquoted; NULL where it is none such. @at goes on to the next
 * warning of the line, or to its end: what stands between may make one line of several.
 */
static char *read_warning(const char **at)
{
	bool is_ours = str_starts(*at, "299 ");
	const char *c = *at + strcspn(*at, "\"");
	struct buf text = BUF_EMPTY;

	for (c += *c == '"'; *c && *c != '"'; c++) {
		if (*c == '\\' && c[1])
			c++;
		if (text.size < WARNING_LENGTH)
			buf_add_char(&text, *c);
	}
	c += *c == '"';
	c += strspn(c, " \t");
	if (*c == '"') /* a date, which has a comma */
		c += 1 + strcspn(c + 1, "\"");
	c += strcspn(c, ",");
	*at = c + strspn(c, ", \t");
	if (is_ours && text.size > 0)
		return buf_take(&text);
	buf_done(&text);
	return NULL;
}

/* True the first time; what comes after too many different ones is not told. */
static bool is_new(struct news *news, const char *text)
{
	bool known = false;

	pthread_mutex_lock(&news->lock);
	for (size_t i = 0; i < news->warnings.count && !known; i++)
		known = str_equal(news->warnings.items[i], text);
	known = known || news->warnings.count >= WARNINGS_MAX;
	if (!known)
		strv_add(&news->warnings, text);
	pthread_mutex_unlock(&news->lock);
	return !known;
}

void news_take(struct news *news, const char *host, const struct http_response *response)
{
	const char *value;

	take_rate(news, response);
	for (size_t i = 0; (value = http_header(response, "warning", i)); i++) {
		while (*value) {
			_cleanup_free_ char *text = read_warning(&value);

			if (text && is_new(news, text))
				log_warning("%s says: %s", host, text);
		}
	}
}

/* "6 hours", "90 seconds". */
static char *window_text(uint64_t seconds)
{
	if (seconds > 0 && seconds % 3600 == 0)
		return xasprintf("%llu hour%s", (unsigned long long)seconds / 3600,
				 plural_s(seconds / 3600));
	return xasprintf("%llu second%s", (unsigned long long)seconds, plural_s(seconds));
}

const char *news_quota(struct news *news, const char *host)
{
	_cleanup_free_ char *window = NULL;
	struct buf line = BUF_EMPTY;

	pthread_mutex_lock(&news->lock);
	if (news->limit > 0) {
		buf_printf(&line, "%s: %llu of %llu pull%s %s left", host,
			   (unsigned long long)news->remaining, (unsigned long long)news->limit,
			   plural_s(news->limit), news->remaining == 1 ? "is" : "are");
		window = window_text(news->seconds);
		if (news->seconds > 0)
			buf_printf(&line, " (limit for %s)", window);
		free(news->quota);
		news->quota = buf_take(&line);
	}
	pthread_mutex_unlock(&news->lock);
	return news->quota;
}
