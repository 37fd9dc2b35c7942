/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pasta(1) of passt.
 *
 * It is run as it is run mostly: it sets the network up, puts itself into the background and into a
 * pid namespace of its own, and only then does what we started end, with its outcome. Whom it
 * became is in its pid file. Of what it does unless it is told not to, it shall not do: make the
 * host's loopback reachable by the gateway's address (--no-map-gw), and forward all ports that
 * somebody listens on, in either direction (-t, -u, -T, -U).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/proc.h"
#include "berth/base/spawn.h"

#include "user_net-internal.h"

/* The address, of no network, at which containers find the host's name server. */
#define DNS_ADDRESS "169.254.1.1"

/* It becomes nobody then, and nobody may not enter root's namespaces. */
static int check(const struct request *request, struct error *err)
{
	(void)request;
	if (geteuid() == 0 && proc_in_first_user_namespace())
		return refuse_as(
			err, -EPERM,
			"--network pasta: pasta does not serve root: take --network bridge");
	return 0;
}

static void add_text(struct strv *args, const char *option, const char *value)
{
	strv_add(args, option);
	strv_add(args, value);
}

/*
 * Each port by itself: of a list or range pasta takes as a success that some of it could be had.
 * An address is followed by "/"; without one it is all addresses of both families.
 */
static void add_ports(struct strv *args, const struct publish *publish)
{
	const char *option = publish->protocol == IPPROTO_TCP ? "--tcp-ports" : "--udp-ports";
	char address[ADDRESS_TEXT_MAX] = "", text[ADDRESS_TEXT_MAX + 32];

	if (publish->host.family != 0)
		address_format(&publish->host, address);
	for (unsigned i = 0; i < publish->count; i++) {
		snprintf(text, sizeof(text), "%s%s%u:%u", address, *address ? "/" : "",
			 publish->host_port + i, publish->container_port + i);
		add_text(args, option, text);
	}
}

static bool publishes(const struct publish_list *list, uint8_t protocol)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].protocol == protocol)
			return true;
	}
	return false;
}

static void make_args(const struct user_start *start, const char *pid_file, struct strv *args)
{
	const struct request *request = start->request;
	const struct publish_list *publish = &request->publish;
	_cleanup_free_ char *userns = xasprintf("/proc/%d/ns/user", start->net->pid);
	_cleanup_free_ char *netns = xasprintf("/proc/%d/ns/net", start->net->pid);
	char mac[MAC_TEXT_MAX];

	/* By its first word it knows that it is not passt. */
	strv_add(args, pasta_program.name);
	add_text(args, "--pid", pid_file);
	add_text(args, "--userns", userns);
	add_text(args, "--netns", netns);
	add_text(args, "--ns-ifname", request->link);
	add_text(args, "--dns-forward", DNS_ADDRESS);
	strv_add(args, "--config-net");
	strv_add(args, "--no-map-gw");
	strv_add(args, "--quiet");
	if (request->has_mac) {
		mac_format(request->mac, mac);
		add_text(args, "--ns-mac-addr", mac);
	}
	add_text(args, "--tcp-ns", "none");
	add_text(args, "--udp-ns", "none");
	if (!publishes(publish, IPPROTO_TCP))
		add_text(args, "--tcp-ports", "none");
	if (!publishes(publish, IPPROTO_UDP))
		add_text(args, "--udp-ports", "none");
	for (size_t i = 0; i < publish->count; i++)
		add_ports(args, &publish->items[i]);
}

static int read_pid(const struct user_start *start, const char *file, struct error *err)
{
	struct user_net *net = start->net;
	_cleanup_free_ char *text = NULL;
	uint32_t pid = 0;
	int r = file_read_at(start->directoryfd, file, 64, &text, NULL, err);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u32(text, &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return refuse(err, "its pid file has no process's number");
	r = user_process_ticks((pid_t)pid, "pasta", &net->helper_ticks, err);
	if (r < 0)
		return r;
	net->helper_pid = (pid_t)pid;
	if (unlinkat(start->directoryfd, file, 0) < 0)
		return fail(err, -errno, "remove the pid file");
	return 0;
}

static int start_pasta(const struct user_start *start, struct error *err)
{
	_cleanup_free_ char *file = xasprintf("%s.pid", start->net->token);
	_cleanup_free_ char *path = xasprintf("%s/%s", start->directory, file);
	_cleanup_strv_ struct strv args = {.items = NULL};
	struct spawn what = {
		.path = start->program, .cwdfd = -1, .timeout_ms = USER_NET_TIMEOUT_MS};
	int r;

	make_args(start, path, &args);
	what.argv = (const char *const *)args.items;
	r = spawn_wait(&what, err);
	return r < 0 ? r : read_pid(start, file, err);
}

const struct user_program pasta_program = {
	.name = "pasta",
	.package = "passt",
	.dns = {DNS_ADDRESS, NULL},
	.check = check,
	.start = start_pasta,
};
