/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `linux`, but for its resources and seccomp. */
#include <errno.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "tables-internal.h"

/* What a device number of the kernel holds: 12 bits and 20 bits. */
#define MAJOR_MAX 4095
#define MINOR_MAX 1048575

#define NANOSECONDS_MAX 999999999

/* Most lines that the kernel takes in a map of ids, user_namespaces(7). */
#define ID_MAP_LINES_MAX 340

const char *const namespace_names[NAMESPACE_MAX] = {
	[NAMESPACE_CGROUP] = "cgroup",	 [NAMESPACE_IPC] = "ipc", [NAMESPACE_MOUNT] = "mount",
	[NAMESPACE_NETWORK] = "network", [NAMESPACE_PID] = "pid", [NAMESPACE_TIME] = "time",
	[NAMESPACE_USER] = "user",	 [NAMESPACE_UTS] = "uts",
};

/* One entry of linux.namespaces, before it goes to its place. */
struct namespace_entry {
	int kind; /* enum namespace_kind */
	const char *path;
};

static int decode_namespace_type(const struct decoder *d, const struct field *field,
				 const struct node *node, void *base, struct error *err)
{
	const char *names[NAMESPACE_MAX + 1];
	struct namespace_entry *entry = base;
	int r;

	(void)d;
	(void)field;
	memcpy(names, namespace_names, sizeof(namespace_names));
	names[NAMESPACE_MAX] = NULL;
	r = decode_choice(node, names, err);
	if (r < 0)
		return r;
	entry->kind = r;
	return 0;
}

static const struct field namespace_fields[] = {
	{.name = "type", .kind = FIELD_CUSTOM, .required = true, .custom = decode_namespace_type},
	{.name = "path", .kind = FIELD_STRING, AT(struct namespace_entry, path)},
};

static const struct table namespace_table = {FIELDS(namespace_fields),
					     .size = sizeof(struct namespace_entry)};

static int decode_namespace(const struct decoder *d, const struct node *node,
			    struct spec_linux *box, struct error *err)
{
	struct namespace_entry entry = {.path = NULL};
	const struct node type = node_member(node, "type"), path = node_member(node, "path");
	struct spec_namespace *place;
	int r = decode_object(d, &namespace_table, node, &entry, err);

	if (r < 0)
		return r;
	if (entry.path != NULL && entry.path[0] != '/')
		return refuse_at(&path, err, "\"%.100s\" is not an absolute path", entry.path);
	place = &box->namespaces[entry.kind];
	if (place->wanted)
		return refuse_at(&type, err, "\"%s\" is in the list already",
				 namespace_names[entry.kind]);
	*place = (struct spec_namespace){.wanted = true, .path = entry.path, .index = node->index};
	return 0;
}

static int decode_namespaces(const struct decoder *d, const struct field *field,
			     const struct node *node, void *base, struct error *err)
{
	size_t i = 0;
	int r = node_expect(node, JSON_ARRAY, err);

	(void)field;
	for (const struct json *item = node->value->item; r >= 0 && item != NULL;
	     item = item->next) {
		struct node at = node_item(node, i++, item);

		r = decode_namespace(d, &at, base, err);
	}
	return r;
}

static const struct field id_map_fields[] = {
	{.name = "containerID",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct id_map, container_id),
	 RANGE(0, UINT32_MAX - 1)},
	{.name = "hostID",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct id_map, host_id),
	 RANGE(0, UINT32_MAX - 1)},
	{.name = "size",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct id_map, size),
	 RANGE(1, UINT32_MAX)},
};

/* The range after the last id of which no id may lie beyond UINT32_MAX - 1. */
static int check_id_map(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	const struct id_map *map = base;
	const uint32_t first = map->container_id > map->host_id ? map->container_id : map->host_id;

	(void)d;
	if (map->size > UINT32_MAX - first)
		return refuse_at(node, err, "%u ids from %u on go beyond the last id, %u",
				 map->size, first, UINT32_MAX - 1);
	return 0;
}

const struct table id_map_table = {FIELDS(id_map_fields), .size = sizeof(struct id_map),
				   .check = check_id_map};

static bool ranges_meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

