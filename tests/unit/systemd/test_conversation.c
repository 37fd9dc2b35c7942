/* SPDX-License-Identifier: Apache-2.0 */
#include "conversation.h"
#include "fake.h"

#include "../base/unit.h"

#define START                                                                                      \
	"{\"start\": {\"unit\": \"berth-web.scope\", \"properties\": [[\"MemoryMax\", \"t\", "     \
	"9]]}}"
#define STOP "{\"stop\": {\"unit\": \"berth-web.scope\"}}"
#define SET                                                                                        \
	"{\"set\": {\"unit\": \"berth-web.scope\", \"properties\": [[\"CPUWeight\", \"t\", 7]]}}"
#define STARTED "{\"cgroup\":\"" FAKE_CGROUP "\"}"
#define START_CALL                                                                                 \
	"StartTransientUnit 'berth-web.scope' 'fail' [('MemoryMax' <t:9>) ('PIDs' <au:[0]>)] []\n"
#define LIST_CALL  "ListUnitsByNames ['berth-web.scope']\n"
#define GET_CALL   "Get 'org.freedesktop.systemd1.Scope' 'ControlGroup'\n"
#define RESET_CALL "ResetFailedUnit 'berth-web.scope'\n"
#define STOP_CALL  "StopUnit 'berth-web.scope' 'replace'\n"
#define WHOSE_CALL "GetUnitByPID 0\n"

/* Long enough for a machine with much to do, and under valgrind. */
#define TIMEOUT_MS 20000
/* For requests that are to run out of time. */
#define SHORT_MS 300

static struct manager manager_of(const struct world *world, int64_t timeout_ms)
{
	struct manager manager = {.timeout_ms = timeout_ms};

	manager_add_socket(&manager, false, world->path, "private");
	return manager;
}

static void ask_manager(const struct manager *manager, const char *request, const char *expected)
{
	_cleanup_buf_ struct buf answer = BUF_EMPTY;

	conversation_answer(manager, request, strlen(request), &answer);
	if (!strstr(answer.data, expected))
		fail_msg("%s\n   is answered with %s\n   and not with  %s", request, answer.data,
			 expected);
}

/* The answer to @request has @expected in it. */
static void ask(const struct world *world, int64_t timeout_ms, const char *request,
		const char *expected)
{
	struct manager manager = manager_of(world, timeout_ms);

	ask_manager(&manager, request, expected);
	manager_done(&manager);
}

static void test_a_scope_is_started(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0);

	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_string_equal(fake->calls, START_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_a_queued_job_is_waited_for_without_signals(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.after_start = "inactive",
			      .start_is_queued = true,
			      .looks = 2,
			      .after_looks = "active",
			      .result = "done",
			      .no_signals = true};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_string_equal(fake->calls, START_CALL LIST_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_a_job_that_fails_is_told(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.after_start = "failed", .result = "resources"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START,
	    "\"ask systemd to start \\\"berth-web.scope\\\": its start has failed (job: resources, "
	    "unit: failed)");
	fake_end(fake, pid);
}

static void test_a_unit_that_runs_is_somebody_elses(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "active", .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, "a unit of that name is there already (active)");
	assert_string_equal(fake->calls, START_CALL LIST_CALL);
	fake_end(fake, pid);
}

