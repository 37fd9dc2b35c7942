/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of mount options.
 *
 * Some options leave no trace. The kernel's new mount calls know no "silent" and "loud" (they
 * only ever chose what the kernel logs), and "iversion" is each file system's own business by now:
 * those that count versions always do. "defaults" asks for nothing anyway.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "tables-internal.h"

enum option_kind {
	OPTION_ATTRIBUTE, /* of the mount itself */
	OPTION_RECURSIVE, /* of the mount and of those below it */
	OPTION_PROPAGATION,
	OPTION_SUPERBLOCK, /* a flag for fsconfig(2), by its own name */
	OPTION_DATA,	   /* a file system's own option */
	OPTION_BIND,
	OPTION_BIND_RECURSIVE,
	OPTION_REMOUNT,
	OPTION_COPY_UP,
	OPTION_ID_MAP,
	OPTION_ID_MAP_RECURSIVE,
	OPTION_NOTHING
};

struct option {
	const char *name;
	enum option_kind kind;
	uint64_t set;  /* flags that it switches on … */
	uint64_t drop; /* … and off */
};

#define ATTRIBUTE(name, set, drop) X(name, OPTION_ATTRIBUTE, set, drop)
#define RECURSIVE(name, set, drop) X(name, OPTION_RECURSIVE, set, drop)
#define PROPAGATE(name, flags)	   X(name, OPTION_PROPAGATION, flags, 0)
#define OTHER(name, kind)	   X(name, kind, 0, 0)

/*
 * In the order of strcmp(). An option of the atime family that begins with "no" drops its own
 * choice only, so that the kernel's default (relatime) comes back; the others replace any choice.
 */
#define OPTIONS                                                                                    \
	OTHER("acl", OPTION_DATA)                                                                  \
	OTHER("async", OPTION_SUPERBLOCK)                                                          \
	ATTRIBUTE("atime", 0, MOUNT_ATTR_NOATIME)                                                  \
	OTHER("bind", OPTION_BIND)                                                                 \
	OTHER("defaults", OPTION_NOTHING)                                                          \
	ATTRIBUTE("dev", 0, MOUNT_ATTR_NODEV)                                                      \
	ATTRIBUTE("diratime", 0, MOUNT_ATTR_NODIRATIME)                                            \
	OTHER("dirsync", OPTION_SUPERBLOCK)                                                        \
	ATTRIBUTE("exec", 0, MOUNT_ATTR_NOEXEC)                                                    \
	OTHER("idmap", OPTION_ID_MAP)                                                              \
	OTHER("iversion", OPTION_NOTHING)                                                          \
	OTHER("lazytime", OPTION_SUPERBLOCK)                                                       \
	OTHER("loud", OPTION_NOTHING)                                                              \
	OTHER("mand", OPTION_SUPERBLOCK)                                                           \
	OTHER("noacl", OPTION_DATA)                                                                \
	ATTRIBUTE("noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME)                                \
	ATTRIBUTE("nodev", MOUNT_ATTR_NODEV, 0)                                                    \
	ATTRIBUTE("nodiratime", MOUNT_ATTR_NODIRATIME, 0)                                          \
	ATTRIBUTE("noexec", MOUNT_ATTR_NOEXEC, 0)                                                  \
	OTHER("noiversion", OPTION_NOTHING)                                                        \
	OTHER("nolazytime", OPTION_SUPERBLOCK)                                                     \
	OTHER("nomand", OPTION_SUPERBLOCK)                                                         \
	ATTRIBUTE("norelatime", 0, MOUNT_ATTR_RELATIME)                                            \
	ATTRIBUTE("nostrictatime", 0, MOUNT_ATTR_STRICTATIME)                                      \
	ATTRIBUTE("nosuid", MOUNT_ATTR_NOSUID, 0)                                                  \
	ATTRIBUTE("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0)                                        \
	PROPAGATE("private", MS_PRIVATE)                                                           \
	RECURSIVE("ratime", 0, MOUNT_ATTR_NOATIME)                                                 \
	OTHER("rbind", OPTION_BIND_RECURSIVE)                                                      \
	RECURSIVE("rdev", 0, MOUNT_ATTR_NODEV)                                                     \
	RECURSIVE("rdiratime", 0, MOUNT_ATTR_NODIRATIME)                                           \
	ATTRIBUTE("relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME)                              \
	OTHER("remount", OPTION_REMOUNT)                                                           \
	RECURSIVE("rexec", 0, MOUNT_ATTR_NOEXEC)                                                   \
	OTHER("ridmap", OPTION_ID_MAP_RECURSIVE)                                                   \
	RECURSIVE("rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME)                               \
	RECURSIVE("rnodev", MOUNT_ATTR_NODEV, 0)                                                   \
	RECURSIVE("rnodiratime", MOUNT_ATTR_NODIRATIME, 0)                                         \
	RECURSIVE("rnoexec", MOUNT_ATTR_NOEXEC, 0)                                                 \
	RECURSIVE("rnorelatime", 0, MOUNT_ATTR_RELATIME)                                           \
	RECURSIVE("rnostrictatime", 0, MOUNT_ATTR_STRICTATIME)                                     \
	RECURSIVE("rnosuid", MOUNT_ATTR_NOSUID, 0)                                                 \
	RECURSIVE("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0)                                       \
	ATTRIBUTE("ro", MOUNT_ATTR_RDONLY, 0)                                                      \
	PROPAGATE("rprivate", MS_PRIVATE | MS_REC)                                                 \
	RECURSIVE("rrelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME)                             \
	RECURSIVE("rro", MOUNT_ATTR_RDONLY, 0)                                                     \
	RECURSIVE("rrw", 0, MOUNT_ATTR_RDONLY)                                                     \
	PROPAGATE("rshared", MS_SHARED | MS_REC)                                                   \
	PROPAGATE("rslave", MS_SLAVE | MS_REC)                                                     \
	RECURSIVE("rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME)                       \
	RECURSIVE("rsuid", 0, MOUNT_ATTR_NOSUID)                                                   \
	RECURSIVE("rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW)                                         \
	PROPAGATE("runbindable", MS_UNBINDABLE | MS_REC)                                           \
	ATTRIBUTE("rw", 0, MOUNT_ATTR_RDONLY)                                                      \
	PROPAGATE("shared", MS_SHARED)                                                             \
	OTHER("silent", OPTION_NOTHING)                                                            \
	PROPAGATE("slave", MS_SLAVE)                                                               \
	ATTRIBUTE("strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME)                        \
	ATTRIBUTE("suid", 0, MOUNT_ATTR_NOSUID)                                                    \
	ATTRIBUTE("symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW)                                          \
	OTHER("sync", OPTION_SUPERBLOCK)                                                           \
	OTHER("tmpcopyup", OPTION_COPY_UP)                                                         \
	PROPAGATE("unbindable", MS_UNBINDABLE)

