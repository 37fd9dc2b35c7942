/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of a stream that computes its digest and counts its bytes, and compares both. */
#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "reader.h"

struct check {
	struct reader reader;
	struct reader *inner;
	struct hasher *hasher;
	bool has_expected;
	struct digest expected, found; /* found: once ended */
	uint64_t size, count;
	bool ended;
	char *what;
};

static int check_end(struct check *check, struct error *err)
{
	char expected[DIGEST_TEXT_MAX], found[DIGEST_TEXT_MAX];

	if (!check->ended)
		hasher_finish(check->hasher, &check->found);
	check->ended = true;
	if (check->size != UINT64_MAX && check->count < check->size)
		return refuse_as(err, -EBADMSG, "%s has %llu byte%s, but should have %llu",
				 check->what, (unsigned long long)check->count,
				 plural_s(check->count), (unsigned long long)check->size);
	if (check->has_expected && !digest_equal(&check->expected, &check->found))
		return refuse_as(err, -EBADMSG, "%s has the digest %s, but should have %s",
				 check->what, digest_text(&check->found, found),
				 digest_text(&check->expected, expected));
	return 0;
}

static int check_read(struct reader *self, const void **ret_data, size_t *ret_size,
		      struct error *err)
{
	struct check *check = (struct check *)self;
	int r;

	r = check->ended ? 0 : reader_read(check->inner, ret_data, ret_size, err);
	if (r == 0)
		return check_end(check, err);
	if (r < 0)
		return r;
	/* Not beyond the size: neither hashed nor passed on. */
	if (*ret_size > check->size - check->count)
		return refuse_as(err, -EBADMSG, "%s is longer than the %llu byte%s it should have",
				 check->what, (unsigned long long)check->size,
				 plural_s(check->size));
	check->count += *ret_size;
	hasher_add(check->hasher, *ret_data, *ret_size);
	return 1;
}

static void check_free(struct reader *self)
{
	struct check *check = (struct check *)self;

	cleanup_reader(&check->inner);
	hasher_free(check->hasher);
	free(check->what);
	free(check);
}

struct reader *reader_check(struct reader *inner, const struct digest *expected, uint64_t size,
			    const char *what)
{
	struct check *check = xcalloc(1, sizeof(*check));

	check->reader = (struct reader){.read = check_read, .free = check_free};
	check->inner = inner;
	check->hasher = hasher_new(expected ? expected->algorithm : DIGEST_SHA256);
	check->has_expected = expected;
	if (expected)
		check->expected = *expected;
	check->size = size;
	check->what = xstrdup(what);
	return &check->reader;
}

uint64_t reader_check_count(const struct reader *reader)
{
	return ((const struct check *)reader)->count;
}

void reader_check_result(struct reader *reader, struct digest *ret_digest, uint64_t *ret_size)
{
	const struct check *check = (const struct check *)reader;

	*ret_digest = check->found;
	*ret_size = check->count;
}
