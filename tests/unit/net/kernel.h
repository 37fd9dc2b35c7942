/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that ask the kernel: a network namespace of each test's own, and a second one. */
#ifndef BERTH_TESTS_NET_KERNEL_H
#define BERTH_TESTS_NET_KERNEL_H

#include <sched.h>
#include <sys/prctl.h>

#include "link.h"
#include "netns.h"

#include "../base/unit.h"

/* For main(): moves the whole program away from the machine's network; false where it may not.
 * valgrind has no openat2(2), which finds namespaces. */
static inline bool kernel_test_begin(void)
{
	if (skip_all_without(SYS_openat2, "openat2"))
		return false;
	if (unshare(CLONE_NEWNET) == 0)
		return true;
	print_message("skipped, all tests: no network namespace can be made (%s)\n",
		      strerror(errno));
	return false;
}

/* Another namespace, held by a child, as a container's is by its init. */
struct other {
	pid_t pid;
	int nsfd;
	struct netns_id id;
	struct netlink here, there;
};

static inline int other_make(void **state)
{
	struct other *other = xcalloc(1, sizeof(*other));
	struct error err = ERROR_NONE;
	int ready[2];
	char byte;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	other->pid = fork();
	if (other->pid == 0) {
		/* A test that fails ends without other_end(). */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	other->nsfd = netns_open_pid(other->pid, 0, &other->id, &err);
	assert_fine(other->nsfd, err);
	assert_fine(netlink_open(NETLINK_ROUTE, &other->here, &err), err);
	assert_fine(netlink_open_in(other->nsfd, NETLINK_ROUTE, &other->there, &err), err);
	*state = other;
	return 0;
}

static inline int other_end(void **state)
{
	struct other *other = *state;

	netlink_close(&other->here);
	netlink_close(&other->there);
	fd_close(other->nsfd);
	child_end(other->pid);
	free(other);
	return 0;
}

#define other_test(function) cmocka_unit_test_setup_teardown(function, other_make, other_end)

static inline struct link_info found(struct netlink *netlink, const char *name)
{
	struct link_info info = {.index = 0};
	struct error err = ERROR_NONE;

	assert_fine(link_find(netlink, name, &info, &err), err);
	return info;
}

static inline void sent(struct netlink *netlink, struct netlink_batch *batch)
{
	struct error err = ERROR_NONE;

	assert_fine(netlink_send(netlink, batch, &err), err);
}

#endif
