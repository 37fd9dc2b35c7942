/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays: as the root and as an entry of mounts[], in both ways of mounting one. */
#include <sys/xattr.h>

#include "mount-internal.h"
#include "world.h"

#define LAYERS_MAX 500

/* Lower directories at the paths of @names, the top one first, each with a file "from". */
static void make_layers(const char *const *names, size_t count, const char **ret_paths)
{
	for (size_t i = 0; i < count; i++) {
		char text[32];

		ret_paths[i] = strdup(at("%s", names[i]));
		make_dir(ret_paths[i]);
		snprintf(text, sizeof(text), "layer %zu.", i);
		make_file(at("%s/from", names[i]), text);
		make_file(at("%s/only%zu", names[i], i), text);
	}
	ret_paths[count] = NULL;
}

static const char *const three_names[] = {"top", "middle", "bottom"};

static void check_three(const char *root)
{
	char path[256];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/only%d", root, i);
		CHECK(exists(path));
	}
	snprintf(path, sizeof(path), "%s/from", root);
	CHECK(file_begins(path, "layer 0."));
}

/* The root as an overlay with an upper directory: written to, removed from; the layers stay. */
static void check_root(void)
{
	const char *paths[4];

	make_layers(three_names, 3, paths);
	make_dir(at("bottom/dir"));
	make_file(at("bottom/dir/deep"), "deep");
	make_dir(at("upper"));
	make_dir(at("work"));
	world.spec.overlay.lower = paths;
	world.spec.overlay.lower_count = 3;
	world.spec.overlay.upper = strdup(at("upper"));
	world.spec.overlay.work = strdup(at("work"));
	attach_root();
	CHECK(count_mounts("self", "/root rw,relatime - overlay ") == 1);
	check_three(world.root);
	make_file(at("root/new"), "new");
	CHECK(unlink(at("root/only2")) == 0);
	CHECK(file_begins(at("upper/new"), "new"));
	CHECK(exists(at("bottom/only2")) && !exists(at("root/only2")));
	/* A directory in the place of a layer's needs attributes, which not every tmpfs takes. */
	if (world.context.user_namespace && setxattr(world.base, "user.test", "", 0, 0) < 0)
		return;
	CHECK(unlink(at("root/dir/deep")) == 0 && rmdir(at("root/dir")) == 0);
	make_dir(at("root/dir"));
	CHECK(!exists(at("root/dir/deep")) && exists(at("bottom/dir/deep")));
}

static void test_root(void **state)
{
	(void)state;
	run_in_world(0, check_root);
	run_in_world(CLONE_NEWUSER, check_root);
}

