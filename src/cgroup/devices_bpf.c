/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices a container may use: linux.resources.devices as an eBPF program on the cgroup.
 *
 * Theory of operation. The specification has the rules applied in their order, so that of all rules
 * that speak of a device and of one kind of access (read, write, mknod) the last decides; what no
 * rule speaks of is denied, as runc and crun have it on cgroup v2. Opening for reading and writing
 * asks for both at once, and each is decided by itself: "deny writing" takes writing away from an
 * earlier "allow all" also when reading is asked for together with it, and two rules may add up.
 * After the rules of config.json come the default devices: every container has them.
 *
 * The program walks the rules backwards with the accesses not yet granted in a register. A denying
 * rule that matches ends it if it speaks of one of them; an allowing rule takes its own out, and
 * ends it if none is left. Neighbouring rules share the comparisons of type and major number. What
 * a rule for everything has overruled is left out, as is what only repeats the default; the
 * verifier accepts no instruction that cannot be reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

#define ACCESS_ALL (DEVICE_ACCESS_MKNOD | DEVICE_ACCESS_READ | DEVICE_ACCESS_WRITE)

_Static_assert(DEVICE_ACCESS_MKNOD == BPF_DEVCG_ACC_MKNOD, "the kernel's bits");
_Static_assert(DEVICE_ACCESS_READ == BPF_DEVCG_ACC_READ, "the kernel's bits");
_Static_assert(DEVICE_ACCESS_WRITE == BPF_DEVCG_ACC_WRITE, "the kernel's bits");

/* Where a jump leads until the end of the program is known; real ones go forward only. */
#define TO_ALLOW (-1)
#define TO_DENY	 (-2)

/* A jump's distance has 16 bits. */
#define PROGRAM_LENGTH_MAX 32000

/* By this name berth knows its programs again; at most 15 bytes. */
#define PROGRAM_NAME "berth_devices"

/* How many programs on one cgroup are looked at; the kernel allows 64. */
#define PROGRAMS_MAX 64

/* What the verifier may say, and how much of its end is told. */
#define VERIFIER_LOG_MAX  65536
#define VERIFIER_TAIL_MAX 600

/* Inode of the first user namespace's file in nsfs: the kernel's PROC_USER_INIT_INO. */
#define INITIAL_USER_NAMESPACE "user:[4026531837]"

/* The registers of the program. */
enum {
	R_RESULT = BPF_REG_0,
	R_CONTEXT = BPF_REG_1,
	R_TYPE = BPF_REG_2,
	R_ACCESS = BPF_REG_3,
	R_MAJOR = BPF_REG_4,
	R_MINOR = BPF_REG_5
};

const struct spec_device_rule device_defaults[] = {
	/* making a device node gives no access to the device */
	{.allow = true, .type = 'a', .major = -1, .minor = -1, .access = DEVICE_ACCESS_MKNOD},
	{.allow = true, .type = 'c', .major = 5, .minor = 2, .access = ACCESS_ALL},    /* ptmx */
	{.allow = true, .type = 'c', .major = 5, .minor = 0, .access = ACCESS_ALL},    /* tty */
	{.allow = true, .type = 'c', .major = 136, .minor = -1, .access = ACCESS_ALL}, /* pts */
	{.allow = true, .type = 'c', .major = 1, .minor = 9, .access = ACCESS_ALL},    /* urandom */
	{.allow = true, .type = 'c', .major = 1, .minor = 8, .access = ACCESS_ALL},    /* random */
	{.allow = true, .type = 'c', .major = 1, .minor = 7, .access = ACCESS_ALL},    /* full */
	{.allow = true, .type = 'c', .major = 1, .minor = 5, .access = ACCESS_ALL},    /* zero */
	{.allow = true, .type = 'c', .major = 1, .minor = 3, .access = ACCESS_ALL},    /* null */
};
const size_t device_default_count = ARRAY_SIZE(device_defaults);

static void emit(struct device_program *program, struct bpf_insn insn)
{
	if (program->count == program->room) {
		program->room = program->room ? 2 * program->room : 64;
		program->code = xrealloc(program->code, program->room, sizeof(*program->code));
	}
	program->code[program->count++] = insn;
}

/* An operation on the lower half of a register; the upper half becomes zero. */
static void emit_alu(struct device_program *program, unsigned operation, unsigned reg,
		     uint32_t value)
{
	emit(program, (struct bpf_insn){
			      .code = (__u8)(BPF_ALU | BPF_K | operation),
			      .dst_reg = reg & 0xf,
			      .imm = (__s32)value,
		      });
}

