/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's mounts[], and the table of their options. */
#include <sys/mount.h>

#include "unit.h"

/* The mount that an entry with these members becomes. */
static const struct spec_mount *mount_of(struct arena *arena, const char *members)
{
	_cleanup_free_ char *text = xasprintf("\"mounts\": [{%s}],", members);

	return accept(arena, TOP, text)->mounts;
}

/* The mount that a tmpfs with these options becomes; @list is in JSON's syntax. */
static const struct spec_mount *options_of(struct arena *arena, const char *list)
{
	_cleanup_free_ char *members =
		xasprintf("\"destination\": \"/d\", \"type\": \"tmpfs\", \"options\": [%s]", list);

	return mount_of(arena, members);
}

static void test_plain(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_mount *mount = mount_of(
		arena, "\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"");

	(void)state;
	assert_string_equal(mount->destination, "/proc");
	assert_string_equal(mount->type, "proc");
	assert_string_equal(mount->source, "proc");
	assert_false(mount->bind || mount->bind_recursive || mount->remount || mount->copy_up);
	assert_true(mount->attributes_set == 0 && mount->attributes_clear == 0);
	assert_true(mount->recursive_set == 0 && mount->recursive_clear == 0);
	assert_true(mount->propagation == 0);
	assert_null(mount->sb_flags[0]);
	assert_null(mount->data[0]);
	assert_int_equal(mount->index, 0);
}

static void test_order(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec =
		accept(arena, TOP,
		       "\"mounts\": [{\"destination\": \"a/../b\", \"type\": \"x\"},"
		       "{\"destination\": \"/b\", \"type\": \"y\"},"
		       "{\"destination\": \"/c\", \"type\": \"z\"}],");

	(void)state;
	assert_int_equal(spec->mount_count, 3);
	/* Relative to the root; ".." is for those who resolve it there. */
	assert_string_equal(spec->mounts[0].destination, "/a/../b");
	assert_null(spec->mounts[0].source);
	assert_string_equal(spec->mounts[2].type, "z");
	assert_int_equal(spec->mounts[2].index, 2);
}

static void test_bind(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_mount *mount =
		mount_of(arena, "\"destination\": \"/d\", \"source\": \"../data//x\","
				"\"options\": [\"bind\", \"ro\", \"acl\"]");

	(void)state;
	assert_true(mount->bind && !mount->bind_recursive);
	assert_string_equal(mount->source, "/bundles/data/x");
	assert_string_equal(mount->type, "");
	assert_true(mount->attributes_set == MOUNT_ATTR_RDONLY);
	assert_null(mount->data[0]);

	mount = mount_of(arena, "\"destination\": \"/d\", \"source\": \"/x\", \"type\": \"none\","
				"\"options\": [\"rbind\", \"rprivate\"]");
	assert_true(mount->bind && mount->bind_recursive);
	assert_string_equal(mount->source, "/x");
	assert_true(mount->propagation == (MS_PRIVATE | MS_REC));

	mount = mount_of(arena, "\"destination\": \"/d\", \"source\": \"/x\", \"type\": \"bind\"");
	assert_true(mount->bind && !mount->bind_recursive);
}

static void test_remount(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_mount *mount =
		mount_of(arena, "\"destination\": \"/d\", \"options\": [\"remount\", \"ro\"]");

	(void)state;
	assert_true(mount->remount && !mount->bind);
	assert_string_equal(mount->type, "");
	mount = mount_of(arena,
			 "\"destination\": \"/d\", \"options\": [\"remount\", \"bind\", \"ro\"]");
	assert_true(mount->remount && mount->bind);
	assert_null(mount->source);
}

static void test_data_and_flags(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_mount *mount = options_of(
		arena, "\"mode=755\", \"sync\", \"defaults\", \"\", \"size=65536k\", \"lazytime\","
		       "\"acl\", \"async\", \"silent\", \"loud\", \"iversion\", \"noiversion\","
		       "\"tmpcopyup\", \"unheard of\", \"dirsync\", \"ro\", \"mand\"");
	static const char *const flags[] = {"sync", "lazytime", "async", "dirsync", "mand"};
	static const char *const data[] = {"mode=755", "size=65536k", "acl", "unheard of"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		assert_string_equal(mount->sb_flags[i], flags[i]);
	assert_null(mount->sb_flags[ARRAY_SIZE(flags)]);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		assert_string_equal(mount->data[i], data[i]);
	assert_null(mount->data[ARRAY_SIZE(data)]);
	assert_true(mount->copy_up);
	assert_true(mount->attributes_set == MOUNT_ATTR_RDONLY);
}

/* The later of two options that contradict each other wins, and both fields agree on it. */
static void test_later_wins(void **state)
{
	static const struct {
		const char *options;
		uint64_t set, clear;
	} cases[] = {
		{"\"ro\", \"rw\"", 0, MOUNT_ATTR_RDONLY},
		{"\"rw\", \"ro\"", MOUNT_ATTR_RDONLY, 0},
		{"\"nosuid\", \"nodev\", \"suid\"", MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID},
		{"\"noatime\"", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
		{"\"noatime\", \"strictatime\"", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
		{"\"strictatime\", \"noatime\", \"ro\", \"exec\"",
		 MOUNT_ATTR_NOATIME | MOUNT_ATTR_RDONLY, MOUNT_ATTR__ATIME | MOUNT_ATTR_NOEXEC},
		{"\"noatime\", \"atime\"", 0, MOUNT_ATTR__ATIME},
		{"\"strictatime\", \"atime\"", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
		{"\"noatime\", \"nostrictatime\"", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
		{"\"strictatime\", \"nostrictatime\"", 0, MOUNT_ATTR__ATIME},
		{"\"noatime\", \"relatime\"", 0, MOUNT_ATTR__ATIME},
		{"\"noatime\", \"norelatime\"", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
		{"\"nodiratime\", \"noatime\"", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOATIME,
		 MOUNT_ATTR__ATIME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct spec_mount *mount = options_of(arena, cases[i].options);

		assert_true(mount->attributes_set == cases[i].set);
		assert_true(mount->attributes_clear == cases[i].clear);
		assert_true(mount->recursive_set == 0 && mount->recursive_clear == 0);
	}
}

/* What each option means, as the specification's table has it. */
static const struct {
	const char *name;
	uint64_t set, clear;
} attributes[] = {
	{"ro", MOUNT_ATTR_RDONLY, 0},
	{"rw", 0, MOUNT_ATTR_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID, 0},
	{"suid", 0, MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV, 0},
	{"dev", 0, MOUNT_ATTR_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC, 0},
	{"exec", 0, MOUNT_ATTR_NOEXEC},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
	{"diratime", 0, MOUNT_ATTR_NODIRATIME},
	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
	{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
	{"atime", 0, MOUNT_ATTR__ATIME},
	{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
	{"nostrictatime", 0, MOUNT_ATTR__ATIME},
	{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
	{"norelatime", 0, MOUNT_ATTR__ATIME},
};

/* Applies one option to a zeroed mount. */
static struct spec_mount apply(const char *option, const char **sb_flag, const char **data)
{
	struct spec_mount mount = {.type = "tmpfs"};
	struct error err = ERROR_NONE;

	assert_int_equal(mount_option_apply(option, &mount, sb_flag, data, &err), 0);
	return mount;
}

static void test_attributes(void **state)
{
	const char *sb_flag, *data;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		_cleanup_free_ char *recursive = xasprintf("r%s", attributes[i].name);
		struct spec_mount mount = apply(attributes[i].name, &sb_flag, &data);

		assert_true(mount.attributes_set == attributes[i].set);
		assert_true(mount.attributes_clear == attributes[i].clear);
		assert_true(mount.recursive_set == 0 && mount.recursive_clear == 0);
		assert_true(sb_flag == NULL && data == NULL);

		mount = apply(recursive, &sb_flag, &data);
		assert_true(mount.recursive_set == attributes[i].set);
		assert_true(mount.recursive_clear == attributes[i].clear);
		assert_true(mount.attributes_set == 0 && mount.attributes_clear == 0);
		assert_true(sb_flag == NULL && data == NULL);
	}
}

static void test_propagation(void **state)
{
	static const struct {
		const char *name;
		uint64_t flags;
	} cases[] = {
		{"shared", MS_SHARED},	       {"rshared", MS_SHARED | MS_REC},
		{"slave", MS_SLAVE},	       {"rslave", MS_SLAVE | MS_REC},
		{"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
		{"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
	};
	const char *sb_flag, *data;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_mount mount = apply(cases[i].name, &sb_flag, &data);

		assert_true(mount.propagation == cases[i].flags);
		assert_true(mount.attributes_set == 0 && sb_flag == NULL && data == NULL);
	}
}

/* The specification's table, one by one: no option of it is taken for a file system's own. */
static void test_table_is_complete(void **state)
{
	static const char *const names[] = {
		"async",	  "atime",	"bind",		"defaults",    "dev",
		"diratime",	  "dirsync",	"exec",		"iversion",    "lazytime",
		"loud",		  "mand",	"noatime",	"nodev",       "nodiratime",
		"noexec",	  "noiversion", "nolazytime",	"nomand",      "norelatime",
		"nostrictatime",  "nosuid",	"nosymfollow",	"private",     "ratime",
		"rbind",	  "rdev",	"rdiratime",	"relatime",    "remount",
		"rexec",	  "rnoatime",	"rnodiratime",	"rnoexec",     "rnorelatime",
		"rnostrictatime", "rnosuid",	"rnosymfollow", "ro",	       "rprivate",
		"rrelatime",	  "rro",	"rrw",		"rshared",     "rslave",
		"rstrictatime",	  "rsuid",	"rsymfollow",	"runbindable", "rw",
		"shared",	  "silent",	"slave",	"strictatime", "suid",
		"symfollow",	  "sync",	"tmpcopyup",	"unbindable",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *sb_flag, *data;
		bool listed = false;

		apply(names[i], &sb_flag, &data);
		assert_null(data);
		for (size_t j = 0; mount_option_names[j] != NULL; j++)
			listed |= str_equal(mount_option_names[j], names[i]);
		assert_true(listed);
	}
}

/* And the other way: sorted without doubles, and each name does what it says or is data. */
static void test_table_is_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; mount_option_names[i] != NULL; i++) {
		const char *name = mount_option_names[i], *sb_flag, *data;

		if (i > 0)
			assert_true(strcmp(mount_option_names[i - 1], name) < 0);
		apply(name, &sb_flag, &data);
		if (data != NULL)
			assert_true(str_equal(name, "acl") || str_equal(name, "noacl"));
		if (sb_flag != NULL)
			assert_string_equal(sb_flag, name);
	}
}

static const struct refusal refusals[] = {
	{TOP, "\"mounts\": {},", "mounts: found an object, must be an array"},
	{TOP, "\"mounts\": [5],", "mounts[0]: found a number, must be an object"},
	{TOP, "\"mounts\": [{}],", "mounts[0].destination: required, but missing"},
	{TOP, "\"mounts\": [{\"destination\": \"\"}],", "mounts[0].destination: must not be empty"},
	{TOP, "\"mounts\": [{\"destination\": 1}],",
	 "mounts[0].destination: found a number, must be a string"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"type\": 1}],",
	 "mounts[0].type: found a number, must be a string"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"source\": \"/b\"}],",
	 "mounts[0].type: required, but missing (without \"bind\" or \"rbind\" among the options)"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"options\": [\"bind\"]}],",
	 "mounts[0].source: required for a bind mount, but missing"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"type\": \"x\", \"options\": \"ro\"}],",
	 "mounts[0].options: found a string, must be an array"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"type\": \"x\", \"options\": [\"ro\", 1]}],",
	 "mounts[0].options[1]: found a number, must be a string"},
	{TOP,
	 "\"mounts\": [{\"destination\": \"/a\", \"source\": \"/b\","
	 "\"options\": [\"bind\", \"idmap\"]}],",
	 "mounts[0].options: mapped ids need a \"user\" namespace in linux.namespaces, or "
	 "uidMappings and gidMappings of the mount"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"options\": [\"ridmap=uids=0-1-2\"]}],",
	 "mounts[0].options[0]: \"ridmap=uids=0-1-2\": not supported yet, use uidMappings and "
	 "gidMappings"},
	{TOP,
	 "\"mounts\": [{\"destination\": \"/a\", \"type\": \"tmpfs\","
	 "\"options\": [\"idmap\"]}],",
	 "mounts[0].options: ids are mapped by bind mounts only"},
	{TOP,
	 "\"mounts\": [{\"destination\": \"/a\", \"type\": \"x\", \"uidMappings\":"
	 "[{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]}],",
	 "mounts[0].gidMappings: required where ids are mapped, but missing"},
	{TOP,
	 "\"mounts\": [{\"destination\": \"/a\", \"type\": \"x\", \"uidMappings\": [],"
	 "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]}],",
	 "mounts[0].uidMappings: required where ids are mapped, but missing"},
	{TOP,
	 "\"mounts\": [{\"destination\": \"/a\", \"source\": \"/b\", \"type\": \"bind\","
	 "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 2},"
	 "{\"containerID\": 1, \"hostID\": 5, \"size\": 1}],"
	 "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]}],",
	 "mounts[0].uidMappings[1]: overlaps item 0"},
	{TOP, "\"mounts\": [{\"destination\": \"/a\", \"type\": \"x\", \"gidMappings\": {}}],",
	 "mounts[0].gidMappings: found an object, must be an array"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

static void test_id_map_options(void **state)
{
	static const char *const refused[] = {"idmap=", "ridmap=uids=@0-1-2"};
	static const char *const others[] = {"idmapped", "ridma", "idmap2=x", "xidmap"};
	struct spec_mount mount = {.type = "x"};
	const char *sb_flag, *data;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = ERROR_NONE;

		assert_int_equal(mount_option_apply(refused[i], &mount, &sb_flag, &data, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, "not supported yet"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		apply(others[i], &sb_flag, &data);
		assert_string_equal(data, others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_remount),
		cmocka_unit_test(test_data_and_flags),
		cmocka_unit_test(test_later_wins),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_table_is_complete),
		cmocka_unit_test(test_table_is_sorted),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_id_map_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
