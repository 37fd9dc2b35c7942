/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capabilities of a bundle.
 *
 * The default is what servers need to bind a low port and to drop to a user of theirs. Of Docker's
 * fourteen three are left out, as podman does: CAP_MKNOD (no device may be made use of),
 * CAP_NET_RAW (forged packets; ping has a socket of its own: bundle_network_write_sysctl()) and
 * CAP_AUDIT_WRITE.
 */
#include <errno.h>
#include <linux/capability.h>
#include <strings.h>

#include "bundle-internal.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define ALL		(BIT(BUNDLE_CAPABILITY_COUNT) - 1)

static const uint64_t defaults = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				 BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE) |
				 BIT(CAP_SETFCAP) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
				 BIT(CAP_SETUID) | BIT(CAP_SYS_CHROOT);

/* By number, capabilities(7). */
const char *const bundle_capability_names[BUNDLE_CAPABILITY_COUNT] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

/* "CHOWN", "cap_chown", "ALL". */
static int read_name(const char *name, const char *option, uint64_t *ret, struct error *err)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	if (strcasecmp(name, "ALL") == 0) {
		*ret = ALL;
		return 0;
	}
	for (unsigned i = 0; i < BUNDLE_CAPABILITY_COUNT; i++) {
		if (strcasecmp(bundle_capability_names[i] + 4, bare) == 0) {
			*ret = BIT(i);
			return 0;
		}
	}
	return refuse(err, "--%s: there is no capability \"%s\"", option, name);
}

static int read_names(const struct strv *names, const char *option, uint64_t *ret,
		      struct error *err)
{
	uint64_t bits = 0;
	int r = 0;

	*ret = 0;
	for (size_t i = 0; r >= 0 && i < names->count; i++) {
		r = read_name(names->items[i], option, &bits, err);
		*ret |= bits;
	}
	return r;
}

/* As Docker: ALL of one option is the start, from which the other's names are taken or added. */
int bundle_capabilities_read(const struct bundle_options *options, struct bundle_plan *ret,
			     struct error *err)
{
	uint64_t add, drop;
	int r = read_names(&options->cap_add, "cap-add", &add, err);

	if (r >= 0)
		r = read_names(&options->cap_drop, "cap-drop", &drop, err);
	if (r < 0)
		return r;
	if (add == ALL && drop == ALL)
		return refuse(err, "--cap-add ALL and --cap-drop ALL contradict each other");
	if (drop != ALL && add != ALL && (add & drop))
		return refuse(err, "--cap-add and --cap-drop have a capability in common");
	ret->capabilities_added = add == ALL ? ALL & ~drop : add;
	ret->capabilities = drop == ALL ? add : (defaults | add) & ~drop;
	return 0;
}

static void write_set(struct json_writer *w, const char *name, uint64_t set)
{
	json_key(w, name);
	json_begin_array(w);
	for (unsigned i = 0; i < BUNDLE_CAPABILITY_COUNT; i++) {
		if (set & BIT(i))
			json_string(w, bundle_capability_names[i]);
	}
	json_end_array(w);
}

/*
 * The inheritable set stays empty (CVE-2022-24769), but where a user that is not root is to have
 * what was asked for by name: to him only ambient capabilities come through an exec.
 */
void bundle_capabilities_write(struct json_writer *w, const struct bundle_plan *plan, bool is_root)
{
	json_key(w, "capabilities");
	json_begin_object(w);
	write_set(w, "bounding", plan->capabilities);
	write_set(w, "effective", plan->capabilities);
	write_set(w, "permitted", plan->capabilities);
	if (!is_root && plan->capabilities_added) {
		write_set(w, "inheritable", plan->capabilities_added);
		write_set(w, "ambient", plan->capabilities_added);
	}
	json_end_object(w);
}
