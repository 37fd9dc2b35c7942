/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `process`. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "tables-internal.h"

/* The highest id: the one above stands for "no id" in system calls. */
#define ID_MAX 4294967294u

static const struct {
	const char *name;
	int resource;
} rlimits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

int rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++) {
		if (str_equal(rlimits[i].name, name))
			return rlimits[i].resource;
	}
	return -EINVAL;
}

static int decode_rlimit_type(const struct decoder *d, const struct field *field,
			      const struct node *node, void *base, struct error *err)
{
	const char *names[ARRAY_SIZE(rlimits) + 1];
	struct spec_rlimit *rlimit = base;
	int r = decode_string(node, &rlimit->name, err);

	(void)d;
	(void)field;
	if (r < 0)
		return r;
	rlimit->resource = rlimit_number(rlimit->name);
	if (rlimit->resource >= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
		names[i] = rlimits[i].name;
	names[ARRAY_SIZE(rlimits)] = NULL;
	return refuse_choice(node, rlimit->name, names, err);
}

static int check_rlimit(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	const struct spec_rlimit *rlimit = base;
	const struct node soft = node_member(node, "soft");

	(void)d;
	if (rlimit->soft > rlimit->hard)
		return refuse_at(&soft, err, "%" PRIu64 " is more than the hard limit, %" PRIu64,
				 rlimit->soft, rlimit->hard);
	return 0;
}

static const struct field rlimit_fields[] = {
	{.name = "type", .kind = FIELD_CUSTOM, .required = true, .custom = decode_rlimit_type},
	{.name = "soft",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_rlimit, soft),
	 RANGE(0, UINT64_MAX)},
	{.name = "hard",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_rlimit, hard),
	 RANGE(0, UINT64_MAX)},
};

static const struct table rlimit_table = {FIELDS(rlimit_fields), .size = sizeof(struct spec_rlimit),
					  .check = check_rlimit};

static int decode_groups(const struct decoder *d, const struct field *field,
			 const struct node *node, void *base, struct error *err)
{
	struct spec_process *process = base;
	gid_t *groups;
	size_t i = 0;
	int r = node_expect(node, JSON_ARRAY, err);

	(void)field;
	if (r < 0)
		return r;
	groups = arena_alloc(d->arena, node->value->count, sizeof(*groups));
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		struct node at = node_item(node, i, item);
		uint64_t gid;

		r = decode_number(&at, 0, ID_MAX, &gid, err);
		if (r < 0)
			return r;
		groups[i++] = (gid_t)gid;
	}
	process->groups = groups;
	process->group_count = i;
	return 0;
}

static const struct field user_fields[] = {
	{.name = "uid",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_process, uid),
	 RANGE(0, ID_MAX)},
	{.name = "gid",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_process, gid),
	 RANGE(0, ID_MAX)},
	{.name = "umask",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_process, umask),
	 FLAG(struct spec_process, umask_set),
	 RANGE(0, 0777)},
	{.name = "additionalGids", .kind = FIELD_CUSTOM, .custom = decode_groups},
};

static const struct table user_table = {FIELDS(user_fields), .size = sizeof(struct spec_process)};

#define CAPABILITY_SET(text, set)                                                                  \
	{                                                                                          \
		.name = (text), .kind = FIELD_CUSTOM, .argument = (set),                           \
		.custom = capability_set_decode                                                    \
	}

static const struct field capability_fields[] = {
	CAPABILITY_SET("bounding", CAPABILITY_BOUNDING),
	CAPABILITY_SET("effective", CAPABILITY_EFFECTIVE),
	CAPABILITY_SET("inheritable", CAPABILITY_INHERITABLE),
	CAPABILITY_SET("permitted", CAPABILITY_PERMITTED),
	CAPABILITY_SET("ambient", CAPABILITY_AMBIENT),
};

static_assert(ARRAY_SIZE(capability_fields) == CAPABILITY_SET_MAX, "every set has its field");

static const struct table capability_table = {FIELDS(capability_fields),
					      .size = sizeof(struct spec_capabilities)};

static int decode_environment(const struct decoder *d, const struct field *field,
			      const struct node *node, void *base, struct error *err)
{
	const char *const **env = base;
	int r = decode_strings(d, node, env, err);

	(void)field;
	return r < 0 ? r : environment_check(node, *env, err);
}

int environment_check(const struct node *node, const char *const *env, struct error *err)
{
	for (size_t i = 0; env[i] != NULL; i++) {
		const struct node at = node_item(node, i, NULL);

		if (env[i][0] == '=' || strchr(env[i], '=') == NULL)
			return refuse_at(&at, err, "\"%.100s\" is not NAME=VALUE", env[i]);
	}
	return 0;
}

static int check_args(const struct node *node, const struct spec_process *process,
		      struct error *err)
{
	const struct node args = node_member(node, "args");
	const struct node first = node_item(&args, 0, NULL);

