/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: from config.json to a program of the kernel, and loading it.
 *
 * Theory of operation. The parent compiles (or takes a program from the cache) before anything is
 * made, so that a filter that cannot be built stops the container early; the child only loads what
 * it was given. libseccomp builds the program; it is taken out through a file in memory, because
 * libseccomp's own loading would decide about no_new_privs and flags that are ours to decide.
 */
#include "berth/linux/seccomp.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "seccomp-internal.h"

/* Level of libseccomp's optimisation that makes a binary tree of the system call numbers. */
#define OPTIMIZE_TREE 2

/* The bit that tells x32's numbers from those of x86-64, with which it shares its architecture. */
#define X32_BIT 0x40000000u

/* ARM's own calls (cacheflush and so on) begin here, far above the others. */
#define ARM_PRIVATE 0x0f0000u

#define TEXT(x)	 #x
#define VALUE(x) TEXT(x)

/* berth is linked statically: the library is the one whose header this is. */
const char *seccomp_library_version(void)
{
	return VALUE(SCMP_VER_MAJOR) "." VALUE(SCMP_VER_MINOR) "." VALUE(SCMP_VER_MICRO);
}

static void cleanup_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

#define _cleanup_filter_ __attribute__((cleanup(cleanup_filter)))

/* --- words of the specification, in libseccomp's and the kernel's ------------------------- */

#define WAIT_KILLABLE "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

static const struct {
	const char *name;
	uint32_t flag;
} kernel_flags[] = {
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{WAIT_KILLABLE, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
	/* SECCOMP_FILTER_FLAG_TSYNC is about threads, of which there is one. */
};

static uint32_t kernel_flag(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_flags); i++) {
		if (str_equal(kernel_flags[i].name, name))
			return kernel_flags[i].flag;
	}
	return 0;
}

static uint32_t flags_of(const struct spec_seccomp *spec)
{
	uint32_t flags = spec->notifies ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

	/* As runc: without this, a mitigation slows some programs down to half (spectre v4). */
	if (!spec->flags_given)
		return flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (unsigned i = 0; seccomp_flag_names[i]; i++) {
		if (spec->flags & (1u << i))
			flags |= kernel_flag(seccomp_flag_names[i]);
	}
	/* It means nothing where nobody is asked, and the kernel refuses it then. */
	if (!spec->notifies)
		flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return flags;
}

/* The kernel looks at the flags first: where it has them all, it finds no program. */
static bool kernel_has(uint32_t flags)
{
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, NULL) == -EFAULT;
}

bool seccomp_flag_is_supported(const char *name)
{
	uint32_t flag = kernel_flag(name);

	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return kernel_has(flag);
}

/* An action in libseccomp's form. @number: its errno, or what the tracer is told. */
static uint32_t action_of(enum seccomp_action action, uint32_t number)
{
	switch (action) {
	case SECCOMP_ACTION_KILL_PROCESS:
		return SCMP_ACT_KILL_PROCESS;
	case SECCOMP_ACTION_TRAP:
		return SCMP_ACT_TRAP;
	case SECCOMP_ACTION_ERRNO:
		return SCMP_ACT_ERRNO(number);
	case SECCOMP_ACTION_TRACE:
		return SCMP_ACT_TRACE(number);
	case SECCOMP_ACTION_ALLOW:
		return SCMP_ACT_ALLOW;
	case SECCOMP_ACTION_LOG:
		return SCMP_ACT_LOG;
	case SECCOMP_ACTION_NOTIFY:
		return SCMP_ACT_NOTIFY;
	case SECCOMP_ACTION_KILL:
	case SECCOMP_ACTION_KILL_THREAD:
	case SECCOMP_ACTION_MAX:
	default:
		return SCMP_ACT_KILL_THREAD;
	}
}

static uint32_t default_errno_of(const struct spec_seccomp *spec)
{
	return spec->default_errno_set ? spec->default_errno : EPERM;
}

static uint32_t default_action_of(const struct spec_seccomp *spec)
{
	return action_of(spec->default_action, default_errno_of(spec));
}

