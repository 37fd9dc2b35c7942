/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layers the bundles stand on.
 *
 * Theory of operation. Users remove, rename and move bundles with the tools of every day, which do
 * not know of the store; yet a layer must not vanish below a bundle that is still there, nor stay
 * for ever for one that is gone. So the record of a bundle (bundles/ID in the store) has a second
 * name within the bundle, a hard link ".berth-pull", and the number of its links tells:
 *
 *   - two links: the bundle is there, wherever in its file system it was moved to;
 *   - one link, and what lies at the recorded path holds the record's id (it was restored from a
 *     backup, say): it is there;
 *   - one link otherwise: it is gone.
 *
 * A bundle in another file system than the store's cannot have a link: it gets a copy. There it is
 *
 *   - there if what lies at the recorded path holds the record's id;
 *   - gone if it does not, but the directory in which it lay is there, on the same device;
 *   - otherwise unknown: a disk that is not mounted now. Its layers stay, until `gc --forget`.
 *
 * So a bundle that was moved out of its file system, or a copy of a bundle, is not protected:
 * pulling the same image again brings the layers back to the same place.
 *
 * The record comes before the mark: a command that was killed in between has made no bundle.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"

#include "store-internal.h"

#define MARK	   ".berth-pull"
#define RECORD_MAX (256u << 10) /* bytes: 500 layers of sha512 take 70000 */

static void write_record(struct buf *text, const struct bundle_record *record)
{
	struct json_writer w = JSON_WRITER(text, false);
	char digest[DIGEST_TEXT_MAX];

	json_begin_object(&w);
	json_member_string(&w, "id", record->id);
	json_member_string(&w, "path", record->path);
	json_member_u64(&w, "device", record->device);
	json_member_bool(&w, "copied", record->copied);
	json_key(&w, "layers");
	json_begin_array(&w);
	for (size_t i = 0; i < record->count; i++)
		json_string(&w, digest_text(&record->layers[i], digest));
	json_end_array(&w);
	json_end_object(&w);
}

static int put_record(const struct store *store, const char *name,
		      const struct bundle_record *record)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	write_record(&text, record);
	return store_write_file(store, name, text.data, text.size);
}

static int put_copy(const struct bundle_record *record, int bundlefd, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	write_record(&text, record);
	return file_replace_at(bundlefd, MARK, 0600, text.data, text.size, err);
}

/* Another file system, another mount of the same, or one that has no links. */
static bool is_no_link_error(int error)
{
	return error == EXDEV || error == EPERM || error == EOPNOTSUPP || error == EMLINK;
}

static int put_mark(const struct store *store, const char *name, struct bundle_record *record,
		    int bundlefd, struct error *err)
{
	int r;

	if (!record->copied) {
		/* Of a record before, which is void by that. */
		unlinkat(bundlefd, MARK, 0);
		if (linkat(store->fd, name, bundlefd, MARK, 0) == 0)
			return 0;
		if (!is_no_link_error(errno))
			return fail(err, -errno, "link \"%s/" MARK "\"", record->path);
		record->copied = true;
		r = put_record(store, name, record);
		if (r < 0)
			return fail(err, r, "write \"%s/%s\"", store->path, name);
	}
	return put_copy(record, bundlefd, err);
}

int store_bundle_put(const struct store *store, const char *path, int bundlefd,
		     const struct digest *diff_ids, size_t count, struct error *err)
{
	char id[RANDOM_NAME_MAX], name[STORE_NAME_MAX];
	struct stat bundle, own;
	struct bundle_record record = {.id = id, .path = path, .layers = diff_ids, .count = count};
	int r = random_name(id);

	if (r < 0)
		return fail(err, r, "name a bundle");
	if (fstat(bundlefd, &bundle) < 0 || fstat(store->fd, &own) < 0)
		return fail(err, -errno, "stat \"%s\"", path);
	record.device = bundle.st_dev;
	record.copied = bundle.st_dev != own.st_dev;
	snprintf(name, sizeof(name), "bundles/%s", id);
	r = put_record(store, name, &record);
	if (r < 0)
		return fail(err, r, "write \"%s/%s\"", store->path, name);
	r = put_mark(store, name, &record, bundlefd, err);
	if (r < 0)
		unlinkat(store->fd, name, 0);
	return r;
}