#define X(name, kind, set, drop) {name, kind, set, drop},
static const struct option options[] = {OPTIONS};
#undef X

#define X(name, kind, set, drop) name,
const char *const mount_option_names[] = {OPTIONS NULL};
#undef X

const char *const propagation_names[] = {"private", "rprivate",	   "rshared",
					 "rslave",  "runbindable", "shared",
					 "slave",   "unbindable",  NULL};

static int compare(const void *name, const void *option)
{
	return strcmp(name, ((const struct option *)option)->name);
}

static const struct option *find(const char *name)
{
	return bsearch(name, options, ARRAY_SIZE(options), sizeof(options[0]), compare);
}

int propagation_parse(const char *name, uint64_t *ret)
{
	const struct option *option = find(name);

	if (option == NULL || option->kind != OPTION_PROPAGATION)
		return -EINVAL;
	*ret = option->set;
	return 0;
}

/*
 * mount_setattr(2) clears before it sets, and takes MOUNT_ATTR__ATIME to be cleared only as a
 * whole: so any option of that family clears all of it, whatever is set then.
 */
static void apply_attribute(const struct option *option, uint64_t *set, uint64_t *clear)
{
	const uint64_t family = MOUNT_ATTR__ATIME;
	bool is_atime = ((option->set | option->drop) & family) != 0 ||
			(option->set | option->drop) == MOUNT_ATTR_RELATIME;

	*set = (*set & ~option->drop) | option->set;
	*clear = (*clear & ~option->set) | (option->drop & ~family);
	if (is_atime || (*clear & family) != 0)
		*clear |= family;
}

/* Whether @option has maps in it, which is crun's own form: "idmap=uids=…". */
static bool has_maps(const char *option)
{
	return str_starts(option, "idmap=") || str_starts(option, "ridmap=");
}

int mount_option_apply(const char *option, struct spec_mount *mount, const char **ret_sb_flag,
		       const char **ret_data, struct error *err)
{
	const struct option *known = find(option);

	*ret_sb_flag = NULL;
	*ret_data = NULL;
	if (has_maps(option))
		return refuse(err, "\"%.100s\": " NOT_YET ", use uidMappings and gidMappings",
			      option);
	if (known == NULL) {
		*ret_data = option;
		return 0;
	}
	switch (known->kind) {
	case OPTION_ATTRIBUTE:
		apply_attribute(known, &mount->attributes_set, &mount->attributes_clear);
		break;
	case OPTION_RECURSIVE:
		apply_attribute(known, &mount->recursive_set, &mount->recursive_clear);
		break;
	case OPTION_PROPAGATION:
		mount->propagation = known->set;
		break;
	case OPTION_SUPERBLOCK:
		*ret_sb_flag = option;
		break;
	case OPTION_DATA:
		*ret_data = option;
		break;
	case OPTION_BIND_RECURSIVE:
		mount->bind_recursive = true;
		mount->bind = true;
		break;
	case OPTION_BIND:
		mount->bind = true;
		break;
	case OPTION_REMOUNT:
		mount->remount = true;
		break;
	case OPTION_COPY_UP:
		mount->copy_up = true;
		break;
	case OPTION_ID_MAP_RECURSIVE:
		mount->id_map_recursive = true;
		mount->id_map = true;
		break;
	case OPTION_ID_MAP:
		mount->id_map = true;
		break;
	case OPTION_NOTHING:
		break;
	}
	return 0;
}
