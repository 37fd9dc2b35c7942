/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts that the user asks for: --volume and --tmpfs, read strictly.
 *
 * What comes from the host gets neither set-user-id programs nor devices, unless that is asked for,
 * and is recursive in being read-only, too.
 */
#include <errno.h>
#include <sys/stat.h>

#include "berth/base/path.h"

#include "bundle-internal.h"

/* Words that exclude each other are of one group. */
enum word_group {
	GROUP_ACCESS,
	GROUP_RECURSION,
	GROUP_PROPAGATION,
	GROUP_SUID,
	GROUP_DEV,
	GROUP_EXEC,
	GROUP_IDMAP,
	GROUP_COPY,
	GROUP_MAX
};

#define FOR_BIND  1u
#define FOR_TMPFS 2u
#define FOR_BOTH  (FOR_BIND | FOR_TMPFS)

static const struct word {
	const char *text;
	enum word_group group;
	unsigned kinds;
} words[] = {
	{"ro", GROUP_ACCESS, FOR_BOTH},
	{"rw", GROUP_ACCESS, FOR_BOTH},
	{"bind", GROUP_RECURSION, FOR_BIND},
	{"rbind", GROUP_RECURSION, FOR_BIND},
	{"private", GROUP_PROPAGATION, FOR_BIND},
	{"rprivate", GROUP_PROPAGATION, FOR_BIND},
	{"slave", GROUP_PROPAGATION, FOR_BIND},
	{"rslave", GROUP_PROPAGATION, FOR_BIND},
	{"shared", GROUP_PROPAGATION, FOR_BIND},
	{"rshared", GROUP_PROPAGATION, FOR_BIND},
	{"suid", GROUP_SUID, FOR_BOTH},
	{"nosuid", GROUP_SUID, FOR_BOTH},
	{"dev", GROUP_DEV, FOR_BOTH},
	{"nodev", GROUP_DEV, FOR_BOTH},
	{"exec", GROUP_EXEC, FOR_BOTH},
	{"noexec", GROUP_EXEC, FOR_BOTH},
	{"idmap", GROUP_IDMAP, FOR_BIND},
	{"tmpcopyup", GROUP_COPY, FOR_TMPFS},
};

/* What there is unless a word of the group is given. */
static const char *const bind_defaults[GROUP_MAX] = {
	[GROUP_ACCESS] = "rw",	 [GROUP_RECURSION] = "rbind", [GROUP_PROPAGATION] = "rprivate",
	[GROUP_SUID] = "nosuid", [GROUP_DEV] = "nodev",
};
static const char *const tmpfs_defaults[GROUP_MAX] = {
	[GROUP_ACCESS] = "rw",
	[GROUP_SUID] = "nosuid",
	[GROUP_DEV] = "nodev",
	[GROUP_EXEC] = "noexec",
};

/* One digit at least, and one of @units behind them, or none. */
static bool is_number(const char *text, const char *units)
{
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;

	return digits > 0 && (*unit == '\0' || (strchr(units, *unit) && unit[1] == '\0'));
}

static bool is_size(const char *text)
{
	return is_number(text, "kKmMgG%");
}

static bool is_count(const char *text)
{
	return is_number(text, "kKmMgG");
}

static bool is_mode(const char *text)
{
	const char *digits = text + strspn(text, "0");
	const size_t length = strspn(digits, "01234567");

	return *text && digits[length] == '\0' && length <= 4;
}

static bool is_id(const char *text)
{
	uint32_t id;

	return str_to_u32(text, &id) == 0 && id != UINT32_MAX;
}

/* The settings of a tmpfs, and what can be their values; tmpfs(5). */
static const struct {
	const char *name;
	bool (*is_value)(const char *text);
} settings[] = {
	{"size=", is_size}, {"nr_blocks=", is_count}, {"nr_inodes=", is_count},
	{"mode=", is_mode}, {"uid=", is_id},	      {"gid=", is_id},
};

/* The options of one mount as they are read. */
struct choice {
	unsigned kind;
	bool is_file; /* what is mounted has nothing below it */
	const char *given[GROUP_MAX];
	const char *settings[ARRAY_SIZE(settings)];
};

static int choose_setting(struct choice *choice, const char *text, struct error *err)
{
	for (size_t i = 0; choice->kind == FOR_TMPFS && i < ARRAY_SIZE(settings); i++) {
		size_t length = strlen(settings[i].name);
		const char *value = text + length;

		if (strncmp(text, settings[i].name, length) != 0)
			continue;
		if (!settings[i].is_value(value))
			return refuse(err, "option \"%s\" has no such value", text);
		if (choice->settings[i])
			return refuse(err, "option \"%s\" after \"%s\"", text, choice->settings[i]);
		choice->settings[i] = text;
		return 0;
	}
	return refuse(err, "there is no option \"%s\"", text);
}

static int choose(struct choice *choice, const char *text, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char **given = &choice->given[words[i].group];

		if (!(words[i].kinds & choice->kind) || !str_equal(words[i].text, text))
			continue;
		if (*given && !str_equal(*given, text))
			return refuse(err, "options \"%s\" and \"%s\" contradict each other",
				      *given, text);
		*given = text;
		return 0;
	}
	return choose_setting(choice, text, err);
}

/* @text: words with commas between them. */
static int choose_all(struct arena *arena, const char *text, struct choice *choice,
		      struct error *err)
{
	int r = 0;

	for (const char *rest = text; r >= 0 && rest;) {
		size_t length = strcspn(rest, ",");

		r = choose(choice, arena_strndup(arena, rest, length), err);
		rest = rest[length] ? rest + length + 1 : NULL;
	}
	return r;
}

