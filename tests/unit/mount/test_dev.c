/* SPDX-License-Identifier: Apache-2.0 */
/* The container's /dev: nodes, links, linux.devices; what is there already; user namespaces. */
#include "world.h"

static const char *const default_names[] = {"null", "zero", "full", "random", "urandom", "tty"};
static const unsigned default_numbers[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}};

static int make_all(void)
{
	return mount_dev(&world.context, &world.spec, &world.err);
}

static bool is_node(const char *path, mode_t type, unsigned major_number, unsigned minor_number)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       st.st_rdev == makedev(major_number, minor_number);
}

static bool links_to(const char *path, const char *target)
{
	char found[64] = "";

	return readlink(path, found, sizeof(found) - 1) > 0 && str_equal(found, target);
}

static void check_default_entries(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_names); i++)
		CHECK(is_node(at("root/dev/%s", default_names[i]), S_IFCHR, default_numbers[i][0],
			      default_numbers[i][1]));
	CHECK(links_to(at("root/dev/fd"), "/proc/self/fd"));
	CHECK(links_to(at("root/dev/stdin"), "/proc/self/fd/0"));
	CHECK(links_to(at("root/dev/stdout"), "/proc/self/fd/1"));
	CHECK(links_to(at("root/dev/stderr"), "/proc/self/fd/2"));
	CHECK(exists("/proc/kcore") == exists(at("root/dev/core")));
	CHECK(write(open(at("root/dev/null"), O_WRONLY | O_CLOEXEC), "x", 1) == 1);
	CHECK(write(open(at("root/dev/full"), O_WRONLY | O_CLOEXEC), "x", 1) < 0 &&
	      errno == ENOSPC);
}

/* Twice: what the first left is right for the second, in a root that stays. */
static void check_default(void)
{
	attach_root();
	umask(077);
	CHECK_OK(make_all());
	check_default_entries();
	CHECK(!exists(at("root/dev/ptmx")));
	CHECK_OK(make_all());
	check_default_entries();
	CHECK(umask(0) == 077);
}

static void check_modes(void)
{
	struct stat st;

	attach_root();
	umask(077);
	CHECK_OK(make_all());
	for (size_t i = 0; i < ARRAY_SIZE(default_names); i++)
		CHECK(lstat(at("root/dev/%s", default_names[i]), &st) == 0 &&
		      (st.st_mode & 07777) == 0666);
}

static void test_default(void **state)
{
	(void)state;
	run_in_world(0, check_default);
	run_in_world(CLONE_NEWUSER, check_default);
	if (geteuid() == 0)
		run_in_world(0, check_modes);
}

static struct spec_device devices[] = {
	{.path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0600, .uid = 7},
	{.path = "/dev/sub/zero", .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0640, .gid = 8},
	{.path = "/data/deep/full", .type = S_IFCHR, .major = 1, .minor = 7, .mode = 0777},
	{.path = "/dev/pipe", .type = S_IFIFO, .mode = 0622, .uid = 1, .gid = 2},
	{.path = "/dev/block", .type = S_IFBLK, .major = 7, .minor = 200, .mode = 0660},
};

static void use_devices(struct spec_device *list, size_t count)
{
	world.spec.linux.devices = list;
	world.spec.linux.device_count = count;
}

static void check_owner(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	CHECK((st.st_mode & 07777) == mode && st.st_uid == uid && st.st_gid == gid);
}

static void check_configured(void)
{
	use_devices(devices, ARRAY_SIZE(devices));
	attach_root();
	CHECK_OK(make_all());
	/* An entry replaces the default node of the same path. */
	check_owner(at("root/dev/null"), 0600, 7, 0);
	CHECK(is_node(at("root/dev/sub/zero"), S_IFCHR, 1, 5));
	check_owner(at("root/dev/sub/zero"), 0640, 0, 8);
	CHECK(is_node(at("root/data/deep/full"), S_IFCHR, 1, 7));
	check_owner(at("root/data/deep/full"), 0777, 0, 0);
	CHECK(is_node(at("root/dev/pipe"), S_IFIFO, 0, 0));
	check_owner(at("root/dev/pipe"), 0622, 1, 2);
	CHECK(is_node(at("root/dev/block"), S_IFBLK, 7, 200));
	/* All of them are right for a second container on the same root. */
	CHECK_OK(make_all());
}

static void test_configured(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run_in_world(0, check_configured);
}

