/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.seccomp, names as written: linux/seccomp.c gives them to libseccomp. */
#ifndef BERTH_SPEC_SECCOMP_H
#define BERTH_SPEC_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_action {
	SECCOMP_ACTION_KILL, /* as KILL_THREAD */
	SECCOMP_ACTION_KILL_PROCESS,
	SECCOMP_ACTION_KILL_THREAD,
	SECCOMP_ACTION_TRAP,
	SECCOMP_ACTION_ERRNO,
	SECCOMP_ACTION_TRACE,
	SECCOMP_ACTION_ALLOW,
	SECCOMP_ACTION_LOG,
	SECCOMP_ACTION_NOTIFY, /* an agent decides, see listener_path */
	SECCOMP_ACTION_MAX
};

enum seccomp_operator {
	SECCOMP_OPERATOR_NE,
	SECCOMP_OPERATOR_LT,
	SECCOMP_OPERATOR_LE,
	SECCOMP_OPERATOR_EQ,
	SECCOMP_OPERATOR_GE,
	SECCOMP_OPERATOR_GT,
	SECCOMP_OPERATOR_MASKED_EQ,
	SECCOMP_OPERATOR_MAX
};

extern const char *const seccomp_action_names[SECCOMP_ACTION_MAX];     /* "SCMP_ACT_KILL", … */
extern const char *const seccomp_operator_names[SECCOMP_OPERATOR_MAX]; /* "SCMP_CMP_NE", … */
/* NULL-terminated: "SECCOMP_FILTER_FLAG_TSYNC", …; bit i of spec_seccomp.flags is name i. */
extern const char *const seccomp_flag_names[];
/* NULL-terminated: "SCMP_ARCH_X86", … */
extern const char *const seccomp_arch_names[];

#define SECCOMP_ARGS_MAX 6

struct spec_seccomp_arg {
	uint32_t index; /* 0 to 5 */
	enum seccomp_operator op;
	uint64_t value;
	uint64_t value_two; /* MASKED_EQ: what (argument & value) must equal */
};

/* linux.seccomp.syscalls[] */
struct spec_seccomp_rule {
	const char *const *names; /* NULL-terminated, at least one */
	enum seccomp_action action;
	bool errno_set;
	uint32_t errno_ret;
	const struct spec_seccomp_arg *args;
	size_t arg_count;
};

struct spec_seccomp {
	enum seccomp_action default_action;
	bool default_errno_set;
	uint32_t default_errno;
	const char *const *architectures; /* NULL-terminated; may be empty: the native one */
	bool flags_given;
	uint32_t flags;		   /* bits by seccomp_flag_names */
	bool notifies;		   /* an action is SCMP_ACT_NOTIFY; then there is a listener_path */
	const char *listener_path; /* absolute, or "@NAME"; NULL: none */
	const char *listener_metadata; /* NULL: none */
	const struct spec_seccomp_rule *rules;
	size_t rule_count;
};

#endif