static void test_a_unit_that_has_failed_makes_room(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "failed", .after_start = "active", .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_string_equal(fake->calls,
			    START_CALL LIST_CALL RESET_CALL START_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_a_unit_that_is_going_is_waited_for(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "deactivating",
			      .looks = 2,
			      .after_looks = "",
			      .after_start = "active",
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_string_equal(
		fake->calls,
		START_CALL LIST_CALL START_CALL LIST_CALL START_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_a_unit_that_does_not_go_ends_the_patience(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "deactivating", .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, SHORT_MS, START, "a unit of that name is there still (deactivating)");
	fake_end(fake, pid);
}

static void test_a_call_that_was_lost_is_made_again(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.dropped = "StartTransientUnit",
			      .drops = 2,
			      .after_start = "active",
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_int_equal(fake->connections, 3);
	assert_string_equal(fake->calls, START_CALL START_CALL START_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

/* The manager has done it, and its answer was lost. */
static void test_the_own_unit_is_known_again(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.dropped = "StartTransientUnit",
			      .drops = 1,
			      .done_before_drop = true,
			      .after_start = "active",
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_string_equal(fake->calls, START_CALL START_CALL LIST_CALL WHOSE_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_another_ones_unit_is_not_taken_for_the_own(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.dropped = "StartTransientUnit",
			      .drops = 1,
			      .done_before_drop = true,
			      .after_start = "active",
			      .not_ours = true,
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, "a unit of that name is there already");
	fake_end(fake, pid);
}

static void test_a_connection_that_breaks_in_the_wait_is_made_again(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.dropped = "ListUnitsByNames",
			      .drops = 1,
			      .after_start = "inactive",
			      .start_is_queued = true,
			      .looks = 2,
			      .after_looks = "active",
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START, STARTED);
	assert_int_equal(fake->connections, 2);
	fake_end(fake, pid);
}

static void test_silence_has_an_end(void **state)
{
	static const char *const methods[] = {"StartTransientUnit", "ListUnitsByNames", "Get"};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct fake *fake = fake_new();
		pid_t pid;

		fake->silent = methods[i];
		pid = fake_begin(*state, fake, 0);
		ask(*state, SHORT_MS, START, ": no answer within 300 ms\"");
		assert_contains(fake->calls, methods[i]);
		fake_end(fake, pid);
	}
}

static int call_too_late(struct session *session, void *data, struct error *err)
{
	(void)data;
	while (clock_now_ms() < session->deadline)
		poll(NULL, 0, 1);
	return session_call_unit(session, "ResetFailedUnit", err);
}

static void test_nothing_is_asked_when_the_time_is_over(void **state)
{
	struct manager manager = manager_of(*state, SHORT_MS);
	struct error err = ERROR_NONE;
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0);

	assert_failed(session_run(&manager, FAKE_UNIT, call_too_late, NULL, &err), err, -ETIMEDOUT);
	assert_contains(err.text, "ResetFailedUnit: no answer within 300 ms");
	assert_string_equal(fake->calls, "");
	manager_done(&manager);
	fake_end(fake, pid);
}

static void test_a_job_that_does_not_end_has_an_end(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.after_start = "activating", .result = "done", .no_signals = true};
	pid = fake_begin(*state, fake, 0);
	ask(*state, SHORT_MS, START,
	    "ask systemd to start \\\"berth-web.scope\\\": not done within 300 ms");
	/* It is told that nobody waits any more. */
	while (!strstr(fake->calls, STOP_CALL))
		poll(NULL, 0, 1);
	fake_end(fake, pid);
}

static void test_a_manager_that_is_deaf(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	fake->no_handshake = true;
	pid = fake_begin(*state, fake, 0);
	ask(*state, SHORT_MS, START, "/private: no answer within 300 ms; --cgroup-manager");
	fake_end(fake, pid);
}

static void test_no_manager(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *expected = xasprintf(
		"ask systemd to start \\\"berth-web.scope\\\": systemd does not answer at "
		"unix:path=%s/private: connect: No such file or directory; "
		"--cgroup-manager cgroupfs does without it",
		world->path);
	const int64_t begin = clock_now_ms();
	struct manager nowhere = {.missing = "anywhere", .timeout_ms = TIMEOUT_MS};

	ask(world, TIMEOUT_MS, START, expected);
	/* Nobody is waited for where there is not even a socket. */
	assert_true(clock_now_ms() - begin < TIMEOUT_MS / 6);
	ask_manager(&nowhere, START, "systemd does not answer anywhere; --cgroup-manager cgroupfs");
}

static void test_a_manager_that_has_gone(void **state)
{
	const int64_t begin = clock_now_ms();

	fd_close(fake_listen(*state));
	ask(*state, SHORT_MS, START, "/private: connect: Connection refused; --cgroup-manager");
	assert_true(clock_now_ms() - begin >= SHORT_MS / 6);
}

static void test_a_manager_that_comes_back(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 200);

	ask(*state, TIMEOUT_MS, START, STARTED);
	fake_end(fake, pid);
}

static void test_the_next_place_is_tried(void **state)
{
	struct manager manager = {.timeout_ms = TIMEOUT_MS};
	const struct world *world = *state;
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0);

	manager_add_socket(&manager, false, world->path, "nobody");
	manager_add_socket(&manager, true, world->path, "private");
	ask_manager(&manager, START, STARTED);
	/* On a bus signals have to be asked for. */
	assert_contains(fake->calls, "Hello \n");
	assert_contains(fake->calls, "member='JobRemoved'");
	assert_contains(fake->calls, "Subscribe \n");
	manager_done(&manager);
	fake_end(fake, pid);
}

static void test_a_bus_without_a_manager(void **state)
{
	struct manager manager = {.timeout_ms = TIMEOUT_MS / 10};
	const struct world *world = *state;
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.refused = "Subscribe",
			      .error = SD_BUS_ERROR_SERVICE_UNKNOWN,
			      .error_text = "The name was not provided"};
	pid = fake_begin(*state, fake, 0);
	manager_add_socket(&manager, true, world->path, "private");
	ask_manager(&manager, START, "Subscribe: The name was not provided\"");
	assert_true(fake->connections > 1);
	manager_done(&manager);
	fake_end(fake, pid);
}

