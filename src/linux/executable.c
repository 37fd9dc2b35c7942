/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the program of a container, and saying why it could not be executed.
 *
 * Theory of operation. Both run inside the container's root, with the user's ids, so whatever the
 * image holds is opened with no more rights than the program will have, without blocking, and read
 * only if it is a regular file. execve(2) says ENOENT for a missing interpreter, EACCES for half a
 * dozen reasons; the file's first bytes tell which. An interpreter is examined in its turn, as the
 * kernel does, to a small depth.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/linux/process.h"

/* Where execvp(3) looks if there is no PATH. */
#define DEFAULT_PATH "/bin:/usr/bin"

/* The kernel reads as much of a "#!" line. */
#define HEAD_SIZE 256

/* How many interpreters of interpreters are examined (the kernel stops at 5). */
#define DEPTH_MAX 5

#define PROGRAM_HEADERS_MAX 128

/* --- finding ----------------------------------------------------------------------------- */

static const char *path_of(const char *const *env)
{
	for (; *env; env++) {
		if (str_starts(*env, "PATH="))
			return *env + strlen("PATH=");
	}
	return DEFAULT_PATH;
}

/* Returns 0 if @path can be executed as far as one can see, otherwise negative errno. */
static int try_candidate(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* A filter may forbid the question itself: then execve(2) gives the answer. */
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 && errno == EACCES)
		return -EACCES;
	return 0;
}

/* "DIRECTORY/NAME"; an empty directory stands for the current one. */
static char *candidate_of(const char *directory, size_t size, const char *name)
{
	if (size == 0)
		return xasprintf("./%s", name);
	return xasprintf("%.*s/%s", (int)size, directory, name);
}

static int find_in_path(const char *name, const char *list, char **ret_path, struct error *err)
{
	_cleanup_free_ char *refused = NULL;
	char *found = NULL;
	const char *end;

	for (;; list = end + 1) {
		_cleanup_free_ char *path = NULL;
		int r;

		end = strchrnul(list, ':');
		path = candidate_of(list, (size_t)(end - list), name);
		r = try_candidate(path);
		if (r == 0)
			found = take_ptr(&path);
		else if (r == -EACCES && !refused)
			refused = take_ptr(&path);
		if (found || !*end)
			break;
	}
	if (found) {
		*ret_path = found;
		return 0;
	}
	if (refused)
		return executable_explain(refused, -EACCES, err);
	return refuse_as(err, -ENOENT, "exec \"%s\": executable file not found in $PATH", name);
}

int executable_find(const char *name, const char *const *env, char **ret_path, struct error *err)
{
	int r;

	if (!strchr(name, '/') && *name)
		return find_in_path(name, path_of(env), ret_path, err);
	r = try_candidate(name);
	if (r < 0)
		return executable_explain(name, r, err);
	*ret_path = xstrdup(name);
	return 0;
}

/* --- explaining -------------------------------------------------------------------------- */

/* Which file the reason is about: the program itself, or an interpreter that it needs. */
struct suspect {
	const char *program; /* what was to be executed */
	const char *path;    /* what is examined */
	const char *role;    /* NULL: the program itself; "interpreter", "loader" */
	int depth;
};

/* Fails with the formatted reason about the suspect. */
static int blame(const struct suspect *suspect, int code, struct error *err, const char *reason)
{
	if (!suspect->role)
		return fail(err, code, "exec \"%s\"%s%s", suspect->program, *reason ? ": " : "",
			    reason);
	return fail(err, code, "exec \"%s\": its %s \"%s\" %s", suspect->program, suspect->role,
		    suspect->path, *reason ? reason : "cannot be used");
}

static const struct {
	unsigned machine;
	const char *name;
} machines[] = {
	{EM_386, "x86 (32 bits)"},   {EM_X86_64, "x86-64"},   {EM_ARM, "ARM (32 bits)"},
	{EM_AARCH64, "ARM aarch64"}, {EM_RISCV, "RISC-V"},    {EM_PPC, "PowerPC"},
	{EM_PPC64, "PowerPC64"},     {EM_S390, "IBM Z"},      {EM_MIPS, "MIPS"},
	{EM_LOONGARCH, "LoongArch"}, {EM_SPARCV9, "SPARC64"}, {EM_68K, "m68k"},
	{EM_ALPHA, "Alpha"},	     {EM_PARISC, "PA-RISC"},  {EM_SH, "SuperH"},
};

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define HOST_MACHINE EM_PPC64
#elif defined(__s390x__)
#define HOST_MACHINE EM_S390
#elif defined(__loongarch__)
#define HOST_MACHINE EM_LOONGARCH
#elif defined(__i386__)
#define HOST_MACHINE EM_386
#elif defined(__arm__)
#define HOST_MACHINE EM_ARM
#else
#define HOST_MACHINE EM_NONE
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

#define MACHINE_TEXT_MAX 40

static void machine_text(unsigned machine, char text[static MACHINE_TEXT_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (machines[i].machine == machine) {
			snprintf(text, MACHINE_TEXT_MAX, "%s", machines[i].name);
			return;
		}
	}
	snprintf(text, MACHINE_TEXT_MAX, "machine type %u", machine);
}

