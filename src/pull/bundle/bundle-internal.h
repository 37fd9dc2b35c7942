/* SPDX-License-Identifier: Apache-2.0 */
/* What the files bundle*.c share: each file's part of a bundle. */
#ifndef BERTH_PULL_BUNDLE_INTERNAL_H
#define BERTH_PULL_BUNDLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layer/merged.h"

#include "bundle_plan.h"

/* bundle_user.c: Config.User and --user. */
struct bundle_user {
	uint32_t uid, gid;
	uint32_t *groups;
	size_t group_count;
	const char *home; /* of /etc/passwd, otherwise "/" */
};

int bundle_user_find(struct arena *arena, const struct merged *merged, const char *text,
		     struct bundle_user *ret, struct error *err) must_check;

/* bundle_seccomp.c: linux.seccomp, whole, or nothing where it is not wanted. */
void bundle_seccomp_write(struct json_writer *w, const struct bundle_plan *plan);
/* The value, of our own table: for a host and a bounding set. */
void seccomp_own_write(struct json_writer *w, const char *architecture, uint64_t capabilities);

/* bundle_seccomp_profile.c: the value, of a profile that was read. */
void seccomp_profile_write(struct json_writer *w, const struct json *profile,
			   const char *architecture, uint64_t capabilities);

/* Where the program of --init is in the container: not in the image's own tree. */
#define BUNDLE_INIT_PATH "/dev/init"

/* bundle_paths.c: linux.maskedPaths and linux.readonlyPaths. */
void bundle_paths_write(struct json_writer *w);

#define DEFAULT_HOSTNAME "berth"

/* All that config.json is made of. */
struct bundle_contents {
	const struct bundle_plan *plan;
	const struct image_config *image;
	const struct bundle_user *user;
	const char *lower; /* the layers as berth's annotation has them; NULL: a plain root */
	const struct bundle_mount *volumes; /* what the image's volumes have become */
	size_t volume_count;
	bool has_hosts; /* the bundle has a file for the container's /etc/hosts */
};

/* bundle_config.c, bundle_process.c, bundle_annotations.c. The text is the caller's. */
char *bundle_config_text(const struct bundle_contents *contents);
void bundle_process_write(struct json_writer *w, const struct bundle_contents *contents);
void bundle_annotations_write(struct json_writer *w, const struct bundle_contents *contents);
/* Whether a runtime, an engine or a hook would act on an annotation of this name. */
bool bundle_label_has_power(const char *key);

/* The layers of an image, opened. */
struct bundle_layers {
	int *fds; /* owned */
	size_t count;
	struct merged merged;
};

/* A bundle in the making. */
struct bundle_work {
	struct arena *arena;
	const struct store *store;
	const struct image_config *image;
	const struct bundle_plan *plan;
	const struct bundle_layers *layers;
	int fd;			      /* its directory; borrowed */
	const char *lower;	      /* see bundle_contents */
	struct bundle_mount *volumes; /* in the arena */
	size_t volume_count;
	bool has_hosts;
};

/* bundle_root.c: the layers, and the root that they make; work->lower is set. */
int bundle_layers_open(const struct store *store, const struct image_config *image,
		       bool user_namespace, struct bundle_layers *ret,
		       struct error *err) must_check;
void bundle_layers_close(struct bundle_layers *layers);
#define _cleanup_bundle_layers_ __attribute__((cleanup(bundle_layers_close)))
int bundle_root_make(struct bundle_work *work, struct error *err) must_check;

/* bundle_volumes.c: what the image's volumes become; work->volumes is set. */
int bundle_volumes_make(struct bundle_work *work, struct error *err) must_check;

#endif
