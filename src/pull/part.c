/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloading and unpacking side by side, through a file.
 *
 * Theory of operation. The downloading thread appends to the file and tells how far it is; the
 * reader takes what is there with pread(2), from the page cache. So the network is never held up by
 * the disk, memory stays small however big the layer is, and what is here survives a kill. Where a
 * server begins anew, the same bytes are written again over the old ones; if they were not the
 * same, the digest says so in the end.
 *
 * The network brings small pieces, and each write costs a file system much the same. So they are
 * gathered, as long as the reader has others to read: what it waits for is written at once.
 *
 * Whoever waits for the network has no use for a turn to unpack, and lends it to the others.
 */
#include "part.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#define GATHER_SIZE ((size_t)256 * 1024)

struct part {
	struct blob_sink
		sink; /* first: the sink's calls find the part by it; moves under its lock */
	const struct store *store;
	struct source *source;
	const struct descriptor *layer;
	struct turns *turns;
	atomic_ullong *downloaded;
	int fd;
	bool resumed;
	atomic_bool abandoned; /* nobody wants the rest */
	pthread_t thread;
	pthread_mutex_t sink_lock; /* taken before the other one */
	/* Below: under the sink's lock. */
	char *gathered; /* the bytes before the sink's offset that the file does not have */
	size_t gathered_size;
	bool awaited; /* the reader has nothing to read */
	pthread_mutex_t lock;
	pthread_cond_t grown;
	/* Below: under the lock. */
	uint64_t available; /* bytes that the file has */
	bool over;	    /* the thread is about to end */
	int result;
	struct error error;
};

static void tell_available(struct part *part, uint64_t offset)
{
	pthread_mutex_lock(&part->lock);
	if (offset > part->available)
		part->available = offset;
	pthread_cond_signal(&part->grown);
	pthread_mutex_unlock(&part->lock);
}

