/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request by libcurl.
 *
 * Each thread takes a handle out of the pool, the one that was given back last, so that its
 * connection is used again. A handle is an easy one in a multi one of its own: that leaves the
 * waiting to us, and so a cancellation is seen within WATCH_MS, and a peer who sends next to
 * nothing is noticed, whether it is the answer's headers or its body that he is slow with.
 */
#include "transfer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/version.h"

#include "host.h"

#define WATCH_MS       100
#define STALL_BYTES    1024 /* fewer in the time of a stall are one */
#define HEADERS_MAX    ((size_t)64 * 1024)
#define ERROR_BODY_MAX ((size_t)64 * 1024) /* kept of answers other than 2xx */
#define RECEIVE_BUFFER (128L * 1024)

struct transfer {
	struct http *http;
	const struct exchange *exchange;
	struct http_handle *handle;
	struct http_response *response;
	struct error *err;
	char *what;
	int result;	    /* of what we ourselves refuse, with @err filled */
	bool begun, enough; /* the body; of a body that need not be whole */
	size_t header_bytes;
	struct buf body;
	uint64_t received, mark; /* bytes, in all and when the present window of time began */
	int64_t window_ms;
	CURLcode option; /* of the first option that could not be set */
	char detail[CURL_ERROR_SIZE];
};

static void lock_share(CURL *easy, curl_lock_data what, curl_lock_access access, void *user)
{
	struct http *http = user;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&http->share_locks[what]);
}

static void unlock_share(CURL *easy, curl_lock_data what, void *user)
{
	struct http *http = user;

	(void)easy;
	pthread_mutex_unlock(&http->share_locks[what]);
}

/* Connections are not shared: libcurl cannot do that between threads. */
static int make_share(struct http *http, struct error *err)
{
	const struct curl_api *curl = &http->curl;
	CURLSH *share = curl->share_init();

	if (!share)
		out_of_memory();
	http->share = share;
	if (curl->share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share) ||
	    curl->share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share) ||
	    curl->share_setopt(share, CURLSHOPT_USERDATA, http) ||
	    curl->share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
	    curl->share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
		return refuse_as(err, -ENOSYS, "libcurl cannot share between threads");
	return 0;
}

int transfer_load(struct http *http, struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&http->lock);
	if (!http->loaded) {
		r = curl_load(&http->curl, err);
		if (r >= 0)
			r = make_share(http, err);
		http->system_certs = certs_system_directory();
		http->loaded = r >= 0;
	}
	pthread_mutex_unlock(&http->lock);
	return r;
}

static struct http_handle *take_handle(struct http *http)
{
	struct http_handle *handle;

	pthread_mutex_lock(&http->lock);
	handle = http->idle;
	if (handle)
		http->idle = handle->next;
	pthread_mutex_unlock(&http->lock);
	if (handle) {
		http->curl.easy_reset(handle->easy);
		return handle;
	}
	handle = xcalloc(1, sizeof(*handle));
	handle->easy = http->curl.easy_init();
	handle->multi = http->curl.multi_init();
	if (!handle->easy || !handle->multi)
		out_of_memory();
	return handle;
}

void http_handle_free(struct http *http, struct http_handle *handle)
{
	http->curl.easy_cleanup(handle->easy);
	http->curl.multi_cleanup(handle->multi);
	free(handle);
}

/* One that failed is not used again: its connection is gone, and libcurl may keep a part of the
 * request in it. */
static void give_back(struct http *http, struct http_handle *handle, bool failed)
{
	if (failed) {
		http_handle_free(http, handle);
		return;
	}
	pthread_mutex_lock(&http->lock);
	handle->next = http->idle;
	http->idle = handle;
	pthread_mutex_unlock(&http->lock);
}

static int find_certs(struct http *http, const struct http_url *url, const struct certs **ret,
		      struct error *err)
{
	_cleanup_free_ char *host = xasprintf("%s:%u", url->host, url->port);
	struct certs *certs;
	int r = 0;

	pthread_mutex_lock(&http->lock);
	for (certs = http->certs; certs && !str_equal(certs->host, host); certs = certs->next)
		;
	if (!certs) {
		r = certs_read(&http->options, url, &certs, err);
		if (r >= 0) {
			certs->next = http->certs;
			http->certs = certs;
		}
	}
	pthread_mutex_unlock(&http->lock);
	*ret = certs;
	return r;
}

