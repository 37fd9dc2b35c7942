/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images and volumes that fight back: links as destinations, as /dev, as /proc, and swapped while
 * berth works. "victim" stands for the host's files: nothing there may change.
 */
#include <linux/fs.h>
#include <signal.h>
#include <sys/prctl.h>

#include "world.h"

static void make_victim(void)
{
	make_dir(at("victim"));
	make_file(at("victim/ptmx"), "victim");
	make_file(at("victim/file"), "victim");
}

static void check_victim(void)
{
	struct stat st;

	CHECK(file_begins(at("victim/ptmx"), "victim"));
	CHECK(file_begins(at("victim/file"), "victim"));
	CHECK(stat(at("victim"), &st) == 0 && st.st_nlink == 2);
	CHECK(!exists(at("victim/null")) && !exists(at("victim/fd")) && !exists(at("victim/new")));
	CHECK(count_mounts("self", "/victim") == 0);
}

/* The links that an image may have in the way: absolute, and climbing. */
static const char *hostile_target(int which)
{
	return which == 0 ? at("victim") : "../../../../../../../../tmp";
}

/* CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc and /sys of the image are links. */
static void check_proc_link(void)
{
	static const char *const ways[] = {"/proc", "//proc/",	"/./proc",	 "/x/../proc",
					   "/sys",  "/proc/in", "/sys/fs/cgroup"};

	make_victim();
	make_dir(at("root/elsewhere"));
	CHECK(symlink("/elsewhere", at("root/proc")) == 0);
	CHECK(symlink(at("victim"), at("root/sys")) == 0);
	attach_root();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct spec_mount mount = {.destination = ways[i], .type = "tmpfs"};

		CHECK_FAILS(mount_single(&mount), "is a symbolic link, or leads through one");
	}
	CHECK(count_mounts("self", "/elsewhere") == 0);
	check_victim();
}

static void test_proc_link(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWPID, check_proc_link);
}

/* A procfs or sysfs goes nowhere through a link, whatever its destination is called. */
static void check_proc_elsewhere(void)
{
	struct spec_mount mount = {.destination = "/link", .type = "proc"};

	make_dir(at("root/elsewhere"));
	CHECK(symlink("/elsewhere", at("root/link")) == 0);
	attach_root();
	CHECK_FAILS(mount_single(&mount), "is a symbolic link");
	mount.destination = "/other";
	CHECK_OK(mount_single(&mount));
	CHECK(exists(at("root/other/self")));
}

static void test_proc_elsewhere(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWPID, check_proc_elsewhere);
}

/* CVE-2019-18837, CVE-2021-30465: other destinations follow links, within the root. */
static void check_destination_link(void)
{
	struct spec_mount mounts[] = {
		{.destination = "/link/new", .type = "tmpfs"},
		{.destination = "/climb/new", .type = "tmpfs"},
	};

	make_victim();
	make_dir(at("root/data"));
	CHECK(symlink("/data", at("root/link")) == 0);
	CHECK(symlink("../../../../data", at("root/climb")) == 0);
	use_mounts(mounts, 2);
	attach_root();
	CHECK_OK(mount_entries());
	/* Both mean the same place. */
	CHECK(count_mounts("self", "/root/data/new rw") == 2);
	check_victim();
}

static void test_destination_link(void **state)
{
	(void)state;
	run_in_world(0, check_destination_link);
}

/* A link to a place that only the host has leads nowhere, and nothing is made for it. */
static void check_destination_outside(void)
{
	struct spec_mount mount = {.destination = "/link/new", .type = "tmpfs"};

	make_victim();
	CHECK(symlink(at("victim"), at("root/link")) == 0);
	use_mounts(&mount, 1);
	attach_root();
	CHECK(mount_entries() < 0);
	check_victim();
}

static void test_destination_outside(void **state)
{
	(void)state;
	run_in_world(0, check_destination_outside);
}

/* CVE-2026-41579, CVE-2026-47766, CVE-2026-88264: /dev of the image is a link. */
static void check_dev_link(void)
{
	struct spec_device devices[] = {
		{.path = "/dev/new", .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0666},
		{.path = "/dev/new2", .type = S_IFIFO, .mode = 0666},
	};

	make_victim();
	world.spec.linux.devices = devices;
	world.spec.linux.device_count = ARRAY_SIZE(devices);
	attach_root();
	for (int i = 0; i < 2; i++) {
		CHECK(symlink(hostile_target(i), at("root/dev")) == 0);
		CHECK_FAILS(mount_dev(&world.context, &world.spec, &world.err),
			    "\"/dev\" of the root is a symbolic link");
		CHECK(unlink(at("root/dev")) == 0);
		check_victim();
	}
}

