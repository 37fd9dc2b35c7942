/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of resctrl, on a tree of files: no directory fills itself there, so that what is written
 * into a new group is looked at in one that exists.
 */
#include "berth/base/str.h"
#include "berth/linux/resctrl.h"

#include "unit.h"

struct fake {
	char *path;
	struct resctrl resctrl;
	struct resctrl_made made;
	struct error err;
};

static void fake_begin(struct fake *fake, const struct spec_intel_rdt *spec)
{
	*fake = (struct fake){
		.path = directory_make(),
		.resctrl = {.spec = spec, .id = "c1", .rootfd = -EBADF, .groupfd = -EBADF},
	};
	fake->resctrl.rootfd = open(fake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fake->resctrl.rootfd >= 0);
}

static void fake_end(struct fake *fake)
{
	resctrl_done(&fake->resctrl);
	directory_remove(&fake->path);
}

/* A group as the kernel makes one; "." is the default one. */
static void fake_group(const struct fake *fake, const char *name, const char *schemata)
{
	const char *const directories[] = {"", "/mon_groups", "/mon_groups/c1"};
	const char *const files[] = {"tasks", "mon_groups/c1/tasks"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s%s", fake->path, name, directories[i]);

		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", name, files[i]);

		free(file_put(fake->path, path, "", 0, 0644));
	}
	_cleanup_free_ char *path = xasprintf("%s/schemata", name);

	free(file_put(fake->path, path, schemata, strlen(schemata), 0644));
}

static void expect_file(const struct fake *fake, const char *name, const char *text)
{
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	assert_fine(file_read_at(fake->resctrl.rootfd, name, 4096, &found, NULL, &err), err);
	assert_string_equal(found, text);
}

static bool is_there(const struct fake *fake, const char *name)
{
	return faccessat(fake->resctrl.rootfd, name, F_OK, 0) == 0;
}

static int make(struct fake *fake)
{
	int r = resctrl_plan(&fake->resctrl, &fake->made, &fake->err);

	return r < 0 ? r : resctrl_make(&fake->resctrl, &fake->made, &fake->err);
}

static void test_nothing(void **state)
{
	struct resctrl resctrl = RESCTRL_UNSET;
	struct resctrl_made made;
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(resctrl_find(NULL, "c1", &resctrl, &err), 0);
	assert_int_equal(resctrl_plan(&resctrl, &made, &err), 0);
	assert_int_equal(resctrl_make(&resctrl, &made, &err), 0);
	assert_int_equal(resctrl_open(&resctrl, &err), 0);
	assert_int_equal(resctrl_assign(&resctrl, 1, &err), 0);
	assert_int_equal(resctrl_remove(-EBADF, &made, "c1", &err), 0);
	assert_null(made.group);
}

static void test_own_group(void **state)
{
	const struct spec_intel_rdt spec = {.clos_id = NULL};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	assert_fine(make(&fake), fake.err);
	assert_true(fake.made.group_is_ours && !fake.made.monitor_is_ours);
	assert_string_equal(fake.made.group, "c1");
	assert_true(is_there(&fake, "c1"));
	assert_fine(resctrl_remove(fake.resctrl.rootfd, &fake.made, "c1", &fake.err), fake.err);
	assert_false(is_there(&fake, "c1"));
	/* Again is fine. */
	assert_fine(resctrl_remove(fake.resctrl.rootfd, &fake.made, "c1", &fake.err), fake.err);
	/* One that is there is not taken for ours. */
	fake_group(&fake, "c1", "");
	assert_int_equal(make(&fake), -EEXIST);
	assert_contains(fake.err.text, "a resctrl group \"c1\" exists already");
	assert_null(fake.made.group);
	fake_end(&fake);
}

/* The fake has no file "schemata" in a new group: as if the kernel refused the line. */
static void test_refused_line(void **state)
{
	const struct spec_intel_rdt own = {.l3_cache = "L3:0=f", .monitoring = true};
	const struct spec_intel_rdt named = {.clos_id = "gold", .memory_bandwidth = "MB:0=20"};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &own);
	assert_int_equal(make(&fake), -ENOENT);
	assert_contains(fake.err.text, "linux.intelRdt.l3CacheSchema: write \"L3:0=f\" to "
				       "\"/sys/fs/resctrl/c1/schemata\"");
	assert_false(is_there(&fake, "c1"));
	assert_false(fake.made.group_is_ours || fake.made.monitor_is_ours);
	fake.resctrl.spec = &named;
	fake.resctrl.groupfd = fd_close(fake.resctrl.groupfd);
	assert_int_equal(make(&fake), -ENOENT);
	assert_contains(fake.err.text, "linux.intelRdt.memBwSchema");
	assert_false(is_there(&fake, "gold"));
	fake_end(&fake);
}

static void test_last_status(void **state)
{
	const struct spec_intel_rdt spec = {.l3_cache = "L3:0=f"};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	assert_int_equal(mkdirat(fake.resctrl.rootfd, "info", 0755), 0);
	free(file_put(fake.path, "info/last_cmd_status", "Mask is out of range\n", 21, 0444));
	assert_int_equal(make(&fake), -ENOENT);
	assert_contains(fake.err.text, "schemata\" (Mask is out of range)");
	fake_end(&fake);
}

