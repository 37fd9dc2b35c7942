/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of a process that take one call each: limits, ids, id maps, oom score, keys. */
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/process.h"

#include "unit.h"

/* --- limits ------------------------------------------------------------------------------ */

static void child_limits(void *argument)
{
	const struct spec_rlimit limits[] = {
		{RLIMIT_NOFILE, "RLIMIT_NOFILE", 100, 200},
		{RLIMIT_CORE, "RLIMIT_CORE", 0, 0},
	};
	const struct spec_rlimit raised[] = {
		{RLIMIT_CORE, "RLIMIT_CORE", 0, 0},
		{RLIMIT_NOFILE, "RLIMIT_NOFILE", 100, 300},
	};
	const struct spec_rlimit crossed[] = {{RLIMIT_NOFILE, "RLIMIT_NOFILE", 200, 100}};
	struct error err = ERROR_NONE;
	struct rlimit seen;

	(void)argument;
	child_assert(rlimits_apply(getpid(), limits, ARRAY_SIZE(limits), &err) == 0);
	child_assert(getrlimit(RLIMIT_NOFILE, &seen) == 0);
	child_assert(seen.rlim_cur == 100 && seen.rlim_max == 200);
	child_assert(getrlimit(RLIMIT_CORE, &seen) == 0 && seen.rlim_max == 0);
	child_assert(rlimits_apply(0, crossed, 1, &err) == -EINVAL);
	child_assert(strstr(err.text, "process.rlimits[0]: "));
	child_assert(strstr(err.text, "soft limit is above"));
	if (geteuid() == 0)
		child_assert(setuid(1234) == 0);
	child_assert(rlimits_apply(0, raised, ARRAY_SIZE(raised), &err) == -EPERM);
	child_assert(strstr(err.text, "process.rlimits[1]: set RLIMIT_NOFILE to hard limit 300: "
				      "raising it above 200 needs CAP_SYS_RESOURCE"));
}

/* Raising touches the hard limit alone, and only where it is too low. */
static void child_raised(void *argument)
{
	const struct spec_rlimit low[] = {{RLIMIT_NOFILE, "RLIMIT_NOFILE", 100, 200}};
	const struct spec_rlimit high[] = {{RLIMIT_CPU, "RLIMIT_CPU", 1, 2},
					   {RLIMIT_NOFILE, "RLIMIT_NOFILE", 1, RLIM_INFINITY}};
	struct error err = ERROR_NONE;
	struct rlimit before, after;

	(void)argument;
	child_assert(getrlimit(RLIMIT_NOFILE, &before) == 0 && before.rlim_max > 200);
	child_assert(rlimits_raise(getpid(), low, 1, &err) == 0);
	child_assert(getrlimit(RLIMIT_NOFILE, &after) == 0);
	child_assert(after.rlim_cur == before.rlim_cur && after.rlim_max == before.rlim_max);
	/* No limit on files is more than even root may have. */
	child_assert(rlimits_raise(getpid(), high, 2, &err) == -EPERM);
	child_assert(strstr(err.text, "process.rlimits[1]: set RLIMIT_NOFILE to hard limit "
				      "unlimited"));
	child_assert(getrlimit(RLIMIT_CPU, &after) == 0 && after.rlim_max == RLIM_INFINITY);
}

static void test_limits(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_raised, NULL);
	in_child(child_limits, NULL);
}

/* --- ids --------------------------------------------------------------------------------- */

static void child_ids(void *argument)
{
	const gid_t groups[] = {10, 20, 4000000000u};
	struct spec_process process = {
		.uid = 1234, .gid = 5678, .groups = groups, .group_count = 3};
	gid_t gids[16], r, e, s;
	struct error err = ERROR_NONE;
	uid_t ur, ue, us;

	(void)argument;
	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert((groups_apply(&process, &err) ?: ids_apply(&process, &err)) == 0);
	child_assert(getresuid(&ur, &ue, &us) == 0 && ur == 1234 && ue == 1234 && us == 1234);
	child_assert(getresgid(&r, &e, &s) == 0 && r == 5678 && e == 5678 && s == 5678);
	child_assert(getgroups(16, gids) == 3);
	child_assert(gids[0] == 10 && gids[1] == 20 && gids[2] == 4000000000u);
	child_assert((groups_apply(&process, &err) ?: ids_apply(&process, &err)) == -EPERM);
	child_assert(str_starts(err.text, "process.user.additionalGids: "));
}

