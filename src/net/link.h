/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink messages for links, addresses and routes (rtnetlink(7)): each function appends one
 * message to a batch. Indices are those of the socket's namespace.
 */
#ifndef BERTH_NET_LINK_H
#define BERTH_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "netlink.h"

#define MAC_SIZE     6
#define MAC_TEXT_MAX 18

/* What a link is, as far as berth-net asks. */
struct link_info {
	int index;
	unsigned flags; /* IFF_UP … */
	uint32_t mtu;
	int master; /* 0: none */
	int parent; /* what a macvlan or ipvlan stands on, an index of the parent's namespace */
	unsigned char mac[MAC_SIZE];
	char kind[16];	 /* "bridge", "veth" …; "" for hardware */
	char alias[128]; /* "" where there is none */
	char name[IFNAMSIZ];
};

/* Looks for a link by name; -ENODEV with a text where there is none. */
int link_find(struct netlink *netlink, const char *name, struct link_info *ret,
	      struct error *err) must_check;
/* As link_find(), and returns -ENODEV without a text. */
int link_try_find(struct netlink *netlink, const char *name, struct link_info *ret) must_check;

/* A bridge; that there is one already is fine. The alias tells later that berth-net made it. */
void link_add_bridge(struct netlink_batch *batch, const char *name, const unsigned char *mac,
		     uint32_t mtu, const char *alias);

/* A pair: @host stays here, up, as a port of the bridge @master (an index); the other end comes
 * into the namespace @nsfd with its final name and MAC, down. */
struct veth {
	const char *host;
	int master;
	int nsfd;
	const char *name; /* in the namespace */
	const unsigned char *mac;
	uint32_t mtu; /* 0: the kernel's */
};
void link_add_veth(struct netlink_batch *batch, const struct veth *veth);
/* A packet may leave the port @port of a bridge by which it came. By name, so that the message may
 * stand behind the one that makes the port. */
void link_set_hairpin(struct netlink_batch *batch, const char *port);

/* A macvlan or ipvlan device on @parent (an index), made in the namespace @nsfd, down. */
struct child_link {
	const char *kind; /* "macvlan", "ipvlan" */
	const char *mode; /* as in struct network; NULL: bridge, l2 */
	int parent;
	int nsfd;
	const char *name;
	const unsigned char *mac; /* NULL: the kernel's; ipvlan has its parent's */
	uint32_t mtu;
};
/* -EINVAL with a text for a mode that the kind has not. */
int link_add_child(struct netlink_batch *batch, const struct child_link *child,
		   struct error *err) must_check;

/* Moves the link @index into the namespace @nsfd under the name @name. It is down afterwards, and
 * has lost its addresses. */
void link_move(struct netlink_batch *batch, int index, const char *old_name, int nsfd,
	       const char *name);
/* "%d" in the new name stands for the first number that is free. */
void link_rename(struct netlink_batch *batch, int index, const char *old_name, const char *name);
/* Sets flags: IFF_UP, or 0 for down. @mtu 0, @mac NULL: as they are. */
void link_set(struct netlink_batch *batch, int index, const char *name, bool up, uint32_t mtu,
	      const unsigned char *mac);
/* That there is none is fine. */
void link_delete(struct netlink_batch *batch, const char *name);

/* An address, without duplicate address detection, which would keep it unusable for a second. That
 * it is there already is fine. */
void address_add(struct netlink_batch *batch, int index, const char *link,
		 const struct prefix *prefix);
/* The default route of the gateway's family, through the link. Where there is one already, of
 * another link, that one stays. */
void route_add_default(struct netlink_batch *batch, int index, const char *link,
		       const struct address *gateway);

void mac_format(const unsigned char mac[static MAC_SIZE], char text[static MAC_TEXT_MAX]);
/* "xx:xx:xx:xx:xx:xx", a unicast address that is not all zero; -EINVAL without a text. */
int mac_parse(const char *text, unsigned char ret[static MAC_SIZE]) must_check;

#endif
