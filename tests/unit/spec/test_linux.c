/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux: namespaces, maps of ids, devices, paths, and what is refused. */
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "unit.h"

#define HEAD "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"linux\": {"

static void test_smallest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_linux *box = &accept(arena, TOP, "")->linux;

	(void)state;
	for (int i = 0; i < NAMESPACE_MAX; i++)
		assert_true(box->namespaces[i].wanted == (i == NAMESPACE_MOUNT));
	assert_null(box->cgroups_path);
	assert_null(box->seccomp);
	assert_null(box->masked_paths);
	assert_null(box->readonly_paths);
	assert_true(box->rootfs_propagation == 0);
	assert_false(box->personality_set);
	assert_int_equal(box->device_count + box->sysctl.count, 0);
}

static void test_namespaces(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_namespace *namespaces =
		accept(arena, NAMESPACES,
		       "{\"type\": \"pid\", \"path\": \"/proc/1/ns/pid\"}, {\"type\": \"ipc\"},"
		       "{\"type\": \"uts\", \"path\": \"\"}, {\"type\": \"cgroup\", \"path\": "
		       "null},"
		       "{\"type\": \"network\"}, {\"type\": \"user\", \"path\": \"/user\"}")
			->linux.namespaces;

	(void)state;
	assert_true(namespaces[NAMESPACE_PID].wanted);
	assert_string_equal(namespaces[NAMESPACE_PID].path, "/proc/1/ns/pid");
	assert_int_equal(namespaces[NAMESPACE_PID].index, 1);
	assert_true(namespaces[NAMESPACE_UTS].wanted && namespaces[NAMESPACE_CGROUP].wanted);
	assert_null(namespaces[NAMESPACE_UTS].path);
	assert_null(namespaces[NAMESPACE_CGROUP].path);
	assert_int_equal(namespaces[NAMESPACE_USER].index, 6);
	assert_true(namespaces[NAMESPACE_IPC].wanted && namespaces[NAMESPACE_NETWORK].wanted);
	assert_false(namespaces[NAMESPACE_TIME].wanted);
}

static void test_mount_namespace(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_namespace *mount;

	(void)state;
	mount = &accept(arena, WHOLE, HEAD "}}")->linux.namespaces[NAMESPACE_MOUNT];
	assert_false(mount->wanted);
	mount = &accept(arena, WHOLE, HEAD "\"namespaces\": []}}")
			 ->linux.namespaces[NAMESPACE_MOUNT];
	assert_false(mount->wanted);
	mount = &accept(arena, WHOLE,
			HEAD "\"namespaces\": [{\"type\": \"mount\", \"path\": \"/m\"}]}}")
			 ->linux.namespaces[NAMESPACE_MOUNT];
	assert_true(mount->wanted);
	assert_string_equal(mount->path, "/m");
}

static void test_namespace_names(void **state)
{
	(void)state;
	for (int i = 0; i < NAMESPACE_MAX; i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("{\"type\": \"%s\", \"path\": \"/x\"}", namespace_names[i]);

		if (i > 0)
			assert_true(strcmp(namespace_names[i - 1], namespace_names[i]) < 0);
		if (i == NAMESPACE_TIME || i == NAMESPACE_MOUNT)
			continue;
		assert_true(accept(arena, NAMESPACES, text)->linux.namespaces[i].wanted);
	}
}

/* A document with a new user namespace and these members of linux. */
static char *user_document(const char *members)
{
	return xasprintf(HEAD "%s \"namespaces\": [{\"type\": \"user\"}, {\"type\": \"mount\"}]}}",
			 members);
}