static uint32_t rule_action_of(const struct spec_seccomp_rule *rule)
{
	return action_of(rule->action, rule->errno_set ? rule->errno_ret : EPERM);
}

static const enum scmp_compare operators[] = {
	[SECCOMP_OPERATOR_NE] = SCMP_CMP_NE,
	[SECCOMP_OPERATOR_LT] = SCMP_CMP_LT,
	[SECCOMP_OPERATOR_LE] = SCMP_CMP_LE,
	[SECCOMP_OPERATOR_EQ] = SCMP_CMP_EQ,
	[SECCOMP_OPERATOR_GE] = SCMP_CMP_GE,
	[SECCOMP_OPERATOR_GT] = SCMP_CMP_GT,
	[SECCOMP_OPERATOR_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static_assert(ARRAY_SIZE(operators) == SECCOMP_OPERATOR_MAX, "every operator has its like");

static char small_letter(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* libseccomp's token of an architecture: its own names are ours in small letters. 0: unknown. */
static uint32_t arch_of(const char *name)
{
	char own[32];
	size_t i = 0;

	if (!str_starts(name, "SCMP_ARCH_"))
		return 0;
	name += strlen("SCMP_ARCH_");
	for (; i < sizeof(own) - 1 && name[i]; i++)
		own[i] = small_letter(name[i]);
	own[i] = '\0';
	return seccomp_arch_resolve_name(own);
}

/* --- compiling --------------------------------------------------------------------------- */

static int add_archs(scmp_filter_ctx filter, const struct spec_seccomp *spec, struct error *err)
{
	for (size_t i = 0; spec->architectures && spec->architectures[i]; i++) {
		const char *name = spec->architectures[i];
		uint32_t arch = arch_of(name);
		int r;

		if (!arch)
			return refuse(err,
				      "linux.seccomp.architectures[%zu]: libseccomp %s does not "
				      "know \"%s\"",
				      i, seccomp_library_version(), name);
		/* The native one is there from the beginning. */
		r = seccomp_arch_add(filter, arch);
		if (r == -EDOM)
			return refuse(err,
				      "linux.seccomp.architectures[%zu]: \"%s\" is of another "
				      "byte order than this host",
				      i, name);
		if (r < 0 && r != -EEXIST)
			return fail(err, r, "linux.seccomp.architectures[%zu]: add \"%s\"", i,
				    name);
	}
	return 0;
}

static struct scmp_arg_cmp comparison_of(const struct spec_seccomp_arg *arg)
{
	return (struct scmp_arg_cmp){
		.arg = arg->index,
		.op = operators[arg->op],
		.datum_a = arg->value,
		.datum_b = arg->value_two,
	};
}

/* Whether two conditions are about the same argument, which one rule of libseccomp cannot have. */
static bool repeats_argument(const struct spec_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->arg_count; i++) {
		if (seen & (1u << rule->args[i].index))
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

/*
 * All conditions of a rule must hold; where an argument occurs twice, each condition is a rule of
 * its own (any of them suffices), which is what every other runtime makes of it.
 */
static int add_call(scmp_filter_ctx filter, const struct spec_seccomp_rule *rule, int call)
{
	struct scmp_arg_cmp list[SECCOMP_ARGS_MAX];
	uint32_t action = rule_action_of(rule);
	int r = 0;

	if (rule->arg_count <= SECCOMP_ARGS_MAX && !repeats_argument(rule)) {
		for (size_t i = 0; i < rule->arg_count; i++)
			list[i] = comparison_of(&rule->args[i]);
		return seccomp_rule_add_array(filter, action, call, (unsigned)rule->arg_count,
					      list);
	}
	for (size_t i = 0; i < rule->arg_count && r >= 0; i++) {
		list[0] = comparison_of(&rule->args[i]);
		r = seccomp_rule_add_array(filter, action, call, 1, list);
	}
	return r;
}

static int add_rules(scmp_filter_ctx filter, const struct spec_seccomp *spec, struct error *err)
{
	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];

		/* What happens anyway needs no rule, and libseccomp takes none. */
		if (rule_action_of(rule) == default_action_of(spec))
			continue;
		for (size_t n = 0; rule->names[n]; n++) {
			int call = seccomp_syscall_resolve_name(rule->names[n]);
			int r = call == __NR_SCMP_ERROR ? 0 : add_call(filter, rule, call);

			if (r < 0)
				return fail(err, r,
					    "linux.seccomp.syscalls[%zu].names[%zu]: add "
					    "a rule for \"%s\"",
					    i, n, rule->names[n]);
		}
	}
	return 0;
}

static int build(const struct spec_seccomp *spec, scmp_filter_ctx filter, struct error *err)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);

	if (r >= 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 0);
	if (r >= 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
	if (r < 0)
		return fail(err, r, "linux.seccomp: set up libseccomp");
	r = add_archs(filter, spec, err);
	return r < 0 ? r : add_rules(filter, spec, err);
}

/* Takes the program out of libseccomp. */
static int export_program(scmp_filter_ctx filter, struct seccomp_program *ret, struct error *err)
{
	_cleanup_fd_ int fd = memfd_create("berth-seccomp", MFD_CLOEXEC);
	_cleanup_free_ void *data = NULL;
	struct stat st;
	int r;

	if (fd < 0)
		return fail(err, -errno, "linux.seccomp: make a file in memory");
	r = seccomp_export_bpf(filter, fd);
	if (r < 0)
		return fail(err, r, "linux.seccomp: compile the filter");
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "linux.seccomp: size of the compiled filter");
	data = xcalloc((size_t)st.st_size, 1);
	if (pread(fd, data, (size_t)st.st_size, 0) != st.st_size)
		return refuse_as(err, -EIO, "linux.seccomp: the compiled filter cannot be read");
	ret->count = (size_t)st.st_size / sizeof(struct sock_filter);
	ret->instructions = take_ptr(&data);
	return 0;
}

