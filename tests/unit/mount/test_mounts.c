/* SPDX-License-Identifier: Apache-2.0 */
/* mounts[]: the default specification as a whole, and each kind of new file system. */
#include "world.h"

#define NOSUID MOUNT_ATTR_NOSUID
#define NODEV  MOUNT_ATTR_NODEV
#define NOEXEC MOUNT_ATTR_NOEXEC
#define RDONLY MOUNT_ATTR_RDONLY

#define ALL_NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

/* What `berth spec` writes. */
static struct spec_mount default_mounts[] = {
	{.destination = "/proc", .type = "proc", .source = "proc"},
	{.destination = "/dev",
	 .type = "tmpfs",
	 .source = "tmpfs",
	 .attributes_set = NOSUID | MOUNT_ATTR_STRICTATIME,
	 .attributes_clear = MOUNT_ATTR__ATIME,
	 .data = LIST("mode=755", "size=65536k")},
	{.destination = "/dev/pts",
	 .type = "devpts",
	 .source = "devpts",
	 .attributes_set = NOSUID | NOEXEC,
	 .data = LIST("newinstance", "ptmxmode=0666", "mode=0620")},
	{.destination = "/dev/shm",
	 .type = "tmpfs",
	 .source = "shm",
	 .attributes_set = NOSUID | NOEXEC | NODEV,
	 .data = LIST("mode=1777", "size=65536k")},
	{.destination = "/dev/mqueue",
	 .type = "mqueue",
	 .source = "mqueue",
	 .attributes_set = NOSUID | NOEXEC | NODEV},
	{.destination = "/sys",
	 .type = "sysfs",
	 .source = "sysfs",
	 .attributes_set = NOSUID | NOEXEC | NODEV | RDONLY,
	 .sb_flags = LIST("ro")},
	{.destination = "/sys/fs/cgroup",
	 .type = "cgroup",
	 .source = "cgroup",
	 .attributes_set = NOSUID | NOEXEC | NODEV | RDONLY,
	 .sb_flags = LIST("ro")},
};

static const char *const default_masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/sys/firmware",
	"/proc/scsi",
	NULL,
};

static const char *const default_readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* All steps in the order of create, with the default spec, and what it looks like inside. */
static void check_default(void)
{
	int before = count_fds();

	use_mounts(default_mounts, ARRAY_SIZE(default_mounts));
	world.spec.linux.masked_paths = default_masked;
	world.spec.linux.readonly_paths = default_readonly;
	world.spec.root_readonly = true;
	attach_root();
	CHECK_OK(mount_entries());
	CHECK_OK(mount_dev(&world.context, &world.spec, &world.err));
	CHECK_OK(mount_masks(&world.context, &world.spec, &world.err));
	CHECK_OK(mount_root_finish(&world.context, &world.spec, &world.err));
	CHECK_OK(mount_pivot(world.context.rootfd, /* no_pivot= */ false, &world.err));
	CHECK_OK(mount_propagation_apply(&world.spec, &world.err));
	mount_sources_done(&world.sources);
	world.context.rootfd = fd_close(world.context.rootfd);
	CHECK(count_fds() == before);

	CHECK(file_begins("/proc/self/stat", "1 "));
	CHECK(exists("/sys/class/net/lo"));
	CHECK(exists("/sys/fs/cgroup/cgroup.procs"));
	CHECK(exists("/dev/pts/ptmx") && exists("/dev/mqueue"));
	CHECK(mount_flags("/") & ST_RDONLY);
	CHECK(mount_flags("/sys") == (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RELATIME));
	CHECK(mount_flags("/dev/shm") == (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RELATIME));
	CHECK((mount_flags("/dev") & (ST_RDONLY | ST_RELATIME | ST_NOSUID)) == ST_NOSUID);
	CHECK(mount_flags("/proc/sys") & ST_RDONLY);
	CHECK(!(mount_flags("/proc") & ST_RDONLY));
	CHECK(file_begins("/proc/keys", ""));
	CHECK(!file_begins("/proc/timer_list", "Timer"));
	CHECK(write(open("/dev/null", O_WRONLY | O_CLOEXEC), "x", 1) == 1);
	CHECK(mkdir("/new", 0755) < 0 && errno == EROFS);
	CHECK(!exists("/tmp") && !exists("/usr"));
	/* The container's eight mounts, and the masks; nothing of the host. */
	CHECK(count_mounts("self", " / / ") == 0);
	CHECK(count_mounts("self", " /proc rw") == 1);
	CHECK(count_mounts("self", " - ext4 ") == 0);
}

