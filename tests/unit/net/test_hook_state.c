/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "../base/unit.h"

#define BEGIN "{'ociVersion':'1.2.0','id':'a','status':'created','pid':17,'bundle':'/b'"

/* Reads a document in which ' stands for ", through a pipe. */
static int read_text(struct arena *arena, const char *text, struct hook_state *ret,
		     struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	int ends[2], r;
	pid_t writer;

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	/* A pipe has less room than a document that is too large. */
	writer = fork();
	if (writer == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		ignore(fd_write_all(ends[1], copy, strlen(copy)));
		_exit(0);
	}
	close(ends[1]);
	r = hook_state_read(ends[0], arena, ret, err);
	close(ends[0]);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	return r;
}

static void a_state_is_read(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct hook_state read;

	(void)state;
	assert_fine(read_text(arena,
			      BEGIN
			      ",'root':'/r','annotations':{'org.berth.net.network':'bridge:n',"
			      "'other':'x','org.berth.net.publish':'80:80,81:81/udp',"
			      "'org.berth.net.ip':'10.0.0.2','org.berth.net.names':'a,,b',"
			      "'org.berth.network':'y','org.berth.net.dns':''}}",
			      &read, &err),
		    err);
	assert_string_equal(read.id, "a");
	assert_string_equal(read.status, "created");
	assert_string_equal(read.bundle, "/b");
	assert_int_equal(read.pid, 17);
	assert_string_equal(read.options.network, "bridge:n");
	assert_int_equal(read.options.publish.count, 2);
	assert_string_equal(read.options.publish.items[1], "81:81/udp");
	assert_null(read.options.publish.items[2]);
	assert_int_equal(read.options.ip.count, 1);
	/* What is empty is there to be refused. */
	assert_int_equal(read.options.names.count, 3);
	assert_string_equal(read.options.names.items[1], "");
	assert_int_equal(read.options.dns.count, 1);
	assert_null(read.options.mac);
}

static void a_container_that_is_gone_has_no_pid(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct hook_state read;

	(void)state;
	assert_fine(
		read_text(arena,
			  "{'ociVersion':'1.0.2-dev','id':'a','status':'stopped','bundle':'/b'}",
			  &read, &err),
		err);
	assert_int_equal(read.pid, 0);
}

static void what_is_no_state_is_refused(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"", "without --id"},
		{"{", "standard input"},
		{"[]", "is an array"},
		{"{}", "\"ociVersion\" is missing"},
		{"{'ociVersion':1}", "\"ociVersion\" is a number"},
		{"{'ociVersion':'1.0.0','id':'../a','status':'created','bundle':'/b'}", "../a"},
		{"{'ociVersion':'1.0.0','id':'a','status':'creatd','bundle':'/b'}", "creatd"},
		{"{'ociVersion':'1.0.0','id':'a','status':'created'}", "\"bundle\" is missing"},
		{"{'ociVersion':'1.0.0','id':'a','status':'created','bundle':'b'}", "not absolute"},
		{"{'ociVersion':'1.0.0','id':'a','status':'created','bundle':'/b','pid':-1}",
		 "\"pid\""},
		{"{'ociVersion':'1.0.0','id':'a','status':'created','bundle':'/b','pid':'1'}",
		 "\"pid\""},
		{"{'ociVersion':'1.0.0','id':'a','status':'created','bundle':'/"
		 "b','pid':2147483648}",
		 "\"pid\""},
		{BEGIN ",'annotations':[]}", "\"annotations\" is an array"},
		{BEGIN ",'annotations':{'org.berth.net.foo':'x'}}", "\"org.berth.net.foo\""},
		{BEGIN ",'annotations':{'org.berth.net.':'x'}}", "\"org.berth.net.\""},
		{BEGIN ",'annotations':{'org.berth.net.mac':7}}", "is a number, not a string"},
		{BEGIN ",'annotations':{'org.berth.net.mac':'a\\u0000b'}}", "standard input"},
		{BEGIN ",'annotations':{'org.berth.net.mac':'a','org.berth.net.mac':'b'}}",
		 "standard input"},
		{BEGIN "}x", "standard input"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct hook_state read;

		if (read_text(arena, rows[i].json, &read, &err) >= 0)
			fail_msg("%s was taken", rows[i].json);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].json, err.text);
	}
}

static void a_state_has_a_mebibyte_at_most(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = xcalloc(1, (1u << 20) + 2);
	struct error err = ERROR_NONE;
	struct hook_state read;

	(void)state;
	memset(text, ' ', (1u << 20) + 1);
	assert_failed(read_text(arena, text, &read, &err), err, -EFBIG);
	memcpy(text, "{}", 2);
	text[1u << 20] = '\0';
	assert_failed(read_text(arena, text, &read, &err), err, -EINVAL);
	assert_contains(err.text, "ociVersion");
	assert_failed(hook_state_read(-1, arena, &read, &err), err, -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_read),
		cmocka_unit_test(a_container_that_is_gone_has_no_pid),
		cmocka_unit_test(what_is_no_state_is_refused),
		cmocka_unit_test(a_state_has_a_mebibyte_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
