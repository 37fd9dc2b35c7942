/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs in the container: the image's User or --user, looked up in the image's own /etc/passwd
 * and /etc/group. image-spec config.md and conversion.md, "Config.User".
 *
 * What is written in digits is a number, even where a user has such a name. The user's further
 * groups are taken only where he is given by name, and no group is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "berth/base/fd.h"

#include "bundle-internal.h"

#define USER_FILE_MAX (4u << 20)
#define LINE_MAX      (64u << 10) /* longer ones are passed over */
#define ID_MAX	      INT32_MAX	  /* as Docker */
#define GROUPS_MAX    65536	  /* of the kernel */

struct user_text {
	char *user, *group; /* "" where not given; owned */
};

static void user_text_done(struct user_text *text)
{
	free(text->user);
	free(text->group);
}
#define _cleanup_user_text_ __attribute__((cleanup(user_text_done)))

static void split_user(const char *text, struct user_text *ret)
{
	size_t length = strcspn(text, ":");

	ret->user = xstrndup(text, length);
	ret->group = xstrdup(text[length] ? text + length + 1 : "");
}

/* 1: a number, *ret is set. 0: a name. -ERANGE. */
static int read_id(const char *text, uint32_t *ret)
{
	const size_t zeros = strspn(text, "0");
	int r;

	if (text[0] == '\0' || text[strspn(text, "0123456789")])
		return 0;
	r = str_to_u32(text[zeros] ? text + zeros : "0", ret);
	return r < 0 || *ret > ID_MAX ? -ERANGE : 1;
}

int bundle_user_check(const char *text, struct error *err)
{
	_cleanup_user_text_ struct user_text parts = {0};
	uint32_t id;

	split_user(text, &parts);
	if (strchr(parts.group, ':') || text[strcspn(text, " \t\n,/")])
		return refuse(err, "\"%s\" is not USER[:GROUP]", text);
	if (read_id(parts.user, &id) < 0 || read_id(parts.group, &id) < 0)
		return refuse(err, "\"%s\": the largest number of a user is %d", text, ID_MAX);
	return 0;
}

/* --- the lines of the two files ----------------------------------------------------------- */

/* Cuts the next line off; NULL at the end. What is too long for a line is left out. */
static char *next_line(char **rest)
{
	while (**rest) {
		char *line = *rest;
		const size_t length = strcspn(line, "\n");

		*rest = line + length + (line[length] == '\n');
		line[length] = '\0';
		if (length > 0 && length <= LINE_MAX && !strchr("+-#", line[0]))
			return line;
	}
	return NULL;
}

/* Cuts the next field off; "" where there is none. */
static char *next_field(char **rest, char separator)
{
	char *field = *rest;
	char *end = strchr(field, separator);

	if (!end) {
		*rest = field + strlen(field);
		return field;
	}
	*end = '\0';
	*rest = end + 1;
	return field;
}

struct passwd_line {
	const char *name, *home;
	uint32_t uid, gid;
};

static bool read_passwd_line(char *line, struct passwd_line *ret)
{
	const char *uid, *gid;

	ret->name = next_field(&line, ':');
	next_field(&line, ':');
	uid = next_field(&line, ':');
	gid = next_field(&line, ':');
	next_field(&line, ':');
	ret->home = next_field(&line, ':');
	return ret->name[0] && read_id(uid, &ret->uid) > 0 && read_id(gid, &ret->gid) > 0;
}

struct group_line {
	const char *name;
	char *members; /* with commas between them */
	uint32_t gid;
};

static bool read_group_line(char *line, struct group_line *ret)
{
	const char *gid;

	ret->name = next_field(&line, ':');
	next_field(&line, ':');
	gid = next_field(&line, ':');
	ret->members = line;
	return ret->name[0] && read_id(gid, &ret->gid) > 0;
}

/*
 * Reads a file of the image; one that is not there is empty. What it is is found out before it is
 * opened for reading: a device would act, a fifo wait (CVE-2024-9676).
 */
