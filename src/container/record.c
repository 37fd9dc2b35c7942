/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a container, as JSON in its state directory. */
#include <errno.h>
#include <string.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"

#include "container-internal.h"

#define RECORD_VERSION	1
#define RECORD_SIZE_MAX (4u << 20)

static void write_annotations(struct json_writer *w, const struct spec_strings *annotations)
{
	json_key(w, "annotations");
	json_begin_object(w);
	for (size_t i = 0; i < annotations->count; i++)
		json_member_string(w, annotations->items[i].key, annotations->items[i].value);
	json_end_object(w);
}

static void write_record(struct json_writer *w, const struct record *record)
{
	json_begin_object(w);
	json_member_u64(w, "version", RECORD_VERSION);
	json_member_string(w, "id", record->id);
	json_member_string(w, "bundle", record->bundle);
	json_member_string(w, "rootfs", record->rootfs);
	json_member_string(w, "created", record->created);
	json_member_u64(w, "owner", record->owner);
	json_member_string(w, "cgroupManager", cgroup_manager_names[record->cgroup_manager]);
	if (record->cgroup_path) {
		json_member_string(w, "cgroupPath", record->cgroup_path);
		json_member_u64(w, "cgroupKeep", record->cgroup_keep);
	}
	if (record->unit) {
		json_member_string(w, "unit", record->unit);
		json_member_bool(w, "unitOfUser", record->unit_of_user);
	}
	if (record->resctrl.group) {
		json_member_string(w, "resctrlGroup", record->resctrl.group);
		json_member_bool(w, "resctrlGroupOwn", record->resctrl.group_is_ours);
		json_member_bool(w, "resctrlMonitorOwn", record->resctrl.monitor_is_ours);
	}
	json_member_bool(w, "poststart", record->poststart);
	json_member_bool(w, "poststop", record->poststop);
	json_member_bool(w, "seccompAgent", record->seccomp_agent);
	json_member_bool(w, "ownKeyring", record->own_keyring);
	if (record->pid) {
		json_member_i64(w, "pid", record->pid);
		json_member_u64(w, "startTime", record->start_ticks);
	}
	write_annotations(w, &record->annotations);
	json_end_object(w);
}

int record_write(int dirfd, const struct record *record, bool first, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	write_record(&w, record);
	if (first)
		return file_create_at(dirfd, STATE_RECORD, 0600, text.data, text.size, err);
	return file_replace_at(dirfd, STATE_RECORD, 0600, text.data, text.size, err);
}

static const char *get_text(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);

	return value && value->type == JSON_STRING ? value->text : NULL;
}

static uint64_t get_number(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);
	uint64_t number;

	return value && json_to_u64(value, &number) == 0 ? number : 0;
}

static bool get_bool(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);

	return value && value->type == JSON_BOOL && value->boolean;
}

static void get_annotations(const struct json *object, struct arena *arena,
			    struct spec_strings *ret)
{
	const struct json *list = json_member(object, "annotations");

	if (!list || list->type != JSON_OBJECT)
		return;
	ret->items = arena_alloc(arena, list->count, sizeof(*ret->items));
	for (const struct json *item = list->item; item; item = item->next) {
		if (item->type == JSON_STRING)
			ret->items[ret->count++] = (struct spec_string_pair){item->key, item->text};
	}
}

/* Members whose values fit the types that they become. */
static bool numbers_fit(const struct json *object)
{
	return get_number(object, "owner") <= UINT32_MAX &&
	       get_number(object, "pid") <= INT32_MAX &&
	       get_number(object, "cgroupKeep") <= UINT32_MAX;
}

/* False: not a name that this version writes. */
static bool get_manager(const struct json *object, enum cgroup_manager *ret)
{
	const char *name = get_text(object, "cgroupManager");

	for (int manager = 0; name && manager < CGROUP_MANAGER_MAX; manager++) {
		if (str_equal(name, cgroup_manager_names[manager])) {
			*ret = (enum cgroup_manager)manager;
			return true;
		}
	}
	return false;
}

static int decode(const struct json *object, struct arena *arena, struct record *ret,
		  struct error *err)
{
	*ret = (struct record){
		.id = get_text(object, "id"),
		.bundle = get_text(object, "bundle"),
		.rootfs = get_text(object, "rootfs"),
		.created = get_text(object, "created"),
		.owner = (uid_t)get_number(object, "owner"),
		.cgroup_path = get_text(object, "cgroupPath"),
		.cgroup_keep = (unsigned)get_number(object, "cgroupKeep"),
		.unit = get_text(object, "unit"),
		.unit_of_user = get_bool(object, "unitOfUser"),
		.resctrl =
			{
				.group = get_text(object, "resctrlGroup"),
				.group_is_ours = get_bool(object, "resctrlGroupOwn"),
				.monitor_is_ours = get_bool(object, "resctrlMonitorOwn"),
			},
		.poststart = get_bool(object, "poststart"),
		.poststop = get_bool(object, "poststop"),
		.seccomp_agent = get_bool(object, "seccompAgent"),
		.own_keyring = get_bool(object, "ownKeyring"),
		.pid = (pid_t)get_number(object, "pid"),
		.start_ticks = get_number(object, "startTime"),
	};
	if (get_number(object, "version") != RECORD_VERSION || !ret->id || !ret->bundle ||
	    !ret->rootfs || !ret->created || !numbers_fit(object) ||
	    !get_manager(object, &ret->cgroup_manager))
		return refuse(err, "\"%s\": not a record of this version of berth", STATE_RECORD);
	get_annotations(object, arena, &ret->annotations);
	return 0;
}

int record_read(int dirfd, struct arena *arena, struct record *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const struct json *tree = NULL;
	size_t size;
	int r = file_read_at(dirfd, STATE_RECORD, RECORD_SIZE_MAX, &text, &size, err);

	if (r == -ENOENT)
		return refuse_as(err, -ENODATA, "there is no \"%s\"", STATE_RECORD);
	if (r >= 0)
		r = json_read(arena, text, size, STATE_RECORD, &tree, err);
	if (r >= 0 && tree->type != JSON_OBJECT)
		r = refuse(err, "\"%s\": not an object", STATE_RECORD);
	return r < 0 ? r : decode(tree, arena, ret, err);
}