static void test_dev_link(void **state)
{
	(void)state;
	run_in_world(0, check_dev_link);
	run_in_world(CLONE_NEWUSER, check_dev_link);
}

/* Entries of /dev that are links to the host's files are neither written through nor used. */
static void check_dev_entry_link(void)
{
	make_victim();
	make_dir(at("root/dev"));
	CHECK(symlink(at("victim/file"), at("root/dev/null")) == 0);
	attach_root();
	CHECK_FAILS(mount_dev(&world.context, &world.spec, &world.err),
		    "\"/dev/null\" exists and is not the character device 1:3");
	check_victim();
}

static void test_dev_entry_link(void **state)
{
	(void)state;
	run_in_world(0, check_dev_entry_link);
	run_in_world(CLONE_NEWUSER, check_dev_entry_link);
}

/* CVE-2025-31133: the image's /dev/null is a link to a file that must not be bound anywhere. */
static void check_null_link(void)
{
	static const char *const masked[] = {"/secret", NULL};
	struct stat st;

	make_victim();
	make_dir(at("root/dev"));
	make_file(at("root/secret"), "secret");
	make_file(at("root/writable"), "writable");
	CHECK(symlink("/writable", at("root/dev/null")) == 0);
	world.spec.linux.masked_paths = masked;
	attach_root();
	CHECK_OK(mount_masks(&world.context, &world.spec, &world.err));
	CHECK(stat(at("root/secret"), &st) == 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static void test_null_link(void **state)
{
	(void)state;
	run_in_world(0, check_null_link);
}

/* A masked path that leads out of the root by links masks nothing of the host. */
static void check_mask_link(void)
{
	static const char *const masked[] = {"/link", "/climb", "/in", NULL};

	make_victim();
	CHECK(symlink(at("victim/file"), at("root/link")) == 0);
	CHECK(symlink("../victim", at("root/climb")) == 0);
	make_file(at("root/secret"), "secret");
	CHECK(symlink("/secret", at("root/in")) == 0);
	world.spec.linux.masked_paths = masked;
	world.spec.linux.readonly_paths = masked;
	attach_root();
	CHECK_OK(mount_masks(&world.context, &world.spec, &world.err));
	check_victim();
	/* What a link within the root means is covered where it really is. */
	CHECK(!file_begins(at("root/secret"), "secret"));
}

static void test_mask_link(void **state)
{
	(void)state;
	run_in_world(0, check_mask_link);
}

/* Swaps a directory of the root and a link to the victim for as long as it lives. */
static pid_t start_swapping(void)
{
	char *directory = strdup(at("root/volume/d")), *other = strdup(at("root/volume/l"));
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0) {
		free(directory);
		free(other);
		return pid;
	}
	/* A test that fails does not come to the end of it. */
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	for (;;)
		ignore(renameat2(AT_FDCWD, directory, AT_FDCWD, other, RENAME_EXCHANGE));
}

/* CVE-2021-30465, CVE-2024-45310: the destination is swapped while it is being used. */
static void check_race(void)
{
	struct spec_mount mount = {.destination = "/volume/d/new/deep", .type = "tmpfs"};
	int mounted = 0;
	pid_t pid;

	make_victim();
	make_dir(at("root/volume"));
	make_dir(at("root/volume/d"));
	CHECK(symlink(at("victim"), at("root/volume/l")) == 0);
	use_mounts(&mount, 1);
	attach_root();
	pid = start_swapping();
	for (int i = 0; i < 2000; i++) {
		/* Fails whenever the link is met: it leads to nothing within the root. */
		mounted += mount_entries() == 0;
		ignore(umount2(at("root/volume/d/new/deep"), MNT_DETACH));
		ignore(umount2(at("root/volume/l/new/deep"), MNT_DETACH));
	}
	CHECK(kill(pid, SIGKILL) == 0);
	ignore(wait_for(pid));
	CHECK(mounted > 0);
	check_victim();
}

static void test_race(void **state)
{
	(void)state;
	run_in_world(0, check_race);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proc_link),
		cmocka_unit_test(test_proc_elsewhere),
		cmocka_unit_test(test_destination_link),
		cmocka_unit_test(test_destination_outside),
		cmocka_unit_test(test_dev_link),
		cmocka_unit_test(test_dev_entry_link),
		cmocka_unit_test(test_null_link),
		cmocka_unit_test(test_mask_link),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
