/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of the store.
 *
 * What is content comes before what names it, so that a repair, which takes damaged content away,
 * takes away what lacks it, too: a pull of the same name then makes it whole.
 */
#include "fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/tree.h"

#include "fsck-internal.h"
#include "stored_layers.h"

const char *const fsck_kind_names[FSCK_KIND_MAX] = {
	[FSCK_DAMAGED] = "damaged",
	[FSCK_UNKNOWN] = "unknown",
	[FSCK_LEFTOVER] = "leftover",
};

static void report(struct checking *checking, enum fsck_kind kind, const char *name,
		   const char *what, bool repaired)
{
	const struct fsck *fsck = checking->fsck;

	if (kind != FSCK_LEFTOVER && !repaired)
		checking->wrong++;
	if (fsck->finding)
		fsck->finding(fsck->context, kind, name, what, repaired);
}

void fsck_report(struct checking *checking, enum fsck_kind kind, const char *name, const char *what)
{
	report(checking, kind, name, what, false);
}

void fsck_damaged(struct checking *checking, const char *name, const char *what)
{
	bool gone = checking->fsck->repair && tree_remove(checking->store->fd, name, NULL) >= 0;

	report(checking, FSCK_DAMAGED, name, what, gone);
}

void fsck_damaged_layer(struct checking *checking, const char *name, const struct digest *diff_id,
			const char *what)
{
	bool gone = checking->fsck->repair && layer_remove(checking->store, diff_id, NULL) >= 0;

	report(checking, FSCK_DAMAGED, name, what, gone);
}

static bool is_known(const char *name)
{
	if (str_equal(name, "lock") || str_equal(name, "lost+found"))
		return true;
	for (size_t i = 0; store_directories[i]; i++) {
		if (str_equal(name, store_directories[i]))
			return true;
	}
	return false;
}

/* An entry of ROOT, "./NAME", or of one of the two directories for each algorithm. */
static int check_known(void *context, const char *name, struct error *err)
{
	(void)err;
	name += str_starts(name, "./") ? 2 : 0;
	if (!is_known(name))
		fsck_report(context, FSCK_UNKNOWN, name, "not made by berth-pull");
	return 0;
}

/* Nobody else may get at the files of images, setuid ones among them. */
static int check_directory(struct checking *checking, const char *name, struct error *err)
{
	const struct store *store = checking->store;
	struct stat st;
	bool repaired;

	if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(err, -errno, "stat \"%s/%s\"", store->path, name);
	if (!S_ISDIR(st.st_mode)) {
		fsck_report(checking, FSCK_DAMAGED, name, "not a directory");
		return fail(err, -ENOTDIR, "\"%s/%s\"", store->path, name);
	}
	if (!(st.st_mode & 077))
		return 0;
	repaired = checking->fsck->repair && fchmodat(store->fd, name, 0700, 0) == 0;
	report(checking, FSCK_DAMAGED, name, "open to other users", repaired);
	return 0;
}

static int check_shape(struct checking *checking, struct error *err)
{
	int r = store_each(checking->store, ".", check_known, checking, err);

	for (size_t i = 0; r >= 0 && store_directories[i]; i++)
		r = check_directory(checking, store_directories[i], err);
	if (r >= 0)
		r = store_each(checking->store, "blobs", check_known, checking, err);
	return r < 0 ? r : store_each(checking->store, "layers", check_known, checking, err);
}

static int check_digests(struct checking *checking, const char *place,
			 int (*each)(void *context, const char *name, struct error *err),
			 struct error *err)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < DIGEST_MAX; i++) {
		char name[STORE_NAME_MAX];

		checking->algorithm = (enum digest_algorithm)i;
		snprintf(name, sizeof(name), "%s/%s", place,
			 digest_algorithm_name(checking->algorithm));
		r = store_each(checking->store, name, each, checking, err);
	}
	return r;
}

int store_fsck(const struct store *store, const struct fsck *fsck, uint64_t *ret_wrong,
	       struct error *err)
{
	struct checking checking = {.store = store, .fsck = fsck};
	int r = store->fd < 0 ? 0 : check_shape(&checking, err);

	if (r >= 0)
		r = check_digests(&checking, "blobs", fsck_blob, err);
	if (r >= 0)
		r = check_digests(&checking, "layers", fsck_layer, err);
	if (r >= 0)
		r = store_each(store, "ingest", fsck_part, &checking, err);
	if (r >= 0)
		r = store_each(store, STORE_TMP, fsck_work, &checking, err);
	if (r >= 0)
		r = store_each(store, "images", fsck_image, &checking, err);
	if (r >= 0)
		r = store_each(store, "bundles", fsck_bundle, &checking, err);
	*ret_wrong = checking.wrong;
	return r;
}
