/* SPDX-License-Identifier: Apache-2.0 */
/* The outermost object of config.json: version, root, names, hooks, annotations. */
#include "unit.h"

#define HEAD	   "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}"
#define MOUNT_ONLY "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}]}"

/* A document with this version. */
static char *with_version(const char *version)
{
	return xasprintf("{\"ociVersion\": \"%s\", \"root\": {\"path\": \"r\"}, " MOUNT_ONLY "}",
			 version);
}

static void test_versions(void **state)
{
	static const char *const good[] = {
		"1.0.0",  "1.0.2",	"1.0.2-dev", "1.1.0-rc.1", "1.2.1",	 "1.3.0",
		"1.3.99", "1.3.0-rc.1", "1.0.0-rc5", "1.3.0+dev",  "1.3.1-0.a-", "1.2.0-a.b+c.d-e",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text = with_version(good[i]);

		assert_string_equal(accept(arena, WHOLE, text)->oci_version, good[i]);
	}
}

static void test_versions_refused(void **state)
{
	static const char *const foreign[] = {"0.9.9", "1.4.0", "1.4.0-dev", "1.10.0", "2.0.0"};
	static const char *const malformed[] = {
		"",
		"1",
		"1.0",
		"1.0.",
		"v1.0.0",
		"1.0.0.0",
		"01.0.0",
		"1.00.0",
		"1..0",
		"1.0.0-",
		"1.0.0+",
		"1.0.0-a..b",
		"1.0.0 ",
		"1.0.0-a_b",
		"1.0.0+a+b",
		"-1.0.0",
		"1.-0.0",
		"1.0.a",
		"1.0.99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		_cleanup_free_ char *text = with_version(foreign[i]);
		_cleanup_free_ char *error =
			xasprintf("ociVersion: \"%s\" is not supported, must be from 1.0.0 to "
				  "1.3.0 (later patches included)",
				  foreign[i]);

		reject(WHOLE, text, error);
	}
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		_cleanup_free_ char *text = with_version(malformed[i]);
		_cleanup_free_ char *error =
			xasprintf("ociVersion: \"%s\" is not a version of the form "
				  "MAJOR.MINOR.PATCH",
				  malformed[i]);

		reject(WHOLE, text, error);
	}
}

static void test_version_constants(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *low = with_version(SPEC_VERSION_MIN);
	_cleanup_free_ char *high = with_version(SPEC_VERSION_MAX);

	(void)state;
	accept(arena, WHOLE, low);
	accept(arena, WHOLE, high);
}

static void test_root(void **state)
{
	static const struct {
		const char *path, *expected;
	} cases[] = {
		{"rootfs", BUNDLE "/rootfs"},
		{"./rootfs/", BUNDLE "/rootfs"},
		{"/srv//x/./y", "/srv/x/y"},
		{"../two/../three", "/bundles/three"},
		{"/", "/"},
		{".", BUNDLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"%s\","
				  " \"readonly\": true}, " MOUNT_ONLY "}",
				  cases[i].path);
		const struct spec *spec = accept(arena, WHOLE, text);

		assert_string_equal(spec->root_path, cases[i].expected);
		assert_true(spec->root_readonly);
	}
}

/* The least that the specification asks for. */
static void test_version_and_root(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec = accept(arena, WHOLE, HEAD "}");

	(void)state;
	assert_string_equal(spec->root_path, BUNDLE "/r");
	assert_null(spec->process);
	for (int i = 0; i < NAMESPACE_MAX; i++)
		assert_false(spec->linux.namespaces[i].wanted);
}

static void test_smallest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec = accept(arena, TOP, "");

	(void)state;
	assert_false(spec->root_readonly);
	assert_null(spec->hostname);
	assert_null(spec->domainname);
	assert_null(spec->overlay.lower);
	assert_int_equal(spec->mount_count, 0);
	assert_int_equal(spec->annotations.count, 0);
	for (int i = 0; i < HOOK_MAX; i++)
		assert_int_equal(spec->hooks[i].count, 0);
}

#define SIXTEEN "0123456789abcdef"

