/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine gives a CNI plugin on its standard input: the configuration of a network, as its
 * administrator wrote it, with what the engine puts in for one container. docs/networks.md, "CNI",
 * says which members are honoured; every other one is refused by name.
 */
#ifndef BERTH_NET_CNI_CONFIG_H
#define BERTH_NET_CNI_CONFIG_H

#include "berth/base/json_read.h"

#include "network.h"
#include "publish.h"
#include "qdisc.h"
#include "request.h"

/* Versions of the specification that berth-net speaks, oldest first. */
enum cni_version {
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSION_MAX
};
extern const char *const cni_version_names[CNI_VERSION_MAX];

/* Lists are NULL-terminated; NULL: not given. */
struct cni_dns {
	const char *domain;
	const char *const *nameservers, *const *search, *const *options;
};

struct cni_config {
	/* For every command. */
	enum cni_version version;
	const char *name;
	const char *root;		/* of the store; NULL: the default */
	const struct json *prev_result; /* NULL: none was given */
	const struct json *attachments; /* GC: those that are there; NULL: not given */
	/* For ADD and STATUS. */
	const char *defined;	/* a network that berth-net has a definition of; NULL: */
	struct network network; /* the one that the configuration describes */
	struct cni_dns dns;
	struct publish_list publish;
	struct address ip[NETWORK_SUBNETS_MAX];
	size_t ip_count;
	bool has_mac;
	unsigned char mac[MAC_SIZE];
	struct rate to_container, from_container;
	const char *const *aliases; /* NULL-terminated, never NULL */
};

/*
 * Takes what every command needs from the document. -EPROTONOSUPPORT: a version that we do not
 * speak, or one before cniVersion was there.
 */
int cni_config_begin(const struct json *document, struct cni_config *ret,
		     struct error *err) must_check;

/* Takes what CNI_ARGS asks for (NULL: nothing). */
int cni_config_args(const char *text, struct cni_config *config, struct error *err) must_check;

/*
 * Takes the rest of the document; a MAC in it counts before that of CNI_ARGS. -EOPNOTSUPP: a member
 * that is not honoured. All of *config lies in @arena or in the document.
 */
int cni_config_finish(struct arena *arena, const struct json *document, struct cni_config *config,
		      struct error *err) must_check;

/* --- Parts of it ----------------------------------------------------------------------------- */

/* "ipam" and more ranges that the engine gives (NULL: absent) become the subnets of @network. */
int cni_ipam_read(const struct json *ipam, const struct json *more, struct network *network,
		  const struct json **ret_routes, struct error *err) must_check;

/*
 * Whether "routes" of "ipam" (NULL: absent) has no others than those that berth-net makes, a
 * default route by the gateway of each subnet; and if not @implied, whether they are all there. The
 * network is complete.
 */
int cni_routes_check(const struct json *routes, bool implied, const struct network *network,
		     struct error *err) must_check;

/* "runtimeConfig". *ret_ranges: its "ipRanges", or NULL. */
int cni_runtime_read(struct arena *arena, const struct json *runtime, struct cni_config *config,
		     const struct json **ret_ranges, struct error *err) must_check;
/* "args": its "cni". */
int cni_conventions_read(const struct json *args, struct cni_config *config,
			 struct error *err) must_check;

#endif
