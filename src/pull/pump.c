/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a stream that reads ahead in a thread of its own.
 *
 * Theory of operation. A ring of chunks: the thread copies what it reads into the chunk after the
 * last full one, the consumer lends out the first full one and gives it back with its next call.
 * The numbers of chunks filled and given back only grow; both are guarded by one lock, which is
 * held for no copy and no read. The thread waits only for room, the consumer only for a chunk or
 * the end; each is woken by the other. Freeing sets `stop` and wakes the thread, so that it ends
 * after the read that is under way, if there is one, and never waits again.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "reader.h"

#define CHUNKS 8 /* 1 MiB in all */

struct chunk {
	size_t size;
	unsigned char data[READER_CHUNK];
};

struct pump {
	struct reader reader;
	struct reader *inner;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t filled, returned; /* chunks, since the beginning */
	bool lent;		 /* the consumer has chunk number @returned */
	bool stop;
	int end;	  /* 1: more may come; otherwise what the inner reader returned */
	struct error err; /* of the inner reader */
	struct chunk chunks[CHUNKS];
};

/* Waits for room in the ring. False: the pump shall stop. */
static bool wait_for_room(struct pump *pump)
{
	bool stop;

	pthread_mutex_lock(&pump->lock);
	while (!pump->stop && pump->filled - pump->returned == CHUNKS)
		pthread_cond_wait(&pump->changed, &pump->lock);
	stop = pump->stop;
	pthread_mutex_unlock(&pump->lock);
	return !stop;
}

static void wake(struct pump *pump)
{
	pthread_cond_signal(&pump->changed);
	pthread_mutex_unlock(&pump->lock);
}

/* Puts all of @data into the ring. False: the pump shall stop. */
static bool put(struct pump *pump, const unsigned char *data, size_t size)
{
	while (size > 0) {
		size_t part = size < READER_CHUNK ? size : READER_CHUNK;
		struct chunk *chunk;

		if (!wait_for_room(pump))
			return false;
		/* This thread alone changes `filled`. */
		chunk = &pump->chunks[pump->filled % CHUNKS];
		memcpy(chunk->data, data, part);
		chunk->size = part;
		data += part;
		size -= part;
		pthread_mutex_lock(&pump->lock);
		pump->filled++;
		wake(pump);
	}
	return true;
}

static void *pump_thread(void *argument)
{
	struct pump *pump = argument;
	struct error err = ERROR_NONE;
	const void *data;
	size_t size;
	int r;

	do
		r = reader_read(pump->inner, &data, &size, &err);
	while (r > 0 && put(pump, data, size));
	pthread_mutex_lock(&pump->lock);
	pump->end = r < 0 ? r : 0;
	pump->err = err;
	wake(pump);
	return NULL;
}

static int pump_read(struct reader *self, const void **ret_data, size_t *ret_size,
		     struct error *err)
{
	struct pump *pump = (struct pump *)self;
	int r = 1;

	pthread_mutex_lock(&pump->lock);
	if (pump->lent)
		pump->returned++;
	pump->lent = false;
	pthread_cond_signal(&pump->changed);
	while (pump->filled == pump->returned && pump->end > 0)
		pthread_cond_wait(&pump->changed, &pump->lock);
	if (pump->filled == pump->returned) {
		r = pump->end;
		if (r < 0)
			*err = pump->err;
	} else {
		pump->lent = true;
	}
	pthread_mutex_unlock(&pump->lock);
	if (r > 0) {
		*ret_data = pump->chunks[pump->returned % CHUNKS].data;
		*ret_size = pump->chunks[pump->returned % CHUNKS].size;
	}
	return r;
}

static void pump_release(struct pump *pump)
{
	cleanup_reader(&pump->inner);
	pthread_cond_destroy(&pump->changed);
	pthread_mutex_destroy(&pump->lock);
	free(pump);
}

static void pump_free(struct reader *self)
{
	struct pump *pump = (struct pump *)self;

	pthread_mutex_lock(&pump->lock);
	pump->stop = true;
	wake(pump);
	pthread_join(pump->thread, NULL);
	pump_release(pump);
}

/* Signals are for the thread that the program began with. */
static int start_thread(struct pump *pump)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&pump->thread, NULL, pump_thread, pump);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int reader_pump(struct reader *inner, struct reader **ret, struct error *err)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));
	int r;

	pump->reader = (struct reader){.read = pump_read, .free = pump_free};
	pump->inner = inner;
	pump->end = 1;
	pthread_mutex_init(&pump->lock, NULL);
	pthread_cond_init(&pump->changed, NULL);
	r = start_thread(pump);
	if (r < 0) {
		pump_release(pump);
		return fail(err, r, "start a thread");
	}
	*ret = &pump->reader;
	return 0;
}
