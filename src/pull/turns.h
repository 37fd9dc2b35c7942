/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: how many layers may be unpacked at the same time. More of them than there are processors
 * only get into each other's way, and in the end the largest layer is left to one processor while
 * the others have nothing to do.
 */
#ifndef BERTH_PULL_TURNS_H
#define BERTH_PULL_TURNS_H

#include <stdint.h>

struct turns;

/* @at_once turns, at least 1. To be freed when nobody has a turn. */
struct turns *turns_new(unsigned at_once);
struct turns *turns_free(struct turns *turns);

/*
 * Waits for a turn. Of those who wait, the one with the most @left comes first. Nobody who has a
 * turn may wait in here, or for what somebody who waits in here may have: the turn is given back
 * before.
 */
void turns_take(struct turns *turns, uint64_t left);

/* Gives the turn back, from any thread. */
void turns_give(struct turns *turns);

/*
 * Passes the turn on, and waits for another one, where somebody waits who has far more left than
 * @left. To be called now and then by whoever has a turn: the largest layer decides when all are
 * done, and must not wait for one that happened to begin before it.
 */
void turns_yield(struct turns *turns, uint64_t left);

static inline void cleanup_turns(struct turns **variable)
{
	*variable = turns_free(*variable);
}
#define _cleanup_turns_ __attribute__((cleanup(cleanup_turns)))

#endif
