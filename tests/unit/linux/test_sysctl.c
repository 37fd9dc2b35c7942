/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernel parameters a container may set, and setting them in a namespace of its own. */
#include <fcntl.h>
#include <sched.h>

#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/linux/namespaces.h"
#include "berth/linux/process.h"

#include "unit.h"

static struct spec_strings one(struct spec_string_pair *pair, const char *key)
{
	*pair = (struct spec_string_pair){key, "1"};
	return (struct spec_strings){.items = pair, .count = 1};
}

static int check(const char *key, const struct spec_namespace *namespaces, struct error *err)
{
	struct spec_string_pair pair;
	struct spec_strings list = one(&pair, key);

	return sysctl_check(&list, namespaces, err);
}

static const struct {
	const char *key;
	enum namespace_kind kind; /* NAMESPACE_MAX: never allowed */
} keys[] = {
	{"kernel.msgmax", NAMESPACE_IPC},
	{"kernel/shm_rmid_forced", NAMESPACE_IPC},
	{"kernel.sem", NAMESPACE_IPC},
	{"fs.mqueue.msg_max", NAMESPACE_IPC},
	{"net.ipv4.ip_forward", NAMESPACE_NETWORK},
	{"net/ipv4/conf/eth0.100/forwarding", NAMESPACE_NETWORK},
	{"net.ipv4.conf.eth0/100.forwarding", NAMESPACE_NETWORK},
	{"kernel.domainname", NAMESPACE_UTS},
	{"user.max_user_namespaces", NAMESPACE_USER},
	{"kernel.hostname", NAMESPACE_MAX},
	{"kernel.core_pattern", NAMESPACE_MAX},
	{"kernel/core_pattern", NAMESPACE_MAX},
	{"kernel.msgmaxx", NAMESPACE_MAX},
	{"kernel.sem.x", NAMESPACE_MAX},
	{"vm.swappiness", NAMESPACE_MAX},
	{"fs.mqueue", NAMESPACE_MAX},
	{"fs.file-max", NAMESPACE_MAX},
	{"net", NAMESPACE_MAX},
	{"network.x", NAMESPACE_MAX},
	{"", NAMESPACE_MAX},
	/* Ways out of the directory of a namespace. */
	{"net/../kernel/core_pattern", NAMESPACE_MAX},
	{"net.//.kernel.core_pattern", NAMESPACE_MAX},
	{"net/./ipv4/ip_forward", NAMESPACE_MAX},
	{"net././ipv4.ip_forward", NAMESPACE_MAX},
	{"net//ipv4/ip_forward", NAMESPACE_MAX},
	{"net..ipv4.ip_forward", NAMESPACE_MAX},
	{"/net/ipv4/ip_forward", NAMESPACE_MAX},
	{".net.ipv4.ip_forward", NAMESPACE_MAX},
	{"net/ipv4/", NAMESPACE_MAX},
	{"net.", NAMESPACE_MAX},
};

static void test_each_key_needs_its_namespace(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
			struct spec_namespace namespaces[NAMESPACE_MAX] = {{.wanted = false}};
			struct error err = ERROR_NONE;
			int r;

			namespaces[kind].wanted = true;
			r = check(keys[i].key, namespaces, &err);
			if ((r == 0) != (kind == (int)keys[i].kind))
				fail_msg("\"%s\" with a %s namespace: %s\n", keys[i].key,
					 namespace_names[kind], r < 0 ? err.text : "allowed");
		}
	}
}

static void test_texts(void **state)
{
	struct spec_namespace namespaces[NAMESPACE_MAX] = {{.wanted = false}};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(check("net.x", namespaces, &err), -EINVAL);
	assert_string_equal(err.text, "linux.sysctl[\"net.x\"]: only allowed in a network "
				      "namespace of the container's own");
	assert_int_equal(check("kernel.hostname", namespaces, &err), -EINVAL);
	assert_contains(err.text, "use the field hostname");
	assert_int_equal(check("vm.x", namespaces, &err), -EINVAL);
	assert_contains(err.text, "it would change the host");
}

static void test_host_network_is_refused(void **state)
{
	struct spec_namespace namespaces[NAMESPACE_MAX] = {{.wanted = false}};
	struct error err = ERROR_NONE;

	(void)state;
	namespaces[NAMESPACE_NETWORK].wanted = true;
	namespaces[NAMESPACE_NETWORK].path = "/proc/self/ns/net";
	assert_int_equal(check("net.ipv4.ip_forward", namespaces, &err), -EINVAL);
	assert_contains(err.text, "host's network namespace");
}

static void child_write(void *argument)
{
	struct spec_string_pair pairs[] = {{"net.ipv4.ip_forward", "1"},
					   {"net/ipv4/conf/lo/forwarding", "0"}};
	struct spec_strings list = {.items = pairs, .count = ARRAY_SIZE(pairs)};
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int procfd = -EBADF, file = -EBADF;
	struct error err = ERROR_NONE;

	(void)argument;
	procfd = proc_open(&err);
	child_assert(procfd >= 0);
	if (unshare(CLONE_NEWNET) < 0)
		_exit(CHILD_SKIP);
	child_assert(sysctl_apply(procfd, &list, &err) == 0);
	file = proc_open_at(procfd, "sys/net/ipv4/ip_forward", O_RDONLY, &err);
	child_assert(file >= 0);
	child_assert(file_read_fd(file, "ip_forward", 64, &text, NULL, &err) == 0);
	child_assert(str_equal(text, "1\n"));

	pairs[0] = (struct spec_string_pair){"net.ipv4.no_such_thing", "1"};
	child_assert(sysctl_apply(procfd, &list, &err) == -ENOENT);
	child_assert(str_starts(err.text, "linux.sysctl[\"net.ipv4.no_such_thing\"]: "));
	pairs[0] = (struct spec_string_pair){"net.ipv4.ip_forward", "maybe"};
	child_assert(sysctl_apply(procfd, &list, &err) == -EINVAL);
}

static void test_written_in_a_namespace(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_write, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key_needs_its_namespace),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_host_network_is_refused),
		cmocka_unit_test(test_written_in_a_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
