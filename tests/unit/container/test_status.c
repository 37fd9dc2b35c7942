/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is now: found out from its record, its process, its socket and its lock. */
#include "container-internal.h"
#include "explain-internal.h"

#include "../base/unit.h"

/* A state root in the world with the directory of the container "box", claimed. */
struct place {
	char *path;
	struct runtime runtime;
	int root, dir;
};

static struct place place_make(const struct world *world)
{
	struct place place = {.path = xasprintf("%s/root", world->path)};
	struct error err = ERROR_NONE;

	place.runtime.root = place.path;
	place.root = state_root_open(&place.runtime, true, &err);
	assert_fine(place.root, err);
	place.dir = state_claim(place.root, "box", &err);
	assert_fine(place.dir, err);
	return place;
}

static void place_done(struct place *place)
{
	fd_close(place->root);
	fd_close(place->dir);
	free(place->path);
}

#define _cleanup_place_ __attribute__((cleanup(place_done)))

static struct spec_string_pair pairs[] = {{"a", "b"}};

/* Writes the record; @pid 0: the intent alone. */
static void write_record(const struct place *place, pid_t pid, uint64_t start)
{
	const struct record record = {
		.id = "box",
		.bundle = "/bundle",
		.rootfs = "/bundle/rootfs",
		.created = "2026-01-02T03:04:05.000000006Z",
		.annotations = {pairs, 1},
		.pid = pid,
		.start_ticks = start,
	};
	struct error err = ERROR_NONE;

	assert_fine(record_write(place->dir, &record, false, &err), err);
}

static uint64_t start_of(pid_t pid)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = 0;

	assert_int_equal(pidref_start_time(proc, pid, &start, NULL), 0);
	return start;
}

static enum container_status status_of(const struct place *place)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct error err = ERROR_NONE;

	assert_fine(container_load(&place->runtime, "box", &container, &err), err);
	assert_string_equal(container.record.id, "box");
	/* Pinned as long as it lives. */
	assert_int_equal(container.init.fd >= 0,
			 container.status == STATUS_CREATED || container.status == STATUS_RUNNING);
	return container.status;
}

/* An intent is worth what its writer is: at work, or dead. */
static void test_intent(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);

	write_record(&place, 0, 0);
	assert_int_equal(status_of(&place), STATUS_CREATING);
	/* Looking takes no lock away: the second look says the same. */
	assert_int_equal(status_of(&place), STATUS_CREATING);
	place.dir = fd_close(place.dir);
	assert_int_equal(status_of(&place), STATUS_STOPPED);
}

/* Whoever holds the lock keeps it while it looks, by the very descriptor or a copy of it. */
static void test_lock_is_kept(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_fd_ int other = -EBADF;
	struct error err = ERROR_NONE;

	write_record(&place, 0, 0);
	other = state_open(&place.runtime, "box", &err);
	assert_fine(other, err);
	assert_fine(container_load_from(fd_dup(place.dir, &err), &container, &err), err);
	assert_failed(state_lock(other, 0, &err), err, -EBUSY);
}

