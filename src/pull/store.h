/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: what has been pulled, content-addressed, crash-safe, shared by all bundles.
 *
 *   ROOT/lock                    flock(2): shared while something is added, exclusive for removal
 *   ROOT/blobs/ALGORITHM/HEX     manifests and configurations, each checked
 *   ROOT/layers/ALGORITHM/HEX/   one directory for each layer, named by its diff id; is whole if it
 *                                is there: fs/ (the tree), index (see index.h)
 *   ROOT/ingest/ALGORITHM-HEX    a compressed layer while it is downloaded; stays for the next run
 *   ROOT/tmp/                    work in progress, each with a lock of its own
 *   ROOT/images/HEX              one image: a JSON document, named by the digest of its name
 *   ROOT/bundles/HEX             one bundle: which layers it stands on
 */
#ifndef BERTH_PULL_STORE_H
#define BERTH_PULL_STORE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#include "digest.h"

struct store {
	char *path; /* absolute */
	int fd;	    /* of ROOT */
	int lockfd;
	bool sync; /* write layers to the disk before they become visible */
};

enum store_mode {
	STORE_READ,   /* nothing is made; a store that is not there is empty (fd is negative) */
	STORE_ADD,    /* made where missing, mode 0711; locked shared */
	STORE_REMOVE, /* locked exclusively: waits until nobody adds */
};

int store_open(const char *path, enum store_mode mode, struct store *ret,
	       struct error *err) must_check;
void store_close(struct store *store);
#define _cleanup_store_ __attribute__((cleanup(store_close)))
#define STORE_CLOSED                                                                               \
	{                                                                                          \
		.fd = -EBADF, .lockfd = -EBADF                                                     \
	}

/* Documents. Reading checks the digest again: *ret_text is NUL-terminated and the caller's; -ENOENT
 * without a text if it is not there. */
int store_blob_read(const struct store *store, const struct digest *digest, size_t max,
		    char **ret_text, size_t *ret_size, struct error *err) must_check;
int store_blob_write(const struct store *store, const struct digest *digest, const void *data,
		     size_t size, struct error *err) must_check;

/* Whether the layer is there, whole. */
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
	char *name; /* beneath tmp/ */
	int dirfd, rootfd /* fs/ */, indexfd, lockfd;
};

/*
 * Begins a layer: waits for another process that makes the same one. Returns 0, or 1 if it is there
 * by now (*ret is untouched then).
 */
int store_layer_begin(const struct store *store, const struct digest *diff_id,
		      struct store_layer *ret, struct error *err) must_check;
/* Makes it visible, whole, by one rename(2). */
int store_layer_commit(struct store_layer *layer, struct error *err) must_check;
/* Removes what was made; does nothing after a commit. */
void store_layer_abort(struct store_layer *layer);
#define _cleanup_store_layer_ __attribute__((cleanup(store_layer_abort)))

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
/* By full name, or by digest or a unique beginning of one (12 digits at least) of the manifest.
 * -ENOENT with a text. */
int store_image_find(const struct store *store, struct arena *arena, const char *name,
		     struct store_image *ret, struct error *err) must_check;
/* All of them, sorted by name. */
int store_image_list(const struct store *store, struct arena *arena, struct store_image **ret,
		     size_t *ret_count, struct error *err) must_check;
int store_image_remove(const struct store *store, const struct store_image *image,
		       struct error *err) must_check;

/*
 * Notes that the bundle at @path stands on the layers, so that they are kept while it is there.
 * @bundlefd: its directory, known again by its inode when it was moved within its file system.
 */
int store_bundle_put(const struct store *store, const char *path, int bundlefd,
		     const struct digest *diff_ids, size_t count, struct error *err) must_check;

#endif
