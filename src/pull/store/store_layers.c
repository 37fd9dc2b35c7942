/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: made in tmp/, visible when they are whole.
 *
 * Theory of operation. Nobody waits for the disk when a layer is made. The kernel writes it out in
 * its own time, and until then a power cut may take away the content of files, though the layer has
 * its name already. So a layer begins with a note, the symbolic link "unsynced", that names the
 * boot in which it was made (a link: its text cannot get lost apart from its name). Within that
 * boot what was written is what is read. In another boot the layer is compared with its index
 * before it is used: it loses the note if it is well, and goes if it is not. store_sync() writes
 * everything out, and takes away the notes of what was there before.
 *
 * This stands on file systems that bring changes of names to the disk in the order in which they
 * were made, as those with a journal do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "common/tree.h"

#include "store-internal.h"
#include "verify.h"

bool layer_exists(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	return store->fd >= 0 &&
	       fstatat(store->fd, store_name("layers", diff_id, name), &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISDIR(st.st_mode);
}

#define NOTE "unsynced"

static void note_name(const struct digest *diff_id, char ret[static STORE_NAME_MAX])
{
	char layer[STORE_NAME_MAX];

	snprintf(ret, STORE_NAME_MAX, "%.300s/" NOTE, store_name("layers", diff_id, layer));
}

enum layer_note layer_note(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX], boot[sizeof(store->boot)];
	ssize_t size;

	note_name(diff_id, name);
	size = readlinkat(store->fd, name, boot, sizeof(boot) - 1);
	if (size < 0)
		return errno == ENOENT ? NOTE_NONE : NOTE_OTHER_BOOT;
	boot[size] = '\0';
	return str_equal(boot, store->boot) ? NOTE_THIS_BOOT : NOTE_OTHER_BOOT;
}

int layer_remove(const struct store *store, const struct digest *diff_id, uint64_t *freed)
{
	char name[STORE_NAME_MAX], work[STORE_NAME_MAX];
	int r;

	store_name("layers", diff_id, name);
	store_flat_name(STORE_TMP, diff_id, work);
	r = tree_remove(store->fd, work, freed);
	if (r < 0 && r != -ENOENT)
		return r;
	/* At once: half a layer must not be taken for a whole one. */
	if (renameat(store->fd, name, store->fd, work) < 0)
		return -errno;
	return tree_remove(store->fd, work, freed);
}

void layer_settled(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX];

	if (layer_note(store, diff_id) != NOTE_OTHER_BOOT)
		return;
	note_name(diff_id, name);
	unlinkat(store->fd, name, 0);
}

static void log_finding(void *context, const char *path, const char *what)
{
	log_debug("layer %s: \"%s\": %s", (const char *)context, path, what);
}

/* The layer was made in another boot, and is locked. Whether it is whole. */
static bool settle(const struct store *store, const struct digest *diff_id)
{
	char hex[DIGEST_HEX_MAX + 1];
	const struct verify verify = {
		.finding = log_finding, .context = hex, .cancelled = store->cancelled};
	_cleanup_fd_ int fd = -EBADF;
	struct error err = ERROR_NONE;
	uint64_t findings = 1;
	int r;

	memcpy(hex, diff_id->hex, sizeof(hex));
	log_debug("layer %s: made in another boot, is verified", hex);
	fd = store_layer_open(store, diff_id, &err);
	r = fd < 0 ? fd : layer_verify(fd, &verify, &findings, &err);
	if (r < 0)
		log_debug("layer %s: not verified: %s", hex, err.text);
	if (r >= 0 && !findings && store->mode != STORE_READ)
		layer_settled(store, diff_id);
	if (r >= 0 && findings && store->mode != STORE_READ)
		ignore(layer_remove(store, diff_id, NULL)); /* it stays unusable by its note */
	return r >= 0 && !findings;
}

/* As store_has_layer(), with the layer's lock held. */
static bool has_layer_locked(const struct store *store, const struct digest *diff_id)
{
	if (!layer_exists(store, diff_id))
		return false;
	return layer_note(store, diff_id) != NOTE_OTHER_BOOT || settle(store, diff_id);
}

bool store_has_layer(const struct store *store, const struct digest *diff_id)
{
	_cleanup_fd_ int lockfd = -EBADF;
	char name[STORE_NAME_MAX];
	bool found;

	if (!layer_exists(store, diff_id))
		return false;
	if (layer_note(store, diff_id) != NOTE_OTHER_BOOT)
		return true;
	if (store->mode == STORE_READ)
		return settle(store, diff_id);
	store_flat_name(STORE_TMP, diff_id, name);
	lockfd = tmp_lock(store, name, /* wait= */ true);
	if (lockfd < 0)
		return false;
	found = has_layer_locked(store, diff_id);
	tmp_unlock(store, name, &lockfd);
	return found;
}

int store_layer_open(const struct store *store, const struct digest *diff_id, struct error *err)
{
	char name[STORE_NAME_MAX];
	int fd;

	store_name("layers", diff_id, name);
	fd = store->fd < 0 ? -ENOENT
			   : openat(store->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->fd < 0 || (fd < 0 && errno == ENOENT))
		return refuse_as(err, -ENOENT, "layer %s is not there: pull the image again",
				 diff_id->hex);
	return fd < 0 ? fail(err, -errno, "open \"%s/%s\"", store->path, name) : fd;
}

