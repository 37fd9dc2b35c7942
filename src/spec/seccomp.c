/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.seccomp. */
#include "tables-internal.h"

/* The highest number that a system call can return as an error. */
#define ERRNO_MAX 4095

const char *const seccomp_action_names[SECCOMP_ACTION_MAX] = {
	[SECCOMP_ACTION_KILL] = "SCMP_ACT_KILL",
	[SECCOMP_ACTION_KILL_PROCESS] = "SCMP_ACT_KILL_PROCESS",
	[SECCOMP_ACTION_KILL_THREAD] = "SCMP_ACT_KILL_THREAD",
	[SECCOMP_ACTION_TRAP] = "SCMP_ACT_TRAP",
	[SECCOMP_ACTION_ERRNO] = "SCMP_ACT_ERRNO",
	[SECCOMP_ACTION_TRACE] = "SCMP_ACT_TRACE",
	[SECCOMP_ACTION_ALLOW] = "SCMP_ACT_ALLOW",
	[SECCOMP_ACTION_LOG] = "SCMP_ACT_LOG",
	[SECCOMP_ACTION_NOTIFY] = "SCMP_ACT_NOTIFY",
};

const char *const seccomp_operator_names[SECCOMP_OPERATOR_MAX] = {
	[SECCOMP_OPERATOR_NE] = "SCMP_CMP_NE",
	[SECCOMP_OPERATOR_LT] = "SCMP_CMP_LT",
	[SECCOMP_OPERATOR_LE] = "SCMP_CMP_LE",
	[SECCOMP_OPERATOR_EQ] = "SCMP_CMP_EQ",
	[SECCOMP_OPERATOR_GE] = "SCMP_CMP_GE",
	[SECCOMP_OPERATOR_GT] = "SCMP_CMP_GT",
	[SECCOMP_OPERATOR_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

const char *const seccomp_flag_names[] = {
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	NULL,
};

const char *const seccomp_arch_names[] = {
	"SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",	    "SCMP_ARCH_ARM",
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",	   "SCMP_ARCH_MIPS64",	    "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",	    "SCMP_ARCH_S390X",
	"SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",	    "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",    "SCMP_ARCH_SH",	   "SCMP_ARCH_SHEB",	    NULL,
};

/* Reads one of @count names into the enum-sized *@base. */
static int decode_word(const struct node *node, const char *const *known, size_t count, int *ret,
		       struct error *err)
{
	const char *names[SECCOMP_ACTION_MAX + SECCOMP_OPERATOR_MAX + 1] = {NULL};
	int r;

	memcpy(names, known, count * sizeof(*known));
	r = decode_choice(node, names, err);
	if (r < 0)
		return r;
	*ret = r;
	return 0;
}

static int decode_action(const struct decoder *d, const struct field *field,
			 const struct node *node, void *base, struct error *err)
{
	(void)d;
	(void)field;
	return decode_word(node, seccomp_action_names, SECCOMP_ACTION_MAX, base, err);
}

static int decode_operator(const struct decoder *d, const struct field *field,
			   const struct node *node, void *base, struct error *err)
{
	(void)d;
	(void)field;
	return decode_word(node, seccomp_operator_names, SECCOMP_OPERATOR_MAX, base, err);
}

/* The action @action gives the process no number, so one for it would be lost. */
static int check_errno(const struct node *node, const char *member, enum seccomp_action action,
		       struct error *err)
{
	const struct node at = node_member(node, member);

	if (action == SECCOMP_ACTION_ERRNO || action == SECCOMP_ACTION_TRACE)
		return 0;
	return refuse_at(&at, err, "goes with SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not with %s",
			 seccomp_action_names[action]);
}

static const struct field arg_fields[] = {
	{.name = "index",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_seccomp_arg, index),
	 RANGE(0, SECCOMP_ARGS_MAX - 1)},
	{.name = "value",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_seccomp_arg, value),
	 RANGE(0, UINT64_MAX)},
	{.name = "valueTwo",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_seccomp_arg, value_two),
	 RANGE(0, UINT64_MAX)},
	{.name = "op",
	 .kind = FIELD_CUSTOM,
	 .required = true,
	 AT(struct spec_seccomp_arg, op),
	 .custom = decode_operator},
};

static const struct table arg_table = {FIELDS(arg_fields), .size = sizeof(struct spec_seccomp_arg)};

static int check_rule(const struct decoder *d, const struct node *node, void *base,
		      struct error *err)
{
	const struct spec_seccomp_rule *rule = base;
	const struct node names = node_member(node, "names");

	(void)d;
	if (rule->names[0] == NULL)
		return refuse_at(&names, err, "must have at least one item");
	for (size_t i = 0; rule->names[i] != NULL; i++) {
		const struct node at = node_item(&names, i, NULL);

		if (rule->names[i][0] == '\0')
			return refuse_at(&at, err, "must not be empty");
	}
	return rule->errno_set ? check_errno(node, "errnoRet", rule->action, err) : 0;
}

