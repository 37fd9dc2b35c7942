/* SPDX-License-Identifier: Apache-2.0 */
/* berth-systemd: the helper that talks to systemd on behalf of berth. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/options.h"
#include "berth/base/version.h"

#include "conversation.h"

#define TIMEOUT_MS 30000

struct values {
	bool user, version;
	const char *address, *timeout;
};

static const struct option options[] = {
	{"user", 0, OPTION_FLAG, offsetof(struct values, user), NULL,
	 "talk to the user's manager, not the system's"},
	{"timeout", 0, OPTION_TEXT, offsetof(struct values, timeout), "TIME",
	 "longest time of a request (default: 30s)"},
	{"address", 0, OPTION_TEXT, offsetof(struct values, address), "ADDRESS",
	 "talk to the manager at this address of D-Bus, for tests"},
	{"version", 'v', OPTION_FLAG, offsetof(struct values, version), NULL, "print the version"},
};

/*
 * A manager is reached at a socket of its own, which works where no bus runs and gives more answers
 * a second; the buses come after it.
 */
static void find_user(struct manager *manager)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	const char *bus = getenv("DBUS_SESSION_BUS_ADDRESS");

	if (directory && directory[0] == '/')
		manager_add_socket(manager, false, directory, "systemd/private");
	if (bus && bus[0])
		manager_add(manager, true, bus);
	else if (directory && directory[0] == '/')
		manager_add_socket(manager, true, directory, "bus");
	manager->missing = "for this user: neither XDG_RUNTIME_DIR nor DBUS_SESSION_BUS_ADDRESS is "
			   "set";
}

static void find_system(struct manager *manager)
{
	const char *bus = getenv("DBUS_SYSTEM_BUS_ADDRESS");

	/* It is root's alone. */
	if (geteuid() == 0)
		manager_add(manager, false, "unix:path=/run/systemd/private");
	manager_add(manager, true, bus && bus[0] ? bus : "unix:path=/run/dbus/system_bus_socket");
}

static int serve(const struct values *values, struct error *err)
{
	struct manager manager = {.timeout_ms = TIMEOUT_MS};
	int r;

	if (values->timeout && (str_to_ms(values->timeout, &manager.timeout_ms) < 0 ||
				manager.timeout_ms <= 0 || manager.timeout_ms > INT32_MAX))
		return refuse(err, "--timeout: \"%s\" is no time", values->timeout);
	if (values->address)
		manager_add(&manager, false, values->address);
	else if (values->user)
		find_user(&manager);
	else
		find_system(&manager);
	r = conversation_hold(STDIN_FILENO, &manager, err);
	manager_done(&manager);
	/* The one mistake that people make. */
	if (r == -ENOTSOCK)
		return refuse(err, "it is run by berth, with a socket as standard input");
	return r;
}

static int print_help(struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	buf_add_string(&text, "berth-systemd: what berth asks of systemd, for containers with "
			      "--systemd-cgroup\n\nUsage: berth-systemd [OPTION]…\n\n"
			      "It is run by berth, with a socket as standard input.\n\nOptions:\n");
	options_help(options, ARRAY_SIZE(options), &text);
	return print_out(text.data, err);
}

static int act(char *const *argv, struct error *err)
{
	struct values values = {.user = false};
	bool help = false;
	int r = options_parse(options, ARRAY_SIZE(options), argv + 1, &values, &help, err);

	if (r < 0)
		return r;
	if (help)
		return print_help(err);
	if (argv[1 + r])
		return refuse(err, "unexpected argument \"%s\"", argv[1 + r]);
	if (values.version)
		return print_out(
			"berth-systemd version " BERTH_VERSION "\ncommit: " BERTH_COMMIT "\n", err);
	return serve(&values, err);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_NONE;
	int r;

	(void)argc;
	log_set_name("berth-systemd");
	/*
	 * When berth is killed its end of the socket is closed, and that is when this ends: not
	 * while a scope is being made. One that systemd makes for a process that has died stays for
	 * ever.
	 */
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		r = fail(&err, -errno, "ask not to be killed with berth");
	else
		r = act(argv, &err);
	if (r < 0)
		log_error(&err);
	return r < 0 ? 1 : 0;
}
