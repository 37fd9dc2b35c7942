/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal of what is not marked.
 *
 * Theory of operation. While the store is locked exclusively each layer that is not needed is only
 * moved, into one directory in tmp/, which is a rename(2) each. Then pulls go on, and the directory
 * is emptied beside them. Whoever is killed meanwhile leaves it to the next one that opens the
 * store. On a disk so full that not even the directory can be made, the layers are removed where
 * they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "common/tree.h"

#include "gc.h"
#include "store-internal.h"

#define PART_AGE_SECONDS 3600

struct sweep {
	const struct store *store;
	const struct gc_marks *marks;
	const struct gc_options *options;
	struct gc_result *result;
	enum digest_algorithm algorithm; /* of what is gone through now */
	char bin[STORE_NAME_MAX];	 /* "tmp/…", where layers are moved to; "": nowhere */
	int binlock;
};

static void report(const struct sweep *sweep, const char *name)
{
	if (sweep->options->each)
		sweep->options->each(sweep->options->context, name);
}

static void make_bin(struct sweep *sweep)
{
	char random[RANDOM_NAME_MAX];

	if (random_name(random) < 0)
		return;
	snprintf(sweep->bin, sizeof(sweep->bin), STORE_TMP "/gone-%s", random);
	sweep->binlock = tmp_lock(sweep->store, sweep->bin, /* wait= */ false);
	if (sweep->binlock >= 0 && mkdirat(sweep->store->fd, sweep->bin, 0700) == 0)
		return;
	if (sweep->binlock >= 0)
		tmp_unlock(sweep->store, sweep->bin, &sweep->binlock);
	sweep->bin[0] = '\0';
}

static int empty_bin(struct sweep *sweep, struct error *err)
{
	struct stat bin;
	int r;

	if (!sweep->bin[0])
		return 0;
	/* From here on nothing that others may look for is touched. */
	if (flock(sweep->store->lockfd, LOCK_SH) < 0)
		return fail(err, -errno, "unlock the store");
	/* Its own blocks were not there before. */
	if (fstatat(sweep->store->fd, sweep->bin, &bin, AT_SYMLINK_NOFOLLOW) == 0)
		sweep->result->bytes -= (uint64_t)bin.st_blocks * 512;
	r = tree_remove(sweep->store->fd, sweep->bin, &sweep->result->bytes);
	tmp_unlock(sweep->store, sweep->bin, &sweep->binlock);
	return r < 0 ? fail(err, r, "remove \"%s/%s\"", sweep->store->path, sweep->bin) : 0;
}

static int move_layer(struct sweep *sweep, const char *name, const struct digest *diff_id)
{
	char flat[STORE_NAME_MAX];

	if (!sweep->bin[0])
		return layer_remove(sweep->store, diff_id, &sweep->result->bytes);
	store_flat_name(sweep->bin, diff_id, flat);
	return renameat(sweep->store->fd, name, sweep->store->fd, flat) < 0 ? -errno : 0;
}

static int sweep_layer(void *context, const char *name, struct error *err)
{
	struct sweep *sweep = context;
	struct digest diff_id;
	int r;

	if (!store_name_read(sweep->algorithm, strrchr(name, '/') + 1, &diff_id) ||
	    digest_set_has(&sweep->marks->layers, &diff_id))
		return 0;
	report(sweep, name);
	sweep->result->layers++;
	if (sweep->options->dry_run)
		r = tree_measure(sweep->store->fd, name, &sweep->result->bytes);
	else
		r = move_layer(sweep, name, &diff_id);
	return r < 0 ? fail(err, r, "remove \"%s/%s\"", sweep->store->path, name) : 0;
}

/* A small file. */
static int drop_file(struct sweep *sweep, const char *name, struct error *err)
{
	uint64_t *bytes = &sweep->result->bytes;
	int r;

	report(sweep, name);
	r = sweep->options->dry_run ? tree_measure(sweep->store->fd, name, bytes)
				    : tree_remove(sweep->store->fd, name, bytes);
	return r < 0 ? fail(err, r, "remove \"%s/%s\"", sweep->store->path, name) : 0;
}

static int sweep_blob(void *context, const char *name, struct error *err)
{
	struct sweep *sweep = context;
	struct digest digest;

	if (!store_name_read(sweep->algorithm, strrchr(name, '/') + 1, &digest) ||
	    digest_set_has(&sweep->marks->blobs, &digest))
		return 0;
	sweep->result->blobs++;
	return drop_file(sweep, name, err);
}

static int sweep_part(void *context, const char *name, struct error *err)
{
	struct sweep *sweep = context;
	struct stat st;

	if (fstatat(sweep->store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "stat \"%s/%s\"", sweep->store->path, name);
	if (!S_ISREG(st.st_mode) ||
	    (!sweep->options->all && time(NULL) - st.st_mtime < PART_AGE_SECONDS))
		return 0;
	sweep->result->parts++;
	return drop_file(sweep, name, err);
}

static int sweep_bundles(struct sweep *sweep, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sweep->marks->gone.count; i++) {
		sweep->result->bundles++;
		r = drop_file(sweep, sweep->marks->gone.items[i], err);
	}
	return r;
}

/* PLACE/sha256 and PLACE/sha512. */
static int sweep_digests(struct sweep *sweep, const char *place,
			 int (*each)(void *context, const char *name, struct error *err),
			 struct error *err)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < DIGEST_MAX; i++) {
		char name[STORE_NAME_MAX];

		sweep->algorithm = (enum digest_algorithm)i;
		snprintf(name, sizeof(name), "%s/%s", place,
			 digest_algorithm_name(sweep->algorithm));
		r = store_each(sweep->store, name, each, sweep, err);
	}
	return r;
}

int gc_sweep(struct store *store, const struct gc_marks *marks, const struct gc_options *options,
	     struct gc_result *ret, struct error *err)
{
	struct sweep sweep = {.store = store,
			      .marks = marks,
			      .options = options,
			      .result = ret,
			      .binlock = -EBADF};
	struct error later = ERROR_NONE;
	int r, emptied;

	*ret = (struct gc_result){.bytes = store->swept};
	if (!options->dry_run && store->fd >= 0)
		make_bin(&sweep);
	r = sweep_digests(&sweep, "layers", sweep_layer, err);
	if (r >= 0)
		r = sweep_digests(&sweep, "blobs", sweep_blob, err);
	if (r >= 0)
		r = store_each(store, "ingest", sweep_part, &sweep, err);
	if (r >= 0)
		r = sweep_bundles(&sweep, err);
	emptied = empty_bin(&sweep, r < 0 ? &later : err);
	return r < 0 ? r : emptied;
}
