/* SPDX-License-Identifier: Apache-2.0 */
/* labels.c: SELinux contexts, as the kernel tells them. */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

static void print(const char *what, long size, const char *context)
{
	if (size < 0)
		printf("%s %s\n", what, errno_name(errno));
	else
		printf("%s %.*s\n", what, (int)strnlen(context, (size_t)size), context);
}

/* labels PATH...: those of files, of the process ("current"), and of its session keyring ("keys").
 */
int command_labels(int argc, char **argv)
{
	char context[1024];

	for (int i = 1; i < argc; i++) {
		long size;

		if (strcmp(argv[i], "current") == 0) {
			char *text = read_file("/proc/self/attr/current");

			print(argv[i], text ? (long)strlen(text) : -1, text);
		} else if (strcmp(argv[i], "keys") == 0) {
			size = syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING,
				       context, sizeof(context), 0);
			print(argv[i], size, context);
		} else {
			size = lgetxattr(argv[i], "security.selinux", context, sizeof(context));
			print(argv[i], size, context);
		}
	}
	return 0;
}
