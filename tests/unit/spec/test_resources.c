/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.resources. */
#include <linux/bpf.h>

#include "unit.h"

static void test_smallest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources = &accept(arena, RESOURCES, "")->linux.resources;

	(void)state;
	assert_false(resources->memory_limit.set || resources->memory_reservation.set ||
		     resources->memory_swap.set || resources->memory_check_before_update);
	assert_false(resources->cpu_shares.set || resources->cpu_quota_us.set ||
		     resources->cpu_burst_us.set || resources->cpu_period_us.set ||
		     resources->cpu_idle.set || resources->pids_limit.set);
	assert_int_equal(resources->device_rule_count, 0);
	assert_int_equal(resources->unified_count, 0);
}

static void test_limits(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES,
			"\"memory\": {\"limit\": 9223372036854775807, \"reservation\": 0,"
			" \"swap\": -1, \"checkBeforeUpdate\": true},"
			"\"cpu\": {\"shares\": 18446744073709551615, \"quota\": -1, \"burst\": 0,"
			" \"period\": 100000, \"idle\": 1}, \"pids\": {\"limit\": 0}")
			 ->linux.resources;

	(void)state;
	assert_true(resources->memory_limit.set && resources->memory_limit.value == INT64_MAX);
	assert_true(resources->memory_reservation.set && resources->memory_reservation.value == 0);
	assert_true(resources->memory_swap.set && resources->memory_swap.value == -1);
	assert_true(resources->memory_check_before_update);
	assert_true(resources->cpu_shares.set && resources->cpu_shares.value == UINT64_MAX);
	assert_true(resources->cpu_quota_us.set && resources->cpu_quota_us.value == -1);
	assert_true(resources->cpu_burst_us.set && resources->cpu_burst_us.value == 0);
	assert_true(resources->cpu_period_us.set && resources->cpu_period_us.value == 100000);
	assert_true(resources->cpu_idle.set && resources->cpu_idle.value == 1);
	assert_true(resources->pids_limit.set && resources->pids_limit.value == 0);
}

static void test_cpuset(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES, "\"cpu\": {\"cpus\": \"0-3,7\", \"mems\": \"0\"}")
			 ->linux.resources;

	(void)state;
	assert_string_equal(resources->cpu_cpus, "0-3,7");
	assert_string_equal(resources->cpu_mems, "0");
}

static void test_block_io(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES,
			"\"blockIO\": {\"weight\": 500, \"leafWeight\": 0, \"weightDevice\":"
			" [{\"major\": 8, \"minor\": 16, \"weight\": 10}], "
			"\"throttleReadBpsDevice\":"
			" [{\"major\": 8, \"minor\": 0, \"rate\": 1048576}],"
			" \"throttleWriteIOPSDevice\": [{\"major\": 7, \"minor\": 1, \"rate\": 0},"
			" {\"major\": 7, \"minor\": 2, \"rate\": 18446744073709551615}]}")
			 ->linux.resources;

	(void)state;
	assert_true(resources->io_weight.set && resources->io_weight.value == 500);
	assert_int_equal(resources->io_weights.count, 1);
	assert_int_equal(resources->io_weights.items[0].minor, 16);
	assert_int_equal(resources->io_weights.items[0].value, 10);
	assert_int_equal(resources->io_max[IO_READ_BPS].count, 1);
	assert_int_equal(resources->io_max[IO_READ_BPS].items[0].value, 1048576);
	assert_int_equal(resources->io_max[IO_WRITE_BPS].count, 0);
	assert_int_equal(resources->io_max[IO_WRITE_IOPS].count, 2);
	assert_true(resources->io_max[IO_WRITE_IOPS].items[1].value == UINT64_MAX);
}

static void test_device_rules(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES,
			"\"devices\": [{\"allow\": false, \"access\": \"rwm\"},"
			"{\"allow\": true, \"type\": \"c\", \"major\": 10, \"minor\": 229,"
			" \"access\": \"w\"}, {\"allow\": true, \"type\": \"b\", \"major\": -1,"
			" \"minor\": null, \"access\": \"mr\"}, {\"allow\": true, \"type\": \"\","
			" \"access\": \"\"}]")
			 ->linux.resources;
	const struct spec_device_rule *rules = resources->device_rules;
	const uint32_t all = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

	(void)state;
	assert_int_equal(resources->device_rule_count, 4);
	assert_false(rules[0].allow);
	assert_int_equal(rules[0].type, 'a');
	assert_int_equal(rules[0].major, -1);
	assert_int_equal(rules[0].minor, -1);
	assert_int_equal(rules[0].access, all);
	assert_true(rules[1].allow);
	assert_int_equal(rules[1].type, 'c');
	assert_int_equal(rules[1].major, 10);
	assert_int_equal(rules[1].minor, 229);
	assert_int_equal(rules[1].access, BPF_DEVCG_ACC_WRITE);
	assert_int_equal(rules[2].type, 'b');
	assert_int_equal(rules[2].minor, -1);
	assert_int_equal(rules[2].access, BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ);
	assert_int_equal(rules[3].type, 'a');
	assert_int_equal(rules[3].access, all);
}

