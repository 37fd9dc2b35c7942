/* SPDX-License-Identifier: Apache-2.0 */
/* A container's terminal, on berth's side: handed to an engine, or served in the foreground. */
#ifndef BERTH_TERMINAL_INTERNAL_H
#define BERTH_TERMINAL_INTERNAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/pidref.h"
#include "berth/linux/console.h"

/*
 * console_socket.c: whoever listens there gets the terminal's master, for a berth that does not
 * stay. console_check() refuses what nobody could serve; connecting, which comes before any side
 * effect, yields -1 where @path is NULL; sending does nothing then.
 */
int console_check(bool terminal, bool detach, const char *path, struct error *err) must_check;
int console_connect(const char *path, int *ret_socket, struct error *err) must_check;
int console_send(int socket, int master, struct error *err) must_check;

/*
 * own_terminal.c: the terminal that berth itself runs on, if standard input is one. Nothing here
 * does anything where it is none.
 */
void own_terminal_begin(void);
bool own_terminal_there(void);
/* Whether berth may read from it: its job is the one in the foreground, or there are no jobs. */
bool own_terminal_in_front(void);
/* Raw mode, where that may be set now. What was set before is put back by leave(). */
void own_terminal_enter(void);
void own_terminal_leave(void);
/* After SIGCONT: what another program has set meanwhile gives way to raw mode again. */
void own_terminal_resume(void);
/* Leaves, and stops as SIGTSTP does; comes back when berth is continued. */
void own_terminal_stop(void);
/* The size of the first of berth's standard streams that has one becomes that of @master. */
void own_terminal_copy_size(int master);

/* What was read in one direction and is not written yet. */
struct flow {
	char data[16384];
	size_t start, end;
};

/* proxy.c: the terminal of a process in the foreground, and berth's standard input and output. */
struct proxy {
	/* The slave is held so that a program that has closed its last descriptor of the terminal
	 * can open it again: the master would be hung up meanwhile. Owned. */
	struct console terminal;
	int in, out; /* berth's own, of standard input and output; owned; -1: at their end */
	bool in_is_terminal, out_is_socket;
	char last;		     /* byte that went in */
	int looks_left;		     /* how often the end of input may still be told … */
	int64_t next_look_ms;	     /* … and when */
	bool ended;		     /* the process has: what it wrote is still to be passed on */
	bool drained;		     /* that is done */
	size_t leftover;	     /* bytes read since it ended */
	struct flow *input, *output; /* owned */
};

#define PROXY_UNSET                                                                                \
	{                                                                                          \
		.terminal = CONSOLE_UNSET, .in = -EBADF, .out = -EBADF                             \
	}

/* Takes the terminal over, if there is one, and gives it its first size. Before the program runs.
 */
int proxy_open(struct console *terminal, struct proxy *ret, struct error *err) must_check;
/* Puts berth's own terminal back, closes everything. Accepts an unset one. */
void proxy_done(struct proxy *proxy);
#define _cleanup_proxy_ __attribute__((cleanup(proxy_done)))

/* True for a proxy that has a terminal to serve. */
static inline bool proxy_is_on(const struct proxy *proxy)
{
	return proxy->input != NULL;
}

#define PROXY_POLLS 3
/* Fills @polls with what can make progress. Returns the time-out for poll(2). */
int proxy_polls(struct proxy *proxy, struct pollfd polls[static PROXY_POLLS]);
/* Moves what can be moved without waiting. */
void proxy_move(struct proxy *proxy, const struct pollfd polls[static PROXY_POLLS]);
/* The process has ended. True once all that it wrote has been passed on. */
bool proxy_finish(struct proxy *proxy);
/* Gives up what is not passed on yet. */
void proxy_abandon(struct proxy *proxy);

/* attend.c */
/*
 * Forwards signals to @child, serves its terminal if @proxy has one, and reaps, until it has ended
 * and all of its output is passed on. *ret_status as a shell's.
 */
struct notify; /* may be NULL */
int attend(const struct pidref *child, struct proxy *proxy, struct notify *notify, int *ret_status,
	   struct error *err) must_check;

#endif
