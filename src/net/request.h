/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for a container: by options, by annotations of a hook's state document, or by an
 * engine's CNI call. All of it is hostile until request_check() has passed.
 */
#ifndef BERTH_NET_REQUEST_H
#define BERTH_NET_REQUEST_H

#include "berth/base/options.h"

#include "lease.h"

/* Annotations of config.json; what stands behind the prefix is an option's name. */
#define REQUEST_ANNOTATION_PREFIX "org.berth.net."

/* As texts, the same for all three sources. NULL: not given. Lists in annotations are separated by
 * commas. */
struct request_options {
	const char *network; /* "bridge", "bridge:NAME", "none", "host", "pasta", "slirp4netns" */
	const char *link;    /* name in the container (default: eth0) */
	struct strv publish; /* publish.h */
	struct strv ip;	     /* wanted addresses, one for each subnet at most */
	const char *mac;
	struct strv dns;	 /* servers for resolv.conf */
	struct strv names;	 /* beside the id, in the network's hosts file */
	const char *bandwidth;	 /* qdisc.h; both directions */
	const char *resolv_conf; /* file beneath the bundle that berth-net writes */
};

#define REQUEST_OPTION_COUNT 9
extern const struct option request_option_table[REQUEST_OPTION_COUNT];

/* Modes that are no network of ours. */
enum request_mode {
	REQUEST_NETWORK,
	REQUEST_NONE,
	REQUEST_HOST,
	REQUEST_PASTA,
	REQUEST_SLIRP4NETNS
};

struct request {
	const char *id;
	const char *bundle; /* NULL: none */
	enum request_mode mode;
	struct network network; /* REQUEST_NETWORK */
	const char *link;
	struct publish_list publish;
	struct address ip[NETWORK_SUBNETS_MAX];
	size_t ip_count;
	bool has_mac;
	unsigned char mac[MAC_SIZE];
	const char *const *dns;	  /* NULL-terminated */
	const char *const *names; /* NULL-terminated, the id first */
	const char *cni;	  /* lease.h; NULL but in a CNI call */
	struct rate to_container, from_container;
	const char *resolv_conf;
};

/* A hook's input: the OCI state document (runtime-spec runtime.md, "State"). */
struct hook_state {
	const char *id;
	const char *bundle;
	const char *status;
	pid_t pid;			/* 0: none (poststop) */
	struct request_options options; /* from the annotations; in the arena, lists too */
};

/*
 * Reads the state document on descriptor @fd, 1 MiB at most; the id is checked. An annotation with
 * the prefix that is unknown is refused by name; members that are unknown are other programs'.
 */
int hook_state_read(int fd, struct arena *arena, struct hook_state *ret,
		    struct error *err) must_check;

struct target;

/*
 * Checks what is wanted of the target (target.h), and finds the network. Errors name the option, or
 * the annotation where it comes from a hook. Refused: what the network's driver or the mode cannot
 * give.
 */
int request_check(const struct store *store, struct arena *arena, const struct target *target,
		  struct request *ret, struct error *err) must_check;

#endif
