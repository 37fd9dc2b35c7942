/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, against servers of a thread each that answer each connection with one prepared text. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "berth/base/log.h"

#include "registry/http.h"
#include "registry/retry.h"

#include "../base/unit.h"

#define ANSWERS_MAX 16
#define OK_HELLO    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

/* A server; @answers are sprintf formats for the other server's port. "" holds the connection open
 * without a word until the server ends. */
struct server {
	const char *answers[ANSWERS_MAX];
	unsigned other; /* port */
	/* Results. */
	unsigned port;
	char *requests[ANSWERS_MAX];
	size_t count; /* of connections */
	int fd, stop[2];
	pthread_t thread;
};

static bool wait_readable(struct server *server, int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
			       {.fd = server->stop[0], .events = POLLIN}};

	return poll(fds, 2, -1) > 0 && !fds[1].revents;
}

static char *read_request(struct server *server, int fd)
{
	struct buf text = BUF_EMPTY;
	char part[4096];
	ssize_t n;

	while ((!text.data || !strstr(text.data, "\r\n\r\n")) && wait_readable(server, fd) &&
	       (n = recv(fd, part, sizeof(part), 0)) > 0)
		buf_add(&text, part, (size_t)n);
	return buf_take(&text);
}

static void *serve(void *argument)
{
	struct server *server = argument;

	for (size_t i = 0; i < ANSWERS_MAX && server->answers[i]; i++) {
		int fd;

		if (!wait_readable(server, server->fd))
			return NULL;
		fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		server->requests[i] = read_request(server, fd);
		server->count = i + 1;
		if (server->answers[i][0]) {
			struct buf text = BUF_EMPTY;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			buf_printf(&text, server->answers[i], server->other);
#pragma GCC diagnostic pop
			send(fd, text.data, text.size, MSG_NOSIGNAL);
			buf_done(&text);
		} else {
			wait_readable(server, -1);
		}
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(pipe2(server->stop, O_CLOEXEC), 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 8), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	close(server->fd);
}

static void server_done(struct server *server)
{
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		free(server->requests[i]);
}

/* Everything of one request. */
struct call {
	struct http_options options;
	struct http_request request;
	struct http_response response;
	struct error err;
	int r;
};

/* @url is a format for the server's port. */
static void call(struct call *call, struct server *server, const char *path)
{
	char *url = xasprintf("http://127.0.0.1:%u%s", server->port, path);
	struct http *http = http_new(&call->options);

	call->request.url = url;
	if (!call->request.sink && !call->request.body_max)
		call->request.body_max = 1000;
	call->r = http_try(http, &call->request, &call->response, &call->err);
	http_free(http);
	free(url);
}

static void test_get(void **state)
{
	static const char *const headers[] = {"Accept: a/b", NULL};
	struct server server = {
		.answers = {"HTTP/1.1 100 Continue\r\nx: 1\r\n\r\n"
			    "HTTP/1.1 200 OK\r\nWWW-Authenticate: one\r\nX-Y:  z \r\n"
			    "www-authenticate: two\r\nContent-Length: 5\r\n\r\nhello"}};
	struct call c = {.request = {.headers = headers, .authorization = "Bearer x"}};

	(void)state;
	server_start(&server);
	call(&c, &server, "/p?q");
	server_stop(&server);
	assert_fine(c.r, c.err);
	assert_int_equal(c.response.status, 200);
	assert_int_equal(c.response.failure, HTTP_FAILURE_NONE);
	assert_string_equal(c.response.body, "hello");
	assert_int_equal(c.response.body_size, 5);
	assert_string_equal(http_header(&c.response, "x-y", 0), "z");
	assert_string_equal(http_header(&c.response, "www-authenticate", 0), "one");
	assert_string_equal(http_header(&c.response, "www-authenticate", 1), "two");
	assert_null(http_header(&c.response, "www-authenticate", 2));
	assert_null(http_header(&c.response, "x", 0));
	assert_contains(server.requests[0], "GET /p?q HTTP/1.1\r\n");
	assert_contains(server.requests[0], "\r\nAccept: a/b\r\n");
	assert_contains(server.requests[0], "\r\nAuthorization: Bearer x\r\n");
	assert_null(strstr(server.requests[0], "Range"));
	http_response_done(&c.response);
	server_done(&server);
}

static void test_range_and_post(void **state)
{
	struct server server = {.answers = {OK_HELLO, OK_HELLO,
					    "HTTP/1.1 307 T\r\nLocation: /x\r\n"
					    "Content-Length: 0\r\nConnection: close\r\n\r\n"}};
	struct call c = {.request = {.offset = 7}};

	(void)state;
	server_start(&server);
	call(&c, &server, "/");
	http_response_done(&c.response);
	c.request = (struct http_request){.method = "POST", .body = "a=b", .body_size = 3};
	call(&c, &server, "/");
	assert_fine(c.r, c.err);
	http_response_done(&c.response);
	/* Sent again, the body might go to anybody. */
	call(&c, &server, "/");
	server_stop(&server);
	assert_failed(c.r, c.err, -EINVAL);
	assert_contains(c.err.text, "redirect");
	assert_contains(server.requests[0], "\r\nRange: bytes=7-\r\n");
	assert_contains(server.requests[1], "POST / HTTP/1.1\r\n");
	assert_contains(server.requests[1], "\r\nContent-Length: 3\r\n");
	http_response_done(&c.response);
	server_done(&server);
}

#define TO_OTHER(path)                                                                             \
	"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:%u" path "\r\nContent-Length: 0\r\n"         \
	"Connection: close\r\n\r\n"
#define TO_SELF(path)                                                                              \
	"HTTP/1.1 302 T\r\nLocation: " path "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

/* The header Authorization stays with its origin, and does not come back with a hop that does. */
static void test_redirect(void **state)
{
	struct server one = {.answers = {TO_SELF("b?x"), TO_OTHER("/c"), OK_HELLO}};
	struct server two = {.answers = {TO_OTHER("/d")}};
	struct call c = {.request = {.authorization = "Basic secret"}};

	(void)state;
	server_start(&one);
	two.other = one.port;
	server_start(&two);
	one.other = two.port;
	call(&c, &one, "/dir/a");
	server_stop(&one);
	server_stop(&two);
	assert_fine(c.r, c.err);
	assert_int_equal(c.response.status, 200);
	assert_contains(c.response.url, "/d");
	assert_contains(one.requests[0], "secret");
	assert_contains(one.requests[1], "GET /dir/b?x ");
	assert_contains(one.requests[1], "secret");
	assert_contains(two.requests[0], "GET /c ");
	assert_null(strstr(two.requests[0], "secret"));
	assert_contains(one.requests[2], "GET /d ");
	assert_null(strstr(one.requests[2], "secret"));
	http_response_done(&c.response);
	server_done(&one);
	server_done(&two);
}

static void test_redirects_refused(void **state)
{
	static const struct {
		const char *answer, *text;
	} rows[] = {
		{TO_SELF("file:///etc/passwd"), "no http or https URL"},
		{TO_SELF("ftp://127.0.0.1/x"), "no http or https URL"},
		{TO_SELF("http://user@127.0.0.1/x"), "a URL with a user's name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct server server = {.answers = {rows[i].answer}};
		struct call c = {.request = {0}};

		server_start(&server);
		call(&c, &server, "/");
		server_stop(&server);
		assert_failed(c.r, c.err, -EINVAL);
		assert_int_equal(c.response.failure, HTTP_FAILURE_FINAL);
		assert_contains(c.err.text, rows[i].text);
		http_response_done(&c.response);
		server_done(&server);
	}
}

static void test_redirect_loop(void **state)
{
	struct server server = {.other = 0};
	struct call c = {.request = {0}};

	(void)state;
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		server.answers[i] = TO_SELF("/");
	server_start(&server);
	call(&c, &server, "/");
	server_stop(&server);
	assert_failed(c.r, c.err, -ELOOP);
	assert_int_equal(server.count, 11);
	http_response_done(&c.response);
	server_done(&server);
}

/* Ways in which there is no answer. */
static void test_failures(void **state)
{
	static const struct {
		const char *answer;
		enum http_failure failure;
		int code;
		const char *text;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", HTTP_FAILURE_BROKEN,
		 -ECONNRESET, "before the answer was whole"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nhello", HTTP_FAILURE_BROKEN,
		 -ECONNRESET, "before the answer was whole"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		 HTTP_FAILURE_BROKEN, -ECONNRESET, "before the answer was whole"},
		{"\r\n\r\n", HTTP_FAILURE_FINAL, -EPROTO, "HTTP"},
		{"SSH-2.0-x\r\n", HTTP_FAILURE_FINAL, -EPROTO, "HTTP"},
		{"", HTTP_FAILURE_BROKEN, -ETIMEDOUT, "no answer in 1 second"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct server server = {.answers = {rows[i].answer}};
		struct call c = {.options = {.stall_seconds = 1}};

		server_start(&server);
		call(&c, &server, "/");
		server_stop(&server);
		if (c.response.failure != rows[i].failure)
			fail_msg("row %zu: %d: %s", i, (int)c.response.failure, c.err.text);
		assert_failed(c.r, c.err, rows[i].code);
		assert_contains(c.err.text, rows[i].text);
		assert_contains(c.err.text, "GET http://127.0.0.1");
		http_response_done(&c.response);
		server_done(&server);
	}
}

static void test_unreachable(void **state)
{
	struct server server = {.answers = {OK_HELLO}};
	struct call c = {.request = {0}};

	(void)state;
	server_start(&server);
	server_stop(&server);
	call(&c, &server, "/");
	assert_failed(c.r, c.err, -ECONNREFUSED);
	assert_int_equal(c.response.failure, HTTP_FAILURE_UNREACHABLE);
	http_response_done(&c.response);
	server_done(&server);
}

/* A client that has failed goes on working, whatever it was that failed. */
static void test_after_failure(void **state)
{
	static const char *const urls[] = {"http://name.invalid/", "http://127.0.0.1:1/"};
	struct server server = {.answers = {OK_HELLO, OK_HELLO}};
	struct http_options options = {0};
	struct http *http = http_new(&options);
	char *url;

	(void)state;
	server_start(&server);
	url = xasprintf("http://127.0.0.1:%u/", server.port);
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct http_request request = {.url = urls[i], .body_max = 100};
		struct http_response response = {0};
		struct error err = ERROR_NONE;

		assert_true(http_try(http, &request, &response, &err) < 0);
		assert_int_equal(response.failure, HTTP_FAILURE_UNREACHABLE);
		http_response_done(&response);
		request.url = url;
		assert_fine(http_try(http, &request, &response, &err), err);
		http_response_done(&response);
	}
	server_stop(&server);
	http_free(http);
	free(url);
	server_done(&server);
}

static void test_cancelled(void **state)
{
	struct server server = {.answers = {""}};
	atomic_bool cancelled = true;
	struct call c = {.options = {.cancelled = &cancelled}};

	(void)state;
	server_start(&server);
	call(&c, &server, "/");
	server_stop(&server);
	assert_failed(c.r, c.err, -ECANCELED);
	assert_int_equal(c.response.failure, HTTP_FAILURE_FINAL);
	http_response_done(&c.response);
	server_done(&server);
}

/* A body of no end, and headers of no end; a refusal's body is cut instead. */
static void test_bounds(void **state)
{
	char *many = xcalloc(1, 100001), *headers, *body, *refusal;
	struct call c = {.request = {.body_max = 1000}};
	struct server server = {.other = 0};

	(void)state;
	memset(many, 'x', 100000);
	headers = xasprintf("HTTP/1.1 200 OK\r\nA: %.60000s\r\nB: %.60000s\r\n\r\n", many, many);
	body = xasprintf("HTTP/1.1 200 OK\r\n\r\n%s", many);
	refusal = xasprintf("HTTP/1.1 404 No\r\n\r\n%s", many);
	server.answers[0] = headers;
	server.answers[1] = body;
	server.answers[2] = refusal;
	server_start(&server);
	call(&c, &server, "/");
	assert_failed(c.r, c.err, -EFBIG);
	http_response_done(&c.response);
	call(&c, &server, "/");
	assert_failed(c.r, c.err, -EFBIG);
	assert_contains(c.err.text, "longer than 1000 bytes");
	assert_int_equal(c.response.failure, HTTP_FAILURE_FINAL);
	http_response_done(&c.response);
	call(&c, &server, "/");
	assert_fine(c.r, c.err);
	assert_int_equal(c.response.status, 404);
	assert_int_equal(c.response.body_size, 65536);
	http_response_done(&c.response);
	server_stop(&server);
	server_done(&server);
	free(many);
	free(headers);
	free(body);
	free(refusal);
}

struct log_sink {
	struct http_sink sink;
	struct buf text;
	int begin_result, write_result;
};

static int log_begin(struct http_sink *self, const struct http_response *response,
		     struct error *err)
{
	struct log_sink *log = (struct log_sink *)self;

	buf_printf(&log->text, "<%ld>", response->status);
	return log->begin_result < 0 ? fail(err, log->begin_result, "begin") : 0;
}

static int log_write(struct http_sink *self, const void *data, size_t size, struct error *err)
{
	struct log_sink *log = (struct log_sink *)self;

	buf_add(&log->text, data, size);
	return log->write_result < 0 ? fail(err, log->write_result, "write") : 0;
}

static void test_sink(void **state)
{
	struct server server = {.answers = {OK_HELLO,
					    "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
					    OK_HELLO, OK_HELLO, "HTTP/1.1 204 No Content\r\n\r\n"}};
	static const struct {
		int begin, write, r;
		const char *text;
	} rows[] = {
		{0, 0, 0, "<200>hello"},
		{0, 0, 0, ""}, /* 404: not the content */
		{-EPROTO, 0, -EPROTO, "<200>"},
		{0, -ENOSPC, -ENOSPC, "<200>hello"},
		{0, 0, 0, "<204>"},
	};

	(void)state;
	server_start(&server);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log_sink log = {.sink = {.begin = log_begin, .write = log_write},
				       .begin_result = rows[i].begin,
				       .write_result = rows[i].write};
		struct call c = {.request = {.sink = &log.sink}};

		call(&c, &server, "/");
		assert_int_equal(c.r, rows[i].r);
		assert_string_equal(log.text.data ? log.text.data : "", rows[i].text);
		if (c.r < 0)
			assert_int_equal(c.response.failure, HTTP_FAILURE_FINAL);
		if (i == 1)
			assert_string_equal(c.response.body, "no");
		http_response_done(&c.response);
		buf_done(&log.text);
	}
	server_stop(&server);
	server_done(&server);
}

