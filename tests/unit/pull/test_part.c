/* SPDX-License-Identifier: Apache-2.0 */
/* A layer while it is downloaded: nothing is held back, and nothing is lost with a failure. */
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "part.h"
#include "stream.h"

#define SIZE 1000000

static void limit_files(rlim_t size)
{
	const struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};

	assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), errno);
}

/* A source that is a list of steps. */
struct steps {
	struct source source;
	const unsigned char *content;
	size_t piece;	   /* bytes at a time */
	size_t fails_at;   /* there the connection breaks; 0: never */
	size_t restart_at; /* there the server begins anew, once; 0: never */
	sem_t *read_all;   /* posted when the reader has all that was written, or NULL */
	bool is_limited;   /* files may be so long only as a limit says, until that has hurt */
};

/* Fails the test, instead of waiting for ever. */
static void wait_for(sem_t *semaphore)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	while (sem_timedwait(semaphore, &until) < 0) {
		if (errno == ETIMEDOUT) {
			print_error("the reader waits for what has been downloaded\n");
			abort();
		}
	}
}

static int steps_fetch(struct source *source, const struct descriptor *layer,
		       struct blob_sink *sink, struct error *err)
{
	struct steps *steps = (struct steps *)source;

	while (sink->offset < layer->size) {
		size_t left = layer->size - sink->offset;
		size_t size = left < steps->piece ? left : steps->piece;
		int r;

		if (steps->fails_at && sink->offset >= steps->fails_at)
			return refuse_as(err, -ECONNRESET, "the connection broke");
		if (steps->restart_at && sink->offset >= steps->restart_at) {
			steps->restart_at = 0;
			r = sink->restart(sink, err);
			if (r < 0)
				return r;
		}
		r = sink->write(sink, steps->content + sink->offset, size, err);
		if (r < 0 && steps->is_limited)
			limit_files(RLIM_INFINITY);
		if (r < 0)
			return r;
		if (steps->read_all)
			wait_for(steps->read_all);
	}
	return 0;
}

/* What there is for each test: a store, content, and a layer that is this content. */
struct lab {
	struct store store;
	unsigned char *content;
	struct descriptor layer;
	struct turns *turns;
	atomic_ullong downloaded;
	struct steps steps;
};

static void open_lab(struct lab *lab, const struct world *world)
{
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);
	struct error err = ERROR_NONE;

	*lab = (struct lab){.store = STORE_CLOSED};
	assert_fine(store_open(path, STORE_ADD, &lab->store, &err), err);
	lab->content = content_make(SIZE);
	lab->layer.size = SIZE;
	digest_of(DIGEST_SHA256, lab->content, SIZE, &lab->layer.digest);
	lab->turns = turns_new(1);
	turns_take(lab->turns, SIZE);
	lab->steps = (struct steps){
		.source = {.fetch = steps_fetch}, .content = lab->content, .piece = 16384};
}

static void close_lab(struct lab *lab)
{
	turns_give(lab->turns);
	turns_free(lab->turns);
	free(lab->content);
	store_close(&lab->store);
}

static struct part *begin(struct lab *lab)
{
	const struct part_request request = {
		.store = &lab->store,
		.source = &lab->steps.source,
		.layer = &lab->layer,
		.turns = lab->turns,
		.downloaded = &lab->downloaded,
	};
	struct error err = ERROR_NONE;
	struct part *part;

	assert_fine(part_begin(&request, &part, &err), err);
	return part;
}

/* How many bytes the store keeps of the layer for the next run. */
static uint64_t kept_size(const struct lab *lab)
{
	struct error err = ERROR_NONE;
	uint64_t size = 0;
	int fd = store_part_open(&lab->store, &lab->layer.digest, &size, &err);

	assert_fine(fd, err);
	close(fd);
	return size;
}

static void assert_whole(struct lab *lab, struct part *part)
{
	_cleanup_reader_ struct reader *reader = part_reader(part);

	assert_yields(reader, lab->content, SIZE);
	assert_int_equal(lab->downloaded, SIZE);
}

