/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of compiled filters: what is found again, and all that must not be. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>

#include "seccomp-internal.h"
#include "unit.h"

static const char *const names_one[] = {"read", "write", NULL};
static const char *const names_two[] = {"read", "writ", NULL};
static const char *const names_glued[] = {"readwrite", NULL};
static const char *const archs_one[] = {"SCMP_ARCH_X86_64", NULL};

static const struct spec_seccomp_arg args_one[] = {{.index = 1, .op = SECCOMP_OPERATOR_EQ}};
static const struct spec_seccomp_arg args_two[] = {{.index = 1, .op = SECCOMP_OPERATOR_NE}};

static const struct spec_seccomp_rule rule_plain = {.names = names_one,
						    .action = SECCOMP_ACTION_ALLOW};

static struct spec_seccomp spec_plain(void)
{
	return (struct spec_seccomp){
		.default_action = SECCOMP_ACTION_ERRNO, .rules = &rule_plain, .rule_count = 1};
}

static void key_of(const struct spec_seccomp *spec, struct buf *key)
{
	seccomp_cache_key(spec, "1.2.3", 7, key);
}

static bool same_key(const struct spec_seccomp *a, const struct spec_seccomp *b)
{
	_cleanup_buf_ struct buf first = BUF_EMPTY, second = BUF_EMPTY;

	key_of(a, &first);
	key_of(b, &second);
	return first.size == second.size && memcmp(first.data, second.data, first.size) == 0;
}

static void assert_rule_matters(struct spec_seccomp_rule rule)
{
	struct spec_seccomp plain = spec_plain(), other = spec_plain();

	other.rules = &rule;
	assert_false(same_key(&plain, &other));
}

static void test_every_field_is_in_the_key(void **state)
{
	const struct spec_seccomp plain = spec_plain();
	struct spec_seccomp others[] = {plain, plain, plain, plain, plain, plain, plain};
	_cleanup_buf_ struct buf first = BUF_EMPTY, second = BUF_EMPTY, third = BUF_EMPTY;

	(void)state;
	others[0].default_action = SECCOMP_ACTION_TRAP;
	others[1].default_errno_set = true;
	others[2].default_errno = 2;
	others[3].flags_given = true;
	others[4].flags = 1;
	others[5].architectures = archs_one;
	others[6].rule_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(same_key(&plain, &others[i]));
	assert_true(same_key(&plain, &plain));

	seccomp_cache_key(&plain, "1.2.3", 7, &first);
	seccomp_cache_key(&plain, "1.2.4", 7, &second);
	seccomp_cache_key(&plain, "1.2.3", 8, &third);
	assert_memory_not_equal(first.data, second.data, first.size);
	assert_memory_not_equal(first.data, third.data, first.size);
}

static void test_every_part_of_a_rule_is_in_the_key(void **state)
{
	struct spec_seccomp_rule rule = rule_plain;
	struct spec_seccomp one = spec_plain(), two = spec_plain();
	struct spec_seccomp_rule with_one = rule_plain, with_two = rule_plain;

	(void)state;
	rule.names = names_two;
	assert_rule_matters(rule);
	rule.names = names_glued;
	assert_rule_matters(rule);
	rule = rule_plain;
	rule.action = SECCOMP_ACTION_LOG;
	assert_rule_matters(rule);
	rule = rule_plain;
	rule.errno_set = true;
	assert_rule_matters(rule);
	rule = rule_plain;
	rule.errno_ret = 9;
	assert_rule_matters(rule);

	with_one.args = args_one;
	with_one.arg_count = 1;
	with_two.args = args_two;
	with_two.arg_count = 1;
	assert_rule_matters(with_one);
	one.rules = &with_one;
	two.rules = &with_two;
	assert_false(same_key(&one, &two));
}

static int open_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A program that no profile compiles to. */
static struct seccomp_program odd_program(void)
{
	struct sock_filter *list = xcalloc(3, sizeof(*list));

	for (uint32_t i = 0; i < 3; i++)
		list[i].k = 4711 + i;
	return (struct seccomp_program){.instructions = list, .count = 3};
}

static void store_odd(int cachefd, const struct buf *key)
{
	struct seccomp_program program = odd_program();

	seccomp_cache_store(cachefd, key, &program);
	seccomp_program_done(&program);
}

static bool finds_odd(int cachefd, const struct buf *key)
{
	struct seccomp_program program = odd_program(), found = {.instructions = NULL};
	bool same = seccomp_cache_load(cachefd, key, &found) && found.count == program.count &&
		    memcmp(found.instructions, program.instructions,
			   program.count * sizeof(struct sock_filter)) == 0;

	seccomp_program_done(&program);
	seccomp_program_done(&found);
	return same;
}

/* The path of the only file in a directory. */
static char *only_file(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char *path = NULL;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_null(path);
		path = xasprintf("%s/%s", directory, entry->d_name);
	}
	closedir(dir);
	assert_non_null(path);
	return path;
}

