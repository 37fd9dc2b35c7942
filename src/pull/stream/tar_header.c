/* SPDX-License-Identifier: Apache-2.0 */
/* The header block of tar: v7, ustar, GNU, star. tar(5). */
#include <errno.h>
#include <string.h>

#include "tar_parts.h"

/* Where the fields lie. Those from MAGIC on are not in v7's. */
enum field {
	NAME,
	MODE,
	UID,
	GID,
	SIZE,
	MTIME,
	CHECKSUM,
	TYPE,
	LINKNAME,
	MAGIC,
	MAJOR,
	MINOR,
	PREFIX,
	GNU_ATIME,
	GNU_CTIME,
	GNU_SPARSE,
	STAR_MAGIC,
	FIELD_MAX,
};

static const struct {
	uint16_t offset, size;
	const char *name;
} fields[FIELD_MAX] = {
	[NAME] = {0, 100, "name"},
	[MODE] = {100, 8, "mode"},
	[UID] = {108, 8, "owner"},
	[GID] = {116, 8, "group"},
	[SIZE] = {124, 12, "size"},
	[MTIME] = {136, 12, "time"},
	[CHECKSUM] = {148, 8, "checksum"},
	[TYPE] = {156, 1, "type"},
	[LINKNAME] = {157, 100, "link"},
	[MAGIC] = {257, 8, "magic"},
	[MAJOR] = {329, 8, "major"},
	[MINOR] = {337, 8, "minor"},
	[PREFIX] = {345, 155, "prefix"},
	[GNU_ATIME] = {345, 12, "access time"},
	[GNU_CTIME] = {357, 12, "change time"},
	[GNU_SPARSE] = {386, 126, "sparse"},
	[STAR_MAGIC] = {508, 4, "magic"},
};

/* star has times of its own where the prefix would go on. */
#define STAR_PREFIX_SIZE 131

bool tar_block_is_zero(const uint8_t *block)
{
	uint64_t all = 0, word;

	for (size_t i = 0; i < TAR_BLOCK_SIZE; i += sizeof(word)) {
		memcpy(&word, block + i, sizeof(word));
		all |= word;
	}
	return all == 0;
}

/* Two's complement, the highest byte first; the first bit but says that it is one. */
static int base_256(const uint8_t *field, size_t size, int64_t *ret)
{
	int64_t value = field[0] & 0x3f;

	if (field[0] & 0x40)
		value -= 0x40;
	for (size_t i = 1; i < size; i++) {
		if (value > INT64_MAX / 256 || value < INT64_MIN / 256)
			return -ERANGE;
		value = value * 256 + field[i];
	}
	*ret = value;
	return 0;
}

/* Blanks or NULs before and behind; a field of nothing else is 0. */
int tar_number(const uint8_t *field, size_t size, int64_t *ret)
{
	int64_t value = 0;
	size_t i = 0;

	if (field[0] & 0x80)
		return base_256(field, size, ret);
	while (i < size && (field[i] == ' ' || field[i] == '\0'))
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value * 8 + (field[i] - '0'); /* 12 digits at most */
	while (i < size && field[i] == ' ')
		i++;
	if (i < size && field[i] != '\0')
		return -EINVAL;
	*ret = value;
	return 0;
}

static int number(const uint8_t *block, enum field field, int64_t *ret, struct error *err)
{
	int r;

	r = tar_number(block + fields[field].offset, fields[field].size, ret);
	if (r < 0)
		return refuse_as(err, -EBADMSG, "the header's %s is not a number that can be",
				 fields[field].name);
	return 0;
}

/* As number(), but not below zero. */
static int natural(const uint8_t *block, enum field field, uint64_t *ret, struct error *err)
{
	int64_t value;
	int r;

	r = number(block, field, &value, err);
	if (r < 0)
		return r;
	if (value < 0)
		return refuse_as(err, -EBADMSG, "the header's %s is negative", fields[field].name);
	*ret = (uint64_t)value;
	return 0;
}

