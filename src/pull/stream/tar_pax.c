/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of pax headers: "LENGTH KEY=VALUE\n". pax(1), tar(5). A value that is empty stands
 * for none, so that what the header block says counts. Of a key that comes twice the last counts.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "common/base64.h"

#include "tar_parts.h"

/* Attributes of one file; Linux lists 64 KiB of names at most. */
#define XATTRS_MAX 1024

struct record {
	char *key;
	char *value; /* ends with NUL, and may have others in it */
	size_t size;
};

static int bad_value(const struct record *record, struct error *err)
{
	return refuse_as(err, -EBADMSG, "the value of pax \"%.100s\" cannot be", record->key);
}

static int read_text(const struct record *record, void *ret, struct tar_pax *pax, struct error *err)
{
	char **text = ret;

	(void)pax;
	if (memchr(record->value, '\0', record->size))
		return bad_value(record, err);
	free(*text);
	*text = xstrndup(record->value, record->size);
	return 0;
}

static int read_number(const struct record *record, void *ret, struct tar_pax *pax,
		       struct error *err)
{
	const char *at = record->value;
	uint64_t value;

	(void)pax;
	if (tar_decimal(&at, &value) < 0 || at != record->value + record->size || value > INT64_MAX)
		return bad_value(record, err);
	*(uint64_t *)ret = value;
	return 0;
}

/* Nanoseconds from the digits behind the point; those that are too many are cut off. */
static long read_fraction(const char **at)
{
	long value = 0, digit = 100000000;

	for (; isdigit((unsigned char)**at); ++*at) {
		value += (**at - '0') * digit;
		digit /= 10;
	}
	return value;
}

/* "-1.5" is half a second before one second before 1970. */
static int read_time(const struct record *record, void *ret, struct tar_pax *pax, struct error *err)
{
	const char *at = record->value;
	bool negative = *at == '-';
	struct timespec time = {0};
	uint64_t seconds;

	(void)pax;
	at += negative;
	if (tar_decimal(&at, &seconds) < 0 || seconds > INT64_MAX - 1)
		return bad_value(record, err);
	if (*at == '.') {
		at++;
		time.tv_nsec = read_fraction(&at);
	}
	if (at != record->value + record->size)
		return bad_value(record, err);
	time.tv_sec = negative ? -(time_t)seconds : (time_t)seconds;
	if (negative && time.tv_nsec > 0) {
		time.tv_sec--;
		time.tv_nsec = 1000000000 - time.tv_nsec;
	}
	*(struct timespec *)ret = time;
	return 0;
}

static int read_map(const struct record *record, void *ret, struct tar_pax *pax, struct error *err)
{
	(void)pax;
	if (memchr(record->value, '\0', record->size))
		return bad_value(record, err);
	tar_map_done(ret);
	return tar_map_read_text(ret, record->value, err);
}

/* pax 0.0: a piece is two records, which come in turn. */
static int read_offset(const struct record *record, void *ret, struct tar_pax *pax,
		       struct error *err)
{
	if (pax->has_offset)
		return bad_value(record, err);
	pax->has_offset = true;
	return read_number(record, ret, pax, err);
}

static int read_numbytes(const struct record *record, void *ret, struct tar_pax *pax,
			 struct error *err)
{
	uint64_t size = 0;
	int r;

	if (!pax->has_offset)
		return bad_value(record, err);
	pax->has_offset = false;
	r = read_number(record, &size, pax, err);
	return r < 0 ? r : tar_map_add(ret, pax->offset, size, err);
}

static const struct {
	const char *name;
	enum tar_pax_key key;
	size_t offset;
	int (*read)(const struct record *record, void *ret, struct tar_pax *pax, struct error *err);
} keys[] = {
	{"path", PAX_PATH, offsetof(struct tar_pax, path), read_text},
	{"linkpath", PAX_LINKPATH, offsetof(struct tar_pax, linkpath), read_text},
	{"size", PAX_SIZE, offsetof(struct tar_pax, size), read_number},
	{"uid", PAX_UID, offsetof(struct tar_pax, uid), read_number},
	{"gid", PAX_GID, offsetof(struct tar_pax, gid), read_number},
	{"mtime", PAX_MTIME, offsetof(struct tar_pax, mtime), read_time},
	{"GNU.sparse.major", PAX_SPARSE_MAJOR, offsetof(struct tar_pax, sparse_major), read_number},
	{"GNU.sparse.minor", PAX_SPARSE_MINOR, offsetof(struct tar_pax, sparse_minor), read_number},
	{"GNU.sparse.name", PAX_SPARSE_NAME, offsetof(struct tar_pax, sparse_name), read_text},
	{"GNU.sparse.size", PAX_SPARSE_SIZE, offsetof(struct tar_pax, sparse_size), read_number},
	{"GNU.sparse.realsize", PAX_SPARSE_SIZE, offsetof(struct tar_pax, sparse_size),
	 read_number},
	{"GNU.sparse.map", PAX_SPARSE_MAP, offsetof(struct tar_pax, map), read_map},
	{"GNU.sparse.offset", PAX_SPARSE_MAP, offsetof(struct tar_pax, offset), read_offset},
	{"GNU.sparse.numbytes", PAX_SPARSE_MAP, offsetof(struct tar_pax, map), read_numbytes},
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return (int)(at - digits) - (at - digits < 16 ? 0 : 6);
}

