/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a container: what comes back of it, and what damaged ones are worth. */
#include "container-internal.h"

#include "../base/unit.h"

static struct spec_string_pair pairs[] = {{"org.example.a", "1"}, {"quote\"", "line\nä"}, {"", ""}};

static const struct record full = {
	.id = "box",
	.bundle = "/bundles/a \"b\"",
	.rootfs = "/bundles/a \"b\"/rootfs",
	.created = "2026-01-02T03:04:05.000000006Z",
	.owner = 4294967294,
	.cgroup_manager = CGROUP_MANAGER_CGROUPFS,
	.cgroup_path = "/a/b/c",
	.unit = "berth-\\x2b.scope",
	.unit_of_user = true,
	.cgroup_keep = 2,
	.resctrl = {.group = "gold", .group_is_ours = true, .monitor_is_ours = true},
	.poststart = true,
	.poststop = true,
	.annotations = {pairs, ARRAY_SIZE(pairs)},
	.pid = 4194303,
	.start_ticks = UINT64_MAX,
};

static const struct record bare = {
	.id = "b",
	.bundle = "/",
	.rootfs = "/r",
	.created = "now",
	.cgroup_manager = CGROUP_MANAGER_DISABLED,
};

static void assert_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a && b)
		assert_string_equal(a, b);
}

static void assert_same(const struct record *a, const struct record *b)
{
	assert_same_text(a->id, b->id);
	assert_same_text(a->bundle, b->bundle);
	assert_same_text(a->rootfs, b->rootfs);
	assert_same_text(a->created, b->created);
	assert_int_equal(a->owner, b->owner);
	assert_int_equal(a->cgroup_manager, b->cgroup_manager);
	assert_same_text(a->cgroup_path, b->cgroup_path);
	assert_same_text(a->unit, b->unit);
	assert_int_equal(a->unit_of_user, b->unit_of_user);
	assert_int_equal(a->cgroup_keep, b->cgroup_keep);
	assert_same_text(a->resctrl.group, b->resctrl.group);
	assert_int_equal(a->resctrl.group_is_ours, b->resctrl.group_is_ours);
	assert_int_equal(a->resctrl.monitor_is_ours, b->resctrl.monitor_is_ours);
	assert_int_equal(a->poststart, b->poststart);
	assert_int_equal(a->poststop, b->poststop);
	assert_int_equal(a->seccomp_agent, b->seccomp_agent);
	assert_int_equal(a->own_keyring, b->own_keyring);
	assert_int_equal(a->pid, b->pid);
	assert_true(a->start_ticks == b->start_ticks);
	assert_int_equal(a->annotations.count, b->annotations.count);
	for (size_t i = 0; i < a->annotations.count; i++) {
		assert_string_equal(a->annotations.items[i].key, b->annotations.items[i].key);
		assert_string_equal(a->annotations.items[i].value, b->annotations.items[i].value);
	}
}

/* Every field that is written is read, alone and with all others. */
static void test_round_trip(void **state)
{
	const struct world *world = *state;
	struct record flags[] = {bare, bare, bare, bare, bare, bare};
	const struct record *records[] = {&full,     &bare,	&flags[0], &flags[1],
					  &flags[2], &flags[3], &flags[4], &flags[5]};

	flags[0].poststart = true;
	flags[1].poststop = true;
	flags[2].cgroup_path = "/";
	flags[3].pid = 1;
	flags[3].start_ticks = 0;
	flags[4].seccomp_agent = true;
	flags[5].own_keyring = true;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct record read;
		struct error err = ERROR_NONE;

		memset(&read, 0xff, sizeof(read));
		assert_fine(record_write(world->fd, records[i], i == 0, &err), err);
		assert_fine(record_read(world->fd, arena, &read, &err), err);
		assert_same(&read, records[i]);
	}
}