/* Without an upper directory, and with a single lower one: both are read-only. */
static void check_readonly(void)
{
	const char *paths[4];

	make_layers(three_names, 3, paths);
	world.spec.overlay.lower = paths;
	for (size_t count = 1; count <= 3; count++) {
		world.spec.overlay.lower_count = count;
		attach_root();
		CHECK(file_begins(at("root/from"), "layer 0."));
		CHECK(exists(at("root/only1")) == (count > 1));
		CHECK(open(at("root/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 &&
		      errno == EROFS);
	}
}

static void test_readonly(void **state)
{
	(void)state;
	run_in_world(0, check_readonly);
	run_in_world(CLONE_NEWUSER, check_readonly);
}

typedef int (*way)(const struct overlay *overlay, struct error *err);

/* Opens an overlay in one way, attaches it to "place", and has it checked. */
static void check_way(way open_overlay, struct overlay *overlay)
{
	int fd, before = count_fds();

	make_dir(at("scratch"));
	make_dir(at("place"));
	overlay->scratch = at("scratch");
	CHECK(chdir(world.base) == 0);
	fd = open_overlay(overlay, &world.err);
	CHECK_OK(fd);
	CHECK(count_fds() == before + 1);
	/* The scratch directory is free again, and the working directory is where it was. */
	CHECK(count_mounts("self", "/scratch") == 0);
	CHECK(exists("scratch"));
	CHECK(move_mount(fd, "", AT_FDCWD, at("place"), MOVE_MOUNT_F_EMPTY_PATH) == 0);
	fd_close(fd);
}

/* Names with all the characters that mean something to one parser or another, and a long one. */
static void check_names(way open_overlay)
{
	static char longer[2][260];
	const char *names[] = {"a:b", "c,d=e", "back\\slash", "e\\:f\\,g", " sp ace\t", longer[0]};
	const char *paths[ARRAY_SIZE(names) + 1];
	struct overlay overlay = {.lower = paths, .lower_count = ARRAY_SIZE(names)};

	memset(longer[0], 'l', 255);
	memset(longer[1], 'u', 200);
	memcpy(longer[1] + 200, ":,\\", 3);
	make_layers(names, ARRAY_SIZE(names), paths);
	make_dir(at("%s", longer[1]));
	make_dir(at("%s/up", longer[1]));
	make_dir(at("w:o,r\\k"));
	overlay.upper = strdup(at("%s/up", longer[1]));
	overlay.work = strdup(at("w:o,r\\k"));
	check_way(open_overlay, &overlay);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(exists(at("place/only%zu", i)));
	make_file(at("place/new"), "new");
	CHECK(exists(at("%s/up/new", longer[1])));
}

static void check_names_parameters(void)
{
	check_names(overlay_open);
}

static void check_names_mount(void)
{
	check_names(overlay_open_by_mount);
}

static void test_names(void **state)
{
	(void)state;
	run_in_world(0, check_names_parameters);
	run_in_world(0, check_names_mount);
	run_in_world(CLONE_NEWUSER, check_names_parameters);
	run_in_world(CLONE_NEWUSER, check_names_mount);
}

/* As many layers as the kernel takes, with an upper one; and one more. */
static void check_many(way open_overlay)
{
	static char names[LAYERS_MAX + 1][128];
	const char *pointers[LAYERS_MAX + 1], *paths[LAYERS_MAX + 2];
	struct overlay overlay = {.lower = paths, .lower_count = LAYERS_MAX};

	for (size_t i = 0; i < LAYERS_MAX + 1; i++) {
		/* As long as the names of a store: no page holds 500 of them. */
		snprintf(names[i], sizeof(names[i]), "%064zu", i);
		pointers[i] = names[i];
	}
	make_layers(pointers, LAYERS_MAX + 1, paths);
	make_dir(at("up"));
	make_dir(at("work"));
	overlay.upper = strdup(at("up"));
	overlay.work = strdup(at("work"));
	check_way(open_overlay, &overlay);
	CHECK(exists(at("place/only0")) && exists(at("place/only%d", LAYERS_MAX - 1)));
	CHECK(file_begins(at("place/from"), "layer 0."));
	overlay.lower_count++;
	CHECK_FAILS(overlay_open(&overlay, &world.err),
		    "501 lower directories (the kernel takes 500 at most): ");
}

static void check_many_parameters(void)
{
	check_many(overlay_open);
}

static void check_many_mount(void)
{
	check_many(overlay_open_by_mount);
}

static void test_many(void **state)
{
	(void)state;
	run_in_world(0, check_many_parameters);
	run_in_world(0, check_many_mount);
}

static void check_errors(void)
{
	const char *paths[4];

	make_layers(three_names, 3, paths);
	world.spec.overlay.lower = paths;
	world.spec.overlay.lower_count = 3;
	paths[1] = strdup(at("missing"));
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "org.berth.overlay.lower directory \"");
	CHECK(strstr(world.err.text, "/missing\": "));
	CHECK(strstr(world.err.text, "No such file or directory"));
	paths[1] = strdup(at("top/from"));
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "ot a directory");
	paths[1] = paths[2];
	world.spec.overlay.upper = strdup(at("noupper"));
	world.spec.overlay.work = strdup(at("nowork"));
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "upper directory \"");
	/* Upper and work on two file systems: the kernel has its own words, or none. */
	make_dir(at("noupper"));
	make_dir(at("nowork"));
	CHECK(mount("work", at("nowork"), "tmpfs", 0, NULL) == 0);
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "mount the overlay");
}

static void test_errors(void **state)
{
	(void)state;
	run_in_world(0, check_errors);
}

/* An overlay in mounts[], with the options as engines write them. */
static void check_entry(void)
{
	static char lower[1024], upper[256], work[256];
	const char *const data[] = {lower, upper, work, "volatile", NULL};
	struct spec_mount mount = {.destination = "/vol",
				   .type = "overlay",
				   .source = "overlay",
				   .attributes_set = MOUNT_ATTR_NODEV,
				   .propagation = MS_PRIVATE,
				   .data = data};
	const char *const names[] = {"top", "mid:dle", "bottom"};
	const char *paths[4];

	make_layers(names, 3, paths);
	make_dir(at("upper"));
	make_dir(at("work"));
	snprintf(lower, sizeof(lower), "lowerdir=%s:%s:%s", paths[0], at("mid\\:dle"), paths[2]);
	snprintf(upper, sizeof(upper), "upperdir=%s", at("upper"));
	snprintf(work, sizeof(work), "workdir=%s", at("work"));
	use_mounts(&mount, 1);
	attach_root();
	CHECK_OK(mount_entries());
	check_three(at("root/vol"));
	CHECK(mount_flags(at("root/vol")) & ST_NODEV);
	CHECK(count_mounts("self", "volatile") == 1);
	make_file(at("root/vol/new"), "new");
	CHECK(exists(at("upper/new")));
}

static void check_entry_errors(void)
{
	struct spec_mount none = {.destination = "/vol", .type = "overlay"};
	struct spec_mount bad = {
		.destination = "/vol", .type = "overlay", .data = LIST("lowerdir=/nope:/nope2")};

	use_mounts(&none, 1);
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "mounts[0]: an overlay needs the option lowerdir=");
	use_mounts(&bad, 1);
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "mounts[0]: lower directory \"/nope\": ");
}

static void test_entry(void **state)
{
	(void)state;
	run_in_world(0, check_entry);
	run_in_world(CLONE_NEWUSER, check_entry);
	run_in_world(0, check_entry_errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),   cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_names),  cmocka_unit_test(test_many),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_entry),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
