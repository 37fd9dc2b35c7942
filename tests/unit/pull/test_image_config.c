/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of images: as Docker and others write them, and what is refused. */
#include "image/image.h"

#include "../base/unit.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* In the tables ' stands for ", to keep them readable. */
#define ROOTFS	     "'rootfs':{'type':'layers','diff_ids':['" ABC "']}"
#define CONFIG(text) "{" ROOTFS ",'config':{" text "}}"

static int read_text(struct arena *arena, const char *text, struct image_config *ret,
		     struct error *err)
{
	_cleanup_free_ char *json = xstrdup(text);

	for (char *at = json; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	return image_config_read(arena, json, strlen(json), ret, err);
}

static void assert_list(const char *const *list, const char *expected)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	if (!list)
		fail_msg("NULL instead of \"%s\"", expected);
	for (size_t i = 0; list[i]; i++)
		buf_printf(&text, "%s%s", i > 0 ? "|" : "", list[i]);
	assert_string_equal(text.data ? text.data : "", expected);
}

static void test_whole(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct image_config config;
	struct error err = ERROR_NONE;
	char text[DIGEST_TEXT_MAX];

	(void)state;
	assert_fine(
		read_text(arena,
			  "{'created':'2024-05-06T07:08:09.123456789Z','author':'A <a@example.com>'"
			  ",'architecture':'arm64','variant':'v8','os':'linux','os.version':'10.0',"
			  "'os.features':['a','b'],'container':'0123','docker_version':'20.10',"
			  "'container_config':{'Cmd':['/bin/sh','-c','#(nop)']},"
			  "'config':{'Hostname':'x','Domainname':'','AttachStdin':false,'User':"
			  "'www:33','ExposedPorts':{'80/tcp':{},'53/udp':{},'443':{}},'Env':["
			  "'PATH=/usr/bin:/bin','EMPTY=','ODD','A=b=c ','PATH=/twice'],"
			  "'Entrypoint':['/entry','--'],'Cmd':['a b',''],'Volumes':{'/var/lib/x':"
			  "{},'/a':{}},'WorkingDir':'/srv/../srv','Labels':{'a':'1','A':'2'},"
			  "'StopSignal':'SIGRTMIN+3','OnBuild':null,'Healthcheck':{'Test':['CMD']}"
			  ",'Shell':['/bin/sh'],'Image':'sha256:x','ArgsEscaped':true},"
			  "'rootfs':{'type':'layers','diff_ids':['" ABC "','" ABC "']},"
			  "'history':[{'created_by':'x','empty_layer':true}]}",
			  &config, &err),
		err);
	assert_string_equal(config.platform.os, "linux");
	assert_string_equal(config.platform.architecture, "arm64");
	assert_string_equal(config.platform.variant, "v8");
	assert_string_equal(config.os_version, "10.0");
	assert_list(config.os_features, "a|b");
	assert_string_equal(config.author, "A <a@example.com>");
	assert_string_equal(config.created, "2024-05-06T07:08:09.123456789Z");
	assert_string_equal(config.user, "www:33");
	assert_string_equal(config.working_dir, "/srv/../srv");
	assert_string_equal(config.stop_signal, "SIGRTMIN+3");
	assert_list(config.env, "PATH=/usr/bin:/bin|EMPTY=|ODD|A=b=c |PATH=/twice");
	assert_list(config.entrypoint, "/entry|--");
	assert_list(config.cmd, "a b|");
	assert_list(config.exposed_ports, "443|53/udp|80/tcp");
	assert_list(config.volumes, "/a|/var/lib/x");
	assert_int_equal(config.labels->count, 2);
	assert_int_equal(config.history->count, 1);
	assert_int_equal(config.diff_id_count, 2);
	assert_string_equal(digest_text(&config.diff_ids[1], text), ABC);
}

/* Nothing but what must be there, and null for all else, as Go writes it. */
static void test_nothing_given(void **state)
{
	static const char *const texts[] = {
		"{'rootfs':{'type':'layers','diff_ids':[]}}",
		"{'rootfs':{'type':'layers','diff_ids':null},'config':null}",
		"{'rootfs':{'type':'layers'},'config':{}}",
		"{'rootfs':{'type':'layers','diff_ids':[]},'os':null,'architecture':null,'variant':"
		"null,'os.version':null,'os.features':null,'author':null,'created':null,'history':"
		"null,'config':{'User':null,'WorkingDir':null,'StopSignal':null,'Env':null,"
		"'Entrypoint':null,'Cmd':null,'ExposedPorts':null,'Volumes':null,'Labels':null}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct image_config config;
		struct error err = ERROR_NONE;

		assert_fine(read_text(arena, texts[i], &config, &err), err);
		assert_string_equal(config.platform.os, "");
		assert_string_equal(config.platform.architecture, "");
		assert_string_equal(config.platform.variant, "");
		assert_string_equal(config.os_version, "");
		assert_string_equal(config.author, "");
		assert_string_equal(config.created, "");
		assert_string_equal(config.user, "");
		assert_string_equal(config.working_dir, "");
		assert_string_equal(config.stop_signal, "");
		assert_null(config.os_features);
		assert_null(config.env);
		assert_null(config.entrypoint);
		assert_null(config.cmd);
		assert_null(config.exposed_ports);
		assert_null(config.volumes);
		assert_null(config.labels);
		assert_null(config.history);
		assert_int_equal(config.diff_id_count, 0);
	}
}