/* Compares the lower half of a register with @value and jumps. */
static void emit_jump(struct device_program *program, unsigned operation, unsigned reg,
		      uint32_t value, int distance)
{
	emit(program, (struct bpf_insn){
			      .code = (__u8)(BPF_JMP32 | BPF_K | operation),
			      .dst_reg = reg & 0xf,
			      .off = (__s16)distance,
			      .imm = (__s32)value,
		      });
}

static void emit_load(struct device_program *program, unsigned reg, size_t offset)
{
	emit(program, (struct bpf_insn){
			      .code = BPF_LDX | BPF_MEM | BPF_W,
			      .dst_reg = reg & 0xf,
			      .src_reg = R_CONTEXT,
			      .off = (__s16)offset,
		      });
}

/* Access and type share a word of the context. */
static void emit_prologue(struct device_program *program)
{
	emit_load(program, R_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(program, R_ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_alu(program, BPF_AND, R_TYPE, 0xffff);
	emit_alu(program, BPF_RSH, R_ACCESS, 16);
	emit_load(program, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(program, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/* A comparison that passes over a run of rules; index 0 (the prologue's): there is none. */
static size_t open_skip(struct device_program *program, unsigned reg, uint32_t value)
{
	emit_jump(program, BPF_JNE, reg, value, 0);
	return program->count - 1;
}

static void close_skip(struct device_program *program, size_t *skip)
{
	if (*skip)
		program->code[*skip].off = (__s16)(program->count - *skip - 1);
	*skip = 0;
}

/* The run of rules in which the walk is, by what they have in common. */
struct run {
	char type;     /* 'a': of any type */
	int64_t major; /* -1: of any number */
	size_t type_skip;
	size_t major_skip;
};

static uint32_t type_number(char type)
{
	return type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

/* Makes sure that what follows is reached only for this type, 'a': for any. */
static void enter_type(struct device_program *program, struct run *run, char type)
{
	if (run->type == type)
		return;
	close_skip(program, &run->major_skip);
	close_skip(program, &run->type_skip);
	run->type = type;
	run->major = -1;
	if (type != 'a')
		run->type_skip = open_skip(program, R_TYPE, type_number(type));
}

/* The same for the major number, within the type. */
static void enter_major(struct device_program *program, struct run *run, int64_t major)
{
	if (run->major == major)
		return;
	close_skip(program, &run->major_skip);
	run->major = major;
	if (major >= 0)
		run->major_skip = open_skip(program, R_MAJOR, (uint32_t)major);
}

/* What the rule does to accesses of a device that it matches: two instructions, or one. */
static void emit_verdict(struct device_program *program, const struct spec_device_rule *rule)
{
	if (!rule->allow) {
		emit_jump(program, BPF_JSET, R_ACCESS, rule->access, TO_DENY);
		return;
	}
	emit_alu(program, BPF_AND, R_ACCESS, ACCESS_ALL & ~rule->access);
	emit_jump(program, BPF_JEQ, R_ACCESS, 0, TO_ALLOW);
}

/* A rule about every access: its last comparison is the verdict. */
static void emit_whole(struct device_program *program, struct run *run,
		       const struct spec_device_rule *rule)
{
	int verdict = rule->allow ? TO_ALLOW : TO_DENY;

	if (rule->minor >= 0) {
		enter_type(program, run, rule->type);
		enter_major(program, run, rule->major);
		emit_jump(program, BPF_JEQ, R_MINOR, (uint32_t)rule->minor, verdict);
	} else if (rule->major >= 0) {
		enter_type(program, run, rule->type);
		enter_major(program, run, -1);
		emit_jump(program, BPF_JEQ, R_MAJOR, (uint32_t)rule->major, verdict);
	} else {
		enter_type(program, run, 'a');
		enter_major(program, run, -1);
		emit_jump(program, BPF_JEQ, R_TYPE, type_number(rule->type), verdict);
	}
}

static void emit_rule(struct device_program *program, struct run *run,
		      const struct spec_device_rule *rule)
{
	size_t skip = 0;

	if (rule->access == ACCESS_ALL) {
		emit_whole(program, run, rule);
		return;
	}
	enter_type(program, run, rule->type);
	enter_major(program, run, rule->major);
	if (rule->minor >= 0)
		skip = open_skip(program, R_MINOR, (uint32_t)rule->minor);
	emit_verdict(program, rule);
	close_skip(program, &skip);
}

/* The end for jumps to @target, and for what runs into it if @falls. Left out where unreachable. */
static void emit_end(struct device_program *program, int target, bool falls)
{
	size_t end = program->count;
	bool reached = falls;

	for (size_t i = 0; i < end; i++) {
		if (program->code[i].off != target)
			continue;
		program->code[i].off = (__s16)(end - i - 1);
		reached = true;
	}
	if (!reached)
		return;
	emit(program, (struct bpf_insn){
			      .code = BPF_ALU64 | BPF_MOV | BPF_K,
			      .dst_reg = R_RESULT,
			      .imm = target == TO_ALLOW,
		      });
	emit(program, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

/* True if the rule is about every device and every access. */
static bool is_total(const struct spec_device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 &&
	       rule->access == ACCESS_ALL;
}

/* True if the kernel can have such a device at all: numbers have 32 bits there. */
static bool is_possible(const struct spec_device_rule *rule)
{
	return rule->major <= UINT32_MAX && rule->minor <= UINT32_MAX;
}

void device_program_build(const struct spec_device_rule *rules, size_t count,
			  struct device_program *ret)
{
	struct device_program program = {.code = NULL};
	struct run run = {.type = 'a', .major = -1};
	bool allow = false; /* what holds where no rule decides */
	size_t first = count;

	/* The last rule about everything is the beginning; equal verdicts after it add nothing. */
	while (first > 0 && !is_total(&rules[first - 1]))
		first--;
	if (first > 0)
		allow = rules[first - 1].allow;
	while (first < count && (rules[first].allow == allow || !is_possible(&rules[first])))
		first++;
	emit_prologue(&program);
	for (size_t i = count; i > first; i--) {
		if (is_possible(&rules[i - 1]))
			emit_rule(&program, &run, &rules[i - 1]);
	}
	close_skip(&program, &run.major_skip);
	close_skip(&program, &run.type_skip);
	emit_end(&program, allow ? TO_ALLOW : TO_DENY, true);
	emit_end(&program, allow ? TO_DENY : TO_ALLOW, false);
	program.allows_all = allow && first == count;
	*ret = program;
}

void device_program_done(struct device_program *program)
{
	free(program->code);
	*program = (struct device_program){.code = NULL};
}

/* Fills in what loading needs. */
static union bpf_attr load_attributes(const struct device_program *program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program->code;
	attr.insn_cnt = (__u32)program->count;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	return attr;
}

/* Keeps the last lines of @log, in one line. */
static const char *log_tail(char *log)
{
	size_t length = strlen(log);
	char *tail;

	while (length && log[length - 1] == '\n')
		log[--length] = '\0';
	tail = length > VERIFIER_TAIL_MAX ? log + length - VERIFIER_TAIL_MAX : log;
	for (char *at = tail; *at; at++) {
		if (*at == '\n')
			*at = ';';
	}
	return tail;
}

/* Loads once more, with the verifier's log, to say why it failed. */
static int fail_to_load(struct error *err, int code, const struct device_program *program)
{
	_cleanup_free_ char *log = xcalloc(VERIFIER_LOG_MAX, 1);
	union bpf_attr attr = load_attributes(program);
	const char *tail;

	attr.log_level = 1;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = VERIFIER_LOG_MAX;
	fd_close(sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	tail = log_tail(log);
	fail(err, code, "load the device program (%zu instructions)", program->count);
	if (*tail)
		return refuse_as(err, code, "load the device program: the verifier says: %s", tail);
	if (code == -EPERM)
		return refuse_as(err, code,
				 "load the device program: not permitted (needs CAP_BPF and "
				 "CAP_NET_ADMIN, or CAP_SYS_ADMIN)");
	if (code == -EINVAL || code == -ENOSYS)
		return refuse_as(err, code,
				 "load the device program: the kernel has no such programs (needs "
				 "CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL)");
	return code;
}

/* @replaced: the program whose place it takes, or -1. */
static int attach(int cgroupfd, int programfd, int replaced, struct error *err)
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (__u32)cgroupfd;
	attr.attach_bpf_fd = (__u32)programfd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (__u32)replaced;
	}
	r = sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
	if (r == -E2BIG)
		return refuse_as(err, r, "attach the device program: the cgroup has %d already",
				 PROGRAMS_MAX);
	if (r == -EINVAL || r == -ENOSYS)
		return refuse_as(err, r,
				 "attach the device program: the kernel attaches none to "
				 "cgroups (needs CONFIG_CGROUP_BPF)");
	return r < 0 ? fail(err, r, "attach the device program") : 0;
}

/* True if we are certainly not in the first user namespace, where root may load programs. */
static bool in_user_namespace(void)
{
	struct error unused = ERROR_NONE;
	char name[64];
	_cleanup_fd_ int procfd = proc_open(&unused);
	_cleanup_fd_ int fd = -EBADF;
	ssize_t n;

	if (procfd < 0)
		return false;
	fd = proc_open_self(procfd, "ns", O_RDONLY | O_DIRECTORY, &unused);
	if (fd < 0)
		return false;
	n = readlinkat(fd, "user", name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	return !str_equal(name, INITIAL_USER_NAMESPACE);
}

static int load_and_attach(int cgroupfd, const struct device_program *program, int replaced,
			   struct error *err)
{
	union bpf_attr attr = load_attributes(program);
	_cleanup_fd_ int fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? fail_to_load(err, fd, program) : attach(cgroupfd, fd, replaced, err);
}

/* The rules of config.json with the default devices after them. 1: everything is allowed. */
static int build_whole(const struct spec_device_rule *rules, size_t count,
		       struct device_program *ret, struct error *err)
{
	_cleanup_free_ struct spec_device_rule *all =
		xcalloc(count + device_default_count, sizeof(*all));

	if (count)
		memcpy(all, rules, count * sizeof(*all));
	memcpy(all + count, device_defaults, device_default_count * sizeof(*all));
	device_program_build(all, count + device_default_count, ret);
	if (ret->allows_all)
		return 1;
	if (ret->count > PROGRAM_LENGTH_MAX)
		return refuse(err, "linux.resources.devices: too many rules (%zu)", count);
	return 0;
}

static int put_in_force(int cgroupfd, const struct device_program *program, int replaced,
			bool *ret_skipped, struct error *err)
{
	int r = load_and_attach(cgroupfd, program, replaced, err);

	if (r != -EPERM || (geteuid() == 0 && !in_user_namespace()))
		return r < 0 ? within(err, r, "linux.resources.devices") : 0;
	*ret_skipped = true;
	return 0;
}

int cgroup_devices_attach(int cgroupfd, const struct spec_device_rule *rules, size_t count,
			  bool *ret_skipped, struct error *err)
{
	_cleanup_device_program_ struct device_program program = {.code = NULL};
	int r;

	*ret_skipped = false;
	if (!count)
		return 0;
	r = build_whole(rules, count, &program, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return put_in_force(cgroupfd, &program, /* replaced= */ -EBADF, ret_skipped, err);
}

/* True if the program is one of berth's. */
static bool is_ours(int programfd)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	memset(&info, 0, sizeof(info));
	attr.info.bpf_fd = (__u32)programfd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) >= 0 &&
	       str_equal(info.name, PROGRAM_NAME);
}

/* Descriptors of berth's programs on the cgroup, the caller's; their number. Best effort. */
static size_t find_ours(int cgroupfd, int fds[static PROGRAMS_MAX])
{
	uint32_t ids[PROGRAMS_MAX];
	union bpf_attr attr;
	size_t found = 0, count;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (__u32)cgroupfd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ARRAY_SIZE(ids);
	if (sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr)) < 0)
		return 0;
	count = attr.query.prog_cnt < ARRAY_SIZE(ids) ? attr.query.prog_cnt : ARRAY_SIZE(ids);
	for (size_t i = 0; i < count; i++) {
		int fd;

		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
		if (fd >= 0 && is_ours(fd))
			fds[found++] = fd;
		else
			fd_close(fd);
	}
	return found;
}

static void detach(int cgroupfd, int programfd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (__u32)cgroupfd;
	attr.attach_bpf_fd = (__u32)programfd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	sys_bpf(BPF_PROG_DETACH, &attr, sizeof(attr));
}

int cgroup_devices_replace(int cgroupfd, const struct spec_device_rule *rules, size_t count,
			   bool *ret_skipped, struct error *err)
{
	_cleanup_device_program_ struct device_program program = {.code = NULL};
	int old[PROGRAMS_MAX], r = build_whole(rules, count, &program, err);
	size_t had, kept;

	*ret_skipped = false;
	if (r < 0)
		return r;
	had = find_ours(cgroupfd, old);
	if (r == 0)
		r = put_in_force(cgroupfd, &program, had ? old[0] : -EBADF, ret_skipped, err);
	else
		r = 0;
	/* Programs add up to what all of them allow: the old ones go once the new one is there. */
	kept = r < 0 ? had : had && !program.allows_all ? 1 : 0;
	for (size_t i = 0; i < had; i++) {
		if (i >= kept)
			detach(cgroupfd, old[i]);
		fd_close(old[i]);
	}
	return r;
}

void devices_detach(int cgroupfd)
{
	int fds[PROGRAMS_MAX];
	size_t count = find_ours(cgroupfd, fds);

	for (size_t i = 0; i < count; i++) {
		detach(cgroupfd, fds[i]);
		fd_close(fds[i]);
	}
}
