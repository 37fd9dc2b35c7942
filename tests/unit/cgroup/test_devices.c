/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device program: an interpreter of its few instructions is run beside a plain evaluation of
 * the rules, over hand-made and random lists and over every combination of type, access and
 * neighbouring numbers. The kernel's verifier sees the same programs where it may be asked.
 */
#include <errno.h>
#include <string.h>

#include "berth/base/fd.h"
#include "berth/base/sys.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "unit.h"

#define R   DEVICE_ACCESS_READ
#define W   DEVICE_ACCESS_WRITE
#define M   DEVICE_ACCESS_MKNOD
#define ALL (R | W | M)

#define RULES_MAX    12
#define RANDOM_LISTS 3000

struct access {
	uint32_t type; /* BPF_DEVCG_DEV_* */
	uint32_t access;
	uint32_t major;
	uint32_t minor;
};

/* What the rules say, bit by bit: the last that speaks of it, denied where none does. */
static bool evaluate(const struct spec_device_rule *rules, size_t count, const struct access *a)
{
	uint32_t granted = 0;

	for (size_t i = 0; i < count; i++) {
		const struct spec_device_rule *rule = &rules[i];

		if (rule->type == 'b' && a->type != BPF_DEVCG_DEV_BLOCK)
			continue;
		if (rule->type == 'c' && a->type != BPF_DEVCG_DEV_CHAR)
			continue;
		if (rule->major >= 0 && rule->major != a->major)
			continue;
		if (rule->minor >= 0 && rule->minor != a->minor)
			continue;
		granted = rule->allow ? granted | rule->access : granted & ~rule->access;
	}
	return (a->access & ~granted) == 0;
}

/* Runs one arithmetic or load instruction. */
static void step(const struct bpf_insn *insn, uint64_t reg[static 11], const uint32_t context[3])
{
	switch (insn->code) {
	case BPF_LDX | BPF_MEM | BPF_W:
		assert_int_equal(insn->src_reg, 1);
		assert_true(insn->off >= 0 && insn->off <= 8 && insn->off % 4 == 0);
		reg[insn->dst_reg] = context[insn->off / 4];
		break;
	case BPF_ALU | BPF_K | BPF_AND:
		reg[insn->dst_reg] = (uint32_t)reg[insn->dst_reg] & (uint32_t)insn->imm;
		break;
	case BPF_ALU | BPF_K | BPF_RSH:
		reg[insn->dst_reg] = (uint32_t)reg[insn->dst_reg] >> insn->imm;
		break;
	case BPF_ALU64 | BPF_MOV | BPF_K:
		reg[insn->dst_reg] = (uint64_t)(int64_t)insn->imm;
		break;
	default:
		fail_msg("unexpected instruction 0x%x", insn->code);
	}
}

/* Whether the jump is taken; false for what is no jump. */
static bool is_taken(const struct bpf_insn *insn, const uint64_t reg[static 11])
{
	uint32_t value = (uint32_t)reg[insn->dst_reg];

	switch (insn->code) {
	case BPF_JMP32 | BPF_K | BPF_JEQ:
		return value == (uint32_t)insn->imm;
	case BPF_JMP32 | BPF_K | BPF_JNE:
		return value != (uint32_t)insn->imm;
	case BPF_JMP32 | BPF_K | BPF_JSET:
		return (value & (uint32_t)insn->imm) != 0;
	default:
		fail_msg("unexpected jump 0x%x", insn->code);
	}
	return false;
}

static bool run(const struct device_program *program, const struct access *a)
{
	const uint32_t context[3] = {a->access << 16 | a->type, a->major, a->minor};
	uint64_t reg[11] = {0};

	for (size_t pc = 0; pc < program->count; pc++) {
		const struct bpf_insn *insn = &program->code[pc];
		unsigned class = insn->code & 7u;

		if (insn->code == (BPF_JMP | BPF_EXIT)) {
			assert_true(reg[0] == 0 || reg[0] == 1);
			return reg[0] == 1;
		}
		if (class != BPF_JMP32) {
			step(insn, reg, context);
			continue;
		}
		assert_true(insn->off >= 0); /* the verifier allows no way back */
		if (is_taken(insn, reg))
			pc += (size_t)insn->off;
	}
	fail_msg("ran off the end of the program");
	return false;
}