	if (process->args[0] == NULL)
		return refuse_at(&args, err, "must have at least one item");
	if (process->args[0][0] == '\0')
		return refuse_at(&first, err, "must not be empty");
	return 0;
}

static int check_rlimits(const struct node *node, const struct spec_process *process,
			 struct error *err)
{
	const struct node list = node_member(node, "rlimits");
	uint32_t seen = 0;

	for (size_t i = 0; i < process->rlimit_count; i++) {
		const struct spec_rlimit *rlimit = &process->rlimits[i];
		const struct node item = node_item(&list, i, NULL);

		if (seen & 1u << rlimit->resource)
			return refuse_at(&item, err, "%s is in the list already", rlimit->name);
		seen |= 1u << rlimit->resource;
	}
	return 0;
}

static int check_process(const struct decoder *d, const struct node *node, void *base,
			 struct error *err)
{
	static const char *const no_env[] = {NULL};
	struct spec_process *process = base;
	int r = check_args(node, process, err);

	(void)d;
	if (r < 0)
		return r;
	if (process->env == NULL)
		process->env = no_env;
	return check_rlimits(node, process, err);
}

/* Without process.terminal the size has no meaning. The kernel has 16 bits for each side. */
static const struct field console_size_fields[] = {
	{.name = "height",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_process, console_height),
	 RANGE(0, UINT16_MAX)},
	{.name = "width",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_process, console_width),
	 RANGE(0, UINT16_MAX)},
};

static const struct table console_size_table = {FIELDS(console_size_fields),
						.size = sizeof(struct spec_process)};

static const struct field exec_affinity_fields[] = {
	{.name = "initial",
	 .kind = FIELD_CUSTOM,
	 AT(struct spec_exec_affinity, initial),
	 .custom = number_list_decode},
	{.name = "final",
	 .kind = FIELD_CUSTOM,
	 AT(struct spec_exec_affinity, final),
	 .custom = number_list_decode},
};

static const struct table exec_affinity_table = {FIELDS(exec_affinity_fields),
						 .size = sizeof(struct spec_exec_affinity)};

static const struct field process_fields[] = {
	{.name = "terminal", .kind = FIELD_BOOL, AT(struct spec_process, terminal)},
	{.name = "consoleSize", .kind = FIELD_OBJECT, .table = &console_size_table},
	{.name = "cwd", .kind = FIELD_PATH, .required = true, AT(struct spec_process, cwd)},
	{.name = "args", .kind = FIELD_STRINGS, .required = true, AT(struct spec_process, args)},
	{.name = "env",
	 .kind = FIELD_CUSTOM,
	 AT(struct spec_process, env),
	 .custom = decode_environment},
	{.name = "user", .kind = FIELD_OBJECT, .table = &user_table},
	{.name = "capabilities",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_process, capabilities),
	 FLAG(struct spec_process, capabilities.given),
	 .table = &capability_table},
	{.name = "rlimits",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_process, rlimits),
	 .count = offsetof(struct spec_process, rlimit_count),
	 .table = &rlimit_table},
	{.name = "noNewPrivileges", .kind = FIELD_BOOL, AT(struct spec_process, no_new_privileges)},
	{.name = "oomScoreAdj",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_process, oom_score_adj),
	 FLAG(struct spec_process, oom_score_adj_set),
	 RANGE(-1000, 1000)},
	{.name = "apparmorProfile",
	 .kind = FIELD_STRING,
	 AT(struct spec_process, apparmor_profile)},
	{.name = "selinuxLabel", .kind = FIELD_STRING, AT(struct spec_process, selinux_label)},
	{.name = "execCPUAffinity",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_process, exec_affinity),
	 .table = &exec_affinity_table},
	{.name = "scheduler",
	 .kind = FIELD_POINTER,
	 AT(struct spec_process, scheduling.scheduler),
	 .table = &scheduler_table},
	{.name = "ioPriority",
	 .kind = FIELD_POINTER,
	 AT(struct spec_process, scheduling.io_priority),
	 .table = &io_priority_table},
};

const struct table process_table = {FIELDS(process_fields), .size = sizeof(struct spec_process),
				    .check = check_process};

static int parse_id(const char *what, const char *text, uint32_t *ret, struct error *err)
{
	uint32_t id;

	if (str_to_u32(text, &id) < 0 || id > ID_MAX)
		return refuse(err, "%s \"%.100s\" is not a number from 0 to %u", what, text,
			      ID_MAX);
	*ret = id;
	return 0;
}

int spec_parse_user(const char *text, uid_t *uid, gid_t *gid, struct error *err)
{
	const char *colon = strchr(text, ':');
	_cleanup_free_ char *user = colon != NULL ? xstrndup(text, (size_t)(colon - text)) : NULL;
	uid_t id = 0;
	int r = parse_id("user id", user != NULL ? user : text, &id, err);

	if (r < 0)
		return r;
	if (colon != NULL) {
		r = parse_id("group id", colon + 1, gid, err);
		if (r < 0)
			return r;
	}
	*uid = id;
	return 0;
}
