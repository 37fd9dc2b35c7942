/* SPDX-License-Identifier: Apache-2.0 */
/* Config.User, looked up within the image. */
#include "bundle.h"

#define PASSWD                                                                                     \
	"root:x:0:0:root:/root:/bin/sh\n"                                                          \
	"# comment:x:1:1::/:\n"                                                                    \
	"+nis:x:2:2::/:\n"                                                                         \
	"\n"                                                                                       \
	"broken:x:three:3::/:\n"                                                                   \
	"short:x\n"                                                                                \
	"web:x:33:34:Web:/srv/web:/bin/false\n"                                                    \
	"web:x:99:99:second:/second:\n"                                                            \
	"other:x:33:77:same id:/other:\n"                                                          \
	"1000:x:5:5:a name of digits:/trap:\n"                                                     \
	"user:x:1000:1001:User:/home/user:/bin/sh\n"                                               \
	"relative:x:1002:1002::home:\n"                                                            \
	"big:x:2147483647:2147483647::/big:\n"                                                     \
	"toobig:x:2147483648:1::/big:\n"                                                           \
	"last:x:7:8::/last:/bin/sh"

#define GROUP                                                                                      \
	"root:x:0:\n"                                                                              \
	"adm:x:4:root,web\n"                                                                       \
	"www:x:80:web\n"                                                                           \
	"same:x:80:web\n"                                                                          \
	"almost:x:81:webb,we,xweb\n"                                                               \
	"user:x:1001:\n"                                                                           \
	"many:x:82:a,b,user,web\n"                                                                 \
	"33:x:83:\n"                                                                               \
	"broken:x:x:web\n"

struct expectation {
	const char *text;
	uint32_t uid, gid;
	const char *groups, *home;
};

static void check(struct lab *lab, const struct expectation *expected)
{
	_cleanup_bundle_layers_ struct bundle_layers layers = {.fds = NULL};
	_cleanup_buf_ struct buf groups = BUF_EMPTY;
	struct bundle_user user;
	struct error err = ERROR_NONE;

	lab_layers(lab, &layers);
	if (bundle_user_find(lab->arena, &layers.merged, expected->text, &user, &err) < 0)
		fail_msg("\"%s\": %s", expected->text, err.text);
	for (size_t i = 0; i < user.group_count; i++)
		buf_printf(&groups, "%s%u", i ? " " : "", user.groups[i]);
	buf_add_char(&groups, '\0');
	if (user.uid != expected->uid || user.gid != expected->gid ||
	    !str_equal(groups.data, expected->groups) || !str_equal(user.home, expected->home))
		fail_msg("\"%s\": %u:%u [%s] %s", expected->text, user.uid, user.gid, groups.data,
			 user.home);
}

static void test_table(void **state)
{
	static const struct expectation table[] = {
		{"", 0, 0, "4", "/root"},
		{"root", 0, 0, "4", "/root"},
		{"0", 0, 0, "4", "/root"},
		{"web", 33, 34, "4 80 82", "/srv/web"},
		{"33", 33, 34, "4 80 82", "/srv/web"},
		{"web:www", 33, 80, "", "/srv/web"},
		{"web:83", 33, 83, "", "/srv/web"},
		{"web:33", 33, 33, "", "/srv/web"},
		{"33:www", 33, 80, "", "/srv/web"},
		{"33:0", 33, 0, "", "/srv/web"},
		/* digits are a number, whoever has them as a name */
		{"1000", 1000, 1001, "82", "/home/user"},
		{"user", 1000, 1001, "82", "/home/user"},
		{"001000", 1000, 1001, "82", "/home/user"},
		{"4711", 4711, 0, "", "/"},
		{"4711:4712", 4711, 4712, "", "/"},
		{"relative", 1002, 1002, "", "/"},
		{"big", INT32_MAX, INT32_MAX, "", "/big"},
		{"2147483647", INT32_MAX, INT32_MAX, "", "/big"},
		{"last", 7, 8, "", "/last"},
		{"web:", 33, 34, "4 80 82", "/srv/web"},
		{":www", 0, 80, "", "/root"},
	};
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/passwd", PASSWD}, {"etc/group", GROUP});
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		check(&lab, &table[i]);
	lab_close(&lab);
}

/* What the error for @user says. */
static void check_refused(struct lab *lab, const char *user, const char *text)
{
	_cleanup_bundle_layers_ struct bundle_layers layers = {.fds = NULL};
	struct bundle_user found;
	struct error err = ERROR_NONE;
	int r;

	lab_layers(lab, &layers);
	r = bundle_user_find(lab->arena, &layers.merged, user, &found, &err);
	assert_true(r < 0);
	assert_contains(err.text, text);
}

