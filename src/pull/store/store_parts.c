/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed layers while they are downloaded: kept over failures, crashes and reboots. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "store-internal.h"

int store_part_open(const struct store *store, const struct digest *digest, uint64_t *ret_size,
		    struct error *err)
{
	char name[STORE_NAME_MAX];
	_cleanup_fd_ int fd =
		store_open_locked(store, store_flat_name("ingest", digest, name), /* wait= */ true);
	struct stat st;

	if (fd < 0)
		return fail(err, fd, "open \"%s/%s\"", store->path, name);
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "stat \"%s/%s\"", store->path, name);
	*ret_size = (uint64_t)st.st_size;
	return take_fd(&fd);
}

void store_part_remove(const struct store *store, const struct digest *digest)
{
	char name[STORE_NAME_MAX];

	unlinkat(store->fd, store_flat_name("ingest", digest, name), 0);
}