static void test_unified(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES,
			"\"unified\": {\"memory.high\": \"1\","
			" \"io.max\": \"8:0 rbps=1\\n8:16 rbps=2\"}")
			 ->linux.resources;

	(void)state;
	assert_int_equal(resources->unified_count, 2);
	assert_string_equal(resources->unified[0].file, "memory.high");
	assert_string_equal(resources->unified[0].value, "1");
	assert_string_equal(resources->unified[1].value, "8:0 rbps=1\n8:16 rbps=2");
}

static void test_hugepages_and_rdma(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources =
		&accept(arena, RESOURCES,
			"\"hugepageLimits\": [{\"pageSize\": \"64KB\", \"limit\": 5},"
			" {\"pageSize\": \"1GB\", \"limit\": 18446744073709551615}],"
			"\"rdma\": {\"mlx5_1\": {\"hcaHandles\": 3}, \"rxe0\": {\"hcaObjects\": "
			"0}}")
			 ->linux.resources;

	(void)state;
	assert_int_equal(resources->hugepage_limit_count, 2);
	assert_string_equal(resources->hugepage_limits[0].page_size, "64KB");
	assert_int_equal(resources->hugepage_limits[0].limit, 5);
	assert_true(resources->hugepage_limits[1].limit == UINT64_MAX);
	assert_int_equal(resources->rdma_count, 2);
	assert_string_equal(resources->rdma[0].device, "mlx5_1");
	assert_int_equal(resources->rdma[0].hca_handles.value, 3);
	assert_false(resources->rdma[0].hca_objects.set);
	assert_true(resources->rdma[1].hca_objects.set);
}

/* A document made from the struct becomes the same struct again. */
static void test_document(void **state)
{
	static const char full[] =
		"{\"memory\":{\"limit\":1,\"reservation\":-1,\"swap\":3,\"checkBeforeUpdate\":true}"
		","
		"\"cpu\":{\"shares\":18446744073709551615,\"quota\":-1,\"burst\":2,\"period\":3,"
		"\"idle\":1,\"cpus\":\"0-3\",\"mems\":\"0\"},\"pids\":{\"limit\":0},"
		"\"blockIO\":{\"weight\":10,"
		"\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":20}],"
		"\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":1}],"
		"\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":2,\"rate\":2}],"
		"\"throttleReadIOPSDevice\":[],"
		"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":4,\"rate\":4}]},"
		"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":5}],"
		"\"rdma\":{\"a\":{\"hcaHandles\":1},\"b\":{\"hcaObjects\":2}},"
		"\"devices\":[{\"allow\":false,\"type\":\"a\",\"major\":-1,\"minor\":-1,"
		"\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,"
		"\"access\":\"r\"}],\"unified\":{\"memory.high\":\"a\\nb\"}}";
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources *resources;
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(
		spec_decode_resources(arena, full, strlen(full), "x.json", &resources, &err), 0);
	text = spec_resources_document(resources);
	assert_string_equal(text, full);
	assert_int_equal(spec_decode_resources(arena, "{\"cpu\": {\"idle\": 2}}", 20, "x.json",
					       &resources, &err),
			 -EINVAL);
	assert_string_equal(err.text, "x.json: linux.resources.cpu.idle: found 2, must be a whole "
				      "number from 0 to 1");
}

/* What berth cannot do yet, or nobody can with cgroup v2, asked to do nothing. */
static void test_asks_for_nothing(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	accept(arena, RESOURCES,
	       "\"memory\": {\"kernel\": -1, \"kernelTCP\": 0, \"swappiness\": null,"
	       " \"disableOOMKiller\": false, \"useHierarchy\": false, \"limit\": null},"
	       "\"cpu\": {\"realtimeRuntime\": 0, \"realtimePeriod\": 0, \"cpus\": \"\","
	       " \"mems\": \"\"}, \"pids\": {}, \"devices\": null, \"unified\": {},"
	       "\"blockIO\": {\"weight\": 0, \"weightDevice\": []}, \"hugepageLimits\": [],"
	       "\"network\": {\"classID\": 0, \"priorities\": []}, \"rdma\": {}");
	accept(arena, RESOURCES, "\"memory\": {\"kernel\": 0, \"kernelTCP\": -1}, \"cpu\": null");
}