static void test_what_systemd_refuses_is_told(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	fake->refused = "StartTransientUnit";
	fake->error = SD_BUS_ERROR_PROPERTY_READ_ONLY;
	fake->error_text = "Cannot set property X, or unknown property.";
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, START,
	    "{\"error\":\"ask systemd to start \\\"berth-web.scope\\\": StartTransientUnit: Cannot "
	    "set property X, or unknown property.\"}");
	assert_int_equal(fake->connections, 1);
	fake_end(fake, pid);
}

static void test_properties_are_changed(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	fake->dropped = "SetUnitProperties";
	fake->drops = 1;
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, SET, "{}");
	assert_string_equal(fake->calls,
			    "SetUnitProperties 'berth-web.scope' true [('CPUWeight' <t:7>)]\n"
			    "SetUnitProperties 'berth-web.scope' true [('CPUWeight' <t:7>)]\n");
	fake_end(fake, pid);
}

static void test_a_process_is_attached(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0);

	ask(*state, TIMEOUT_MS, "{\"attach\": {\"unit\": \"berth-web.scope\", \"pid\": 123}}",
	    "{}");
	ask(*state, TIMEOUT_MS,
	    "{\"attach\": {\"unit\": \"berth-web.scope\", \"pid\": 123, \"subcgroup\": \"/a/b\"}}",
	    "{}");
	assert_string_equal(fake->calls, "AttachProcessesToUnit 'berth-web.scope' '' [123]\n"
					 "AttachProcessesToUnit 'berth-web.scope' '/a/b' [123]\n");
	fake_end(fake, pid);
}

static void test_a_unit_is_stopped(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "active", .after_stop = "", .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, STOP, "{}");
	assert_string_equal(fake->calls, STOP_CALL LIST_CALL);
	/* One that is not there is fine. */
	ask(*state, TIMEOUT_MS, STOP, "{}");
	assert_string_equal(fake->calls, STOP_CALL LIST_CALL STOP_CALL);
	fake_end(fake, pid);
}

