/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: what has been pulled, content-addressed, crash-safe, shared by all bundles.
 *
 *   ROOT/lock                    flock(2): shared while something is added, exclusive for removal
 *   ROOT/blobs/ALGORITHM/HEX     manifests and configurations, each checked
 *   ROOT/layers/ALGORITHM/HEX/   one directory for each layer, named by its diff id; is whole if it
 *                                is there: fs/ (the tree), index (see index.h), and unsynced while
 *                                nobody knows that it is on the disk
 *   ROOT/ingest/ALGORITHM-HEX    a compressed layer while it is downloaded; stays for the next run
 *   ROOT/tmp/                    work in progress, each with a lock of its own
 *   ROOT/images/HEX              one image: a JSON document, named by the digest of its name
 *   ROOT/bundles/HEX             one bundle: which layers it stands on
 *
 * All functions may be called by any thread, side by side.
 */
#ifndef BERTH_PULL_STORE_H
#define BERTH_PULL_STORE_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#include "common/digest.h"

enum store_mode {
	STORE_READ,   /* nothing is made or changed; a store that is not there is empty */
	STORE_ADD,    /* made where missing, mode 0700; locked shared */
	STORE_REMOVE, /* locked exclusively: waits until nobody adds or reads */
};

struct store {
	/* Set by the caller, before store_open(). */
	bool sync; /* what store_image_put() names is on the disk when it returns */
	const atomic_bool *cancelled; /* ends the waiting for locks; or NULL */

	char *path, *tmp; /* absolute: of ROOT, and of its directory for work in progress */
	int fd;		  /* of ROOT; negative: there is no store yet */
	int lockfd;
	enum store_mode mode;
	uint64_t swept; /* bytes that were freed when it was opened */
	char boot[40];	/* which boot of the machine this is */
};

#define STORE_CLOSED                                                                               \
	{                                                                                          \
		.fd = -EBADF, .lockfd = -EBADF                                                     \
	}

/*
 * Opens the store @path (absolute), in a *ret that is STORE_CLOSED but for what the caller sets.
 * What dead processes left behind in tmp/ is removed, except with STORE_READ. Errors: -EINTR where
 * it was cancelled; a store of another user, or one that others may write to, is refused.
 */
int store_open(const char *path, enum store_mode mode, struct store *ret,
	       struct error *err) must_check;
void store_close(struct store *store);
#define _cleanup_store_ __attribute__((cleanup(store_close)))

/* Documents. Reading checks the digest again: *ret_text is NUL-terminated and the caller's; -ENOENT
 * without a text if it is not there, -EBADMSG with one if it is damaged: writing mends it. */
int store_blob_read(const struct store *store, const struct digest *digest, size_t max,
		    char **ret_text, size_t *ret_size, struct error *err) must_check;
int store_blob_write(const struct store *store, const struct digest *digest, const void *data,
		     size_t size, struct error *err) must_check;

/* Whether the layer is there, whole. One that was made shortly before a power cut, perhaps, is
 * verified first, and removed if it is damaged: that takes the time of reading it once. */
bool store_has_layer(const struct store *store, const struct digest *diff_id);
/* Opens its directory (O_PATH), which has fs/ and index. */
int store_layer_open(const struct store *store, const struct digest *diff_id,
		     struct error *err) must_check;
/* Absolute path of its fs/, for a bundle. */
char *store_layer_path(const struct store *store, const struct digest *diff_id);

/* A layer in the making. */
struct store_layer {
	const struct store *store;
	struct digest diff_id;
	char *name; /* beneath tmp/; NULL: there is none */
	int dirfd, rootfd /* fs/ */, indexfd, lockfd;
};

#define STORE_LAYER_NONE                                                                           \
	{                                                                                          \
		.dirfd = -EBADF, .rootfd = -EBADF, .indexfd = -EBADF, .lockfd = -EBADF             \
	}

/*
 * Begins a layer: waits for another process or thread that makes the same one, so nobody may begin
 * a second layer before his first one is committed or aborted. Returns 0, or 1 if it is there by
 * now (*ret is untouched then).
 */
int store_layer_begin(const struct store *store, const struct digest *diff_id,
		      struct store_layer *ret, struct error *err) must_check;
/* Makes it visible, whole, by one rename(2). */
int store_layer_commit(struct store_layer *layer, struct error *err) must_check;
/* Removes what was made; does nothing after a commit. */
void store_layer_abort(struct store_layer *layer);
#define _cleanup_store_layer_ __attribute__((cleanup(store_layer_abort)))

/* Writes all that is there to the disk. store_image_put() does it where the store has `sync`. */
int store_sync(const struct store *store, struct error *err) must_check;

/*
 * The file that a compressed layer is downloaded to: opened for reading and writing, locked (waits
 * for another process), *ret_size bytes are there from a run before.
 */
int store_part_open(const struct store *store, const struct digest *digest, uint64_t *ret_size,
		    struct error *err) must_check;
/* Removes it: the layer has been unpacked, or the bytes are wrong. Keeps the descriptor usable. */
void store_part_remove(const struct store *store, const struct digest *digest);

/* What is known of an image. Texts and lists belong to the arena that was given. */
struct store_image {
	const char *name;	/* "docker.io/library/alpine:3.20", "oci:/path:ref" */
	const char *media_type; /* of the manifest */
	struct digest manifest; /* of the image itself, the platform chosen */
	struct digest top;	/* what the name stands for: an index, or the manifest again */
	const char *platform;	/* "linux/amd64" */
	const char *pulled;	/* RFC 3339 */
	uint64_t size;		/* of its layers, packed, in bytes */
};

int store_image_put(const struct store *store, const struct store_image *image,
		    struct error *err) must_check;
/* By full name, by a reference as users write it (with a digest: whatever its tag there), or by
 * digest or a unique beginning of one (12 digits) of the manifest. -ENOENT with a text. */
int store_image_find(const struct store *store, struct arena *arena, const char *name,
		     struct store_image *ret, struct error *err) must_check;
/* All of them, sorted by name. */
int store_image_list(const struct store *store, struct arena *arena, struct store_image **ret,
		     size_t *ret_count, struct error *err) must_check;
int store_image_remove(const struct store *store, const struct store_image *image,
		       struct error *err) must_check;

/*
 * Notes that the bundle at @path (absolute; @bundlefd is its directory) stands on the layers, so
 * that they are kept while it is there, also after it was moved within the file system of the
 * store. It gets a file ".berth-pull".
 */
int store_bundle_put(const struct store *store, const char *path, int bundlefd,
		     const struct digest *diff_ids, size_t count, struct error *err) must_check;

#endif