static void test_empty_lists(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct image_config config;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(read_text(arena,
			      CONFIG("'Env':[],'Entrypoint':[],'Cmd':[],'ExposedPorts':{},"
				     "'Volumes':{'/null':null},'Labels':{}"),
			      &config, &err),
		    err);
	assert_list(config.env, "");
	assert_list(config.entrypoint, "");
	assert_list(config.cmd, "");
	assert_list(config.exposed_ports, "");
	assert_list(config.volumes, "/null");
	assert_int_equal(config.labels->count, 0);
}

static const struct {
	const char *text, *says;
} refused[] = {
	{"", "image configuration"},
	{"[]", "found an array, must be an object"},
	{"{}", "rootfs is missing: this is no configuration of an image"},
	{"{'rootfs':null}", "rootfs is missing"},
	{"{'rootfs':[]}", "rootfs: found an array"},
	{"{'rootfs':{}}", "rootfs: type is \"\", must be \"layers\""},
	{"{'rootfs':{'type':'Layers','diff_ids':[]}}", "rootfs: type is \"Layers\""},
	{"{'rootfs':{'type':7}}", "rootfs: type: found a number"},
	{"{'rootfs':{'type':'layers','diff_ids':{}}}", "rootfs: diff_ids: found an object"},
	{"{'rootfs':{'type':'layers','diff_ids':[null]}}", "rootfs: diff_ids: found null"},
	{"{'rootfs':{'type':'layers','diff_ids':['sha256:../../x']}}", "rootfs: diff_ids: "},
	{"{'rootfs':{'type':'layers','diff_ids':[]},'Rootfs':{}}", "\"Rootfs\" differs"},
	{"{'rootfs':{'type':'layers','diff_IDs':[]}}", "rootfs: \"diff_IDs\" differs"},
	{"{'rootf\xc5\xbf':{'type':'layers'}}", "differs from \"rootfs\""},
	{"{" ROOTFS ",'os':7}", "os: found a number"},
	{"{" ROOTFS ",'OS':'linux'}", "\"OS\" differs from \"os\""},
	{"{" ROOTFS ",'os.features':'x'}", "os.features: found a string"},
	{"{" ROOTFS ",'history':{}}", "history: found an object"},
	{"{" ROOTFS ",'config':[]}", "config: found an array"},
	{CONFIG("'user':'root'"), "config: \"user\" differs from \"User\""},
	{CONFIG("'ENV':[]"), "config: \"ENV\" differs from \"Env\""},
	{CONFIG("'Env':[],'Env':[]"), "Env"},
	{CONFIG("'User':0"), "config: User: found a number, must be a string"},
	{CONFIG("'Env':'A=b'"), "config: Env: found a string, must be an array"},
	{CONFIG("'Env':[7]"), "config: Env: found a number"},
	{CONFIG("'Env':['A\\u0000B']"), "image configuration"},
	{CONFIG("'Env':[null]"), "config: Env: found null"},
	{CONFIG("'Cmd':'sh'"), "config: Cmd: found a string, must be an array"},
	{CONFIG("'Entrypoint':{}"), "config: Entrypoint: found an object"},
	{CONFIG("'ExposedPorts':['80']"), "config: ExposedPorts: found an array"},
	{CONFIG("'ExposedPorts':{'80':7}"), "ExposedPorts[\"80\"]: found a number"},
	{CONFIG("'Volumes':{'/a':'b'}"), "Volumes[\"/a\"]: found a string"},
	{CONFIG("'Labels':{'a':1}"), "Labels[\"a\"]: found a number, must be a string"},
	{CONFIG("'Labels':['a=b']"), "Labels: found an array"},
	{CONFIG("'WorkingDir':[]"), "WorkingDir: found an array"},
	{CONFIG("'StopSignal':9"), "StopSignal: found a number"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct image_config config = {.user = "untouched"};
		struct error err = ERROR_NONE;
		int r = read_text(arena, refused[i].text, &config, &err);

		if (r >= 0)
			fail_msg("accepted: %s", refused[i].text);
		assert_int_equal(r, err.code);
		assert_contains(err.text, "image configuration");
		assert_contains(err.text, refused[i].says);
		assert_string_equal(config.user, "untouched");
	}
}

static void test_bounds(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct image_config config;
	struct error err = ERROR_NONE;

	(void)state;
	buf_add_string(&text, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" ABC "\"");
	for (size_t i = 0; i < MANIFEST_LAYERS_MAX; i++)
		buf_add_string(&text, ",\"" ABC "\"");
	buf_add_string(&text, "]}}");
	assert_failed(image_config_read(arena, text.data, text.size, &config, &err), err, -EINVAL);
	assert_contains(err.text, "there are 5001, at most 5000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	    cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_empty_lists), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
