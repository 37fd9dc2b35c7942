/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a stream that reads ahead in a thread of its own.
 *
 * Theory of operation. A ring of chunks: the thread reads into the chunk after the last full one,
 * the consumer lends out the first full one, and gives it back with the next call. The numbers of
 * chunks filled, lent and given back only grow; they are guarded by one lock, which is held for no
 * copy and no read. The thread waits only for room, and is woken when half of the ring is free, the
 * consumer only for a chunk or the end. Freeing sets `stop` and wakes the thread, so that it ends
 * after the read that is under way, if there is one, and never waits again.
 *
 * Until the thread is started there is no ring: what is read is passed on as it is, which is the
 * cheapest as long as the other processors have something else to do.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "reader.h"

#define CHUNKS 4 /* 1 MiB in all */

struct chunk {
	size_t size;
	unsigned char data[READER_CHUNK];
};

struct pump {
	struct reader reader;
	struct reader *inner;
	bool (*is_wanted)(void *context);
	void *context;
	struct chunk *chunks; /* NULL: the thread has not been started */
	bool no_thread;	      /* it could not be */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t filled, lent, returned; /* chunks, since the beginning */
	bool stop;
	int end;	  /* 1: more may come; otherwise what the inner reader returned */
	struct error err; /* of the inner reader */
};

/* Waits for room in the ring. NULL: the pump shall stop. */
static struct chunk *wait_for_room(struct pump *pump)
{
	struct chunk *chunk = NULL;

	pthread_mutex_lock(&pump->lock);
	while (!pump->stop && pump->filled - pump->returned == CHUNKS)
		pthread_cond_wait(&pump->changed, &pump->lock);
	if (!pump->stop)
		chunk = &pump->chunks[pump->filled % CHUNKS];
	pthread_mutex_unlock(&pump->lock);
	return chunk;
}

static void wake(struct pump *pump)
{
	pthread_cond_signal(&pump->changed);
	pthread_mutex_unlock(&pump->lock);
}

static void give(struct pump *pump, struct chunk *chunk, size_t size)
{
	pthread_mutex_lock(&pump->lock);
	chunk->size = size;
	pump->filled++;
	wake(pump);
}

/* Puts all of @data into the ring. False: the pump shall stop. */
static bool put(struct pump *pump, const unsigned char *data, size_t size)
{
	while (size > 0) {
		size_t part = size < READER_CHUNK ? size : READER_CHUNK;
		struct chunk *chunk = wait_for_room(pump);

		if (!chunk)
			return false;
		memcpy(chunk->data, data, part);
		give(pump, chunk, part);
		data += part;
		size -= part;
	}
	return true;
}

/* Returns 1, 0 at the end or when it shall stop, or negative errno. */
static int fill_one(struct pump *pump, struct error *err)
{
	struct reader *inner = pump->inner;
	struct chunk *chunk;
	const void *data;
	size_t size;
	int r;

	if (!inner->read_into) {
		r = reader_read(inner, &data, &size, err);
		return r > 0 ? put(pump, data, size) : r;
	}
	chunk = wait_for_room(pump);
	if (!chunk)
		return 0;
	r = inner->read_into(inner, chunk->data, READER_CHUNK, &size, err);
	if (r > 0)
		give(pump, chunk, size);
	return r;
}

static void *pump_thread(void *argument)
{
	struct pump *pump = argument;
	struct error err = ERROR_NONE;
	int r;

	do
		r = fill_one(pump, &err);
	while (r > 0);
	pthread_mutex_lock(&pump->lock);
	pump->end = r < 0 ? r : 0;
	pump->err = err;
	wake(pump);
	return NULL;
}

/* Signals are for the thread that the program began with. */
static bool start_thread(struct pump *pump)
{
	sigset_t all, before;
	int r;

	pump->chunks = xcalloc(CHUNKS, sizeof(*pump->chunks));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&pump->thread, NULL, pump_thread, pump);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		return true;
	/* Without it everything is slower only. */
	pump->no_thread = true;
	free(pump->chunks);
	pump->chunks = NULL;
	return false;
}

static bool has_thread(struct pump *pump)
{
	if (pump->chunks)
		return true;
	if (pump->no_thread || (pump->is_wanted && !pump->is_wanted(pump->context)))
		return false;
	return start_thread(pump);
}

static void return_chunk(struct pump *pump)
{
	pump->returned = pump->lent;
	if (pump->filled - pump->returned <= CHUNKS / 2)
		pthread_cond_signal(&pump->changed);
}

static int take_chunk(struct pump *pump, const void **ret_data, size_t *ret_size, struct error *err)
{
	struct chunk *chunk = NULL;
	int r = 1;

	pthread_mutex_lock(&pump->lock);
	return_chunk(pump);
	while (pump->filled == pump->lent && pump->end > 0)
		pthread_cond_wait(&pump->changed, &pump->lock);
	if (pump->filled > pump->lent) {
		chunk = &pump->chunks[pump->lent++ % CHUNKS];
	} else {
		r = pump->end;
		if (r < 0)
			*err = pump->err;
	}
	pthread_mutex_unlock(&pump->lock);
	if (chunk) {
		*ret_data = chunk->data;
		*ret_size = chunk->size;
	}
	return r;
}

static int pump_read(struct reader *self, const void **ret_data, size_t *ret_size,
		     struct error *err)
{
	struct pump *pump = (struct pump *)self;

	return has_thread(pump) ? take_chunk(pump, ret_data, ret_size, err)
				: reader_read(pump->inner, ret_data, ret_size, err);
}

static void pump_free(struct reader *self)
{
	struct pump *pump = (struct pump *)self;

	if (pump->chunks) {
		pthread_mutex_lock(&pump->lock);
		pump->stop = true;
		wake(pump);
		pthread_join(pump->thread, NULL);
	}
	cleanup_reader(&pump->inner);
	pthread_cond_destroy(&pump->changed);
	pthread_mutex_destroy(&pump->lock);
	free(pump->chunks);
	free(pump);
}

struct reader *reader_pump(struct reader *inner, bool (*is_wanted)(void *context), void *context)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));

	pump->reader = (struct reader){.read = pump_read, .free = pump_free};
	pump->inner = inner;
	pump->is_wanted = is_wanted;
	pump->context = context;
	pump->end = 1;
	pthread_mutex_init(&pump->lock, NULL);
	pthread_cond_init(&pump->changed, NULL);
	return &pump->reader;
}
