/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of a hook's state document, and what stands in its annotations to
 * the check of requests. What is accepted must hold what later steps rely on; what is refused has
 * an error of one line.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "names.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static void check_error(const struct error *err)
{
	require(err->text[0] != '\0' && err->code < 0);
	for (const char *at = err->text; *at; at++)
		require((unsigned char)*at >= ' ' && *at != 0x7f);
}

static void check_addresses(const struct request *request)
{
	require(request->ip_count <= request->network.subnet_count);
	for (size_t i = 0; i < request->ip_count; i++) {
		bool found = false;

		for (size_t j = 0; j < request->network.subnet_count; j++)
			found |= prefix_contains(&request->network.subnets[j].prefix,
						 &request->ip[i]);
		require(found);
	}
}

static void check_publish(const struct request *request)
{
	const struct publish_list *list = &request->publish;
	size_t ports = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct publish *item = &list->items[i];

		ports += item->count;
		require(item->host_port > 0 && item->container_port > 0 && item->count > 0);
		require(item->host_port + item->count - 1 <= UINT16_MAX);
		require(item->container_port + item->count - 1 <= UINT16_MAX);
		for (size_t j = 0; j < i && i < 64; j++)
			require(!publish_collide(item, &list->items[j]));
	}
	require(ports <= PUBLISHED_PORTS_MAX);
}

static void check_request(const struct request *request)
{
	struct error err = ERROR_NONE;

	require(name_check_link("link", request->link, &err) == 0);
	require(str_equal(request->names[0], request->id));
	for (size_t i = 1; request->names[i]; i++)
		require(name_check_host("name", request->names[i], &err) == 0);
	for (size_t i = 0; request->dns[i]; i++)
		require(strspn(request->dns[i], "0123456789abcdefABCDEF.:") ==
			strlen(request->dns[i]));
	require(!request->resolv_conf ||
		(request->resolv_conf[0] != '/' && !str_starts(request->resolv_conf, "../") &&
		 !strstr(request->resolv_conf, "/../")));
	check_publish(request);
	if (request->mode == REQUEST_NETWORK)
		check_addresses(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No store: the default network is there without one. */
	static const struct store store = STORE_CLOSED;
	static int fd = -1;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct hook_state state;
	struct request request;

	if (fd < 0)
		fd = memfd_create("state", MFD_CLOEXEC);
	require(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size &&
		lseek(fd, 0, SEEK_SET) == 0);
	if (hook_state_read(fd, arena, &state, &err) < 0) {
		require(err.text[0] != '\0');
		return 0;
	}
	require(name_check_container("id", state.id, &err) == 0 && state.bundle[0] == '/');
	if (request_check(&store, arena,
			  &(const struct target){.id = state.id,
						 .bundle = state.bundle,
						 .from_hook = true,
						 .wanted = &state.options},
			  &request, &err) < 0)
		check_error(&err);
	else
		check_request(&request);
	return 0;
}