/* Every instruction must be reachable, or the verifier refuses the program. */
static void check_reachable(const struct device_program *program)
{
	bool reached[512] = {true};

	assert_true(program->count <= 512);
	for (size_t pc = 0; pc < program->count; pc++) {
		const struct bpf_insn *insn = &program->code[pc];

		assert_true(reached[pc]);
		if (insn->code == (BPF_JMP | BPF_EXIT))
			continue;
		assert_true(pc + 1 < program->count);
		reached[pc + 1] = true;
		if ((insn->code & 7u) == BPF_JMP32) {
			assert_true(pc + 1 + (size_t)insn->off < program->count);
			reached[pc + 1 + (size_t)insn->off] = true;
		}
	}
}

/* Compares both over the whole matrix; the numbers include all that the rules may name. */
static void check_rules(const struct spec_device_rule *rules, size_t count)
{
	static const uint32_t numbers[] = {0, 1, 2, 3, 5, 136, 4095, UINT32_MAX};
	_cleanup_device_program_ struct device_program program = {.code = NULL};
	size_t denied = 0;

	device_program_build(rules, count, &program);
	check_reachable(&program);
	for (size_t i = 0; i < 2 * 7 * ARRAY_SIZE(numbers) * ARRAY_SIZE(numbers); i++) {
		struct access a = {
			.type = i % 2 ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK,
			.access = (uint32_t)(1 + i / 2 % 7),
			.major = numbers[i / 14 % ARRAY_SIZE(numbers)],
			.minor = numbers[i / 14 / ARRAY_SIZE(numbers)],
		};
		bool expected = evaluate(rules, count, &a);

		denied += !expected;
		if (run(&program, &a) != expected)
			fail_msg("type %u access %u device %u:%u: %s", a.type, a.access, a.major,
				 a.minor, expected ? "must be allowed" : "must be denied");
	}
	if (program.allows_all)
		assert_int_equal(denied, 0);
}

#define RULE(allow_, type_, major_, minor_, access_)                                               \
	{                                                                                          \
		.allow = (allow_), .type = (type_), .major = (major_), .minor = (minor_),          \
		.access = (access_)                                                                \
	}

