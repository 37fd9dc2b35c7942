/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate by ISA-L, about twice as fast as zlib. It has no static archive, and not every machine
 * has it: it is loaded when the first gzip stream comes, and berth-pull does without where that
 * fails. Its headers, too, are needed only where it shall be used.
 */
#include "inflate.h"

const struct inflate_method *inflate_best(void)
{
	const struct inflate_method *isal = inflate_isal();

	return isal ? isal : &inflate_zlib;
}

#ifndef BERTH_ISAL

const struct inflate_method *inflate_isal(void)
{
	return NULL;
}

#else

#include <dlfcn.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

/* The library's functions, found once for all threads. */
static struct {
	__typeof__(isal_inflate_init) *init;
	__typeof__(isal_inflate_reset) *reset;
	__typeof__(isal_inflate) *inflate;
	__typeof__(crc32_gzip_refl) *check;
	bool loaded;
	bool has_avx; /* the library uses what the processor has */
} isal;

/* The number stands for its binary interface: the layout of struct inflate_state. */
static void isal_load(void)
{
	const struct {
		const char *name;
		void *target;
	} symbols[] = {
		{"isal_inflate_init", &isal.init},
		{"isal_inflate_reset", &isal.reset},
		{"isal_inflate", &isal.inflate},
		{"crc32_gzip_refl", &isal.check},
	};
	void *library = dlopen("libisal.so.2", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return;
		memcpy(symbols[i].target, &symbol, sizeof(symbol));
	}
#if defined(__x86_64__)
	isal.has_avx = __builtin_cpu_supports("avx");
#endif
	isal.loaded = true;
}

/*
 * ISA-L leaves the upper halves of the vector registers as they are. Until they are cleared, each
 * SSE instruction has to keep them, and waits for the one before: SHA-256 then takes 1.4 times as
 * long (measured on Zen 4).
 */
static void clear_upper_halves(void)
{
#if defined(__x86_64__)
	if (isal.has_avx)
		__asm__ volatile("vzeroupper" ::
					 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
					   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
					   "xmm13", "xmm14", "xmm15");
#endif
}

static void *isal_begin(void)
{
	struct inflate_state *state = xcalloc(1, sizeof(*state));

	isal.init(state);
	return state;
}

static void isal_reset(void *state)
{
	isal.reset(state);
}

static void isal_end(void *state)
{
	free(state);
}

/* ISA-L counts in 32 bits, some of them signed. */
static uint32_t bounded(size_t size)
{
	return size < INT_MAX ? (uint32_t)size : INT_MAX;
}

/* It reads in words of 64 bits, of which whole bytes may be left at the end. */
static void take_ahead(struct inflate_state *state, struct inflate_ahead *ahead)
{
	uint64_t word = state->read_in >> (state->read_in_length % 8);

	ahead->size = state->read_in_length > 0 ? (size_t)state->read_in_length / 8 : 0;
	for (size_t i = 0; i < ahead->size; i++)
		ahead->data[i] = (uint8_t)(word >> (8 * i));
}

static int isal_step(void *opaque, struct span *in, struct room *out, struct inflate_ahead *ahead)
{
	struct inflate_state *state = opaque;
	uint32_t before_in = bounded(in->size), before_out = bounded(out->size);
	int r;

	state->next_in = (uint8_t *)in->data;
	state->avail_in = before_in;
	state->next_out = out->data;
	state->avail_out = before_out;
	r = isal.inflate(state);
	clear_upper_halves();
	span_take(in, before_in - state->avail_in);
	room_fill(out, before_out - state->avail_out);
	if (r < 0 || r == ISAL_NEED_DICT)
		return -EBADMSG;
	if (state->block_state != ISAL_BLOCK_FINISH)
		return 1;
	take_ahead(state, ahead);
	return 0;
}

static uint32_t isal_check(uint32_t check, const void *data, size_t size)
{
	uint32_t next = isal.check(check, data, size);

	clear_upper_halves();
	return next;
}

static const struct inflate_method method = {
	.name = "ISA-L",
	.begin = isal_begin,
	.reset = isal_reset,
	.end = isal_end,
	.step = isal_step,
	.check = isal_check,
};

const struct inflate_method *inflate_isal(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, isal_load);
	return isal.loaded ? &method : NULL;
}

#endif
