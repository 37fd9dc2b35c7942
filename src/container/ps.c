/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container: their numbers, or the lines that ps(1) prints about them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"
#include "berth/base/spawn.h"
#include "berth/linux/process.h"

#include "container-internal.h"

#define PS_TIMEOUT_MS 30000
#define PS_OUTPUT_MAX (64u << 20)

/* A cgroup that is gone has no processes. */
static int find_pids(const struct container *container, struct cgroup_pids *ret, struct error *err)
{
	struct error failed = ERROR_NONE;
	_cleanup_fd_ int fd = -EBADF;

	if (!container->record.cgroup_path)
		return namespace_pids_read(container, ret, err);
	fd = container_cgroup_open(container, &failed);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*err = failed;
		return within(err, fd, "list processes");
	}
	return cgroup_pids_read(fd, ret, err);
}

/* As runc: an array, or null where there are none. */
static void print_json(const struct cgroup_pids *pids, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	if (pids->count) {
		json_begin_array(&w);
		for (size_t i = 0; i < pids->count; i++)
			json_i64(&w, pids->items[i]);
		json_end_array(&w);
	} else {
		json_null(&w);
	}
	buf_add_char(out, '\n');
}

/* Runs ps(1) and reads all that it prints. */
static int run_ps(const struct ps_options *options, char **ret_text, struct error *err)
{
	static const char *const usual[] = {"-ef", NULL};
	const char *const *arguments = options->args[0] ? options->args : usual;
	_cleanup_fd_ int output = memfd_create("berth-ps", MFD_CLOEXEC);
	_cleanup_free_ const char **argv = NULL;
	_cleanup_free_ char *path = NULL;
	struct spawn ps = {.envp = options->env,
			   .cwdfd = -EBADF,
			   .outputfd = output,
			   .timeout_ms = PS_TIMEOUT_MS};
	size_t count = 0;
	int r;

	if (output < 0)
		return fail(err, -errno, "make a file for the output of ps");
	r = executable_find("ps", options->env, &path, err);
	if (r < 0)
		return r;
	while (arguments[count])
		count++;
	argv = xcalloc(count + 2, sizeof(*argv));
	argv[0] = "ps";
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = arguments[i];
	ps.path = path;
	ps.argv = argv;
	r = spawn_wait(&ps, err);
	if (r < 0)
		return r;
	if (lseek(output, 0, SEEK_SET) < 0)
		return fail(err, -errno, "read the output of ps");
	return file_read_fd(output, "output of ps", PS_OUTPUT_MAX, ret_text, NULL, err);
}

/* The @number-th word of a line, counted from 0, and its length; NULL: there are fewer. */
static const char *find_word(const char *line, size_t number, size_t *ret_length)
{
	for (;; number--) {
		line += strspn(line, " \t");
		*ret_length = strcspn(line, " \t");
		if (!*line || number == 0)
			return *line ? line : NULL;
		line += *ret_length;
	}
}

/* Which word of the heading is "PID". */
static int find_column(const char *heading, size_t *ret, struct error *err)
{
	size_t length;

	for (*ret = 0;; ++*ret) {
		const char *word = find_word(heading, *ret, &length);

		if (!word)
			return refuse(err, "the output of ps has no column PID");
		if (length == strlen("PID") && strncmp(word, "PID", length) == 0)
			return 0;
	}
}

static bool is_listed(const struct cgroup_pids *pids, const char *line, size_t column)
{
	size_t length;
	const char *word = find_word(line, column, &length);
	_cleanup_free_ char *digits = word ? xstrndup(word, length) : NULL;
	uint32_t pid;

	return digits && str_to_u32(digits, &pid) == 0 && pid <= INT32_MAX &&
	       cgroup_pids_contain(pids, (pid_t)pid);
}

static int print_table(const struct ps_options *options, const struct cgroup_pids *pids,
		       struct buf *out, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *saved = NULL, *heading;
	size_t column;
	int r = run_ps(options, &text, err);

	if (r < 0)
		return r;
	heading = strtok_r(text, "\n", &saved);
	r = find_column(heading ? heading : "", &column, err);
	if (r < 0)
		return r;
	buf_printf(out, "%s\n", heading);
	for (char *line = strtok_r(NULL, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
		if (is_listed(pids, line, column))
			buf_printf(out, "%s\n", line);
	}
	return 0;
}

int container_ps(const struct runtime *runtime, const struct ps_options *options, struct buf *out,
		 struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_pids_ struct cgroup_pids pids = {.items = NULL};
	int r = container_load(runtime, options->id, &container, err);

	if (r >= 0)
		r = find_pids(&container, &pids, err);
	if (r < 0)
		return r;
	if (!options->json)
		return print_table(options, &pids, out, err);
	print_json(&pids, out);
	return 0;
}