char *store_layer_path(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX];

	return xasprintf("%s/%s/fs", store->path, store_name("layers", diff_id, name));
}

/* Makes the directory with what belongs into it; the lock is held. */
static int make_layer(struct store_layer *layer)
{
	const struct store *store = layer->store;
	int r;

	/* Left over from one that died since this process opened the store. */
	r = tree_remove(store->fd, layer->name, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	if (mkdirat(store->fd, layer->name, 0700) < 0)
		return -errno;
	layer->dirfd = openat(store->fd, layer->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer->dirfd < 0 || mkdirat(layer->dirfd, "fs", 0755) < 0)
		return -errno;
	layer->rootfd = openat(layer->dirfd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whatever the umask took away. */
	if (layer->rootfd < 0 || fchmod(layer->rootfd, 0755) < 0)
		return -errno;
	layer->indexfd = openat(layer->dirfd, "index", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return layer->indexfd < 0 ? -errno : 0;
}

int store_layer_begin(const struct store *store, const struct digest *diff_id,
		      struct store_layer *ret, struct error *err)
{
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	char name[STORE_NAME_MAX];
	int r;

	if (store_has_layer(store, diff_id))
		return 1;
	store_flat_name(STORE_TMP, diff_id, name);
	layer.lockfd = tmp_lock(store, name, /* wait= */ true);
	if (layer.lockfd < 0)
		return fail(err, layer.lockfd, "wait for layer %s", diff_id->hex);
	layer.store = store;
	layer.diff_id = *diff_id;
	layer.name = xstrdup(name);
	if (has_layer_locked(store, diff_id))
		return 1;
	r = make_layer(&layer);
	if (r < 0)
		return fail(err, r, "make \"%s/%s\"", store->path, layer.name);
	*ret = layer;
	layer.name = NULL;
	return 0;
}

/* The layer is somewhere else by now, or nowhere. */
static void end_layer(struct store_layer *layer)
{
	layer->indexfd = fd_close(layer->indexfd);
	layer->rootfd = fd_close(layer->rootfd);
	layer->dirfd = fd_close(layer->dirfd);
	tmp_unlock(layer->store, layer->name, &layer->lockfd);
	free(take_ptr(&layer->name));
}

int store_layer_commit(struct store_layer *layer, struct error *err)
{
	const struct store *store = layer->store;
	char name[STORE_NAME_MAX];

	if (symlinkat(store->boot, layer->dirfd, NOTE) < 0)
		return fail(err, -errno, "make \"%s/%s/" NOTE "\"", store->path, layer->name);
	store_name("layers", &layer->diff_id, name);
	if (renameat(store->fd, layer->name, store->fd, name) < 0)
		return fail(err, -errno, "make \"%s/%s\"", store->path, name);
	end_layer(layer);
	return 0;
}

void store_layer_abort(struct store_layer *layer)
{
	if (!layer->name)
		return;
	/* What cannot be removed now, the next one who opens the store removes. */
	ignore(tree_remove(layer->store->fd, layer->name, NULL));
	end_layer(layer);
}

static int list_layers(const struct store *store, enum digest_algorithm algorithm,
		       struct digest_set *ret)
{
	char place[STORE_NAME_MAX];
	_cleanup_dir_ DIR *dir = NULL;
	const struct dirent *entry;
	struct digest diff_id;

	snprintf(place, sizeof(place), "layers/%s", digest_algorithm_name(algorithm));
	dir = store->fd < 0 ? NULL : store_open_dir(store, place);
	if (!dir)
		return store->fd < 0 || errno == ENOENT ? 0 : -errno;
	errno = 0;
	while ((entry = readdir(dir))) {
		if (store_name_read(algorithm, entry->d_name, &diff_id))
			digest_set_add(ret, &diff_id);
		errno = 0;
	}
	return -errno;
}

int stored_layers_list(const struct store *store, struct digest_set *ret, struct error *err)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < DIGEST_MAX; i++)
		r = list_layers(store, (enum digest_algorithm)i, ret);
	return r < 0 ? fail(err, r, "list the layers of \"%s\"", store->path) : 0;
}

/* What is on the disk needs no note. */
static void remove_notes(const struct store *store, const struct digest_set *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		char name[STORE_NAME_MAX];

		note_name(&layers->items[i], name);
		unlinkat(store->fd, name, 0);
	}
}

int store_sync(const struct store *store, struct error *err)
{
	struct digest_set all = {.items = NULL}, noted = {.items = NULL};
	int r = stored_layers_list(store, &all, err);

	/* Only what was there before is on the disk then. */
	for (size_t i = 0; r >= 0 && i < all.count; i++) {
		if (layer_note(store, &all.items[i]) == NOTE_THIS_BOOT)
			digest_set_add(&noted, &all.items[i]);
	}
	if (r >= 0 && syncfs(store->fd) < 0)
		r = fail(err, -errno, "write the store \"%s\" to the disk", store->path);
	if (r >= 0)
		remove_notes(store, &noted);
	digest_set_done(&noted);
	digest_set_done(&all);
	return r;
}
