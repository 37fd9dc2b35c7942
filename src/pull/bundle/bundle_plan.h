/* SPDX-License-Identifier: Apache-2.0 */
/* The options that make a bundle, read: what can be said of them without an image. */
#ifndef BERTH_PULL_BUNDLE_PLAN_H
#define BERTH_PULL_BUNDLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/base/id_map.h"
#include "berth/base/json_write.h"

#include "common/id_maps.h"

#include "bundle.h"

struct bundle_mount {
	const char *destination, *type, *source; /* as config.json has them */
	const char *const *options;		 /* NULL-terminated */
};

/* What is done about the volumes that an image declares. */
enum image_volumes {
	IMAGE_VOLUMES_BIND,   /* a directory of the bundle each, with what the image has there */
	IMAGE_VOLUMES_TMPFS,  /* lost with the container */
	IMAGE_VOLUMES_IGNORE, /* part of the root */
	IMAGE_VOLUMES_MAX
};

/* How a container reaches others. */
enum bundle_network_kind {
	BUNDLE_NETWORK_NONE,
	BUNDLE_NETWORK_HOST,
	BUNDLE_NETWORK_USER, /* pasta, slirp4netns: processes of the user, by berth-net */
	BUNDLE_NETWORK_LINK  /* a link that berth-net gives it */
};

struct bundle_network {
	enum bundle_network_kind kind;
	const char *name; /* as --network has it */
	const char *root; /* berth-net's --root, absolute; NULL: its default */
	/* Of bundle_network_prepare(), NULL before. */
	const char *program; /* berth-net, absolute */
	const char *hosts;   /* what is mounted on /etc/hosts; NULL: nothing */
};

/* The options, read. Texts and lists belong to the arena that was given, or to the options. */
struct bundle_plan {
	const struct bundle_options *options;
	const char *hostname;  /* NULL: there is none, or the bundle's place is not known yet */
	uint64_t capabilities; /* the bounding set, bits 1 << CAP_… */
	uint64_t capabilities_added; /* named by --cap-add */
	bool no_new_privileges;
	bool seccomp_unconfined;
	const struct json *seccomp_profile; /* NULL: our own */
	uint64_t memory_bytes, cpu_quota_us;
	int64_t pids;
	bool has_memory, has_cpus, has_pids;
	struct bundle_network network;
	struct id_maps uids, gids;
	bool map_layers; /* the layers have the image's own ids, and are mapped at run time */
	enum image_volumes image_volumes;
	struct bundle_mount *mounts; /* of --volume and --tmpfs */
	size_t mount_count;
	const char *init; /* path on the host, or NULL */
};

/* The period that cpu_quota_us is of. */
#define CPU_PERIOD_US 100000

int bundle_plan_read(struct arena *arena, const struct bundle_options *options,
		     struct bundle_plan *ret, struct error *err) must_check;

/* bundle_capabilities.c: --cap-add, --cap-drop. */
#define BUNDLE_CAPABILITY_COUNT 41
extern const char *const bundle_capability_names[BUNDLE_CAPABILITY_COUNT];
int bundle_capabilities_read(const struct bundle_options *options, struct bundle_plan *ret,
			     struct error *err) must_check;
/* process.capabilities; @is_root: of the process. */
void bundle_capabilities_write(struct json_writer *w, const struct bundle_plan *plan, bool is_root);

/* bundle_limits.c: --memory, --cpus, --pids. */
int bundle_limits_read(const struct bundle_options *options, struct bundle_plan *ret,
		       struct error *err) must_check;
void bundle_limits_write(struct json_writer *w, const struct bundle_plan *plan);

/* bundle_userns.c: whose ids the container has. */
int bundle_userns_read(struct arena *arena, const struct bundle_options *options,
		       struct bundle_plan *ret, struct error *err) must_check;
void bundle_userns_write(struct json_writer *w, const struct bundle_plan *plan);

/* bundle_mounts.c: --volume, --tmpfs. */
int bundle_mounts_read(struct arena *arena, const struct bundle_options *options,
		       struct bundle_plan *ret, struct error *err) must_check;
/* Whether the user has something mounted at @path, or above it, instead of the default. */
bool bundle_mounts_overrule(const struct bundle_plan *plan, const char *path);

/* bundle_network.c: --network and what goes with it; bundle_mounts_read() comes before. */
int bundle_network_read(struct arena *arena, const struct bundle_options *options,
			struct bundle_plan *ret, struct error *err) must_check;
/* Has berth-net check what is wanted, and make ready what the bundle mounts; nothing without it. */
int bundle_network_prepare(struct arena *arena, struct bundle_plan *plan,
			   struct error *err) must_check;
/* Whether the container's /etc/resolv.conf is the bundle's file of that name. */
bool bundle_network_has_resolv(const struct bundle_plan *plan);
/* Whether /etc/hosts may be the bundle's file "hosts". */
bool bundle_network_may_have_hosts(const struct bundle_plan *plan);
/* The mounts on files of the container's /etc; returns how many. */
#define BUNDLE_NETWORK_MOUNTS 2
size_t bundle_network_mounts(const struct bundle_plan *plan, bool has_hosts,
			     struct bundle_mount ret[static BUNDLE_NETWORK_MOUNTS]);
/* linux.sysctl, for a network of its own. */
void bundle_network_write_sysctl(struct json_writer *w, const struct bundle_plan *plan);
/* Members of "annotations", and the member "hooks". */
void bundle_network_annotate(struct json_writer *w, const struct bundle_plan *plan);
void bundle_network_write_hooks(struct json_writer *w, const struct bundle_plan *plan);

/* bundle_init.c: --init; the program of this host. */
int bundle_init_find(struct arena *arena, const char **ret, struct error *err) must_check;

/* bundle_user.c: whether the text can be a user at all. */
int bundle_user_check(const char *text, struct error *err) must_check;

/* bundle_seccomp_profile.c: --security-opt seccomp=FILE, read and checked. */
int bundle_seccomp_read(struct arena *arena, const char *path, const struct json **ret,
			struct error *err) must_check;

bool bundle_is_hostname(const char *text);

/* Whether it is UTF-8: config.json can have nothing else. */
bool bundle_is_utf8(const char *text);

#endif
