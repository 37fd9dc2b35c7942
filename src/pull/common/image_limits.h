/* SPDX-License-Identifier: Apache-2.0 */
/* What an image may cost: bounds against hostile or broken ones, each with its own flag. */
#ifndef BERTH_PULL_IMAGE_LIMITS_H
#define BERTH_PULL_IMAGE_LIMITS_H

#include <stdint.h>

/* 0 stands for no limit, except where said. */
struct limits {
	uint64_t manifest_bytes; /* --max-manifest-size, of index and manifest each; never 0 */
	uint64_t config_bytes;	 /* --max-config-size; never 0 */
	uint64_t layer_bytes;	 /* --max-layer-size, unpacked */
	uint64_t image_bytes;	 /* --max-image-size, all layers unpacked */
	uint64_t entries;	 /* --max-files, of one layer */
	uint64_t path_depth;	 /* --max-depth, components of a path; never 0 */
	uint64_t ratio;		 /* --max-ratio, unpacked to packed bytes */
	uint64_t layers;	 /* --max-layers */
	uint64_t zstd_window;	 /* --max-zstd-window; a power of two between these */
};

#define ZSTD_WINDOW_LEAST (1ull << 20)
#define ZSTD_WINDOW_MOST  (128ull << 20)

#define LIMITS_DEFAULT                                                                             \
	{                                                                                          \
		.manifest_bytes = 4ull << 20, .config_bytes = 4ull << 20,                          \
		.layer_bytes = 100ull << 30, .image_bytes = 200ull << 30, .entries = 5000000,      \
		.path_depth = 256, .ratio = 1100, .layers = 500, .zstd_window = 128ull << 20,      \
	}

#endif
