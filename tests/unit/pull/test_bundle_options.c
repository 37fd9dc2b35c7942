/* SPDX-License-Identifier: Apache-2.0 */
/* The options that make a bundle: what they mean, and what is refused before any download. */
#include <linux/capability.h>

#include "bundle.h"

/* A command line, and what it gives. */
struct command_line {
	struct bundle_options options;
	struct strv words;
	struct arena *arena;
	struct bundle_plan plan;
	struct error err;
};

static int read_line(struct command_line *line, const char *const *args)
{
	int r;

	*line = (struct command_line){.arena = arena_new()};
	r = options_parse_anywhere(bundle_option_table, BUNDLE_OPTION_COUNT, (char *const *)args,
				   &line->options, &line->words, &line->err);
	return r < 0 ? r : bundle_plan_read(line->arena, &line->options, &line->plan, &line->err);
}

static void line_done(struct command_line *line)
{
	options_done(bundle_option_table, BUNDLE_OPTION_COUNT, &line->options);
	strv_done(&line->words);
	arena_free(line->arena);
}

#define ARGS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void good(struct command_line *line, const char *const *args)
{
	assert_fine(read_line(line, args), line->err);
}

/* An option, its argument, what the error says. */
static const char *const wrong[][3] = {
	{"--memory", "lots", "--memory: \"lots\""},
	{"--memory", "0", "too small"},
	{"--memory", "8388608t", "too large"},
	{"--memory", "-1", "--memory: \"-1\""},
	{"--cpus", "0", "--cpus: \"0\""},
	{"--cpus", "0.001", "--cpus"},
	{"--cpus", "1.", "--cpus"},
	{"--cpus", "1.5x", "--cpus"},
	{"--cpus", "1.123456", "--cpus"},
	{"--cpus", "-1", "--cpus"},
	{"--cpus", "", "--cpus"},
	{"--cpus", ".", "--cpus"},
	{"--cpus", "1000000", "--cpus"},
	{"--pids", "0", "--pids: \"0\""},
	{"--pids", "-2", "--pids"},
	{"--pids", "many", "--pids"},
	{"--network", "", "--network: the name is empty"},
	{"--network", "pasta", "pasta does not serve root"},
	{"--publish", "80:80", "--publish needs a network of the container's own"},
	{"--ip", "10.1.2.3", "not with --network none"},
	{"--mac", "02:00:00:00:00:01", "--mac needs"},
	{"--dns", "10.1.2.3", "--dns needs"},
	{"--bandwidth", "1mbit", "--bandwidth needs"},
	{"--net-root", "/x", "--net-root: berth-net has no part in --network none"},
	{"--image-volumes", "copy", "--image-volumes: \"copy\""},
	{"--hostname", "", "--hostname"},
	{"--hostname", "a_b", "--hostname: \"a_b\""},
	{"--hostname", "-a", "--hostname"},
	{"--hostname", "a/b", "--hostname"},
	{"--cwd", "relative", "--cwd: \"relative\" is no absolute path"},
	{"--user", "a:b:c", "not USER[:GROUP]"},
	{"--user", "4294967295", "the largest number"},
	{"--env", "=x", "--env: \"=x\" has no name"},
	{"--env", "", "has no name"},
	{"--cap-add", "CAP_NOTHING", "--cap-add: there is no capability"},
	{"--cap-drop", "cap_", "--cap-drop: there is no capability"},
	{"--security-opt", "apparmor=x", "--security-opt apparmor=x"},
	{"--security-opt", "label=disable", "--security-opt label=disable"},
	{"--security-opt", "seccomp", "--security-opt seccomp"},
	{"--security-opt", "no-new-privileges=yes", "no-new-privileges=yes"},
	{"--security-opt", "seccomp=/nonexistent", "/nonexistent"},
	{"--security-opt", "seccomp=/etc/passwd", "/etc/passwd"},
	{"--security-opt", "seccomp=/etc", "/etc"},
	{"--userns", "keep-id", "--userns: \"keep-id\""},
	{"--userns", "100000", "--userns"},
	{"--userns", "100000:0", "--userns"},
	{"--userns", "0:65536", "--userns"},
	{"--userns", "4294900000:4294967295", "--userns"},
	{"--volume", "/etc", "--volume /etc: is not SOURCE:DESTINATION"},
	{"--volume", "name:/x", "there are no named volumes"},
	{"--volume", ":/x", "is no path"},
	{"--volume", "/nonexistent:/x", "No such file"},
	{"--volume", "/etc:x", "\"x\" is no absolute path in the container"},
	{"--volume", "/etc:/", "nothing can be mounted on \"/\""},
	{"--volume", "/etc:/a/../..", "nothing can be mounted on \"/\""},
	{"--volume", "/etc:/x:", "there is no option \"\""},
	{"--volume", "/etc:/x:ro,rw", "contradict"},
	{"--volume", "/etc:/x:z", "there is no option \"z\""},
	{"--volume", "/etc:/x:ro:rw", "there is no option \"ro:rw\""},
	{"--volume", "/etc:/x:size=1m", "there is no option \"size=1m\""},
	{"--volume", "/etc:/x:idmap", "needs --userns"},
	{"--tmpfs", "x", "is no absolute path"},
	{"--tmpfs", "/x:size=", "has no such value"},
	{"--tmpfs", "/x:size=a", "has no such value"},
	{"--tmpfs", "/x:mode=9", "has no such value"},
	{"--tmpfs", "/x:size=1,size=2", "after"},
	{"--tmpfs", "/x:rbind", "there is no option \"rbind\""},
	{"--tmpfs", "/x:context=a", "there is no option"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct command_line line;
		int r = read_line(&line, ARGS(wrong[i][0], wrong[i][1]));

		if (r >= 0)
			fail_msg("%s %s is taken", wrong[i][0], wrong[i][1]);
		assert_contains(line.err.text, wrong[i][2]);
		assert_null(strchr(line.err.text, '\n'));
		line_done(&line);
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *text;
		uint64_t quota_us;
	} cpus[] = {{"1", 100000},  {"1.5", 150000},	 {".25", 25000},
		    {"0.01", 1000}, {"2.00001", 200001}, {"64", 6400000}};
	struct command_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		good(&line, ARGS("--cpus", cpus[i].text));
		assert_int_equal(line.plan.cpu_quota_us, cpus[i].quota_us);
		line_done(&line);
	}
	good(&line, ARGS("--memory", "100m", "--pids", "-1"));
	assert_int_equal(line.plan.memory_bytes, 100 << 20);
	assert_int_equal(line.plan.pids, -1);
	line_done(&line);
}

