/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy of sd_notify(3): a service manager that started berth waits to hear that the service in
 * the container is ready.
 *
 * Theory of operation. The manager's socket must not be reachable from the container: whoever may
 * write to it may say anything of the service, its main process included. So berth has a socket of
 * its own, in a directory of the state that is mounted read-only at /run/notify. Of what arrives
 * there "READY=1" alone is passed on, with words of berth's own: which process the service is,
 * where berth does not stay, and a barrier, so that the manager has read all that before its sender
 * is gone. A container that ends without having said it ends the wait too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/unix_socket.h"

#include "container-internal.h"
#include "sockets-internal.h"

#define DIRECTORY    "notify"
#define SOCKET_NAME  "notify.sock"
#define IN_CONTAINER "/run/notify"
#define MESSAGE_MAX  4096
#define BARRIER_MS   30000
#define MESSAGES_MAX 64

/* The list @env with one more variable; what it says of NOTIFY_SOCKET itself gives way. */
static const char *const *add_variable(struct arena *arena, const char *const *env)
{
	size_t count = 0, used = 0;
	const char **list;

	while (env[count])
		count++;
	list = arena_alloc(arena, count + 2, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		if (!str_starts(env[i], "NOTIFY_SOCKET="))
			list[used++] = env[i];
	}
	list[used] = "NOTIFY_SOCKET=" IN_CONTAINER "/" SOCKET_NAME;
	return list;
}

const struct spec *notify_extend(struct arena *arena, const struct spec *spec,
				 const char *state_root, const char *id)
{
	static const char *const nothing[] = {NULL};
	struct spec *extended = arena_alloc(arena, 1, sizeof(*extended));
	struct spec_process *process = arena_alloc(arena, 1, sizeof(*process));
	size_t count = spec->mount_count;

	*extended = *spec;
	*process = *spec->process;
	process->env = add_variable(arena, process->env);
	extended->process = process;
	extended->mounts = arena_alloc(arena, count + 1, sizeof(*extended->mounts));
	for (size_t i = 0; i < count; i++)
		extended->mounts[i] = spec->mounts[i];
	extended->mounts[count] = (struct spec_mount){
		.destination = IN_CONTAINER,
		.type = "",
		.source = arena_printf(arena, "%s/%s/" DIRECTORY, state_root, id),
		.bind = true,
		.attributes_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC,
		.sb_flags = nothing,
		.data = nothing,
		.index = count,
	};
	extended->mount_count = count + 1;
	return extended;
}

int notify_make_directory(int dirfd, struct error *err)
{
	/* Whatever the umask is: the container's users go through it. */
	if (mkdirat(dirfd, DIRECTORY, 0755) < 0 || fchmodat(dirfd, DIRECTORY, 0755, 0) < 0)
		return fail(err, -errno, "make the directory of the notification socket");
	return 0;
}

int notify_remove_directory(int dirfd)
{
	unlinkat(dirfd, DIRECTORY "/" SOCKET_NAME, 0);
	return unlinkat(dirfd, DIRECTORY, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int bind_socket(int directory, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	/* By way of the directory's descriptor, so that its path may be of any length. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
		 directory);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(directory, SOCKET_NAME, 0777, 0) < 0)
		return fail(err, -errno, "make the notification socket of the container");
	return take_fd(&fd);
}

int notify_open(const struct runtime *runtime, int dirfd, struct notify *ret, struct error *err)
{
	_cleanup_fd_ int directory = -EBADF;
	struct notify notify = NOTIFY_UNSET;

	if (!runtime->notify_socket)
		return 0;
	directory = openat(dirfd, DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Created without one: its program was not told to notify anybody. */
	if (directory < 0 && errno == ENOENT)
		return 0;
	if (directory < 0)
		return fail(err, -errno, "open the directory of the notification socket");
	notify.manager = unix_connect(runtime->notify_socket, SOCK_DGRAM, err);
	if (notify.manager < 0)
		return within(err, notify.manager, "NOTIFY_SOCKET");
	notify.container = bind_socket(directory, err);
	if (notify.container < 0) {
		int r = notify.container;

		notify_done(&notify);
		return r;
	}
	*ret = notify;
	return 0;
}

void notify_done(struct notify *notify)
{
	notify->container = fd_close(notify->container);
	notify->manager = fd_close(notify->manager);
}

/* Whether "READY=1" is a line of the message. */
static bool says_ready(char *text)
{
	char *saved = NULL;

	for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
		if (str_equal(line, "READY=1"))
			return true;
	}
	return false;
}

bool notify_is_ready(const struct notify *notify)
{
	char text[MESSAGE_MAX + 1];

	/* Not without end: a container that chatters must not keep us here. */
	for (int i = 0; i < MESSAGES_MAX; i++) {
		ssize_t n = recv(notify->container, text, MESSAGE_MAX, 0);

		if (n < 0)
			return false;
		text[n] = '\0';
		if (says_ready(text))
			return true;
	}
	return false;
}

/* Returns once the manager has read everything, or does not seem to know the message. */
static int pass_barrier(int manager)
{
	struct pollfd waited = {.events = 0};
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	waited.fd = fds[0];
	r = unix_send_fd(manager, "BARRIER=1", fds[1]);
	fd_close(fds[1]);
	if (r >= 0 && poll(&waited, 1, BARRIER_MS) < 0 && errno != EINTR)
		r = -errno;
	fd_close(fds[0]);
	return r;
}

int notify_pass_on(struct notify *notify, pid_t main_pid, struct error *err)
{
	int r = unix_send_fd(notify->manager, "READY=1\n", -1);
	char text[32];

	if (r >= 0 && main_pid) {
		snprintf(text, sizeof(text), "MAINPID=%d\n", main_pid);
		r = unix_send_fd(notify->manager, text, -1);
	}
	if (r >= 0 && main_pid)
		r = pass_barrier(notify->manager);
	notify->manager = fd_close(notify->manager);
	return r < 0 ? fail(err, r, "NOTIFY_SOCKET: tell that the container is ready") : 0;
}

int notify_wait(struct notify *notify, const struct pidref *init, struct error *err)
{
	struct pollfd polls[2] = {{.fd = notify->container, .events = POLLIN},
				  {.fd = init->fd, .events = POLLIN}};

	if (notify->container < 0)
		return 0;
	while (!notify_is_ready(notify)) {
		/* Its last words were looked at. */
		if (polls[1].revents) {
			notify_done(notify);
			return 0;
		}
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return fail(err, -errno, "wait for the container to be ready");
	}
	return notify_pass_on(notify, init->pid, err);
}