/* None listed means none: the creator's groups do not go on. */
static void child_no_groups(void *argument)
{
	const gid_t creators[] = {10, 20};
	struct spec_process process = {.uid = 0};
	struct error err = ERROR_NONE;

	(void)argument;
	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(setgroups(2, creators) == 0);
	child_assert((groups_apply(&process, &err) ?: ids_apply(&process, &err)) == 0);
	child_assert(getgroups(0, NULL) == 0);
}

static void test_ids(void **state)
{
	(void)state;
	in_child(child_ids, NULL);
	in_child(child_no_groups, NULL);
}

/* --- id maps ----------------------------------------------------------------------------- */

/* A child in a new user namespace that waits until @release is closed. */
static pid_t start_in_userns(int release[2], int ready[2])
{
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(release[1]);
		close(ready[0]);
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(CHILD_SKIP);
		child_assert(write(ready[1], "x", 1) == 1);
		ignore(read(release[0], &c, 1)); /* end-of-file */
		_exit(0);
	}
	close(ready[1]);
	close(release[0]);
	return pid;
}

static char *map_of(int procfd, pid_t pid, const char *file)
{
	_cleanup_free_ char *path = xasprintf("%d/%s", pid, file);
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = proc_open_at(procfd, path, O_RDONLY, &err);
	char *text = NULL;

	assert_true(fd >= 0);
	assert_fine(file_read_fd(fd, file, 65536, &text, NULL, &err), err);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* Starts a child, writes @maps for it, checks with @check, and ends it. */
static int with_maps(const struct spec_id_maps *maps, void (*check)(int procfd, pid_t pid),
		     struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);
	int release[2], ready[2], status, r;
	char c;
	pid_t pid = start_in_userns(release, ready);

	assert_true(procfd >= 0);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, &status, 0);
		skip();
	}
	r = idmap_write(procfd, pid, maps, "linux", err);
	if (r >= 0 && check)
		check(procfd, pid);
	close(release[1]);
	close(ready[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return r;
}

static void check_two_ranges(int procfd, pid_t pid)
{
	_cleanup_free_ char *uids = map_of(procfd, pid, "uid_map");
	_cleanup_free_ char *gids = map_of(procfd, pid, "gid_map");
	unsigned a, b, c, d, e, f;

	assert_int_equal(sscanf(uids, "%u %u %u %u %u %u", &a, &b, &c, &d, &e, &f), 6);
	assert_true(a == 0 && b == 100000 && c == 1000 && d == 5000 && e == 200000 && f == 7);
	assert_int_equal(sscanf(gids, "%u %u %u", &a, &b, &c), 3);
	assert_true(a == 0 && b == 300000 && c == 10);
}

static void check_users_outside(int procfd, pid_t pid)
{
	static const uid_t cases[][2] = {
		{0, 100000}, {999, 100999}, {5000, 200000}, {5006, 200006}};
	static const uid_t unmapped[] = {1000, 4999, 5007};
	uid_t outside;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;

		assert_fine(idmap_user_outside(procfd, pid, cases[i][0], &outside, &err), err);
		assert_int_equal(outside, cases[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unmapped); i++) {
		struct error err = ERROR_NONE;

		assert_int_equal(idmap_user_outside(procfd, pid, unmapped[i], &outside, &err),
				 -EINVAL);
		assert_contains(err.text, "has no id outside");
	}
}

static void check_340_ranges(int procfd, pid_t pid)
{
	_cleanup_free_ char *uids = map_of(procfd, pid, "uid_map");

	assert_int_equal(count_lines(uids), 340);
}

static void test_id_maps(void **state)
{
	(void)state;
	needs_kernel();

	struct id_map uid[] = {{0, 100000, 1000}, {5000, 200000, 7}}, gid[] = {{0, 300000, 10}};
	struct spec_id_maps maps = {.uid = uid, .gid = gid, .uid_count = 2, .gid_count = 1};
	struct error err = ERROR_NONE;

	if (geteuid() != 0)
		skip();
	assert_fine(with_maps(&maps, check_two_ranges, &err), err);
	assert_fine(with_maps(&maps, check_users_outside, &err), err);
	uid[1].container_id = 10; /* within the first range */
	assert_int_equal(with_maps(&maps, NULL, &err), -EINVAL);
	assert_contains(err.text, "linux.uidMappings: ");
	assert_contains(err.text, "overlap");
	uid[1].container_id = 5000;
	gid[0].size = 0;
	assert_int_equal(with_maps(&maps, NULL, &err), -EINVAL);
	assert_contains(err.text, "linux.gidMappings: ");
}

static void test_many_id_maps(void **state)
{
	(void)state;
	needs_kernel();

	struct id_map *uid = xcalloc(341, sizeof(*uid));
	struct spec_id_maps maps = {.uid = uid, .uid_count = 340};
	struct error err = ERROR_NONE;

	for (uint32_t i = 0; i < 341; i++)
		uid[i] = (struct id_map){i * 2, 1000 + i * 2, 1};
	if (geteuid() == 0)
		assert_fine(with_maps(&maps, check_340_ranges, &err), err);
	maps.uid_count = 341;
	assert_int_equal(idmap_write(-1, 1, &maps, "linux", &err), -E2BIG);
	assert_string_equal(err.text, "linux.uidMappings: 341 ranges, but the kernel takes at most "
				      "340");
	for (uint32_t i = 0; i < 341; i++)
		uid[i] = (struct id_map){1000000000 + i, 2000000000 + i, 1};
	maps.uid_count = 300;
	assert_int_equal(idmap_write(-1, 1, &maps, "linux", &err), -E2BIG);
	assert_contains(err.text, "bytes of ranges");
	free(uid);
}

static void child_map_as_user(void *argument)
{
	struct id_map uid[] = {{0, 1234, 1}}, foreign[] = {{0, 0, 1}};
	struct spec_id_maps maps = {.uid = uid, .gid = uid, .uid_count = 1, .gid_count = 1};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&err);
	struct spec_process process = {.uid = 0, .gid = 0};
	const gid_t none = 0;

	(void)argument;
	child_assert(procfd >= 0);
	if (geteuid() != 0 || setgroups(0, NULL) < 0 || setgid(1234) < 0 || setuid(1234) < 0)
		_exit(CHILD_SKIP);
	/* The change of user closed our own files in /proc to us. */
	child_assert(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(CHILD_SKIP);
	maps.uid = foreign;
	child_assert(idmap_write(procfd, getpid(), &maps, "linux", &err) == -EPERM);
	child_assert(strstr(err.text, "CAP_SETUID"));
	maps.uid = uid;
	/* One who has all rights in the namespace itself has to give this one up by himself. */
	child_assert(proc_write_self(procfd, "setgroups", "deny", &err) == 0);
	child_assert(idmap_write(procfd, getpid(), &maps, "linux", &err) == 0);
	child_assert(getuid() == 0 && getgid() == 0);
	child_assert(setgroups(1, &none) < 0 && errno == EPERM);
	/* There are no groups, and none are asked for: nothing is to be set. */
	child_assert((groups_apply(&process, &err) ?: ids_apply(&process, &err)) == 0);
	process.groups = &none;
	process.group_count = 1;
	child_assert((groups_apply(&process, &err) ?: ids_apply(&process, &err)) == -EPERM);
}

static void check_own_id(int procfd, pid_t pid)
{
	_cleanup_free_ char *gids = map_of(procfd, pid, "gid_map");
	_cleanup_free_ char *setgroups_ = map_of(procfd, pid, "setgroups");
	unsigned a, b, c;

	child_assert(sscanf(gids, "%u %u %u", &a, &b, &c) == 3 && a == 7 && b == 1234 && c == 1);
	child_assert(str_equal(setgroups_, "deny\n"));
}

/* A user maps his own id by himself, and no other. */
static void child_map_for_child(void *argument)
{
	struct id_map own[] = {{7, 1234, 1}}, two[] = {{0, 1234, 1}, {1, 4294967000, 1}};
	struct spec_id_maps maps = {.uid = own, .gid = own, .uid_count = 1, .gid_count = 1};
	struct error err = ERROR_NONE;

	(void)argument;
	if (geteuid() != 0 || setgroups(0, NULL) < 0 || setgid(1234) < 0 || setuid(1234) < 0)
		_exit(CHILD_SKIP);
	child_assert(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	child_assert(with_maps(&maps, check_own_id, &err) == 0);
	/* By newuidmap, which is not there, or knows no such user. */
	maps.uid = two;
	maps.uid_count = 2;
	child_assert(with_maps(&maps, NULL, &err) < 0);
	child_assert(str_starts(err.text, "linux.uidMappings: "));
	child_assert(strstr(err.text, "newuidmap"));
}

static void test_id_maps_of_users(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_map_as_user, NULL);
	in_child(child_map_for_child, NULL);
}

/* --- the rest ---------------------------------------------------------------------------- */

static void child_oom(void *argument)
{
	struct error err = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&err), file = -EBADF;
	_cleanup_free_ char *text = NULL, *path = xasprintf("%d/oom_score_adj", getpid());

	(void)argument;
	child_assert(procfd >= 0);
	child_assert(oom_score_adj_write(procfd, getpid(), 777, &err) == 0);
	file = proc_open_at(procfd, path, O_RDONLY, &err);
	child_assert(file >= 0);
	child_assert(file_read_fd(file, path, 64, &text, NULL, &err) == 0);
	child_assert(str_equal(text, "777\n"));
	child_assert(oom_score_adj_write(procfd, getpid(), 1001, &err) == -EINVAL);
	child_assert(str_starts(err.text, "process.oomScoreAdj: "));
}