#define V1_ONLY "cgroup v2 has no such limit"
#define I64	"must be a whole number from -1 to 9223372036854775807"

static const struct refusal refusals[] = {
	{RESOURCES, "\"memory\": 5", "linux.resources.memory: found a number, must be an object"},
	{RESOURCES, "\"memory\": {\"limit\": \"1g\"}",
	 "linux.resources.memory.limit: found a string, " I64},
	{RESOURCES, "\"memory\": {\"limit\": 9223372036854775808}",
	 "linux.resources.memory.limit: found 9223372036854775808, " I64},
	{RESOURCES, "\"memory\": {\"reservation\": -2}",
	 "linux.resources.memory.reservation: found -2, " I64},
	{RESOURCES, "\"memory\": {\"swap\": 1.5}", "linux.resources.memory.swap: found 1.5, " I64},
	{RESOURCES, "\"memory\": {\"swap\": -9223372036854775809}",
	 "linux.resources.memory.swap: found -9223372036854775809, " I64},
	{RESOURCES, "\"memory\": {\"checkBeforeUpdate\": 1}",
	 "linux.resources.memory.checkBeforeUpdate: found a number, must be a boolean"},
	{RESOURCES, "\"memory\": {\"kernel\": 1}", "linux.resources.memory.kernel: " V1_ONLY},
	{RESOURCES, "\"memory\": {\"kernel\": -2}", "linux.resources.memory.kernel: " V1_ONLY},
	{RESOURCES, "\"memory\": {\"kernelTCP\": 1}", "linux.resources.memory.kernelTCP: " V1_ONLY},
	{RESOURCES, "\"memory\": {\"swappiness\": 0}",
	 "linux.resources.memory.swappiness: " V1_ONLY},
	{RESOURCES, "\"memory\": {\"disableOOMKiller\": true}",
	 "linux.resources.memory.disableOOMKiller: " V1_ONLY},
	{RESOURCES, "\"memory\": {\"disableOOMKiller\": 0}",
	 "linux.resources.memory.disableOOMKiller: found a number, must be a boolean"},
	{RESOURCES, "\"memory\": {\"useHierarchy\": true}",
	 "linux.resources.memory.useHierarchy: " V1_ONLY},
	{RESOURCES, "\"cpu\": {\"shares\": -1}",
	 "linux.resources.cpu.shares: found -1, must be a whole number from 0 to "
	 "18446744073709551615"},
	{RESOURCES, "\"cpu\": {\"shares\": 18446744073709551616}",
	 "linux.resources.cpu.shares: found 18446744073709551616, must be a whole number from 0 "
	 "to 18446744073709551615"},
	{RESOURCES, "\"cpu\": {\"quota\": -2}", "linux.resources.cpu.quota: found -2, " I64},
	{RESOURCES, "\"cpu\": {\"burst\": true}",
	 "linux.resources.cpu.burst: found a boolean, must be a whole number from 0 to "
	 "18446744073709551615"},
	{RESOURCES, "\"cpu\": {\"idle\": 2}",
	 "linux.resources.cpu.idle: found 2, must be a whole number from 0 to 1"},
	{RESOURCES, "\"cpu\": {\"realtimeRuntime\": 1}",
	 "linux.resources.cpu.realtimeRuntime: " V1_ONLY},
	{RESOURCES, "\"cpu\": {\"realtimePeriod\": 1}",
	 "linux.resources.cpu.realtimePeriod: " V1_ONLY},
	{RESOURCES, "\"cpu\": {\"mems\": 0}",
	 "linux.resources.cpu.mems: found a number, must be a string"},
	{RESOURCES, "\"pids\": {\"limit\": -2}", "linux.resources.pids.limit: found -2, " I64},
	{RESOURCES, "\"devices\": [{}]", "linux.resources.devices[0].allow: required, but missing"},
	{RESOURCES, "\"devices\": [{\"allow\": 1}]",
	 "linux.resources.devices[0].allow: found a number, must be a boolean"},
	{RESOURCES, "\"devices\": [{\"allow\": true, \"type\": \"p\"}]",
	 "linux.resources.devices[0].type: \"p\" is not one of a, b, c"},
	{RESOURCES, "\"devices\": [{\"allow\": true, \"type\": 1}]",
	 "linux.resources.devices[0].type: found a number, must be a string"},
	{RESOURCES, "\"devices\": [{\"allow\": true}, {\"allow\": true, \"major\": -2}]",
	 "linux.resources.devices[1].major: found -2, must be a whole number from -1 to "
	 "4294967295"},
	{RESOURCES, "\"devices\": [{\"allow\": true, \"minor\": 4294967296}]",
	 "linux.resources.devices[0].minor: found 4294967296, must be a whole number from -1 to "
	 "4294967295"},
	{RESOURCES, "\"devices\": [{\"allow\": true, \"access\": \"rx\"}]",
	 "linux.resources.devices[0].access: \"rx\" has other letters than r, w and m"},
	{RESOURCES, "\"devices\": [{\"allow\": true, \"access\": 7}]",
	 "linux.resources.devices[0].access: found a number, must be a string"},
	{RESOURCES, "\"unified\": {\"../x\": \"1\"}",
	 "linux.resources.unified[\"../x\"]: is not the name of a file of a cgroup"},
	{RESOURCES, "\"unified\": {\".x\": \"1\"}",
	 "linux.resources.unified[\".x\"]: is not the name of a file of a cgroup"},
	{RESOURCES, "\"unified\": {\"a/b\": \"1\"}",
	 "linux.resources.unified[\"a/b\"]: is not the name of a file of a cgroup"},
	{RESOURCES, "\"unified\": {\"\": \"1\"}",
	 "linux.resources.unified[\"\"]: a name must not be empty"},
	{RESOURCES, "\"unified\": {\"memory.high\": 1}",
	 "linux.resources.unified[\"memory.high\"]: found a number, must be a string"},
	{RESOURCES, "\"blockIO\": {\"weight\": \"10\"}",
	 "linux.resources.blockIO.weight: found a string, must be a whole number from 0 to 65535"},
	{RESOURCES, "\"blockIO\": {\"leafWeight\": 10}",
	 "linux.resources.blockIO.leafWeight: " V1_ONLY},
	{RESOURCES, "\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 0}]}",
	 "linux.resources.blockIO.throttleReadBpsDevice[0].rate: required, but missing"},
	{RESOURCES, "\"hugepageLimits\": [{\"pageSize\": \"64kB\", \"limit\": 1}]",
	 "linux.resources.hugepageLimits[0].pageSize: \"64kB\" is not a size such as 64KB, 2MB or "
	 "1GB"},
	{RESOURCES, "\"hugepageLimits\": [{\"pageSize\": \"2\", \"limit\": 1}]",
	 "linux.resources.hugepageLimits[0].pageSize: \"2\" is not a size such as 64KB, 2MB or "
	 "1GB"},
	{RESOURCES, "\"hugepageLimits\": [{\"pageSize\": \"2MB/x\", \"limit\": 1}]",
	 "linux.resources.hugepageLimits[0].pageSize: \"2MB/x\" is not a size such as 64KB, 2MB or "
	 "1GB"},
	{RESOURCES, "\"hugepageLimits\": [{\"pageSize\": \"2MB\"}]",
	 "linux.resources.hugepageLimits[0].limit: required, but missing"},
	{RESOURCES, "\"rdma\": {\"a\": {}}",
	 "linux.resources.rdma[\"a\"]: needs at least one of hcaHandles and hcaObjects"},
	{RESOURCES, "\"rdma\": {\"a b\": {\"hcaHandles\": 3}}",
	 "linux.resources.rdma[\"a b\"]: is not the name of a device"},
	{RESOURCES, "\"network\": {\"classID\": 1}", "linux.resources.network: " V1_ONLY},
	{RESOURCES, "\"rdma\": {\"a\": {\"hcaHandles\": 4294967296}}",
	 "linux.resources.rdma[\"a\"].hcaHandles: found 4294967296, must be a whole number from 0 "
	 "to "
	 "4294967295"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),	 cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cpuset),		 cmocka_unit_test(test_device_rules),
		cmocka_unit_test(test_block_io),	 cmocka_unit_test(test_hugepages_and_rdma),
		cmocka_unit_test(test_document),	 cmocka_unit_test(test_unified),
		cmocka_unit_test(test_asks_for_nothing), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
