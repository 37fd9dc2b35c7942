/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container is to live, by one of three managers: the file system itself, systemd, or none.
 *
 * Theory of operation. The intent record says which cgroup there is to be undone before that is
 * made. systemd names the cgroup of a unit only once it has started it; so the record is written a
 * second time then. Were we killed between the two, the process that holds the unit would end with
 * us, and systemd take the empty unit away: nothing needs to be undone.
 */
#include <errno.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"

#include "own_cgroup-internal.h"

/*
 * The own cgroup has processes, its caller at least, so that it cannot hand out controllers: the
 * place beside it is better, where that is delegated too.
 */
static int choose_delegated_path(const struct own_cgroup_wanted *wanted, int rootfd, char **ret,
				 struct error *err)
{
	const char *asked = wanted->spec->linux.cgroups_path;
	_cleanup_free_ char *beside = NULL;
	int r = cgroup_path_of_user(wanted->procfd, asked, wanted->id, /* beside= */ true, &beside,
				    err);

	if (r < 0)
		return r;
	if (cgroup_is_delegated(wanted->procfd, rootfd, beside)) {
		*ret = take_ptr(&beside);
		return 0;
	}
	return cgroup_path_of_user(wanted->procfd, asked, wanted->id, /* beside= */ false, ret,
				   err);
}

/*
 * Without rights over the host there is a cgroup only where one is delegated to the user. None is
 * needed unless limits are asked for: then the container lives in the cgroup of its creator.
 */
static int prepare_delegated(const struct own_cgroup_wanted *wanted, struct own_cgroup *own,
			     struct error *err)
{
	const struct spec_linux *spec = &wanted->spec->linux;
	_cleanup_free_ char *limit = cgroup_limit_asked(&spec->resources);
	_cleanup_free_ char *path = NULL, *checked = NULL;
	struct error why = ERROR_NONE;
	int r = cgroup_path_of(spec->cgroups_path, wanted->id, &checked, err);

	if (r < 0)
		return r;
	r = own->root = cgroup_open_root(wanted->procfd, &why);
	if (r >= 0)
		r = choose_delegated_path(wanted, own->root, &path, &why);
	if (r >= 0 && cgroup_is_delegated(wanted->procfd, own->root, path)) {
		own->path = take_ptr(&path);
		return 0;
	}
	if (!limit) {
		log_debug("container \"%s\": no cgroup of its own", wanted->id);
		return 0;
	}
	if (r < 0)
		return refuse_as(err, r, "%s: a limit needs a cgroup: %s", limit, why.text);
	return refuse_as(err, -EACCES,
			 "%s: a limit needs a cgroup that is delegated to user %u, and \"%s\" is "
			 "not (systemd-run --user --scope -p Delegate=yes makes one)",
			 limit, geteuid(), path);
}

static int prepare_in_files(const struct own_cgroup_wanted *wanted, struct own_cgroup *own,
			    struct error *err)
{
	int r;

	if (wanted->runtime->rootless)
		return prepare_delegated(wanted, own, err);
	r = cgroup_path_of(wanted->spec->linux.cgroups_path, wanted->id, &own->path, err);
	if (r < 0)
		return r;
	own->root = cgroup_open_root(wanted->procfd, err);
	return own->root < 0 ? own->root : 0;
}

static int prepare_unit(const struct own_cgroup_wanted *wanted, struct own_cgroup *own,
			struct error *err)
{
	const struct systemd *systemd = &wanted->runtime->systemd;
	const struct unit_wanted unit_wanted = {
		.cgroups_path = wanted->spec->linux.cgroups_path,
		.id = wanted->id,
		.user = systemd->user,
		.resources = &wanted->spec->linux.resources,
		.annotations = &wanted->spec->annotations,
	};
	struct unit *unit = arena_alloc(wanted->arena, 1, sizeof(*unit));
	int r = unit_plan(wanted->arena, &unit_wanted, unit, err);

	if (r >= 0)
		r = systemd_check(systemd, err);
	if (r < 0)
		return r;
	own->unit = unit;
	own->root = cgroup_open_root(wanted->procfd, err);
	return own->root < 0 ? own->root : 0;
}

static int prepare_none(const struct own_cgroup_wanted *wanted, struct own_cgroup *own,
			struct error *err)
{
	(void)own;
	if (cgroup_limits_asked(&wanted->spec->linux.resources))
		return refuse(err, "linux.resources: limits need a cgroup, which "
				   "--cgroup-manager disabled forbids");
	return 0;
}

int own_cgroup_prepare(const struct own_cgroup_wanted *wanted, struct own_cgroup *ret,
		       struct error *err)
{
	static int (*const by_manager[CGROUP_MANAGER_MAX])(const struct own_cgroup_wanted *,
							   struct own_cgroup *, struct error *) = {
		[CGROUP_MANAGER_CGROUPFS] = prepare_in_files,
		[CGROUP_MANAGER_SYSTEMD] = prepare_unit,
		[CGROUP_MANAGER_DISABLED] = prepare_none,
	};
	int r = cgroup_check(&wanted->spec->linux.resources, err);

	return r < 0 ? r : by_manager[wanted->runtime->cgroup_manager](wanted, ret, err);
}

int own_cgroup_record(const struct own_cgroup *own, struct record *record, struct error *err)
{
	record->cgroup_path = own->path;
	return own->path ? cgroup_existing_depth(own->root, own->path, &record->cgroup_keep, err)
			 : 0;
}

static int start_unit(const struct own_cgroup_wanted *wanted, struct own_cgroup *own, int dirfd,
		      struct record *record, struct error *err)
{
	const struct systemd *systemd = &wanted->runtime->systemd;
	int r = unit_start(systemd, own->unit, &own->holder, &own->path, err);

	if (r < 0)
		return r;
	record->unit = own->unit->name;
	record->unit_of_user = systemd->user;
	record->cgroup_path = own->path;
	record->cgroup_keep = cgroup_path_depth(own->path);
	r = record_write(dirfd, record, /* first= */ false, err);
	if (r >= 0)
		r = own->fd =
			cgroup_adopt(own->root, own->path, &wanted->spec->linux.resources, err);
	return r < 0 ? within(err, r, "unit \"%s\"", own->unit->name) : 0;
}

int own_cgroup_make(const struct own_cgroup_wanted *wanted, struct own_cgroup *own, int dirfd,
		    struct record *record, struct error *err)
{
	if (own->unit)
		return start_unit(wanted, own, dirfd, record, err);
	if (!own->path)
		return 0;
	own->fd = cgroup_make(own->root, own->path, &wanted->spec->linux.resources, err);
	if (own->fd < 0) {
		/* What was made is gone again; an existing one that was refused stays as it is. */
		record->cgroup_path = NULL;
		return own->fd;
	}
	log_debug("container \"%s\": cgroup \"%s\"", wanted->id, own->path);
	return 0;
}

void own_cgroup_settled(struct own_cgroup *own)
{
	companion_done(&own->holder);
}

void own_cgroup_done(struct own_cgroup *own)
{
	own_cgroup_settled(own);
	own->root = fd_close(own->root);
	own->fd = fd_close(own->fd);
	free(take_ptr(&own->path));
}
