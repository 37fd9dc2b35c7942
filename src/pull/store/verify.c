/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer against its index.
 *
 * Theory of operation. An index has a line for each entry of the archive, in its order, so that a
 * path may have several, and the last one counts; and it may be of any length. So nothing is sorted
 * or kept: each line is compared as it comes, and the few that do not agree are looked for among
 * the lines behind them. What the index does not have is found by a listing of each directory that
 * it has.
 */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>

#include "berth/base/fd.h"
#include "berth/base/root.h"

#include "verify-internal.h"

void verify_report(struct verification *verification, const char *path, const char *what)
{
	const struct verify *verify = verification->verify;

	verification->findings++;
	if (verify->finding)
		verify->finding(verify->context, path, what);
}

static int check_line(void *context, const struct index_entry *entry, struct error *err)
{
	struct verification *verification = context;
	_cleanup_buf_ struct buf what = BUF_EMPTY;
	int r;

	if (verification->verify->cancelled && atomic_load(verification->verify->cancelled))
		return fail(err, -EINTR, "verify");
	verification->lines++;
	r = verify_entry(verification, entry, &what, err);
	if (r < 0)
		return within(err, r, "\"%s\"", entry->path);
	return what.size ? suspects_add(verification, entry, what.data, err) : 0;
}

static int verify_all(struct verification *verification, struct error *err)
{
	int r = index_version(verification->indexfd, err);

	verification->has_attributes = r >= INDEX_WITH_ATTRIBUTES;
	if (r >= 0)
		r = index_read(verification->indexfd, check_line, verification, err);
	if (r >= 0)
		r = suspects_settle(verification, err);
	if (r >= 0)
		r = verify_strangers(verification, err);
	return r < 0 ? r : !verification->has_attributes;
}

int layer_verify(int layerfd, const struct verify *verify, uint64_t *ret_findings,
		 struct error *err)
{
	_cleanup_fd_ int rootfd =
		openat(layerfd, "fs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int indexfd =
		openat(layerfd, "index", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct verification verification = {.verify = verify, .rootfd = rootfd, .indexfd = indexfd};
	int r = 0;

	if (rootfd < 0)
		verify_report(&verification, "", "its directory fs is missing");
	if (indexfd < 0)
		verify_report(&verification, "", "its index is missing");
	if (rootfd >= 0 && indexfd >= 0) {
		verification.suspects = suspects_new();
		r = verify_all(&verification, err);
		suspects_free(verification.suspects);
	}
	/* This is what index_read() says of a line that is none. */
	if (r == -EINVAL) {
		verify_report(&verification, "", err->text);
		r = 0;
	}
	if (r >= 0)
		*ret_findings = verification.findings;
	return r;
}
