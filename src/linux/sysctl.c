/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel parameters of the container's own namespaces.
 *
 * Theory of operation. A parameter that belongs to no namespace would be changed for the host, so
 * only those are let through that the kernel keeps per namespace, and only where the container has
 * that namespace for itself. A key is turned into its path first and the path is judged, because
 * keys have two spellings, and one of them hides "..": in "net.//.kernel" each "/" is a dot.
 * The write goes through the pinned procfs: what the container mounts over its /proc is not asked.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "berth/base/alloc.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/linux/process.h"

/* Which parameters belong to which namespace. A path that ends in "/" stands for all below it. */
static const struct {
	const char *path;
	enum namespace_kind kind;
} namespaced[] = {
	{"kernel/msgmax", NAMESPACE_IPC},     {"kernel/msgmnb", NAMESPACE_IPC},
	{"kernel/msgmni", NAMESPACE_IPC},     {"kernel/sem", NAMESPACE_IPC},
	{"kernel/shmall", NAMESPACE_IPC},     {"kernel/shmmax", NAMESPACE_IPC},
	{"kernel/shmmni", NAMESPACE_IPC},     {"kernel/shm_rmid_forced", NAMESPACE_IPC},
	{"fs/mqueue/", NAMESPACE_IPC},	      {"net/", NAMESPACE_NETWORK},
	{"kernel/domainname", NAMESPACE_UTS}, {"user/", NAMESPACE_USER},
};

/*
 * The path below /proc/sys of a key in either spelling. The first separator says which it is: where
 * it is ".", each "/" stands for a "." in a name ("net.ipv4.conf.eth0/1.mtu").
 */
static char *path_of(const char *key)
{
	char *path = xstrdup(key);
	size_t first = strcspn(key, "./");

	if (key[first] != '.')
		return path;
	for (char *c = path; *c; c++) {
		if (*c == '.')
			*c = '/';
		else if (*c == '/')
			*c = '.';
	}
	return path;
}

/* Whether each component is a name, so that the path leads nowhere but down. */
static bool is_plain(const char *path)
{
	for (;;) {
		size_t size = strcspn(path, "/");

		if (size == 0 || (size == 1 && path[0] == '.') ||
		    (size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[size])
			return true;
		path += size + 1;
	}
}

static bool matches(const char *path, const char *pattern)
{
	size_t size = strlen(pattern);

	return pattern[size - 1] == '/' ? str_starts(path, pattern) : str_equal(path, pattern);
}

/* Whether the namespace file @path is the one that the caller is in. */
static bool is_own_network(const char *path)
{
	struct stat theirs, ours;

	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static int check_path(const char *path,
		      const struct spec_namespace namespaces[static NAMESPACE_MAX],
		      struct error *err)
{
	if (!is_plain(path))
		return refuse(err, "not the name of a kernel parameter");
	if (str_equal(path, "kernel/hostname"))
		return refuse(err, "not allowed, use the field hostname");
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		const struct spec_namespace *namespace = &namespaces[namespaced[i].kind];

		if (!matches(path, namespaced[i].path))
			continue;
		if (!namespace->wanted)
			return refuse(err, "only allowed in a %s namespace of the container's own",
				      namespace_names[namespaced[i].kind]);
		if (namespaced[i].kind == NAMESPACE_NETWORK && namespace->path &&
		    is_own_network(namespace->path))
			return refuse(err, "not allowed in the host's network namespace (\"%s\")",
				      namespace->path);
		return 0;
	}
	return refuse(err, "not in a namespace: it would change the host");
}

int sysctl_check(const struct spec_strings *sysctl,
		 const struct spec_namespace namespaces[static NAMESPACE_MAX], struct error *err)
{
	for (size_t i = 0; i < sysctl->count; i++) {
		_cleanup_free_ char *path = path_of(sysctl->items[i].key);
		int r = check_path(path, namespaces, err);

		if (r < 0)
			return within(err, r, "linux.sysctl[\"%s\"]", sysctl->items[i].key);
	}
	return 0;
}

int sysctl_apply(int procfd, const struct spec_strings *sysctl, struct error *err)
{
	for (size_t i = 0; i < sysctl->count; i++) {
		_cleanup_free_ char *path = path_of(sysctl->items[i].key);
		_cleanup_free_ char *file = xasprintf("sys/%s", path);
		int r = proc_write(procfd, file, sysctl->items[i].value, err);

		if (r < 0)
			return within(err, r, "linux.sysctl[\"%s\"]", sysctl->items[i].key);
	}
	return 0;
}
