/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a filter's listener: from the process that loads the filter to the agent.
 *
 * Theory of operation. The process sends the listener over the socket on which its outcome is
 * reported, closes it, and waits until the parent has given it to the agent and says so; the
 * parent is waiting there for the exec anyway. So the program runs only once somebody can answer,
 * and ends with its starter otherwise. The three calls are those that a pass lets through, whatever
 * the filter says. From then on the agent's is the only listener: when the agent ends, calls fail
 * with ENOSYS, instead of waiting for ever.
 */
#include <errno.h>

#include "berth/base/fd.h"

#include "going-internal.h"

int listener_give(int socket, const struct seccomp_listener *listener, struct error *err)
{
	int r = message_hand_over(socket, listener->fd, &listener->pass, err);

	if (r == 0)
		return refuse_as(err, -EPIPE,
				 "linux.seccomp.listenerPath: whoever was to give the listener to "
				 "the agent has ended");
	return r < 0 ? within(err, r, "linux.seccomp: give the listener away") : 0;
}

int listener_take(const struct going *going, const struct message *message, const int *fds,
		  struct error *err)
{
	struct error gone = ERROR_NONE;
	bool wanted = message->fds.count == 1 && going->agent && going->agent->socket >= 0;
	int r = 0;

	if (wanted)
		r = seccomp_agent_send(going->agent, going->wait.peer->pid, fds[0], err);
	for (uint32_t i = 0; i < message->fds.count; i++)
		fd_close(fds[i]);
	if (!wanted)
		return refuse_as(err, -EPROTO, "received %u descriptors that nobody asked for",
				 message->fds.count);
	/* Where it has been killed meanwhile, the wait for its exec tells that. */
	if (r >= 0)
		ignore(message_send(going->socket, MESSAGE_ACK, &gone));
	return r;
}