static void test_refused(void **state)
{
	static const char *const wrong[][2] = {
		{"nobody", "the image has no user \"nobody\""},
		{"web:nogroup", "the image has no group \"nogroup\""},
		{"2147483648", "the largest number of a user is 2147483647"},
		{"4294967295", "the largest number"},
		{"99999999999999999999", "the largest number"},
		{"web:2147483648", "the largest number"},
		{"-1", "the image has no user \"-1\""},
		{"+33", "the image has no user \"+33\""},
		{"nis", "has no user"},
		{"+nis", "has no user"},
		{"broken", "has no user"},
		{"short", "has no user"},
		{"toobig", "has no user"},
		{"a:b:c", "not USER[:GROUP]"},
		{"web,adm", "not USER[:GROUP]"},
		{"web adm", "not USER[:GROUP]"},
		{"a/b", "not USER[:GROUP]"},
	};
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/passwd", PASSWD}, {"etc/group", GROUP});
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_refused(&lab, wrong[i][0], wrong[i][1]);
	lab_close(&lab);
}

static void test_merged(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/passwd", "old:x:1:1::/old:\n"});
	LAYER(&lab, {"etc/", ""}, {"etc/passwd", "new:x:2:2::/new:\n"});
	LAYER(&lab, {"etc/", ""}, {"etc/group", "g:x:9:new\n"});
	check(&lab, &(struct expectation){"new", 2, 2, "9", "/new"});
	check_refused(&lab, "old", "has no user");
	LAYER(&lab, {"etc/", ""}, {"!etc/group", ""});
	check(&lab, &(struct expectation){"new", 2, 2, "", "/new"});
	LAYER(&lab, {"!etc", ""});
	check(&lab, &(struct expectation){"2", 2, 0, "", "/"});
	check_refused(&lab, "new", "has no user");
	lab_close(&lab);
}

/* CVE-2024-9676: what is no file is not opened, let alone waited for, and no link leaves. */
static void test_hostile(void **state)
{
	static const struct {
		const char *name;
		mode_t type;
	} nodes[] = {{"fifo", S_IFIFO}, {"device", S_IFCHR}, {"socket", S_IFSOCK}};
	struct lab lab;
	int etc;

	lab_open(&lab, state);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		etc = lab_layer(&lab, (const struct thing[]){{"etc/", ""}}, 1);
		assert_int_equal(mknodat(etc, "etc/passwd", nodes[i].type | 0644, makedev(1, 5)),
				 0);
		fd_close(etc);
		check_refused(&lab, "root", "/etc/passwd of the image is no regular file");
		check_refused(&lab, "0", "/etc/passwd of the image is no regular file");
	}
	LAYER(&lab, {"etc/", ""}, {"etc/!", ""}, {"etc/passwd/", ""});
	check_refused(&lab, "root", "no regular file");
	/* The host's, if it were followed outside; here there is none such. */
	LAYER(&lab, {"etc/", ""}, {"etc/!", ""},
	      {"etc/passwd", "-> ../../../../../../etc/hostname"});
	check_refused(&lab, "root", "has no user");
	LAYER(&lab, {"etc/", ""}, {"etc/!", ""}, {"etc/passwd", "-> passwd"});
	check_refused(&lab, "root", "symbolic links");
	lab_close(&lab);
}

static void test_huge(void **state)
{
	struct lab lab;
	int fd, passwd;
	_cleanup_free_ char *line = xcalloc(70001, 1);

	lab_open(&lab, state);
	fd = lab_layer(&lab, (const struct thing[]){{"etc/", ""}}, 1);
	passwd = openat(fd, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	memset(line, 'a', 70000);
	line[69999] = '\n';
	assert_int_equal(fd_write_all(passwd, line, 70000), 0);
	assert_int_equal(fd_write_all(passwd, "web:x:3:3::/w:\n", 15), 0);
	check(&lab, &(struct expectation){"web", 3, 3, "", "/w"});
	/* The most that is read, and one more; and as large as nothing in memory could hold. */
	assert_int_equal(ftruncate(passwd, 4 << 20), 0);
	check(&lab, &(struct expectation){"web", 3, 3, "", "/w"});
	assert_int_equal(ftruncate(passwd, (4 << 20) + 1), 0);
	check_refused(&lab, "web", "/etc/passwd");
	assert_int_equal(ftruncate(passwd, INT64_C(1) << 40), 0);
	check_refused(&lab, "web", "");
	fd_close(passwd);
	fd_close(fd);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_table),	  world_test(test_refused), world_test(test_merged),
		world_test(test_hostile), world_test(test_huge),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
