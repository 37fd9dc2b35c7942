/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: loopback, and the list of those that are reached without a proxy. */
#include "host.h"

#include <strings.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#define SEPARATORS ", \t\r\n"

bool host_is_loopback(const char *host)
{
	static const char *const names[] = {"localhost", "[::1]"};
	size_t length = str_starts(host, "[") ? strcspn(host, "]") + 1 : strcspn(host, ":/");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && strncasecmp(host, names[i], length) == 0)
			return true;
	return str_starts(host, "127.") && strspn(host, "0123456789.") == length;
}

/* Where the ":" of a port stands in an entry; NULL: it has none. More than one are IPv6. */
static char *port_of(char *entry)
{
	char *closing = entry[0] == '[' ? strchr(entry, ']') : NULL;
	char *colon = strchr(closing ? closing : entry, ':');

	return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

/* One entry in libcurl's form; an empty one is for other ports. */
static const char *translate(char *entry, unsigned port)
{
	char *colon = port_of(entry);
	uint32_t number = 0;

	if (colon) {
		*colon = '\0';
		if (str_to_u32(colon + 1, &number) < 0 || number != port)
			return "";
	}
	if (entry[0] == '[') {
		entry[strcspn(entry, "]")] = '\0';
		return entry + 1;
	}
	return str_starts(entry, "*.") ? entry + 1 : entry;
}

char *host_no_proxy(const char *list, const struct http_url *url)
{
	_cleanup_free_ char *copy = xstrdup(list ? list : "");
	_cleanup_buf_ struct buf made = BUF_EMPTY;
	char *rest = copy, *entry;

	if (host_is_loopback(url->host))
		return xstrdup("*");
	while ((entry = strsep(&rest, SEPARATORS))) {
		const char *text = translate(entry, url->port);

		if (str_equal(text, "*"))
			return xstrdup("*");
		if (*text)
			buf_printf(&made, "%s%s", made.size > 0 ? "," : "", text);
	}
	return made.size > 0 ? buf_take(&made) : xstrdup("");
}
