/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: spellings, what runs where, and what is chosen from indexes as they are in use. */
#include "image/cpu_level.h"
#include "image/platform.h"

#include "../base/unit.h"

static void test_normalise(void **state)
{
	static const struct {
		struct platform from, to;
	} cases[] = {
		{{"linux", "amd64", ""}, {"linux", "amd64", ""}},
		{{"Linux", "AMD64", "V2"}, {"linux", "amd64", "v2"}},
		{{"linux", "x86_64", "v1"}, {"linux", "amd64", ""}},
		{{"linux", "x86-64", "3"}, {"linux", "amd64", "v3"}},
		{{"linux", "i386", ""}, {"linux", "386", ""}},
		{{"linux", "i686", ""}, {"linux", "386", ""}},
		{{"linux", "aarch64", ""}, {"linux", "arm64", ""}},
		{{"linux", "arm64", "v8"}, {"linux", "arm64", ""}},
		{{"linux", "arm64", "8"}, {"linux", "arm64", ""}},
		{{"linux", "arm64", "v8.0"}, {"linux", "arm64", ""}},
		{{"linux", "arm64", "v9.2"}, {"linux", "arm64", "v9.2"}},
		{{"linux", "arm", ""}, {"linux", "arm", "v7"}},
		{{"linux", "arm", "6"}, {"linux", "arm", "v6"}},
		{{"linux", "armhf", ""}, {"linux", "arm", "v7"}},
		{{"linux", "armel", ""}, {"linux", "arm", "v6"}},
		{{"linux", "armv7l", ""}, {"linux", "arm", "v7"}},
		{{"linux", "armv6l", ""}, {"linux", "arm", "v6"}},
		{{"linux", "loongarch64", ""}, {"linux", "loong64", ""}},
		{{"macOS", "arm64", ""}, {"darwin", "arm64", ""}},
		{{"plan9", "Odd", "x"}, {"plan9", "odd", "x"}},
		{{"", "", ""}, {"", "", ""}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct platform platform = cases[i].from;

		platform_normalise(arena, &platform);
		assert_string_equal(platform.os, cases[i].to.os);
		assert_string_equal(platform.architecture, cases[i].to.architecture);
		assert_string_equal(platform.variant, cases[i].to.variant);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *result; /* NULL: refused */
	} cases[] = {
		{"linux/amd64", "linux/amd64"},
		{"linux/amd64/v3", "linux/amd64/v3"},
		{"linux/x86_64", "linux/amd64"},
		{"linux/arm", "linux/arm/v7"},
		{"linux/armhf", "linux/arm/v7"},
		{"linux/arm/v6", "linux/arm/v6"},
		{"linux/arm64/v8", "linux/arm64"},
		{"LINUX/ARM64", "linux/arm64"},
		{"arm64", "linux/arm64"},
		{"riscv64", "linux/riscv64"},
		{"s390x", "linux/s390x"},
		{"windows/amd64", "windows/amd64"},
		{"", NULL},
		{"/", NULL},
		{"linux/", NULL},
		{"/amd64", NULL},
		{"linux/amd64/", NULL},
		{"linux/amd64/v1/x", NULL},
		{"linux amd64", NULL},
		{"linux/../amd64", "linux/../amd64"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct platform platform;
		struct error err = ERROR_NONE;
		int r = platform_parse(arena, cases[i].text, &platform, &err);

		if (!cases[i].result) {
			assert_failed(r, err, -EINVAL);
			continue;
		}
		assert_fine(r, err);
		assert_string_equal(platform_text(arena, &platform), cases[i].result);
	}
}

static void test_host(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct platform host, system, again;
	struct error err = ERROR_NONE;

	(void)state;
	platform_of_host(&host);
	again = host;
	platform_normalise(arena, &again);
	assert_string_equal(platform_text(arena, &again), platform_text(arena, &host));
	assert_true(platform_fits(&host, &host));
	assert_fine(platform_parse(arena, "linux", &system, &err), err);
	assert_string_equal(platform_text(arena, &system), platform_text(arena, &host));
#if defined(__x86_64__)
	assert_string_equal(host.architecture, "amd64");
	assert_in_range(cpu_level(), 1, 4);
	/* The compiler's own knowledge of the processor. */
	assert_int_equal(cpu_level() >= 3, __builtin_cpu_supports("avx2") &&
						   __builtin_cpu_supports("bmi2") &&
						   __builtin_cpu_supports("fma"));
	assert_int_equal(cpu_level() >= 4,
			 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"));
#endif
}

/* An index as text: platforms with blanks between them; "-" has none, "!…" is an artifact. */
static struct image_index make_index(struct arena *arena, const char *text)
{
	struct image_index index = {arena_alloc(arena, 40, sizeof(struct descriptor)), 0};
	char *rest = arena_strdup(arena, text), *word;

	while ((word = strsep(&rest, " "))) {
		struct descriptor *entry = &index.manifests[index.count];
		char *os, *architecture;

		entry->size = index.count++;
		entry->is_artifact = word[0] == '!';
		word += word[0] == '!';
		entry->platform = (struct platform){"", "", ""};
		entry->has_platform = !str_equal(word, "-");
		if (!entry->has_platform)
			continue;
		os = strsep(&word, "/");
		architecture = strsep(&word, "/");
		entry->platform =
			(struct platform){os, architecture ? architecture : "", word ? word : ""};
		platform_normalise(arena, &entry->platform);
	}
	return index;
}

#define OFFICIAL                                                                                   \
	"linux/amd64 !unknown/unknown linux/arm/v5 !unknown/unknown linux/arm/v7 "                 \
	"!unknown/unknown linux/arm64/v8 !unknown/unknown linux/386 unknown/unknown "              \
	"linux/ppc64le linux/riscv64 linux/s390x windows/amd64"

static const struct {
	const char *wish, *index;
	int chosen; /* number of the entry; -1: none */
} choices[] = {
	/* as official images are, with attestations between them */
	{"linux/amd64", OFFICIAL, 0},
	{"linux/amd64/v3", OFFICIAL, 0},
	{"linux/arm/v5", OFFICIAL, 2},
	{"linux/arm/v6", OFFICIAL, 2},
	{"linux/arm/v7", OFFICIAL, 4},
	{"linux/arm", OFFICIAL, 4},
	{"linux/arm/v8", OFFICIAL, 4},
	{"linux/arm64", OFFICIAL, 6},
	{"linux/arm64/v8.2", OFFICIAL, 6},
	{"linux/arm64/v9", OFFICIAL, 6},
	{"linux/386", OFFICIAL, 8},
	{"linux/ppc64le", OFFICIAL, 10},
	{"linux/riscv64", OFFICIAL, 11},
	{"linux/s390x", OFFICIAL, 12},
	{"windows/amd64", OFFICIAL, 13},
	{"linux/mips64le", OFFICIAL, -1},
	{"linux/loong64", OFFICIAL, -1},
	{"freebsd/amd64", OFFICIAL, -1},
	{"unknown/unknown", OFFICIAL, -1},
	/* levels of amd64 */
	{"linux/amd64", "linux/amd64/v3 linux/amd64/v2 linux/amd64", 2},
	{"linux/amd64/v2", "linux/amd64/v3 linux/amd64/v2 linux/amd64", 1},
	{"linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4", 2},
	{"linux/amd64/v4", "linux/amd64 linux/amd64/v2", 1},
	{"linux/amd64", "linux/amd64/v2 linux/amd64/v3", -1},
	{"linux/amd64/v2", "linux/amd64/odd linux/amd64", 1},
	{"linux/amd64", "linux/amd64/v1 linux/amd64", 0},
	{"linux/amd64/odd", "linux/amd64 linux/amd64/odd", 1},
	/* other architectures only as a last resort */
	{"linux/amd64", "linux/386 linux/amd64", 1},
	{"linux/amd64", "linux/arm64 linux/386", 1},
	{"linux/386", "linux/amd64", -1},
	{"linux/arm64", "linux/arm/v7 linux/arm64", 1},
	{"linux/arm64", "linux/arm/v6 linux/arm/v7", 1},
	{"linux/arm64", "linux/arm/v6 linux/arm/v8 linux/arm/v7", 1},
	{"linux/arm", "linux/arm64", -1},
	/* variants of arm64: v9.0 has what v8.5 has */
	{"linux/arm64/v9.1", "linux/arm64 linux/arm64/v8.6 linux/arm64/v9.0", 2},
	{"linux/arm64/v9.1", "linux/arm64 linux/arm64/v8.6 linux/arm64/v9.2", 1},
	{"linux/arm64/v9.0", "linux/arm64/v8.6 linux/arm64/v8.5 linux/arm64", 1},
	{"linux/arm64/v8.4", "linux/arm64/v9.0 linux/arm64/v8.5 linux/arm64", 2},
	{"linux/arm64", "linux/arm64/v8.1", -1},
	{"linux/arm/v6", "linux/arm/v7", -1},
	{"linux/riscv64", "linux/riscv64/rva23u64", -1},
	{"linux/riscv64/rva23u64", "linux/riscv64 linux/riscv64/rva23u64", 1},
	{"linux/riscv64/rva23u64", "linux/riscv64", 0},
	/* the first of equals; spellings do not matter */
	{"linux/amd64", "linux/amd64 linux/amd64", 0},
	{"linux/amd64", "linux/arm linux/x86_64", 1},
	/* entries without a platform */
	{"linux/amd64", "-", 0},
	{"linux/amd64", "!- - !unknown/unknown", 1},
	{"linux/amd64", "- -", -1},
	{"linux/amd64", "- linux/amd64", 1},
	{"linux/amd64", "- linux/arm64", -1},
	{"linux/amd64", "linux/arm64", -1},
	/* no image at all */
	{"linux/amd64", "!linux/amd64", -1},
	{"linux/amd64", "unknown/unknown", -1},
	{"linux/amd64", "windows/amd64", -1},
};

static void test_choose(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct image_index index = make_index(arena, choices[i].index);
		const char *offered = NULL;
		const struct descriptor *chosen;
		struct platform wish;
		struct error err = ERROR_NONE;
		int number;

		assert_fine(platform_parse(arena, choices[i].wish, &wish, &err), err);
		chosen = platform_choose(arena, &index, &wish, &offered);
		number = chosen ? (int)(chosen - index.manifests) : -1;
		if (number != choices[i].chosen)
			fail_msg("%s of \"%s\": %d", choices[i].wish, choices[i].index, number);
		assert_int_equal(offered != NULL, !chosen);
	}
}

static const char *offered(struct arena *arena, const char *text)
{
	struct image_index index = make_index(arena, text);
	struct platform wish = {"plan9", "amd64", ""};
	const char *list = NULL;

	assert_null(platform_choose(arena, &index, &wish, &list));
	return list;
}

static void test_offered(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(offered(arena, "linux/arm !- unknown/unknown windows/amd64 -"),
			    "linux/arm/v7, windows/amd64, one that names no platform");
	assert_string_equal(offered(arena, "!linux/arm"), "");
	assert_string_equal(offered(arena, "a/b a/b a/b a/b a/b a/b a/b a/b a/b a/b a/b a/b a/b "
					   "a/b a/b a/b a/b a/b a/b a/b a/b a/b a/b"),
			    "a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, a/b, "
			    "a/b, a/b, a/b, a/b, a/b, a/b, a/b, …");
}

/* Configurations are written by hand, too. */
static void test_fits(void **state)
{
	static const struct {
		struct platform have, wish;
		bool fits;
	} cases[] = {
		{{"linux", "amd64", ""}, {"linux", "amd64", "v3"}, true},
		{{"linux", "x86_64", ""}, {"linux", "amd64", ""}, true},
		{{"linux", "arm64", "v8"}, {"linux", "arm64", ""}, true},
		{{"linux", "386", ""}, {"linux", "amd64", ""}, true},
		{{"", "", ""}, {"linux", "amd64", ""}, true},
		{{"", "amd64", ""}, {"linux", "amd64", ""}, true},
		{{"linux", "", ""}, {"linux", "arm", "v7"}, true},
		{{"linux", "amd64", "v3"}, {"linux", "amd64", "v2"}, false},
		{{"linux", "arm64", ""}, {"linux", "amd64", ""}, false},
		{{"windows", "amd64", ""}, {"linux", "amd64", ""}, false},
		{{"windows", "", ""}, {"linux", "amd64", ""}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(platform_fits(&cases[i].have, &cases[i].wish), cases[i].fits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_host),	  cmocka_unit_test(test_choose),
		cmocka_unit_test(test_offered),	  cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
