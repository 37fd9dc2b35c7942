/* SPDX-License-Identifier: Apache-2.0 */
/* Where the other programs of berth are. */
#include "berth/base/helper.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/path.h"
#include "berth/base/str.h"

#define EXE_LINK "/proc/self/exe"

/* The kernel gives the text of such a link a page at most. */
#define LINK_TEXT_MAX 4096

static bool is_own(const char *path)
{
	struct stat own, there;

	return stat(EXE_LINK, &own) == 0 && stat(path, &there) == 0 && own.st_dev == there.st_dev &&
	       own.st_ino == there.st_ino;
}

char *helper_own_program(const char *name)
{
	_cleanup_free_ char *path = name && strchr(name, '/') ? path_absolute(name) : NULL;

	return path && is_own(path) ? take_ptr(&path) : NULL;
}

/* The own file; NULL where its path leads elsewhere: it was replaced, or is a clone or a copy. */
static char *own_program(void)
{
	char text[LINK_TEXT_MAX];
	ssize_t length = readlink(EXE_LINK, text, sizeof(text) - 1);

	if (length < 0)
		return NULL;
	text[length] = '\0';
	return text[0] == '/' && is_own(text) ? xstrdup(text) : NULL;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* NULL where there is none that can be trusted: what a link is, and leads to, may be two people's.
 */
static char *find_beside(const char *program, const char *name)
{
	const size_t directory = (size_t)(strrchr(program, '/') - program) + 1;
	_cleanup_free_ char *path = xasprintf("%.*s%s", (int)directory, program, name);
	struct stat own, there;

	if (stat(program, &own) < 0 || lstat(path, &there) < 0 || !S_ISREG(there.st_mode) ||
	    !is_program(path))
		return NULL;
	return there.st_uid == 0 || there.st_uid == own.st_uid ? take_ptr(&path) : NULL;
}

/* Where an installation has it: what people run by hand, too, or what berth alone runs. */
static char *find_installed(const char *name)
{
	static const char *const directories[] = {BERTH_SBINDIR, BERTH_LIBEXECDIR};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directories[i], name);

		if (is_program(path))
			return take_ptr(&path);
	}
	return NULL;
}

int helper_path(const char *program, const char *name, const char *needed_by, char **ret,
		struct error *err)
{
	_cleanup_free_ char *own = program ? xstrdup(program) : own_program();
	_cleanup_free_ char *path = own ? find_beside(own, name) : NULL;

	if (!path)
		path = find_installed(name);
	if (!path)
		return refuse_as(err, -ENOENT,
				 "%s needs the program \"%s\", which is neither at \"%s/%s\" or "
				 "\"%s/%s\" nor beside \"%s\"",
				 needed_by, name, BERTH_SBINDIR, name, BERTH_LIBEXECDIR, name,
				 own ? own : EXE_LINK);
	*ret = take_ptr(&path);
	return 0;
}