static const struct field rule_fields[] = {
	{.name = "names",
	 .kind = FIELD_STRINGS,
	 .required = true,
	 AT(struct spec_seccomp_rule, names)},
	{.name = "action",
	 .kind = FIELD_CUSTOM,
	 .required = true,
	 AT(struct spec_seccomp_rule, action),
	 .custom = decode_action},
	{.name = "errnoRet",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_seccomp_rule, errno_ret),
	 FLAG(struct spec_seccomp_rule, errno_set),
	 RANGE(0, ERRNO_MAX)},
	{.name = "args",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_seccomp_rule, args),
	 .count = offsetof(struct spec_seccomp_rule, arg_count),
	 .table = &arg_table},
};

static const struct table rule_table = {
	FIELDS(rule_fields), .size = sizeof(struct spec_seccomp_rule), .check = check_rule};

/* Each string of a list must be one of @known; *ret_mask (may be NULL) has bits by their index. */
static int decode_known(const struct decoder *d, const struct node *node, const char *const *known,
			const char *const **ret, uint32_t *ret_mask, struct error *err)
{
	const char *const *list;
	uint32_t mask = 0;
	int r = decode_strings(d, node, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; list[i] != NULL; i++) {
		const struct node at = node_item(node, i, NULL);
		int index = choice_index(known, list[i]);

		if (index < 0)
			return refuse_choice(&at, list[i], known, err);
		mask |= 1u << index;
	}
	*ret = list;
	*ret_mask = mask;
	return 0;
}

static int decode_flags(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	struct spec_seccomp *seccomp = base;
	const char *const *list;

	(void)field;
	return decode_known(d, node, seccomp_flag_names, &list, &seccomp->flags, err);
}

static int decode_architectures(const struct decoder *d, const struct field *field,
				const struct node *node, void *base, struct error *err)
{
	struct spec_seccomp *seccomp = base;
	uint32_t mask;

	(void)field;
	return decode_known(d, node, seccomp_arch_names, &seccomp->architectures, &mask, err);
}

/* An agent is asked by SCMP_ACT_NOTIFY alone; otherwise its path has no meaning. */
static int check_listener(const struct node *node, const struct node *action,
			  const struct spec_seccomp *seccomp, struct error *err)
{
	const struct node path = node_member(node, "listenerPath");
	const char *text = seccomp->listener_path;

	if (text == NULL)
		return refuse_at(action, err,
				 "SCMP_ACT_NOTIFY needs somebody who is asked: "
				 "linux.seccomp.listenerPath");
	if (text[0] != '/' && text[0] != '@')
		return refuse_at(&path, err,
				 "\"%s\" is neither absolute nor the name of an abstract socket "
				 "(\"@NAME\")",
				 text);
	return 0;
}

static int check_notify(const struct node *node, struct spec_seccomp *seccomp, struct error *err)
{
	const struct node rules = node_member(node, "syscalls");
	const struct node whole = node_member(node, "defaultAction");

	if (seccomp->default_action == SECCOMP_ACTION_NOTIFY) {
		seccomp->notifies = true;
		return check_listener(node, &whole, seccomp, err);
	}
	for (size_t i = 0; i < seccomp->rule_count; i++) {
		const struct node rule = node_item(&rules, i, NULL);
		const struct node action = {.up = &rule, .member = "action"};

		if (seccomp->rules[i].action != SECCOMP_ACTION_NOTIFY)
			continue;
		seccomp->notifies = true;
		return check_listener(node, &action, seccomp, err);
	}
	return 0;
}

static int check_seccomp(const struct decoder *d, const struct node *node, void *base,
			 struct error *err)
{
	static const char *const native[] = {NULL};
	struct spec_seccomp *seccomp = base;
	const struct node metadata = node_member(node, "listenerMetadata");
	int r = 0;

	(void)d;
	if (seccomp->architectures == NULL)
		seccomp->architectures = native;
	if (seccomp->listener_metadata != NULL && seccomp->listener_path == NULL)
		return refuse_at(&metadata, err, "must not be there without listenerPath");
	if (seccomp->default_errno_set)
		r = check_errno(node, "defaultErrnoRet", seccomp->default_action, err);
	return r < 0 ? r : check_notify(node, seccomp, err);
}

static const struct field seccomp_fields[] = {
	{.name = "defaultAction",
	 .kind = FIELD_CUSTOM,
	 .required = true,
	 AT(struct spec_seccomp, default_action),
	 .custom = decode_action},
	{.name = "defaultErrnoRet",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_seccomp, default_errno),
	 FLAG(struct spec_seccomp, default_errno_set),
	 RANGE(0, ERRNO_MAX)},
	{.name = "architectures", .kind = FIELD_CUSTOM, .custom = decode_architectures},
	{.name = "flags",
	 .kind = FIELD_CUSTOM,
	 FLAG(struct spec_seccomp, flags_given),
	 .custom = decode_flags},
	{.name = "listenerPath", .kind = FIELD_STRING, AT(struct spec_seccomp, listener_path)},
	{.name = "listenerMetadata",
	 .kind = FIELD_STRING,
	 AT(struct spec_seccomp, listener_metadata)},
	{.name = "syscalls",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_seccomp, rules),
	 .count = offsetof(struct spec_seccomp, rule_count),
	 .table = &rule_table},
};

const struct table seccomp_table = {FIELDS(seccomp_fields), .size = sizeof(struct spec_seccomp),
				    .check = check_seccomp};
