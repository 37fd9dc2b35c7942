/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are towards a registry: what is sent, when, how often, and what never. A thread is the
 * token server; the registry's own answers are made here. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "registry/auth.h"
#include "registry/token.h"

#include "../base/unit.h"

#define REQUESTS_MAX 16
#define THREADS	     8

/* Everything of one test. */
struct lab {
	/* The token server: its answers, the last one again and again; "%zu" is the request's
	 * number. */
	const char *answers[4];
	unsigned status;
	const char *location; /* with a status of 3xx */
	/* What it was asked. */
	char *requests[REQUESTS_MAX];
	size_t count;
	int fd, stop[2];
	pthread_t thread;
	/* The client. */
	struct http *http;
	struct credentials_places places;
	struct auth_registry registry;
	struct auth *auth;
	struct error err;
	char *base, *challenge;
};

static bool wait_readable(struct lab *lab, int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
			       {.fd = lab->stop[0], .events = POLLIN}};

	return poll(fds, 2, -1) > 0 && !fds[1].revents;
}

/* A request with its body, which curl sends in one piece with these sizes or soon after. */
static char *read_request(struct lab *lab, int fd)
{
	struct buf text = BUF_EMPTY;
	char part[4096];
	ssize_t n;

	while ((!text.data || !strstr(text.data, "\r\n\r\n") ||
		(str_starts(text.data, "POST") && !strstr(text.data, "refresh_token="))) &&
	       wait_readable(lab, fd) && (n = recv(fd, part, sizeof(part), 0)) > 0)
		buf_add(&text, part, (size_t)n);
	return buf_take(&text);
}

static void reply(struct lab *lab, int fd)
{
	size_t last = 0;
	struct buf head = BUF_EMPTY, body = BUF_EMPTY;

	while (last + 1 < ARRAY_SIZE(lab->answers) && lab->answers[last + 1] &&
	       last + 1 < lab->count)
		last++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(&body, lab->answers[last], lab->count);
#pragma GCC diagnostic pop
	buf_printf(&head, "HTTP/1.1 %u x\r\nConnection: close\r\nContent-Length: %zu\r\n%s%s\r\n",
		   lab->status ? lab->status : 200, body.size, lab->location ? "Location: " : "",
		   lab->location ? lab->location : "");
	buf_add_string(&head, lab->location ? "\r\n" : "");
	buf_add(&head, body.data, body.size);
	send(fd, head.data, head.size, MSG_NOSIGNAL);
	buf_done(&head);
	buf_done(&body);
}

static void *serve(void *argument)
{
	struct lab *lab = argument;

	while (wait_readable(lab, lab->fd) && lab->count < REQUESTS_MAX) {
		int fd = accept4(lab->fd, NULL, NULL, SOCK_CLOEXEC);

		lab->requests[lab->count++] = read_request(lab, fd);
		reply(lab, fd);
		close(fd);
	}
	return NULL;
}

