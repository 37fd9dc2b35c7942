/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the decoder of config.json, and to that of a process document. Build with
 * clang -fsanitize=fuzzer,address,undefined together with src/base and src/spec.
 */
#include "berth/spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process;
	const struct spec *spec;
	struct error err = ERROR_NONE;

	ignore(spec_decode(arena, (const char *)data, size, "/bundle", &spec, &err));
	ignore(spec_decode_process(arena, (const char *)data, size, "process", &process, &err));
	return 0;
}
