/* SPDX-License-Identifier: Apache-2.0 */
/* What the measuring program runs: jobs of steps, read from a small text. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	JOBS_MAX = 8,
	STEPS_MAX = 6,
	ARGS_MAX = 24,
};

/* One command, or (argv[0] NULL) the wait until every left process has ended. */
struct step {
	char *argv[ARGS_MAX + 1];
	bool is_preparation; /* is not measured */
};

struct job {
	const char *name;
	struct step steps[STEPS_MAX];
	size_t step_count;
};

/* What one sample of a job cost: all its steps, and the processes they left to be reaped. */
struct sample {
	long long wall_ns;
	long long cpu_us;
	long rss_kib;
};

/* Prints "measure: " and the message, with errno's text if @number is not 0, and exits 1. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int number, const char *format, ...);

/*
 * Starts @step with /dev/null as input and output. With @traced the new process waits for its
 * parent (a SIGSTOP of its own) before it executes the command.
 */
pid_t step_spawn(const struct step *step, bool traced);

/* Runs @job once under ptrace and returns the number of system calls that were entered. */
long job_count_calls(const struct job *job);

#endif