/* A line of the headers, or the empty one after them; of each answer on the way to the last. */
static void take_header(struct transfer *t, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	_cleanup_free_ char *text = NULL;

	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		strv_done(&t->response->headers);
		t->response->headers = (struct strv){0};
		return;
	}
	while (length > 0 && isspace((unsigned char)line[length - 1]))
		length--;
	if (!colon || colon == line || isspace((unsigned char)line[0]))
		return;
	text = xstrndup(line, length);
	for (char *c = text; *c && *c != ':'; c++)
		*c = (char)(tolower)((unsigned char)*c); /* the macro is long */
	strv_add(&t->response->headers, text);
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	struct transfer *t = user;

	(void)size; /* is 1 */
	t->received += count;
	t->header_bytes += count;
	if (t->begun)
		return count; /* what comes after the body says nothing that is needed */
	if (t->header_bytes > HEADERS_MAX) {
		t->result = refuse_as(t->err, -EFBIG, "%s: more than %zu bytes of headers", t->what,
				      HEADERS_MAX);
		return 0;
	}
	take_header(t, data, count);
	return count;
}

bool transfer_is_cancelled(const struct http *http, const struct http_request *request)
{
	const atomic_bool *flags[] = {http->options.cancelled, request->cancelled};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i] && atomic_load(flags[i]))
			return true;
	return false;
}

static bool is_cancelled(const struct transfer *t)
{
	return transfer_is_cancelled(t->http, t->exchange->request);
}

static bool is_success(const struct transfer *t)
{
	return t->response->status / 100 == 2;
}

/* The headers are complete. */
static int begin_body(struct transfer *t)
{
	struct http_sink *sink = t->exchange->request->sink;

	t->begun = true;
	t->http->curl.easy_getinfo(t->handle->easy, CURLINFO_RESPONSE_CODE, &t->response->status);
	if (!sink || !sink->begin || !is_success(t))
		return 0;
	return sink->begin(sink, t->response, t->err);
}

static int keep_body(struct transfer *t, const char *data, size_t size)
{
	size_t max = is_success(t) ? t->exchange->request->body_max : ERROR_BODY_MAX;

	if (size <= max - t->body.size) {
		buf_add(&t->body, data, size);
		return 0;
	}
	if (is_success(t))
		return refuse_as(t->err, -EFBIG, "%s: the answer is longer than %zu bytes", t->what,
				 max);
	buf_add(&t->body, data, max - t->body.size);
	t->enough = true;
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	struct http_sink *sink = t->exchange->request->sink;
	int64_t before;

	(void)size; /* is 1 */
	t->received += count;
	if (is_cancelled(t))
		return 0; /* what is written off is found out by the watch */
	if (!t->begun)
		t->result = begin_body(t);
	if (t->result >= 0 && sink && is_success(t)) {
		before = clock_now_ms();
		t->result = sink->write(sink, data, count, t->err);
		/* Our own slowness is none of the peer's. */
		t->window_ms += clock_now_ms() - before;
	} else if (t->result >= 0) {
		t->result = keep_body(t, data, count);
	}
	return t->result < 0 || t->enough ? 0 : count;
}

/* Looks after a request that is under way. */
static int watch(struct transfer *t)
{
	unsigned seconds = t->http->options.stall_seconds;
	int64_t now = clock_now_ms();

	if (is_cancelled(t)) {
		t->response->failure = HTTP_FAILURE_FINAL;
		return refuse_as(t->err, -ECANCELED, "%s: cancelled", t->what);
	}
	if (t->received - t->mark >= STALL_BYTES) {
		t->mark = t->received;
		t->window_ms = now;
	}
	if (now - t->window_ms < seconds * (int64_t)1000)
		return 0;
	t->response->failure = HTTP_FAILURE_BROKEN;
	return refuse_as(t->err, -ETIMEDOUT, "%s: %s in %u second%s", t->what,
			 t->received ? "next to nothing came" : "no answer", seconds,
			 plural_s(seconds));
}

#define set(t, name, value)                                                                        \
	do {                                                                                       \
		CURLcode code_ = (t)->http->curl.easy_setopt((t)->handle->easy, name, value);      \
		if ((t)->option == CURLE_OK)                                                       \
			(t)->option = code_;                                                       \
	} while (0)

static const struct {
	CURLoption option;
	long value;
} constants[] = {
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_FOLLOWLOCATION, 0}, /* http.c does, by rules of its own */
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
	{CURLOPT_HTTP09_ALLOWED, 0},
	{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
	{CURLOPT_TCP_KEEPALIVE, 1},
	{CURLOPT_BUFFERSIZE, RECEIVE_BUFFER},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
};

