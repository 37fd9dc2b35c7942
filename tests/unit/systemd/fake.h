/* SPDX-License-Identifier: Apache-2.0 */
/* A manager that knows one unit, in a process of its own, which can be told to behave badly. */
#ifndef BERTH_TESTS_SYSTEMD_FAKE_H
#define BERTH_TESTS_SYSTEMD_FAKE_H

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include "berth/base/clock.h"

#include "message.h"

#define FAKE_PATH      "/org/freedesktop/systemd1"
#define FAKE_INTERFACE "org.freedesktop.systemd1.Manager"
#define FAKE_UNIT      "berth-web.scope"
#define FAKE_UNIT_PATH FAKE_PATH "/unit/berth_2dweb_2escope"
#define FAKE_CGROUP    "/system.slice/berth-web.scope"

/* Shared with the test: how to behave, and what has happened. Set it up before fake_begin(). */
struct fake {
	/* the unit: "" where there is none, and what it will be, or the next in the list */
	char active[16];
	char after_start[16], after_stop[16], after_looks[16];
	int looks; /* so many times ListUnitsByNames has been called before after_looks comes */
	bool start_is_queued; /* a start job is there until then */
	bool not_ours;	      /* GetUnitByPID names another unit */
	const char *result;   /* of jobs */
	bool no_signals, no_handshake;
	/* what is special about one method: */
	const char *silent, *refused, *dropped; /* its name */
	const char *error, *error_text;		/* of the refused one */
	int drops;				/* how many times */
	bool done_before_drop;
	/* what has happened: */
	int connections;
	char calls[4096]; /* "Method arguments\n"… */
	size_t length;
};

struct fake_server {
	struct fake *fake;
	sd_bus *bus;
	bool drop;
};

static inline void fake_signal(struct fake_server *server, const char *member)
{
	if (server->fake->no_signals)
		return;
	if (str_equal(member, "JobRemoved"))
		sd_bus_emit_signal(server->bus, FAKE_PATH, FAKE_INTERFACE, member, "uoss", 1,
				   FAKE_PATH "/job/1", FAKE_UNIT, server->fake->result);
	else
		sd_bus_emit_signal(server->bus, FAKE_PATH, FAKE_INTERFACE, member, "so", FAKE_UNIT,
				   FAKE_UNIT_PATH);
}

static inline int fake_job(struct fake_server *server, sd_bus_message *call, const char *after)
{
	snprintf(server->fake->active, sizeof(server->fake->active), "%s", after);
	if (!server->drop)
		sd_bus_reply_method_return(call, "o", FAKE_PATH "/job/1");
	if (!server->drop && !server->fake->start_is_queued)
		fake_signal(server, "JobRemoved");
	return 1;
}

static inline int fake_no_unit(sd_bus_message *call)
{
	return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchUnit",
					  "Unit %s not loaded.", FAKE_UNIT);
}

static inline int fake_start(struct fake_server *server, sd_bus_message *call)
{
	if (server->fake->active[0])
		return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.UnitExists",
						  "Unit %s already exists.", FAKE_UNIT);
	return fake_job(server, call, server->fake->after_start);
}

static inline int fake_stop(struct fake_server *server, sd_bus_message *call)
{
	return server->fake->active[0] ? fake_job(server, call, server->fake->after_stop)
				       : fake_no_unit(call);
}

static inline int fake_reset(struct fake_server *server, sd_bus_message *call)
{
	if (!server->fake->active[0])
		return fake_no_unit(call);
	server->fake->active[0] = '\0';
	sd_bus_reply_method_return(call, NULL);
	fake_signal(server, "UnitRemoved");
	return 1;
}

static inline int fake_list(struct fake_server *server, sd_bus_message *call)
{
	struct fake *fake = server->fake;
	const bool queued = fake->start_is_queued;

	if (fake->looks > 0 && --fake->looks == 0) {
		snprintf(fake->active, sizeof(fake->active), "%s", fake->after_looks);
		fake->start_is_queued = false;
	}
	return sd_bus_reply_method_return(
		call, "a(ssssssouso)", 1, FAKE_UNIT, "", fake->active[0] ? "loaded" : "not-found",
		fake->active[0] ? fake->active : "inactive", "dead", "", FAKE_UNIT_PATH, queued,
		queued ? "start" : "", queued ? FAKE_PATH "/job/1" : "/");
}

static inline int fake_whose(struct fake_server *server, sd_bus_message *call)
{
	return sd_bus_reply_method_return(
		call, "o", server->fake->not_ours ? FAKE_PATH "/unit/x" : FAKE_UNIT_PATH);
}

