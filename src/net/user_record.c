/* SPDX-License-Identifier: Apache-2.0 */
/* What is written down of networks of ordinary users. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fields.h"
#include "names.h"
#include "store-internal.h"
#include "user_net-internal.h"

#define DIRECTORY "user"
#define SUFFIX	  ".json"

/* Goes up with every change that an older berth-net would misread. */
#define RECORD_VERSION 1

/* Hexadecimal digits of a token. */
#define TOKEN_DIGITS "0123456789abcdef"

int user_directory_open(const struct store *store, const char *name, bool make, struct error *err)
{
	int fd;

	if (store->rootfd < 0)
		return -ENOENT;
	if (make && mkdirat(store->rootfd, name, 0700) < 0 && errno != EEXIST)
		return fail(err, -errno, "make the directory \"%s/%s\"", store->path, name);
	fd = openat(store->rootfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return -ENOENT;
	return fd < 0 ? fail(err, -errno, "open the directory \"%s/%s\"", store->path, name) : fd;
}

/* --- As JSON --------------------------------------------------------------------------------- */

static int read_version(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	(void)target;
	return field_version(decode, value, RECORD_VERSION, err);
}

static int read_network(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	static const enum request_mode modes[] = {REQUEST_PASTA, REQUEST_SLIRP4NETNS};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (str_equal(value->text, user_net_name(modes[i]))) {
			((struct user_net *)target)->mode = modes[i];
			return 0;
		}
	}
	return refuse(err, "%s: \"network\": \"%s\" is not one of a user's", decode->what,
		      name_show(value->text).text);
}

/* It becomes a part of paths, and is looked for in command lines. */
static int read_token(const struct decode *decode, const struct json *value, void *target,
		      struct error *err)
{
	if (strlen(value->text) != 16 || strspn(value->text, TOKEN_DIGITS) != 16)
		return refuse(err, "%s: \"token\": \"%s\" is none", decode->what,
			      name_show(value->text).text);
	((struct user_net *)target)->token = value->text;
	return 0;
}

static const struct field fields[] = {
	{"version", JSON_NUMBER, true, read_version, 0},
	{"id", JSON_STRING, true, field_read_container, offsetof(struct user_net, id)},
	{"link", JSON_STRING, true, field_read_link, offsetof(struct user_net, link)},
	{"network", JSON_STRING, true, read_network, 0},
	{"complete", JSON_BOOL, true, field_read_bool, offsetof(struct user_net, complete)},
	{"pid", JSON_NUMBER, true, field_read_pid, offsetof(struct user_net, pid)},
	{"startTicks", JSON_NUMBER, true, field_read_u64, offsetof(struct user_net, start_ticks)},
	{"programPid", JSON_NUMBER, true, field_read_pid, offsetof(struct user_net, helper_pid)},
	{"programStartTicks", JSON_NUMBER, true, field_read_u64,
	 offsetof(struct user_net, helper_ticks)},
	{"token", JSON_STRING, true, read_token, 0},
	{"publish", JSON_ARRAY, true, field_read_publish, offsetof(struct user_net, publish)},
};

void user_net_write_json(struct json_writer *w, const struct user_net *net)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	json_begin_object(w);
	json_member_u64(w, "version", RECORD_VERSION);
	json_member_string(w, "id", net->id);
	json_member_string(w, "link", net->link);
	json_member_string(w, "network", user_net_name(net->mode));
	json_member_bool(w, "complete", net->complete);
	json_member_i64(w, "pid", net->pid);
	json_member_u64(w, "startTicks", net->start_ticks);
	json_member_i64(w, "programPid", net->helper_pid);
	json_member_u64(w, "programStartTicks", net->helper_ticks);
	json_member_string(w, "token", net->token);
	json_key(w, "publish");
	json_begin_array(w);
	for (size_t i = 0; i < net->publish.count; i++)
		json_string(w, publish_format(arena, &net->publish.items[i]));
	json_end_array(w);
	json_end_object(w);
}

/* --- In the store ---------------------------------------------------------------------------- */

static char *file_of(const struct user_net *net)
{
	return xasprintf("%s@%s" SUFFIX, net->id, net->link);
}

int user_record_write(const struct store *store, const struct user_net *net, struct error *err)
{
	_cleanup_fd_ int fd = user_directory_open(store, DIRECTORY, /* make= */ true, err);
	_cleanup_free_ char *file = file_of(net);
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);
	int r;

	if (fd < 0)
		return fd;
	user_net_write_json(&w, net);
	buf_add_char(&text, '\n');
	r = file_replace_at(fd, file, 0600, text.data, text.size, err);
	return r < 0 ? within(err, r, "container \"%s\"", net->id) : 0;
}

int user_record_remove(const struct store *store, const struct user_net *net, struct error *err)
{
	_cleanup_fd_ int fd = user_directory_open(store, DIRECTORY, /* make= */ false, err);
	_cleanup_free_ char *file = file_of(net);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (unlinkat(fd, file, 0) < 0 && errno != ENOENT)
		return fail(err, -errno, "remove \"%s/" DIRECTORY "/%s\"", store->path, file);
	return 0;
}

static int read_record(int fd, struct arena *arena, const char *name, struct user_net *ret,
		       struct error *err)
{
	const char *file = arena_printf(arena, "%s" SUFFIX, name);
	const struct decode decode = {.arena = arena,
				      .what = arena_printf(arena, DIRECTORY "/%s", file)};
	_cleanup_free_ char *text = NULL;
	const struct json *json;
	size_t size;
	int r = file_read_at(fd, file, STORE_FILE_MAX, &text, &size, err);

	*ret = (struct user_net){.id = NULL};
	if (r >= 0)
		r = json_read(arena, text, size, decode.what, &json, err);
	if (r >= 0)
		r = fields_read(&decode, json, fields, ARRAY_SIZE(fields), ret, err);
	if (r < 0)
		return r;
	if (!str_equal(name, arena_printf(arena, "%s@%s", ret->id, ret->link)))
		return refuse(err, "%s is that of another container", decode.what);
	return 0;
}

static bool is_of(const char *name, const char *id)
{
	const size_t length = id ? strlen(id) : 0;

	return !id || (strncmp(name, id, length) == 0 && name[length] == '@');
}

int user_net_list(const struct store *store, struct arena *arena, const char *id,
		  struct user_net_list *ret, struct error *err)
{
	_cleanup_fd_ int fd = user_directory_open(store, DIRECTORY, /* make= */ false, err);
	_cleanup_strv_ struct strv names = {.items = NULL};
	struct user_net_list list = {.count = 0};
	int r = fd < 0 ? fd : store_names(fd, DIRECTORY, SUFFIX, &names, err);

	if (r >= 0)
		list.items = arena_alloc(arena, names.count + 1, sizeof(*list.items));
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		if (is_of(names.items[i], id))
			r = read_record(fd, arena, names.items[i], &list.items[list.count++], err);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = list;
	return 0;
}

static int drop_unfinished(void *data, const char *name, struct error *err)
{
	const int *fd = data;

	if (!store_is_unfinished(name) || unlinkat(*fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return fail(err, -errno, "remove \"" DIRECTORY "/%s\"", name);
}

int user_record_tidy(const struct store *store, struct error *err)
{
	_cleanup_fd_ int fd = user_directory_open(store, DIRECTORY, /* make= */ false, err);
	int directory = fd;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return store_each(fd, DIRECTORY, drop_unfinished, &directory, err);
}
