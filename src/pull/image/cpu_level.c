/* SPDX-License-Identifier: Apache-2.0 */
/* The levels of x86-64 by CPUID: each needs all bits of its own and of those below it. */
#include "cpu_level.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

#include "berth/base/str.h"

enum leaf {
	LEAF_1_ECX,
	LEAF_7_EBX,
	LEAF_80000001_ECX,
	LEAF_XCR0, /* what the kernel saves of a thread */
	LEAF_MAX
};

#define BIT(n) (1u << (n))

/* System V psABI for AMD64, "Micro-Architecture Levels". */
static const uint32_t needed[][LEAF_MAX] = {
	{
		/* v2: SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF */
		[LEAF_1_ECX] = BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23),
		[LEAF_80000001_ECX] = BIT(0),
	},
	{
		/* v3: FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT */
		[LEAF_1_ECX] = BIT(12) | BIT(22) | BIT(27) | BIT(28) | BIT(29),
		[LEAF_7_EBX] = BIT(3) | BIT(5) | BIT(8),
		[LEAF_80000001_ECX] = BIT(5),
		[LEAF_XCR0] = 0x06,
	},
	{
		/* v4: AVX512F, AVX512DQ, AVX512CD, AVX512BW, AVX512VL */
		[LEAF_7_EBX] = BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31),
		[LEAF_XCR0] = 0xe6,
	},
};

static void read_leaves(uint32_t leaves[LEAF_MAX])
{
	uint32_t a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d))
		leaves[LEAF_1_ECX] = c;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		leaves[LEAF_7_EBX] = b;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		leaves[LEAF_80000001_ECX] = c;
	/* The instruction is there where the kernel has switched OSXSAVE on. */
	if (leaves[LEAF_1_ECX] & BIT(27)) {
		__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
		leaves[LEAF_XCR0] = a;
	}
}

static bool has_all(const uint32_t leaves[LEAF_MAX], const uint32_t wanted[LEAF_MAX])
{
	for (int i = 0; i < LEAF_MAX; i++) {
		if ((leaves[i] & wanted[i]) != wanted[i])
			return false;
	}
	return true;
}

int cpu_level(void)
{
	uint32_t leaves[LEAF_MAX] = {0};
	int level = 1;

	read_leaves(leaves);
	for (size_t i = 0; i < ARRAY_SIZE(needed) && has_all(leaves, needed[i]); i++)
		level++;
	return level;
}

#else

int cpu_level(void)
{
	return 1;
}

#endif
