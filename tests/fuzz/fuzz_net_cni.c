/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of CNI configurations; a first line that begins with "#" is what
 * CNI_ARGS has. What is accepted must be within its bounds, and the result that is made of it must
 * be a document that can be read.
 */
#include "berth/base/str.h"

#include "cni_config.h"
#include "cni_result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static void check_network(const struct network *network)
{
	require(network->subnet_count >= 1 && network->subnet_count <= NETWORK_SUBNETS_MAX);
	require(strlen(network->link) >= 1 && strlen(network->link) < IFNAMSIZ);
	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct subnet *subnet = &network->subnets[i];

		require(prefix_contains(&subnet->prefix, &subnet->gateway));
		require(prefix_contains(&subnet->prefix, &subnet->first));
		require(prefix_contains(&subnet->prefix, &subnet->last));
	}
}

static void check_publish(const struct publish_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct publish *item = &list->items[i];

		require(item->host_port > 0 && item->container_port > 0 && item->count == 1);
		require(item->protocol == IPPROTO_TCP || item->protocol == IPPROTO_UDP);
	}
}

/* As ADD would answer; of a network without links of the host, since nothing is asked of it. */
static void check_result(struct arena *arena, const struct cni_config *config)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error err = ERROR_NONE;
	struct lease lease = {.id = "c", .link = "eth0", .network = config->network};
	const struct json *result;
	struct cni_config again = *config;

	lease.network.driver = NETWORK_MACVLAN;
	for (size_t i = 0; i < lease.network.subnet_count; i++) {
		lease.addresses[i] = lease.network.subnets[i].prefix;
		lease.addresses[i].address = lease.network.subnets[i].first;
		lease.address_count++;
	}
	require(cni_result_write(config, &lease, "/run/netns/c", &text, &err) >= 0);
	require(json_read(arena, text.data, text.size, "result", &result, &err) >= 0);
	again.prev_result = result;
	require(cni_result_check(&again, &lease, &err) >= 0);
	if (config->prev_result)
		ignore(cni_result_check(config, &lease, &err)); /* either way */
}

/* The bytes behind the first line, whose text is *ret_args. */
static const char *split(struct arena *arena, const uint8_t *data, size_t *size,
			 const char **ret_args)
{
	const char *text = (const char *)data;
	const char *end = *size && *text == '#' ? memchr(text, '\n', *size) : NULL;

	*ret_args = NULL;
	if (!end)
		return text;
	*ret_args = arena_strndup(arena, text + 1, (size_t)(end - text) - 1);
	*size -= (size_t)(end + 1 - text);
	return end + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cni_config config;
	const struct json *json;
	const char *args, *text = split(arena, data, &size, &args);

	if (json_read(arena, text, size, "input", &json, &err) < 0 ||
	    cni_config_begin(json, &config, &err) < 0 || cni_config_args(args, &config, &err) < 0 ||
	    cni_config_finish(arena, json, &config, &err) < 0)
		return 0;
	require(config.ip_count <= NETWORK_SUBNETS_MAX);
	check_publish(&config.publish);
	if (config.defined)
		return 0;
	check_network(&config.network);
	check_result(arena, &config);
	return 0;
}