static void test_default(void **state)
{
	(void)state;
	run_in_world(ALL_NAMESPACES, check_default);
}

static void test_default_userns(void **state)
{
	(void)state;
	run_in_world(ALL_NAMESPACES | CLONE_NEWUSER, check_default);
}

/* What the kernel objects to is named, with its own words. */
static void check_bad_options(void)
{
	char text[300] = "size=";
	const char *const longer[] = {text, NULL};
	struct spec_mount size = {.destination = "/a", .type = "tmpfs", .data = LIST("size=many")};
	struct spec_mount unknown = {.destination = "/a", .type = "tmpfs", .data = LIST("nosuch")};
	struct spec_mount type = {.destination = "/a", .type = "nosuchfs"};
	struct spec_mount length = {.destination = "/a", .type = "tmpfs", .data = longer};
	struct spec_mount over = {.destination = "/x/../", .type = "tmpfs"};
	int before = count_fds();

	memset(text + 5, '1', sizeof(text) - 6);
	attach_root();
	CHECK_FAILS(mount_single(&size),
		    "mounts[0]: mount \"tmpfs\" on \"/a\": option \"size=many\": tmpfs: Bad value "
		    "for 'size'");
	CHECK_FAILS(mount_single(&unknown), "option \"nosuch\": tmpfs: Unknown parameter 'nosuch'");
	CHECK_FAILS(mount_single(&type), "the kernel knows no file system \"nosuchfs\"");
	CHECK_FAILS(mount_single(&length), "longer than 255 bytes");
	CHECK_FAILS(mount_single(&over), "over the root itself");
	/* The root's is one more. */
	mount_sources_done(&world.sources);
	CHECK(count_fds() == before + 1);
}

static void test_bad_options(void **state)
{
	(void)state;
	run_in_world(0, check_bad_options);
}

/* What a user namespace may not do, with the reason. */
static void check_userns_errors(void)
{
	struct spec_mount pts = {.destination = "/a", .type = "devpts", .data = LIST("gid=5")};
	struct spec_mount proc = {.destination = "/proc", .type = "proc"};

	attach_root();
	CHECK_FAILS(mount_single(&pts), "are the ids of uid= and gid= mapped");
	CHECK_FAILS(mount_single(&proc), "must own the namespace that this file system shows");
}

static void test_userns_errors(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWUSER, check_userns_errors);
}

/* A tmpfs looks like what it covers; a mode that is given wins; a new mount point has none. */
static void check_tmpfs_mode(void)
{
	struct spec_mount mounts[] = {
		{.destination = "/old", .type = "tmpfs"},
		{.destination = "/given", .type = "tmpfs", .data = LIST("mode=711")},
		{.destination = "/new/deep", .type = "tmpfs", .source = "name"},
	};
	struct stat st;

	make_dir(at("root/old"));
	make_dir(at("root/given"));
	CHECK(chmod(at("root/old"), 01750) == 0);
	use_mounts(mounts, ARRAY_SIZE(mounts));
	attach_root();
	CHECK_OK(mount_entries());
	CHECK(stat(at("root/old"), &st) == 0 && (st.st_mode & 07777) == 01750);
	CHECK(stat(at("root/given"), &st) == 0 && (st.st_mode & 07777) == 0711);
	CHECK(stat(at("root/new/deep"), &st) == 0 && (st.st_mode & 07777) == 01777);
	CHECK(count_mounts("self", "/root/new/deep rw,relatime - tmpfs name ") == 1);
}

static void test_tmpfs_mode(void **state)
{
	(void)state;
	run_in_world(0, check_tmpfs_mode);
}

/* Mount points and nodes are made on a tmpfs that becomes read-only only afterwards. */
static void check_late_readonly(void)
{
	struct spec_mount mounts[] = {
		{.destination = "/ro",
		 .type = "tmpfs",
		 .attributes_set = RDONLY | NOSUID,
		 .sb_flags = LIST("ro")},
		{.destination = "/ro/in", .type = "tmpfs"},
		{.destination = "/dev", .type = "tmpfs", .attributes_set = RDONLY},
	};

	use_mounts(mounts, ARRAY_SIZE(mounts));
	attach_root();
	CHECK_OK(mount_entries());
	CHECK((mount_flags(at("root/ro")) & (ST_RDONLY | ST_NOSUID)) == (ST_RDONLY | ST_NOSUID));
	CHECK(!(mount_flags(at("root/ro/in")) & ST_RDONLY));
	CHECK(!(mount_flags(at("root/dev")) & ST_RDONLY));
	CHECK_OK(mount_dev(&world.context, &world.spec, &world.err));
	CHECK(mount_flags(at("root/dev")) & ST_RDONLY);
	CHECK(exists(at("root/dev/null")));
}

