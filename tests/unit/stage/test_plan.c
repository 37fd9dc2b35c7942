/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: what is decided from linux.namespaces. */
#include <sched.h>
#include <sys/mount.h>

#include "berth/stage/plan.h"

#include "../base/unit.h"

#define BIT(kind) (1u << (kind))
#define BY_INIT	  (CLONE_NEWCGROUP | CLONE_NEWTIME)

static const unsigned flags[NAMESPACE_MAX] = {
	[NAMESPACE_CGROUP] = CLONE_NEWCGROUP, [NAMESPACE_IPC] = CLONE_NEWIPC,
	[NAMESPACE_MOUNT] = CLONE_NEWNS,      [NAMESPACE_NETWORK] = CLONE_NEWNET,
	[NAMESPACE_PID] = CLONE_NEWPID,	      [NAMESPACE_TIME] = CLONE_NEWTIME,
	[NAMESPACE_USER] = CLONE_NEWUSER,     [NAMESPACE_UTS] = CLONE_NEWUTS,
};

/* A spec with the kinds of @new made and those of @joined joined; all in the order of the enum. */
static struct spec spec_of(unsigned new, unsigned joined)
{
	struct spec spec = {.root_path = "/b/rootfs"};
	size_t index = 0;

	for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
		struct spec_namespace *namespace = &spec.linux.namespaces[kind];

		if (!((new | joined) & BIT(kind)))
			continue;
		namespace->wanted = true;
		namespace->path = joined & BIT(kind) ? "/proc/1/ns/x" : NULL;
		namespace->index = index++;
	}
	return spec;
}

static struct plan plan_of(unsigned new, unsigned joined)
{
	struct spec spec = spec_of(new, joined);
	struct plan plan;
	struct error err = ERROR_NONE;

	memset(&plan, 0xff, sizeof(plan));
	assert_fine(plan_make(&spec, &plan, &err), err);
	return plan;
}

/* Each combination of new, joined and shared that can be had: 3^6 of them, mount being new. */
static void test_all_combinations(void **state)
{
	static const enum namespace_kind kinds[] = {NAMESPACE_CGROUP,  NAMESPACE_IPC,
						    NAMESPACE_NETWORK, NAMESPACE_PID,
						    NAMESPACE_TIME,    NAMESPACE_UTS};

	(void)state;
	for (unsigned number = 0; number < 729; number++) {
		unsigned new = BIT(NAMESPACE_MOUNT), joined = 0, cloned = 0, rest = number;
		struct plan plan;

		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++, rest /= 3) {
			new |= rest % 3 == 1 ? BIT(kinds[i]) : 0;
			joined |= rest % 3 == 2 ? BIT(kinds[i]) : 0;
		}
		for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
			if (new &BIT(kind))
				cloned |= flags[kind];
		}
		plan = plan_of(new, joined);
		assert_int_equal(plan.clone_flags, cloned & ~BY_INIT);
		assert_int_equal(plan.unshare_flags, cloned & BY_INIT);
		assert_int_equal(plan.new_time, (new &BIT(NAMESPACE_TIME)) != 0);
		assert_false(plan.middle);
		assert_int_equal(plan.join_pid, (joined & BIT(NAMESPACE_PID)) != 0);
		assert_int_equal(plan.new_network, (new &BIT(NAMESPACE_NETWORK)) != 0);
		assert_true(plan.own_mounts);
		assert_false(plan.write_maps || plan.parent_sources);
		/* The pid namespace is entered around the clone, all others by init. */
		assert_int_equal(plan.join_count, __builtin_popcount(joined & ~BIT(NAMESPACE_PID)));
		for (size_t i = 0; i < plan.join_count; i++) {
			assert_true((joined & BIT(plan.joins[i])) != 0);
			joined &= ~BIT(plan.joins[i]);
		}
	}
}

/* The queues' directory must be the mapped root's, who labels it; without a label nothing changes.
 */
static void test_labelled_queues(void **state)
{
	const unsigned new = BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_IPC);
	struct spec spec = spec_of(new | BIT(NAMESPACE_USER), 0);
	struct spec_linux *box = &spec.linux;
	struct plan plan;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_int_equal(plan.unshare_flags, 0);
	box->mount_label = "u:r:t:s0";
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_int_equal(plan.unshare_flags, CLONE_NEWIPC);
	assert_int_equal(plan.clone_flags, CLONE_NEWUSER | CLONE_NEWNS);
	spec = spec_of(new, 0);
	box->mount_label = "u:r:t:s0";
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_int_equal(plan.unshare_flags, 0);
}

static void test_user(void **state)
{
	struct plan plan = plan_of(BIT(NAMESPACE_USER) | BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_PID),
				   BIT(NAMESPACE_NETWORK));

	(void)state;
	assert_int_equal(plan.clone_flags, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID);
	assert_true(plan.write_maps && plan.parent_sources && plan.own_mounts);
	assert_false(plan.new_network || plan.join_pid || plan.unshare_flags);
	/* The network is the host's: it cannot be joined from within the new user namespace. */
	assert_true(plan.middle);
	assert_int_equal(plan.join_count, 1);
	assert_int_equal(plan.joins[0], NAMESPACE_NETWORK);
}

