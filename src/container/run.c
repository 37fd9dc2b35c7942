/* SPDX-License-Identifier: Apache-2.0 */
/* create and start in one, and the container's whole life in the foreground. */
#include "container-internal.h"

static int start(struct creation *c, struct error *err)
{
	int r = creation_go(c, err);

	if (r >= 0 && creation_record(c)->poststart)
		r = run_poststart(creation_spec(c), creation_record(c), creation_init(c)->pid, err);
	return r;
}

/* Until its end; what the container leaves is removed unless it is to be kept. */
static int accompany(struct creation *c, const struct create_options *options, int *ret_status,
		     struct error *err)
{
	int r = attend(creation_init(c), ret_status, err);

	if (r >= 0 && !options->keep)
		r = creation_destroy(c, err);
	return r;
}

int container_run(const struct runtime *runtime, const struct create_options *options,
		  int *ret_status, struct error *err)
{
	struct creation *c;
	int r = options->detach ? 0 : attend_prepare(!options->no_subreaper, err);

	if (r >= 0)
		r = creation_start(runtime, options, /* attached= */ true, &c, err);
	if (r < 0)
		return r;
	r = start(c, err);
	if (r < 0) {
		creation_free(c, /* destroy= */ true);
		return r;
	}
	*ret_status = 0;
	if (!options->detach)
		r = accompany(c, options, ret_status, err);
	creation_free(c, /* destroy= */ false);
	return r;
}