static void begin(struct lab *lab)
{
	static const struct http_options options = {0};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	lab->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(pipe2(lab->stop, O_CLOEXEC), 0);
	assert_int_equal(bind(lab->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(lab->fd, 8), 0);
	assert_int_equal(getsockname(lab->fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(pthread_create(&lab->thread, NULL, serve, lab), 0);
	lab->base = xasprintf("http://127.0.0.1:%u", ntohs(address.sin_port));
	lab->challenge =
		xasprintf("www-authenticate: Bearer realm=\"%s/token\",service=\"s\"", lab->base);
	lab->http = http_new(&options);
	lab->registry = (struct auth_registry){
		.base = lab->base, .domain = "e.com", .repository = "a/b", .is_own = true};
	lab->auth = auth_new(lab->http, &lab->places, &lab->registry);
}

static void end(struct lab *lab)
{
	auth_free(lab->auth);
	http_free(lab->http);
	close(lab->stop[1]);
	pthread_join(lab->thread, NULL);
	close(lab->stop[0]);
	close(lab->fd);
	free(lab->base);
	free(lab->challenge);
	for (size_t i = 0; i < lab->count; i++)
		free(lab->requests[i]);
}

/* The registry at @base answers 401 with the header line @line ("name: value"; NULL: none). */
static int challenge(struct lab *lab, const char *base, const char *line, struct auth_try *attempt)
{
	struct http_response response = {.status = 401};
	int r;

	response.url = xasprintf("%s/v2/a/b/manifests/latest", base);
	if (line)
		strv_add(&response.headers, line);
	lab->err = (struct error)ERROR_NONE;
	r = auth_challenged(lab->auth, &response, attempt, &lab->err);
	http_response_done(&response);
	assert_null(strstr(lab->err.text, "secret"));
	return r;
}

static void prepare(struct lab *lab, struct auth_try *attempt)
{
	assert_fine(auth_prepare(lab->auth, attempt, &lab->err), lab->err);
}

static void test_anonymous(void **state)
{
	struct lab lab = {.answers = {"{\"token\":\"t%zu\",\"expires_in\":300}"}};
	struct auth_try first = {0}, second = {0};

	(void)state;
	begin(&lab);
	prepare(&lab, &first);
	assert_null(first.authorization);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &first), lab.err);
	assert_string_equal(first.authorization, "Bearer t1");
	prepare(&lab, &second);
	assert_string_equal(second.authorization, "Bearer t1");
	/* The token is new: there is no point in another one. */
	assert_int_equal(challenge(&lab, lab.base, lab.challenge, &first), -ENOKEY);
	assert_contains(lab.err.text, "e.com/a/b does not exist, or needs a login");
	assert_int_equal(lab.count, 1);
	assert_contains(lab.requests[0],
			"GET /token?service=s&scope=repository:a/b:pull HTTP/1.1\r\n");
	assert_null(strstr(lab.requests[0], "Authorization"));
	/* What was sent with that token, and is refused only now, gets a new one. */
	assert_fine(challenge(&lab, lab.base, lab.challenge, &second), lab.err);
	assert_string_equal(second.authorization, "Bearer t2");
	auth_try_done(&first);
	auth_try_done(&second);
	end(&lab);
}

static void test_credentials(void **state)
{
	struct lab lab = {.answers = {"{\"access_token\":\"t%zu\"}"},
			  .places = {.creds = "alice:secret"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	assert_contains(lab.requests[0], "&account=alice HTTP/1.1\r\n");
	assert_contains(lab.requests[0], "Authorization: Basic YWxpY2U6c2VjcmV0\r\n");
	assert_int_equal(challenge(&lab, lab.base, lab.challenge, &attempt), -EACCES);
	assert_int_equal(lab.count, 1);
	auth_try_done(&attempt);
	end(&lab);
}

/* Nobody becomes anonymous because his password is wrong. */
static void test_wrong_credentials(void **state)
{
	struct lab lab = {.answers = {"{}"}, .status = 401, .places = {.creds = "alice:secret"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	for (size_t i = 1; i <= 2; i++) {
		attempt.renewed = false;
		assert_int_equal(challenge(&lab, lab.base, lab.challenge, &attempt), -EKEYREJECTED);
		assert_contains(lab.err.text, "those of --creds");
		assert_null(attempt.authorization);
		assert_int_equal(lab.count, i);
		assert_contains(lab.requests[i - 1], "Authorization: Basic YWxpY2U6c2VjcmV0\r\n");
	}
	end(&lab);
}

static void test_login_wanted(void **state)
{
	struct lab lab = {.answers = {"{}"}, .status = 401, .places = {.home = "/nonexistent"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	assert_int_equal(challenge(&lab, lab.base, lab.challenge, &attempt), -ENOKEY);
	end(&lab);
}

static void test_scope(void **state)
{
	struct lab lab = {.answers = {"{\"token\":\"t%zu\"}"}};
	_cleanup_free_ char *line = NULL;
	struct auth_try attempt = {0}, other = {0};

	(void)state;
	begin(&lab);
	line = xasprintf("%s,error=\"insufficient_scope\",scope=\"repository:a/b:pull,x r:c:pull\"",
			 lab.challenge);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	assert_fine(challenge(&lab, lab.base, line, &attempt), lab.err);
	assert_string_equal(attempt.authorization, "Bearer t2");
	assert_contains(lab.requests[1], "&scope=repository:a/b:pull,x&scope=r:c:pull ");
	assert_int_equal(challenge(&lab, lab.base, line, &attempt), -ENOKEY);
	/* A registry that always names another one does not keep us busy. */
	free(line);
	line = xasprintf("%s,error=\"insufficient_scope\",scope=\"y\"", lab.challenge);
	assert_int_equal(challenge(&lab, lab.base, line, &attempt), -ENOKEY);
	assert_int_equal(lab.count, 2);
	prepare(&lab, &other);
	assert_string_equal(other.authorization, "Bearer t2");
	auth_try_done(&attempt);
	auth_try_done(&other);
	end(&lab);
}

/* 10 seconds before its end a token is renewed; 60 seconds is what holds by itself. */
static void test_expiry(void **state)
{
	struct lab lab = {.answers = {"{\"token\":\"t%zu\",\"expires_in\":9}",
				      "{\"token\":\"t%zu\",\"expires_in\":8}",
				      "{\"token\":\"t%zu\"}"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	for (size_t i = 2; i <= 5; i++) {
		prepare(&lab, &attempt);
		assert_int_equal(lab.count, i < 3 ? i : 3);
	}
	assert_string_equal(attempt.authorization, "Bearer t3");
	auth_try_done(&attempt);
	end(&lab);
}

static void *challenged_thread(void *argument)
{
	struct lab *lab = argument;
	struct auth_try attempt = {.authorization = xstrdup("Bearer old")};
	struct http_response response = {.status = 401};
	struct error err = ERROR_NONE;
	intptr_t r;

	response.url = xasprintf("%s/v2/a/b/blobs/x", lab->base);
	strv_add(&response.headers, lab->challenge);
	r = auth_challenged(lab->auth, &response, &attempt, &err);
	if (r >= 0)
		r = str_equal(attempt.authorization, "Bearer t1") ? 0 : -1;
	auth_try_done(&attempt);
	http_response_done(&response);
	return (void *)r;
}

/* All are refused at once: one renews, for all. */
static void test_threads(void **state)
{
	struct lab lab = {.answers = {"{\"token\":\"t%zu\"}"}};
	pthread_t threads[THREADS];

	(void)state;
	begin(&lab);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, challenged_thread, &lab), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *result = NULL;

		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_int_equal(lab.count, 1);
	end(&lab);
}

/* Whoever is behind a redirect asks for nothing (CVE-2020-15157). */
static void test_other_origin(void **state)
{
	static const char *const others[] = {"http://127.0.0.2:80", "https://127.0.0.1:1",
					     "http://127.0.0.1:1"};
	struct lab lab = {.answers = {"{\"token\":\"t\"}"}, .places = {.creds = "alice:secret"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(challenge(&lab, others[i], lab.challenge, &attempt), -EACCES);
		assert_null(attempt.authorization);
	}
	assert_int_equal(lab.count, 0);
	end(&lab);
}

static void test_realms(void **state)
{
	static const char *const realms[] = {
		"http://169.254.169.254/token",
		"http://localhost:%u/token",
		"http://127.0.0.2:%u/token",
		"http://[::1]:%u/token",
		"http://2852039166:%u/token",
		"http://u:p@127.0.0.1:%u/token",
		"http://127.0.0.1:%u/a b",
		"http://127.0.0.1:%u/#x",
		"ftp://127.0.0.1/token",
		"file:///etc/passwd",
		"/token",
		"127.0.0.1/token",
		"http://127.0.0.1\\@e.com/",
		"http://\xef\xbc\x91.2.3.4/",
	};
	struct lab lab = {.answers = {"{\"token\":\"t\"}"}, .places = {.creds = "alice:secret"}};
	struct auth_try attempt = {0};
	unsigned port;

	(void)state;
	begin(&lab);
	assert_int_equal(str_to_u32(strrchr(lab.base, ':') + 1, &port), 0);
	for (size_t i = 0; i < ARRAY_SIZE(realms); i++) {
		_cleanup_buf_ struct buf line = BUF_EMPTY;

		buf_add_string(&line, "www-authenticate: Bearer realm=\"");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		buf_printf(&line, realms[i], port);
#pragma GCC diagnostic pop
		buf_add_char(&line, '"');
		attempt.renewed = false;
		if (challenge(&lab, lab.base, line.data, &attempt) >= 0)
			fail_msg("accepted: %s", realms[i]);
	}
	assert_int_equal(lab.count, 0);
	end(&lab);
}

static void test_basic(void **state)
{
	struct lab lab = {.places = {.home = "/nonexistent"}};
	struct auth_try attempt = {0}, next = {0};

	(void)state;
	begin(&lab);
	assert_int_equal(challenge(&lab, lab.base, "www-authenticate: Basic realm=x", &attempt),
			 -ENOKEY);
	end(&lab);
	lab = (struct lab){.places = {.creds = "alice:secret"}};
	attempt = (struct auth_try){0};
	begin(&lab);
	assert_fine(challenge(&lab, lab.base, "www-authenticate: Basic realm=x", &attempt),
		    lab.err);
	assert_string_equal(attempt.authorization, "Basic YWxpY2U6c2VjcmV0");
	prepare(&lab, &next);
	assert_string_equal(next.authorization, "Basic YWxpY2U6c2VjcmV0");
	assert_int_equal(challenge(&lab, lab.base, "www-authenticate: Basic realm=x", &attempt),
			 -EKEYREJECTED);
	assert_int_equal(lab.count, 0);
	auth_try_done(&attempt);
	auth_try_done(&next);
	end(&lab);
}

static void test_tokens_of_files(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/auth.json", world->path);
	struct lab lab = {.answers = {"{\"token\":\"t\"}"}, .places = {.authfile = path}};
	struct auth_try attempt = {0};

	put_file(world, "auth.json", "{\"auths\":{\"e.com\":{\"identitytoken\":\"i+secret\"}}}");
	begin(&lab);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	assert_contains(lab.requests[0], "POST /token HTTP/1.1\r\n");
	assert_contains(lab.requests[0], "\r\n\r\ngrant_type=refresh_token&service=s&client_id="
					 "berth-pull&scope=repository:a/b:pull&"
					 "refresh_token=i%2Bsecret");
	assert_null(strstr(lab.requests[0], "Authorization"));
	auth_try_done(&attempt);
	end(&lab);
	lab = (struct lab){.places = {.authfile = path}};
	put_file(world, "auth.json", "{\"auths\":{\"e.com\":{\"registrytoken\":\"r-secret\"}}}");
	begin(&lab);
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	assert_string_equal(attempt.authorization, "Bearer r-secret");
	assert_int_equal(challenge(&lab, lab.base, lab.challenge, &attempt), -EKEYREJECTED);
	auth_try_done(&attempt);
	end(&lab);
}

/* A token server that sends us on would get the credentials elsewhere. */
static void test_redirect(void **state)
{
	struct lab lab = {.answers = {"{\"token\":\"t\"}"},
			  .status = 307,
			  .location = "/elsewhere",
			  .places = {.creds = "alice:secret"}};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	assert_true(challenge(&lab, lab.base, lab.challenge, &attempt) < 0);
	assert_contains(lab.err.text, "redirect");
	assert_int_equal(lab.count, 1);
	end(&lab);
}

static void test_large_answer(void **state)
{
	_cleanup_free_ char *text = xcalloc(1, TOKEN_ANSWER_MAX + 2);
	struct lab lab = {.answers = {text}};
	struct auth_try attempt = {0};

	(void)state;
	memset(text, ' ', TOKEN_ANSWER_MAX + 1);
	memcpy(text, "{\"token\":\"t\"}", 13);
	begin(&lab);
	assert_int_equal(challenge(&lab, lab.base, lab.challenge, &attempt), -EIO);
	assert_contains(lab.err.text, "token server");
	text[TOKEN_ANSWER_MAX] = '\0';
	attempt.renewed = false;
	assert_fine(challenge(&lab, lab.base, lab.challenge, &attempt), lab.err);
	auth_try_done(&attempt);
	end(&lab);
}

/* Some registries say what they want only at their version endpoint. */
static void test_no_challenge(void **state)
{
	struct lab lab = {.answers = {"{}"}, .status = 401};
	struct auth_try attempt = {0};

	(void)state;
	begin(&lab);
	assert_int_equal(challenge(&lab, lab.base, NULL, &attempt), -EACCES);
	assert_contains(lab.requests[0], "GET /v2/ HTTP/1.1\r\n");
	assert_int_equal(challenge(&lab, lab.base, "www-authenticate: Negotiate", &attempt),
			 -ENOKEY);
	attempt.renewed = false;
	assert_int_equal(challenge(&lab, lab.base, "www-authenticate: Negotiate", &attempt),
			 -EACCES);
	assert_contains(lab.err.text, "\"negotiate\"");
	end(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_wrong_credentials),
		cmocka_unit_test(test_login_wanted),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_other_origin),
		cmocka_unit_test(test_realms),
		cmocka_unit_test(test_basic),
		world_test(test_tokens_of_files),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_large_answer),
		cmocka_unit_test(test_no_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