/* The first writing claims the name; a later one replaces. Only the owner reads it. */
static void test_first(void **state)
{
	const struct world *world = *state;
	struct error err = ERROR_NONE;
	struct stat st;

	assert_fine(record_write(world->fd, &full, true, &err), err);
	assert_int_equal(fstatat(world->fd, STATE_RECORD, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_failed(record_write(world->fd, &bare, true, &err), err, -EEXIST);
	assert_fine(record_write(world->fd, &bare, false, &err), err);
	assert_int_equal(fstatat(world->fd, STATE_RECORD, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void refuse_record(const struct world *world, int r, const char *text)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct record record;
	struct error err = ERROR_NONE;

	assert_failed(record_read(world->fd, arena, &record, &err), err, r);
	assert_contains(err.text, text);
	assert_contains(err.text, STATE_RECORD);
}

static void test_none(void **state)
{
	const struct world *world = *state;

	refuse_record(world, -ENODATA, "there is no \"state.json\"");
	put_link(world, STATE_RECORD, "/etc/passwd");
	refuse_record(world, -ELOOP, "symbolic links");
	assert_int_equal(unlinkat(world->fd, STATE_RECORD, 0), 0);
	assert_int_equal(mkfifoat(world->fd, STATE_RECORD, 0600), 0);
	refuse_record(world, -EINVAL, "not a regular file");
}

#define HEAD "{\"version\":1,\"id\":\"a\",\"bundle\":\"/b\",\"rootfs\":\"/r\","

static void test_damaged(void **state)
{
	static const struct {
		const char *content, *text;
	} cases[] = {
		{"", "empty"},
		{"{\"version\":1,", "premature EOF"},
		{"[]", "not an object"},
		{"null", "not an object"},
		{"{}", "not a record of this version"},
		{HEAD "\"created\":\"c\"}", "not a record of this version"},
		{HEAD "\"cgroupManager\":\"cgroupfs\"}", "not a record of this version"},
		{"{\"version\":2,\"id\":\"a\",\"bundle\":\"/b\",\"rootfs\":\"/r\","
		 "\"created\":\"c\",\"cgroupManager\":\"cgroupfs\"}",
		 "not a record of this version"},
		{"{\"version\":\"1\",\"id\":\"a\",\"bundle\":\"/b\",\"rootfs\":\"/r\","
		 "\"created\":\"c\",\"cgroupManager\":\"cgroupfs\"}",
		 "not a record of this version"},
		{"{\"version\":1,\"id\":7,\"bundle\":\"/b\",\"rootfs\":\"/r\","
		 "\"created\":\"c\",\"cgroupManager\":\"cgroupfs\"}",
		 "not a record of this version"},
		{HEAD "\"created\":\"c\",\"cgroupManager\":\"cgroupfs\"} x", "trailing garbage"},
	};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_file(world, STATE_RECORD, cases[i].content);
		refuse_record(world, -EINVAL, cases[i].text);
	}
}

/* Each record that a writer may have been cut at is refused, none is half believed. */
static void test_cut_anywhere(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *whole = NULL;
	struct error err = ERROR_NONE;

	assert_fine(record_write(world->fd, &full, true, &err), err);
	whole = get_file(world, STATE_RECORD);
	for (size_t length = strlen(whole); length-- > 0;) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct record record;

		whole[length] = '\0';
		put_file(world, STATE_RECORD, whole);
		assert_failed(record_read(world->fd, arena, &record, &err), err, -EINVAL);
	}
}

/* Numbers beyond their range do not wrap round to others: 2^32 + 1 is not process 1. */
static void test_large_numbers(void **state)
{
	static const char content[] =
		HEAD "\"created\":\"c\",\"cgroupManager\":\"disabled\",\"owner\":4294967296,"
		     "\"pid\":4294967297,\"startTime\":1,\"cgroupPath\":\"/a\","
		     "\"cgroupKeep\":4294967297}";
	static const char unknown[] = HEAD "\"created\":\"c\",\"cgroupManager\":\"later\"}";
	const struct world *world = *state;

	put_file(world, STATE_RECORD, content);
	refuse_record(world, -EINVAL, "not a record of this version");
	put_file(world, STATE_RECORD, unknown);
	refuse_record(world, -EINVAL, "not a record of this version");
}

/* Members of another type than theirs are as good as missing. */
static void test_strange_members(void **state)
{
	static const char content[] =
		HEAD "\"created\":\"c\",\"cgroupManager\":\"disabled\",\"owner\":-1,"
		     "\"poststart\":1,\"poststop\":\"true\",\"pid\":\"12\",\"startTime\":1.5,"
		     "\"cgroupPath\":null,\"annotations\":{\"a\":1,\"b\":\"c\",\"d\":[]},"
		     "\"later\":{\"version\":7}}";
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct record record;
	struct error err = ERROR_NONE;

	put_file(world, STATE_RECORD, content);
	assert_fine(record_read(world->fd, arena, &record, &err), err);
	assert_int_equal(record.cgroup_manager, CGROUP_MANAGER_DISABLED);
	assert_int_equal(record.owner, 0);
	assert_int_equal(record.pid, 0);
	assert_int_equal(record.start_ticks, 0);
	assert_false(record.poststart || record.poststop);
	assert_null(record.cgroup_path);
	assert_int_equal(record.annotations.count, 1);
	assert_string_equal(record.annotations.items[0].key, "b");
	put_file(world, STATE_RECORD,
		 HEAD "\"created\":\"c\",\"cgroupManager\":\"disabled\",\"annotations\":[]}");
	assert_fine(record_read(world->fd, arena, &record, &err), err);
	assert_int_equal(record.annotations.count, 0);
}

static void test_too_large(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int fd = openat(world->fd, STATE_RECORD, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, (4 << 20) + 1), 0);
	refuse_record(world, -EFBIG, "more than 4194304 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_round_trip),	world_test(test_first),
		world_test(test_none),		world_test(test_damaged),
		world_test(test_cut_anywhere),	world_test(test_strange_members),
		world_test(test_large_numbers), world_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
