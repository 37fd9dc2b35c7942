/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The own binary's protection. A copy of this program ("victim") is executed and protects itself;
 * then it keeps a descriptor of its exe, as a container's process could, and executes this program
 * in another mode ("attack"), which tries all that root can to write the victim's file.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/selfexe.h"

#include "unit.h"

#define EXE "/proc/self/exe"

/* Number of the descriptor that the victim leaves to the attack. */
#define VICTIM_FD 9

/* --- what is executed ---------------------------------------------------------------------- */

/* Exit status 0: the victim's file was not written. */
static int attack_main(void)
{
	struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};
	char path[FD_PATH_MAX];
	int fd;

	fd_path(VICTIM_FD, path);
	ignore(sys_mount_setattr(VICTIM_FD, "", AT_EMPTY_PATH, &writable));
	ignore(sys_mount_setattr(AT_FDCWD, path, 0, &writable));
	ignore(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		/* ETXTBSY would only mean that the attack came too early. */
		return errno == ETXTBSY ? 30 : 0;
	return pwrite(fd, "overwritten", 11, 0) < 0 && ftruncate(fd, 0) < 0 ? 0 : 31;
}

/* Leaves a descriptor of its own exe behind, and becomes the attack. */
static int become_attack(char *original)
{
	char *const argv[] = {original, (char *)"attack", NULL};
	int fd = open(EXE, O_PATH | O_CLOEXEC);

	if (fd < 0 || dup2(fd, VICTIM_FD) < 0)
		return 18;
	execv(original, argv);
	return 19;
}

/* argv: name, mode, path of the test program. */
static int victim_main(char *argv[], char *envp[])
{
	struct error err = ERROR_NONE;
	char name[16] = "";

	if (str_equal(argv[1], "bare"))
		return become_attack(argv[2]);
	if (selfexe_protect(argv, envp, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 10;
	}
	if (!str_equal(argv[0], "berth") || !getenv("AN_ENVIRONMENT"))
		return 11;
	prctl(PR_GET_NAME, name);
	if (!str_equal(name, "berth"))
		return 12;
	/* Once more: it is protected already, so it must return. */
	if (selfexe_protect(argv, envp, &err) != 0)
		return 13;
	for (int fd = 3; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return 14;
	}
	return become_attack(argv[2]);
}

/* As after execve() of a descriptor with a high number, but unprotected: must not go on for ever.
 */
static int again_main(char *argv[], char *envp[])
{
	struct error err = ERROR_NONE;
	int r = selfexe_protect(argv, envp, &err);

	return r == -ELOOP && strstr(err.text, "protect berth's own binary") ? 0 : 20;
}

/* --- the tests ----------------------------------------------------------------------------- */

static char *const environment[] = {(char *)"AN_ENVIRONMENT=1", NULL};

struct scene {
	char *victim;	/* path of the copy */
	char *original; /* path of this program */
	const char *mode;
	bool without_mounts; /* CAP_SYS_ADMIN is taken away: no mount can be cloned */
};

static void child_execute(void *argument)
{
	const struct scene *scene = argument;
	char *const argv[] = {(char *)"berth", (char *)scene->mode, scene->original, NULL};
	struct error err = ERROR_NONE;

	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	if (scene->without_mounts)
		child_assert(prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	child_assert(fd_cloexec_from(3, &err) == 0);
	execve(scene->victim, argv, environment);
	child_assert(false);
}

/* Whether the file begins as an ELF file, that is, as it was. */
static bool is_whole(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[4] = "";

	return fd >= 0 && read(fd, bytes, 4) == 4 && memcmp(bytes, "\177ELF", 4) == 0;
}

static char *copy_self(const char *directory)
{
	_cleanup_fd_ int from = open(EXE, O_RDONLY | O_CLOEXEC), to = -EBADF;
	char *path = file_put(directory, "victim", "", 0, 0755);
	struct stat st;

	to = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &st), 0);
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	return path;
}

static char *own_path(void)
{
	char path[4096] = "";

	assert_true(readlink(EXE, path, sizeof(path) - 1) > 0);
	return xstrdup(path);
}

static void play(const char *mode, bool without_mounts, bool survives)
{
	_cleanup_directory_ char *directory = directory_make();
	_cleanup_free_ char *victim = copy_self(directory), *original = own_path();
	struct scene scene = {victim, original, mode, without_mounts};
	int status = 0;
	pid_t pid;

	if (survives) {
		in_child(child_execute, &scene);
	} else {
		pid = fork();
		if (pid == 0)
			child_execute(&scene);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIP)
			skip();
		assert_int_equal(WEXITSTATUS(status), 31);
	}
	assert_int_equal(is_whole(victim), survives);
}

/* Without protection the attack works: otherwise the other tests would show nothing. */
static void test_attack_works(void **state)
{
	(void)state;
	needs_kernel();

	play("bare", false, false);
}

static void test_clone(void **state)
{
	(void)state;
	needs_kernel();

	play("protect", false, true);
}

static void test_copy(void **state)
{
	(void)state;
	needs_kernel();

	play("protect", true, true);
}

static void child_executed_by_descriptor(void *argument)
{
	const char *const argv[] = {"berth", "again", NULL}, *const envp[] = {NULL};
	_cleanup_fd_ int fd = open(EXE, O_PATH | O_CLOEXEC), high = -EBADF;
	struct statfs fs;

	(void)argument;
	child_assert(fd >= 0 && fstatfs(fd, &fs) == 0);
	if (fs.f_flags & ST_RDONLY)
		_exit(CHILD_SKIP);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 255);
	child_assert(high >= 255);
	ignore(sys_execveat(high, "", argv, envp, AT_EMPTY_PATH));
	child_assert(false);
}

static void test_no_loop(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_executed_by_descriptor, NULL);
}

int main(int argc, char *argv[], char *envp[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attack_works),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_no_loop),
	};

	if (argc == 3)
		return victim_main(argv, envp);
	if (argc == 2 && str_equal(argv[1], "attack"))
		return attack_main();
	if (argc == 2 && str_equal(argv[1], "again"))
		return again_main(argv, envp);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
