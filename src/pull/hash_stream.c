/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of streams, two at a time.
 *
 * Theory of operation. A piece of a stream is not hashed when it comes, but waits where it is until
 * a piece of another stream waits, too: then the thread that came with the later one hashes both at
 * once. A stream that has too many pieces waiting hashes its first one alone. So nobody waits for a
 * partner, only, hardly ever, for one who is at work with a piece of one's own.
 */
#include "hash_stream.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"

#define PIECE_BLOCKS (HASH_STREAM_PIECE / SHA256_BLOCK)

struct hash_stream {
	struct sha256 sha; /* of whoever made the stream busy; otherwise under the lock */
	uint8_t rest[SHA256_BLOCK];
	size_t rest_size; /* bytes that make no block yet; then no piece waits */
	/* Below: under the lock. */
	struct hash_stream *next; /* of all streams */
	const uint8_t *waiting[HASH_STREAM_WAITING + 1];
	size_t count;
	bool busy; /* the first one is being hashed */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hashed = PTHREAD_COND_INITIALIZER;
static struct hash_stream *streams; /* of the process; under the lock */

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *stream = xcalloc(1, sizeof(*stream));

	sha256_begin(&stream->sha);
	pthread_mutex_lock(&lock);
	stream->next = streams;
	streams = stream;
	pthread_mutex_unlock(&lock);
	return stream;
}

/* Of the streams that nobody is at work with, the other one that has most to do, or NULL. */
static struct hash_stream *find_partner(const struct hash_stream *stream)
{
	struct hash_stream *found = NULL;

	for (struct hash_stream *other = streams; other; other = other->next) {
		if (other != stream && !other->busy && other->count > (found ? found->count : 0))
			found = other;
	}
	return found;
}

static void drop_first(struct hash_stream *stream)
{
	stream->count--;
	memmove(stream->waiting, stream->waiting + 1, stream->count * sizeof(*stream->waiting));
	stream->busy = false;
}

/* Hashes the first piece, that of @partner, if there is one, with it. Lets go of the lock. */
static void hash_first(struct hash_stream *stream, struct hash_stream *partner)
{
	stream->busy = true;
	if (partner)
		partner->busy = true;
	pthread_mutex_unlock(&lock);
	if (partner)
		sha256_add_two(&stream->sha, stream->waiting[0], &partner->sha, partner->waiting[0],
			       PIECE_BLOCKS);
	else
		sha256_add(&stream->sha, stream->waiting[0], PIECE_BLOCKS);
	pthread_mutex_lock(&lock);
	drop_first(stream);
	if (partner)
		drop_first(partner);
	pthread_cond_broadcast(&hashed);
}

/* Until at most @max pieces wait. */
static void hash_until(struct hash_stream *stream, size_t max)
{
	while (stream->count > max) {
		if (stream->busy)
			pthread_cond_wait(&hashed, &lock);
		else
			hash_first(stream, find_partner(stream));
	}
}

static void add_piece(struct hash_stream *stream, const uint8_t *data)
{
	struct hash_stream *partner;

	pthread_mutex_lock(&lock);
	stream->waiting[stream->count++] = data;
	partner = stream->busy ? NULL : find_partner(stream);
	if (partner)
		hash_first(stream, partner);
	hash_until(stream, HASH_STREAM_WAITING);
	pthread_mutex_unlock(&lock);
}

static void settle(struct hash_stream *stream)
{
	pthread_mutex_lock(&lock);
	hash_until(stream, 0);
	pthread_mutex_unlock(&lock);
}

/* What is no piece; nothing waits. */
static void add_at_once(struct hash_stream *stream, const uint8_t *data, size_t size)
{
	size_t blocks;

	if (stream->rest_size > 0) {
		size_t part = SHA256_BLOCK - stream->rest_size;

		if (part > size)
			part = size;
		memcpy(stream->rest + stream->rest_size, data, part);
		stream->rest_size += part;
		data += part;
		size -= part;
		if (stream->rest_size < SHA256_BLOCK)
			return;
		sha256_add(&stream->sha, stream->rest, 1);
	}
	blocks = size / SHA256_BLOCK;
	sha256_add(&stream->sha, data, blocks);
	stream->rest_size = size % SHA256_BLOCK;
	memcpy(stream->rest, data + blocks * SHA256_BLOCK, stream->rest_size);
}

void hash_stream_add(struct hash_stream *stream, const void *data, size_t size)
{
	if (size == HASH_STREAM_PIECE && stream->rest_size == 0) {
		add_piece(stream, data);
		return;
	}
	settle(stream);
	add_at_once(stream, data, size);
}

void hash_stream_finish(struct hash_stream *stream, uint8_t ret[static SHA256_SIZE])
{
	settle(stream);
	sha256_finish(&stream->sha, stream->rest, stream->rest_size, ret);
}

static void unlink_stream(struct hash_stream *stream)
{
	struct hash_stream **link = &streams;

	pthread_mutex_lock(&lock);
	while (stream->busy)
		pthread_cond_wait(&hashed, &lock);
	while (*link != stream)
		link = &(*link)->next;
	*link = stream->next;
	pthread_mutex_unlock(&lock);
}

struct hash_stream *hash_stream_free(struct hash_stream *stream)
{
	if (stream)
		unlink_stream(stream);
	free(stream);
	return NULL;
}