static void test_hand_made(void **state)
{
	static const struct {
		size_t count;
		struct spec_device_rule rules[4];
	} lists[] = {
		{0, {{0}}},
		{1, {RULE(false, 'a', -1, -1, ALL)}},
		{1, {RULE(true, 'a', -1, -1, ALL)}},
		{2, {RULE(true, 'a', -1, -1, ALL), RULE(false, 'c', 1, 3, W)}},
		/* reading and writing at once, each allowed by a rule of its own */
		{2, {RULE(true, 'c', 1, 3, R), RULE(true, 'c', 1, 3, W)}},
		{3,
		 {RULE(true, 'b', -1, -1, ALL), RULE(true, 'c', -1, -1, ALL),
		  RULE(false, 'c', 5, -1, R | W)}},
		/* overruled by what comes later */
		{3,
		 {RULE(false, 'c', 1, 3, ALL), RULE(true, 'c', 1, -1, ALL),
		  RULE(true, 'c', 1, 3, ALL)}},
		{2, {RULE(true, 'a', -1, 3, R), RULE(false, 'a', 5, -1, M)}},
		{2, {RULE(true, 'c', INT64_MAX, 1, ALL), RULE(true, 'c', 1, UINT32_MAX, ALL)}},
		{2, {RULE(true, 'a', -1, -1, ALL), RULE(false, 'b', UINT32_MAX, 0, ALL)}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		check_rules(lists[i].rules, lists[i].count);
}

/* A repeatable stream of numbers. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static struct spec_device_rule random_rule(uint64_t *seed)
{
	static const int64_t numbers[] = {-1, -1, 0, 1, 2, 3, 5, 136, 4095};
	struct spec_device_rule rule = {
		.allow = next_random(seed) % 2,
		.type = "abc"[next_random(seed) % 3],
		.major = numbers[next_random(seed) % ARRAY_SIZE(numbers)],
		.minor = numbers[next_random(seed) % ARRAY_SIZE(numbers)],
		.access = next_random(seed) % 3 ? ALL : 1 + next_random(seed) % 7,
	};

	return rule;
}

static void test_random(void **state)
{
	uint64_t seed = 20;

	(void)state;
	for (size_t i = 0; i < RANDOM_LISTS; i++) {
		struct spec_device_rule rules[RULES_MAX];
		size_t count = next_random(&seed) % (RULES_MAX + 1);

		for (size_t j = 0; j < count; j++)
			rules[j] = random_rule(&seed);
		check_rules(rules, count);
	}
}

/* The list that every container gets after "deny everything": what it is, and that it is short. */
static void test_defaults(void **state)
{
	struct spec_device_rule rules[32] = {RULE(false, 'a', -1, -1, ALL)};
	static const struct {
		struct access access;
		bool allowed;
	} cases[] = {
		{{BPF_DEVCG_DEV_CHAR, R | W, 1, 3}, true},    /* null */
		{{BPF_DEVCG_DEV_CHAR, R | W, 1, 5}, true},    /* zero */
		{{BPF_DEVCG_DEV_CHAR, R | W, 1, 7}, true},    /* full */
		{{BPF_DEVCG_DEV_CHAR, R | W, 1, 8}, true},    /* random */
		{{BPF_DEVCG_DEV_CHAR, R | W, 1, 9}, true},    /* urandom */
		{{BPF_DEVCG_DEV_CHAR, R | W, 5, 0}, true},    /* tty */
		{{BPF_DEVCG_DEV_CHAR, R | W, 5, 2}, true},    /* ptmx */
		{{BPF_DEVCG_DEV_CHAR, R | W, 136, 77}, true}, /* pts */
		{{BPF_DEVCG_DEV_CHAR, M, 10, 229}, true},     /* making any node */
		{{BPF_DEVCG_DEV_BLOCK, M, 8, 0}, true},
		{{BPF_DEVCG_DEV_BLOCK, R, 8, 0}, false},
		{{BPF_DEVCG_DEV_BLOCK, R, 1, 3}, false},       /* a ram disk is not null */
		{{BPF_DEVCG_DEV_CHAR, R, 1, 1}, false},	       /* mem */
		{{BPF_DEVCG_DEV_CHAR, R | W, 5, 1}, false},    /* the host's console */
		{{BPF_DEVCG_DEV_CHAR, R, 10, 200}, false},     /* tun */
		{{BPF_DEVCG_DEV_CHAR, R | M, 10, 229}, false}, /* fuse */
	};
	_cleanup_device_program_ struct device_program program = {.code = NULL};
	size_t count = 1 + device_default_count;

	(void)state;
	memcpy(rules + 1, device_defaults, device_default_count * sizeof(*rules));
	check_rules(rules, count);
	device_program_build(rules, count, &program);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(run(&program, &cases[i].access), cases[i].allowed);
	assert_true(program.count <= 26);
	assert_false(program.allows_all);
}

static void test_allow_all_attaches_nothing(void **state)
{
	const struct spec_device_rule all = RULE(true, 'a', -1, -1, ALL);
	struct error err = ERROR_NONE;
	bool skipped = true;

	(void)state;
	/* No descriptor is touched. */
	assert_int_equal(cgroup_devices_attach(-1, &all, 1, &skipped, &err), 0);
	assert_false(skipped);
	assert_int_equal(cgroup_devices_attach(-1, NULL, 0, &skipped, &err), 0);
}

/* Loads without attaching; 0 or negative errno. */
static int load(const struct spec_device_rule *rules, size_t count)
{
	_cleanup_device_program_ struct device_program program = {.code = NULL};
	union bpf_attr attr;
	int fd;

	device_program_build(rules, count, &program);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program.code;
	attr.insn_cnt = (uint32_t)program.count;
	attr.license = (uintptr_t) "Apache-2.0";
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	fd_close(fd);
	return fd < 0 ? fd : 0;
}

static void test_verifier(void **state)
{
	uint64_t seed = 4;

	(void)state;
	if (load(NULL, 0) == -EPERM || load(NULL, 0) == -ENOSYS)
		skip();
	for (size_t i = 0; i < 300; i++) {
		struct spec_device_rule rules[RULES_MAX];
		size_t count = next_random(&seed) % (RULES_MAX + 1);

		for (size_t j = 0; j < count; j++)
			rules[j] = random_rule(&seed);
		assert_int_equal(load(rules, count), 0);
	}
}

static void test_many_rules(void **state)
{
	struct spec_device_rule *rules = test_calloc(10000, sizeof(*rules));
	struct error err = ERROR_NONE;
	bool skipped;

	(void)state;
	for (int i = 0; i < 10000; i++)
		rules[i] = (struct spec_device_rule)RULE(i % 2, 'c', i, i % 7, R);
	if (load(NULL, 0) == 0)
		assert_int_equal(load(rules, 1000), 0);
	assert_int_equal(cgroup_devices_attach(-1, rules, 10000, &skipped, &err), -EINVAL);
	assert_string_equal(err.text, "linux.resources.devices: too many rules (10000)");
	test_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hand_made), cmocka_unit_test(test_random),
		cmocka_unit_test(test_defaults),  cmocka_unit_test(test_allow_all_attaches_nothing),
		cmocka_unit_test(test_verifier),  cmocka_unit_test(test_many_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