/* The mount namespace is joined last: it changes what paths mean. */
static void test_join_order(void **state)
{
	unsigned all = BIT(NAMESPACE_CGROUP) | BIT(NAMESPACE_IPC) | BIT(NAMESPACE_MOUNT) |
		       BIT(NAMESPACE_NETWORK) | BIT(NAMESPACE_PID) | BIT(NAMESPACE_UTS);
	struct plan plan = plan_of(0, all);

	(void)state;
	assert_int_equal(plan.clone_flags, 0);
	assert_int_equal(plan.join_count, 5);
	assert_int_equal(plan.joins[4], NAMESPACE_MOUNT);
	assert_true(plan.join_pid);
	assert_false(plan.own_mounts);
}

static void test_nothing(void **state)
{
	struct plan plan = plan_of(0, 0);

	(void)state;
	assert_int_equal(plan.clone_flags, 0);
	assert_int_equal(plan.join_count, 0);
	assert_false(plan.join_pid || plan.unshare_flags || plan.write_maps || plan.middle ||
		     plan.parent_sources || plan.own_mounts || plan.new_network);
}

static void refuse_plan(const struct spec *spec, const char *text)
{
	struct plan plan, untouched;
	struct error err = ERROR_NONE;

	memset(&plan, 0x5a, sizeof(plan));
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_failed(plan_make(spec, &plan, &err), err, -EINVAL);
	assert_string_equal(err.text, text);
	assert_memory_equal(&plan, &untouched, sizeof(plan));
}

/*
 * Each combination of new, joined and shared besides a user namespace, which is new, or joined:
 * what is new belongs to it, and so comes after it.
 */
static void test_user_combinations(void **state)
{
	static const enum namespace_kind kinds[] = {NAMESPACE_CGROUP,  NAMESPACE_IPC,
						    NAMESPACE_NETWORK, NAMESPACE_PID,
						    NAMESPACE_TIME,    NAMESPACE_UTS};

	(void)state;
	for (unsigned number = 0; number < 2 * 729; number++) {
		const bool join_user = number >= 729;
		unsigned new = BIT(NAMESPACE_MOUNT) | (join_user ? 0 : BIT(NAMESPACE_USER));
		unsigned joined = join_user ? BIT(NAMESPACE_USER) : 0, made = 0;
		unsigned rest = number % 729;
		struct plan plan;
		bool middle;

		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++, rest /= 3) {
			new |= rest % 3 == 1 ? BIT(kinds[i]) : 0;
			joined |= rest % 3 == 2 ? BIT(kinds[i]) : 0;
		}
		for (int kind = 0; kind < NAMESPACE_MAX; kind++)
			made |= new &BIT(kind) ? flags[kind] : 0;
		plan = plan_of(new, joined);
		middle = join_user ? (new &BIT(NAMESPACE_PID)) != 0 : joined != 0;
		assert_int_equal(plan.middle, middle);
		assert_int_equal(plan.unshare_flags, join_user && !middle ? made : made & BY_INIT);
		assert_int_equal(plan.clone_flags, made & ~plan.unshare_flags);
		/* Nobody makes a pid namespace for himself. */
		assert_false(plan.unshare_flags & CLONE_NEWPID);
		assert_int_equal(plan.write_maps, !join_user);
		assert_true(plan.parent_sources && plan.own_mounts);
		assert_int_equal(plan.join_pid, (joined & BIT(NAMESPACE_PID)) != 0);
		assert_int_equal(plan.join_count, __builtin_popcount(joined & ~BIT(NAMESPACE_PID)));
		/* The others first, with the host's rights. */
		if (join_user)
			assert_int_equal(plan.joins[plan.join_count - 1], NAMESPACE_USER);
	}
}

/* What needs a mount namespace of its own. */
static void test_shared_mounts(void **state)
{
	static const unsigned joined[] = {0, BIT(NAMESPACE_MOUNT)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(joined); i++) {
		struct spec spec = spec_of(BIT(NAMESPACE_USER), joined[i]);
		struct spec_mount mounts[3] = {{.destination = "/a"}, {.destination = "/b"}};

		refuse_plan(&spec, "linux.namespaces: a \"user\" namespace needs a new \"mount\" "
				   "namespace in linux.namespaces");
		spec = spec_of(0, joined[i]);
		spec.linux.rootfs_propagation = MS_PRIVATE;
		refuse_plan(&spec, "linux.rootfsPropagation: needs a new \"mount\" namespace in "
				   "linux.namespaces");
		spec = spec_of(BIT(NAMESPACE_PID), joined[i]);
		spec.mounts = mounts;
		spec.mount_count = 3;
		mounts[2].propagation = MS_SLAVE | MS_REC;
		refuse_plan(&spec, "mounts[2].options: propagation needs a new \"mount\" namespace "
				   "in linux.namespaces");
		mounts[2].propagation = 0;
		{
			struct plan plan;
			struct error err = ERROR_NONE;

			assert_fine(plan_make(&spec, &plan, &err), err);
			assert_false(plan.own_mounts);
		}
	}
}

