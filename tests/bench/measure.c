/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs rival commands in turn and prints what each sample cost.
 *
 *     measure ROUNDS WARMUP SECONDS [LEAST] < jobs
 *         a line a sample: name, wall ns, user+system us, RSS KiB
 *     measure calls < jobs
 *         a line a job: name, system calls of one run
 *
 * A jobs text has one word-separated line an entry: "job NAME", then "step COMMAND ARG...",
 * "prepare COMMAND ARG..." for what is not measured, and "wait" where the following step needs the
 * container to have ended; the word %i is an id that no other sample has.
 *
 * Theory of operation. Every round runs each job once, starting with another one each time, so
 * that a slow moment of the machine hits all rivals alike, and in another order, so that what one
 * leaves behind (memory, a file system) does not always meet the same one. After SECONDS no further
 * round begins, unless fewer than LEAST (ten) have been measured. The program is a child subreaper:
 * a container whose creator has exited becomes its child, and wait4() then tells when it has ended
 * and what it cost: work that a runtime leaves to a detached process is counted too. The time
 * from a step's end to the container's end is not. The program is static and small because
 * the kernel folds the spawner's resident size into the spawned one's ru_maxrss: its own size is
 * the least that can be measured. A step that fails ends the measurement: its time would mean
 * nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "job.h"

/* How long to measure: what ends first, but `least` rounds whatever the time. */
struct extent {
	size_t rounds, warmup, seconds, least;
};

static char id[40]; /* the current sample's id: the words %i of all jobs point here */

void die(int number, const char *format, ...)
{
	va_list args;

	fputs("measure: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (number)
		fprintf(stderr, ": %s", strerror(number));
	fputc('\n', stderr);
	exit(1);
}

pid_t step_spawn(const struct step *step, bool traced)
{
	/* vfork copies no page tables, which would be counted as the runtime's time. */
	pid_t pid = traced ? fork() : vfork();

	if (pid < 0)
		die(errno, "cannot start '%s'", step->argv[0]);
	if (pid > 0)
		return pid;

	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(126);
	if (traced)
		raise(SIGSTOP);
	execv(step->argv[0], step->argv);
	_exit(127);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sample_add(struct sample *sample, const struct rusage *usage)
{
	sample->cpu_us += usage->ru_utime.tv_sec * 1000000LL + usage->ru_utime.tv_usec;
	sample->cpu_us += usage->ru_stime.tv_sec * 1000000LL + usage->ru_stime.tv_usec;
	if (usage->ru_maxrss > sample->rss_kib)
		sample->rss_kib = usage->ru_maxrss;
}

/* Reaps whatever the steps left behind, and counts it. */
static void reap_left(struct sample *sample)
{
	struct rusage usage;
	int status;

	for (;;) {
		pid_t pid = wait4(-1, &status, __WALL, &usage);

		if (pid > 0)
			sample_add(sample, &usage);
		else if (errno != EINTR)
			return;
	}
}

static void step_measure(const struct job *job, const struct step *step, struct sample *sample)
{
	struct rusage usage;
	int status;
	long long begin_ns = now_ns();
	pid_t pid = step_spawn(step, /* traced= */ false);

	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			die(errno, "cannot wait for '%s'", step->argv[0]);
	}
	sample->wall_ns += now_ns() - begin_ns;
	sample_add(sample, &usage);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die(0, "%s: '%s %s ...' failed with wait status 0x%x", job->name, step->argv[0],
		    step->argv[1] ? step->argv[1] : "", (unsigned int)status);
}

static struct sample job_measure(const struct job *job)
{
	struct sample sample = {0};

	for (size_t i = 0; i < job->step_count; i++) {
		const struct step *step = &job->steps[i];
		struct sample unused = {0};

		if (step->is_preparation)
			step_measure(job, step, &unused);
		else if (step->argv[0])
			step_measure(job, step, &sample);
		else
			reap_left(&sample);
	}
	reap_left(&sample);
	return sample;
}

static void next_id(void)
{
	static unsigned int number;

	snprintf(id, sizeof(id), "berth-bench-%d-%u", (int)getpid(), number++);
}

static void line_parse(char *line, struct job *jobs, size_t *job_count)
{
	char *save = NULL;
	const char *kind = strtok_r(line, " \t\n", &save);

	if (!kind)
		return;
	if (strcmp(kind, "job") == 0) {
		const char *name = strtok_r(NULL, " \t\n", &save);

		if (!name || *job_count == JOBS_MAX)
			die(0, "a job without a name, or more than %d jobs", JOBS_MAX);
		jobs[(*job_count)++].name = name;
		return;
	}
	struct job *job = *job_count > 0 ? &jobs[*job_count - 1] : NULL;

	if (!job || job->step_count == STEPS_MAX)
		die(0, "a step before the first job, or more than %d in one", STEPS_MAX);
	struct step *step = &job->steps[job->step_count++];

	if (strcmp(kind, "wait") == 0)
		return;
	step->is_preparation = strcmp(kind, "prepare") == 0;
	if (!step->is_preparation && strcmp(kind, "step") != 0)
		die(0, "unknown entry '%s'", kind);
	for (size_t i = 0;; i++) {
		char *word = strtok_r(NULL, " \t\n", &save);

		if (!word)
			return;
		if (i == ARGS_MAX)
			die(0, "%s: more than %d words in a step", job->name, ARGS_MAX);
		step->argv[i] = strcmp(word, "%i") == 0 ? id : word;
	}
}

static size_t jobs_read(struct job *jobs)
{
	static char lines[JOBS_MAX * (STEPS_MAX + 1)][1024];
	size_t job_count = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!fgets(lines[i], sizeof(lines[i]), stdin))
			break;
		line_parse(lines[i], jobs, &job_count);
	}
	if (job_count == 0 || !feof(stdin))
		die(0, "no job, or too many lines");
	return job_count;
}

