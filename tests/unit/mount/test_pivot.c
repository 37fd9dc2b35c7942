/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering the root, and what the host and the container see of each other's mounts. The world of
 * the test is the host here: a shared tree; the container is a child in a mount namespace more.
 */
#include "world.h"

/* Paths of the container's side, kept before the host's tree goes away. */
static char host_volume[128];

static void make_host(void)
{
	make_dir(at("volume"));
	make_dir(at("other"));
	snprintf(host_volume, sizeof(host_volume), "%s", at("volume"));
	CHECK(mount("volume", host_volume, "tmpfs", 0, NULL) == 0);
	make_dir(at("volume/sub"));
	make_dir(at("volume/sub2"));
	CHECK(mount("other", at("other"), "tmpfs", 0, NULL) == 0);
	make_file(at("other/marker"), "host");
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
}

static void enter_container(bool no_pivot)
{
	attach_root();
	CHECK_OK(mount_entries());
	CHECK_OK(mount_pivot(world.context.rootfd, no_pivot, &world.err));
	CHECK_OK(mount_propagation_apply(&world.spec, &world.err));
	mount_sources_done(&world.sources);
}

static void tell(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

static void wait_told(int fd)
{
	char byte;

	CHECK(read(fd, &byte, 1) == 1);
}

/*
 * Starts a container whose /vol is the host's volume with @propagation. Then each side mounts
 * something in the volume; returns whether the other side saw it.
 */
static void exchange(uint64_t propagation, bool *ret_host_saw, bool *ret_container_saw)
{
	struct spec_mount entry = {.destination = "/vol",
				   .type = "bind",
				   .source = host_volume,
				   .bind = true,
				   .bind_recursive = true,
				   .propagation = propagation};
	int to_host[2], to_container[2];
	pid_t pid;

	use_mounts(&entry, 1);
	CHECK(pipe2(to_host, O_CLOEXEC) == 0 && pipe2(to_container, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		enter_container(/* no_pivot= */ false);
		CHECK(mount("inner", "/vol/sub", "tmpfs", 0, NULL) == 0);
		make_file("/vol/sub/inner", "");
		tell(to_host[1]);
		wait_told(to_container[0]);
		_exit(exists("/vol/sub2/outer") ? 10 : 20);
	}
	wait_told(to_host[0]);
	*ret_host_saw = exists(at("volume/sub/inner"));
	CHECK(mount("outer", at("volume/sub2"), "tmpfs", 0, NULL) == 0);
	make_file(at("volume/sub2/outer"), "");
	tell(to_container[1]);
	*ret_container_saw = wait_for(pid) == 10;
}

/* The host's own mounts are all there, and none is new but in the volume. */
static void check_host(int before)
{
	CHECK(file_begins(at("other/marker"), "host"));
	CHECK(count_mounts("self", "/root") == 0);
	CHECK(umount2(at("volume/sub2"), MNT_DETACH) == 0);
	ignore(umount2(at("volume/sub"), MNT_DETACH));
	CHECK(count_mounts("self", " ") == before);
}

static void check_propagation(void)
{
	static const struct {
		uint64_t propagation;
		bool host_sees, container_sees;
	} cases[] = {
		{0, false, false},
		{MS_PRIVATE | MS_REC, false, false},
		{MS_UNBINDABLE, false, false},
		{MS_SLAVE | MS_REC, false, true},
		{MS_SHARED | MS_REC, true, true},
		{MS_SHARED, true, true},
	};
	int before;

	make_host();
	before = count_mounts("self", " ");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool host_saw, container_saw;

		exchange(cases[i].propagation, &host_saw, &container_saw);
		CHECK(host_saw == cases[i].host_sees);
		CHECK(container_saw == cases[i].container_sees);
		check_host(before);
	}
}

static void test_propagation(void **state)
{
	(void)state;
	run_in_world(0, check_propagation);
}

/* The root's own propagation, as mountinfo shows it in the container. */
static void check_root_in(uint64_t propagation, const char *wanted)
{
	struct spec_mount mounts[] = {
		{.destination = "/proc", .type = "proc"},
		{.destination = "/late", .type = "tmpfs"},
	};
	char line[512] = "";
	FILE *file;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0) {
		CHECK(wait_for(pid) == 0);
		return;
	}
	CHECK(unshare(CLONE_NEWNS) == 0);
	world.spec.linux.rootfs_propagation = propagation;
	use_mounts(mounts, ARRAY_SIZE(mounts));
	enter_container(/* no_pivot= */ false);
	file = fopen("/proc/self/mountinfo", "re");
	CHECK(file);
	while (fgets(line, sizeof(line), file) && !strstr(line, " / rw"))
		continue;
	CHECK(strstr(line, wanted));
	CHECK(strcmp(wanted, " - ") == 0 || !strstr(line, "none"));
	if (str_equal(wanted, " - "))
		CHECK(!strstr(line, "shared:") && !strstr(line, "master:"));
	/* A group of its own: nothing of it is tied to the host's. */
	if (str_equal(wanted, "shared:"))
		CHECK(!strstr(line, "master:"));
	_exit(0);
}

