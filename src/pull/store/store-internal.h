/* SPDX-License-Identifier: Apache-2.0 */
/* What the files store*.c share: names, locks, work in tmp/, removal. */
#ifndef BERTH_PULL_STORE_INTERNAL_H
#define BERTH_PULL_STORE_INTERNAL_H

#include <dirent.h>
#include <sys/types.h>

#include "berth/base/fd.h"

#include "common/random_name.h"

#include "store.h"
#include "store_outside.h"
#include "stored_layers.h"

#define STORE_TMP "tmp"

/* The directories of the store, NULL-terminated. */
extern const char *const store_directories[];

/* Room for any name beneath ROOT: a layer's directory, and a file's name. */
#define STORE_NAME_MAX 512

/* "PLACE/ALGORITHM/HEX" and "PLACE/ALGORITHM-HEX". Return @ret. */
const char *store_name(const char *place, const struct digest *digest, char ret[STORE_NAME_MAX]);
const char *store_flat_name(const char *place, const struct digest *digest,
			    char ret[STORE_NAME_MAX]);
/* The digest that an entry "HEX" of PLACE/ALGORITHM/ stands for. False: none. */
bool store_name_read(enum digest_algorithm algorithm, const char *hex, struct digest *ret);

/* flock(2) that waits, unless the store's caller cancels: -EINTR then. No text. */
int store_wait_lock(const struct store *store, int fd, int operation) must_check;
/* Whether @fd is still what @name beneath ROOT stands for. */
bool store_is_named(const struct store *store, const char *name, int fd);
/*
 * Opens the file @name beneath ROOT, making it where it is missing, and locks it. Returns its
 * descriptor, or negative errno without a text: -EAGAIN where another has it and @wait is false.
 */
int store_open_locked(const struct store *store, const char *name, bool wait) must_check;

/* A directory beneath ROOT, to be listed; NULL with errno. */
DIR *store_open_dir(const struct store *store, const char *name);

/* As store_open_locked(), of NAME.lock: who has it works on the directory @name, "tmp/…". */
int tmp_lock(const struct store *store, const char *name, bool wait) must_check;
/* Removes NAME.lock, and closes it. */
void tmp_unlock(const struct store *store, const char *name, int *lockfd);
/* Whether somebody alive works on @name, "tmp/…": a directory, its lock, or a file. */
bool tmp_in_use(const struct store *store, const char *name);
/* Whether @name is a lock file's; *ret_name: what it locks, otherwise @name itself. */
bool tmp_is_lock(const char *name, char ret_name[static STORE_NAME_MAX]);
/* Removes what the dead have left in tmp/; adds the bytes that this frees to *@freed. What cannot
 * be removed stays: it is in nobody's way. */
void tmp_sweep(const struct store *store, uint64_t *freed);

/* Makes a file tmp/RANDOM@suffix, and locks it. Returns its descriptor, for writing; negative errno
 * without a text. */
int tmp_make_file(const struct store *store, const char *suffix,
		  char ret_name[static TMP_NAME_MAX]) must_check;
#define OUTSIDE_SUFFIX ".outside"
/* Removes the directory that the note @fd, tmp/RANDOM.outside of a dead process, is about. Negative
 * errno, no text. */
int outside_sweep(int fd, uint64_t *freed) must_check;

/* Writes the file @name beneath ROOT, whole or not at all. Negative errno, without a text. */
int store_write_file(const struct store *store, const char *name, const void *data,
		     size_t size) must_check;

/* What is known of the layer's way to the disk: store_layers.c. */
enum layer_note {
	NOTE_NONE,	 /* it is there */
	NOTE_THIS_BOOT,	 /* it will be */
	NOTE_OTHER_BOOT, /* nobody knows: to be verified */
};
enum layer_note layer_note(const struct store *store, const struct digest *diff_id);

/*
 * Calls @each for every file of the directory @place ("images/HEX"); stops at, and returns, a
 * negative result.
 */
int store_each(const struct store *store, const char *place,
	       int (*each)(void *context, const char *name, struct error *err), void *context,
	       struct error *err) must_check;

/* Reads "images/HEX". */
int image_record_read(const struct store *store, struct arena *arena, const char *name,
		      struct store_image *ret, struct error *err) must_check;

struct bundle_record {
	const char *id, *path;
	uint64_t device;
	bool copied; /* its mark in the bundle is a copy, not a link */
	const struct digest *layers;
	size_t count;
};

/* Reads "bundles/ID". */
int bundle_record_read(const struct store *store, struct arena *arena, const char *name,
		       struct bundle_record *ret, struct error *err) must_check;

enum bundle_presence {
	BUNDLE_THERE,
	BUNDLE_GONE,
	BUNDLE_UNKNOWN
};
/* Whether the bundle is still there: store_bundles.c has the rule. */
enum bundle_presence bundle_presence(const struct store *store, const struct bundle_record *record);

#endif