static size_t common_divisor(size_t a, size_t b)
{
	return b == 0 ? a : common_divisor(b, a % b);
}

/* From one job to the next in a round; with no divisor in common, all @count are met. */
static size_t stride_of(size_t round, size_t count)
{
	size_t stride = count > 1 ? 1 + round % (count - 1) : 1;

	while (common_divisor(stride, count) != 1)
		stride++;
	return stride;
}

static void rounds_measure(const struct job *jobs, size_t job_count, const struct extent *extent)
{
	long long end_ns = now_ns() + (long long)extent->seconds * 1000000000LL;

	for (size_t round = 0; round < extent->warmup + extent->rounds; round++) {
		if (round >= extent->warmup + extent->least && now_ns() > end_ns)
			return;
		size_t stride = stride_of(round, job_count);

		for (size_t i = 0; i < job_count; i++) {
			const struct job *job = &jobs[(round + i * stride) % job_count];

			next_id();
			struct sample sample = job_measure(job);

			if (round >= extent->warmup)
				printf("%s\t%lld\t%lld\t%ld\n", job->name, sample.wall_ns,
				       sample.cpu_us, sample.rss_kib);
		}
	}
}

static size_t number_parse(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > 1000000)
		die(0, "'%s' is not a number from 0 to 1000000", text);
	return value;
}

int main(int argc, char **argv)
{
	static struct job jobs[JOBS_MAX];
	bool calls = argc == 2 && strcmp(argv[1], "calls") == 0;

	if (!calls && argc != 4 && argc != 5)
		die(0, "usage: measure ROUNDS WARMUP SECONDS [LEAST] | measure calls");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die(errno, "cannot become a subreaper");

	size_t job_count = jobs_read(jobs);

	if (!calls) {
		const struct extent extent = {
			.rounds = number_parse(argv[1]),
			.warmup = number_parse(argv[2]),
			.seconds = number_parse(argv[3]),
			.least = argc == 5 ? number_parse(argv[4]) : 10,
		};

		rounds_measure(jobs, job_count, &extent);
	} else {
		for (size_t i = 0; i < job_count; i++) {
			next_id();
			printf("%s\t%ld\n", jobs[i].name, job_count_calls(&jobs[i]));
		}
	}
	if (fflush(stdout) != 0)
		die(errno, "cannot write the results");
	return 0;
}
