/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may unpack, and who comes next.
 *
 * Theory of operation. A turn that is given back goes straight to the waiter with the most left, so
 * that nobody who comes later can be faster. Each waiter stands in a list with a condition of its
 * own; it leaves the list by getting its turn.
 */
#include "turns.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "berth/base/alloc.h"

struct waiter {
	struct waiter *next;
	uint64_t left;
	bool has_turn;
	pthread_cond_t changed;
};

struct turns {
	pthread_mutex_t lock;
	unsigned available; /* 0 where somebody waits */
	struct waiter *waiters;
};

struct turns *turns_new(unsigned at_once)
{
	struct turns *turns = xcalloc(1, sizeof(*turns));

	pthread_mutex_init(&turns->lock, NULL);
	turns->available = at_once;
	return turns;
}

struct turns *turns_free(struct turns *turns)
{
	if (turns)
		pthread_mutex_destroy(&turns->lock);
	free(turns);
	return NULL;
}

/* Under the lock. */
static void wait_in_list(struct turns *turns, uint64_t left)
{
	_cleanup_free_ struct waiter *self = xcalloc(1, sizeof(*self));

	self->next = turns->waiters;
	self->left = left;
	pthread_cond_init(&self->changed, NULL);
	turns->waiters = self;
	/* Whoever gives the turn takes the waiter out of the list before. */
	while (!self->has_turn)
		pthread_cond_wait(&self->changed, &turns->lock);
	pthread_cond_destroy(&self->changed);
}

void turns_take(struct turns *turns, uint64_t left)
{
	pthread_mutex_lock(&turns->lock);
	if (turns->available > 0)
		turns->available--;
	else
		wait_in_list(turns, left);
	pthread_mutex_unlock(&turns->lock);
}

/* Where the list has the waiter with the most left; points to NULL where nobody waits. */
static struct waiter **find_next(struct turns *turns)
{
	struct waiter **most = &turns->waiters;

	for (struct waiter **at = most; *at; at = &(*at)->next) {
		if ((*at)->left > (*most)->left)
			most = at;
	}
	return most;
}

/* Under the lock. */
static void give_to(struct waiter **at)
{
	struct waiter *waiter = *at;

	*at = waiter->next;
	waiter->has_turn = true;
	/* Now: the condition is gone as soon as its waiter goes on. */
	pthread_cond_signal(&waiter->changed);
}

void turns_give(struct turns *turns)
{
	struct waiter **next;

	pthread_mutex_lock(&turns->lock);
	next = find_next(turns);
	if (*next)
		give_to(next);
	else
		turns->available++;
	pthread_mutex_unlock(&turns->lock);
}

void turns_yield(struct turns *turns, uint64_t left)
{
	struct waiter **next;

	pthread_mutex_lock(&turns->lock);
	next = find_next(turns);
	/* Twice, so that two that are alike do not pass it to and fro. */
	if (*next && (*next)->left / 2 > left) {
		give_to(next);
		wait_in_list(turns, left);
	}
	pthread_mutex_unlock(&turns->lock);
}
