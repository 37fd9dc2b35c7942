/* SPDX-License-Identifier: Apache-2.0 */
/* From the image's configuration and the options to config.json, field by field. */
#include "bundle.h"

#define PATH "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""
#define HOME "\"HOME=/root\""

/* What stands in the image's "config", options (blanks between them), where in config.json, what
 * stands there. */
struct conversion {
	const char *config, *options, *place, *expected;
};

static const struct conversion conversions[] = {
	{"'Entrypoint': ['/e'], 'Cmd': ['c', 'd']", "", "process.args", "['/e','c','d']"},
	{"'Entrypoint': ['/e']", "", "process.args", "['/e']"},
	{"'Cmd': ['c', 'd e']", "", "process.args", "['c','d e']"},
	{"'Entrypoint': null, 'Cmd': null", "", "process.args", "['sh']"},
	{"'Entrypoint': [], 'Cmd': []", "", "process.args", "['sh']"},
	{"'Entrypoint': [''], 'Cmd': ['c']", "", "process.args", "['c']"},
	{"'Entrypoint': ['/e'], 'Cmd': ['c']", "--arg x --arg -y", "process.args",
	 "['/e','x','-y']"},
	{"'Cmd': ['c', 'd']", "--arg x", "process.args", "['x']"},
	{"'Entrypoint': ['/e'], 'Cmd': ['c']", "--entrypoint /n", "process.args", "['/n']"},
	{"'Entrypoint': ['/e'], 'Cmd': ['c']", "--entrypoint /n --arg a", "process.args",
	 "['/n','a']"},
	{"'Entrypoint': ['/e'], 'Cmd': ['c']", "--entrypoint= --arg a", "process.args", "['a']"},
	{"'Env': null", "", "process.env", "[" PATH "," HOME "]"},
	{"'Env': ['PATH=/x', 'HOME=/h', 'A=b=c']", "", "process.env",
	 "['PATH=/x','HOME=/h','A=b=c']"},
	{"'Env': ['PATH=', 'HOME=']", "", "process.env", "['PATH=','HOME=']"},
	{"'Env': ['A=1', 'PATHS=1', 'HOMER=1']", "", "process.env",
	 "['A=1','PATHS=1','HOMER=1'," PATH "," HOME "]"},
	{"'Env': ['PATH=/x', 'HOME=/h', 'A=1']", "--env A=2 --env B=", "process.env",
	 "['PATH=/x','HOME=/h','A=2','B=']"},
	{"'Env': ['PATH=/x', 'HOME=/h', 'A=1']", "--env HERE --env A", "process.env",
	 "['PATH=/x','HOME=/h','HERE=as it is here']"},
	{"'Env': ['PATH=/x', 'HOME=/h']", "--tty", "process.env",
	 "['PATH=/x','HOME=/h','TERM=xterm']"},
	{"'Env': ['PATH=/x', 'HOME=/h', 'TERM=vt100']", "--tty", "process.env",
	 "['PATH=/x','HOME=/h','TERM=vt100']"},
	{"'WorkingDir': '/w'", "", "process.cwd", "'/w'"},
	{"'WorkingDir': ''", "", "process.cwd", "'/'"},
	{"'WorkingDir': 'w/x'", "", "process.cwd", "'/w/x'"},
	{"'WorkingDir': '/w'", "--cwd /o", "process.cwd", "'/o'"},
	{"'User': ''", "", "process.user", "{'uid':0,'gid':0}"},
	{"'User': 'web'", "", "process.user", "{'uid':33,'gid':34,'additionalGids':[80]}"},
	{"'User': 'web'", "", "process.env", "[" PATH ",'HOME=/srv']"},
	{"'User': 'web'", "--user 5:6", "process.user", "{'uid':5,'gid':6}"},
	{"'User': 'nobody-there'", "--user web:www", "process.user", "{'uid':33,'gid':80}"},
	{"'User': '1234'", "", "process.env", "[" PATH ",'HOME=/']"},
	{"", "", "process.terminal", "false"},
	{"", "--tty", "process.terminal", "true"},
	{"", "", "process.noNewPrivileges", "true"},
	{"", "--security-opt no-new-privileges=false", "process.noNewPrivileges", "false"},
	{"", "", "process.capabilities.inheritable", "(none)"},
	{"", "--cap-drop ALL --cap-add NET_RAW", "process.capabilities",
	 "{'bounding':['CAP_NET_RAW'],'effective':['CAP_NET_RAW'],'permitted':['CAP_NET_RAW']}"},
	{"'User': '5'", "--cap-drop ALL --cap-add NET_RAW", "process.capabilities.ambient",
	 "['CAP_NET_RAW']"},
	{"'User': '5'", "", "process.capabilities.ambient", "(none)"},
	{"", "", "root", "{'path':'rootfs','readonly':false}"},
	{"", "--read-only", "root.readonly", "true"},
	{"", "--hostname web.example", "hostname", "'web.example'"},
	{"", "", "linux.resources", "{'devices':[{'allow':false,'access':'rwm'}]}"},
	{"", "--memory 1m", "linux.resources.memory", "{'limit':1048576,'swap':2097152}"},
	{"", "--cpus 0.5", "linux.resources.cpu", "{'quota':50000,'period':100000}"},
	{"", "--pids 7", "linux.resources.pids", "{'limit':7}"},
	{"", "", "linux.namespaces",
	 "[{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'mount'},{'type':'cgroup'},"
	 "{'type':'network'}]"},
	{"", "--network host", "linux.namespaces",
	 "[{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'mount'},{'type':'cgroup'}]"},
	{"", "--userns 1000:5000", "linux.uidMappings",
	 "[{'containerID':0,'hostID':1000,'size':5000}]"},
	{"", "", "linux.uidMappings", "(none)"},
	{"", "--security-opt seccomp=unconfined", "linux.seccomp", "(none)"},
	{"", "", "linux.seccomp.defaultAction", "'SCMP_ACT_ERRNO'"},
	{"", "", "hooks", "(none)"},
	{"", "", "linux.readonlyPaths",
	 "['/proc/bus','/proc/fs','/proc/irq','/proc/sys','/proc/sysrq-trigger']"},
};

