/* SPDX-License-Identifier: Apache-2.0 */
/* The container's groups of the resctrl file system; without any nothing is done. */
#ifndef BERTH_CONTAINER_RESCTRL_INTERNAL_H
#define BERTH_CONTAINER_RESCTRL_INTERNAL_H

#include "container-internal.h"

int record_resctrl_assign(const struct record *record, pid_t pid, struct error *err) must_check;
/* Refused where it has none of its own. */
int record_resctrl_update(const struct record *record, const struct spec_intel_rdt *lines,
			  struct error *err) must_check;
int record_resctrl_remove(const struct record *record, struct error *err) must_check;

#endif
