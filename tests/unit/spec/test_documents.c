/* SPDX-License-Identifier: Apache-2.0 */
/* The documents that berth writes: the state, and the template of config.json. */
#include <sys/mount.h>

#include "berth/base/json_write.h"
#include "berth/spec/state_document.h"

#include "unit.h"

static struct spec_string_pair pairs[] = {{"b\"", "2\n"}, {"a", ""}};
static const struct spec_strings annotations = {pairs, ARRAY_SIZE(pairs)};
static const struct spec_strings no_annotations = {NULL, 0};

static void test_hook(void **state)
{
	const struct state_document full = {
		.id = "box",
		.status = STATUS_CREATING,
		.pid = 4194304,
		.bundle = "/b",
		.annotations = &annotations,
	};
	const struct state_document bare = {.id = "box",
					    .status = STATUS_STOPPED,
					    .bundle = "/b",
					    .annotations = &no_annotations};
	_cleanup_free_ char *full_text = state_document_for_hook(&full);
	_cleanup_free_ char *bare_text = state_document_for_hook(&bare);

	(void)state;
	assert_string_equal(full_text,
			    "{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"creating\","
			    "\"pid\":4194304,\"bundle\":\"/b\","
			    "\"annotations\":{\"b\\\"\":\"2\\n\",\"a\":\"\"}}");
	assert_string_equal(bare_text, "{\"ociVersion\":\"1.3.0\",\"id\":\"box\","
				       "\"status\":\"stopped\",\"bundle\":\"/b\"}");
}

static void test_agent(void **state)
{
	const struct state_document document = {
		.id = "box", .status = STATUS_RUNNING, .pid = 17, .bundle = "/b", .rootfs = "/r"};
	_cleanup_free_ char *with = state_document_for_agent(&document, 18, "a\n");
	_cleanup_free_ char *without = state_document_for_agent(&document, 17, NULL);

	(void)state;
	assert_string_equal(with, "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":18,"
				  "\"metadata\":\"a\\n\",\"state\":{\"ociVersion\":\"1.3.0\","
				  "\"id\":\"box\",\"status\":\"running\",\"pid\":17,"
				  "\"bundle\":\"/b\"}}");
	assert_string_equal(without, "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":17,"
				     "\"state\":{\"ociVersion\":\"1.3.0\",\"id\":\"box\","
				     "\"status\":\"running\",\"pid\":17,\"bundle\":\"/b\"}}");
}

static void test_state(void **state)
{
	const struct state_document document = {
		.id = "box",
		.status = STATUS_PAUSED,
		.pid = 17,
		.bundle = "/b",
		.annotations = &annotations,
		.rootfs = "/b/rootfs",
		.created = "2026-01-02T03:04:05.000000006Z",
	};
	_cleanup_free_ char *text = state_document_for_state(&document);

	(void)state;
	assert_string_equal(text, "{\n"
				  "  \"ociVersion\": \"1.3.0\",\n"
				  "  \"id\": \"box\",\n"
				  "  \"pid\": 17,\n"
				  "  \"status\": \"paused\",\n"
				  "  \"bundle\": \"/b\",\n"
				  "  \"rootfs\": \"/b/rootfs\",\n"
				  "  \"created\": \"2026-01-02T03:04:05.000000006Z\",\n"
				  "  \"annotations\": {\n"
				  "    \"b\\\"\": \"2\\n\",\n"
				  "    \"a\": \"\"\n"
				  "  },\n"
				  "  \"owner\": \"\"\n"
				  "}\n");
}

static void test_list(void **state)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);
	const struct state_document document = {.id = "box",
						.status = STATUS_STOPPED,
						.bundle = "/b",
						.rootfs = "/r",
						.created = "then",
						.owner = "root"};

	(void)state;
	json_begin_array(&w);
	state_document_for_list(&w, &document);
	state_document_for_list(&w, &document);
	json_end_array(&w);
