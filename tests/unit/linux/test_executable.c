/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a program, and the reasons why one cannot be executed, each provoked for real. */
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "berth/base/str.h"
#include "berth/linux/process.h"

#include "unit.h"

/* A small program that is there on every machine that builds berth. */
#define SOME_PROGRAM "/bin/true"

/* --- finding ----------------------------------------------------------------------------- */

static void assert_found(const char *name, const char *path_variable, const char *expected)
{
	const char *const env[] = {"A=b", path_variable, NULL};
	_cleanup_free_ char *path = NULL;
	struct error err = ERROR_NONE;

	assert_fine(executable_find(name, env, &path, &err), err);
	assert_string_equal(path, expected);
}

static void assert_not_found(const char *name, const char *path_variable, int code,
			     const char *expected)
{
	const char *const env[] = {path_variable, NULL};
	char *path = NULL;
	struct error err = ERROR_NONE;

	assert_int_equal(executable_find(name, env, &path, &err), code);
	assert_null(path);
	assert_string_equal(err.text, expected);
}

static void test_path_is_searched(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *tool = file_put(dir, "tool", "#!/bin/sh\n", 10, 0755);
	_cleanup_free_ char *list = xasprintf("PATH=/nowhere:%s/tool:%s:/bin", dir, dir);
	_cleanup_free_ char *last = xasprintf("PATH=/nowhere:%s", dir);

	(void)state;
	assert_found("tool", list, tool);
	assert_found("tool", last, tool);
	assert_found(tool, "PATH=", tool);
	assert_found("true", NULL, SOME_PROGRAM);
	assert_not_found("tool", "PATH=/bin:/usr/bin", -ENOENT,
			 "exec \"tool\": executable file not found in $PATH");
	assert_not_found("tool", NULL, -ENOENT,
			 "exec \"tool\": executable file not found in $PATH");
	assert_not_found("", list, -ENOENT, "exec \"\": No such file or directory");
}

/* An empty part of PATH is the current directory; a name with "/" is not searched. */
static void test_current_directory(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *tool = file_put(dir, "tool", "#!/bin/sh\n", 10, 0755);
	_cleanup_fd_ int old = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(chdir(dir), 0);
	assert_non_null(tool);
	assert_found("tool", "PATH=/nowhere:", "./tool");
	assert_found("tool", "PATH=", "./tool");
	assert_found("tool", "PATH=:/bin", "./tool");
	assert_found("./tool", "PATH=/bin", "./tool");
	assert_int_equal(fchdir(old), 0);
}

static void test_not_executable_is_remembered(void **state)
{
	_cleanup_directory_ char *first = directory_make(), *second = directory_make();
	_cleanup_free_ char *plain = file_put(first, "tool", "x", 1, 0644);
	_cleanup_free_ char *both = xasprintf("PATH=%s:%s", first, second);
	_cleanup_free_ char *text = xasprintf(
		"exec \"%s\": has no execute permission (mode 0644): Permission denied", plain);
	_cleanup_free_ char *good = NULL;

	(void)state;
	assert_not_found("tool", both, -EACCES, text);
	assert_not_found(plain, both, -EACCES, text);
	good = file_put(second, "tool", "x", 1, 0755);
	assert_found("tool", both, good);
}

static void test_directory_is_no_program(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *list = xasprintf("PATH=%s/..", dir);
	_cleanup_free_ char *text =
		xasprintf("exec \"%s\": is a directory: Permission denied", dir);
	_cleanup_free_ char *in_path = xasprintf(
		"exec \"%s/..%s\": is a directory: Permission denied", dir, strrchr(dir, '/'));

	(void)state;
	assert_not_found(dir, list, -EACCES, text);
	assert_not_found(strrchr(dir, '/') + 1, list, -EACCES, in_path);
}

/* --- explaining -------------------------------------------------------------------------- */

/* Executes @path in a child and compares the explanation; the child must fail to execute it. */
static void assert_explained(const char *path, int code, const char *expected)
{
	char *const argv[] = {(char *)path, NULL}, *const envp[] = {NULL};
	struct error err = ERROR_NONE;
	int failed[2];
	int got = 0, status;
	pid_t pid;

	assert_int_equal(pipe2(failed, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execve(path, argv, envp);
		got = -errno;
		_exit(write(failed[1], &got, sizeof(got)) != sizeof(got));
	}
	close(failed[1]);
	assert_int_equal(read(failed[0], &got, sizeof(got)), sizeof(got));
	close(failed[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(got, code);
	assert_int_equal(executable_explain(path, got, &err), code);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, expected))
		fail_msg("\"%s\" does not contain \"%s\"\n", err.text, expected);
}

static void explain_file(const void *data, size_t size, unsigned mode, int code,
			 const char *expected)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *path = file_put(dir, "program", data, size, mode);

	assert_explained(path, code, expected);
}