static void test_uts_names(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec = accept(
		arena, WHOLE,
		HEAD ", \"hostname\": \"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\","
		     "\"domainname\": \"example.org\", \"linux\": {\"namespaces\": ["
		     "{\"type\": \"mount\"}, {\"type\": \"uts\", \"path\": \"/run/uts\"}]}}");

	(void)state;
	assert_string_equal(spec->hostname, SIXTEEN SIXTEEN SIXTEEN SIXTEEN);
	assert_string_equal(spec->domainname, "example.org");
	assert_null(accept(arena, TOP, "\"hostname\": \"\", \"domainname\": null,")->hostname);
}

static void test_hooks(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	const struct spec *spec;

	(void)state;
	buf_add_string(&text, "\"hooks\": {\"neverHeardOf\": 5");
	for (int i = 0; i < HOOK_MAX; i++)
		buf_printf(&text,
			   ", \"%s\": [{\"path\": \"/%d\"}, {\"path\": \"/x\", \"args\": [\"a\"],"
			   " \"env\": [\"K=v\"], \"timeout\": 5},"
			   " {\"path\": \"/y\", \"args\": [], \"env\": []}]",
			   hook_names[i], i);
	buf_add_string(&text, "},");
	spec = accept(arena, TOP, text.data);
	for (int i = 0; i < HOOK_MAX; i++) {
		const struct spec_hook *hook = spec->hooks[i].items;
		char path[] = {'/', (char)('0' + i), '\0'};

		assert_int_equal(spec->hooks[i].count, 3);
		assert_string_equal(hook[0].path, path);
		assert_null(hook[0].argv);
		assert_null(hook[0].envp);
		assert_int_equal(hook[0].timeout_s, 0);
		assert_string_equal(hook[1].argv[0], "a");
		assert_null(hook[1].argv[1]);
		assert_string_equal(hook[1].envp[0], "K=v");
		assert_int_equal(hook[1].timeout_s, 5);
		assert_null(hook[2].argv);
		assert_null(hook[2].envp[0]);
	}
}

static void test_annotations(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_strings *annotations =
		&accept(arena, TOP, "\"annotations\": {\"b\": \"2\", \"a\": \"\", \"c d\": \"x\"},")
			 ->annotations;

	(void)state;
	assert_int_equal(annotations->count, 3);
	assert_string_equal(annotations->items[0].key, "b");
	assert_string_equal(annotations->items[0].value, "2");
	assert_string_equal(annotations->items[1].key, "a");
	assert_string_equal(annotations->items[1].value, "");
	assert_string_equal(annotations->items[2].key, "c d");
}

static void test_context_type(void **state)
{
	static const char *const names[] = {"context", "fscontext", "defcontext", "rootcontext"};
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(accept(arena, TOP, "")->linux.mount_context, "context");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = arena_printf(arena, "\"annotations\": {\"%s\": \"%s\"},",
						"run.oci.mount_context_type", names[i]);

		assert_string_equal(accept(arena, TOP, text)->linux.mount_context, names[i]);
	}
}

/* Unknown members, and sections of other platforms, are not for us. */
static void test_ignored(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	accept(arena, TOP,
	       "\"windows\": {\"layerFolders\": [\"C:\"]}, \"solaris\": {\"milestone\": \"x\"},"
	       "\"vm\": {\"kernel\": {\"path\": \"/k\"}}, \"zos\": {}, \"freebsd\": {},"
	       "\"x-mine\": [1, {\"deep\": null}], \"hooks\": null, \"mounts\": null,"
	       "\"annotations\": null,");
}

