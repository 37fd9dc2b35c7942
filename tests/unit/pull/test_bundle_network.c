/* SPDX-License-Identifier: Apache-2.0 */
/* What a network of its own makes of config.json: annotations, hooks, mounts. */
#include "bundle.h"

/* A command line as it was read, with what berth-net would have answered. */
struct reading {
	struct bundle_options options;
	struct strv words;
	struct arena *arena;
	struct bundle_plan plan;
};

static void read_line(struct reading *reading, const char *const *args)
{
	struct error err = ERROR_NONE;
	int r;

	*reading = (struct reading){.arena = arena_new()};
	r = options_parse_anywhere(bundle_option_table, BUNDLE_OPTION_COUNT, (char *const *)args,
				   &reading->options, &reading->words, &err);
	assert_fine(r, err);
	r = bundle_plan_read(reading->arena, &reading->options, &reading->plan, &err);
	assert_fine(r, err);
	reading->plan.network.program = "/sbin/berth-net";
	reading->plan.network.hosts = "/net/hosts/web";
}

static void reading_done(struct reading *reading)
{
	options_done(bundle_option_table, BUNDLE_OPTION_COUNT, &reading->options);
	strv_done(&reading->words);
	arena_free(reading->arena);
}

#define ARGS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* What @write makes of the plan, within an object; ' stands for " in @expected. */
static void check_written(void (*write)(struct json_writer *w, const struct bundle_plan *plan),
			  const struct bundle_plan *plan, const char *expected)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	json_begin_object(&w);
	write(&w, plan);
	json_end_object(&w);
	for (char *c = text.data; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	assert_string_equal(text.data, expected);
}

#define ENV "'env':['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']"

static void test_everything(void **state)
{
	struct reading reading;

	(void)state;
	read_line(&reading, ARGS("--network", "bridge:web", "--publish", "8080:80", "--publish",
				 "[::1]:53:53/udp", "--ip", "10.1.2.3", "--ip", "fd00::3", "--mac",
				 "02:00:00:00:00:01", "--dns", "10.1.2.1", "--bandwidth", "10mbit",
				 "--hostname", "www.example", "--net-root", "/net"));
	check_written(
		bundle_network_annotate, &reading.plan,
		"{'org.berth.net.network':'bridge:web',"
		"'org.berth.net.publish':'8080:80,[::1]:53:53/udp',"
		"'org.berth.net.ip':'10.1.2.3,fd00::3','org.berth.net.mac':'02:00:00:00:00:01',"
		"'org.berth.net.dns':'10.1.2.1','org.berth.net.bandwidth':'10mbit',"
		"'org.berth.net.names':'www.example','org.berth.net.resolv-conf':'resolv.conf'}");
	check_written(bundle_network_write_hooks, &reading.plan,
		      "{'hooks':{'createRuntime':[{'path':'/sbin/berth-net',"
		      "'args':['berth-net','--root','/net','add']," ENV "}],"
		      "'poststop':[{'path':'/sbin/berth-net',"
		      "'args':['berth-net','--root','/net','del']," ENV "}]}}");
	reading_done(&reading);
}

static void test_nothing_more_than_what_is_given(void **state)
{
	struct reading reading;

	(void)state;
	read_line(&reading, ARGS("--network", "slirp4netns", "--hostname", "x"));
	check_written(bundle_network_annotate, &reading.plan,
		      "{'org.berth.net.network':'slirp4netns',"
		      "'org.berth.net.resolv-conf':'resolv.conf'}");
	check_written(bundle_network_write_hooks, &reading.plan,
		      "{'hooks':{'createRuntime':[{'path':'/sbin/berth-net',"
		      "'args':['berth-net','add']," ENV "}],"
		      "'poststop':[{'path':'/sbin/berth-net','args':['berth-net','del']," ENV
		      "}]}}");
	reading_done(&reading);
}

/* Without --hostname it is the bundle's name, where that can be one; a user's network has no others
 * in it. */