static void test_process(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	_cleanup_fd_ int listener = -EBADF;
	struct error err = ERROR_NONE;
	pid_t pid = child_make(-1);
	uint64_t start = start_of(pid);

	write_record(&place, pid, start);
	assert_int_equal(status_of(&place), STATUS_RUNNING);
	listener = state_listen(place.dir, &err);
	assert_fine(listener, err);
	assert_int_equal(status_of(&place), STATUS_CREATED);
	/* Its exec closes the socket; the file stays. */
	listener = fd_close(listener);
	assert_int_equal(status_of(&place), STATUS_RUNNING);
	/* Another process with the same number. */
	write_record(&place, pid, start + 1);
	assert_int_equal(status_of(&place), STATUS_STOPPED);
	write_record(&place, pid, start);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	/* A zombie runs no more. */
	assert_int_equal(status_of(&place), STATUS_STOPPED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(status_of(&place), STATUS_STOPPED);
}

static void test_describe(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct state_document document;
	struct error err = ERROR_NONE;

	write_record(&place, getpid(), start_of(getpid()));
	assert_fine(container_load(&place.runtime, "box", &container, &err), err);
	container_describe(&container, &document);
	assert_string_equal(document.id, "box");
	assert_int_equal(document.status, STATUS_RUNNING);
	assert_int_equal(document.pid, getpid());
	assert_string_equal(document.bundle, "/bundle");
	assert_string_equal(document.rootfs, "/bundle/rootfs");
	assert_string_equal(document.created, "2026-01-02T03:04:05.000000006Z");
	assert_int_equal(document.annotations->count, 1);
}

/* As the operations that need a container that runs. */
static int check_running(const struct container *container, struct error *err)
{
	return container->status == STATUS_RUNNING ? 0 : refuse(err, "it does not run");
}

static int check_nothing(const struct container *container, struct error *err)
{
	(void)container;
	(void)err;
	return 0;
}

/* What a failure with that code is called in the end. */
static void assert_explained(struct container *container, int code, container_check check,
			     const char *text)
{
	struct error err = {.code = code, .text = "open \"x\""};
	int r = container_explain(container, code, check, &err);

	assert_string_equal(err.text, text);
	assert_int_equal(r, err.code);
}

static void test_explain(void **state)
{
	static const int codes[] = {-ESRCH,  -ENOENT, -ENODEV,	    -ENOMEM,
				    -ECHILD, -EPIPE,  -ECONNREFUSED};
	_cleanup_place_ struct place place = place_make(*state);
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct error err = ERROR_NONE;
	pid_t pid = child_make(-1);

	write_record(&place, pid, start_of(pid));
	/* It lives: whatever failed, it was not for its end. */
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		container_done(&container);
		assert_fine(container_load(&place.runtime, "box", &container, &err), err);
		assert_explained(&container, codes[i], check_running, "open \"x\"");
		assert_int_equal(container.status, STATUS_RUNNING);
	}
	kill(pid, SIGKILL);
	/* Its end is no reason for each failure, and not for those who do not need it. */
	assert_explained(&container, -EACCES, check_running, "open \"x\"");
	assert_explained(&container, -EINVAL, check_running, "open \"x\"");
	assert_explained(&container, -ESRCH, check_running, "it does not run");
	assert_int_equal(container.status, STATUS_STOPPED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* Nobody ended it since: it was no different before. */
	assert_explained(&container, -ESRCH, check_running, "open \"x\"");
	/* A name that is removed stays so for whoever has the directory open. */
	assert_fine(state_remove(place.root, place.dir, "box", &err), err);
	assert_explained(&container, -EACCES, check_running, "open \"x\"");
	assert_explained(&container, -ENOENT, check_running, "container \"box\" does not exist");
	assert_explained(&container, -ENOMEM, check_nothing, "container \"box\" does not exist");
}

/* The check may have nothing against one that has stopped. */
static void test_explain_indifferent(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct error err = ERROR_NONE;
	pid_t pid = child_make(-1);

	write_record(&place, pid, start_of(pid));
	assert_fine(container_load(&place.runtime, "box", &container, &err), err);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_explained(&container, -ESRCH, check_nothing, "open \"x\"");
}

/* A directory without a record says what it is worth: see refuse_absent(). */
static void test_absent(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	struct container container = CONTAINER_UNSET;
	struct error err = ERROR_NONE;

	/* Its maker, or whoever deletes it, is at work. */
	assert_failed(container_load(&place.runtime, "box", &container, &err), err, -ENOENT);
	assert_string_equal(err.text, "container \"box\" does not exist");
	place.dir = fd_close(place.dir);
	assert_failed(container_load(&place.runtime, "box", &container, &err), err, -ENOENT);
	assert_string_equal(err.text, "container \"box\" does not exist (delete removes what is "
				      "left of it)");
}

static void test_unreadable(void **state)
{
	_cleanup_place_ struct place place = place_make(*state);
	struct container container = CONTAINER_UNSET;
	struct world inside = {.fd = place.dir};
	struct error err = ERROR_NONE;

	assert_failed(container_load(&place.runtime, "other", &container, &err), err, -ENOENT);
	assert_string_equal(err.text, "container \"other\" does not exist");
	put_file(&inside, STATE_RECORD, "{");
	assert_failed(container_load(&place.runtime, "box", &container, &err), err, -EINVAL);
	assert_true(str_starts(err.text, "container \"box\": state.json: line 1, column 2: "));
	assert_true(container.dirfd < 0 && container.procfd < 0 && !container.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_intent),  world_test(test_lock_is_kept),
		world_test(test_process), world_test(test_describe),
		world_test(test_explain), world_test(test_explain_indifferent),
		world_test(test_absent),  world_test(test_unreadable),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