#define ONE                                                                                        \
	"{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"pid\":0,\"status\":\"stopped\","               \
	"\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"then\",\"owner\":\"root\"}"
	assert_string_equal(text.data, "[" ONE "," ONE "]");
}

static void test_status_names(void **state)
{
	static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), STATUS_MAX);
	for (int i = 0; i < STATUS_MAX; i++)
		assert_string_equal(container_status_names[i], names[i]);
}

static void test_hook_names(void **state)
{
	static const char *const names[] = {"prestart",	      "createRuntime", "createContainer",
					    "startContainer", "poststart",     "poststop"};

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), HOOK_MAX);
	for (int i = 0; i < HOOK_MAX; i++)
		assert_string_equal(hook_names[i], names[i]);
}

static void test_template(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = spec_template(false, 1000, 1000);
	const struct spec *spec = accept(arena, WHOLE, text);

	(void)state;
	assert_string_equal(spec->oci_version, SPEC_VERSION_MAX);
	assert_string_equal(spec->root_path, BUNDLE "/rootfs");
	assert_true(spec->root_readonly && spec->process->no_new_privileges);
	assert_string_equal(spec->process->args[0], "sh");
	assert_true(spec->process->capabilities.sets[CAPABILITY_BOUNDING] ==
		    spec->process->capabilities.sets[CAPABILITY_PERMITTED]);
	assert_true(spec->process->capabilities.sets[CAPABILITY_BOUNDING] != 0);
	assert_true(spec->process->capabilities.sets[CAPABILITY_AMBIENT] == 0);
	assert_null(spec->process->capabilities.unknown);
	assert_int_equal(spec->process->rlimits[0].soft, 1024);
	assert_int_equal(spec->mount_count, 7);
	assert_string_equal(spec->mounts[2].data[3], "gid=5");
	assert_true(spec->mounts[6].attributes_set ==
		    (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY));
	for (int i = 0; i < NAMESPACE_MAX; i++)
		assert_true(spec->linux.namespaces[i].wanted ==
			    (i != NAMESPACE_TIME && i != NAMESPACE_USER));
	assert_int_equal(spec->linux.resources.device_rule_count, 1);
	assert_false(spec->linux.resources.device_rules[0].allow);
	assert_string_equal(spec->linux.masked_paths[9], "/proc/scsi");
	assert_string_equal(spec->linux.readonly_paths[4], "/proc/sysrq-trigger");
}

static void test_rootless_template(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = spec_template(true, 1000, 1001);
	const struct spec *spec = accept(arena, WHOLE, text);

	(void)state;
	assert_false(spec->linux.namespaces[NAMESPACE_NETWORK].wanted);
	assert_true(spec->linux.namespaces[NAMESPACE_USER].wanted);
	assert_int_equal(spec->linux.id_maps.uid_count, 1);
	assert_int_equal(spec->linux.id_maps.uid[0].host_id, 1000);
	assert_int_equal(spec->linux.id_maps.gid[0].host_id, 1001);
	assert_int_equal(spec->linux.resources.device_rule_count, 0);
	assert_int_equal(spec->mount_count, 7);
	assert_null(spec->mounts[2].data[3]);
	assert_true(spec->mounts[5].bind_recursive);
	assert_string_equal(spec->mounts[5].source, "/sys");
}

/* Tabs indent, as in runc's, and the text is one document that ends with its line. */
static void test_template_layout(void **state)
{
	_cleanup_free_ char *text = spec_template(false, 0, 0);
	const char *start = "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n"
			    "\t\t\"terminal\": true,\n\t\t\"user\": {\n\t\t\t\"uid\": 0,\n";

	(void)state;
	assert_true(str_starts(text, start));
	assert_null(strstr(text, "\n "));
	assert_null(strstr(text, "\n\n"));
	assert_string_equal(text + strlen(text) - 5, "\t}\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_status_names),
		cmocka_unit_test(test_hook_names),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_rootless_template),
		cmocka_unit_test(test_template_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