static int read_file(const struct merged *merged, const char *path, char **ret, struct error *err)
{
	_cleanup_fd_ int place = merged_open(merged, path, O_PATH);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (place == -ENOENT || place == -ENOTDIR) {
		*ret = xstrdup("");
		return 0;
	}
	if (place < 0)
		return fail(err, place, "%s of the image", path);
	if (fstat(place, &st) < 0)
		return fail(err, -errno, "%s of the image", path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, "%s of the image is no regular file", path);
	fd = merged_open(merged, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(err, fd, "%s of the image", path);
	return file_read_fd(fd, path, USER_FILE_MAX, ret, NULL, err);
}

/* --- looking up ---------------------------------------------------------------------------- */

struct lookup {
	const struct merged *merged;
	struct arena *arena;
	struct bundle_user *result;
	const char *user, *group; /* "" where not given */
};

/* Fills in what /etc/passwd says. *ret_name: the user's name, in the arena, or NULL. */
static int look_in_passwd(const struct lookup *look, bool is_number, const char **ret_name,
			  struct error *err)
{
	struct bundle_user *result = look->result;
	_cleanup_free_ char *text = NULL;
	char *line;
	int r = read_file(look->merged, "/etc/passwd", &text, err);

	if (r < 0 || !text)
		return r;
	for (char *rest = text; (line = next_line(&rest));) {
		struct passwd_line entry;

		if (!read_passwd_line(line, &entry))
			continue;
		if (is_number ? entry.uid != result->uid : !str_equal(entry.name, look->user))
			continue;
		result->uid = entry.uid;
		result->gid = entry.gid;
		result->home = arena_strdup(look->arena, entry.home);
		*ret_name = arena_strdup(look->arena, entry.name);
		return 0;
	}
	if (!is_number)
		return refuse(err, "the image has no user \"%s\"", look->user);
	return 0;
}

static bool is_member(char *members, const char *name)
{
	while (*members) {
		if (str_equal(next_field(&members, ','), name))
			return true;
	}
	return false;
}

static void add_group(struct bundle_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == gid)
			return;
	}
	user->groups[user->group_count++] = gid;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* The groups that have @name among their members. */
static int find_groups(const struct lookup *look, const char *name, struct error *err)
{
	struct bundle_user *result = look->result;
	_cleanup_free_ char *text = NULL;
	char *line;
	int r = read_file(look->merged, "/etc/group", &text, err);

	if (r < 0 || !text)
		return r;
	result->groups = arena_alloc(look->arena, count_lines(text), sizeof(*result->groups));
	for (char *rest = text; (line = next_line(&rest));) {
		struct group_line entry;

		if (read_group_line(line, &entry) && is_member(entry.members, name))
			add_group(result, entry.gid);
		if (result->group_count > GROUPS_MAX)
			return refuse(err, "user \"%s\" has more than %d groups", name, GROUPS_MAX);
	}
	return 0;
}

static int find_group(const struct lookup *look, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *line;
	int r = read_id(look->group, &look->result->gid);

	if (r > 0)
		return 0;
	r = read_file(look->merged, "/etc/group", &text, err);
	if (r < 0 || !text)
		return r;
	for (char *rest = text; (line = next_line(&rest));) {
		struct group_line entry;

		if (!read_group_line(line, &entry) || !str_equal(entry.name, look->group))
			continue;
		look->result->gid = entry.gid;
		return 0;
	}
	return refuse(err, "the image has no group \"%s\"", look->group);
}

static int look_up(const struct lookup *look, struct error *err)
{
	const char *name = NULL;
	int is_number = read_id(look->user, &look->result->uid);
	int r;

	/* ":GROUP" is root. */
	if (look->user[0] == '\0')
		is_number = 1;
	r = look_in_passwd(look, is_number, &name, err);
	if (r >= 0 && look->group[0])
		return find_group(look, err);
	/* A number that is some user's gets his groups, too, as with podman and Docker. */
	return r < 0 || !name ? r : find_groups(look, name, err);
}

int bundle_user_find(struct arena *arena, const struct merged *merged, const char *text,
		     struct bundle_user *ret, struct error *err)
{
	_cleanup_user_text_ struct user_text parts = {0};
	struct lookup look = {.merged = merged, .arena = arena, .result = ret};
	int r = bundle_user_check(text, err);

	if (r < 0)
		return within(err, r, "user");
	*ret = (struct bundle_user){.home = "/"};
	split_user(text, &parts);
	look.user = parts.user;
	look.group = parts.group;
	r = look_up(&look, err);
	if (ret->home[0] != '/')
		ret->home = "/";
	return r;
}
