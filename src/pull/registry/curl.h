/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is needed: to start with it would cost 8 ms, even where nothing is asked.
 */
#ifndef BERTH_PULL_CURL_H
#define BERTH_PULL_CURL_H

#include <curl/curl.h>

#include "berth/base/error.h"

/* The functions in use, under their names without "curl_". */
struct curl_api {
	void *library;
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	void (*easy_reset)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_perform)(CURLM *multi, int *running);
	CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *fds, unsigned count,
				int timeout_ms, int *ret);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
	CURLSH *(*share_init)(void);
	CURLSHcode (*share_setopt)(CURLSH *share, CURLSHoption option, ...);
	CURLSHcode (*share_cleanup)(CURLSH *share);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *url);
	CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
	CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **text, unsigned flags);
	void (*free)(void *memory);
};

/*
 * Loads libcurl.so.4 and makes it ready for threads. It stays loaded: OpenSSL has handlers for the
 * end of the process. From then on SIGPIPE is ignored, since libcurl writes to sockets by OpenSSL,
 * which cannot be told to spare the process. To be called by one thread at a time.
 */
int curl_load(struct curl_api *ret, struct error *err) must_check;

#endif
