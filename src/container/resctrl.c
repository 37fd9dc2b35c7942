/* SPDX-License-Identifier: Apache-2.0 */
/* The shares of caches and of memory bandwidth of a container that is there (linux.intelRdt). */
#include "berth/base/fd.h"

#include "resctrl-internal.h"

/* Asks for nothing but what the container has. */
static struct spec_intel_rdt spec_of(const struct record *record)
{
	return (struct spec_intel_rdt){
		.clos_id = record->resctrl.group,
		.monitoring = record->resctrl.monitor_is_ours,
	};
}

int record_resctrl_assign(const struct record *record, pid_t pid, struct error *err)
{
	const struct spec_intel_rdt spec = spec_of(record);
	_cleanup_resctrl_ struct resctrl resctrl = RESCTRL_UNSET;
	int r;

	if (!record->resctrl.group)
		return 0;
	r = resctrl_find(&spec, record->id, &resctrl, err);
	if (r >= 0)
		r = resctrl_open(&resctrl, err);
	return r < 0 ? r : resctrl_assign(&resctrl, pid, err);
}

int record_resctrl_update(const struct record *record, const struct spec_intel_rdt *lines,
			  struct error *err)
{
	const struct spec_intel_rdt spec = spec_of(record);
	_cleanup_resctrl_ struct resctrl resctrl = RESCTRL_UNSET;
	int r;

	if (!record->resctrl.group)
		return refuse(err, "linux.intelRdt: the container was created without it");
	if (str_equal(record->resctrl.group, "/"))
		return refuse(err, "linux.intelRdt.closID: the container is in the default group, "
				   "which is the whole host's");
	r = resctrl_find(&spec, record->id, &resctrl, err);
	if (r >= 0)
		r = resctrl_open(&resctrl, err);
	return r < 0 ? r : resctrl_update(&resctrl, lines, err);
}

int record_resctrl_remove(const struct record *record, struct error *err)
{
	const struct spec_intel_rdt spec = spec_of(record);
	_cleanup_resctrl_ struct resctrl resctrl = RESCTRL_UNSET;
	struct error unheard = ERROR_NONE;

	/* Where the file system is mounted no longer, nothing of it is left. */
	if (!record->resctrl.group || resctrl_find(&spec, record->id, &resctrl, &unheard) < 0)
		return 0;
	return resctrl_remove(resctrl.rootfd, &record->resctrl, record->id, err);
}