static void explain_script(const char *text, int code, const char *expected)
{
	explain_file(text, strlen(text), 0755, code, expected);
}

static void test_missing(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *file = file_put(dir, "file", "x", 1, 0644);
	_cleanup_free_ char *below = xasprintf("%s/below", file);

	assert_explained("/no/such/program", -ENOENT,
			 "exec \"/no/such/program\": No such file or directory");
	assert_explained(below, -ENOTDIR, "a part of its path is not a directory");
}

static void test_scripts(void **state)
{
	(void)state;
	needs_kernel();

	explain_script("#!/no/such/shell -e\n", -ENOENT,
		       "its interpreter \"/no/such/shell\" is missing: No such file or directory");
	explain_script(
		"#! /bin/sh\r\necho\r\n", -ENOENT,
		"its interpreter \"/bin/sh\\r\" is missing (the first line ends in a carriage "
		"return: Windows line ends)");
	explain_script("#!/tmp\n", -EACCES, "its interpreter \"/tmp\" is a directory");
	explain_script("#!/etc/passwd\n", -EACCES,
		       "its interpreter \"/etc/passwd\" has no execute permission");
	explain_script("echo hello\n", -ENOEXEC, "neither an ELF file nor a script");
	explain_script("", -ENOEXEC, "the file is empty");
}

/* The interpreter is a script itself, and that one's interpreter is missing. */
static void test_interpreter_of_interpreter(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *inner = file_put(dir, "inner", "#!/no/such/shell\n", 17, 0755);
	_cleanup_free_ char *line = xasprintf("#!%s\n", inner);
	_cleanup_free_ char *outer = file_put(dir, "outer", line, strlen(line), 0755);

	assert_explained(outer, -ENOENT, "its interpreter \"/no/such/shell\" is missing");
}

/* An ELF file with nothing but a header and a loader's name, and the rest as the caller says. */
struct small_elf {
	Elf64_Ehdr header;
	Elf64_Phdr program;
	char loader[32];
};

static struct small_elf small_elf(unsigned machine, const char *loader)
{
	struct small_elf elf = {
		.header =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					    ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = (Elf64_Half)machine,
				.e_version = EV_CURRENT,
				.e_phoff = offsetof(struct small_elf, program),
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = 1,
			},
		.program =
			{
				.p_type = PT_INTERP,
				.p_offset = offsetof(struct small_elf, loader),
				.p_filesz = strlen(loader) + 1,
			},
	};

	memcpy(elf.loader, loader, strlen(loader));
	return elf;
}

static void test_elf(void **state)
{
	(void)state;
	needs_kernel();

	struct small_elf elf = small_elf(EM_X86_64, "/lib/ld-missing.so.1");

#ifndef __x86_64__
	skip();
#endif
	explain_file(&elf, sizeof(elf), 0755, -ENOENT,
		     "its loader \"/lib/ld-missing.so.1\" is missing: No such file or directory");
	explain_file(&elf, 30, 0755, -ENOEXEC, "cut short");
	elf = small_elf(EM_AARCH64, "/lib/ld.so");
	explain_file(&elf, sizeof(elf), 0755, -ENOEXEC,
		     "it is for ARM aarch64, this host is x86-64: Exec format error");
	elf = small_elf(EM_S390, "/lib/ld.so");
	elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
	elf.header.e_machine = __builtin_bswap16(EM_S390);
	explain_file(&elf, sizeof(elf), 0755, -ENOEXEC, "it is for IBM Z, this host is x86-64");
	elf = small_elf(0x7abc, "/lib/ld.so");
	explain_file(&elf, sizeof(elf), 0755, -ENOEXEC, "it is for machine type 31420");
	elf = small_elf(EM_X86_64, "/tmp");
	explain_file(&elf, sizeof(elf), 0755, -EACCES, "its loader \"/tmp\" is a directory");
}