/* Replaces "%XX" in place: all of them, or those two that GNU tar writes, of "=" and of itself. */
static void decode_name(char *name, bool all)
{
	char *to = name;

	while (*name) {
		int high = *name == '%' ? hex_digit(name[1]) : -1;
		int low = high >= 0 ? hex_digit(name[2]) : -1;
		char c = (char)(high * 16 + low);

		if (low >= 0 && c != '\0' && (all || c == '%' || c == '=')) {
			*to++ = c;
			name += 3;
		} else {
			*to++ = *name++;
		}
	}
	*to = '\0';
}

/* libarchive leaves out the padding. */
static void *decode_value(const struct record *record, size_t *ret_size)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	buf_add(&text, record->value, record->size);
	while (text.size % 4 != 0)
		buf_add_char(&text, '=');
	return base64_decode(text.size ? text.data : "", ret_size);
}

static struct tar_xattr *find_xattr(struct tar_pax *pax, const char *name)
{
	for (size_t i = 0; i < pax->xattr_count; i++) {
		if (str_equal(pax->xattrs[i].name, name))
			return &pax->xattrs[i];
	}
	return NULL;
}

/* Takes @value over. */
static int set_xattr(struct tar_pax *pax, const char *name, void *value, size_t size,
		     struct error *err)
{
	struct tar_xattr *xattr = find_xattr(pax, name);

	if (!xattr && pax->xattr_count == XATTRS_MAX) {
		free(value);
		return refuse_as(err, -EFBIG, "more than %d attributes", XATTRS_MAX);
	}
	if (!xattr) {
		/* Room grows by powers of two, at which it is full. */
		if ((pax->xattr_count & (pax->xattr_count - 1)) == 0)
			pax->xattrs =
				xrealloc(pax->xattrs, pax->xattr_count ? 2 * pax->xattr_count : 1,
					 sizeof(*pax->xattrs));
		xattr = &pax->xattrs[pax->xattr_count++];
		*xattr = (struct tar_xattr){.name = xstrdup(name)};
	}
	free(xattr->value);
	xattr->value = value;
	xattr->size = size;
	return 0;
}

/* Both kinds may be there for one attribute; SCHILY's, which more readers know, counts. */
static int read_xattr(const struct record *record, char *name, bool is_schily, struct tar_pax *pax,
		      struct error *err)
{
	void *value;
	size_t size = record->size;

	decode_name(name, !is_schily);
	if (!*name)
		return bad_value(record, err);
	if (!is_schily && find_xattr(pax, name))
		return 0;
	if (is_schily) {
		value = xcalloc(1, size + 1);
		memcpy(value, record->value, size);
	} else {
		value = decode_value(record, &size);
		if (!value)
			return bad_value(record, err);
	}
	return set_xattr(pax, name, value, size, err);
}

static int read_record(const struct record *record, struct tar_pax *pax, struct error *err)
{
	static const char schily[] = "SCHILY.xattr.", libarchive[] = "LIBARCHIVE.xattr.";

	if (str_starts(record->key, schily))
		return read_xattr(record, record->key + sizeof(schily) - 1, true, pax, err);
	if (str_starts(record->key, libarchive))
		return read_xattr(record, record->key + sizeof(libarchive) - 1, false, pax, err);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!str_equal(record->key, keys[i].name))
			continue;
		pax->named |= 1u << keys[i].key;
		pax->set &= ~(1u << keys[i].key);
		if (record->size == 0)
			return 0;
		pax->set |= 1u << keys[i].key;
		return keys[i].read(record, (char *)pax + keys[i].offset, pax, err);
	}
	/* Times of access and change, names of owners, comments, vendors' keys. */
	return 0;
}

/* Takes the record at the front of *data apart. */
static int split_record(char **data, size_t *size, struct record *ret)
{
	char *end, *value;
	const char *at = *data;
	uint64_t length;

	if (tar_decimal(&at, &length) < 0 || *at++ != ' ' || length > *size ||
	    length <= (size_t)(at - *data))
		return -EINVAL;
	end = *data + length - 1;
	ret->key = *data + (at - *data);
	value = memchr(ret->key, '=', (size_t)(end - ret->key));
	if (*end != '\n' || !value || value == ret->key ||
	    memchr(ret->key, '\0', (size_t)(value - ret->key)))
		return -EINVAL;
	*value++ = '\0';
	*end = '\0';
	ret->value = value;
	ret->size = (size_t)(end - value);
	*data += length;
	*size -= length;
	return 0;
}

int tar_pax_read(char *data, size_t size, struct tar_pax *ret, struct error *err)
{
	struct record record;
	int r = 0;

	data[size] = '\0'; /* where reading a number stops */
	while (size > 0 && r == 0) {
		if (split_record(&data, &size, &record) < 0)
			return refuse_as(err, -EBADMSG, "a pax header is damaged");
		r = read_record(&record, ret, err);
	}
	if (r == 0 && ret->has_offset)
		return refuse_as(err, -EBADMSG, "a pax header has half a piece of a sparse file");
	return r;
}

void tar_pax_done(struct tar_pax *pax)
{
	for (size_t i = 0; i < pax->xattr_count; i++) {
		free(pax->xattrs[i].name);
		free(pax->xattrs[i].value);
	}
	free(pax->xattrs);
	free(pax->path);
	free(pax->linkpath);
	free(pax->sparse_name);
	tar_map_done(&pax->map);
	*pax = (struct tar_pax){0};
}
