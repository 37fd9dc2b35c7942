/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of a system call filter: who answers for what the filter does not decide itself.
 *
 * It is connected to by the parent, on the host, before the process that loads the filter is told
 * to go on; the connection is no descriptor of the container. What goes over it is one message, by
 * the specification's "The Container Process State". How the listener gets from the process to the
 * parent: stage/listener.c and seccomp_pass.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "berth/base/fd.h"
#include "berth/base/unix_socket.h"
#include "berth/linux/seccomp.h"

#include "seccomp-internal.h"

#define PATH_FIELD "linux.seccomp.listenerPath"

/*
 * What can be found out without a connection, which would be one without a message: that there is
 * a socket. Abstract ones have no file.
 */
int seccomp_agent_check(const struct spec_seccomp *spec, struct error *err)
{
	const char *path = spec->listener_path;
	struct stat st;

	if (path[0] == '@')
		return 0;
	if (stat(path, &st) < 0)
		return fail(err, -errno, PATH_FIELD ": look for the socket \"%s\"", path);
	if (!S_ISSOCK(st.st_mode))
		return refuse(err, PATH_FIELD ": \"%s\" is not a socket", path);
	return 0;
}

int seccomp_agent_connect(const struct spec_seccomp *spec, const struct state_document *state,
			  struct seccomp_agent *ret, struct error *err)
{
	int fd;

	*ret = (struct seccomp_agent)SECCOMP_AGENT_NONE;
	if (!spec || !spec->notifies)
		return 0;
	fd = unix_connect(spec->listener_path, SOCK_STREAM, err);
	if (fd < 0)
		return within(err, fd, PATH_FIELD);
	*ret = (struct seccomp_agent){
		.socket = fd,
		.path = spec->listener_path,
		.metadata = spec->listener_metadata,
		.state = *state,
	};
	return 0;
}

int seccomp_agent_send(struct seccomp_agent *agent, pid_t pid, int listener, struct error *err)
{
	char *text = state_document_for_agent(&agent->state, pid, agent->metadata);
	int r = unix_send_fd(agent->socket, text, listener);

	free(text);
	/* An agent may read to the end before it answers anybody. */
	seccomp_agent_done(agent);
	/* Not as it is: on the way to a start that stands for an init that has hung up. */
	if (r == -EPIPE)
		r = -ECONNRESET;
	return r < 0 ? fail(err, r, PATH_FIELD ": send the listener to the socket \"%s\"",
			    agent->path)
		     : 0;
}

void seccomp_agent_done(struct seccomp_agent *agent)
{
	agent->socket = fd_close(agent->socket);
}