static int decode_layers(const struct json *list, struct arena *arena, struct bundle_record *ret,
			 struct error *err)
{
	struct digest *layers;

	if (!list || list->type != JSON_ARRAY)
		return refuse(err, "there is no array \"layers\"");
	layers = arena_alloc(arena, list->count + 1, sizeof(*layers));
	for (const struct json *item = list->item; item; item = item->next) {
		int r = item->type != JSON_STRING
				? refuse(err, "layers: not a text")
				: digest_parse(item->text, "layers", &layers[ret->count], err);

		if (r < 0)
			return r;
		ret->count++;
	}
	ret->layers = layers;
	return 0;
}

static int decode(const struct json *object, struct arena *arena, struct bundle_record *ret,
		  struct error *err)
{
	const struct json *id = json_member(object, "id"), *path = json_member(object, "path"),
			  *device = json_member(object, "device"),
			  *copied = json_member(object, "copied");

	*ret = (struct bundle_record){.id = NULL};
	if (!id || id->type != JSON_STRING || !path || path->type != JSON_STRING || !device ||
	    json_to_u64(device, &ret->device) < 0 || !copied || copied->type != JSON_BOOL)
		return refuse(err, "not the record of a bundle");
	ret->id = id->text;
	ret->path = path->text;
	ret->copied = copied->boolean;
	return decode_layers(json_member(object, "layers"), arena, ret, err);
}

/* @name beneath @dirfd: a record in the store, or a mark. */
static int read_record(int dirfd, const char *name, struct arena *arena, struct bundle_record *ret,
		       struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const struct json *object;
	size_t size;
	int r = file_read_at(dirfd, name, RECORD_MAX, &text, &size, err);

	if (r >= 0)
		r = json_read(arena, text, size, name, &object, err);
	if (r < 0)
		return r;
	r = decode(object, arena, ret, err);
	return r < 0 ? within(err, r, "%s", name) : 0;
}

int bundle_record_read(const struct store *store, struct arena *arena, const char *name,
		       struct bundle_record *ret, struct error *err)
{
	int r = read_record(store->fd, name, arena, ret, err);

	if (r >= 0 && ret->id && !str_equal(ret->id, name + strlen("bundles/")))
		return refuse(err, "%s: holds the bundle %s, which belongs elsewhere", name,
			      ret->id);
	return r;
}

static bool is_at_path(const struct bundle_record *record)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int fd = open(record->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bundle_record mark = {.id = NULL};
	struct error err = ERROR_NONE;

	return fd >= 0 && read_record(fd, MARK, arena, &mark, &err) >= 0 && mark.id &&
	       str_equal(mark.id, record->id);
}

/* Whether the directory that held the bundle can be seen as it was. */
static bool is_parent_there(const struct bundle_record *record)
{
	const char *slash = strrchr(record->path, '/');
	_cleanup_free_ char *parent =
		xstrndup(record->path, slash ? (size_t)(slash - record->path) + 1 : 0);
	struct stat st;

	return stat(parent, &st) == 0 && st.st_dev == record->device;
}

enum bundle_presence bundle_presence(const struct store *store, const struct bundle_record *record)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	snprintf(name, sizeof(name), "bundles/%s", record->id);
	if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return BUNDLE_UNKNOWN;
	if (st.st_nlink > 1 || is_at_path(record))
		return BUNDLE_THERE;
	if (!record->copied || is_parent_there(record))
		return BUNDLE_GONE;
	return BUNDLE_UNKNOWN;
}
