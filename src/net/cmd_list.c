/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net list: who has which link, addresses and ports. */
#include "command.h"
#include "lease.h"
#include "user_net.h"

#define ROW "%-20s %-10s %-12s %-8s %-38s"

/* Whether what a lease stands for is there. */
static const char *state_of(const struct lease *lease)
{
	if (!lease->complete)
		return "cut off";
	return netns_is_alive(&lease->netns) ? "up" : "gone";
}

static void add_addresses(const struct lease *lease, struct buf *out)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < lease->address_count; i++) {
		prefix_format(&lease->addresses[i], text);
		buf_printf(out, "%s%s", i > 0 ? "," : "", text);
	}
	if (lease->address_count == 0)
		buf_add_char(out, '-');
}

static const char *state_of_user_net(const struct user_net *net)
{
	if (!net->complete)
		return "cut off";
	return user_net_is_alive(net) ? "up" : "gone";
}

static void add_ports(struct arena *arena, const struct publish_list *publish, struct buf *out)
{
	for (size_t i = 0; i < publish->count; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : " ",
			   publish_format(arena, &publish->items[i]));
	buf_add_char(out, '\n');
}

static void add_row(struct arena *arena, const struct lease *lease, struct buf *out)
{
	_cleanup_buf_ struct buf addresses = BUF_EMPTY;

	add_addresses(lease, &addresses);
	buf_printf(out, ROW, lease->id, lease->link, lease->network.name, state_of(lease),
		   addresses.data);
	add_ports(arena, &lease->publish, out);
}

/* Its addresses are the program's business. */
static void add_user_row(struct arena *arena, const struct user_net *net, struct buf *out)
{
	buf_printf(out, ROW, net->id, net->link, user_net_name(net->mode), state_of_user_net(net),
		   "-");
	add_ports(arena, &net->publish, out);
}

static void add_text(struct arena *arena, const struct lease_list *list,
		     const struct user_net_list *users, struct buf *out)
{
	buf_printf(out, ROW " %s\n", "ID", "LINK", "NETWORK", "STATE", "ADDRESSES", "PORTS");
	for (size_t i = 0; i < list->count; i++)
		add_row(arena, &list->items[i], out);
	for (size_t i = 0; i < users->count; i++)
		add_user_row(arena, &users->items[i], out);
}

static void add_json(const struct lease_list *list, const struct user_net_list *users,
		     struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, true);

	json_begin_array(&w);
	for (size_t i = 0; i < list->count; i++)
		lease_write_json(&w, &list->items[i]);
	for (size_t i = 0; i < users->count; i++)
		user_net_write_json(&w, &users->items[i]);
	json_end_array(&w);
	buf_add_char(out, '\n');
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct lease_list list;
	struct user_net_list users;
	int r = store_open(context->root, STORE_READ, &store, err);

	(void)values;
	(void)args;
	if (r >= 0)
		r = lease_list(&store, arena, NULL, NULL, &list, err);
	if (r >= 0)
		r = user_net_list(&store, arena, NULL, &users, err);
	if (r < 0)
		return r;
	if (context->json)
		add_json(&list, &users, &out);
	else
		add_text(arena, &list, &users, &out);
	return print_out(out.data, err);
}

const struct command command_list = {
	.syntax =
		{
			.name = "list",
			.arguments = "",
			.summary = "list the links of containers, with their addresses and "
				   "published ports",
		},
	.run = run,
};