/* What is to be written for the word that was chosen; a read-only tree is so all the way down. Not
 * so files: crun 1.8 takes "rro" for directories only. */
static const char *written(const struct choice *choice, enum word_group group)
{
	const bool is_bind = choice->kind == FOR_BIND;
	const char *word = choice->given[group];
	const char *recursion = choice->given[GROUP_RECURSION];
	const bool is_flat = choice->is_file || (recursion && str_equal(recursion, "bind"));

	if (!word)
		word = is_bind ? bind_defaults[group] : tmpfs_defaults[group];
	if (word && is_bind && !is_flat && str_equal(word, "ro"))
		return "rro";
	return word;
}

static const char *const *list_options(struct arena *arena, const struct choice *choice)
{
	const size_t room = GROUP_MAX + ARRAY_SIZE(settings) + 1;
	const char **list = arena_alloc(arena, room, sizeof(*list));
	size_t count = 0;

	for (enum word_group group = 0; group < GROUP_MAX; group++) {
		const char *word = written(choice, group);

		if (word)
			list[count++] = word;
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (choice->settings[i])
			list[count++] = choice->settings[i];
	}
	return list;
}

/* Cleaned; *ret belongs to @arena. */
static int read_destination(struct arena *arena, const char *text, const char **ret,
			    struct error *err)
{
	_cleanup_free_ char *clean = NULL;

	if (text[0] != '/')
		return refuse(err, "\"%s\" is no absolute path in the container", text);
	clean = path_join("/", text);
	if (str_equal(clean, "/"))
		return refuse(err, "nothing can be mounted on \"/\"");
	*ret = arena_strdup(arena, clean);
	return 0;
}

/* A path of the host, made absolute; it must be there. */
static int read_source(struct arena *arena, const char *text, const char **ret, bool *ret_is_file,
		       struct error *err)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (text[0] != '/' && text[0] != '.')
		return refuse(err,
			      "\"%s\" is no path (it begins with \"/\", \"./\" or \"../\"); there "
			      "are no named volumes",
			      text);
	path = path_absolute(text);
	if (!path)
		return fail(err, -errno, "find the working directory");
	if (stat(path, &st) < 0)
		return fail(err, -errno, "\"%s\"", path);
	if (!bundle_is_utf8(path))
		return refuse(err, "\"%s\" is not UTF-8, as config.json must be", path);
	*ret = arena_strdup(arena, path);
	*ret_is_file = !S_ISDIR(st.st_mode);
	return 0;
}

static int read_volume(struct arena *arena, const char *text, const struct bundle_plan *plan,
		       struct bundle_mount *ret, struct error *err)
{
	struct choice choice = {.kind = FOR_BIND};
	const char *colon = strchr(text, ':');
	const char *second = colon ? strchr(colon + 1, ':') : NULL;
	const char *destination;
	int r;

	if (!colon)
		return refuse(err, "is not SOURCE:DESTINATION[:OPTIONS]");
	r = read_source(arena, arena_strndup(arena, text, (size_t)(colon - text)), &ret->source,
			&choice.is_file, err);
	if (r < 0)
		return r;
	destination =
		second ? arena_strndup(arena, colon + 1, (size_t)(second - colon - 1)) : colon + 1;
	r = read_destination(arena, destination, &ret->destination, err);
	if (r >= 0 && second)
		r = choose_all(arena, second + 1, &choice, err);
	if (r < 0)
		return r;
	if (choice.given[GROUP_IDMAP] && !plan->map_layers)
		return refuse(err, "option \"idmap\" needs --userns, and root");
	ret->type = "bind";
	ret->options = list_options(arena, &choice);
	return 0;
}

static int read_tmpfs(struct arena *arena, const char *text, struct bundle_mount *ret,
		      struct error *err)
{
	struct choice choice = {.kind = FOR_TMPFS};
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	int r = read_destination(arena, arena_strndup(arena, text, length), &ret->destination, err);

	if (r >= 0 && colon)
		r = choose_all(arena, colon + 1, &choice, err);
	if (r < 0)
		return r;
	ret->type = ret->source = "tmpfs";
	ret->options = list_options(arena, &choice);
	return 0;
}

static int check_destinations(const struct bundle_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (str_equal(plan->mounts[i].destination, plan->mounts[j].destination))
				return refuse(err,
					      "--volume, --tmpfs: two mounts have the place \"%s\"",
					      plan->mounts[i].destination);
		}
	}
	return 0;
}

int bundle_mounts_read(struct arena *arena, const struct bundle_options *options,
		       struct bundle_plan *ret, struct error *err)
{
	const size_t most = options->volumes.count + options->tmpfs.count;
	int r;

	ret->mounts = arena_alloc(arena, most + 1, sizeof(*ret->mounts));
	for (size_t i = 0; i < options->volumes.count; i++) {
		const char *text = options->volumes.items[i];

		r = read_volume(arena, text, ret, &ret->mounts[ret->mount_count++], err);
		if (r < 0)
			return within(err, r, "--volume %s", text);
	}
	for (size_t i = 0; i < options->tmpfs.count; i++) {
		const char *text = options->tmpfs.items[i];

		r = read_tmpfs(arena, text, &ret->mounts[ret->mount_count++], err);
		if (r < 0)
			return within(err, r, "--tmpfs %s", text);
	}
	return check_destinations(ret, err);
}

bool bundle_mounts_overrule(const struct bundle_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		const char *place = plan->mounts[i].destination;
		const size_t length = strlen(place);

		if (strncmp(path, place, length) == 0 && strchr("/", path[length]))
			return true;
	}
	return false;
}
