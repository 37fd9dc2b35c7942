/* SPDX-License-Identifier: Apache-2.0 */
/* Bind mounts: sources, mount points, attributes, propagation, locked flags. */
#include "world.h"

#define NOSUID MOUNT_ATTR_NOSUID
#define NODEV  MOUNT_ATTR_NODEV
#define NOEXEC MOUNT_ATTR_NOEXEC
#define RDONLY MOUNT_ATTR_RDONLY

static struct spec_mount bind_of(const char *name, const char *destination)
{
	struct spec_mount mount = {.destination = destination, .type = "bind", .bind = true};

	mount.source = strdup(at("%s", name));
	return mount;
}

/* A source "src" with a file in it, and a tmpfs below it that is nosuid. */
static void make_source(void)
{
	make_dir(at("src"));
	make_file(at("src/file"), "content");
	make_dir(at("src/below"));
	CHECK(mount("below", at("src/below"), "tmpfs", MS_NOSUID, NULL) == 0);
	make_file(at("src/below/deep"), "deep");
}

static void check_kinds(void)
{
	struct spec_mount mounts[5];

	make_source();
	mounts[0] = bind_of("src", "/plain");
	mounts[1] = bind_of("src", "/all");
	mounts[1].bind_recursive = true;
	mounts[1].attributes_set = RDONLY;
	mounts[2] = bind_of("src/file", "/etc/new/file");
	mounts[2].attributes_set = RDONLY | NOEXEC;
	mounts[3] = bind_of("src", "/rro");
	mounts[3].bind_recursive = true;
	mounts[3].recursive_set = RDONLY;
	mounts[4] = bind_of("src/below", "/kept");
	use_mounts(mounts, ARRAY_SIZE(mounts));
	attach_root();
	CHECK_OK(mount_entries());

	CHECK(file_begins(at("root/plain/file"), "content"));
	CHECK(!exists(at("root/plain/below/deep")));
	CHECK(file_begins(at("root/all/below/deep"), "deep"));
	CHECK(mount_flags(at("root/all")) & ST_RDONLY);
	CHECK(!(mount_flags(at("root/all/below")) & ST_RDONLY));
	CHECK(file_begins(at("root/etc/new/file"), "content"));
	CHECK((mount_flags(at("root/etc/new/file")) & (ST_RDONLY | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOEXEC));
	CHECK(mount_flags(at("root/rro")) & ST_RDONLY);
	CHECK((mount_flags(at("root/rro/below")) & (ST_RDONLY | ST_NOSUID)) ==
	      (ST_RDONLY | ST_NOSUID));
	/* Without any attribute the source's flags stay. */
	CHECK(mount_flags(at("root/kept")) & ST_NOSUID);
	/* And the source's own mount is as it was. */
	CHECK(!(mount_flags(at("src")) & ST_RDONLY));
}

static void test_kinds(void **state)
{
	(void)state;
	run_in_world(0, check_kinds);
}

static void check_errors(void)
{
	struct spec_mount mounts[2];
	struct spec_mount readonly[2];

	make_source();
	make_dir(at("root/dir"));
	make_file(at("root/plain"), "");
	mounts[0] = bind_of("src", "/a");
	mounts[1] = bind_of("missing", "/b");
	use_mounts(mounts, 2);
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "mounts[1].source: open \"");
	CHECK(strstr(world.err.text, "/missing\": No such file or directory"));

	mounts[1] = bind_of("src/file", "/dir");
	use_mounts(mounts, 2);
	attach_root();
	CHECK_FAILS(mount_entries(), "mounts[1]: mount \"bind\" on \"/dir\": attach (a directory");
	mount_sources_done(&world.sources);

	mounts[1] = bind_of("src", "/plain/below/file");
	use_mounts(mounts, 2);
	attach_root();
	CHECK_FAILS(mount_entries(), "Not a directory");
	mount_sources_done(&world.sources);

	readonly[0] = bind_of("src", "/ro");
	readonly[0].attributes_set = RDONLY;
	readonly[1] = bind_of("src", "/ro/point");
	use_mounts(readonly, 2);
	attach_root();
	CHECK_FAILS(mount_entries(),
		    "mounts[1]: mount \"bind\" on \"/ro/point\": make the mount point: ");
	CHECK(strstr(world.err.text, "Read-only file system"));
}

static void test_errors(void **state)
{
	(void)state;
	run_in_world(0, check_errors);
}

static void check_root_path(void)
{
	world.spec.root_path = at("nothing");
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "root.path: open \"");
	CHECK(strstr(world.err.text, "/nothing\": No such file or directory"));
	make_file(at("file"), "");
	world.spec.root_path = at("file");
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "/file\": Not a directory");
	/* A link in its place is none, neither while the tree is cloned nor when it is attached. */
	CHECK(symlink("root", at("link")) == 0);
	world.spec.root_path = at("link");
	CHECK_FAILS(mount_sources_open(&world.spec, NULL, &world.sources, &world.err),
		    "/link\": Not a directory");
	world.spec.root_path = at("root");
	CHECK_OK(mount_propagation_prepare(&world.spec, &world.err));
	CHECK_OK(mount_sources_open(&world.spec, NULL, &world.sources, &world.err));
	world.spec.root_path = at("link");
	CHECK_FAILS(
		mount_root_attach(&world.spec, &world.sources, &world.context.rootfd, &world.err),
		"attach the root to \"");
	CHECK(count_mounts("self", "/root rw") == 0);
}

static void test_root_path(void **state)
{
	(void)state;
	run_in_world(0, check_root_path);
}

/*
 * What a user namespace inherits is locked: a flag of the host's mount can't be taken away, even by
 * the container's root, and an option that asks for that ("rw") has no effect; one can be added.
 */
static void check_locked(void)
{
	struct spec_mount entry;

	make_source();
	CHECK(mount(NULL, at("src/below"), NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID,
		    NULL) == 0);
	enter_namespaces(CLONE_NEWUSER);
	entry = bind_of("src/below", "/a");
	entry.attributes_clear = RDONLY;
	use_mounts(&entry, 1);
	attach_root();
	CHECK_OK(mount_entries());
	CHECK((mount_flags(at("root/a")) & (ST_RDONLY | ST_NOSUID)) == (ST_RDONLY | ST_NOSUID));
	mount_sources_done(&world.sources);

	entry.attributes_clear = 0;
	entry.attributes_set = NOEXEC;
	attach_root();
	CHECK_OK(mount_entries());
	CHECK((mount_flags(at("root/a")) & (ST_RDONLY | ST_NOSUID | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOSUID | ST_NOEXEC));
}

static void test_locked(void **state)
{
	(void)state;
	run_in_world(0, check_locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_root_path),
		cmocka_unit_test(test_locked),
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
