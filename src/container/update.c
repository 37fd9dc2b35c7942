/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the limits of a container. What they are after an update is kept beside the copy of
 * config.json, and takes the place of what that says: before the cgroup's files are written, so
 * that no later update can begin with less than what is in force; the old text is put back if they
 * cannot be.
 */
#include <errno.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/log.h"
#include "berth/container/resources.h"

#include "container-internal.h"
#include "explain-internal.h"
#include "limits-internal.h"
#include "resctrl-internal.h"

int resources_read(const struct container *container, const struct spec_resources **ret,
		   struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct error failed = ERROR_NONE;
	size_t size;
	int r = file_read_at(container->dirfd, STATE_RESOURCES, JSON_SIZE_MAX, &text, &size,
			     &failed);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = failed;
		return r;
	}
	return spec_decode_resources(container->arena, text, size, STATE_RESOURCES, ret, err);
}

static int keep(const struct container *container, const struct spec_resources *resources,
		struct error *err)
{
	_cleanup_free_ char *text = spec_resources_document(resources);

	return file_replace_at(container->dirfd, STATE_RESOURCES, 0600, text, strlen(text), err);
}

static int check_running(const struct container *container, struct error *err)
{
	if (container->status == STATUS_STOPPED || container->status == STATUS_CREATING)
		return refuse(err, "container not running: \"%s\" is %s", container->record.id,
			      container_status_names[container->status]);
	return 0;
}

static int check_cgroup(const struct container *container, struct error *err)
{
	if (!container->record.cgroup_path)
		return refuse(err, "container \"%s\" has no cgroup, and so no limits",
			      container->record.id);
	return 0;
}

static int apply(const struct container *container, const struct cgroup_change *change,
		 struct error *err)
{
	_cleanup_fd_ int root = cgroup_open_root(container->procfd, err);
	struct error second = ERROR_NONE;
	int r = root < 0 ? root : keep(container, change->merged, err);

	if (r < 0)
		return r;
	r = cgroup_update(root, container->record.cgroup_path, change, err);
	if (r < 0 && keep(container, change->saved, &second) < 0)
		log_warning("container \"%s\": keep the limits as they were: %s",
			    container->record.id, second.text);
	return r;
}

static int update(const struct runtime *runtime, struct container *container,
		  const struct update_options *options, struct error *err)
{
	const struct spec_resources *asked = NULL;
	const struct systemd systemd = record_systemd(runtime, &container->record);
	const struct unit_ref unit = {.systemd = &systemd, .name = container->record.unit};
	struct spec_resources merged;
	const struct spec *spec = NULL;
	struct cgroup_change change = {
		.merged = &merged,
		.unit = unit.name ? &unit : NULL,
	};
	int r = spec_decode_resources(container->arena, options->text, options->size, options->what,
				      &asked, err);

	if (r >= 0)
		r = container_spec(container, &spec, err);
	if (r < 0)
		return r;
	change.asked = asked;
	change.saved = &spec->linux.resources;
	cgroup_resources_merge(container->arena, change.saved, asked, &merged);
	r = cgroup_check(&merged, err);
	return r < 0 ? r : apply(container, &change, err);
}

static int lock(const struct container *container, struct error *err)
{
	const char *id = container->record.id;
	int r = state_lock(container->dirfd, /* wait= */ true, err);

	if (r == 0)
		return refuse_as(err, -ENOENT, "container \"%s\" does not exist", id);
	return r < 0 ? within(err, r, "container \"%s\"", id) : r;
}

/* Lines of linux.intelRdt. They are in the file system alone, and stay when the second is refused.
 */
static int update_shares(const struct container *container, const struct update_options *options,
			 struct error *err)
{
	const struct spec_intel_rdt lines = {
		.l3_cache = options->l3_cache,
		.memory_bandwidth = options->memory_bandwidth,
	};

	if ((lines.l3_cache && strchr(lines.l3_cache, '\n')) ||
	    (lines.memory_bandwidth && strchr(lines.memory_bandwidth, '\n')))
		return refuse(err, "linux.intelRdt: more than one line");
	return record_resctrl_update(&container->record, &lines, err);
}

int container_update(const struct runtime *runtime, const struct update_options *options,
		     struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	bool shares = options->l3_cache || options->memory_bandwidth;
	int r = container_load(runtime, options->id, &container, err);

	if (r >= 0)
		r = check_running(&container, err);
	if (r >= 0 && !shares)
		r = check_cgroup(&container, err);
	if (r >= 0)
		r = lock(&container, err);
	if (r < 0)
		return r;
	r = shares ? update_shares(&container, options, err)
		   : update(runtime, &container, options, err);
	if (r >= 0)
		return 0;
	r = within(err, r, "container \"%s\"", options->id);
	return container_explain(&container, r, check_running, err);
}
