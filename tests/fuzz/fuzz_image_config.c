/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds any bytes to the reader of an image's configuration, and walks through what it accepts. */
#include "berth/base/str.h"

#include "image/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const char *const *list)
{
	size_t length = 0;

	for (size_t i = 0; list && list[i]; i++)
		length += strlen(list[i]) + 1;
	return length;
}

static void check_sorted(const char *const *list)
{
	for (size_t i = 1; list && list[0] && list[i]; i++) {
		if (strcmp(list[i - 1], list[i]) >= 0)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct image_config config;
	struct platform host;
	struct error err = ERROR_NONE;
	size_t length;

	if (image_config_read(arena, (const char *)data, size, &config, &err) < 0)
		return 0;
	length = walk(config.os_features) + walk(config.env) + walk(config.entrypoint) +
		 walk(config.cmd) + walk(config.exposed_ports) + walk(config.volumes) +
		 strlen(config.user) + strlen(config.working_dir) + strlen(config.stop_signal) +
		 strlen(config.author) + strlen(config.created) + strlen(config.os_version);
	/* Escapes make texts shorter, never longer. */
	if (length > size)
		__builtin_trap();
	check_sorted(config.exposed_ports);
	check_sorted(config.volumes);
	for (size_t i = 0; i < config.diff_id_count; i++) {
		if (strlen(config.diff_ids[i].hex) < 64)
			__builtin_trap();
	}
	platform_of_host(&host);
	(void)platform_fits(&config.platform, &host);
	return 0;
}