static void test_header_injection(void **state)
{
	static const char *const headers[] = {"A: b\r\nHost: evil", NULL};
	struct server server = {.answers = {OK_HELLO}};
	struct call c = {.request = {.headers = headers}};
	struct call d = {.request = {.authorization = "x\ny"}};

	(void)state;
	server_start(&server);
	call(&c, &server, "/");
	call(&d, &server, "/");
	server_stop(&server);
	assert_failed(c.r, c.err, -EINVAL);
	assert_failed(d.r, d.err, -EINVAL);
	assert_int_equal(server.count, 0);
	http_response_done(&c.response);
	http_response_done(&d.response);
	server_done(&server);
}

/* Warnings go there. */
static void hear(void (*write)(void *context, const char *line), void *context)
{
	struct error err = ERROR_NONE;

	assert_fine(log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, &err), err);
	log_set_writer(write, context);
}

static void take_note(void *context, const char *text)
{
	buf_add_string(context, text);
}

static void test_again(void **state)
{
	struct server server = {
		.answers = {"HTTP/1.1 503 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
			    "HTTP/1.1 429 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
			    OK_HELLO}};
	struct buf notes = BUF_EMPTY;
	struct http_options options = {.wait = false};
	struct http *http = http_new(&options);
	struct http_response response = {0};
	struct error err = ERROR_NONE;
	struct http_request request = {.body_max = 100};
	char *url;

	(void)state;
	server_start(&server);
	url = xasprintf("http://127.0.0.1:%u/", server.port);
	request.url = url;
	hear(take_note, &notes);
	assert_fine(http_request(http, &request, &response, &err), err);
	log_set_writer(NULL, NULL);
	server_stop(&server);
	assert_int_equal(response.status, 200);
	assert_int_equal(server.count, 3);
	assert_contains(notes.data, "503 Service Unavailable; trying again in 0.0 s");
	http_response_done(&response);
	http_free(http);
	free(url);
	buf_done(&notes);
	server_done(&server);
}

