/* SPDX-License-Identifier: Apache-2.0 */
/* Visits of the parent to other mount namespaces. */
#ifndef BERTH_STAGE_VISIT_H
#define BERTH_STAGE_VISIT_H

#include <errno.h>

#include "berth/base/error.h"

/* Where the process was before it went to another mount namespace; both owned. */
struct visit {
	int own, cwd;
};

#define VISIT_NONE                                                                                 \
	{                                                                                          \
		.own = -EBADF, .cwd = -EBADF                                                       \
	}

/*
 * Remembers the own mount namespace and the working directory; goes back to them, after a
 * setns(2) or unshare(2), and forgets them. @r is how the visit went: its failure stays the one
 * that is reported.
 */
int visit_begin(int procfd, struct visit *ret, struct error *err) must_check;
int visit_end(struct visit *visit, int r, struct error *err) must_check;

#endif
