/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed blocks of Zstandard (RFC 8878, 3.1.1.3). */
#ifndef BERTH_PULL_ZSTD_BLOCK_H
#define BERTH_PULL_ZSTD_BLOCK_H

#include "zstd_entropy.h"
#include "zstd_window.h"

/* The three kinds of numbers that a sequence has. */
enum zstd_code {
	ZSTD_LITERALS,
	ZSTD_DISTANCES,
	ZSTD_MATCHES,
	ZSTD_CODE_MAX
};

/* What a block hands on to the next one of its frame; 0 is how a frame begins, but for
 * zstd_blocks_begin(). */
struct zstd_blocks {
	struct zstd_huffman huffman;
	struct zstd_fse codes[ZSTD_CODE_MAX];
	bool has_code[ZSTD_CODE_MAX];
	uint64_t distances[3]; /* the last ones */
	uint64_t window;       /* what the frame says: no distance is larger */
	uint8_t literals[ZSTD_BLOCK_MAX + ZSTD_WINDOW_SLACK];
};

void zstd_blocks_begin(struct zstd_blocks *blocks, uint64_t window);

/* Decodes a block, with ZSTD_SLACK bytes behind it. -EBADMSG where it is damaged; what it has added
 * to the window by then is undefined. */
int zstd_block_decode(struct zstd_blocks *blocks, const uint8_t *data, size_t size,
		      struct zstd_window *window, struct error *err) must_check;

#endif