static void test_id_maps(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = user_document(
		"\"uidMappings\": [{\"containerID\": 0, \"hostID\": 1000, \"size\": 1},"
		"{\"containerID\": 1, \"hostID\": 1001, \"size\": 65535}],"
		"\"gidMappings\": [{\"containerID\": 4294967294, \"hostID\": 0, \"size\": 1}],");
	const struct spec_id_maps *maps = &accept(arena, WHOLE, text)->linux.id_maps;

	(void)state;
	assert_int_equal(maps->uid_count, 2);
	assert_int_equal(maps->uid[1].container_id, 1);
	assert_int_equal(maps->uid[1].host_id, 1001);
	assert_int_equal(maps->uid[1].size, 65535);
	assert_int_equal(maps->gid_count, 1);
	assert_int_equal(maps->gid[0].container_id, 4294967294u);
}

/* All ids but the last, which stands for none. */
static void test_whole_id_map(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = user_document(
		"\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 4294967295}],"
		"\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 4294967295}],");

	(void)state;
	assert_int_equal(accept(arena, WHOLE, text)->linux.id_maps.uid[0].size, 4294967295u);
}

#define GID_MAP "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}],"
#define UID_MAP "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}],"

static void test_id_maps_refused(void **state)
{
	static const struct {
		const char *members, *error;
	} cases[] = {
		{GID_MAP, "linux.uidMappings: required with a new \"user\" namespace, but missing"},
		{UID_MAP, "linux.gidMappings: required with a new \"user\" namespace, but missing"},
		{UID_MAP "\"gidMappings\": [],",
		 "linux.gidMappings: required with a new \"user\" namespace, but missing"},
		{"\"uidMappings\": {},", "linux.uidMappings: found an object, must be an array"},
		{"\"uidMappings\": [{}],",
		 "linux.uidMappings[0].containerID: required, but missing"},
		{"\"uidMappings\": [{\"containerID\": 0, \"size\": 1}],",
		 "linux.uidMappings[0].hostID: required, but missing"},
		{"\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0}],",
		 "linux.uidMappings[0].size: required, but missing"},
		{"\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 0}],",
		 "linux.uidMappings[0].size: found 0, must be a whole number from 1 to 4294967295"},
		{"\"uidMappings\": [{\"containerID\": 4294967295, \"hostID\": 0, \"size\": 1}],",
		 "linux.uidMappings[0].containerID: found 4294967295, must be a whole number from "
		 "0 to 4294967294"},
		{"\"uidMappings\": [{\"containerID\": 4294967294, \"hostID\": 0, \"size\": 2}],",
		 "linux.uidMappings[0]: 2 ids from 4294967294 on go beyond the last id, "
		 "4294967294"},
		{UID_MAP
		 "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 1, \"size\": 4294967295}],",
		 "linux.gidMappings[0]: 4294967295 ids from 1 on go beyond the last id, "
		 "4294967294"},
		{"\"uidMappings\": [{\"containerID\": 10, \"hostID\": 10, \"size\": 10},"
		 "{\"containerID\": 30, \"hostID\": 30, \"size\": 10},"
		 "{\"containerID\": 39, \"hostID\": 100, \"size\": 1}],",
		 "linux.uidMappings[2]: overlaps item 1"},
		{"\"uidMappings\": [{\"containerID\": 10, \"hostID\": 10, \"size\": 10},"
		 "{\"containerID\": 0, \"hostID\": 100, \"size\": 11}],",
		 "linux.uidMappings[1]: overlaps item 0"},
		{UID_MAP "\"gidMappings\": [{\"containerID\": 10, \"hostID\": 10, \"size\": 10},"
			 "{\"containerID\": 20, \"hostID\": 19, \"size\": 10}],",
		 "linux.gidMappings[1]: overlaps item 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = user_document(cases[i].members);

		reject(WHOLE, text, cases[i].error);
	}
}

/* The kernel's bound on lines: 340 are taken, 341 refused. */
static void test_many_id_maps(void **state)
{
	(void)state;
	for (int count = 340; count <= 341; count++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf maps = BUF_EMPTY;
		_cleanup_free_ char *text = NULL;

		buf_add_string(&maps, GID_MAP "\"uidMappings\": [");
		for (int i = 0; i < count; i++)
			buf_printf(&maps, "%s{\"containerID\": %d, \"hostID\": %d, \"size\": 1}",
				   i > 0 ? ", " : "", i, 1000 - i);
		buf_add_string(&maps, "],");
		text = user_document(maps.data);
		if (count == 340)
			accept(arena, WHOLE, text);
		else
			reject(WHOLE, text,
			       "linux.uidMappings: has 341 items, and the kernel takes 340");
	}
}

static void test_devices(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_linux *box =
		&accept(arena, LINUX,
			"\"devices\": [{\"path\": \"/dev/fuse\", \"type\": \"c\", \"major\": 10,"
			" \"minor\": 229}, {\"path\": \"/dev/b\", \"type\": \"b\", \"major\": 4095,"
			" \"minor\": 1048575, \"fileMode\": 4095, \"uid\": 4294967294, \"gid\": 2},"
			"{\"path\": \"/p\", \"type\": \"p\", \"fileMode\": 0},"
			"{\"path\": \"/u\", \"type\": \"u\", \"major\": 0, \"minor\": 0,"
			" \"fileMode\": null}]")
			 ->linux;
	const struct spec_device *devices = box->devices;

	(void)state;
	assert_int_equal(box->device_count, 4);
	assert_string_equal(devices[0].path, "/dev/fuse");
	assert_int_equal(devices[0].type, S_IFCHR);
	assert_int_equal(devices[0].major, 10);
	assert_int_equal(devices[0].minor, 229);
	assert_int_equal(devices[0].mode, 0666);
	assert_int_equal(devices[0].uid, 0);
	assert_int_equal(devices[1].type, S_IFBLK);
	assert_int_equal(devices[1].major, 4095);
	assert_int_equal(devices[1].minor, 1048575);
	assert_int_equal(devices[1].mode, 07777);
	assert_int_equal(devices[1].uid, 4294967294u);
	assert_int_equal(devices[1].gid, 2);
	assert_int_equal(devices[2].type, S_IFIFO);
	assert_int_equal(devices[2].mode, 0);
	assert_int_equal(devices[3].type, S_IFCHR);
	assert_int_equal(devices[3].mode, 0666);
}

static void test_paths_and_strings(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_linux *box =
		&accept(arena, LINUX,
			"\"maskedPaths\": [\"/proc/kcore\"], \"readonlyPaths\": [],"
			"\"cgroupsPath\": \"system.slice:berth:x\", \"mountLabel\": \"u:r:t:s0\","
			"\"sysctl\": {\"net.ipv4.ip_forward\": \"1\", \"a\": \"\"}")
			 ->linux;

	(void)state;
	assert_string_equal(box->masked_paths[0], "/proc/kcore");
	assert_null(box->masked_paths[1]);
	assert_null(box->readonly_paths[0]);
	assert_string_equal(box->cgroups_path, "system.slice:berth:x");
	assert_string_equal(box->mount_label, "u:r:t:s0");
	assert_int_equal(box->sysctl.count, 2);
	assert_string_equal(box->sysctl.items[0].key, "net.ipv4.ip_forward");
	assert_string_equal(box->sysctl.items[0].value, "1");
	assert_string_equal(box->sysctl.items[1].value, "");
}

static void test_propagation(void **state)
{
	static const struct {
		const char *name;
		uint64_t flags;
	} cases[] = {
		{"shared", MS_SHARED},
		{"rshared", MS_SHARED | MS_REC},
		{"slave", MS_SLAVE},
		{"rslave", MS_SLAVE | MS_REC},
		{"private", MS_PRIVATE},
		{"rprivate", MS_PRIVATE | MS_REC},
		{"unbindable", MS_UNBINDABLE},
		{"runbindable", MS_UNBINDABLE | MS_REC},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("\"rootfsPropagation\": \"%s\"", cases[i].name);

		assert_true(accept(arena, LINUX, text)->linux.rootfs_propagation == cases[i].flags);
	}
}

static void test_personality(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_linux *box;

	(void)state;
	box = &accept(arena, LINUX, "\"personality\": {\"domain\": \"LINUX32\", \"flags\": []}")
		       ->linux;
	assert_true(box->personality_set);
	assert_int_equal(box->personality, PER_LINUX32);
	box = &accept(arena, LINUX, "\"personality\": {\"domain\": \"LINUX\"}")->linux;
	assert_true(box->personality_set);
	assert_int_equal(box->personality, PER_LINUX);
}

#define DEVICE(members) "\"devices\": [{\"path\": \"/dev/x\", " members "}]"

static const struct refusal refusals[] = {
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"linux\": 5}",
	 "linux: found a number, must be an object"},
	{WHOLE, HEAD "\"namespaces\": {}}}", "linux.namespaces: found an object, must be an array"},
	{NAMESPACES, "5", "linux.namespaces[1]: found a number, must be an object"},
	{NAMESPACES, "[{}]", "linux.namespaces[1]: found an array, must be an object"},
	{NAMESPACES, "{\"path\": \"/x\"}", "linux.namespaces[1].type: required, but missing"},
	{NAMESPACES, "{\"type\": 1}", "linux.namespaces[1].type: found a number, must be a string"},
	{NAMESPACES, "{\"type\": \"net\"}",
	 "linux.namespaces[1].type: \"net\" is not one of cgroup, ipc, mount, network, pid, time, "
	 "user, uts"},
	{NAMESPACES, "{\"type\": \"pid\", \"path\": \"proc/1/ns/pid\"}",
	 "linux.namespaces[1].path: \"proc/1/ns/pid\" is not an absolute path"},
	{NAMESPACES, "{\"type\": \"pid\"}, {\"type\": \"ipc\"}, {\"type\": \"pid\"}",
	 "linux.namespaces[3].type: \"pid\" is in the list already"},
	{LINUX, "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]",
	 "linux.uidMappings: needs a \"user\" namespace in linux.namespaces"},
	{LINUX, "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]",
	 "linux.gidMappings: needs a \"user\" namespace in linux.namespaces"},
	{LINUX, "\"timeOffsets\": {\"monotonic\": {\"secs\": 1}}",
	 "linux.timeOffsets: needs a new \"time\" namespace in linux.namespaces"},
	{LINUX, "\"timeOffsets\": {\"boottime\": {\"nanosecs\": 1}}",
	 "linux.timeOffsets: needs a new \"time\" namespace in linux.namespaces"},
	{WHOLE,
	 HEAD "\"timeOffsets\": {\"boottime\": {\"secs\": 1}},"
	      "\"namespaces\": [{\"type\": \"time\", \"path\": \"/t\"}]}}",
	 "linux.timeOffsets: needs a new \"time\" namespace in linux.namespaces"},
	{LINUX, "\"timeOffsets\": {\"monotonic\": {\"nanosecs\": 1000000000}}",
	 "linux.timeOffsets.monotonic.nanosecs: found 1000000000, must be a whole number from 0 to "
	 "999999999"},
	{LINUX, "\"timeOffsets\": {\"monotonic\": {\"secs\": 9223372036854775808}}",
	 "linux.timeOffsets.monotonic.secs: found 9223372036854775808, must be a whole number from "
	 "-9223372036854775808 to 9223372036854775807"},
	{LINUX, "\"timeOffsets\": {\"realtime\": {\"secs\": 1}}",
	 "linux.timeOffsets: \"realtime\" is not one of boottime, monotonic"},
	{LINUX, "\"netDevices\": {\"eth0\": {\"name\": 23}}",
	 "linux.netDevices[\"eth0\"].name: found a number, must be a string"},
	{LINUX, "\"netDevices\": {\"eth0\": \"x\"}",
	 "linux.netDevices[\"eth0\"]: found a string, must be an object"},
	{LINUX, "\"netDevices\": []", "linux.netDevices: found an array, must be an object"},
	{LINUX, "\"netDevices\": {\"eth%d\": {}}",
	 "linux.netDevices: \"eth%d\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"0123456789abcdef\": {}}",
	 "linux.netDevices: \"0123456789abcdef\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"\": {}}",
	 "linux.netDevices: \"\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"eth0\": {\"name\": \"a b\"}}",
	 "linux.netDevices[\"eth0\"].name: \"a b\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"eth0\": {\"name\": \"%d%d\"}}",
	 "linux.netDevices[\"eth0\"].name: \"%d%d\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"eth0\": {\"name\": \"..\"}}",
	 "linux.netDevices[\"eth0\"].name: \"..\" is no name of a network device"},
	{LINUX, "\"netDevices\": {\"eth0\": {}}",
	 "linux.netDevices: needs a \"network\" namespace in linux.namespaces"},
	{LINUX, "\"mountLabel\": 1", "linux.mountLabel: found a number, must be a string"},
	{LINUX, "\"intelRdt\": {\"closID\": \"a/b\"}",
	 "linux.intelRdt.closID: \"a/b\" is not the name of a group"},
	{LINUX, "\"intelRdt\": {\"closID\": \"..\"}",
	 "linux.intelRdt.closID: \"..\" is not the name of a group"},
	{LINUX, "\"intelRdt\": {\"closID\": 1}",
	 "linux.intelRdt.closID: found a number, must be a string"},
	{LINUX, "\"intelRdt\": {\"l3CacheSchema\": \"L3:0=f\\nMB:0=1\"}",
	 "linux.intelRdt.l3CacheSchema: more than one line"},
	{LINUX, "\"intelRdt\": {\"memBwSchema\": \"L3:0=f\"}",
	 "linux.intelRdt.memBwSchema: \"L3:0=f\" does not begin with \"MB:\""},
	{LINUX, "\"intelRdt\": {\"schemata\": [\"L3:0=f\", \"x\"]}",
	 "linux.intelRdt.schemata[1]: \"x\" is not of the form RESOURCE:ID=VALUE"},
	{LINUX, "\"intelRdt\": {\"enableCMT\": true}",
	 "linux.intelRdt.enableCMT: the specification has enableMonitoring in its place"},
	{LINUX, "\"intelRdt\": \"x\"", "linux.intelRdt: found a string, must be an object"},
	{LINUX, "\"devices\": {}", "linux.devices: found an object, must be an array"},
	{LINUX, "\"devices\": [{\"type\": \"p\"}]", "linux.devices[0].path: required, but missing"},
	{LINUX, "\"devices\": [{\"type\": \"p\", \"path\": \"dev/p\"}]",
	 "linux.devices[0].path: \"dev/p\" is not an absolute path"},
	{LINUX, "\"devices\": [{\"path\": \"/x\"}]",
	 "linux.devices[0].type: required, but missing"},
	{LINUX, DEVICE("\"type\": \"x\""), "linux.devices[0].type: \"x\" is not one of c, b, u, p"},
	{LINUX, DEVICE("\"type\": false"),
	 "linux.devices[0].type: found a boolean, must be a string"},
	{LINUX, DEVICE("\"type\": \"c\", \"minor\": 1"),
	 "linux.devices[0].major: required, but missing"},
	{LINUX, DEVICE("\"type\": \"b\", \"major\": 1, \"minor\": null"),
	 "linux.devices[0].minor: required, but missing"},
	{LINUX, DEVICE("\"type\": \"c\", \"major\": 4096, \"minor\": 1"),
	 "linux.devices[0].major: found 4096, must be a whole number from 0 to 4095"},
	{LINUX, DEVICE("\"type\": \"c\", \"major\": 1, \"minor\": 1048576"),
	 "linux.devices[0].minor: found 1048576, must be a whole number from 0 to 1048575"},
	{LINUX, DEVICE("\"type\": \"c\", \"major\": -1, \"minor\": 1"),
	 "linux.devices[0].major: found -1, must be a whole number from 0 to 4095"},
	{LINUX, DEVICE("\"type\": \"p\", \"fileMode\": 8612"),
	 "linux.devices[0].fileMode: 020644 is the mode of a file of another type"},
	{LINUX, DEVICE("\"type\": \"p\", \"fileMode\": 65536"),
	 "linux.devices[0].fileMode: found 65536, must be a whole number from 0 to 65535"},
	{LINUX, DEVICE("\"type\": \"p\", \"uid\": 4294967295"),
	 "linux.devices[0].uid: found 4294967295, must be a whole number from 0 to 4294967294"},
	{LINUX, DEVICE("\"type\": \"p\", \"gid\": \"x\""),
	 "linux.devices[0].gid: found a string, must be a whole number from 0 to 4294967294"},
	{LINUX,
	 "\"devices\": [{\"type\": \"p\", \"path\": \"/b\"}, {\"type\": \"p\", \"path\": \"/a\"},"
	 "{\"type\": \"p\", \"path\": \"/c\"}, {\"type\": \"p\", \"path\": \"/b\"}]",
	 "linux.devices[3].path: \"/b\" is the path of linux.devices[0]"},
	{LINUX, "\"cgroupsPath\": []", "linux.cgroupsPath: found an array, must be a string"},
	{LINUX, "\"sysctl\": {\"kernel.x\": 1}",
	 "linux.sysctl[\"kernel.x\"]: found a number, must be a string"},
	{LINUX, "\"sysctl\": {\"\": \"1\"}", "linux.sysctl[\"\"]: a name must not be empty"},
	{LINUX, "\"maskedPaths\": [\"/a\", \"b\"]",
	 "linux.maskedPaths[1]: \"b\" is not an absolute path"},
	{LINUX, "\"readonlyPaths\": [\"\"]",
	 "linux.readonlyPaths[0]: \"\" is not an absolute path"},
	{LINUX, "\"readonlyPaths\": [7]",
	 "linux.readonlyPaths[0]: found a number, must be a string"},
	{LINUX, "\"rootfsPropagation\": \"ro\"",
	 "linux.rootfsPropagation: \"ro\" is not one of private, rprivate, rshared, rslave, "
	 "runbindable, shared, slave, unbindable"},
	{LINUX, "\"rootfsPropagation\": 1",
	 "linux.rootfsPropagation: found a number, must be a string"},
	{LINUX, "\"personality\": {}", "linux.personality.domain: required, but missing"},
	{LINUX, "\"personality\": {\"domain\": 1}",
	 "linux.personality.domain: found a number, must be a string"},
	{LINUX, "\"personality\": {\"domain\": \"BSD\"}",
	 "linux.personality.domain: \"BSD\" is not one of LINUX, LINUX32"},
	{LINUX, "\"personality\": {\"domain\": \"LINUX\", \"flags\": [\"X\"]}",
	 "linux.personality.flags: must be empty: the specification defines no flag"},
	{LINUX, "\"seccomp\": []", "linux.seccomp: found an array, must be an object"},
	{LINUX, "\"resources\": []", "linux.resources: found an array, must be an object"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

/* A joined user namespace has its maps already; they may be repeated. */
static void test_maps_with_joined_namespace(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec;

	(void)state;
	spec = accept(arena, WHOLE,
		      HEAD UID_MAP "\"namespaces\": [{\"type\": \"mount\"},"
				   "{\"type\": \"user\", \"path\": \"/u\"}]}}");
	assert_int_equal(spec->linux.id_maps.uid_count, 1);
	assert_int_equal(spec->linux.id_maps.gid_count, 0);
}

static void test_time_offsets(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec = accept(
		arena, WHOLE,
		HEAD "\"namespaces\": [{\"type\": \"time\"}], \"timeOffsets\": {\"monotonic\":"
		     "{\"secs\": -5, \"nanosecs\": 999999999}, \"boottime\": {\"secs\": 7}}}}");

	(void)state;
	assert_int_equal(spec->linux.time_offsets.monotonic.seconds, -5);
	assert_int_equal(spec->linux.time_offsets.monotonic.nanoseconds, 999999999);
	assert_int_equal(spec->linux.time_offsets.boottime.seconds, 7);
	assert_int_equal(spec->linux.time_offsets.boottime.nanoseconds, 0);
}

static void test_net_devices(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec =
		accept(arena, WHOLE,
		       HEAD "\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"network\"}],"
			    "\"netDevices\": {\"eth0\": {\"name\": \"c0\"}, \"eth1\": {},"
			    "\"eth2\": null, \"eth3\": {\"name\": \"net%d\", \"x\": 1}}}}");
	const struct spec_strings *devices = &spec->linux.net_devices;

	(void)state;
	assert_int_equal(devices->count, 4);
	assert_string_equal(devices->items[0].key, "eth0");
	assert_string_equal(devices->items[0].value, "c0");
	assert_string_equal(devices->items[1].value, "eth1");
	assert_string_equal(devices->items[2].value, "eth2");
	assert_string_equal(devices->items[3].value, "net%d");
}

static void test_intel_rdt(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_intel_rdt *rdt;

	(void)state;
	assert_null(accept(arena, LINUX, "\"intelRdt\": null")->linux.intel_rdt);
	rdt = accept(arena, LINUX, "\"intelRdt\": {}")->linux.intel_rdt;
	assert_non_null(rdt);
	assert_null(rdt->clos_id);
	rdt = accept(arena, LINUX,
		     "\"intelRdt\": {\"closID\": \"/\", \"l3CacheSchema\": \"L3:0=f\","
		     "\"memBwSchema\": \"MB:0=20\", \"schemata\": [\"L2:0=1\", \"L2:1=3\"],"
		     "\"enableMonitoring\": true, \"enableMBM\": false}")
		      ->linux.intel_rdt;
	assert_string_equal(rdt->clos_id, "/");
	assert_string_equal(rdt->l3_cache, "L3:0=f");
	assert_string_equal(rdt->memory_bandwidth, "MB:0=20");
	assert_string_equal(rdt->schemata[1], "L2:1=3");
	assert_null(rdt->schemata[2]);
	assert_true(rdt->monitoring);
}

/* What berth cannot do yet, asked to do nothing. */
static void test_asks_for_nothing(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	accept(arena, LINUX,
	       "\"timeOffsets\": {\"monotonic\": {\"secs\": 0, \"nanosecs\": 0}},"
	       "\"netDevices\": {}, \"mountLabel\": \"\", \"intelRdt\": null,"
	       "\"memoryPolicy\": null, \"uidMappings\": [], \"gidMappings\": null,"
	       "\"devices\": null, \"resources\": null, \"seccomp\": null, \"sysctl\": null,"
	       "\"cgroupsPath\": \"\", \"rootfsPropagation\": null, \"maskedPaths\": null,"
	       "\"readonlyPaths\": null, \"personality\": null, \"notKnown\": {\"x\": 1}");
	accept(arena, LINUX, "\"timeOffsets\": null, \"mountLabel\": null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_mount_namespace),
		cmocka_unit_test(test_namespace_names),
		cmocka_unit_test(test_id_maps),
		cmocka_unit_test(test_whole_id_map),
		cmocka_unit_test(test_id_maps_refused),
		cmocka_unit_test(test_many_id_maps),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_paths_and_strings),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_personality),
		cmocka_unit_test(test_net_devices),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_maps_with_joined_namespace),
		cmocka_unit_test(test_time_offsets),
		cmocka_unit_test(test_intel_rdt),
		cmocka_unit_test(test_asks_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