static inline int fake_get(struct fake_server *server, sd_bus_message *call)
{
	(void)server;
	return sd_bus_reply_method_return(call, "v", "s", FAKE_CGROUP);
}

static inline int fake_hello(struct fake_server *server, sd_bus_message *call)
{
	(void)server;
	return sd_bus_reply_method_return(call, "s", ":1.1");
}

static inline int fake_nothing(struct fake_server *server, sd_bus_message *call)
{
	(void)server;
	return sd_bus_reply_method_return(call, NULL);
}

static const struct {
	const char *member;
	int (*answer)(struct fake_server *server, sd_bus_message *call);
} fake_methods[] = {
	{"StartTransientUnit", fake_start},
	{"StopUnit", fake_stop},
	{"ResetFailedUnit", fake_reset},
	{"ListUnitsByNames", fake_list},
	{"GetUnitByPID", fake_whose},
	{"Get", fake_get},
	{"Hello", fake_hello},
	{"AddMatch", fake_nothing},
	{"Subscribe", fake_nothing},
	{"SetUnitProperties", fake_nothing},
	{"AttachProcessesToUnit", fake_nothing},
};

static inline void fake_record(struct fake *fake, sd_bus_message *call)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	describe(call, &text);
	fake->length += (size_t)snprintf(
		fake->calls + fake->length, sizeof(fake->calls) - fake->length, "%s %s\n",
		sd_bus_message_get_member(call), text.data ? text.data : "");
}

static inline bool fake_is(const char *name, const char *member)
{
	return name && str_equal(name, member);
}

static inline int fake_on_message(sd_bus_message *call, void *data, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(call);
	struct fake_server *server = data;
	struct fake *fake = server->fake;

	(void)error;
	if (!member || !sd_bus_message_is_method_call(call, NULL, NULL))
		return 0;
	fake_record(fake, call);
	if (fake_is(fake->silent, member))
		return 1;
	if (fake_is(fake->refused, member))
		return sd_bus_reply_method_errorf(call, fake->error, "%s", fake->error_text);
	server->drop = fake_is(fake->dropped, member) && fake->drops-- > 0;
	if (server->drop && !fake->done_before_drop)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(fake_methods); i++) {
		if (str_equal(fake_methods[i].member, member))
			return fake_methods[i].answer(server, call);
	}
	return 0;
}

static inline void fake_talk(struct fake *fake, int fd)
{
	struct fake_server server = {.fake = fake};
	sd_id128_t id = SD_ID128_NULL;
	int r = 0;

	id.bytes[0] = 1;
	if (sd_bus_new(&server.bus) < 0 || sd_bus_set_fd(server.bus, fd, fd) < 0 ||
	    sd_bus_set_server(server.bus, 1, id) < 0 || sd_bus_set_anonymous(server.bus, 1) < 0 ||
	    sd_bus_add_filter(server.bus, NULL, fake_on_message, &server) < 0 ||
	    sd_bus_start(server.bus) < 0)
		_exit(1);
	while (r >= 0 && !server.drop) {
		r = sd_bus_process(server.bus, NULL);
		if (r == 0)
			r = sd_bus_wait(server.bus, UINT64_MAX);
	}
	sd_bus_close_unref(server.bus);
}

static inline int fake_listen(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/private", world->path);
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline struct fake *fake_new(void)
{
	struct fake *fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(fake != MAP_FAILED);
	*fake = (struct fake){.after_start = "active", .result = "done"};
	return fake;
}

/* It listens @delay_ms after it was begun; the socket's file is there at once. */
static inline pid_t fake_begin(const struct world *world, struct fake *fake, int delay_ms)
{
	int listener = fake_listen(world);
	pid_t pid;

	if (delay_ms == 0)
		assert_int_equal(listen(listener, 8), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		fd_close(listener);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	poll(NULL, 0, delay_ms);
	listen(listener, 8);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			_exit(1);
		fake->connections++;
		while (fake->no_handshake)
			pause();
		fake_talk(fake, fd);
	}
}

static inline void fake_end(struct fake *fake, pid_t pid)
{
	child_end(pid);
	munmap(fake, sizeof(*fake));
}

/* Sends a request to a helper, whose answer has @expected in it. */
static inline void exchange(int fd, const char *request, size_t size, const char *expected)
{
	char answer[1024];
	ssize_t length;

	assert_int_equal(send(fd, request, size, MSG_NOSIGNAL), size);
	length = recv(fd, answer, sizeof(answer) - 1, 0);
	assert_true(length > 0);
	answer[length] = '\0';
	assert_contains(answer, expected);
}

#endif
