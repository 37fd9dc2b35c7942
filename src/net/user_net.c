/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks for ordinary users.
 *
 * Theory of operation. A record is written before the program is started, and again with the
 * program's number and start time; so del and gc find what runs, whenever berth-net was killed: by
 * these, or by the token of the record on the program's command line. The programs themselves do
 * not all notice the end of a network namespace: their own tap device keeps it alive.
 */
#include "user_net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/proc.h"

#include "user_net-internal.h"

/* Where the programs' own files are, beneath the store: a pid file, a socket. */
#define PROGRAM_FILES "programs"

/* Where programs are looked for without PATH: a hook's environment may be empty. */
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const struct user_program *program_of(enum request_mode mode)
{
	return mode == REQUEST_PASTA ? &pasta_program : &slirp4netns_program;
}

bool user_net_is_mode(enum request_mode mode)
{
	return mode == REQUEST_PASTA || mode == REQUEST_SLIRP4NETNS;
}

const char *user_net_name(enum request_mode mode)
{
	return program_of(mode)->name;
}

const char *const *user_net_dns(enum request_mode mode)
{
	return program_of(mode)->dns;
}

/* --- The program's file ---------------------------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* What is relative in PATH depends on where somebody stands: it does not count. */
static int find_program(struct arena *arena, const struct user_program *program, const char *path,
			const char **ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(path ? path : USUAL_PATH);
	char *rest = copy, *directory;

	while ((directory = strsep(&rest, ":"))) {
		const char *file = arena_printf(arena, "%s/%s", directory, program->name);

		if (*directory == '/' && is_program(file)) {
			*ret = file;
			return 0;
		}
	}
	return refuse_as(err, -ENOENT,
			 "--network %s: %s is not installed (Debian and Fedora have it in the "
			 "package %s; looked for in %s)",
			 program->name, program->name, program->package, path ? path : USUAL_PATH);
}

/* --- What is asked for ----------------------------------------------------------------------- */

static int check_request(const struct user_program *program, const struct request *request,
			 struct error *err)
{
	if (request->ip_count > 0)
		return refuse(err, "--ip: %s chooses the address", program->name);
	if (request->to_container.bits_per_second > 0 ||
	    request->from_container.bits_per_second > 0)
		return refuse(err, "--bandwidth: %s knows no limits", program->name);
	return program->check ? program->check(request, err) : 0;
}

/* Both are in one network namespace: there is nothing to connect. */
static int check_namespace(pid_t pid, struct error *err)
{
	_cleanup_fd_ int proc = proc_open(err);
	char path[32];
	struct stat own, its;

	if (proc < 0)
		return proc;
	snprintf(path, sizeof(path), "%d/ns/net", pid);
	if (fstatat(proc, "self/ns/net", &own, 0) < 0)
		return fail(err, -errno, "look at \"/proc/self/ns/net\"");
	if (fstatat(proc, path, &its, 0) < 0)
		return fail(err, -errno, "look at \"/proc/%s\"", path);
	if (own.st_dev == its.st_dev && own.st_ino == its.st_ino)
		return refuse(err, "process %d has no network namespace of its own", pid);
	return 0;
}

/* --- Adding ---------------------------------------------------------------------------------- */

static int choose_token(struct arena *arena, const char **ret, struct error *err)
{
	unsigned char random[8];
	char *token = arena_alloc(arena, 2 * sizeof(random) + 1, 1);

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(err, -EIO, "choose a name");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(token + 2 * i, 3, "%02x", random[i]);
	*ret = token;
	return 0;
}

/* An earlier record of the same link is in the way, unless its container is gone. */
static int make_room(const struct store *store, struct arena *arena, const struct request *request,
		     struct error *err)
{
	struct user_net_list list;
	int r = user_net_list(store, arena, request->id, &list, err);

	for (size_t i = 0; r >= 0 && i < list.count; i++) {
		const struct user_net *net = &list.items[i];

		if (!str_equal(net->link, request->link))
			continue;
		if (net->complete && user_net_is_alive(net))
			return refuse_as(err, -EEXIST,
					 "container \"%s\" has a link \"%s\" already, by %s",
					 net->id, net->link, user_net_name(net->mode));
		r = user_net_remove(store, net, err);
	}
	return r;
}

static int run_program(struct user_start *start, struct error *err)
{
	struct user_net *net = start->net;
	int r = user_record_write(start->store, net, err);

	if (r >= 0)
		r = program_of(net->mode)->start(start, err);
	/* The namespaces were opened by the container's number: was it still the container's? */
	if (r >= 0 && !user_process_runs(net->pid, net->start_ticks))
		r = refuse_as(err, -ESRCH, "the container's process %d has ended", net->pid);
	if (r < 0)
		return r;
	net->complete = true;
	return user_record_write(start->store, net, err);
}