/* --- calls that the profile cannot know --------------------------------------------------- */

/* Highest number of a call that the profile names; false if it names none of @arch. */
static bool newest_of(const struct spec_seccomp *spec, uint32_t arch, uint32_t end,
		      uint32_t *ret_newest)
{
	bool found = false;

	for (size_t i = 0; i < spec->rule_count; i++) {
		for (const char *const *name = spec->rules[i].names; *name; name++) {
			int call = seccomp_syscall_resolve_name_arch(arch, *name);
			uint32_t number = (uint32_t)call;

			/* Below 0: there is no such call on this architecture. */
			if (call < 0)
				continue;
			if (arch == SCMP_ARCH_X32)
				number |= X32_BIT;
			if (number >= end || (found && number <= *ret_newest))
				continue;
			*ret_newest = number;
			found = true;
		}
	}
	return found;
}

static bool unknown_of(const struct spec_seccomp *spec, uint32_t arch, struct seccomp_unknown *ret)
{
	*ret = (struct seccomp_unknown){.audit_arch = arch, .end = X32_BIT};
	if (arch == SCMP_ARCH_X32) {
		ret->audit_arch = SCMP_ARCH_X86_64;
		ret->end = 2 * X32_BIT;
	}
	if (arch == SCMP_ARCH_ARM)
		ret->end = ARM_PRIVATE;
	return newest_of(spec, arch, ret->end, &ret->newest);
}

static void add_stub(const struct spec_seccomp *spec, struct seccomp_program *program)
{
	_cleanup_free_ struct seccomp_unknown *list = NULL;
	uint32_t native = seccomp_arch_native();
	size_t names = 0, count = 0;

	if (spec->default_action != SECCOMP_ACTION_ERRNO || default_errno_of(spec) == ENOSYS)
		return;
	while (spec->architectures && spec->architectures[names])
		names++;
	list = xcalloc(names + 1, sizeof(*list));
	/* The native one first: nearly every call is its. */
	count += unknown_of(spec, native, &list[count]);
	for (size_t i = 0; i < names; i++) {
		uint32_t arch = arch_of(spec->architectures[i]);

		if (arch != native)
			count += unknown_of(spec, arch, &list[count]);
	}
	seccomp_stub_prepend(list, count, program);
}

