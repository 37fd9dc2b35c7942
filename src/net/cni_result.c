/* SPDX-License-Identifier: Apache-2.0 */
/* What a CNI plugin answers. */
#include "cni_result.h"

#include <errno.h>

#include "berth/base/json_write.h"

#include "link.h"

/* --- A success ------------------------------------------------------------------------------- */

/* @netns: NULL for a link of the host. */
struct interface {
	const char *name, *netns;
	const unsigned char *mac; /* NULL: it has none */
	uint32_t mtu;		  /* 0: not known */
};

static void write_interface(struct json_writer *w, enum cni_version version,
			    const struct interface *interface)
{
	char mac[MAC_TEXT_MAX];

	json_begin_object(w);
	json_member_string(w, "name", interface->name);
	if (interface->mac) {
		mac_format(interface->mac, mac);
		json_member_string(w, "mac", mac);
	}
	if (interface->mtu > 0 && version >= CNI_1_1_0)
		json_member_u64(w, "mtu", interface->mtu);
	if (interface->netns)
		json_member_string(w, "sandbox", interface->netns);
	json_end_object(w);
}

/* The links of the host: bridge and this end of the pair. *ret_count: of them. */
static int write_host_interfaces(struct json_writer *w, enum cni_version version,
				 const struct lease *lease, struct link_info *port,
				 size_t *ret_count, struct error *err)
{
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	struct link_info bridge;
	int r;

	*ret_count = 0;
	if (lease->network.driver != NETWORK_BRIDGE)
		return 0;
	r = netlink_open(NETLINK_ROUTE, &netlink, err);
	if (r >= 0)
		r = link_find(&netlink, lease->network.link, &bridge, err);
	if (r >= 0)
		r = link_find(&netlink, lease->host_link, port, err);
	if (r < 0)
		return r;
	write_interface(w, version, &(struct interface){bridge.name, NULL, bridge.mac, bridge.mtu});
	write_interface(w, version, &(struct interface){port->name, NULL, port->mac, port->mtu});
	*ret_count = 2;
	return 0;
}

static int write_interfaces(struct json_writer *w, enum cni_version version,
			    const struct lease *lease, const char *netns, size_t *ret_index,
			    struct error *err)
{
	struct link_info port = {.mtu = lease->network.mtu};
	int r;

	json_key(w, "interfaces");
	json_begin_array(w);
	r = write_host_interfaces(w, version, lease, &port, ret_index, err);
	/* Both ends of a pair have the same MTU. */
	write_interface(w, version,
			&(struct interface){lease->link, netns, lease->has_mac ? lease->mac : NULL,
					    port.mtu});
	json_end_array(w);
	return r;
}