static int start_program(struct user_start *start, struct arena *arena, struct error *err)
{
	_cleanup_fd_ int fd =
		user_directory_open(start->store, PROGRAM_FILES, /* make= */ true, err);
	struct error ignored = ERROR_NONE;
	int r;

	if (fd < 0)
		return fd;
	start->directoryfd = fd;
	start->directory = arena_printf(arena, "%s/" PROGRAM_FILES, start->store->path);
	r = run_program(start, err);
	if (r < 0)
		/* The first error is what the user needs; what stays, gc finds by the record. */
		ignore(user_net_remove(start->store, start->net, &ignored));
	return r;
}

int user_net_add(const struct store *store, struct arena *arena, const struct request *request,
		 pid_t pid, const char *path, struct error *err)
{
	const struct user_program *program = program_of(request->mode);
	struct user_net net = {.id = request->id,
			       .link = request->link,
			       .mode = request->mode,
			       .pid = pid,
			       .publish = request->publish};
	struct user_start start = {.store = store, .request = request, .net = &net};
	int r = check_request(program, request, err);

	if (r >= 0)
		r = find_program(arena, program, path, &start.program, err);
	if (r >= 0)
		r = user_process_ticks(pid, "the container", &net.start_ticks, err);
	if (r >= 0)
		r = check_namespace(pid, err);
	if (r >= 0)
		r = make_room(store, arena, request, err);
	if (r >= 0)
		r = choose_token(arena, &net.token, err);
	if (r < 0)
		return r;
	r = start_program(&start, arena, err);
	return r < 0 ? within(err, r, "--network %s", program->name) : 0;
}

/* --- What became of it ----------------------------------------------------------------------- */

static int remove_files(const struct store *store, const struct user_net *net, struct error *err)
{
	static const char *const suffixes[] = {"pid", "sock"};
	_cleanup_fd_ int fd = user_directory_open(store, PROGRAM_FILES, /* make= */ false, err);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *file = xasprintf("%s.%s", net->token, suffixes[i]);

		if (unlinkat(fd, file, 0) < 0 && errno != ENOENT)
			return fail(err, -errno, "remove \"%s/" PROGRAM_FILES "/%s\"", store->path,
				    file);
	}
	return 0;
}

int user_net_remove(const struct store *store, const struct user_net *net, struct error *err)
{
	int r = user_process_stop(net, err);

	if (r >= 0)
		r = remove_files(store, net, err);
	if (r >= 0)
		r = user_record_remove(store, net, err);
	return r < 0 ? within(err, r, "%s of container \"%s\"", user_net_name(net->mode), net->id)
		     : 0;
}

bool user_net_is_alive(const struct user_net *net)
{
	return user_process_runs(net->pid, net->start_ticks) &&
	       user_process_runs(net->helper_pid, net->helper_ticks);
}

/* The links of a process's namespace are in /proc, where its user may look. */
static int check_link(const struct user_net *net, struct error *err)
{
	_cleanup_fd_ int proc = proc_open(err);
	_cleanup_free_ char *path = xasprintf("%d/net/dev", net->pid);
	_cleanup_free_ char *wanted = xasprintf("%s:", net->link);
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r = proc < 0 ? proc : file_read_at(proc, path, 1u << 20, &text, NULL, err);

	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (str_starts(line + strspn(line, " "), wanted))
			return 0;
	}
	return refuse_as(err, -ENODEV, "the container has no link \"%s\"", net->link);
}

int user_net_check(const struct user_net *net, struct error *err)
{
	const char *name = user_net_name(net->mode);
	int r = 0;

	if (!net->complete)
		r = refuse_as(err, -EINPROGRESS, "its add was cut off (berth-net gc removes it)");
	else if (!user_process_runs(net->pid, net->start_ticks))
		r = refuse_as(err, -ESRCH, "the container's process %d has ended", net->pid);
	else if (!user_process_runs(net->helper_pid, net->helper_ticks))
		r = refuse_as(err, -ESRCH, "%s, process %d, has ended", name, net->helper_pid);
	else
		r = check_link(net, err);
	return r < 0 ? within(err, r, "container \"%s\", network \"%s\"", net->id, name) : 0;
}

int user_net_gc(const struct store *store, struct arena *arena, size_t *ret_count,
		struct error *err)
{
	struct user_net_list list;
	int r = user_record_tidy(store, err), first = 0;

	*ret_count = 0;
	if (r >= 0)
		r = user_net_list(store, arena, /* id= */ NULL, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		struct error now = ERROR_NONE;

		if (list.items[i].complete && user_net_is_alive(&list.items[i]))
			continue;
		r = user_net_remove(store, &list.items[i], &now);
		if (r >= 0)
			++*ret_count;
		error_keep_first(r, &now, &first, err);
	}
	return first;
}
