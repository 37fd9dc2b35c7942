/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of a layer's files. */
#include "stream/inflate.h"

#include "index.h"

uint32_t index_check(uint32_t check, const void *data, size_t size)
{
	return inflate_best()->check(check, data, size);
}