static void check_root_propagation(void)
{
	int before;

	make_host();
	before = count_mounts("self", " ");
	check_root_in(0, " - ");
	check_root_in(MS_PRIVATE | MS_REC, " - ");
	check_root_in(MS_SHARED | MS_REC, "shared:");
	check_root_in(MS_SLAVE | MS_REC, "master:");
	check_root_in(MS_UNBINDABLE | MS_REC, "unbindable");
	CHECK(file_begins(at("other/marker"), "host"));
	CHECK(count_mounts("self", " ") == before);
}

static void test_root_propagation(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWPID, check_root_propagation);
}

/* What an overlay is mounted on for a moment does not show on the host either. */
static void check_shared_overlay(void)
{
	const char *const lower[] = {strdup(at("other")), strdup(at("volume")), NULL};
	int before;
	pid_t pid;

	make_host();
	before = count_mounts("self", " ");
	world.spec.overlay.lower = lower;
	world.spec.overlay.lower_count = 2;
	world.spec.linux.rootfs_propagation = MS_SHARED | MS_REC;
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		enter_container(/* no_pivot= */ false);
		CHECK(file_begins("/marker", "host"));
		_exit(0);
	}
	CHECK(wait_for(pid) == 0);
	CHECK(count_mounts("self", " ") == before);
}

static void test_shared_overlay(void **state)
{
	(void)state;
	run_in_world(0, check_shared_overlay);
}

/* Without pivot_root: "/" is the root, and the host's procfs and sysfs are gone. */
static void check_no_pivot(void)
{
	struct spec_mount entry = {.destination = "/proc", .type = "proc"};

	make_file(at("root/here"), "here");
	make_dir(at("with space"));
	CHECK(mount("proc", at("with space"), "proc", 0, NULL) == 0);
	use_mounts(&entry, 1);
	enter_container(/* no_pivot= */ true);
	CHECK(file_begins("/here", "here"));
	CHECK(file_begins("./here", "here"));
	CHECK(file_begins("../../here", "here"));
	CHECK(count_mounts("self", " - proc ") == 1);
	CHECK(count_mounts("self", " - sysfs ") == 0);
	CHECK(!exists(world.base));
}

static void test_no_pivot(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWPID, check_no_pivot);
}

/* In a user namespace the host's mounts are locked: what can't be unmounted is covered. */
static void check_no_pivot_userns(void)
{
	struct spec_mount entry = {.destination = "/proc", .type = "proc"};

	make_file(at("root/here"), "here");
	use_mounts(&entry, 1);
	enter_container(/* no_pivot= */ true);
	CHECK(file_begins("/here", "here"));
	CHECK(count_mounts("self", " /proc rw") == 1);
}

static void test_no_pivot_userns(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWPID | CLONE_NEWUSER, check_no_pivot_userns);
}

/* A directory that is no mount can't be pivoted to. */
static void check_not_attached(void)
{
	int fd = open(world.root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_FAILS(mount_pivot(fd, /* no_pivot= */ false, &world.err), "pivot_root");
	CHECK_FAILS(mount_pivot(-1, /* no_pivot= */ false, &world.err), "enter the root");
}

static void test_not_attached(void **state)
{
	(void)state;
	run_in_world(0, check_not_attached);
}

/* A root that only the parent may reach: its clone is attached to "/" instead. */
static void check_barred(void)
{
	make_file(at("root/here"), "here");
	CHECK_OK(mount_propagation_prepare(&world.spec, &world.err));
	CHECK_OK(mount_sources_open(&world.spec, NULL, &world.sources, &world.err));
	/* The container's ids can't pass the directory any more; without rights, nor can this one.
	 */
	CHECK(chown(world.base, 1, 1) == 0 && chmod(world.base, 0700) == 0);
	enter_namespaces(CLONE_NEWUSER);
	CHECK(chdir(world.root) < 0 && errno == EACCES);
	CHECK_OK(mount_propagation_prepare(&world.spec, &world.err));
	CHECK_OK(mount_root_attach(&world.spec, &world.sources, &world.context.rootfd, &world.err));
	CHECK_OK(mount_pivot(world.context.rootfd, /* no_pivot= */ false, &world.err));
	CHECK(file_begins("/here", "here"));
}

static void test_barred(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run_in_world(0, check_barred);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_propagation),	cmocka_unit_test(test_root_propagation),
		cmocka_unit_test(test_shared_overlay),	cmocka_unit_test(test_no_pivot),
		cmocka_unit_test(test_no_pivot_userns), cmocka_unit_test(test_not_attached),
		cmocka_unit_test(test_barred),
	};

	return cmocka_run_group_tests_name("pivot", tests, NULL, NULL);
}