static void test_named_group(void **state)
{
	const struct spec_intel_rdt spec = {.clos_id = "gold"};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	assert_int_equal(make(&fake), -ENOENT);
	assert_contains(fake.err.text, "linux.intelRdt.closID: open resctrl group \"gold\"");
	fake_group(&fake, "gold", "L3:0=f\n");
	assert_fine(make(&fake), fake.err);
	assert_false(fake.made.group_is_ours || fake.made.monitor_is_ours);
	assert_fine(resctrl_assign(&fake.resctrl, 4711, &fake.err), fake.err);
	expect_file(&fake, "gold/tasks", "4711");
	expect_file(&fake, "gold/mon_groups/c1/tasks", "");
	expect_file(&fake, "gold/schemata", "L3:0=f\n");
	assert_fine(resctrl_remove(fake.resctrl.rootfd, &fake.made, "c1", &fake.err), fake.err);
	assert_true(is_there(&fake, "gold"));
	fake_end(&fake);
}

static const struct {
	const char *l3, *bandwidth, *field; /* field: of the refusal; NULL: it holds */
} comparisons[] = {
	{"L3:0=7f0;1=1f", "MB:0=20;1=70", NULL},
	{"L3:1=01F", NULL, NULL},
	{"L3:0=7f0;1=1f", "MB:0=20;1=71", "memBwSchema"},
	{"L3:0=7f", NULL, "l3CacheSchema"},
	{"L3:0=7f00", NULL, "l3CacheSchema"},
	{"L3:2=1f", NULL, "l3CacheSchema"},
	{"L3:0", NULL, "l3CacheSchema"},
	{"L3CODE:0=7f0", NULL, "l3CacheSchema"},
	{"L:0=7f0", NULL, "l3CacheSchema"},
};

static void test_compare(void **state)
{
	static const char schemata[] = "    MB:0= 20;1= 70\n    L3:0=7f0;1=01f\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		const struct spec_intel_rdt spec = {
			.clos_id = "gold",
			.l3_cache = comparisons[i].l3,
			.memory_bandwidth = comparisons[i].bandwidth,
		};
		struct fake fake;

		fake_begin(&fake, &spec);
		fake_group(&fake, "gold", schemata);
		if (!comparisons[i].field) {
			assert_fine(make(&fake), fake.err);
		} else {
			assert_int_equal(make(&fake), -EINVAL);
			assert_contains(fake.err.text, comparisons[i].field);
			assert_contains(fake.err.text, "resctrl group \"gold\" exists, and is not");
		}
		expect_file(&fake, "gold/schemata", schemata);
		fake_end(&fake);
	}
}

static void test_schemata_of_existing(void **state)
{
	static const char *const lines[] = {"L2:0=f;1=f", NULL};
	const struct spec_intel_rdt spec = {.clos_id = "gold", .schemata = lines};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	fake_group(&fake, "gold", "");
	assert_fine(make(&fake), fake.err);
	expect_file(&fake, "gold/schemata", "L2:0=f;1=f\n");
	fake_end(&fake);
}

static void test_monitoring(void **state)
{
	const struct spec_intel_rdt spec = {.clos_id = "/", .monitoring = true};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	assert_int_equal(mkdirat(fake.resctrl.rootfd, "mon_groups", 0755), 0);
	assert_fine(make(&fake), fake.err);
	assert_true(fake.made.monitor_is_ours && !fake.made.group_is_ours);
	assert_true(is_there(&fake, "mon_groups/c1"));
	assert_fine(resctrl_remove(fake.resctrl.rootfd, &fake.made, "c1", &fake.err), fake.err);
	assert_false(is_there(&fake, "mon_groups/c1"));
	assert_true(is_there(&fake, "mon_groups"));
	/* With the files that the kernel would have made. */
	fake_group(&fake, ".", "");
	assert_fine(resctrl_assign(&fake.resctrl, 12, &fake.err), fake.err);
	expect_file(&fake, "tasks", "12");
	expect_file(&fake, "mon_groups/c1/tasks", "12");
	/* Somebody else's of that name. */
	fake.resctrl.groupfd = fd_close(fake.resctrl.groupfd);
	assert_int_equal(make(&fake), -EEXIST);
	assert_contains(fake.err.text, "make the monitoring group \"c1\" of \"/\"");
	assert_false(fake.made.monitor_is_ours);
	fake_end(&fake);
}

static void test_update(void **state)
{
	const struct spec_intel_rdt spec = {.clos_id = "gold"};
	const struct spec_intel_rdt lines = {.memory_bandwidth = "MB:0=50"};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	fake_group(&fake, "gold", "");
	assert_fine(resctrl_open(&fake.resctrl, &fake.err), fake.err);
	assert_fine(resctrl_update(&fake.resctrl, &lines, &fake.err), fake.err);
	expect_file(&fake, "gold/schemata", "MB:0=50\n");
	fake_end(&fake);
}

static void test_no_path(void **state)
{
	const struct spec_intel_rdt spec = {.clos_id = "gold"};
	const char *const names[] = {"../x", "..", "a/b"};
	struct fake fake;

	(void)state;
	fake_begin(&fake, &spec);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct resctrl_made made = {.group = names[i], .monitor_is_ours = true};

		assert_int_equal(resctrl_remove(fake.resctrl.rootfd, &made, "c1", &fake.err),
				 -EINVAL);
	}
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_own_group),
		cmocka_unit_test(test_refused_line),
		cmocka_unit_test(test_last_status),
		cmocka_unit_test(test_named_group),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_schemata_of_existing),
		cmocka_unit_test(test_monitoring),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_no_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