static void test_what_a_stop_leaves_is_removed(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid;

	*fake = (struct fake){.active = "active",
			      .after_stop = "deactivating",
			      .looks = 3,
			      .after_looks = "failed",
			      .no_signals = true,
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	ask(*state, TIMEOUT_MS, STOP, "{}");
	assert_string_equal(fake->calls, STOP_CALL LIST_CALL LIST_CALL LIST_CALL RESET_CALL);
	fake_end(fake, pid);
}

static void test_requests_that_are_none(void **state)
{
	static const struct {
		const char *request, *error;
	} rows[] = {
		{"", "request"},
		{"{", "request"},
		{"[]", "neither start, set, attach nor stop"},
		{"{}", "neither start, set, attach nor stop"},
		{"{\"freeze\": {}}", "neither start, set, attach nor stop"},
		{"{\"stop\": {}, \"start\": {}}", "neither start, set, attach nor stop"},
		{"{\"stop\": 1}", "request \\\"stop\\\": no object"},
		{"{\"stop\": {}}", "request \\\"stop\\\": \\\"unit\\\": missing"},
		{"{\"stop\": {\"unit\": 1}}", "\\\"unit\\\": missing, or no string"},
		{"{\"stop\": {\"unit\": \"a.scope\", \"force\": true}}", "not known"},
		{"{\"stop\": {\"unit\": \"a.service\"}}", "stop \\\"a.service\\\": it is no scope"},
		{"{\"stop\": {\"unit\": \".scope\"}}", "it is no scope"},
		{"{\"start\": {\"unit\": \"a.scope\"}}", "\\\"properties\\\": missing"},
		{"{\"set\": {\"unit\": \"a.scope\", \"properties\": {}}}", "or no array"},
		{"{\"start\": {\"unit\": \"a.scope\", \"properties\": [[\"PIDs\", \"au\", [1]]]}}",
		 "\\\"PIDs\\\" is none"},
		{"{\"attach\": {\"unit\": \"a.scope\"}}", "\\\"pid\\\": missing"},
		{"{\"attach\": {\"unit\": \"a.scope\", \"pid\": 0}}", "no number of a process"},
		{"{\"attach\": {\"unit\": \"a.scope\", \"pid\": 4294967296}}", "no number of a"},
		{"{\"attach\": {\"unit\": \"a.scope\", \"pid\": 1, \"subcgroup\": \"a\"}}",
		 "\\\"subcgroup\\\": no absolute path"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ask(*state, SHORT_MS, rows[i].request, rows[i].error);
}

static void test_a_property_is_named_before_anything_is_asked(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0);

	ask(*state, TIMEOUT_MS,
	    "{\"start\": {\"unit\": \"a.scope\", \"properties\": [[\"TasksMax\", \"t\", -1]]}}",
	    "ask systemd to start \\\"a.scope\\\": property \\\"TasksMax\\\": \\\"-1\\\" is no "
	    "whole");
	assert_string_equal(fake->calls, "");
	fake_end(fake, pid);
}

/* Starts a process that answers; *ret_fd is the other end of its socket. */
static pid_t helper_begin(const struct world *world, int *ret_fd)
{
	struct manager manager = manager_of(world, TIMEOUT_MS);
	struct error err = ERROR_NONE;
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd_close(pair[0]);
		_exit(conversation_hold(pair[1], &manager, &err) < 0);
	}
	fd_close(pair[1]);
	manager_done(&manager);
	*ret_fd = pair[0];
	return pid;
}

static void test_a_conversation(void **state)
{
	_cleanup_free_ char *large = xcalloc(1, MESSAGE_MAX + 1);
	struct fake *fake = fake_new();
	pid_t pid = fake_begin(*state, fake, 0), helper;
	int fd, status = -1;

	helper = helper_begin(*state, &fd);
	exchange(fd, START, strlen(START), STARTED);
	exchange(fd, SET, strlen(SET), "{}");
	exchange(fd, large, MESSAGE_MAX + 1, "request: 65537 bytes are too many");
	exchange(fd, STOP, strlen(STOP), "{}");
	fd_close(fd);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_int_equal(status, 0);
	fake_end(fake, pid);
}

static void test_what_was_begun_is_done_when_berth_has_gone(void **state)
{
	struct fake *fake = fake_new();
	pid_t pid, helper;
	int fd, status = -1;

	*fake = (struct fake){.after_start = "inactive",
			      .start_is_queued = true,
			      .looks = 2,
			      .after_looks = "active",
			      .result = "done"};
	pid = fake_begin(*state, fake, 0);
	helper = helper_begin(*state, &fd);
	assert_int_equal(send(fd, START, strlen(START), MSG_NOSIGNAL), strlen(START));
	fd_close(fd);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_int_equal(status, 0);
	assert_contains(fake->calls, LIST_CALL LIST_CALL GET_CALL);
	fake_end(fake, pid);
}

static void test_a_conversation_needs_a_socket(void **state)
{
	struct manager manager = {.timeout_ms = SHORT_MS};
	struct error err = ERROR_NONE;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_failed(conversation_hold(fd, &manager, &err), err, -ENOTSOCK);
	fd_close(fd);
}

static void test_paths_are_written_for_addresses(void **state)
{
	struct manager manager = {.timeout_ms = SHORT_MS};

	(void)state;
	manager_add_socket(&manager, false, "/a,b;c=d%e f", "x_y-z.0");
	assert_string_equal(manager.places[0].address, "unix:path=/a%2cb%3bc%3dd%25e%20f/x_y-z.0");
	manager_done(&manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_scope_is_started),
		world_test(test_a_queued_job_is_waited_for_without_signals),
		world_test(test_a_job_that_fails_is_told),
		world_test(test_a_unit_that_runs_is_somebody_elses),
		world_test(test_a_unit_that_has_failed_makes_room),
		world_test(test_a_unit_that_is_going_is_waited_for),
		world_test(test_a_unit_that_does_not_go_ends_the_patience),
		world_test(test_a_call_that_was_lost_is_made_again),
		world_test(test_the_own_unit_is_known_again),
		world_test(test_another_ones_unit_is_not_taken_for_the_own),
		world_test(test_a_connection_that_breaks_in_the_wait_is_made_again),
		world_test(test_silence_has_an_end),
		world_test(test_nothing_is_asked_when_the_time_is_over),
		world_test(test_a_job_that_does_not_end_has_an_end),
		world_test(test_a_manager_that_is_deaf),
		world_test(test_no_manager),
		world_test(test_a_manager_that_has_gone),
		world_test(test_a_manager_that_comes_back),
		world_test(test_the_next_place_is_tried),
		world_test(test_a_bus_without_a_manager),
		world_test(test_what_systemd_refuses_is_told),
		world_test(test_properties_are_changed),
		world_test(test_a_process_is_attached),
		world_test(test_a_unit_is_stopped),
		world_test(test_what_a_stop_leaves_is_removed),
		world_test(test_requests_that_are_none),
		world_test(test_a_property_is_named_before_anything_is_asked),
		world_test(test_a_conversation),
		world_test(test_what_was_begun_is_done_when_berth_has_gone),
		world_test(test_a_conversation_needs_a_socket),
		cmocka_unit_test(test_paths_are_written_for_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
