/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>

#include "kernel.h"
#include "netns.h"

static void a_process_leads_to_its_namespace(void **state)
{
	struct other *other = *state;
	struct error err = ERROR_NONE;
	_cleanup_fd_ int again = netns_open(&other->id, &err);

	assert_fine(again, err);
	assert_int_equal(other->id.pid, other->pid);
	assert_true(other->id.start_ticks > 0);
	assert_true(other->id.cookie > 0);
	assert_true(netns_is_alive(&other->id));
}

static void another_process_of_the_same_number_is_none(void **state)
{
	struct other *other = *state;
	struct error err = ERROR_NONE;
	struct netns_id id = other->id, found_id;

	id.start_ticks++;
	assert_failed(netns_open(&id, &err), err, -ENOENT);
	assert_false(netns_is_alive(&id));
	assert_failed(netns_open_pid(other->pid, id.start_ticks, &found_id, &err), err, -ESRCH);
	id = other->id;
	id.cookie++;
	assert_failed(netns_open(&id, &err), err, -ENOENT);
	assert_contains(err.text, "another network namespace");
}

static void the_own_namespace_is_refused(void **state)
{
	struct error err = ERROR_NONE;
	struct netns_id id;

	(void)state;
	assert_failed(netns_open_pid(getpid(), 0, &id, &err), err, -EINVAL);
	assert_contains(err.text, "the host's own");
	assert_failed(netns_open_path("/proc/self/ns/net", &id, &err), err, -EINVAL);
}

static void what_is_no_network_namespace_is_refused(void **state)
{
	static const char *const paths[] = {"/proc/self/ns/uts", "/proc/self/status", "/dev/null",
					    "/tmp"};
	struct error err = ERROR_NONE;
	struct netns_id id;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_failed(netns_open_path(paths[i], &id, &err), err, -EINVAL);
		assert_contains(err.text, paths[i]);
		assert_contains(err.text, "is not a network namespace");
	}
	assert_failed(netns_open_path("/run/netns/nosuch", &id, &err), err, -ENOENT);
	assert_failed(netns_open_pid(0x7ffffff0, 0, &id, &err), err, -ESRCH);
}

/* A name in /run/netns may be given to another namespace later. */
static int check_path(void *argument)
{
	struct other *other = argument;
	const char *file = "/tmp/berth-unit-netns";
	struct error err = ERROR_NONE;
	struct netns_id id;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", other->pid);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || mknod(file, 0600, 0) < 0 ||
	    mount(path, file, NULL, MS_BIND, NULL) < 0)
		return __LINE__ % 256;
	if (netns_open_path(file, &id, &err) < 0 || id.path != file || !netns_is_alive(&id))
		return __LINE__ % 256;
	if (umount2(file, MNT_DETACH) < 0 || netns_is_alive(&id) ||
	    netns_open(&id, &err) != -ENOENT)
		return __LINE__ % 256;
	if (unshare(CLONE_NEWNET) < 0 ||
	    mount("/proc/self/ns/net", file, NULL, MS_BIND, NULL) < 0 || unshare(CLONE_NEWNET) < 0)
		return __LINE__ % 256;
	return netns_open(&id, &err) == -ENOENT && strstr(err.text, "another") ? 0 : __LINE__ % 256;
}

static void a_path_may_come_to_mean_another_one(void **state)
{
	in_child(check_path, *state);
}

static int make_link(void *data, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	link_add_bridge(batch, data, NULL, 0, "made on a visit");
	return r < 0 ? r : netlink_send(&netlink, batch, err);
}

static int refuse_all(void *data, struct error *err)
{
	return refuse(err, "%s", (const char *)data);
}

static void a_visit_ends_at_home(void **state)
{
	char name[] = "br7", why[] = "no";
	struct other *other = *state;
	struct error err = ERROR_NONE;
	struct stat before, after;
	struct link_info info;

	assert_int_equal(stat("/proc/self/ns/net", &before), 0);
	assert_fine(netns_visit(other->nsfd, make_link, name, &err), err);
	assert_int_equal(link_try_find(&other->here, "br7", &info), -ENODEV);
	assert_int_equal(link_try_find(&other->there, "br7", &info), 0);
	assert_failed(netns_visit(other->nsfd, refuse_all, why, &err), err, -EINVAL);
	assert_int_equal(stat("/proc/self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void a_dead_process_has_none(void **state)
{
	struct other *other = *state;
	struct error err = ERROR_NONE;

	kill(other->pid, SIGKILL);
	/* A zombie, whose number is still there. */
	assert_int_equal(waitid(P_PID, (id_t)other->pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_false(netns_is_alive(&other->id));
	assert_failed(netns_open(&other->id, &err), err, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		other_test(a_process_leads_to_its_namespace),
		other_test(another_process_of_the_same_number_is_none),
		cmocka_unit_test(the_own_namespace_is_refused),
		cmocka_unit_test(what_is_no_network_namespace_is_refused),
		other_test(a_path_may_come_to_mean_another_one),
		other_test(a_visit_ends_at_home),
		other_test(a_dead_process_has_none),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
