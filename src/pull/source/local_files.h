/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a local source: those of a directory, or of a tar archive that is read in place. */
#ifndef BERTH_PULL_LOCAL_FILES_H
#define BERTH_PULL_LOCAL_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"

#include "common/image_limits.h"
#include "stream/reader.h"

/* Where a file's content lies. */
struct local_file {
	int fd; /* the caller's */
	uint64_t offset, size;
};

struct local_files {
	/*
	 * Opens the regular file @name. -ENOENT, with a text, if it is not there. Any thread,
	 * several at once.
	 */
	int (*open)(const struct local_files *self, const char *name, struct local_file *ret,
		    struct error *err);
	void (*free)(struct local_files *self);
	char *path; /* of the directory or archive */
};

/* The files beneath the directory @path. No link leads out of it. */
int local_files_of_directory(const char *path, struct local_files **ret,
			     struct error *err) must_check;

/*
 * The files of the archive @path. If it is compressed as a whole (gzip, zstd), it is decompressed
 * into a file without a name in the directory @tmp, within the limits of an image.
 */
int local_files_of_archive(const char *path, const char *tmp, const struct limits *limits,
			   struct local_files **ret, struct error *err) must_check;

static inline void cleanup_local_files(struct local_files **variable)
{
	if (*variable)
		(*variable)->free(*variable);
	*variable = NULL;
}
#define _cleanup_local_files_ __attribute__((cleanup(cleanup_local_files)))

/* The file @name ("blobs/sha256/…") as a stream. */
int local_file_reader(const struct local_files *files, const char *name, struct reader **ret,
		      uint64_t *ret_size, struct error *err) must_check;

/* The whole of a small file: NUL-terminated, the caller's. -EFBIG above @max bytes. */
int local_file_read(const struct local_files *files, const char *name, uint64_t max,
		    char **ret_text, size_t *ret_size, struct error *err) must_check;

#endif
