/* SPDX-License-Identifier: Apache-2.0 */
/* From a stored image to an OCI bundle: image-spec conversion.md, and the options of users. */
#ifndef BERTH_PULL_BUNDLE_H
#define BERTH_PULL_BUNDLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "berth/base/error.h"
#include "berth/base/options.h"
#include "berth/base/str.h"

#include "image/image.h"
#include "store/store.h"

/* As given on the command line, unread; NULL, empty, false where not given. */
struct bundle_options {
	struct strv args, env, volumes, tmpfs, cap_add, cap_drop, security_opts;
	struct strv publish, ip, dns;
	const char *entrypoint, *user, *cwd, *memory, *cpus, *pids, *userns, *hostname;
	const char *network, *mac, *bandwidth, *net_root;
	const char *image_volumes;
	bool read_only, tty, init, flat;
	/* Not options, the caller fills them in: struct context's, and the environment for --env
	 * without a value, NULL-terminated. */
	bool user_namespace;
	const char *const *environment;
	const char *xdg_runtime_dir;  /* or NULL */
	const atomic_bool *cancelled; /* or NULL */
};

/* The rows of the option table that fill it: the command's values begin with a bundle_options. */
#define BUNDLE_OPTION_COUNT 27
extern const struct option bundle_option_table[BUNDLE_OPTION_COUNT];

/*
 * Checks all that can be checked without an image, before anything is downloaded. berth-net is
 * asked about a network of its own.
 */
int bundle_options_check(const struct bundle_options *options, struct error *err) must_check;

/* Refuses a place that no bundle can be made at: bundle_make() would find out after the download.
 */
int bundle_check_place(const char *path, struct error *err) must_check;

/*
 * Makes the bundle directory @path (which must be new or empty; mode 0700), with config.json and
 * either the overlay of the image's layers or, with `flat`, a plain root file system. On failure
 * nothing of it stays.
 */
int bundle_make(const struct store *store, const struct image_config *config,
		const struct bundle_options *options, const char *path,
		struct error *err) must_check;

#endif
