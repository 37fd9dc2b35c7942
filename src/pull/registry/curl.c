/* SPDX-License-Identifier: Apache-2.0 */
/* Loads libcurl, and finds its functions. */
#include "curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/str.h"

#define LIBRARY "libcurl.so.4"

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{"curl_global_init", offsetof(struct curl_api, global_init)},
	{"curl_easy_init", offsetof(struct curl_api, easy_init)},
	{"curl_easy_cleanup", offsetof(struct curl_api, easy_cleanup)},
	{"curl_easy_reset", offsetof(struct curl_api, easy_reset)},
	{"curl_easy_setopt", offsetof(struct curl_api, easy_setopt)},
	{"curl_easy_getinfo", offsetof(struct curl_api, easy_getinfo)},
	{"curl_easy_strerror", offsetof(struct curl_api, easy_strerror)},
	{"curl_multi_init", offsetof(struct curl_api, multi_init)},
	{"curl_multi_cleanup", offsetof(struct curl_api, multi_cleanup)},
	{"curl_multi_add_handle", offsetof(struct curl_api, multi_add_handle)},
	{"curl_multi_remove_handle", offsetof(struct curl_api, multi_remove_handle)},
	{"curl_multi_perform", offsetof(struct curl_api, multi_perform)},
	{"curl_multi_poll", offsetof(struct curl_api, multi_poll)},
	{"curl_multi_info_read", offsetof(struct curl_api, multi_info_read)},
	{"curl_slist_append", offsetof(struct curl_api, slist_append)},
	{"curl_slist_free_all", offsetof(struct curl_api, slist_free_all)},
	{"curl_share_init", offsetof(struct curl_api, share_init)},
	{"curl_share_setopt", offsetof(struct curl_api, share_setopt)},
	{"curl_share_cleanup", offsetof(struct curl_api, share_cleanup)},
	{"curl_url", offsetof(struct curl_api, url)},
	{"curl_url_cleanup", offsetof(struct curl_api, url_cleanup)},
	{"curl_url_set", offsetof(struct curl_api, url_set)},
	{"curl_url_get", offsetof(struct curl_api, url_get)},
	{"curl_free", offsetof(struct curl_api, free)},
};

static int ignore_sigpipe(struct error *err)
{
	const struct sigaction action = {.sa_handler = SIG_IGN};

	return sigaction(SIGPIPE, &action, NULL) < 0 ? fail(err, -errno, "ignore SIGPIPE") : 0;
}

int curl_load(struct curl_api *ret, struct error *err)
{
	struct curl_api api = {.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};

	if (!api.library)
		return refuse_as(err, -ENOENT, "the network needs " LIBRARY ": %s", dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(api.library, symbols[i].name);

		if (!symbol)
			return refuse_as(err, -ENOSYS, LIBRARY " is too old: %s", dlerror());
		memcpy((char *)&api + symbols[i].offset, &symbol, sizeof(symbol));
	}
	if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return refuse_as(err, -EIO, LIBRARY " does not start");
	*ret = api;
	return ignore_sigpipe(err);
}