#define BIT(name) (UINT64_C(1) << (name))

static void test_capabilities(void **state)
{
	struct command_line line;
	uint64_t defaults;

	(void)state;
	good(&line, ARGS("x"));
	defaults = line.plan.capabilities;
	assert_int_equal(__builtin_popcountll(defaults), 11);
	line_done(&line);
	good(&line, ARGS("--cap-add", "net_admin", "--cap-drop", "CAP_CHOWN"));
	assert_true(line.plan.capabilities == ((defaults | BIT(CAP_NET_ADMIN)) & ~BIT(CAP_CHOWN)));
	assert_true(line.plan.capabilities_added == BIT(CAP_NET_ADMIN));
	line_done(&line);
	good(&line, ARGS("--cap-drop", "all", "--cap-add", "Cap_Chown"));
	assert_true(line.plan.capabilities == BIT(CAP_CHOWN));
	line_done(&line);
	good(&line, ARGS("--cap-drop", "ALL"));
	assert_true(line.plan.capabilities == 0);
	line_done(&line);
	good(&line, ARGS("--cap-add", "ALL", "--cap-drop", "SYS_ADMIN"));
	assert_true(line.plan.capabilities == ((BIT(41) - 1) & ~BIT(CAP_SYS_ADMIN)));
	line_done(&line);
	assert_true(read_line(&line, ARGS("--cap-add", "ALL", "--cap-drop", "ALL")) < 0);
	line_done(&line);
	assert_true(read_line(&line, ARGS("--cap-add", "KILL", "--cap-drop", "KILL")) < 0);
	line_done(&line);
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUNDLE_CAPABILITY_COUNT; i++) {
		assert_non_null(bundle_capability_names[i]);
		assert_true(str_starts(bundle_capability_names[i], "CAP_"));
	}
	assert_true(bundle_is_hostname("web-1.example"));
	assert_false(bundle_is_hostname(".web"));
	for (size_t i = 0; i < BUNDLE_OPTION_COUNT; i++)
		assert_non_null(bundle_option_table[i].name);
}