/* ' stands for ". */
static char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

static void add_words(struct strv *list, const char *text)
{
	for (; *text; text += strspn(text, " ")) {
		const size_t length = strcspn(text, " ");
		_cleanup_free_ char *word = xstrndup(text, length);

		strv_add(list, word);
		text += length;
	}
}

/* Fills lab->image from the text of a "config". */
static void read_image(struct lab *lab, const char *config, const char *more)
{
	_cleanup_free_ char *text = NULL, *plain = NULL;
	struct image_config image;
	struct error err = ERROR_NONE;
	const size_t count = lab->image.diff_id_count;

	plain = xasprintf("{'os': 'linux', 'architecture': 'amd64', 'rootfs': {'type': 'layers', "
			  "'diff_ids': []}, %s 'config': {%s}}",
			  more, config);
	text = quoted(plain);
	if (image_config_read(lab->arena, text, strlen(text), &image, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	image.diff_ids = lab->diff_ids;
	image.diff_id_count = count;
	lab->image = image;
}

static const struct json *convert(struct lab *lab, const char *options, const char *name)
{
	static const char *const environment[] = {"OTHER=x", "HERE=as it is here", NULL};
	_cleanup_strv_ struct strv args = {0}, words = {0};
	_cleanup_free_ char *path = xasprintf("%s/%s", lab->world->path, name);
	struct bundle_options values = {.environment = environment};
	struct error err = ERROR_NONE;

	add_words(&args, options);
	if (args.count > 0)
		assert_fine(options_parse_anywhere(bundle_option_table, BUNDLE_OPTION_COUNT,
						   args.items, &values, &words, &err),
			    err);
	if (bundle_make(&lab->store, &lab->image, &values, path, &err) < 0)
		fail_msg("%s: %s", options, err.text);
	options_done(bundle_option_table, BUNDLE_OPTION_COUNT, &values);
	return lab_config(lab, name);
}

static void check(struct lab *lab, const struct conversion *row, const char *name)
{
	_cleanup_free_ char *expected = quoted(row->expected), *found = NULL;

	read_image(lab, row->config, "");
	found = json_at(convert(lab, row->options, name), row->place);
	if (!str_equal(found, expected))
		fail_msg("{%s} %s: %s is %s, not %s", row->config, row->options, row->place, found,
			 expected);
}

static void test_conversions(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/passwd", "root:x:0:0::/root:\nweb:x:33:34::/srv:\n"},
	      {"etc/group", "www:x:80:web\n"});
	for (size_t i = 0; i < ARRAY_SIZE(conversions); i++) {
		_cleanup_free_ char *name = xasprintf("b%zu", i);

		check(&lab, &conversions[i], name);
	}
	lab_close(&lab);
}

static void test_annotations(void **state)
{
	struct lab lab;
	const struct json *config, *annotations;
	_cleanup_free_ char *lower = NULL;

	lab_open(&lab, state);
	LAYER(&lab, {"a", ""});
	LAYER(&lab, {"b", ""});
	read_image(&lab,
		   "'StopSignal': 'SIGQUIT', 'ExposedPorts': {'80/tcp': {}, '53/udp': {}}, "
		   "'Labels': {'maintainer': 'me', 'empty': '', '': 'no name', "
		   "'org.opencontainers.image.author': 'the label', "
		   "'org.berth.overlay.lower': '/etc', 'ORG.berth.x': 'y', "
		   "'org.berth.net.network': 'host', 'org.berth.net.publish': '22:22', "
		   "'run.oci.handler': 'krun', 'org.systemd.property.Slice': 'x', "
		   "'io.kubernetes.cri-o.Devices': '/dev/sda', 'cdi.k8s.io/x': 'y'}",
		   "'author': 'the field', 'created': '2026-01-02T03:04:05Z', 'variant': 'v2', "
		   "'os.version': '1', 'os.features': ['f', 'g'],");
	config = convert(&lab, "", "bundle");
	annotations = json_member(config, "annotations");
	assert_json(annotations, "maintainer", "\"me\"");
	assert_json(annotations, "empty", "\"\"");
	/* Both of these may stand in the way, so each is looked at by its whole name. */
	for (const struct json *item = annotations->item; item; item = item->next) {
		assert_true(item->key[0] != '\0');
		assert_false(bundle_label_has_power(item->key) &&
			     !str_starts(item->key, "org.berth.overlay."));
	}
	assert_string_equal(json_member(annotations, "org.opencontainers.image.author")->text,
			    "the label");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.created")->text,
			    "2026-01-02T03:04:05Z");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.os")->text, "linux");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.variant")->text,
			    "v2");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.os.features")->text,
			    "f,g");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.stopSignal")->text,
			    "SIGQUIT");
	assert_string_equal(json_member(annotations, "org.opencontainers.image.exposedPorts")->text,
			    "53/udp,80/tcp");
	lower = xasprintf("%s/layers/sha256/%s/fs:%s/layers/sha256/%s/fs", lab.store.path,
			  lab.diff_ids[1].hex, lab.store.path, lab.diff_ids[0].hex);
	assert_string_equal(json_member(annotations, "org.berth.overlay.lower")->text, lower);
	assert_string_equal(json_member(annotations, "org.berth.overlay.upper")->text, "upper");
	assert_string_equal(json_member(annotations, "org.berth.overlay.work")->text, "work");
	assert_null(json_member(annotations, "org.berth.overlay.idmap"));
	lab_close(&lab);
}

