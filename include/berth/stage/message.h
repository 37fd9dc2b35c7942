/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a start say to each other, over SOCK_SEQPACKET sockets: the child asks, the
 * parent serves. A message is sent and received whole; another length, type or version than
 * expected is an error. The version stands in each message since an init may wait for its start
 * while berth is upgraded.
 */
#ifndef BERTH_STAGE_MESSAGE_H
#define BERTH_STAGE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/pidref.h"
#include "berth/base/sys.h"

#define MESSAGE_VERSION 1u

enum message_type {
	MESSAGE_ERROR, /* child: it failed, and why; it exits */
	MESSAGE_MAPS,  /* child: write my id maps, or compare those that I joined  → ACK */
	MESSAGE_SOURCES, /* child: open the mount sources                            → FDS…, ACK */
	MESSAGE_FDS,	 /* parent: some of the descriptors; child: its terminal, both ends; or,
			  * after GO, the listener of its filter                     → ACK */
	MESSAGE_HOOKS,	     /* child: the file system stands, run the runtime's hooks   → ACK */
	MESSAGE_CREATED,     /* child: all is ready, only the start is missing */
	MESSAGE_COMMIT,	     /* parent: the state is written, you outlive me now         → ACK */
	MESSAGE_GO,	     /* parent or `start`: execute the program                   → ACK */
	MESSAGE_ACK,	     /* done */
	MESSAGE_TIME,	     /* child: write the offsets of my time namespace            → ACK */
	MESSAGE_SCHEDULER,   /* child: I may not, set my scheduling policy           → ACK */
	MESSAGE_IO_PRIORITY, /* child: I may not, set my priority of I/O             → ACK */
	MESSAGE_TYPE_MAX
};

/* Most descriptors in one message; the kernel's bound is 253. */
#define MESSAGE_FDS_MAX 128

struct message_fds {
	uint32_t count;
	uint32_t index[MESSAGE_FDS_MAX]; /* what each descriptor is, as sender and receiver agree */
};

struct message {
	uint32_t version;
	uint32_t type; /* enum message_type */
	union {
		struct error error;	/* MESSAGE_ERROR */
		struct message_fds fds; /* MESSAGE_FDS */
	};
};

/* Sends a message without payload. Never raises SIGPIPE. */
int message_send(int socket, enum message_type type, struct error *err) must_check;

/* Sends a failure to the other side, whose answer it is; nobody could be told of a failure here. */
void message_send_error(int socket, const struct error *error);

/* Sends MESSAGE_FDS with the descriptors @fds, whose meanings are @index; at most MESSAGE_FDS_MAX.
 */
int message_send_fds(int socket, const int *fds, const uint32_t *index, size_t count,
		     struct error *err) must_check;

/*
 * Sends MESSAGE_FDS with @fd alone, closes it, and waits for the ACK: 1, or 0 at end-of-file. All
 * of it with @pass, for a process whose filter lets nothing else through.
 */
int message_hand_over(int socket, int fd, const struct sys_pass *pass,
		      struct error *err) must_check;

/*
 * Receives one message. Descriptors that came with it are close-on-exec and stored in @ret_fds
 * (room for MESSAGE_FDS_MAX; may be NULL: then none is accepted). Returns 1, or 0 at end-of-file.
 */
int message_receive(int socket, struct message *ret, int *ret_fds, struct error *err) must_check;

/* What ends a wait besides a message. */
struct message_wait {
	const struct pidref *peer; /* its end, too; NULL: only that it hangs up */
	int timeout_ms;		   /* -1: waits for ever */
	const int *signals;	   /* a signalfd(2); NULL: no signal does */
};

/*
 * Waits for a message, and receives it as message_receive() does. Returns 1, or 0 if the peer has
 * hung up or ended, in which case what it said before is received first. -ETIMEDOUT after the time;
 * -EINTR upon a signal, which is left where it is.
 */
int message_await(int socket, const struct message_wait *wait, struct message *ret, int *ret_fds,
		  struct error *err) must_check;

/* The same for a message without descriptors, where no signal ends the wait. */
int message_wait(int socket, const struct pidref *peer, int timeout_ms, struct message *ret,
		 struct error *err) must_check;

/* Waits for an ACK. An error that came instead is copied to @err and its code returned. */
int message_await_ack(int socket, const struct message_wait *wait, struct error *err) must_check;
int message_wait_ack(int socket, const struct pidref *peer, int timeout_ms,
		     struct error *err) must_check;

/* The child: asks the parent for something, and waits until it is done. */
int message_ask(int socket, enum message_type type, struct error *err) must_check;

#endif