static void test_oom(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_oom, NULL);
}

static void child_keyring(void *argument)
{
	char before[256] = "", after[256] = "", again[256] = "";
	struct error err = ERROR_NONE;
	const unsigned long ring = (unsigned long)KEY_SPEC_SESSION_KEYRING;
	int ours;

	(void)argument;
	if (sys_keyctl(KEYCTL_GET_KEYRING_ID, ring, 1, 0) < 0)
		_exit(CHILD_SKIP);
	sys_keyctl(KEYCTL_DESCRIBE, ring, (uintptr_t)before, sizeof(before));
	child_assert(keyring_join("unit-test", &err) == 0);
	child_assert(sys_keyctl(KEYCTL_DESCRIBE, ring, (uintptr_t)after, sizeof(after)) > 0);
	child_assert(!str_equal(before, after));
	ours = sys_keyctl(KEYCTL_GET_KEYRING_ID, ring, 0, 0);
	child_assert(strstr(after, ";3f1b0000;_ses.unit-test"));
	/* Who joins by the same name later gets the same keyring. */
	child_assert(sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (uintptr_t) "other", 0, 0) > 0);
	child_assert(keyring_join("unit-test", &err) == 0);
	sys_keyctl(KEYCTL_DESCRIBE, ring, (uintptr_t)again, sizeof(again));
	child_assert(str_equal(after, again));
	child_assert(sys_keyctl(KEYCTL_GET_KEYRING_ID, ring, 0, 0) == ours);
}

static void test_keyring(void **state)
{
	(void)state;
	in_child(child_keyring, NULL);
}

static void child_personality(void *argument)
{
	struct error err = ERROR_NONE;

	(void)argument;
	child_assert(personality_apply(PER_LINUX32, &err) == 0);
	child_assert(personality(0xffffffff) == PER_LINUX32);
	child_assert(personality_apply(PER_LINUX | ADDR_NO_RANDOMIZE, &err) == 0);
	child_assert(personality(0xffffffff) == (PER_LINUX | ADDR_NO_RANDOMIZE));
}

static void test_personality(void **state)
{
	(void)state;
	in_child(child_personality, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),		 cmocka_unit_test(test_ids),
		cmocka_unit_test(test_id_maps),		 cmocka_unit_test(test_many_id_maps),
		cmocka_unit_test(test_id_maps_of_users), cmocka_unit_test(test_oom),
		cmocka_unit_test(test_keyring),		 cmocka_unit_test(test_personality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