static void test_late_readonly(void **state)
{
	(void)state;
	run_in_world(0, check_late_readonly);
	run_in_world(CLONE_NEWUSER, check_late_readonly);
}

static void check_remount(void)
{
	struct spec_mount mounts[] = {
		{.destination = "/a", .type = "tmpfs", .attributes_set = NODEV},
		{.destination = "/a",
		 .remount = true,
		 .bind = true,
		 .attributes_set = RDONLY | NOEXEC,
		 .attributes_clear = NODEV},
	};
	struct spec_mount root = {.destination = "/", .remount = true, .attributes_set = NOSUID};
	struct spec_mount nothing = {
		.destination = "/plain", .remount = true, .attributes_set = NOSUID};

	make_dir(at("root/plain"));
	use_mounts(mounts, ARRAY_SIZE(mounts));
	attach_root();
	CHECK_OK(mount_entries());
	CHECK(mount_flags(at("root/a")) == (ST_RDONLY | ST_NOEXEC | ST_RELATIME));
	CHECK_OK(mount_single(&root));
	CHECK(mount_flags(world.root) & ST_NOSUID);
	CHECK_FAILS(mount_single(&nothing), "is anything mounted there?");
}

static void test_remount(void **state)
{
	(void)state;
	run_in_world(0, check_remount);
}

/* Without a network namespace of its own, a user namespace sees the host's /sys, read-only. */
static void check_host_sysfs(void)
{
	struct spec_mount mount = {.destination = "/sys",
				   .type = "sysfs",
				   .source = "sysfs",
				   .attributes_set = NOSUID};

	use_mounts(&mount, 1);
	attach_root();
	CHECK_OK(mount_entries());
	CHECK(is_directory(at("root/sys/class")));
	CHECK(mount_flags(at("root/sys")) & ST_RDONLY);
	/* What is mounted beneath it too: nothing writable is left. */
	CHECK(count_mounts("self", "/root/sys") > 0);
	CHECK(count_mounts("self", "/root/sys rw") == 0);
	CHECK(count_mounts("self", "/root/sys/fs/cgroup rw") == 0);
	CHECK(count_mounts("self", "/root/sys/fs/cgroup/unified rw") == 0);
}

static void test_host_sysfs(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWUSER, check_host_sysfs);
}

/* A directory of the host's cgroup2 hierarchy, opened before any new namespace; or negative. */
static int host_cgroup = -1;

static void check_cgroup_directory(void)
{
	struct spec_mount mount = {.destination = "/sys/fs/cgroup",
				   .type = "cgroup",
				   .source = "cgroup",
				   .attributes_set = RDONLY | NOEXEC};
	struct stat wanted, found;

	attach_root();
	/* Without a cgroup of its own it sees what its caller sees, and writes to it no more. */
	CHECK_OK(mount_single(&mount));
	CHECK(mount_flags(at("root/sys/fs/cgroup")) & ST_RDONLY);
	CHECK(umount2(at("root/sys/fs/cgroup"), MNT_DETACH) == 0);
	world.context.cgroupfd = host_cgroup;
	CHECK_OK(mount_single(&mount));
	CHECK(fstat(host_cgroup, &wanted) == 0);
	CHECK(stat(at("root/sys/fs/cgroup"), &found) == 0);
	CHECK(wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino);
	CHECK((mount_flags(at("root/sys/fs/cgroup")) & (ST_RDONLY | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOEXEC));
}

static const char *at_host(const char *directory, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void test_cgroup_directory(void **state)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places) && host_cgroup < 0; i++) {
		if (access(at_host(places[i], "cgroup.procs"), F_OK) == 0)
			host_cgroup = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (host_cgroup < 0)
		skip();
	run_in_world(0, check_cgroup_directory);
	run_in_world(CLONE_NEWUSER, check_cgroup_directory);
	fd_close(host_cgroup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),		 cmocka_unit_test(test_default_userns),
		cmocka_unit_test(test_bad_options),	 cmocka_unit_test(test_userns_errors),
		cmocka_unit_test(test_tmpfs_mode),	 cmocka_unit_test(test_late_readonly),
		cmocka_unit_test(test_remount),		 cmocka_unit_test(test_host_sysfs),
		cmocka_unit_test(test_cgroup_directory),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
