/* SPDX-License-Identifier: Apache-2.0 */
/* HOME from the root's own /etc/passwd, whatever that is. */
#include <fcntl.h>

#include "berth/base/str.h"
#include "berth/linux/process.h"

#include "unit.h"

struct root {
	char *path;
	char *etc;
	int fd;
};

static struct root root_make_empty(void)
{
	struct root root = {.path = directory_make()};

	root.etc = xasprintf("%s/etc", root.path);
	assert_int_equal(mkdir(root.etc, 0755), 0);
	root.fd = open(root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root.fd >= 0);
	return root;
}

static void root_done(struct root *root)
{
	fd_close(root->fd);
	free(root->etc);
	directory_remove(&root->path);
}

#define _cleanup_root_ __attribute__((cleanup(root_done)))

static void assert_home(const struct root *root, uid_t uid, const char *expected)
{
	_cleanup_free_ char *home = home_of(root->fd, uid);

	assert_string_equal(home, expected);
}

static void put_passwd(const struct root *root, const char *text)
{
	free(file_put(root->etc, "passwd", text, strlen(text), 0644));
}

static void test_lines(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_root_ struct root root = root_make_empty();

	assert_home(&root, 0, "/");
	put_passwd(&root, "root:x:0:0:root:/root:/bin/sh\n"
			  "1000:x:7:0::/wrong:/bin/sh\n"
			  "\n"
			  "short:x:8\n"
			  "a:x:1000:1000:A User,,,:/home/a:/bin/sh\n"
			  "b:x:1000:1000::/home/second:/bin/sh\n"
			  "zero:x:01001:0::/home/zero:/bin/sh\n"
			  "empty:x:9:9:::/bin/sh\n"
			  "bare:x:10:10::/bare\n"
			  "max:x:4294967294:0::/max:/bin/sh\n"
			  "last:x:11:11::/last:/bin/sh");
	assert_home(&root, 0, "/root");
	assert_home(&root, 7, "/wrong");
	assert_home(&root, 8, "/");
	assert_home(&root, 1000, "/home/a");
	assert_home(&root, 1001, "/");
	assert_home(&root, 100, "/");
	assert_home(&root, 9, "/");
	assert_home(&root, 10, "/bare");
	assert_home(&root, 4294967294u, "/max");
	assert_home(&root, 11, "/last");
	put_passwd(&root, "");
	assert_home(&root, 0, "/");
}

/* CVE-2024-9676: no file outside is read, and nothing is waited for. */
static void test_hostile_files(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_root_ struct root root = root_make_empty();
	_cleanup_free_ char *passwd = xasprintf("%s/passwd", root.etc);

	assert_int_equal(symlink("/etc/passwd", passwd), 0); /* itself, inside the root */
	assert_home(&root, 0, "/");
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(symlink("../../../../../../etc/passwd", passwd), 0);
	assert_home(&root, 0, "/");
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(symlink("/proc/self/root/etc/passwd", passwd), 0);
	assert_home(&root, 0, "/");
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(mkfifo(passwd, 0644), 0);
	assert_home(&root, 0, "/");
	assert_int_equal(unlink(passwd), 0);
	assert_int_equal(mkdir(passwd, 0755), 0);
	assert_home(&root, 0, "/");
	assert_int_equal(rmdir(passwd), 0);
	put_passwd(&root, "root:x:0:0:root:/root:/bin/sh\n");
	assert_int_equal(truncate(passwd, 2000 << 20), 0);
	assert_home(&root, 0, "/");
}

/* A link that stays inside is followed, as the container would. */
static void test_link_inside(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_root_ struct root root = root_make_empty();
	_cleanup_free_ char *passwd = xasprintf("%s/passwd", root.etc);
	_cleanup_free_ char *real =
		file_put(root.path, "real", "root:x:0:0:root:/inside:/bin/sh\n", 32, 0644);

	assert_int_equal(symlink("/real", passwd), 0);
	assert_home(&root, 0, "/inside");
	assert_non_null(real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_link_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