/* Whoever does not want the answer any more need not wait for the next try. */
static void cancel(void *context, const char *text)
{
	assert_contains(text, "trying again in 6");
	atomic_store((atomic_bool *)context, true);
}

static void test_wait_cancelled(void **state)
{
	struct server server = {
		.answers = {"HTTP/1.1 503 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"}};
	atomic_bool cancelled = false;
	struct http_options options = {.wait = false};
	struct http *http = http_new(&options);
	struct http_response response = {0};
	struct error err = ERROR_NONE;
	struct http_request request = {.body_max = 100, .cancelled = &cancelled};
	char *url;

	(void)state;
	server_start(&server);
	url = xasprintf("http://127.0.0.1:%u/", server.port);
	request.url = url;
	hear(cancel, &cancelled);
	assert_failed(http_request(http, &request, &response, &err), err, -ECANCELED);
	log_set_writer(NULL, NULL);
	server_stop(&server);
	http_response_done(&response);
	http_free(http);
	free(url);
	server_done(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),	      cmocka_unit_test(test_range_and_post),
		cmocka_unit_test(test_redirect),      cmocka_unit_test(test_redirects_refused),
		cmocka_unit_test(test_redirect_loop), cmocka_unit_test(test_failures),
		cmocka_unit_test(test_unreachable),   cmocka_unit_test(test_after_failure),
		cmocka_unit_test(test_cancelled),     cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_sink),	      cmocka_unit_test(test_header_injection),
		cmocka_unit_test(test_again),	      cmocka_unit_test(test_wait_cancelled),
	};

	/* A proxy of whoever runs the tests has no place here. */
	setenv("no_proxy", "*", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