static void set_trust(struct transfer *t, const struct certs *certs)
{
	const struct http_options *options = &t->http->options;
	const char *directory = options->ssl_cert_dir;
	struct curl_blob blob = {
		.data = certs->trust.data, .len = certs->trust.size, .flags = CURL_BLOB_NOCOPY};

	if (!directory && !options->ssl_cert_file)
		directory = t->http->system_certs;
	/* One file of all the system's certificates takes 40 ms to read; a directory, nothing. */
	if (directory || options->ssl_cert_file) {
		set(t, CURLOPT_CAINFO, NULL);
		set(t, CURLOPT_CAPATH, directory);
	}
	if (directory && directory == t->http->system_certs)
		set(t, CURLOPT_PROXY_CAPATH, directory);
	if (blob.len > 0)
		set(t, CURLOPT_CAINFO_BLOB, &blob);
	if (certs->cert) {
		set(t, CURLOPT_SSLCERT, certs->cert);
		set(t, CURLOPT_SSLKEY, certs->key);
	}
	if (options->insecure) {
		set(t, CURLOPT_SSL_VERIFYPEER, 0L);
		set(t, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_method(struct transfer *t)
{
	const struct http_request *request = t->exchange->request;
	const char *method = request->method ? request->method : "GET";

	if (str_equal(method, "HEAD"))
		set(t, CURLOPT_NOBODY, 1L);
	if (request->body) {
		set(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		set(t, CURLOPT_POSTFIELDS, request->body);
	}
	set(t, CURLOPT_CUSTOMREQUEST, method);
}

static void set_all(struct transfer *t, const struct certs *certs, struct curl_slist *headers)
{
	const struct http_request *request = t->exchange->request;
	unsigned connect_seconds = request->connect_seconds ? request->connect_seconds
							    : t->http->options.stall_seconds;
	_cleanup_free_ char *no_proxy =
		host_no_proxy(t->http->options.no_proxy, &t->exchange->where);

	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		set(t, constants[i].option, constants[i].value);
	set(t, CURLOPT_CONNECTTIMEOUT, (long)connect_seconds);
	set(t, CURLOPT_PROTOCOLS_STR, "http,https");
	set(t, CURLOPT_USERAGENT, "berth-pull/" BERTH_VERSION);
	set(t, CURLOPT_URL, t->exchange->url);
	set(t, CURLOPT_NOPROXY, no_proxy); /* is copied */
	set(t, CURLOPT_SHARE, t->http->share);
	set(t, CURLOPT_ERRORBUFFER, t->detail);
	set(t, CURLOPT_HEADERFUNCTION, on_header);
	set(t, CURLOPT_HEADERDATA, t);
	set(t, CURLOPT_WRITEFUNCTION, on_body);
	set(t, CURLOPT_WRITEDATA, t);
	set(t, CURLOPT_HTTPHEADER, headers);
	/* With whatever value: libcurl undoes what it knows. */
	if (request->decodes)
		set(t, CURLOPT_ACCEPT_ENCODING, "identity");
	set_method(t);
	set_trust(t, certs);
}

/* A line's end in a header would begin another one. */
static int add_header(struct transfer *t, struct curl_slist **list, const char *line)
{
	struct curl_slist *longer;

	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return refuse(t->err, "%s: a control character in a header", t->what);
	longer = t->http->curl.slist_append(*list, line);
	if (!longer)
		out_of_memory();
	*list = longer;
	return 0;
}

static int add_headers(struct transfer *t, struct curl_slist **list)
{
	const struct http_request *request = t->exchange->request;
	char line[64];
	int r = 0;

	for (size_t i = 0; r >= 0 && request->headers && request->headers[i]; i++)
		r = add_header(t, list, request->headers[i]);
	if (r >= 0 && request->authorization && t->exchange->authorized) {
		_cleanup_free_ char *text = xasprintf("Authorization: %s", request->authorization);

		r = add_header(t, list, text);
		explicit_bzero(text, strlen(text));
	}
	if (r >= 0 && request->offset > 0) {
		snprintf(line, sizeof(line), "Range: bytes=%llu-",
			 (unsigned long long)request->offset);
		r = add_header(t, list, line);
	}
	/* A blob is the bytes that were pushed, whatever a server says that they are coded as. */
	if (r >= 0 && !request->decodes)
		r = add_header(t, list, "Accept-Encoding: identity");
	/* Otherwise libcurl waits a second for servers that know no "100 Continue". */
	return r >= 0 && request->body ? add_header(t, list, "Expect:") : r;
}

/* To the end of the request. Returns what libcurl says; t->result may say more. */
static CURLcode run(struct transfer *t)
{
	const struct curl_api *curl = &t->http->curl;
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	CURLMsg *message;
	int running = 1, left = 0;

	t->window_ms = clock_now_ms();
	if (curl->multi_add_handle(t->handle->multi, t->handle->easy) != CURLM_OK)
		return CURLE_FAILED_INIT;
	for (;;) {
		if (curl->multi_perform(t->handle->multi, &running) != CURLM_OK)
			break;
		if (t->result >= 0 && !t->enough && (running || is_cancelled(t)))
			t->result = watch(t);
		if (!running || t->result < 0)
			break;
		curl->multi_poll(t->handle->multi, NULL, 0, WATCH_MS, NULL);
	}
	message = curl->multi_info_read(t->handle->multi, &left);
	if (message && message->msg == CURLMSG_DONE)
		code = message->data.result;
	curl->multi_remove_handle(t->handle->multi, t->handle->easy);
	return code;
}

static int explain(struct transfer *t, CURLcode code)
{
	const struct curl_api *curl = &t->http->curl;
	struct transfer_end end = {.what = t->what, .code = code, .detail = t->detail};

	for (size_t n = strlen(t->detail); n > 0 && isspace((unsigned char)t->detail[n - 1]); n--)
		t->detail[n - 1] = '\0';
	if (!t->detail[0])
		end.detail = curl->easy_strerror(code);
	curl->easy_getinfo(t->handle->easy, CURLINFO_OS_ERRNO, &end.os_error);
	curl->easy_getinfo(t->handle->easy, CURLINFO_HTTP_CONNECTCODE, &end.proxy_status);
	/* Headers that libcurl gives up at are an answer, too. */
	curl->easy_getinfo(t->handle->easy, CURLINFO_RESPONSE_CODE, &t->response->status);
	return transfer_explain(&end, &t->response->failure, t->err);
}

/* Where no length is announced, a connection that broke looks like the end. */
static int check_end(struct transfer *t)
{
	if (!is_success(t) || t->body.size >= t->exchange->request->body_min ||
	    http_header(t->response, "content-length", 0) ||
	    http_header(t->response, "transfer-encoding", 0))
		return 0;
	t->response->failure = HTTP_FAILURE_BROKEN;
	return refuse_as(t->err, -ECONNRESET, "%s: the answer ended at %zu of %zu bytes", t->what,
			 t->body.size, t->exchange->request->body_min);
}

static int perform(struct transfer *t, const struct certs *certs)
{
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OK;
	int r = add_headers(t, &headers);

	if (r >= 0) {
		set_all(t, certs, headers);
		if (t->option != CURLE_OK)
			r = refuse_as(t->err, -ENOSYS, "libcurl cannot do what is needed: %s",
				      t->http->curl.easy_strerror(t->option));
	}
	if (r >= 0)
		code = run(t);
	t->http->curl.slist_free_all(headers);
	if (r < 0)
		return r;
	if (t->result < 0)
		return t->result;
	if (code != CURLE_OK && !t->enough)
		return explain(t, code);
	r = t->begun ? 0 : begin_body(t); /* where there is none */
	return r < 0 ? r : check_end(t);
}

char *exchange_text(const struct exchange *exchange)
{
	const char *method = exchange->request->method;

	return xasprintf("%s %.*s", method ? method : "GET", (int)strcspn(exchange->url, "?#"),
			 exchange->url);
}

int transfer(struct http *http, const struct exchange *exchange, struct http_response *ret,
	     struct error *err)
{
	struct transfer t = {
		.http = http,
		.exchange = exchange,
		.response = ret,
		.err = err,
		.what = exchange_text(exchange),
	};
	const struct certs *certs = NULL;
	int r = find_certs(http, &exchange->where, &certs, err);

	if (r >= 0) {
		t.handle = take_handle(http);
		r = perform(&t, certs);
		give_back(http, t.handle, r < 0);
	}
	ret->body_size = t.body.size;
	ret->body = buf_take(&t.body);
	if (r < 0 && ret->failure == HTTP_FAILURE_NONE)
		ret->failure = HTTP_FAILURE_FINAL;
	free(t.what);
	return r;
}