/* The options of the mount, with blanks between them; the caller's. */
static char *options_of(const struct bundle_mount *mount)
{
	struct buf text = BUF_EMPTY;

	for (const char *const *option = mount->options; *option; option++)
		buf_printf(&text, "%s%s", text.size > 0 ? " " : "", *option);
	return buf_take(&text);
}

static void test_mounts(void **state)
{
	static const char *const volumes[][3] = {
		{"/etc:/x", "/x", "rw rbind rprivate nosuid nodev"},
		{"/etc/:/x//y/../z/:ro", "/x/z", "rro rbind rprivate nosuid nodev"},
		{"/etc:/x:ro,bind", "/x", "ro bind rprivate nosuid nodev"},
		{"/etc:/x:rw,rslave,suid,dev,noexec", "/x", "rw rbind rslave suid dev noexec"},
		{"/etc:/x:exec,exec", "/x", "rw rbind rprivate nosuid nodev exec"},
		{"/etc/passwd:/x:ro", "/x", "ro rbind rprivate nosuid nodev"},
	};
	static const char *const tmpfs[][3] = {
		{"/run", "/run", "rw nosuid nodev noexec"},
		{"/run:ro,exec,size=64m,mode=1777,uid=5", "/run",
		 "ro nosuid nodev exec size=64m mode=1777 uid=5"},
		{"/run:tmpcopyup,size=50%", "/run", "rw nosuid nodev noexec tmpcopyup size=50%"},
	};
	struct command_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(volumes) + ARRAY_SIZE(tmpfs); i++) {
		const bool is_tmpfs = i >= ARRAY_SIZE(volumes);
		const char *const *row = is_tmpfs ? tmpfs[i - ARRAY_SIZE(volumes)] : volumes[i];
		_cleanup_free_ char *options = NULL;

		good(&line, ARGS(is_tmpfs ? "--tmpfs" : "--volume", row[0]));
		assert_int_equal(line.plan.mount_count, 1);
		options = options_of(&line.plan.mounts[0]);
		assert_string_equal(line.plan.mounts[0].destination, row[1]);
		assert_string_equal(options, row[2]);
		assert_true(str_starts(line.plan.mounts[0].source, is_tmpfs ? "tmpfs" : "/etc"));
		assert_string_equal(line.plan.mounts[0].type, is_tmpfs ? "tmpfs" : "bind");
		line_done(&line);
	}
	assert_true(read_line(&line, ARGS("--init", "--volume", "/etc:/dev")) < 0);
	assert_contains(line.err.text, "--init puts its program on /dev/init, where");
	line_done(&line);
	assert_true(read_line(&line, ARGS("--tmpfs", "/dev/init", "--init")) < 0);
	assert_contains(line.err.text, "--init puts its program on /dev/init, where");
	line_done(&line);
	assert_true(read_line(&line, ARGS("--volume", "/etc:/a", "--tmpfs", "/a/")) < 0);
	assert_contains(line.err.text, "two mounts have the place \"/a\"");
	line_done(&line);
	good(&line, ARGS("--volume", "/etc:/a:idmap", "--userns", "1000:10"));
	line_done(&line);
}

static void test_security(void **state)
{
	struct command_line line;

	(void)state;
	good(&line, ARGS("x"));
	assert_true(line.plan.no_new_privileges);
	assert_false(line.plan.seccomp_unconfined);
	line_done(&line);
	good(&line, ARGS("--security-opt", "no-new-privileges:false", "--security-opt",
			 "seccomp=unconfined"));
	assert_false(line.plan.no_new_privileges);
	assert_true(line.plan.seccomp_unconfined);
	line_done(&line);
	good(&line,
	     ARGS("--security-opt", "seccomp:unconfined", "--security-opt", "no-new-privileges"));
	assert_true(line.plan.no_new_privileges);
	assert_true(line.plan.seccomp_unconfined);
	line_done(&line);
}

static void test_userns(void **state)
{
	struct command_line line;
	uint32_t id;

	(void)state;
	good(&line, ARGS("--userns", "host"));
	assert_int_equal(line.plan.uids.count, 0);
	assert_false(line.plan.map_layers);
	assert_true(id_maps_find(&line.plan.uids, 12345, &id));
	assert_int_equal(id, 12345);
	line_done(&line);
	good(&line, ARGS("--userns", "100000:65536"));
	assert_true(line.plan.map_layers);
	assert_true(id_maps_find(&line.plan.uids, 65535, &id));
	assert_int_equal(id, 165535);
	assert_false(id_maps_find(&line.plan.gids, 65536, &id));
	line_done(&line);
}