/* What was read of a file. */
struct head {
	unsigned char bytes[HEAD_SIZE];
	size_t size;
	int fd; /* open file, the owner's */
};

static bool is_elf(const struct head *head)
{
	return head->size >= SELFMAG && memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

static bool is_script(const struct head *head)
{
	return head->size >= 2 && head->bytes[0] == '#' && head->bytes[1] == '!';
}

static unsigned elf_machine(const struct head *head)
{
	const unsigned char *at = head->bytes + offsetof(Elf64_Ehdr, e_machine);

	return head->bytes[EI_DATA] == ELFDATA2MSB ? (unsigned)at[0] << 8 | at[1]
						   : (unsigned)at[1] << 8 | at[0];
}

/* Whether the host's own kind of processor has this ELF file in its own byte order. */
static bool is_elf_for_host(const struct head *head)
{
	return head->size >= sizeof(Elf64_Ehdr) && head->bytes[EI_DATA] == HOST_DATA &&
	       elf_machine(head) == HOST_MACHINE;
}

/* Reads the string at @offset of the file into @text. Returns whether it is one. */
static bool read_text(int fd, uint64_t offset, uint64_t size, char text[static PATH_MAX])
{
	if (size < 2 || size > PATH_MAX)
		return false;
	return pread(fd, text, (size_t)size, (off_t)offset) == (ssize_t)size &&
	       text[size - 1] == '\0' && *text;
}

/* Where the program headers of an ELF file are. */
struct elf_table {
	uint64_t offset;
	unsigned count, size;
};

/* Files of the host's byte order; both classes, since many hosts execute 32-bit programs too. */
static bool elf_table(const struct head *head, struct elf_table *ret)
{
	Elf64_Ehdr wide;
	Elf32_Ehdr narrow;

	if (head->size < sizeof(wide) || head->bytes[EI_DATA] != HOST_DATA)
		return false;
	memcpy(&wide, head->bytes, sizeof(wide));
	memcpy(&narrow, head->bytes, sizeof(narrow));
	if (head->bytes[EI_CLASS] == ELFCLASS64)
		*ret = (struct elf_table){wide.e_phoff, wide.e_phnum, sizeof(Elf64_Phdr)};
	else
		*ret = (struct elf_table){narrow.e_phoff, narrow.e_phnum, sizeof(Elf32_Phdr)};
	return ret->count <= PROGRAM_HEADERS_MAX;
}

/* The loader that an ELF file asks for (PT_INTERP). */
static bool elf_loader(const struct head *head, char text[static PATH_MAX])
{
	struct elf_table table;
	Elf64_Phdr wide;
	Elf32_Phdr narrow;

	if (!elf_table(head, &table))
		return false;
	for (unsigned i = 0; i < table.count; i++) {
		unsigned char bytes[sizeof(wide)] = {0};
		off_t at = (off_t)(table.offset + (uint64_t)i * table.size);

		if (pread(head->fd, bytes, table.size, at) != (ssize_t)table.size)
			return false;
		memcpy(&wide, bytes, sizeof(wide));
		memcpy(&narrow, bytes, sizeof(narrow));
		if (wide.p_type != PT_INTERP) /* the first member of both classes */
			continue;
		return table.size == sizeof(wide)
			       ? read_text(head->fd, wide.p_offset, wide.p_filesz, text)
			       : read_text(head->fd, narrow.p_offset, narrow.p_filesz, text);
	}
	return false;
}

/*
 * The interpreter that a script names. *ret_cr: the line ends in a carriage return, which the
 * kernel takes for a part of the name.
 */
static bool script_interpreter(const struct head *head, char text[static PATH_MAX], bool *ret_cr)
{
	const char *start = (const char *)head->bytes + 2;
	const char *limit = (const char *)head->bytes + head->size;
	const char *end;

	while (start < limit && (*start == ' ' || *start == '\t'))
		start++;
	end = start;
	while (end < limit && *end != ' ' && *end != '\t' && *end != '\n' && *end)
		end++;
	if (end == start)
		return false;
	*ret_cr = end[-1] == '\r';
	snprintf(text, PATH_MAX, "%.*s", (int)(end - start - *ret_cr), start);
	return true;
}

static int examine(const struct suspect *suspect, int code, struct error *err);

/* The file is there and may be read: is its interpreter the culprit? */
static int examine_interpreter(const struct suspect *suspect, const struct head *head, int code,
			       struct error *err)
{
	struct suspect next = {.program = suspect->program, .depth = suspect->depth + 1};
	char path[PATH_MAX];
	bool carriage = false;

	next.path = path;
	if (is_script(head) && script_interpreter(head, path, &carriage))
		next.role = "interpreter";
	else if (is_elf(head) && elf_loader(head, path))
		next.role = "loader";
	if (carriage)
		return fail(
			err, code,
			"exec \"%s\": its interpreter \"%s\\r\" is missing (the first line ends "
			"in a carriage return: Windows line ends)",
			suspect->program, path);
	if (!next.role || next.depth > DEPTH_MAX)
		return blame(suspect, code, err, "");
	return examine(&next, code, err);
}

static int explain_format(const struct suspect *suspect, const struct head *head, int code,
			  struct error *err)
{
	char machine[MACHINE_TEXT_MAX], host[MACHINE_TEXT_MAX];
	_cleanup_free_ char *reason = NULL;

	if (head->size == 0)
		return blame(suspect, code, err, "the file is empty");
	if (is_script(head))
		return examine_interpreter(suspect, head, code, err);
	if (!is_elf(head))
		return blame(
			suspect, code, err,
			"no program: neither an ELF file nor a script that begins with \"#!\"");
	if (head->size < sizeof(Elf32_Ehdr))
		return blame(suspect, code, err, "the ELF file is cut short");
	if (is_elf_for_host(head))
		return blame(suspect, code, err, "the ELF file is damaged or cut short");
	machine_text(elf_machine(head), machine);
	machine_text(HOST_MACHINE, host);
	reason = xasprintf("it is for %s%s, this host is %s", machine,
			   elf_machine(head) == HOST_MACHINE ? " of the other byte order" : "",
			   host);
	return blame(suspect, code, err, reason);
}

/* Why the kernel would not execute a file that is there: rights, kind, mount. NULL: none found. */
static char *access_reason(const char *path, const struct stat *st)
{
	struct statvfs fs;

	if (S_ISDIR(st->st_mode))
		return xstrdup("is a directory");
	if (!S_ISREG(st->st_mode))
		return xstrdup("is not a regular file");
	if (!(st->st_mode & 0111))
		return xasprintf("has no execute permission (mode %04o)", st->st_mode & 07777);
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
		return xstrdup("is on a file system that is mounted noexec");
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 && errno == EACCES)
		return xasprintf("may not be executed by user %u group %u (mode %04o, owner %u:%u)",
				 geteuid(), getegid(), st->st_mode & 07777, st->st_uid, st->st_gid);
	return NULL;
}