/* Addresses stand in the order of the network's subnets, one for each. */
static void write_addresses(struct json_writer *w, enum cni_version version,
			    const struct lease *lease, size_t interface)
{
	char text[ADDRESS_TEXT_MAX];

	json_key(w, "ips");
	json_begin_array(w);
	for (size_t i = 0; i < lease->address_count; i++) {
		const struct address *gateway = &lease->network.subnets[i].gateway;

		json_begin_object(w);
		if (version < CNI_1_0_0)
			json_member_string(w, "version", gateway->family == AF_INET6 ? "6" : "4");
		json_member_u64(w, "interface", interface);
		prefix_format(&lease->addresses[i], text);
		json_member_string(w, "address", text);
		if (gateway->family != 0) {
			address_format(gateway, text);
			json_member_string(w, "gateway", text);
		}
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_routes(struct json_writer *w, const struct network *network)
{
	char text[ADDRESS_TEXT_MAX];
	int families[2] = {0};

	json_key(w, "routes");
	json_begin_array(w);
	for (size_t i = 0; i < network->subnet_count && !network->internal; i++) {
		const struct address *gateway = &network->subnets[i].gateway;
		const bool is_v6 = gateway->family == AF_INET6;

		/* A second default route of a family is none. */
		if (gateway->family == 0 || families[is_v6]++ > 0)
			continue;
		address_format(gateway, text);
		json_begin_object(w);
		json_member_string(w, "dst", is_v6 ? "::/0" : "0.0.0.0/0");
		json_member_string(w, "gw", text);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_list(struct json_writer *w, const char *key, const char *const *list)
{
	if (list && list[0])
		json_member_strings(w, key, list);
}

static void write_dns(struct json_writer *w, const struct cni_dns *dns)
{
	json_key(w, "dns");
	json_begin_object(w);
	write_list(w, "nameservers", dns->nameservers);
	if (dns->domain && *dns->domain)
		json_member_string(w, "domain", dns->domain);
	write_list(w, "search", dns->search);
	write_list(w, "options", dns->options);
	json_end_object(w);
}

int cni_result_write(const struct cni_config *config, const struct lease *lease, const char *netns,
		     struct buf *out, struct error *err)
{
	struct json_writer w = JSON_WRITER(out, false);
	size_t interface = 0;
	int r;

	json_begin_object(&w);
	json_member_string(&w, "cniVersion", cni_version_names[config->version]);
	r = write_interfaces(&w, config->version, lease, netns, &interface, err);
	if (r < 0)
		return r;
	write_addresses(&w, config->version, lease, interface);
	write_routes(&w, &lease->network);
	write_dns(&w, &config->dns);
	json_end_object(&w);
	buf_add_char(out, '\n');
	return 0;
}

/* --- An error, and the versions -------------------------------------------------------------- */

static const struct {
	enum cni_code code;
	const char *text;
} messages[] = {
	{CNI_INCOMPATIBLE_VERSION, "incompatible CNI version"},
	{CNI_UNSUPPORTED_FIELD, "unsupported field in the network configuration"},
	{CNI_UNKNOWN_CONTAINER, "unknown container"},
	{CNI_INVALID_ENVIRONMENT, "invalid environment variables"},
	{CNI_IO_FAILURE, "I/O failure"},
	{CNI_UNDECODABLE, "the network configuration cannot be decoded"},
	{CNI_INVALID_CONFIG, "invalid network configuration"},
	{CNI_TRY_AGAIN, "try again later"},
	{CNI_NOT_AVAILABLE, "containers cannot be added"},
	{CNI_FAILED, "failed"},
	{CNI_NOT_AS_IT_WAS, "the container's network is not as it was made"},
};

void cni_error_write(enum cni_version version, enum cni_code code, const struct error *what,
		     struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_object(&w);
	json_member_string(&w, "cniVersion", cni_version_names[version]);
	json_member_u64(&w, "code", code);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		if (messages[i].code == code)
			json_member_string(&w, "msg", messages[i].text);
	}
	json_member_string(&w, "details", what->text);
	json_end_object(&w);
	buf_add_char(out, '\n');
}

void cni_versions_write(const char *version, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_object(&w);
	json_member_string(&w, "cniVersion", version);
	json_key(&w, "supportedVersions");
	json_begin_array(&w);
	for (size_t i = 0; i < CNI_VERSION_MAX; i++)
		json_string(&w, cni_version_names[i]);
	json_end_array(&w);
	json_end_object(&w);
	buf_add_char(out, '\n');
}

/* --- The result that the engine kept --------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *name)
{
	const struct json *value = object->type == JSON_OBJECT ? json_member(object, name) : NULL;

	return value && value->type == JSON_STRING ? value->text : "";
}

static const struct json *array_of(const struct json *object, const char *name)
{
	const struct json *value = json_member(object, name);

	return value && value->type == JSON_ARRAY ? value->item : NULL;
}

static bool has_link(const struct json *result, const char *link)
{
	for (const struct json *item = array_of(result, "interfaces"); item; item = item->next) {
		if (*text_of(item, "sandbox") && str_equal(text_of(item, "name"), link))
			return true;
	}
	return false;
}

static bool has_address(const struct json *result, const struct prefix *address)
{
	struct prefix other;

	for (const struct json *item = array_of(result, "ips"); item; item = item->next) {
		if (prefix_parse(text_of(item, "address"), &other) >= 0 &&
		    other.length == address->length &&
		    address_compare(&other.address, &address->address) == 0)
			return true;
	}
	return false;
}

int cni_result_check(const struct cni_config *config, const struct lease *lease, struct error *err)
{
	char text[ADDRESS_TEXT_MAX];

	if (!has_link(config->prev_result, lease->link))
		return refuse(err, "\"prevResult\" has no link \"%s\" in a container", lease->link);
	for (size_t i = 0; i < lease->address_count; i++) {
		if (has_address(config->prev_result, &lease->addresses[i]))
			continue;
		prefix_format(&lease->addresses[i], text);
		return refuse(err, "\"prevResult\" has not the address %s, which the container has",
			      text);
	}
	return 0;
}
