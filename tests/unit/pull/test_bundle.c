/* SPDX-License-Identifier: Apache-2.0 */
/* Making a bundle: its directory, its root, its config.json. */
#include "bundle.h"

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void test_whole(void **state)
{
	struct lab lab;
	const struct json *config;
	struct error err = ERROR_NONE;
	struct stat st;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", NULL},
	      {"etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:\n"},
	      {"etc/group", "www:x:80:web\n"});
	LAYER(&lab, {"bin/", NULL});
	lab.image.entrypoint = NAMES("/bin/server", "-x");
	lab.image.cmd = NAMES("start");
	lab.image.env = NAMES("A=1", "PATH=/bin");
	lab.image.user = "web";
	lab.image.working_dir = "/srv";
	assert_fine(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err);
	config = lab_config(&lab, "bundle");
	assert_json(config, "process.args", "[\"/bin/server\",\"-x\",\"start\"]");
	assert_json(config, "process.env", "[\"A=1\",\"PATH=/bin\",\"HOME=/srv\"]");
	assert_json(config, "process.cwd", "\"/srv\"");
	assert_json(config, "process.user", "{\"uid\":33,\"gid\":33,\"additionalGids\":[80]}");
	assert_json(config, "process.noNewPrivileges", "true");
	assert_json(config, "hostname", "\"bundle\"");
	assert_json(config, "annotations.org", "(none)");
	assert_int_equal(fstatat(lab.world->fd, "bundle", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(lab.world->fd, "bundle/upper", &st, 0), 0);
	assert_int_equal(fstatat(lab.world->fd, "bundle/work", &st, 0), 0);
	lab_close(&lab);
}

static int count_entries(const struct world *world)
{
	DIR *dir = opendir(world->path);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void test_place(void **state)
{
	struct lab lab;
	struct error err = ERROR_NONE;

	lab_open(&lab, state);
	LAYER(&lab, {"a", ""});
	put_directory(lab.world, "bundle");
	assert_fine(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err);
	assert_failed(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err,
		      -ENOTEMPTY);
	assert_contains(err.text, "not empty");
	put_file(lab.world, "file", "");
	free(lab.bundle);
	lab.bundle = xasprintf("%s/file", lab.world->path);
	assert_failed(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err,
		      -ENOTDIR);
	free(lab.bundle);
	lab.bundle = xasprintf("%s/none/bundle", lab.world->path);
	assert_failed(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err,
		      -ENOENT);
	assert_failed(bundle_make(&lab.store, &lab.image, &lab.options, "/", &err), err,
		      -ENOTEMPTY);
	/* store, bundle, file */
	assert_int_equal(count_entries(lab.world), 3);
	lab_close(&lab);
}

static void test_nothing_stays(void **state)
{
	struct lab lab;
	struct error err = ERROR_NONE;

	lab_open(&lab, state);
	LAYER(&lab, {"a", ""});
	lab.image.user = "nobody-there";
	assert_failed(bundle_make(&lab.store, &lab.image, &lab.options, lab.bundle, &err), err,
		      -EINVAL);
	assert_contains(err.text, "the image has no user \"nobody-there\"");
	/* the store alone */
	assert_int_equal(count_entries(lab.world), 1);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_whole),
		world_test(test_place),
		world_test(test_nothing_stays),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