static void test_whole(void **state)
{
	static const size_t pieces[] = {1000, 16384, 262144, 300000, SIZE};
	struct lab lab;

	open_lab(&lab, *state);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct part *part;

		lab.steps.piece = pieces[i];
		part = begin(&lab);
		assert_false(part_was_resumed(part));
		assert_whole(&lab, part);
		part_end(part, /* remove= */ true);
	}
	close_lab(&lab);
}

/* What is here is not kept back while the reader has nothing else to read. */
static void test_slow(void **state)
{
	struct error err = ERROR_NONE;
	struct reader *reader;
	struct part *part;
	struct lab lab;
	size_t all = 0;
	sem_t read_all;

	open_lab(&lab, *state);
	sem_init(&read_all, 0, 0);
	lab.steps.piece = 50000;
	lab.steps.read_all = &read_all;
	part = begin(&lab);
	reader = part_reader(part);
	for (;;) {
		const void *data;
		size_t size = 0;
		int r = reader_read(reader, &data, &size, &err);

		assert_fine(r, err);
		if (r == 0)
			break;
		assert_memory_equal(data, lab.content + all, size);
		all += size;
		if (all % 50000 == 0)
			sem_post(&read_all);
	}
	assert_int_equal(all, SIZE);
	cleanup_reader(&reader);
	part_end(part, /* remove= */ true);
	sem_destroy(&read_all);
	close_lab(&lab);
}

/* All that came before a failure is there for the next run. */
static void test_failure(void **state)
{
	struct error err = ERROR_NONE;
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct reader *reader;
	struct part *part;
	struct lab lab;
	uint64_t size;

	open_lab(&lab, *state);
	lab.steps.fails_at = 500000;
	part = begin(&lab);
	reader = part_reader(part);
	assert_failed(read_all(reader, &all, &err), err, -ECONNRESET);
	cleanup_reader(&reader);
	part_end(part, /* remove= */ false);

	size = kept_size(&lab);
	assert_int_equal(size, (500000 + 16383) / 16384 * 16384);
	assert_int_equal(size, all.size);

	lab.steps.fails_at = 0;
	part = begin(&lab);
	assert_true(part_was_resumed(part));
	assert_whole(&lab, part);
	part_end(part, /* remove= */ true);
	close_lab(&lab);
}

/* The same when nobody reads: what was only gathered is written in the end. */
static void test_unread_failure(void **state)
{
	struct part *part;
	struct lab lab;
	uint64_t size;

	open_lab(&lab, *state);
	lab.steps.fails_at = 16384 * 3;
	part = begin(&lab);
	while (lab.downloaded < lab.steps.fails_at)
		usleep(1000);
	part_end(part, /* remove= */ false);
	size = kept_size(&lab);
	assert_int_equal(size, 16384 * 3);
	close_lab(&lab);
}

/* A disk that is full for a while, amid what was gathered: what there is in the end is right. */
static void test_full(void **state)
{
	struct part *part;
	struct lab lab;
	uint64_t size;

	open_lab(&lab, *state);
	signal(SIGXFSZ, SIG_IGN);
	lab.steps.is_limited = true;
	limit_files(100000);
	part = begin(&lab);
	while (lab.downloaded < 262144)
		usleep(1000);
	part_end(part, /* remove= */ false);
	size = kept_size(&lab);
	assert_in_range(size, 262144, SIZE);
	lab.steps.is_limited = false;
	part = begin(&lab);
	assert_whole(&lab, part);
	part_end(part, /* remove= */ true);
	close_lab(&lab);
}

static void test_restart(void **state)
{
	struct part *part;
	struct lab lab;

	open_lab(&lab, *state);
	lab.steps.restart_at = 300000;
	part = begin(&lab);
	assert_whole(&lab, part);
	part_end(part, /* remove= */ true);
	close_lab(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_whole),		 world_test(test_slow), world_test(test_failure),
		world_test(test_unread_failure), world_test(test_full), world_test(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
