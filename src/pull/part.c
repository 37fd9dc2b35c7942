/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloading and unpacking side by side, through a file.
 *
 * Theory of operation. The downloading thread appends to the file and tells how far it is; the
 * reader takes what is there with pread(2), from the page cache. So the network is never held up by
 * the disk, memory stays small however big the layer is, and what is here survives a kill. Where a
 * server begins anew, the same bytes are written again over the old ones; if they were not the
 * same, the digest says so in the end.
 */
#include "part.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

struct part {
	struct blob_sink sink; /* first: the sink's calls find the part by it */
	const struct store *store;
	struct source *source;
	const struct descriptor *layer;
	atomic_ullong *downloaded;
	int fd;
	bool resumed;
	atomic_bool abandoned; /* nobody wants the rest */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t grown;
	/* Below: under the lock. */
	uint64_t available; /* bytes that the file has */
	bool over;	    /* the thread is about to end */
	int result;
	struct error error;
};

static int sink_write(struct blob_sink *sink, const void *data, size_t size, struct error *err)
{
	struct part *part = (struct part *)sink;
	const char *from = data;

	while (size > 0) {
		ssize_t written = pwrite(part->fd, from, size, (off_t)sink->offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail(err, -errno, "keep what is downloaded in the store");
		from += written;
		size -= (size_t)written;
		sink->offset += (uint64_t)written;
	}
	atomic_store(part->downloaded, sink->offset);
	pthread_mutex_lock(&part->lock);
	if (sink->offset > part->available)
		part->available = sink->offset;
	pthread_cond_signal(&part->grown);
	pthread_mutex_unlock(&part->lock);
	return atomic_load(&part->abandoned)
		       ? refuse_as(err, -ECANCELED, "the download was given up")
		       : 0;
}

static int sink_restart(struct blob_sink *sink, struct error *err)
{
	(void)err;
	sink->offset = 0;
	return 0;
}

static void *download(void *argument)
{
	struct part *part = argument;
	struct error err = ERROR_NONE;
	int r = 0;

	if (part->sink.offset < part->layer->size)
		r = part->source->fetch(part->source, part->layer, &part->sink, &err);
	pthread_mutex_lock(&part->lock);
	part->result = r;
	part->error = err;
	part->over = true;
	pthread_cond_signal(&part->grown);
	pthread_mutex_unlock(&part->lock);
	return NULL;
}

/* A file that is too long is no beginning of this layer. */
static int cut_excess(struct part *part, uint64_t *size, struct error *err)
{
	if (*size <= part->layer->size)
		return 0;
	*size = 0;
	if (ftruncate(part->fd, 0) < 0)
		return fail(err, -errno, "empty a file of an earlier download");
	return 0;
}

static struct part *part_free(struct part *part)
{
	pthread_mutex_destroy(&part->lock);
	pthread_cond_destroy(&part->grown);
	fd_close(part->fd);
	free(part);
	return NULL;
}

int part_begin(const struct store *store, struct source *source, const struct descriptor *layer,
	       atomic_ullong *downloaded, struct part **ret, struct error *err)
{
	struct part *part = xcalloc(1, sizeof(*part));
	uint64_t size = 0;
	int r;

	part->store = store;
	part->source = source;
	part->layer = layer;
	part->downloaded = downloaded;
	pthread_mutex_init(&part->lock, NULL);
	pthread_cond_init(&part->grown, NULL);
	part->fd = store_part_open(store, &layer->digest, &size, err);
	r = part->fd < 0 ? part->fd : cut_excess(part, &size, err);
	part->sink = (struct blob_sink){.offset = size,
					.abandoned = &part->abandoned,
					.write = sink_write,
					.restart = sink_restart};
	part->available = size;
	part->resumed = size > 0;
	atomic_store(downloaded, size);
	if (r >= 0) {
		r = -pthread_create(&part->thread, NULL, download, part);
		if (r < 0)
			fail(err, r, "start a thread for a download");
	}
	if (r < 0) {
		part_free(part);
		return r;
	}
	*ret = part;
	return 0;
}

bool part_was_resumed(const struct part *part)
{
	return part->resumed;
}

void part_abandon(struct part *part)
{
	pthread_mutex_lock(&part->lock);
	atomic_store(&part->abandoned, true);
	pthread_cond_signal(&part->grown);
	pthread_mutex_unlock(&part->lock);
}

void part_end(struct part *part, bool remove)
{
	part_abandon(part);
	pthread_join(part->thread, NULL);
	/* Of nothing there is nothing to go on from. */
	if (remove || part->sink.offset == 0)
		store_part_remove(part->store, &part->layer->digest);
	part_free(part);
}

struct part_reader {
	struct reader reader;
	struct part *part;
	uint64_t offset;
	char buffer[READER_CHUNK]; /* what is lent */
};

/* How many bytes there are behind @offset; 0 at the end; waits otherwise. */
static int64_t wait_for_more(struct part *part, uint64_t offset, struct error *err)
{
	int64_t more;

	pthread_mutex_lock(&part->lock);
	while (part->available <= offset && !part->over && !atomic_load(&part->abandoned))
		pthread_cond_wait(&part->grown, &part->lock);
	more = (int64_t)(part->available - offset);
	if (atomic_load(&part->abandoned)) {
		more = refuse_as(err, -ECANCELED, "the download was given up");
	} else if (more == 0 && part->result < 0) {
		more = part->result;
		*err = part->error;
	}
	pthread_mutex_unlock(&part->lock);
	return more;
}

static int read_part(struct reader *reader, const void **ret_data, size_t *ret_size,
		     struct error *err)
{
	struct part_reader *self = (struct part_reader *)reader;
	int64_t more = wait_for_more(self->part, self->offset, err);
	ssize_t size;

	if (more <= 0)
		return (int)more;
	if (more > (int64_t)sizeof(self->buffer))
		more = sizeof(self->buffer);
	do
		size = pread(self->part->fd, self->buffer, (size_t)more, (off_t)self->offset);
	while (size < 0 && errno == EINTR);
	if (size <= 0)
		return fail(err, size < 0 ? -errno : -EIO, "read what was downloaded");
	self->offset += (uint64_t)size;
	*ret_data = self->buffer;
	*ret_size = (size_t)size;
	return 1;
}

static void free_part_reader(struct reader *reader)
{
	free(reader);
}

struct reader *part_reader(struct part *part)
{
	struct part_reader *self = xcalloc(1, sizeof(*self));

	self->reader = (struct reader){.read = read_part, .free = free_part_reader};
	self->part = part;
	return &self->reader;
}
