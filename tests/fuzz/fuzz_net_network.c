/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the readers of the store's files: definitions of networks, and leases. What is
 * accepted is written and read again, and comes to the same.
 */
#include "lease-internal.h"
#include "network-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static char *network_text(const struct network *network)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	network_write(&w, network);
	return buf_take(&text);
}

static char *lease_text(const struct lease *lease)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	lease_write_json(&w, lease);
	return buf_take(&text);
}

static const struct json *read_again(struct arena *arena, const char *text)
{
	struct error err = ERROR_NONE;
	const struct json *json;

	require(json_read(arena, text, strlen(text), "again", &json, &err) >= 0);
	return json;
}

static void check_network(struct arena *arena, const struct network *network)
{
	_cleanup_free_ char *text = network_text(network), *same = NULL;
	struct error err = ERROR_NONE;
	struct network again;

	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct subnet *subnet = &network->subnets[i];

		require(subnet_is_usable(subnet, &subnet->first));
		require(subnet_is_usable(subnet, &subnet->last));
		require(address_compare(&subnet->first, &subnet->last) <= 0);
	}
	require(network_decode(arena, read_again(arena, text), "again", &again, &err) >= 0);
	same = network_text(&again);
	require(str_equal(text, same));
}

static void check_lease(struct arena *arena, const struct lease *lease)
{
	_cleanup_free_ char *text = lease_text(lease), *same = NULL;
	struct error err = ERROR_NONE;
	struct lease again;

	require(strlen(lease_owner(arena, lease)) + strlen("..json.new") <= 255);
	require(!strchr(lease_owner(arena, lease), '/'));
	require(lease_decode(arena, read_again(arena, text), "again", &again, &err) >= 0);
	same = lease_text(&again);
	require(str_equal(text, same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	const struct json *json;
	struct network network;
	struct lease lease;

	if (json_read(arena, (const char *)data, size, "input", &json, &err) < 0)
		return 0;
	if (network_decode(arena, json, "input", &network, &err) >= 0)
		check_network(arena, &network);
	if (lease_decode(arena, json, "input", &lease, &err) >= 0)
		check_lease(arena, &lease);
	return 0;
}