/* A user's bundle has the maps of the process that makes it. */
static void test_rootless(void **state)
{
	struct command_line line;
	uint32_t id;

	(void)state;
	if (!has_call(SYS_openat2))
		skip_because("there is no openat2(2) here");
	line = (struct command_line){.arena = arena_new(), .options.user_namespace = true};
	assert_fine(bundle_plan_read(line.arena, &line.options, &line.plan, &line.err), line.err);
	assert_true(line.plan.uids.count > 0 && line.plan.gids.count > 0);
	assert_false(line.plan.map_layers);
	assert_true(id_maps_find(&line.plan.uids, 0, &id));
	line.options.userns = "auto";
	assert_true(bundle_plan_read(line.arena, &line.options, &line.plan, &line.err) < 0);
	assert_contains(line.err.text, "--userns is root's");
	line.options.userns = NULL;
	line.options.network = "web";
	assert_true(bundle_plan_read(line.arena, &line.options, &line.plan, &line.err) < 0);
	assert_contains(line.err.text, "--network web is root's");
	assert_contains(line.err.text, "--network pasta");
	line.options.network = "pasta";
	assert_true(bundle_plan_read(line.arena, &line.options, &line.plan, &line.err) < 0);
	assert_contains(line.err.text, "set XDG_RUNTIME_DIR, or use --net-root");
	line.options.xdg_runtime_dir = "/run/user/7";
	assert_fine(bundle_plan_read(line.arena, &line.options, &line.plan, &line.err), line.err);
	assert_string_equal(line.plan.network.root, "/run/user/7/berth-net");
	line_done(&line);
}

static void refused(const char *const *args, const char *expected)
{
	struct command_line line;

	assert_true(read_line(&line, args) < 0);
	assert_contains(line.err.text, expected);
	line_done(&line);
}

static void test_network(void **state)
{
	static const struct {
		const char *text;
		enum bundle_network_kind kind;
	} rows[] = {
		{"none", BUNDLE_NETWORK_NONE},	      {"host", BUNDLE_NETWORK_HOST},
		{"slirp4netns", BUNDLE_NETWORK_USER}, {"bridge", BUNDLE_NETWORK_LINK},
		{"bridge:web", BUNDLE_NETWORK_LINK},  {"web", BUNDLE_NETWORK_LINK},
	};
	struct command_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		good(&line, ARGS("--network", rows[i].text));
		assert_int_equal(line.plan.network.kind, rows[i].kind);
		line_done(&line);
	}
	good(&line, ARGS("--network", "web", "--net-root", "/a//b/"));
	assert_string_equal(line.plan.network.root, "/a/b");
	line_done(&line);
}

static void test_network_options_need_their_network(void **state)
{
	static const char *const options[][2] = {
		{"--publish", "80:80"}, {"--ip", "10.1.2.3"},	  {"--mac", "02:00:00:00:00:01"},
		{"--dns", "10.1.2.3"},	{"--bandwidth", "1mbit"}, {"--net-root", "/x"}};
	struct command_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		refused(ARGS("--network", "host", options[i][0], options[i][1]), options[i][0]);
		good(&line, ARGS("--network", "web", options[i][0], options[i][1]));
		line_done(&line);
		good(&line, ARGS("--network", "slirp4netns", options[i][0], options[i][1]));
		line_done(&line);
	}
	refused(ARGS("--network", "web", "--publish", "80:80,81:81"), "has a comma");
	refused(ARGS("--network", "web", "--dns", ""), "--dns: the value is empty");
	refused(ARGS("--network", "web", "--dns", "10.1.2.3", "--volume", "/etc:/etc"),
		"--dns: a mount of yours");
	good(&line, ARGS("--network", "web", "--dns", "10.1.2.3", "--volume", "/etc:/etc/x"));
	assert_true(bundle_network_has_resolv(&line.plan));
	line_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_security),
		cmocka_unit_test(test_userns),
		cmocka_unit_test(test_rootless),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_options_need_their_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