static const struct refusal refusals[] = {
	{WHOLE, "[]", "config.json: found an array, must be an object"},
	{WHOLE, "null", "config.json: found null, must be an object"},
	{WHOLE, "{}", "ociVersion: required, but missing"},
	{WHOLE, "{\"ociVersion\": 1}", "ociVersion: found a number, must be a string"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\"}", "root: required, but missing"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": null}", "root: required, but missing"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": \"r\"}",
	 "root: found a string, must be an object"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": {}}", "root.path: required, but missing"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"\"}}",
	 "root.path: must not be empty"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": 5}}",
	 "root.path: found a number, must be a string"},
	{WHOLE, "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\", \"readonly\": 0}}",
	 "root.readonly: found a number, must be a boolean"},
	{TOP, "\"hostname\": 5,", "hostname: found a number, must be a string"},
	{TOP, "\"hostname\": \"h\",", "hostname: needs a \"uts\" namespace in linux.namespaces"},
	{TOP, "\"domainname\": \"d\",",
	 "domainname: needs a \"uts\" namespace in linux.namespaces"},
	{TOP, "\"hostname\": \"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x\",",
	 "hostname: has 65 bytes, and the kernel takes 64"},
	{TOP, "\"domainname\": \"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x\",",
	 "domainname: has 65 bytes, and the kernel takes 64"},
	{TOP, "\"hooks\": [],", "hooks: found an array, must be an object"},
	{TOP, "\"hooks\": {\"prestart\": {}},",
	 "hooks.prestart: found an object, must be an array"},
	{TOP, "\"hooks\": {\"createRuntime\": [\"/x\"]},",
	 "hooks.createRuntime[0]: found a string, must be an object"},
	{TOP, "\"hooks\": {\"createContainer\": [{}]},",
	 "hooks.createContainer[0].path: required, but missing"},
	{TOP, "\"hooks\": {\"startContainer\": [{\"path\": \"x\"}]},",
	 "hooks.startContainer[0].path: \"x\" is not an absolute path"},
	{TOP, "\"hooks\": {\"poststart\": [{\"path\": \"/x\", \"timeout\": 0}]},",
	 "hooks.poststart[0].timeout: found 0, must be a whole number from 1 to 2147483"},
	{TOP, "\"hooks\": {\"poststart\": [{\"path\": \"/x\", \"timeout\": -1}]},",
	 "hooks.poststart[0].timeout: found -1, must be a whole number from 1 to 2147483"},
	{TOP, "\"hooks\": {\"poststop\": [{\"path\": \"/x\"}, {\"path\": \"/x\", \"args\": [1]}]},",
	 "hooks.poststop[1].args[0]: found a number, must be a string"},
	{TOP, "\"hooks\": {\"poststop\": [{\"path\": \"/x\", \"env\": [\"A=1\", \"B\"]}]},",
	 "hooks.poststop[0].env[1]: \"B\" is not NAME=VALUE"},
	{TOP, "\"annotations\": [],", "annotations: found an array, must be an object"},
	{TOP, "\"annotations\": {\"a b\": 1},",
	 "annotations[\"a b\"]: found a number, must be a string"},
	{TOP, "\"annotations\": {\"\": \"x\"},", "annotations[\"\"]: a name must not be empty"},
	{TOP, "\"annotations\": {\"run.oci.mount_context_type\": \"Context\"},",
	 "annotations[\"run.oci.mount_context_type\"]: \"Context\" is not one of context, "
	 "fscontext, "
	 "defcontext, rootcontext"},
	{TOP, "\"annotations\": {\"run.oci.mount_context_type\": \"\"},",
	 "annotations[\"run.oci.mount_context_type\"]: \"\" is not one of context, fscontext, "
	 "defcontext, rootcontext"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

static void test_syntax(void **state)
{
	static const char *const cases[] = {
		"",
		"{]",
		"{\"ociVersion\": \"1.0.0\",}",
		"{\"ociVersion\": \"1.0.0\", \"ociVersion\": \"1.0.0\"}",
		"{\"ociVersion\": \"1.0.0\"} x",
		"// x\n{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct spec *spec = NULL;
		struct error err = ERROR_NONE;

		assert_true(spec_decode(arena, cases[i], strlen(cases[i]), BUNDLE, &spec, &err) <
			    0);
		assert_null(spec);
		assert_non_null(strstr(err.text, "config.json: line 1, column "));
	}
}

/* What an error repeats of a document is bounded. */
static void test_long_values(void **state)
{
	_cleanup_free_ char *version = xcalloc(5000, 1);
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *error = NULL;

	(void)state;
	memset(version, '9', 4999);
	text = with_version(version);
	version[100] = '\0';
	error = xasprintf("ociVersion: \"%s\" is not a version of the form MAJOR.MINOR.PATCH",
			  version);
	reject(WHOLE, text, error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_versions_refused),
		cmocka_unit_test(test_version_constants),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_version_and_root),
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_uts_names),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_context_type),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_long_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