/* Appends what has been gathered to the file. Under the sink's lock. */
static int write_gathered(struct part *part, struct error *err)
{
	uint64_t offset = part->sink.offset - part->gathered_size;

	while (part->gathered_size > 0) {
		ssize_t written =
			pwrite(part->fd, part->gathered, part->gathered_size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail(err, -errno, "keep what is downloaded in the store");
		offset += (uint64_t)written;
		part->gathered_size -= (size_t)written;
		/* What is left must lie in front, should the next write fail: later there is
		 * another try. */
		memmove(part->gathered, part->gathered + written, part->gathered_size);
	}
	tell_available(part, offset);
	return 0;
}

/* Takes as much of @data as there is room for; returns how much. */
static size_t gather(struct part *part, const char *data, size_t size)
{
	size_t room = GATHER_SIZE - part->gathered_size;

	if (size > room)
		size = room;
	memcpy(part->gathered + part->gathered_size, data, size);
	part->gathered_size += size;
	part->sink.offset += size;
	return size;
}

static int sink_write(struct blob_sink *sink, const void *data, size_t size, struct error *err)
{
	struct part *part = (struct part *)sink;
	const char *from = data;
	int r = 0;

	pthread_mutex_lock(&part->sink_lock);
	while (size > 0 && r >= 0) {
		size_t taken = gather(part, from, size);

		from += taken;
		size -= taken;
		if (part->gathered_size == GATHER_SIZE || part->awaited)
			r = write_gathered(part, err);
	}
	pthread_mutex_unlock(&part->sink_lock);
	atomic_store(part->downloaded, sink->offset);
	if (r >= 0 && atomic_load(&part->abandoned))
		r = refuse_as(err, -ECANCELED, "the download was given up");
	return r;
}

static int sink_restart(struct blob_sink *sink, struct error *err)
{
	struct part *part = (struct part *)sink;
	int r;

	pthread_mutex_lock(&part->sink_lock);
	r = write_gathered(part, err);
	sink->offset = 0;
	pthread_mutex_unlock(&part->sink_lock);
	return r;
}

static void *download(void *argument)
{
	struct part *part = argument;
	struct error err = ERROR_NONE, later = ERROR_NONE;
	int r = 0, written;

	if (part->sink.offset < part->layer->size)
		r = part->source->fetch(part->source, part->layer, &part->sink, &err);
	/* After a failure, too: the next run goes on from there. */
	pthread_mutex_lock(&part->sink_lock);
	written = write_gathered(part, r < 0 ? &later : &err);
	pthread_mutex_unlock(&part->sink_lock);
	if (r >= 0)
		r = written;
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
	pthread_mutex_destroy(&part->sink_lock);
	pthread_mutex_destroy(&part->lock);
	pthread_cond_destroy(&part->grown);
	fd_close(part->fd);
	free(part->gathered);
	free(part);
	return NULL;
}

int part_begin(const struct part_request *request, struct part **ret, struct error *err)
{
	struct part *part = xcalloc(1, sizeof(*part));
	uint64_t size = 0;
	int r;

	part->store = request->store;
	part->source = request->source;
	part->layer = request->layer;
	part->turns = request->turns;
	part->downloaded = request->downloaded;
	part->gathered = xcalloc(1, GATHER_SIZE);
	pthread_mutex_init(&part->sink_lock, NULL);
	pthread_mutex_init(&part->lock, NULL);
	pthread_cond_init(&part->grown, NULL);
	part->fd = store_part_open(part->store, &part->layer->digest, &size, err);
	r = part->fd < 0 ? part->fd : cut_excess(part, &size, err);
	part->sink = (struct blob_sink){.offset = size,
					.abandoned = &part->abandoned,
					.write = sink_write,
					.restart = sink_restart};
	part->available = size;
	part->resumed = size > 0;
	atomic_store(part->downloaded, size);
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

/* Whether what comes next is to be written at once; if so, what is here is, too. */
static int set_awaited(struct part *part, bool awaited, struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&part->sink_lock);
	part->awaited = awaited;
	if (awaited)
		r = write_gathered(part, err);
	pthread_mutex_unlock(&part->sink_lock);
	return r;
}

/* Waits for bytes behind @offset, or for the end of the download. */
static int wait_for_growth(struct part *part, uint64_t offset, struct error *err)
{
	int r = set_awaited(part, true, err);

	if (r < 0)
		return r;
	turns_give(part->turns);
	pthread_mutex_lock(&part->lock);
	while (part->available <= offset && !part->over && !atomic_load(&part->abandoned))
		pthread_cond_wait(&part->grown, &part->lock);
	pthread_mutex_unlock(&part->lock);
	turns_take(part->turns, part->layer->size - offset);
	return set_awaited(part, false, err);
}

/* How many bytes there are behind @offset. 0: none now, or with *ret_over ever. */
static int64_t look_for_more(struct part *part, uint64_t offset, bool *ret_over, struct error *err)
{
	int64_t more;

	pthread_mutex_lock(&part->lock);
	*ret_over = part->over;
	more = (int64_t)(part->available - offset);
	if (atomic_load(&part->abandoned)) {
		more = refuse_as(err, -ECANCELED, "the download was given up");
	} else if (more == 0 && part->over && part->result < 0) {
		more = part->result;
		*err = part->error;
	}
	pthread_mutex_unlock(&part->lock);
	return more;
}

/* The same, but waits; 0 at the end. */
static int64_t wait_for_more(struct part *part, uint64_t offset, struct error *err)
{
	bool over = false;

	for (;;) {
		int64_t more = look_for_more(part, offset, &over, err);
		int r;

		if (more != 0 || over)
			return more;
		r = wait_for_growth(part, offset, err);
		if (r < 0)
			return r;
	}
}

static int read_part(struct reader *reader, const void **ret_data, size_t *ret_size,
		     struct error *err)
{
	struct part_reader *self = (struct part_reader *)reader;
	int64_t more = wait_for_more(self->part, self->offset, err);
	ssize_t size;

	if (more <= 0)
		return (int)more;
	turns_yield(self->part->turns, self->part->layer->size - self->offset);
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
