/* SPDX-License-Identifier: Apache-2.0 */
/* The constant part of the table: its sets, chains and rules. */
#ifndef BERTH_NET_FIREWALL_RULES_H
#define BERTH_NET_FIREWALL_RULES_H

#include "firewall_batch.h"

#define FIREWALL_TABLE "berth"

/* Sets and maps; firewall.h says what they are for. */
enum firewall_set {
	SET_BRIDGES,
	SET_SAME,
	SET_OPEN,
	SET_INTERNAL,
	SET_MASQUERADED,
	SET_PUBLISHED4,
	SET_PUBLISHED6,
	SET_PUBLISHED_ANY4,
	SET_PUBLISHED_ANY6,
	SET_MAX
};

/* Keys and data are laid out as in nf_tables' registers: each part begins at a multiple of 4. */
#define FIREWALL_KEY_MAX  32
#define FIREWALL_DATA_MAX 20

struct firewall_set_type {
	const char *name;
	unsigned key_size;
	unsigned data_size; /* 0: a set, no map */
	unsigned key_type;  /* for nft(8) to print */
	unsigned data_type;
};

extern const struct firewall_set_type firewall_sets[SET_MAX];

/* How many rules there are, whatever the number of containers. */
extern const size_t firewall_rule_count;

/* Appends messages that remove the table, also where there is none. */
void firewall_put_removal(struct nft_batch *batch);
/* Appends messages that make the table with all chains, sets and rules. That there is one must have
 * been excluded: rules would be there twice. */
void firewall_put_table(struct nft_batch *batch);

#endif