static int check_id_maps(const struct node *list, const struct id_map *maps, size_t count,
			 struct error *err)
{
	if (count > ID_MAP_LINES_MAX)
		return refuse_at(list, err, "has %zu items, and the kernel takes %d", count,
				 ID_MAP_LINES_MAX);
	for (size_t i = 1; i < count; i++) {
		const struct id_map *b = &maps[i];
		const struct node at = node_item(list, i, NULL);

		for (size_t j = 0; j < i; j++) {
			const struct id_map *a = &maps[j];

			if (ranges_meet(a->container_id, a->size, b->container_id, b->size) ||
			    ranges_meet(a->host_id, a->size, b->host_id, b->size))
				return refuse_at(&at, err, "overlaps item %zu", j);
		}
	}
	return 0;
}

static const struct field time_offset_fields[] = {
	{.name = "secs",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_time_offset, seconds),
	 RANGE(INT64_MIN, INT64_MAX)},
	{.name = "nanosecs",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_time_offset, nanoseconds),
	 RANGE(0, NANOSECONDS_MAX)},
};

static const struct table time_offset_table = {FIELDS(time_offset_fields),
					       .size = sizeof(struct spec_time_offset)};

/* A clock that the kernel shifts for nobody must not be passed over. */
static int check_clocks(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	static const char *const names[] = {"boottime", "monotonic", NULL};

	(void)d;
	(void)base;
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		if (choice_index(names, item->key) < 0)
			return refuse_choice(node, item->key, names, err);
	}
	return 0;
}

static const struct field time_offsets_fields[] = {
	{.name = "monotonic",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_time_offsets, monotonic),
	 .table = &time_offset_table},
	{.name = "boottime",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_time_offsets, boottime),
	 .table = &time_offset_table},
};

static const struct table time_offsets_table = {FIELDS(time_offsets_fields),
						.size = sizeof(struct spec_time_offsets),
						.check = check_clocks};

int id_maps_check(const struct node *node, const struct spec_id_maps *maps, struct error *err)
{
	const struct node uids = node_member(node, "uidMappings");
	const struct node gids = node_member(node, "gidMappings");
	int r = check_id_maps(&uids, maps->uid, maps->uid_count, err);

	return r < 0 ? r : check_id_maps(&gids, maps->gid, maps->gid_count, err);
}

static int decode_device_type(const struct decoder *d, const struct field *field,
			      const struct node *node, void *base, struct error *err)
{
	static const char *const names[] = {"c", "b", "u", "p", NULL};
	static const mode_t types[] = {S_IFCHR, S_IFBLK, S_IFCHR, S_IFIFO};
	struct spec_device *device = base;
	int index = decode_choice(node, names, err);

	(void)d;
	(void)field;
	if (index < 0)
		return index;
	device->type = types[index];
	return 0;
}

static int check_device(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	struct spec_device *device = base;
	static const char *const numbers[] = {"major", "minor"};
	const struct node mode = node_member(node, "fileMode");

	(void)d;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct node number = node_member(node, numbers[i]);

		if (device->type != S_IFIFO && number.value == NULL)
			return refuse_at(&number, err, "required, but missing");
	}
	/* Engines put st_mode there as stat gave it. */
	if ((device->mode & S_IFMT) != 0 && (device->mode & S_IFMT) != device->type)
		return refuse_at(&mode, err, "%#o is the mode of a file of another type",
				 device->mode);
	device->mode &= 07777;
	return 0;
}

static const struct field device_fields[] = {
	{.name = "path", .kind = FIELD_PATH, .required = true, AT(struct spec_device, path)},
	{.name = "type", .kind = FIELD_CUSTOM, .required = true, .custom = decode_device_type},
	{.name = "major",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device, major),
	 RANGE(0, MAJOR_MAX)},
	{.name = "minor",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device, minor),
	 RANGE(0, MINOR_MAX)},
	{.name = "fileMode",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device, mode),
	 RANGE(0, S_IFMT | 07777)},
	{.name = "uid",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device, uid),
	 RANGE(0, UINT32_MAX - 1)},
	{.name = "gid",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_device, gid),
	 RANGE(0, UINT32_MAX - 1)},
};

static const struct spec_device device_defaults = {.mode = 0666};

static const struct table device_table = {FIELDS(device_fields), .size = sizeof(struct spec_device),
					  .defaults = &device_defaults, .check = check_device};

/* A device's path and its place in linux.devices. */
struct device_path {
	const char *path;
	size_t index;
};