/* Ids of the host's file systems are root's to map. */
static void test_restrict_maps(void **state)
{
	struct spec spec = spec_of(BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_USER), 0);
	struct spec_mount mounts[2] = {{.destination = "/a"}, {.destination = "/b"}};
	struct plan plan = plan_of(BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_USER), 0);
	struct error err = ERROR_NONE;

	(void)state;
	spec.mounts = mounts;
	spec.mount_count = 2;
	assert_fine(plan_restrict(&spec, 1000, &plan, &err), err);
	assert_false(plan.parent_sources);
	mounts[1].id_map = true;
	assert_failed(plan_restrict(&spec, 1000, &plan, &err), err, -EPERM);
	assert_string_equal(err.text, "mounts[1].options: mapping ids needs root's rights over the "
				      "file system");
	mounts[1].id_map = false;
	spec.overlay.map_lower = true;
	assert_failed(plan_restrict(&spec, 1000, &plan, &err), err, -EPERM);
	assert_string_equal(err.text, "annotations[\"org.berth.overlay.idmap\"]: mapping ids needs "
				      "root's rights over the file system");
}

/* With a mount namespace of its own all of that can be had. */
static void test_own_mounts(void **state)
{
	struct spec spec = spec_of(BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_USER), 0);
	struct spec_mount mount = {.destination = "/a", .type = "", .propagation = MS_SHARED};
	struct plan plan;
	struct error err = ERROR_NONE;

	(void)state;
	spec.linux.rootfs_propagation = MS_SLAVE;
	spec.mounts = &mount;
	spec.mount_count = 1;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_true(plan.own_mounts && plan.write_maps);
	assert_false(plan.stage);
}

/* Read-only binds, and a sysfs that cannot be had, are set up before the clone: in any user
 * namespace but the host's. */
static void test_stage(void **state)
{
	struct spec spec = spec_of(BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_USER), 0);
	struct spec_mount mount = {.destination = "/a", .type = "", .source = "/b", .bind = true};
	struct plan plan;
	struct error err = ERROR_NONE;

	(void)state;
	spec.mounts = &mount;
	spec.mount_count = 1;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_false(plan.stage);
	mount.recursive_set = MOUNT_ATTR_RDONLY;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_true(plan.stage);
	assert_fine(plan_restrict(&spec, 1000, &plan, &err), err);
	assert_false(plan.stage);
	mount = (struct spec_mount){.destination = "/sys", .type = "sysfs"};
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_true(plan.stage);
	spec.linux.namespaces[NAMESPACE_NETWORK].wanted = true;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_false(plan.stage);
	spec.linux.namespaces[NAMESPACE_NETWORK].wanted = false;
	spec.linux.namespaces[NAMESPACE_USER].wanted = false;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_false(plan.stage);
}

/* What one without rights over the host cannot have. */
static void test_restrict(void **state)
{
	struct id_map own = {0, 1000, 1}, more = {0, 1000, 2};
	const gid_t groups[] = {5};
	struct spec_process process = {.groups = groups};
	struct spec spec = spec_of(BIT(NAMESPACE_MOUNT), 0);
	struct plan plan;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_failed(plan_restrict(&spec, 1000, &plan, &err), err, -EPERM);
	assert_non_null(strstr(err.text, "linux.namespaces: "));

	spec = spec_of(BIT(NAMESPACE_MOUNT) | BIT(NAMESPACE_USER), 0);
	spec.process = &process;
	spec.linux.id_maps = (struct spec_id_maps){.gid = &own, .gid_count = 1};
	assert_fine(plan_make(&spec, &plan, &err), err);
	assert_true(plan.parent_sources);
	assert_fine(plan_restrict(&spec, 1000, &plan, &err), err);
	assert_false(plan.parent_sources);

	process.group_count = 1;
	assert_failed(plan_restrict(&spec, 1000, &plan, &err), err, -EPERM);
	assert_non_null(strstr(err.text, "process.user.additionalGids: "));
	/* Another group than the own one, or more, are mapped by newgidmap: they may be set. */
	assert_fine(plan_restrict(&spec, 1001, &plan, &err), err);
	spec.linux.id_maps.gid = &more;
	assert_fine(plan_restrict(&spec, 1000, &plan, &err), err);
}

static void test_exec_flags(void **state)
{
	(void)state;
	for (unsigned set = 0; set < BIT(NAMESPACE_MAX); set++) {
		struct spec spec = spec_of(set & 0x55, set & 0xaa);
		unsigned expected = 0;

		for (int kind = 0; kind < NAMESPACE_MAX; kind++)
			expected |= set & BIT(kind) ? flags[kind] : 0;
		assert_int_equal(plan_exec_flags(&spec), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_combinations),
		cmocka_unit_test(test_labelled_queues),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_join_order),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_user_combinations),
		cmocka_unit_test(test_shared_mounts),
		cmocka_unit_test(test_own_mounts),
		cmocka_unit_test(test_stage),
		cmocka_unit_test(test_exec_flags),
		cmocka_unit_test(test_restrict),
		cmocka_unit_test(test_restrict_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
