/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes that somebody else produces: what a layer passes through. Readers are chained:
 * file -> digest -> gzip -> digest -> tar. Each is pulled by the next, in one thread; pump.c puts a
 * thread between two of them.
 */
#ifndef BERTH_PULL_READER_H
#define BERTH_PULL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"

#include "common/digest.h"

/* Size in bytes of the buffers that readers own. */
#define READER_CHUNK ((size_t)256 * 1024)

struct reader {
	/*
	 * Yields the next bytes, at least one: *ret_data points to *ret_size bytes that stay valid
	 * until the next call. Returns 1, 0 at the end (again and again), or
	 * negative errno: -EBADMSG where the bytes are not what they should be (damaged, cut, of
	 * another digest or length), -EFBIG beyond a limit, otherwise what the system said. No call
	 * after an error.
	 */
	int (*read)(struct reader *self, const void **ret_data, size_t *ret_size,
		    struct error *err);
	/* The same, into the caller's memory; fills it, unless the end comes before. NULL: there is
	 * no such way. */
	int (*read_into)(struct reader *self, void *to, size_t size, size_t *ret_size,
			 struct error *err);
	/*
	 * Passes over the next @size bytes without reading them, and without looking for the end.
	 * NULL where they must be read.
	 */
	void (*pass)(struct reader *self, uint64_t size);
	/* Frees the reader and all that it reads from. */
	void (*free)(struct reader *self);
};

static inline int must_check reader_read(struct reader *reader, const void **ret_data,
					 size_t *ret_size, struct error *err)
{
	return reader->read(reader, ret_data, ret_size, err);
}

static inline void cleanup_reader(struct reader **variable)
{
	if (*variable)
		(*variable)->free(*variable);
	*variable = NULL;
}
#define _cleanup_reader_ __attribute__((cleanup(cleanup_reader)))

/*
 * The bytes of @fd from @offset on, @size of them (a file that ends before is an error), or to its
 * end with UINT64_MAX. Read with pread(2). @fd is taken over; @what names it in errors, is copied.
 */
struct reader *reader_of_file(int fd, uint64_t offset, uint64_t size, const char *what);

/* The bytes of a memory that outlives the reader. */
struct reader *reader_of_memory(const void *data, size_t size);

/*
 * Passes on what it reads from @inner (taken over), and checks it: at the end the digest must be
 * @expected (NULL: it is only computed) and the length @size (UINT64_MAX: any); what is longer is
 * an error at once, and is not passed on. @what names the bytes in errors ("layer sha256:…"), is
 * copied.
 */
struct reader *reader_check(struct reader *inner, const struct digest *expected, uint64_t size,
			    const char *what);

/* How many bytes a reader_check() has passed on; for the thread that reads from it. */
uint64_t reader_check_count(const struct reader *reader);

/* The digest and number of what a reader_check() has passed on; to be called after its end. */
void reader_check_result(struct reader *reader, struct digest *ret_digest, uint64_t *ret_size);

/* What decompressing may cost. */
struct decompress_limits {
	uint64_t bytes;		  /* that come out in all */
	const char *bytes_option; /* allows more of them */
	uint64_t ratio;		  /* to what went in, once 16 MiB have come out; 0: no such limit */
	uint64_t zstd_window;	  /* bytes that a frame may refer back to */
	const char *directory;	  /* where a large window is kept; outlives the reader */
	/*
	 * Called when zstd data begins (true) and ends (false) to wait until other streams leave
	 * memory for its window, in the thread that reads: what they may be waiting for must be let
	 * go of meanwhile. NULL: nothing is held.
	 */
	void (*wait)(void *context, bool begins);
	void *context;
};

/*
 * What @inner (taken over) holds, decompressed: the first bytes say how (1f 8b: gzip of one or
 * several members; 28 b5 2f fd, or a skippable frame: zstd of one or several frames; otherwise the
 * bytes as they are). Errors: damaged or cut data, rubbish after the last member (zeros are not),
 * and what is beyond the limits (-EFBIG). @what names the bytes in errors, is copied.
 */
struct reader *reader_decompress(struct reader *inner, const struct decompress_limits *limits,
				 const char *what);

/* How bytes are compressed that begin with these, as reader_decompress() sees it. */
enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD
};
#define COMPRESSION_HEAD_SIZE 4 /* bytes that it takes to tell */
enum compression compression_of(const void *head, size_t size);

/*
 * Reads @inner (taken over) in a thread of its own, some chunks ahead, so that what is before and
 * what is behind it work side by side; from the moment on when is_wanted(@context) says so (NULL:
 * at once), which is asked before each chunk. Without a thread it only passes on. Freeing it ends
 * the thread.
 */
struct reader *reader_pump(struct reader *inner, bool (*is_wanted)(void *context), void *context);

/* Reads to the end, and throws away. Returns 0 or negative errno. */
int reader_drain(struct reader *reader, struct error *err) must_check;

#endif