static int compile(const struct spec_seccomp *spec, struct seccomp_program *ret, struct error *err)
{
	_cleanup_filter_ scmp_filter_ctx filter = seccomp_init(default_action_of(spec));
	int r;

	if (!filter)
		return refuse(err,
			      "linux.seccomp.defaultAction: libseccomp does not take \"%s\" on "
			      "this kernel",
			      seccomp_action_names[spec->default_action]);
	r = build(spec, filter, err);
	if (r >= 0)
		r = export_program(filter, ret, err);
	if (r < 0)
		return r;
	add_stub(spec, ret);
	return 0;
}

static int check_size(const struct seccomp_program *program, struct error *err)
{
	if (program->count <= BPF_MAXINSNS)
		return 0;
	return refuse_as(err, -E2BIG,
			 "linux.seccomp: the compiled filter has %zu instructions, but the kernel "
			 "takes at most %d",
			 program->count, BPF_MAXINSNS);
}

/* --- contract ----------------------------------------------------------------------------- */

/* Takes it from the cache, or compiles and keeps it. */
static int find_program(const struct spec_seccomp *spec, int cachefd, struct seccomp_program *ret,
			struct error *err)
{
	_cleanup_buf_ struct buf key = BUF_EMPTY;
	int r;

	seccomp_cache_key(spec, seccomp_library_version(), seccomp_arch_native(), &key);
	if (seccomp_cache_load(cachefd, &key, ret))
		return 0;
	r = compile(spec, ret, err);
	if (r >= 0)
		r = check_size(ret, err);
	if (r >= 0)
		seccomp_cache_store(cachefd, &key, ret);
	return r;
}

/* What a filter with a listener needs besides; its pass is of this process, and never kept. */
static int prepare_listener(const struct spec_seccomp *spec, struct seccomp_program *program,
			    struct error *err)
{
	int r = seccomp_agent_check(spec, err);

	if (r < 0)
		return r;
	if (!kernel_has(program->flags))
		return refuse_as(err, -EOPNOTSUPP,
				 "linux.seccomp.flags: this kernel lacks " WAIT_KILLABLE
				 " (needs Linux 5.19)");
	seccomp_pass_prepend(seccomp_arch_native(), program);
	return check_size(program, err);
}

int seccomp_prepare(const struct spec_seccomp *spec, int cachefd, struct seccomp_program *ret,
		    struct error *err)
{
	struct seccomp_program program = {.instructions = NULL};
	int r;

	*ret = program;
	if (!spec)
		return 0;
	r = find_program(spec, cachefd, &program, err);
	program.flags = flags_of(spec);
	if (r >= 0 && spec->notifies)
		r = prepare_listener(spec, &program, err);
	if (r < 0) {
		seccomp_program_done(&program);
		return r;
	}
	*ret = program;
	return 0;
}

void seccomp_program_done(struct seccomp_program *program)
{
	free(program->instructions);
	*program = (struct seccomp_program){.instructions = NULL};
}

static const char *load_hint(const struct seccomp_program *program, int code)
{
	switch (-code) {
	case EACCES:
		return ": without process.noNewPrivileges it needs CAP_SYS_ADMIN";
	case EBUSY:
		return ": one that berth itself was started with has a listener already";
	case EMFILE:
		return program->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER
			       ? ": RLIMIT_NOFILE of process.rlimits leaves no room for its "
				 "listener"
			       : "";
	default:
		return "";
	}
}

int seccomp_apply(const struct seccomp_program *program, struct seccomp_listener *ret,
		  struct error *err)
{
	struct sock_fprog code = {.len = (unsigned short)program->count,
				  .filter = program->instructions};
	const bool listens = program->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int r = 0;

	*ret = (struct seccomp_listener){.fd = -EBADF};
	if (!program->instructions)
		return 0;
	if (listens)
		r = seccomp_pass_draw(program, &ret->pass, err);
	if (r < 0)
		return r;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, program->flags, &code);
	if (r < 0)
		return fail(err, r, "linux.seccomp: load the filter%s", load_hint(program, r));
	if (listens)
		ret->fd = r;
	return 0;
}
