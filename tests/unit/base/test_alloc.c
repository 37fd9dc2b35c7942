/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: what the functions return, arenas, and the end of a process that runs out. */
#include <sys/resource.h>

#include "unit.h"

static void test_plain(void **state)
{
	_cleanup_free_ char *zeroed = xcalloc(100, 3), *nothing = xcalloc(0, 0);
	_cleanup_free_ char *copy = xstrdup("copy"), *part = xstrndup("partial", 4);
	_cleanup_free_ char *none = xstrndup("x", 0), *printed = xasprintf("%s-%d", "n", 7);
	char *grown = xrealloc(NULL, 2, 1);

	(void)state;
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(zeroed[i], 0);
	assert_non_null(nothing);
	assert_string_equal(copy, "copy");
	assert_string_equal(part, "part");
	assert_string_equal(none, "");
	assert_string_equal(printed, "n-7");
	memcpy(grown, "ab", 2);
	grown = xrealloc(grown, 1000, 100);
	assert_memory_equal(grown, "ab", 2);
	grown = xrealloc(grown, 0, 100);
	assert_non_null(grown);
	free(grown);
}

static void test_take(void **state)
{
	char *text = xstrdup("text");
	_cleanup_free_ char *taken = take_ptr(&text);

	(void)state;
	assert_null(text);
	assert_string_equal(taken, "text");
}

/* Pieces of any size are zeroed, aligned, and apart from each other. */
static void test_arena(void **state)
{
	static const size_t sizes[] = {1,    7,	   8,	 16,   17,     100, 0,	  4000, 4096,
				       8191, 8192, 8193, 9000, 100000, 1,   8176, 16,	24};
	_cleanup_arena_ struct arena *arena = arena_new();
	unsigned char *pieces[ARRAY_SIZE(sizes) * 20];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)];

		pieces[i] = arena_alloc(arena, size, 1);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i & 0xff), size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		for (size_t j = 0; j < sizes[i % ARRAY_SIZE(sizes)]; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	}
}

static void test_arena_texts(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char changing[] = "first";
	char *copy = arena_strdup(arena, changing);
	char *part = arena_strndup(arena, "partial", 4), *none = arena_strndup(arena, "x", 0);
	char *printed = arena_printf(arena, "%05d|%s", 42, copy);

	(void)state;
	changing[0] = 'F';
	assert_string_equal(copy, "first");
	assert_string_equal(part, "part");
	assert_string_equal(none, "");
	assert_string_equal(printed, "00042|first");
	assert_null(arena_free(NULL));
}

/* Where a child's standard error goes. */
static int silent(int write_end)
{
	struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	return dup2(write_end, STDERR_FILENO);
}

/* Sizes that no address space holds: in turn, what runs out of memory. */
static void exhaust(int way)
{
	const size_t huge = SIZE_MAX / 4;
	struct arena *arena = arena_new();

	if (way == 0)
		free(xcalloc(huge, 2));
	else if (way == 1)
		free(xrealloc(NULL, SIZE_MAX, 2));
	else if (way == 2)
		arena_alloc(arena, SIZE_MAX, 2);
	else
		arena_alloc(arena, SIZE_MAX / 2 + 1, 1);
	arena_free(arena);
}

/* One line, and an exit status: not a crash, not a NULL. */
static void test_out_of_memory(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		char text[256] = "";
		int fds[2], status;
		pid_t pid;

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			silent(fds[1]);
			exhaust(way);
			_exit(0);
		}
		fd_close(fds[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(read(fds[0], text, sizeof(text) - 1) >= 0);
		fd_close(fds[0]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_contains(text, "berth: out of memory\n");
	}
}

/* Sanitizers answer for huge sizes themselves, by default with a report. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	      cmocka_unit_test(test_take),
		cmocka_unit_test(test_arena),	      cmocka_unit_test(test_arena_texts),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
