/* SPDX-License-Identifier: Apache-2.0 */
/* A new file system: fsopen(2), fsconfig(2), fsmount(2), and what the kernel says about them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

#define LOG_LINE_MAX 512

/*
 * Reads the kernel's error messages from the context: each read(2) gives one line, "e TEXT" for an
 * error. Empty where it said nothing.
 */
static void read_log(int fs, struct buf *text)
{
	char line[LOG_LINE_MAX];
	ssize_t n;

	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (!str_starts(line, "e "))
			continue;
		line[strcspn(line, "\n")] = '\0';
		buf_printf(text, "%s%s", text->size > 0 ? "; " : "", line + 2);
	}
}

/* fail() with the kernel's messages put between @what and the description of @code. */
static int fail_logged(int fs, struct error *err, int code, const char *what)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	read_log(fs, &text);
	if (text.size == 0)
		return fail(err, code, "%s", what);
	return fail(err, code, "%s: %s", what, text.data);
}

int fs_open(const char *type, struct error *err)
{
	int fs = sys_fsopen(type, FSOPEN_CLOEXEC);

	if (fs == -ENODEV)
		return fail(err, fs, "the kernel knows no file system \"%s\"", type);
	return fs < 0 ? fail(err, fs, "fsopen") : fs;
}

bool fs_is_legacy(int fs)
{
	char line[LOG_LINE_MAX];

	if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, "no-such-parameter", NULL, 0) >= 0)
		return true;
	/* The message about it must not turn up among later ones. */
	ignore(read(fs, line, sizeof(line)));
	return false;
}

int fs_set_as(int fs, const char *key, const char *value, const char *what, struct error *err)
{
	int r;

	if (value && strlen(value) > FS_VALUE_MAX)
		return refuse(err, "%s: longer than %d bytes", what, FS_VALUE_MAX);
	r = sys_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
	return r < 0 ? fail_logged(fs, err, r, what) : 0;
}

int fs_set(int fs, const char *key, const char *value, struct error *err)
{
	_cleanup_free_ char *what =
		xasprintf("option \"%s%s%s\"", key, value ? "=" : "", value ? value : "");

	return fs_set_as(fs, key, value, what, err);
}

int fs_set_option(int fs, const char *option, struct error *err)
{
	_cleanup_free_ char *plain =
		label_is_option(option) ? label_unquoted(option) : xstrdup(option);
	char *equals = strchr(plain, '=');

	if (!equals)
		return fs_set(fs, plain, NULL, err);
	*equals = '\0';
	return fs_set(fs, plain, equals + 1, err);
}

int fs_finish(int fs, uint64_t attributes, struct error *err)
{
	int r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r < 0)
		return fail_logged(fs, err, r, "create the file system");
	r = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
	if (r < 0)
		return fail_logged(fs, err, r, "fsmount");
	return r;
}

int fs_open_empty(const char *label, struct error *err)
{
	_cleanup_fd_ int fs = fs_open("tmpfs", err);
	int r = fs;

	if (r >= 0 && label)
		r = fs_set_option(fs, label, err);
	if (r >= 0)
		r = fs_finish(fs,
			      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				      MOUNT_ATTR_NOEXEC,
			      err);
	return label_explain(label, r, err);
}