static void test_names(void **state)
{
	static const struct {
		const char *network, *hostname, *option, *expected;
	} cases[] = {
		{"web", "shop", NULL, "'org.berth.net.names':'shop',"},
		{"web", "shop-2", NULL, "'org.berth.net.names':'shop-2',"},
		{"web", "www", "www", "'org.berth.net.names':'www',"},
		{"web", "1", "1", "'org.berth.net.names':'1',"},
		{"web", "1", NULL, ""},
		{"web", "1.2.3.4", NULL, ""},
		{"web", "shop.", NULL, ""},
		{"web", "shop-", NULL, ""},
		{"web", "LocalHost", NULL, ""},
		{"web", "ip6-loopback", NULL, ""},
		{"web", NULL, NULL, ""},
		{"slirp4netns", "shop", NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *option = cases[i].option;
		_cleanup_free_ char *expected = xasprintf("{'org.berth.net.network':'%s',%s'org."
							  "berth.net.resolv-conf':'resolv.conf'}",
							  cases[i].network, cases[i].expected);
		struct reading reading;

		read_line(&reading, ARGS("--network", cases[i].network,
					 option ? "--hostname" : NULL, option));
		reading.plan.hostname = cases[i].hostname;
		check_written(bundle_network_annotate, &reading.plan, expected);
		reading_done(&reading);
	}
}

static void test_without_a_network_of_its_own_there_is_nothing(void **state)
{
	static const char *const names[] = {"none", "host"};
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		read_line(&reading, ARGS("--network", names[i], "--hostname", "x"));
		check_written(bundle_network_annotate, &reading.plan, "{}");
		check_written(bundle_network_write_hooks, &reading.plan, "{}");
		assert_false(bundle_network_has_resolv(&reading.plan));
		reading_done(&reading);
	}
}

/* Checks that "PLACE SOURCE ro|rw" are the mounts of a command line. */
static void check_mounts(const char *const *args, const char *first, const char *second)
{
	const char *const expected[BUNDLE_NETWORK_MOUNTS] = {first, second};
	struct bundle_mount mounts[BUNDLE_NETWORK_MOUNTS];
	struct reading reading;
	size_t count, i = 0;

	read_line(&reading, args);
	count = bundle_network_mounts(&reading.plan, false, mounts);
	for (; i < count; i++) {
		_cleanup_free_ char *found = xasprintf("%s %s %s", mounts[i].destination,
						       mounts[i].source, mounts[i].options[1]);

		assert_non_null(expected[i]);
		assert_string_equal(found, expected[i]);
	}
	assert_true(i == BUNDLE_NETWORK_MOUNTS || !expected[i]);
	reading_done(&reading);
}

static void test_mounts(void **state)
{
	const char *resolv = "/etc/resolv.conf resolv.conf rw";
	const char *hosts = "/etc/hosts /net/hosts/web ro";

	(void)state;
	check_mounts(ARGS("--network", "web"), resolv, hosts);
	check_mounts(ARGS("--network", "web", "--volume", "/etc/passwd:/etc/resolv.conf"), hosts,
		     NULL);
	check_mounts(ARGS("--network", "web", "--tmpfs", "/etc/hosts"), resolv, NULL);
	check_mounts(ARGS("--network", "web", "--volume", "/etc:/etc"), NULL, NULL);
	check_mounts(ARGS("--network", "web", "--volume", "/etc:/et"), resolv, hosts);
	check_mounts(ARGS("--network", "none"), NULL, NULL);
}

/* The user's file is not berth-net's to write. */
static void test_a_resolv_conf_of_the_users_is_left_alone(void **state)
{
	struct reading reading;

	(void)state;
	read_line(&reading, ARGS("--network", "web", "--volume", "/etc/passwd:/etc/resolv.conf"));
	assert_false(bundle_network_has_resolv(&reading.plan));
	check_written(bundle_network_annotate, &reading.plan, "{'org.berth.net.network':'web'}");
	reading_done(&reading);
}

/* The unit tests have no berth-net beside them. */
static void test_a_missing_program_is_named_with_the_option(void **state)
{
	struct reading reading;
	struct error err = ERROR_NONE;

	(void)state;
	read_line(&reading, ARGS("--network", "web"));
	if (access("/usr/local/sbin/berth-net", X_OK) == 0)
		skip_because("berth-net is installed here");
	assert_failed(bundle_network_prepare(reading.arena, &reading.plan, &err), err, -ENOENT);
	assert_contains(err.text, "--network web needs the program \"berth-net\"");
	reading_done(&reading);
	err = (struct error)ERROR_NONE;
	read_line(&reading, ARGS("--network", "host"));
	assert_fine(bundle_network_prepare(reading.arena, &reading.plan, &err), err);
	reading_done(&reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_nothing_more_than_what_is_given),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_without_a_network_of_its_own_there_is_nothing),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_a_resolv_conf_of_the_users_is_left_alone),
		cmocka_unit_test(test_a_missing_program_is_named_with_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