static void test_prepare_uses_the_cache(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *path = directory_make();
	_cleanup_fd_ int cache = open_directory(path);
	struct spec_seccomp spec = spec_plain();
	struct seccomp_program compiled, loaded;
	struct error err = ERROR_NONE;
	_cleanup_free_ char *file = NULL;
	struct stat st;

	assert_fine(seccomp_prepare(&spec, cache, &compiled, &err), err);
	file = only_file(path);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_fine(seccomp_prepare(&spec, cache, &loaded, &err), err);
	assert_int_equal(loaded.count, compiled.count);
	assert_int_equal(loaded.flags, compiled.flags);
	assert_memory_equal(loaded.instructions, compiled.instructions,
			    compiled.count * sizeof(struct sock_filter));
	seccomp_program_done(&compiled);
	seccomp_program_done(&loaded);
}

static void test_found_again(void **state)
{
	_cleanup_directory_ char *path = directory_make();
	_cleanup_fd_ int cache = open_directory(path);
	_cleanup_buf_ struct buf key = BUF_EMPTY, other = BUF_EMPTY;
	struct spec_seccomp spec = spec_plain();

	(void)state;
	key_of(&spec, &key);
	spec.default_errno = 3;
	key_of(&spec, &other);
	assert_false(finds_odd(cache, &key));
	store_odd(cache, &key);
	assert_true(finds_odd(cache, &key));
	assert_false(finds_odd(cache, &other));
	assert_false(finds_odd(-1, &key));
}

/* Whatever byte changes, and wherever the file ends: it is not taken. */
static void test_damaged_files_are_not_taken(void **state)
{
	_cleanup_directory_ char *path = directory_make();
	_cleanup_fd_ int cache = open_directory(path);
	_cleanup_buf_ struct buf key = BUF_EMPTY;
	_cleanup_free_ char *file = NULL, *data = NULL;
	struct spec_seccomp spec = spec_plain();
	struct error err = ERROR_NONE;
	size_t size = 0;

	(void)state;
	key_of(&spec, &key);
	store_odd(cache, &key);
	file = only_file(path);
	assert_fine(file_read_at(AT_FDCWD, file, 1 << 20, &data, &size, &err), err);
	for (size_t i = 0; i < size; i++) {
		data[i] ^= 0x10;
		free(file_put(path, strrchr(file, '/') + 1, data, size, 0600));
		assert_false(finds_odd(cache, &key));
		data[i] ^= 0x10;
		free(file_put(path, strrchr(file, '/') + 1, data, i, 0600));
		assert_false(finds_odd(cache, &key));
	}
	/* And is replaced by a good one. */
	store_odd(cache, &key);
	assert_true(finds_odd(cache, &key));
}

static void test_files_of_others_are_not_taken(void **state)
{
	_cleanup_directory_ char *path = directory_make();
	_cleanup_fd_ int cache = open_directory(path);
	_cleanup_buf_ struct buf key = BUF_EMPTY;
	_cleanup_free_ char *file = NULL, *moved = NULL;
	struct spec_seccomp spec = spec_plain();

	(void)state;
	key_of(&spec, &key);
	store_odd(cache, &key);
	file = only_file(path);
	assert_int_equal(chmod(file, 0620), 0);
	assert_false(finds_odd(cache, &key));
	assert_int_equal(chmod(file, 0600), 0);
	assert_true(finds_odd(cache, &key));
	assert_int_equal(chmod(path, 0777), 0);
	assert_false(finds_odd(cache, &key));
	assert_int_equal(chmod(path, 0700), 0);

	moved = xasprintf("%s/.moved", path);
	assert_int_equal(rename(file, moved), 0);
	assert_int_equal(symlink(".moved", file), 0);
	assert_false(finds_odd(cache, &key));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_false(finds_odd(cache, &key));
	if (geteuid() == 0) {
		assert_int_equal(rename(moved, file), 0);
		assert_true(finds_odd(cache, &key));
		assert_int_equal(chown(file, 12345, 0), 0);
		assert_false(finds_odd(cache, &key));
	}
}

static size_t count_files(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void test_bounds(void **state)
{
	_cleanup_directory_ char *path = directory_make();
	_cleanup_fd_ int cache = open_directory(path);
	_cleanup_buf_ struct buf first = BUF_EMPTY, last = BUF_EMPTY;
	struct spec_seccomp spec = spec_plain();
	struct seccomp_program huge = {.count = 2 * SECCOMP_CACHE_BYTES_MAX / 8};

	(void)state;
	for (uint32_t i = 0; i < SECCOMP_CACHE_FILES_MAX + 6; i++) {
		_cleanup_buf_ struct buf key = BUF_EMPTY;

		spec.default_errno = i;
		key_of(&spec, &key);
		store_odd(cache, &key);
		if (i == 0)
			key_of(&spec, &first);
	}
	key_of(&spec, &last);
	assert_int_equal(count_files(path), SECCOMP_CACHE_FILES_MAX);
	assert_true(finds_odd(cache, &last));
	assert_false(finds_odd(cache, &first));

	huge.instructions = xcalloc(huge.count, sizeof(struct sock_filter));
	spec.default_errno = 4000;
	buf_done(&last);
	key_of(&spec, &last);
	seccomp_cache_store(cache, &last, &huge);
	assert_int_equal(count_files(path), SECCOMP_CACHE_FILES_MAX);
	assert_false(finds_odd(cache, &last));
	seccomp_program_done(&huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_is_in_the_key),
		cmocka_unit_test(test_every_part_of_a_rule_is_in_the_key),
		cmocka_unit_test(test_prepare_uses_the_cache),
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_damaged_files_are_not_taken),
		cmocka_unit_test(test_files_of_others_are_not_taken),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