/* A 32-bit program whose loader is missing, the usual case on a 64-bit image. */
static void test_elf_of_32_bits(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr program;
		char loader[32];
	} elf = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = EV_CURRENT,
			   .e_ehsize = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 1},
		.program = {.p_type = PT_INTERP, .p_filesz = sizeof("/lib/ld-missing.so.2")},
		.loader = "/lib/ld-missing.so.2",
	};
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *path = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	elf.header.e_phoff = (Elf32_Off)((char *)&elf.program - (char *)&elf);
	elf.program.p_offset = (Elf32_Off)(elf.loader - (char *)&elf);
	path = file_put(dir, "program", &elf, sizeof(elf), 0755);
	/* Not executed: not every kernel has the 32-bit calls. */
	assert_int_equal(executable_explain(path, -ENOENT, &err), -ENOENT);
	assert_contains(err.text, "its loader \"/lib/ld-missing.so.2\" is missing");
}

static void test_rights_and_kinds(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *fifo = xasprintf("%s/fifo", dir);
	_cleanup_free_ char *busy = file_put(dir, "busy", "#!/bin/sh\n", 10, 0755);
	_cleanup_free_ char *loop = xasprintf("%s/loop", dir);
	_cleanup_fd_ int writer = open(busy, O_WRONLY | O_CLOEXEC);

	explain_file("x", 1, 0644, -EACCES, "has no execute permission (mode 0644)");
	assert_explained(dir, -EACCES, "is a directory: Permission denied");
	assert_int_equal(mkfifo(fifo, 0777), 0);
	assert_explained(fifo, -EACCES, "is not a regular file: Permission denied");
	assert_true(writer >= 0);
	assert_explained(busy, -ETXTBSY, "open for writing");
	assert_int_equal(symlink("loop", loop), 0);
	assert_explained(loop, -ELOOP, "Too many levels of symbolic links");
}

/* As a user who lacks rights that others have. */
static void child_as_user(void *argument)
{
	struct error err = ERROR_NONE;
	char *const argv[] = {argument, NULL}, *const envp[] = {NULL};
	const char *expected = strstr(argument, "/closed/")
				       ? "may not be searched"
				       : "may not be executed by user 1234 group 1234";

	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(setgid(1234) == 0 && setuid(1234) == 0);
	child_assert(execve(argument, argv, envp) < 0 && errno == EACCES);
	child_assert(executable_explain(argument, -EACCES, &err) == -EACCES);
	child_assert(strstr(err.text, expected));
}

static void test_rights_of_users(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *mine = file_put(dir, "mine", "#!/bin/sh\n", 10, 0700);
	_cleanup_free_ char *closed = xasprintf("%s/closed", dir), *inside = NULL;

	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(mkdir(closed, 0700), 0);
	inside = file_put(closed, "tool", "#!/bin/sh\n", 10, 0755);
	in_child(child_as_user, mine);
	in_child(child_as_user, inside);
}

static void child_noexec(void *argument)
{
	struct error err = ERROR_NONE;
	char *const argv[] = {argument, NULL}, *const envp[] = {NULL};
	_cleanup_free_ char *dir = xstrdup(argument), *file = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", MS_NOEXEC, NULL) < 0)
		_exit(CHILD_SKIP);
	file = file_put(dir, "tool", "#!/bin/sh\n", 10, 0755);
	child_assert(execve(file, argv, envp) < 0 && errno == EACCES);
	child_assert(executable_explain(file, -EACCES, &err) == -EACCES);
	child_assert(strstr(err.text, "mounted noexec"));
}

static void test_noexec(void **state)
{
	(void)state;
	needs_kernel();

	_cleanup_directory_ char *dir = directory_make();

	in_child(child_noexec, dir);
}

/* What every other errno says must say more than its number does. */
static void test_plain_reasons(void **state)
{
	static const struct {
		int code;
		const char *part;
	} reasons[] = {
		{-E2BIG, "too long"},	     {-EAGAIN, "RLIMIT_NPROC"}, {-EISDIR, "loader"},
		{-ELIBBAD, "loader"},	     {-EINVAL, "loader"},	{-EPERM, "Operation not"},
		{-ENAMETOOLONG, "too long"}, {-ENOMEM, "memory"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		struct error err = ERROR_NONE;

		assert_int_equal(executable_explain(SOME_PROGRAM, reasons[i].code, &err),
				 reasons[i].code);
		assert_contains(err.text, reasons[i].part);
		assert_contains(err.text, "exec \"" SOME_PROGRAM "\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_is_searched),
		cmocka_unit_test(test_current_directory),
		cmocka_unit_test(test_not_executable_is_remembered),
		cmocka_unit_test(test_directory_is_no_program),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_interpreter_of_interpreter),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_of_32_bits),
		cmocka_unit_test(test_rights_and_kinds),
		cmocka_unit_test(test_rights_of_users),
		cmocka_unit_test(test_noexec),
		cmocka_unit_test(test_plain_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
