/* SPDX-License-Identifier: Apache-2.0 */
/* What a CNI plugin answers: results, errors, versions; and the result that an engine kept. */
#ifndef BERTH_NET_CNI_RESULT_H
#define BERTH_NET_CNI_RESULT_H

#include "cni_config.h"

/* The specification's codes ("Error"); those from 100 on are the plugin's own. */
enum cni_code {
	CNI_INCOMPATIBLE_VERSION = 1,
	CNI_UNSUPPORTED_FIELD = 2,
	CNI_UNKNOWN_CONTAINER = 3,
	CNI_INVALID_ENVIRONMENT = 4,
	CNI_IO_FAILURE = 5,
	CNI_UNDECODABLE = 6,
	CNI_INVALID_CONFIG = 7,
	CNI_TRY_AGAIN = 11,
	CNI_NOT_AVAILABLE = 50,
	CNI_FAILED = 100,
	CNI_NOT_AS_IT_WAS = 101 /* CHECK */
};

/* The names and MACs of the links on the host are asked of the kernel. @netns: CNI_NETNS. */
int cni_result_write(const struct cni_config *config, const struct lease *lease, const char *netns,
		     struct buf *out, struct error *err) must_check;

void cni_error_write(enum cni_version version, enum cni_code code, const struct error *what,
		     struct buf *out);

/* @version: as the engine gave it. */
void cni_versions_write(const char *version, struct buf *out);

/* Whether the result that the engine kept (config->prev_result) is of this lease: its link, and all
 * its addresses. */
int cni_result_check(const struct cni_config *config, const struct lease *lease,
		     struct error *err) must_check;

#endif
