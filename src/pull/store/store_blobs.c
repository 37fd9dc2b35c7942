/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and configurations: small documents, named by their digest. */
#include <errno.h>
#include <stdlib.h>

#include "berth/base/fd.h"

#include "store-internal.h"

int store_blob_read(const struct store *store, const struct digest *digest, size_t max,
		    char **ret_text, size_t *ret_size, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char name[STORE_NAME_MAX];
	struct digest found;
	size_t size;
	int r;

	if (store->fd < 0)
		return -ENOENT;
	r = file_read_at(store->fd, store_name("blobs", digest, name), max, &text, &size, err);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return within(err, r, "store \"%s\"", store->path);
	/* A disk forgets, and a power cut may leave zeros. */
	digest_of(digest->algorithm, text, size, &found);
	if (!digest_equal(&found, digest))
		return refuse_as(err, -EBADMSG, "\"%s/%s\" is damaged", store->path, name);
	*ret_text = take_ptr(&text);
	*ret_size = size;
	return 0;
}

int store_blob_write(const struct store *store, const struct digest *digest, const void *data,
		     size_t size, struct error *err)
{
	char name[STORE_NAME_MAX];
	struct digest found;
	int r;

	digest_of(digest->algorithm, data, size, &found);
	if (!digest_equal(&found, digest))
		return refuse_as(err, -EBADMSG, "store %s: the content is that of %s", digest->hex,
				 found.hex);
	r = store_write_file(store, store_name("blobs", digest, name), data, size);
	return r < 0 ? fail(err, r, "write \"%s/%s\"", store->path, name) : 0;
}
