/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the system calls of one run of a job: every call entered by a step's command and by all
 * processes and threads that come from it.
 *
 * Theory of operation. A step stops itself, is seized and goes on; the kernel attaches the tracer
 * to all that it clones. A step is over when its own process has ended. What it left (the init of
 * a created container, waiting for its start) stays traced and is served while the next step runs,
 * so its later calls count as well. Counting by ptrace is exact and needs no other program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"

#define TRACE_OPTIONS                                                                              \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/* The stop of a system call: its entry, not its exit? */
static bool is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return false; /* killed meanwhile */
	return info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* Lets a stopped process go on; what it was stopped for decides whether a signal reaches it. */
static void go_on(pid_t pid, int status, long *calls)
{
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		if (is_entry(pid))
			(*calls)++;
		sig = 0;
	} else if (status >> 16 != 0) {
		sig = 0; /* an event of the tracer's own */
	}
	ptrace(PTRACE_SYSCALL, pid, 0, sig);
}

/* Serves all that is traced until @last has ended, or with 0 until nothing is left. */
static int serve_until(pid_t last, long *calls)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return -1;
		if (WIFSTOPPED(status))
			go_on(pid, status, calls);
		else if (pid == last)
			return status;
	}
}

static void step_count_calls(const struct job *job, const struct step *step, long *calls)
{
	int status;
	pid_t pid = step_spawn(step, /* traced= */ true);

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die(0, "%s: '%s' did not stop for the tracer", job->name, step->argv[0]);
	if (ptrace(PTRACE_SEIZE, pid, 0, TRACE_OPTIONS) < 0)
		die(errno, "cannot trace '%s'", step->argv[0]);
	kill(pid, SIGCONT);

	status = serve_until(pid, calls);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die(0, "%s: '%s' failed under the tracer with wait status 0x%x", job->name,
		    step->argv[0], (unsigned int)status);
}

long job_count_calls(const struct job *job)
{
	long calls = 0;

	for (size_t i = 0; i < job->step_count; i++) {
		if (job->steps[i].argv[0])
			step_count_calls(job, &job->steps[i], &calls);
		else
			serve_until(0, &calls);
	}
	serve_until(0, &calls);
	return calls;
}