/* The file cannot even be asked for: which part of its path is it? */
static int explain_unreachable(const struct suspect *suspect, int stat_code, int code,
			       struct error *err)
{
	if (stat_code == -ENOENT && suspect->role)
		return blame(suspect, code, err, "is missing");
	if (stat_code == -EACCES)
		return blame(suspect, code, err, "a directory of its path may not be searched");
	if (stat_code == -ENOTDIR)
		return blame(suspect, code, err, "a part of its path is not a directory");
	return blame(suspect, code, err, "");
}

static int read_head(const char *path, struct head *head)
{
	ssize_t n;

	head->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (head->fd < 0)
		return -errno;
	n = pread(head->fd, head->bytes, sizeof(head->bytes), 0);
	if (n < 0)
		return -errno;
	head->size = (size_t)n;
	return 0;
}

/* A regular file: does its content say more? */
static int examine_content(const struct suspect *suspect, int code, struct error *err)
{
	struct head head = {.fd = -EBADF};
	int r = read_head(suspect->path, &head);

	if (r < 0)
		r = blame(suspect, code, err,
			  code == -ENOENT ? "its interpreter or loader is missing" : "");
	else if (code == -ENOEXEC)
		r = explain_format(suspect, &head, code, err);
	else
		r = examine_interpreter(suspect, &head, code, err);
	fd_close(head.fd);
	return r;
}

static int examine(const struct suspect *suspect, int code, struct error *err)
{
	_cleanup_free_ char *reason = NULL;
	struct stat st;

	if (stat(suspect->path, &st) < 0)
		return explain_unreachable(suspect, -errno, code, err);
	if (code == -EACCES)
		reason = access_reason(suspect->path, &st);
	if (reason)
		return blame(suspect, code, err, reason);
	if (!S_ISREG(st.st_mode))
		return blame(suspect, code, err, "is not a regular file");
	return examine_content(suspect, code, err);
}

/* Errors that say all by themselves, once somebody translates them. */
static const char *plain_reason(int code)
{
	switch (code) {
	case -E2BIG:
		return "the arguments and the environment are too long";
	case -ETXTBSY:
		return "the file is open for writing";
	case -EAGAIN:
		return "the user has too many processes (RLIMIT_NPROC)";
	case -EISDIR:
		return "its loader is a directory";
	case -ELIBBAD:
		return "its loader is no ELF file that the kernel knows";
	case -EINVAL:
		return "the ELF file names more than one loader";
	case -EPERM:
		return "a security module, a filter, or a nosuid mount forbids it";
	case -ENOSYS:
		return "a filter forbids it, or the agent that it asks has ended";
	default:
		return NULL;
	}
}

int executable_explain(const char *path, int code, struct error *err)
{
	const struct suspect suspect = {.program = path, .path = path};
	const char *reason = plain_reason(code);

	if (reason)
		return blame(&suspect, code, err, reason);
	if (code == -ENOENT || code == -EACCES || code == -ENOEXEC || code == -ENOTDIR)
		return examine(&suspect, code, err);
	return blame(&suspect, code, err, "");
}
