/* SPDX-License-Identifier: Apache-2.0 */
/* The names of capabilities, and the sets of process.capabilities. */
#include <assert.h>
#include <errno.h>
#include <strings.h>

#include "tables-internal.h"

/* By number, as linux/capability.h has them. */
const char *const capability_names[CAPABILITY_COUNT] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

/* Most unknown names that are kept for the warning. */
#define UNKNOWN_MAX 64

int capability_number(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (strcasecmp(capability_names[i] + 4, name) == 0)
			return i;
	}
	return -EINVAL;
}

static void keep_unknown(const struct decoder *d, struct spec_capabilities *all, const char *name)
{
	const char **list = (const char **)all->unknown;
	size_t count = 0;

	if (list == NULL)
		list = arena_alloc(d->arena, UNKNOWN_MAX + 1, sizeof(*list));
	while (list[count] != NULL && !str_equal(list[count], name))
		count++;
	if (count < UNKNOWN_MAX)
		list[count] = name;
	all->unknown = list;
}

int capability_set_decode(const struct decoder *d, const struct field *field,
			  const struct node *node, void *base, struct error *err)
{
	struct spec_capabilities *all = base;
	const char *const *names;
	int r = decode_strings(d, node, &names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; names[i] != NULL; i++) {
		int number = capability_number(names[i]);

		if (number < 0)
			keep_unknown(d, all, names[i]);
		else
			all->sets[field->argument] |= UINT64_C(1) << number;
	}
	return 0;
}
