/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux contexts of the container's new file systems (linux.mountLabel).
 *
 * Theory of operation. A file system that is mounted with the option "context=" shows all its files
 * with that one context, whatever is stored. Where the file system exists already, because the
 * kernel has one for a whole namespace or machine, the option is refused, and the label belongs to
 * the policy; so does that of proc and sysfs, whose files have contexts of their own. A bind mount
 * shows files that are labelled already.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "mount-internal.h"

static const char *const options[] = {"context=", "fscontext=", "defcontext=", "rootcontext="};

/* mqueue gets its label by label_root(). */
static const char *const unlabelled[] = {
	"proc",	   "sysfs",   "cgroup",	  "cgroup2",   "mqueue",      "devtmpfs", "securityfs",
	"debugfs", "tracefs", "configfs", "selinuxfs", "binfmt_misc", "pstore",	  "efivarfs",
};

static bool takes_label(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(unlabelled); i++) {
		if (str_equal(unlabelled[i], type))
			return false;
	}
	return true;
}

bool label_is_option(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (str_starts(option, options[i]))
			return true;
	}
	return false;
}

const char *label_for(const char *label, const struct spec_mount *mount)
{
	if (!label || !takes_label(mount->type))
		return NULL;
	for (size_t i = 0; mount->data && mount->data[i]; i++) {
		if (label_is_option(mount->data[i]))
			return NULL;
	}
	return label;
}

int label_explain(const char *label, int code, struct error *err)
{
	if (!label || (code != -EINVAL && code != -EACCES))
		return code;
	return within(err, code, "does SELinux let it have linux.mountLabel, \"%s\"?", label);
}

/* No context has quotes in it, so all of them go, as in the kernel's own reading of options. */
static void add_without_quotes(struct buf *text, const char *value)
{
	for (; *value; value++) {
		if (*value != '"')
			buf_add_char(text, *value);
	}
}

char *label_unquoted(const char *option)
{
	struct buf text = BUF_EMPTY;

	add_without_quotes(&text, option);
	return buf_take(&text);
}

char *label_quoted(const char *option)
{
	const char *value = strchr(option, '=') + 1;
	struct buf text = BUF_EMPTY;

	buf_add(&text, option, (size_t)(value - option));
	buf_add_char(&text, '"');
	add_without_quotes(&text, value);
	buf_add_char(&text, '"');
	return buf_take(&text);
}

int label_root(int mountfd, const char *label, struct error *err)
{
	const char *context = strchr(label, '=') + 1;
	_cleanup_fd_ int fd = openat(mountfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char found[256] = "";

	if (fd < 0)
		return fail(err, -errno, "open its root");
	/* By another container of the same namespace. */
	if (fgetxattr(fd, "security.selinux", found, sizeof(found) - 1) > 0 &&
	    str_equal(found, context))
		return 0;
	if (fsetxattr(fd, "security.selinux", context, strlen(context) + 1, 0) < 0)
		return fail(err, -errno, "linux.mountLabel: label its root \"%s\"", context);
	return 0;
}
