/* SPDX-License-Identifier: Apache-2.0 */
/* create and start in one, and the container's whole life in the foreground. */
#include "berth/base/log.h"
#include "berth/cgroup/stats.h"

#include "container-internal.h"
#include "limits-internal.h"
#include "sockets-internal.h"
#include "terminal-internal.h"

static int start(struct creation *c, struct error *err)
{
	int r = creation_go(c, err);

	if (r >= 0 && creation_record(c)->poststart)
		r = run_poststart(creation_spec(c), creation_record(c), creation_init(c)->pid, err);
	return r;
}

/* An exit status of 137 alone does not tell who killed. */
static void tell_of_oom(const struct creation *c, int status)
{
	int fd = creation_cgroup(c);
	_cleanup_free_ char *oom = status != 0 && fd >= 0 ? cgroup_oom_text(fd, NULL) : NULL;

	if (oom)
		log_message(LOG_LEVEL_ERROR, "container \"%s\": %s", creation_record(c)->id, oom);
}

/* Unless somebody else has deleted it meanwhile. */
static int destroy(struct creation *c, struct error *err)
{
	int r = state_lock(creation_directory(c), /* wait= */ true, err);

	return r <= 0 ? r : creation_destroy(c, err);
}

/*
 * Until its end; what the container leaves is removed unless it is to be kept. Meanwhile its
 * directory is free for others: to update the container, and to delete it by force.
 */
static int accompany(struct creation *c, const struct create_options *options, struct proxy *proxy,
		     int *ret_status, struct error *err)
{
	int r;

	state_unlock(creation_directory(c));
	r = attend(creation_init(c), proxy, creation_notify(c), ret_status, err);

	/* Before hooks and messages that may follow. */
	proxy_done(proxy);
	if (r >= 0)
		tell_of_oom(c, *ret_status);
	if (r >= 0 && !options->keep)
		r = destroy(c, err);
	return r;
}

int container_run(const struct runtime *runtime, const struct create_options *options,
		  int *ret_status, struct error *err)
{
	_cleanup_proxy_ struct proxy proxy = PROXY_UNSET;
	struct creation *c;
	int r = options->detach ? 0 : attend_prepare(!options->no_subreaper, err);

	if (r >= 0)
		r = creation_start(runtime, options, /* attached= */ true, &c, err);
	if (r < 0)
		return r;
	r = options->detach ? 0 : proxy_open(creation_terminal(c), &proxy, err);
	if (r >= 0)
		r = start(c, err);
	if (r >= 0 && options->detach)
		r = notify_wait(creation_notify(c), creation_init(c), err);
	if (r < 0) {
		creation_free(c, /* destroy= */ true);
		return r;
	}
	*ret_status = 0;
	if (!options->detach)
		r = accompany(c, options, &proxy, ret_status, err);
	creation_free(c, /* destroy= */ false);
	return r;
}