static void test_powerful_labels(void **state)
{
	static const char *const powerful[] = {"org.berth.overlay.upper",
					       "Org.Berth.Net",
					       "run.oci.hooks.stdout",
					       "org.systemd.property.DeviceAllow",
					       "org.criu.config",
					       "io.kubernetes.cri.sandbox",
					       "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel",
					       "container.apparmor.security.beta.kubernetes.io/x",
					       "cdi.k8s.io/gpu",
					       "io.katacontainers.config.hypervisor.path",
					       "krun.ram_mib",
					       "dev.gvisor.spec.mount.a.share",
					       "module.wasm.image/variant",
					       "io.containers.trace-syscall",
					       "io.podman.annotations.privileged"};
	static const char *const harmless[] = {"maintainer",
					       "org.opencontainers.image.title",
					       "org.label-schema.name",
					       "com.example.kubernetes",
					       "version",
					       "org.berthold.x",
					       "description",
					       "io.example/x",
					       "io.k8s.description",
					       "kubernetes.io.example/x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(powerful); i++) {
		if (!bundle_label_has_power(powerful[i]))
			fail_msg("%s is taken for harmless", powerful[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (bundle_label_has_power(harmless[i]))
			fail_msg("%s is taken for powerful", harmless[i]);
	}
}

/* Each place of mounts[] in order, with blanks between them; the caller's. */
static char *places_of(const struct json *config)
{
	struct buf text = BUF_EMPTY;

	for (const struct json *item = json_member(config, "mounts")->item; item; item = item->next)
		buf_printf(&text, "%s%s", text.size > 0 ? " " : "",
			   json_member(item, "destination")->text);
	return buf_take(&text);
}

static void test_mounts(void **state)
{
	static const char *const rows[][2] = {
		{"", "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup"},
		/* outer ones first, whatever the order of the options */
		{"--tmpfs /a/b/c --volume /etc:/a/b --volume /usr:/z --tmpfs /a",
		 "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /z /a /a/b /a/b/c"},
		/* a default one gives way */
		{"--tmpfs /dev/shm:size=1g",
		 "/proc /dev /dev/pts /dev/mqueue /sys /sys/fs/cgroup /dev/shm"},
		{"--volume /dev:/dev", "/proc /sys /sys/fs/cgroup /dev"},
		{"--volume /sys:/sys", "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys"},
		/* nothing of the host's where the user has something */
		{"--network host --tmpfs /etc",
		 "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /etc"},
		{"--tmpfs /device",
		 "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /device"},
	};
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/hosts", "x"});
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *name = xasprintf("m%zu", i), *found = NULL;

		found = places_of(convert(&lab, rows[i][0], name));
		assert_string_equal(found, rows[i][1]);
	}
	lab_close(&lab);
}

/* A layer that occurs twice is stacked once, the upper time; the empty layer often does. */
static void test_repeated_layer(void **state)
{
	struct lab lab;
	const struct json *config;
	_cleanup_free_ char *lower = NULL;

	lab_open(&lab, state);
	LAYER(&lab, {"a", ""});
	LAYER(&lab, {"b", ""});
	lab.diff_ids[2] = lab.diff_ids[0];
	lab.image.diff_id_count = 3;
	config = convert(&lab, "", "bundle");
	lower = xasprintf("%s/layers/sha256/%s/fs:%s/layers/sha256/%s/fs", lab.store.path,
			  lab.diff_ids[0].hex, lab.store.path, lab.diff_ids[1].hex);
	assert_string_equal(
		json_member(json_member(config, "annotations"), "org.berth.overlay.lower")->text,
		lower);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_conversions),		world_test(test_annotations),
		cmocka_unit_test(test_powerful_labels), world_test(test_mounts),
		world_test(test_repeated_layer),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