static int compare_paths(const void *a, const void *b)
{
	const struct device_path *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static int check_devices(const struct decoder *d, const struct node *node,
			 const struct spec_linux *box, struct error *err)
{
	const struct node list = node_member(node, "devices");
	const size_t count = box->device_count;
	struct device_path *sorted = arena_alloc(d->arena, count, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = (struct device_path){box->devices[i].path, i};
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare_paths);
	for (size_t i = 1; i < count; i++) {
		const struct node item = node_item(&list, sorted[i].index, NULL);
		const struct node path = {.up = &item, .member = "path"};

		if (str_equal(sorted[i - 1].path, sorted[i].path))
			return refuse_at(&path, err, "\"%.100s\" is the path of linux.devices[%zu]",
					 sorted[i].path, sorted[i - 1].index);
	}
	return 0;
}

static int decode_propagation(const struct decoder *d, const struct field *field,
			      const struct node *node, void *base, struct error *err)
{
	struct spec_linux *box = base;
	const char *text;
	int r = decode_string(node, &text, err);

	(void)d;
	(void)field;
	if (r < 0 || text[0] == '\0')
		return r;
	if (propagation_parse(text, &box->rootfs_propagation) < 0)
		return refuse_choice(node, text, propagation_names, err);
	return 0;
}

static int decode_domain(const struct decoder *d, const struct field *field,
			 const struct node *node, void *base, struct error *err)
{
	static const char *const names[] = {"LINUX", "LINUX32", NULL};
	static const unsigned long domains[] = {PER_LINUX, PER_LINUX32};
	struct spec_linux *box = base;
	int index = decode_choice(node, names, err);

	(void)d;
	(void)field;
	if (index < 0)
		return index;
	box->personality = domains[index];
	return 0;
}

static const struct field personality_fields[] = {
	{.name = "domain", .kind = FIELD_CUSTOM, .required = true, .custom = decode_domain},
	{.name = "flags",
	 .kind = FIELD_UNSUPPORTED,
	 .type = JSON_ARRAY,
	 .reason = "must be empty: the specification defines no flag"},
};

static const struct table personality_table = {FIELDS(personality_fields),
					       .size = sizeof(struct spec_linux)};

static int check_linux(const struct decoder *d, const struct node *node, void *base,
		       struct error *err)
{
	const struct spec_linux *box = base;
	int r = id_maps_check(node, &box->id_maps, err);

	return r < 0 ? r : check_devices(d, node, box, err);
}

static const struct field linux_fields[] = {
	{.name = "namespaces", .kind = FIELD_CUSTOM, .custom = decode_namespaces},
	{.name = "uidMappings",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_linux, id_maps.uid),
	 .count = offsetof(struct spec_linux, id_maps.uid_count),
	 .table = &id_map_table},
	{.name = "gidMappings",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_linux, id_maps.gid),
	 .count = offsetof(struct spec_linux, id_maps.gid_count),
	 .table = &id_map_table},
	{.name = "timeOffsets",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_linux, time_offsets),
	 .table = &time_offsets_table},
	{.name = "devices",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_linux, devices),
	 .count = offsetof(struct spec_linux, device_count),
	 .table = &device_table},
	{.name = "netDevices", .kind = FIELD_CUSTOM, .custom = net_devices_decode},
	{.name = "cgroupsPath", .kind = FIELD_STRING, AT(struct spec_linux, cgroups_path)},
	{.name = "resources",
	 .kind = FIELD_OBJECT,
	 AT(struct spec_linux, resources),
	 .table = &resources_table},
	{.name = "sysctl", .kind = FIELD_MAP, AT(struct spec_linux, sysctl)},
	{.name = "seccomp",
	 .kind = FIELD_POINTER,
	 AT(struct spec_linux, seccomp),
	 .table = &seccomp_table},
	{.name = "rootfsPropagation", .kind = FIELD_CUSTOM, .custom = decode_propagation},
	{.name = "maskedPaths", .kind = FIELD_PATHS, AT(struct spec_linux, masked_paths)},
	{.name = "readonlyPaths", .kind = FIELD_PATHS, AT(struct spec_linux, readonly_paths)},
	{.name = "mountLabel", .kind = FIELD_STRING, AT(struct spec_linux, mount_label)},
	{.name = "intelRdt",
	 .kind = FIELD_POINTER,
	 AT(struct spec_linux, intel_rdt),
	 .table = &intel_rdt_table},
	{.name = "memoryPolicy",
	 .kind = FIELD_POINTER,
	 AT(struct spec_linux, memory_policy),
	 .table = &memory_policy_table},
	{.name = "personality",
	 .kind = FIELD_OBJECT,
	 FLAG(struct spec_linux, personality_set),
	 .table = &personality_table},
};

const struct table linux_table = {FIELDS(linux_fields), .size = sizeof(struct spec_linux),
				  .check = check_linux};
