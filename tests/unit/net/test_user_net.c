/* SPDX-License-Identifier: Apache-2.0 */
/* Records of networks of ordinary users: kept, found, and refused where somebody has meddled. */
#include "fixture.h"
#include "user_net-internal.h"

#define TOKEN "0123456789abcdef"

static struct user_net net_of(const char *id, const char *link)
{
	return (struct user_net){
		.id = id,
		.link = link,
		.mode = REQUEST_PASTA,
		.complete = true,
		.pid = 17,
		.start_ticks = UINT64_MAX,
		.helper_pid = 18,
		.helper_ticks = 4711,
		.token = TOKEN,
	};
}

static void test_written_and_read(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct user_net net = net_of("web", "eth0"), other = net_of("web.2", "eth0");
	struct publish publish;
	struct user_net_list list;
	struct error err = ERROR_NONE;

	assert_fine(user_net_list(&store, arena, NULL, &list, &err), err);
	assert_int_equal(list.count, 0);
	assert_fine(publish_parse("--publish", "[::1]:8080-8081:80-81/udp", &publish, &err), err);
	assert_fine(publish_add(arena, &net.publish, &publish, &err), err);
	assert_fine(user_record_write(&store, &net, &err), err);
	assert_fine(user_record_write(&store, &other, &err), err);
	/* "web" is not the beginning of another id. */
	assert_fine(user_net_list(&store, arena, "web", &list, &err), err);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].id, "web");
	assert_string_equal(list.items[0].link, "eth0");
	assert_string_equal(list.items[0].token, TOKEN);
	assert_int_equal(list.items[0].mode, REQUEST_PASTA);
	assert_true(list.items[0].complete);
	assert_int_equal(list.items[0].pid, 17);
	assert_true(list.items[0].start_ticks == UINT64_MAX);
	assert_int_equal(list.items[0].helper_pid, 18);
	assert_int_equal(list.items[0].helper_ticks, 4711);
	assert_string_equal(publish_format(arena, &list.items[0].publish.items[0]),
			    "[::1]:8080-8081:80-81/udp");
	assert_fine(user_net_list(&store, arena, NULL, &list, &err), err);
	assert_int_equal(list.count, 2);
	assert_fine(user_record_remove(&store, &net, &err), err);
	assert_fine(user_record_remove(&store, &net, &err), err);
	assert_fine(user_net_list(&store, arena, NULL, &list, &err), err);
	assert_int_equal(list.count, 1);
}

static void test_records_of_the_gone_are_collected(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct user_net net = net_of("web", "eth0");
	struct user_net_list list;
	struct error err = ERROR_NONE;
	size_t count;

	assert_fine(user_record_write(&store, &net, &err), err);
	put_file(*state, "user/.web@eth0.json.new", "{");
	put_directory(*state, "programs");
	put_file(*state, "programs/" TOKEN ".pid", "18\n");
	put_file(*state, "programs/" TOKEN ".sock", "");
	assert_false(user_net_is_alive(&net));
	assert_fine(user_net_gc(&store, arena, &count, &err), err);
	assert_int_equal(count, 1);
	assert_fine(user_net_list(&store, arena, NULL, &list, &err), err);
	assert_int_equal(list.count, 0);
	assert_null(get_file(*state, "user/.web@eth0.json.new"));
	assert_null(get_file(*state, "programs/" TOKEN ".pid"));
	assert_null(get_file(*state, "programs/" TOKEN ".sock"));
}

/* What is no record must stop del and gc, not lead them. */
static void test_records_that_are_none(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\":2}",
		"{\"version\":1,\"id\":\"web\"}",
#define RECORD(id, network, pid, token, publish)                                                   \
	"{\"version\":1,\"id\":\"" id "\",\"link\":\"eth0\",\"network\":\"" network                \
	"\",\"complete\":true,\"pid\":" pid ",\"startTicks\":1,\"programPid\":1,"                  \
	"\"programStartTicks\":1,\"token\":\"" token "\",\"publish\":" publish "}"
		RECORD("other", "pasta", "1", TOKEN, "[]"),
		RECORD("../web", "pasta", "1", TOKEN, "[]"),
		RECORD("web", "bridge", "1", TOKEN, "[]"),
		RECORD("web", "pasta", "-1", TOKEN, "[]"),
		RECORD("web", "pasta", "4294967296", TOKEN, "[]"),
		RECORD("web", "pasta", "1", "../../../etc/pas", "[]"),
		RECORD("web", "pasta", "1", "0123", "[]"),
		RECORD("web", "pasta", "1", TOKEN, "[\"80\"]"),
		RECORD("web", "pasta", "1", TOKEN, "[80]"),
	};
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct user_net_list list;
	size_t count;

	put_directory(*state, "user");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;

		put_file(*state, "user/web@eth0.json", texts[i]);
		if (user_net_list(&store, arena, NULL, &list, &err) >= 0)
			fail_msg("accepted: %s", texts[i]);
		assert_contains(err.text, "web@eth0.json");
		assert_true(user_net_gc(&store, arena, &count, &err) < 0);
	}
}

static void test_modes(void **state)
{
	static const enum request_mode modes[] = {REQUEST_PASTA, REQUEST_SLIRP4NETNS};
	struct address address;

	(void)state;
	assert_false(user_net_is_mode(REQUEST_NETWORK) || user_net_is_mode(REQUEST_NONE) ||
		     user_net_is_mode(REQUEST_HOST));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_true(user_net_is_mode(modes[i]));
		assert_int_equal(address_parse(user_net_dns(modes[i])[0], &address), 0);
		assert_null(user_net_dns(modes[i])[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_written_and_read),
		world_test(test_records_of_the_gone_are_collected),
		world_test(test_records_that_are_none),
		cmocka_unit_test(test_modes),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
