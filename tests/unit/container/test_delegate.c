/* SPDX-License-Identifier: Apache-2.0 */
/* Which config.json gives a container its cgroup for its own. */
#include <linux/mount.h>

#include "container-internal.h"
#include "delegate-internal.h"

#include "../base/unit.h"

static void test_asked(void **state)
{
	struct spec_process process = {.uid = 0};
	struct spec_mount mounts[] = {
		{.destination = "/proc", .type = "proc", .source = "proc"},
		{.destination = "/sys/fs/cgroup", .type = "cgroup", .source = "cgroup"},
	};
	struct spec spec = {.process = &process, .mounts = mounts, .mount_count = 2};
	struct spec_namespace *namespace = &spec.linux.namespaces[NAMESPACE_CGROUP];
	struct spec_mount *mount = &mounts[1];

	(void)state;
	namespace->wanted = true;
	assert_true(delegation_is_asked(&spec));
	mount->type = "cgroup2";
	assert_true(delegation_is_asked(&spec));

	mount->attributes_set = MOUNT_ATTR_RDONLY;
	assert_false(delegation_is_asked(&spec));
	mount->attributes_set = MOUNT_ATTR_NODEV;
	mount->recursive_set = MOUNT_ATTR_RDONLY;
	assert_false(delegation_is_asked(&spec));
	mount->recursive_set = 0;
	assert_true(delegation_is_asked(&spec));

	mount->source = "elsewhere";
	assert_false(delegation_is_asked(&spec));
	mount->source = NULL;
	assert_false(delegation_is_asked(&spec));
	mount->source = "cgroup";
	mount->type = "bind";
	assert_false(delegation_is_asked(&spec));
	mount->type = "cgroup";
	mount->destination = "/cgroup";
	assert_false(delegation_is_asked(&spec));
	mount->destination = "/sys/fs/cgroup";

	namespace->path = "/proc/1/ns/cgroup";
	assert_false(delegation_is_asked(&spec));
	namespace->path = NULL;
	namespace->wanted = false;
	assert_false(delegation_is_asked(&spec));
	namespace->wanted = true;
	spec.mount_count = 1;
	assert_false(delegation_is_asked(&spec));
	spec.mount_count = 2;
	spec.process = NULL;
	assert_false(delegation_is_asked(&spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests_name("delegate", tests, NULL, NULL);
}