/* The sum of all bytes, the checksum's own as blanks; old writers took them as signed. */
static int check_sum(const uint8_t *block, struct error *err)
{
	int64_t expected, plain = 0, with_sign = 0;
	int r;

	r = number(block, CHECKSUM, &expected, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		plain += block[i];
		with_sign += (int8_t)block[i];
	}
	for (size_t i = 0; i < fields[CHECKSUM].size; i++) {
		uint8_t byte = block[fields[CHECKSUM].offset + i];

		plain += ' ' - byte;
		with_sign += ' ' - (int8_t)byte;
	}
	if (expected != plain && expected != with_sign)
		return refuse_as(err, -EBADMSG, "a header has the wrong checksum");
	return 0;
}

/* Copies a text field, which need not end with NUL, behind what @to has. */
static void add_text(char *to, const uint8_t *field, size_t size)
{
	size_t length = strnlen((const char *)field, size), used = strlen(to);

	memcpy(to + used, field, length);
	to[used + length] = '\0';
}

static bool is_number(const uint8_t *block, enum field field)
{
	int64_t value;

	return tar_number(block + fields[field].offset, fields[field].size, &value) == 0;
}

/* Bytes of the prefix field, 0 if there is none. */
static size_t prefix_size(const uint8_t *block)
{
	const uint8_t *magic = block + fields[MAGIC].offset;

	if (memcmp(magic, "ustar", 6) == 0)
		return memcmp(block + fields[STAR_MAGIC].offset, "tar", 4) == 0
			       ? STAR_PREFIX_SIZE
			       : fields[PREFIX].size;
	/* GNU has times there; but Go's writer before 1.8, with which many images were made, could
	 * put GNU's magic on a ustar header. */
	if (memcmp(magic, "ustar  ", 8) == 0 &&
	    !(is_number(block, GNU_ATIME) && is_number(block, GNU_CTIME)))
		return fields[PREFIX].size;
	return 0;
}

static void read_path(const uint8_t *block, struct tar_header *ret)
{
	ret->path[0] = '\0';
	add_text(ret->path, block + fields[PREFIX].offset, prefix_size(block));
	if (ret->path[0])
		add_text(ret->path, (const uint8_t *)"/", 1);
	add_text(ret->path, block + fields[NAME].offset, fields[NAME].size);
	ret->target[0] = '\0';
	add_text(ret->target, block + fields[LINKNAME].offset, fields[LINKNAME].size);
}

/* Other entries may have anything there, and so may any entry of v7. */
static int read_device(const uint8_t *block, struct tar_header *ret, struct error *err)
{
	uint64_t major = 0, minor = 0;
	int r;

	ret->major = ret->minor = 0;
	if ((ret->type != '3' && ret->type != '4') ||
	    memcmp(block + fields[MAGIC].offset, "ustar", 5) != 0)
		return 0;
	r = natural(block, MAJOR, &major, err);
	if (r == 0)
		r = natural(block, MINOR, &minor, err);
	if (r < 0)
		return r;
	if (major > UINT32_MAX || minor > UINT32_MAX)
		return refuse_as(err, -EBADMSG, "the header's device number is too large");
	ret->major = (unsigned)major;
	ret->minor = (unsigned)minor;
	return 0;
}

int tar_header_read(const uint8_t *block, struct tar_header *ret, struct error *err)
{
	uint64_t mode = 0;
	int r;

	r = check_sum(block, err);
	if (r == 0)
		r = natural(block, MODE, &mode, err);
	if (r == 0)
		r = natural(block, UID, &ret->uid, err);
	if (r == 0)
		r = natural(block, GID, &ret->gid, err);
	if (r == 0)
		r = natural(block, SIZE, &ret->size, err);
	if (r == 0)
		r = number(block, MTIME, &ret->mtime, err);
	if (r < 0)
		return r;
	ret->type = (char)block[fields[TYPE].offset];
	ret->is_gnu = memcmp(block + fields[MAGIC].offset, "ustar  ", 8) == 0;
	ret->mode = (mode_t)(mode & 07777);
	read_path(block, ret);
	memcpy(ret->sparse, block + fields[GNU_SPARSE].offset, sizeof(ret->sparse));
	return read_device(block, ret, err);
}
