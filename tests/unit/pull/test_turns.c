/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: no more than there are, the one with the most left first, and passed on to it. */
#include <pthread.h>
#include <stdatomic.h>

#include "turns.h"

#include "../base/unit.h"

#define WAITERS_MAX 4

/* Threads that want a turn, and the order in which they got it. */
struct crowd {
	struct turns *turns;
	pthread_t threads[WAITERS_MAX];
	size_t count;
	atomic_int tid;
	pthread_mutex_t lock;
	uint64_t order[WAITERS_MAX];
	atomic_size_t got;
};

struct one {
	struct crowd *crowd;
	uint64_t left;
};

static void *want_turn(void *argument)
{
	struct one one = *(struct one *)argument;
	struct crowd *crowd = one.crowd;

	free(argument);
	atomic_store(&crowd->tid, gettid());
	turns_take(crowd->turns, one.left);
	pthread_mutex_lock(&crowd->lock);
	crowd->order[crowd->got++] = one.left;
	pthread_mutex_unlock(&crowd->lock);
	turns_give(crowd->turns);
	return NULL;
}

/* Whether the thread sleeps: it has nothing to sleep for but its turn. */
static bool sleeps(int tid)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/task/%d/stat", tid);
	char text[512], *state;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

/* Starts a thread that wants a turn, and returns when it waits for it. */
static void add(struct crowd *crowd, uint64_t left)
{
	struct one *one = xcalloc(1, sizeof(*one));

	*one = (struct one){.crowd = crowd, .left = left};
	atomic_store(&crowd->tid, 0);
	assert_int_equal(pthread_create(&crowd->threads[crowd->count++], NULL, want_turn, one), 0);
	while (atomic_load(&crowd->tid) == 0 || !sleeps(atomic_load(&crowd->tid)))
		usleep(1000);
}

static void join(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++)
		pthread_join(crowd->threads[i], NULL);
	crowd->turns = turns_free(crowd->turns);
	pthread_mutex_destroy(&crowd->lock);
}

static void open_crowd(struct crowd *crowd, unsigned at_once)
{
	*crowd = (struct crowd){.turns = turns_new(at_once)};
	pthread_mutex_init(&crowd->lock, NULL);
}

static void test_count(void **state)
{
	struct crowd crowd;

	(void)state;
	open_crowd(&crowd, 2);
	turns_take(crowd.turns, 0);
	turns_take(crowd.turns, 0);
	add(&crowd, 1);
	assert_int_equal(crowd.got, 0);
	turns_give(crowd.turns);
	pthread_join(crowd.threads[0], NULL);
	assert_int_equal(crowd.got, 1);
	crowd.count = 0;
	turns_give(crowd.turns);
	/* All of them are there again. */
	turns_take(crowd.turns, 0);
	turns_take(crowd.turns, 0);
	join(&crowd);
}

static void test_order(void **state)
{
	struct crowd crowd;

	(void)state;
	open_crowd(&crowd, 1);
	turns_take(crowd.turns, 0);
	add(&crowd, 1);
	add(&crowd, 3);
	add(&crowd, 2);
	turns_give(crowd.turns);
	join(&crowd);
	assert_int_equal(crowd.order[0], 3);
	assert_int_equal(crowd.order[1], 2);
	assert_int_equal(crowd.order[2], 1);
}

/* Only to somebody who has far more left, and the turn comes back. */
static void test_yield(void **state)
{
	struct crowd crowd;

	(void)state;
	open_crowd(&crowd, 1);
	turns_take(crowd.turns, 100);
	turns_yield(crowd.turns, 100); /* nobody waits */
	add(&crowd, 150);
	turns_yield(crowd.turns, 100);
	assert_int_equal(crowd.got, 0);
	add(&crowd, 250);
	turns_yield(crowd.turns, 100);
	/* Both were before, as they had more left: the second when the first gave its turn back. */
	assert_int_equal(crowd.got, 2);
	assert_int_equal(crowd.order[0], 250);
	turns_give(crowd.turns);
	join(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