/* In a user namespace the host's node is bound, and there has to be one with the right number. */
static void check_configured_userns(void)
{
	struct spec_device good[] = {
		{.path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0600},
		{.path = "/dev/pipe", .type = S_IFIFO, .mode = 0600},
	};
	struct spec_device number = {.path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 7};
	struct spec_device missing = {.path = "/dev/no/such", .type = S_IFCHR, .major = 1};

	use_devices(good, ARRAY_SIZE(good));
	attach_root();
	CHECK_OK(make_all());
	CHECK(is_node(at("root/dev/zero"), S_IFCHR, 1, 5));
	CHECK(is_node(at("root/dev/pipe"), S_IFIFO, 0, 0));
	use_devices(&missing, 1);
	CHECK_FAILS(make_all(), "linux.devices[0]: open the host's \"/dev/no/such\": No such file");
	CHECK(umount2(at("root/dev/zero"), MNT_DETACH) == 0);
	use_devices(&number, 1);
	CHECK_FAILS(make_all(), "the host's \"/dev/zero\" is not the device 1:7");
}

static void test_configured_userns(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWUSER, check_configured_userns);
}

/* What exists must be what was asked for. */
static void check_existing(void)
{
	struct spec_device pipe = {.path = "/dev/x", .type = S_IFIFO, .mode = 0600};
	struct spec_device block = {.path = "/dev/x", .type = S_IFBLK, .major = 1, .minor = 5};

	make_dir(at("root/dev"));
	make_file(at("root/dev/x"), "");
	attach_root();
	use_devices(&pipe, 1);
	CHECK_FAILS(make_all(), "linux.devices[0]: \"/dev/x\" exists and is no fifo");
	CHECK(unlink(at("root/dev/x")) == 0);
	CHECK(mknod(at("root/dev/x"), S_IFCHR | 0600, makedev(1, 5)) == 0);
	use_devices(&block, 1);
	CHECK_FAILS(make_all(), "\"/dev/x\" exists and is not the block device 1:5");
	use_devices(NULL, 0);
	CHECK(unlink(at("root/dev/full")) == 0);
	make_dir(at("root/dev/full"));
	CHECK_FAILS(make_all(), "default devices: \"/dev/full\" exists and is not the character "
				"device 1:7");
}

static void test_existing(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run_in_world(0, check_existing);
}

static void check_links(void)
{
	make_dir(at("root/dev"));
	CHECK(symlink("fd/0", at("root/dev/stdin")) == 0);
	attach_root();
	CHECK_OK(make_all());
	CHECK(links_to(at("root/dev/stdin"), "fd/0"));
	CHECK(unlink(at("root/dev/stdout")) == 0);
	make_file(at("root/dev/stdout"), "");
	CHECK_FAILS(make_all(), "\"/dev/stdout\" exists and is no symbolic link");
}

static void test_links(void **state)
{
	(void)state;
	run_in_world(0, check_links);
}

/* /dev/ptmx becomes the one of the container's devpts, whatever the image has there. */
static void check_ptmx(void)
{
	struct spec_mount mount = {
		.destination = "/dev/pts", .type = "devpts", .data = LIST("ptmxmode=0666")};

	make_dir(at("root/dev"));
	make_file(at("root/dev/ptmx"), "image");
	attach_root();
	CHECK_OK(make_all());
	CHECK(file_begins(at("root/dev/ptmx"), "image"));
	CHECK_OK(mount_single(&mount));
	for (int i = 0; i < 2; i++) {
		CHECK_OK(make_all());
		CHECK(links_to(at("root/dev/ptmx"), "pts/ptmx"));
	}
	/* Also where no entry of mounts[] says so, but it is mounted. */
	world.spec.mount_count = 0;
	CHECK(unlink(at("root/dev/ptmx")) == 0);
	CHECK_OK(make_all());
	CHECK(open(at("root/dev/ptmx"), O_RDWR | O_CLOEXEC | O_NOCTTY) >= 0);
}

static void test_ptmx(void **state)
{
	(void)state;
	run_in_world(0, check_ptmx);
}

/* A /dev that is bound is left alone. */
static void check_bound(void)
{
	struct spec_mount mount = {.destination = "/dev/", .type = "bind", .bind = true};

	make_dir(at("own"));
	make_file(at("own/null"), "own");
	mount.source = at("own");
	use_mounts(&mount, 1);
	attach_root();
	CHECK_OK(mount_entries());
	CHECK_OK(make_all());
	CHECK(file_begins(at("own/null"), "own"));
	CHECK(!exists(at("own/zero")) && !exists(at("own/fd")));
}

static void test_bound(void **state)
{
	(void)state;
	run_in_world(0, check_bound);
}

/* A root that can't be written to serves if everything is there, and is an error if not. */
static void check_readonly(void)
{
	attach_root();
	CHECK_OK(make_all());
	CHECK(mount(NULL, world.root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_OK(make_all());
	CHECK(mount(NULL, world.root, NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	CHECK(unlink(at("root/dev/stderr")) == 0);
	CHECK(mount(NULL, world.root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_FAILS(make_all(), "link \"/dev/stderr\": Read-only file system");
}

static void test_readonly(void **state)
{
	(void)state;
	run_in_world(0, check_readonly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_configured),
		cmocka_unit_test(test_configured_userns),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_ptmx),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_readonly),
	};

	return cmocka_run_group_tests_name("dev", tests, NULL, NULL);
}
