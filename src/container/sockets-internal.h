/* SPDX-License-Identifier: Apache-2.0 */
/* What berth tells whoever has called it, by sockets that they name. */
#ifndef BERTH_SOCKETS_INTERNAL_H
#define BERTH_SOCKETS_INTERNAL_H

#include "container-internal.h"

/*
 * notify.c: the proxy of sd_notify(3). A container that is created for a service manager gets a
 * directory of its state mounted and a variable (notify_extend(): a copy of the spec, which has a
 * process, in @arena); whoever starts it makes a socket there. notify_open() leaves *ret unset
 * where nobody is to be notified.
 */
struct notify {
	int container, manager; /* owned */
};

#define NOTIFY_UNSET                                                                               \
	{                                                                                          \
		.container = -EBADF, .manager = -EBADF                                             \
	}

const struct spec *notify_extend(struct arena *arena, const struct spec *spec,
				 const char *state_root, const char *id);
int notify_make_directory(int dirfd, struct error *err) must_check;
int notify_remove_directory(int dirfd); /* negative errno without a text */
int notify_open(const struct runtime *runtime, int dirfd, struct notify *ret,
		struct error *err) must_check;
void notify_done(struct notify *notify);
#define _cleanup_notify_ __attribute__((cleanup(notify_done)))
/* Reads what has come. True: the container is ready. */
bool notify_is_ready(const struct notify *notify);
/* Tells the manager, and that @main_pid is the service (0: berth stays that); only once. */
int notify_pass_on(struct notify *notify, pid_t main_pid, struct error *err) must_check;
/* Waits until the container is ready, and tells it; or until the container ends. */
int notify_wait(struct notify *notify, const struct pidref *init, struct error *err) must_check;

/* pidfd_socket.c: connecting yields -1 where @path is NULL; sending does nothing then. */
int pidfd_socket_connect(const char *path, int *ret_socket, struct error *err) must_check;
int pidfd_socket_send(int socket, const struct pidref *process, bool is_init,
		      struct error *err) must_check;

#endif
