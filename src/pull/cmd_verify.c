/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull verify [IMAGE…]: whether layers are still what was unpacked. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"

#include "common/printable.h"
#include "store/gc.h"
#include "store/stored_image.h"
#include "store/stored_layers.h"
#include "store/verify.h"

#include "command.h"

#define THREADS_MAX 8
/* Findings of one layer that are told; the others are counted. */
#define FINDINGS_SHOWN 100

struct values {
	bool repair;
};

static const struct option options[] = {
	{"repair", 0, OPTION_FLAG, offsetof(struct values, repair), NULL,
	 "remove the layers that are damaged, so that the next pull makes them anew"},
};

struct finding {
	char *path, *what;
};

/* One layer. */
struct job {
	struct digest diff_id;
	struct finding *findings; /* FINDINGS_SHOWN, made when there is one */
	size_t shown;
	uint64_t count;
	bool missing, removed;
	int r; /* what layer_verify() returned; negative errno: nothing could be said */
	struct error err;
};

struct work {
	const struct store *store;
	int unknown; /* negative errno: why it is not known which layers there should be */
	struct error unknown_err;
	const atomic_bool *cancelled;
	struct job *jobs;
	size_t count;
	atomic_size_t next;
};

static void take_finding(void *context, const char *path, const char *what)
{
	struct job *job = context;

	if (job->shown == FINDINGS_SHOWN)
		return;
	if (!job->findings)
		job->findings = xcalloc(FINDINGS_SHOWN, sizeof(*job->findings));
	job->findings[job->shown++] = (struct finding){xstrdup(path), xstrdup(what)};
}

static void verify_layer(const struct work *work, struct job *job)
{
	const struct verify verify = {
		.finding = take_finding, .context = job, .cancelled = work->cancelled};
	_cleanup_fd_ int fd = -EBADF;

	if (!layer_exists(work->store, &job->diff_id)) {
		take_finding(job, "", "the layer is missing: pull its image again");
		job->missing = true;
		job->count = 1;
		return;
	}
	fd = store_layer_open(work->store, &job->diff_id, &job->err);
	job->r = fd < 0 ? fd : layer_verify(fd, &verify, &job->count, &job->err);
	if (job->r >= 0 && !job->count)
		layer_settled(work->store, &job->diff_id);
}

static void *lane(void *context)
{
	struct work *work = context;

	for (;;) {
		size_t at = atomic_fetch_add(&work->next, 1);

		if (at >= work->count)
			return NULL;
		verify_layer(work, &work->jobs[at]);
	}
}

/* This thread takes part; where others cannot be made, it does all. */
static void verify_all(struct work *work)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t count = 0;

	while (count + 1 < THREADS_MAX && count + 1 < work->count && (long)count + 1 < processors &&
	       pthread_create(&threads[count], NULL, lane, work) == 0)
		count++;
	lane(work);
	while (count > 0)
		pthread_join(threads[--count], NULL);
}

static int add_image(const struct store *store, const char *word, struct digest_set *layers,
		     struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct store_image record;
	struct stored_image image;
	int r = store_image_find(store, arena, word, &record, err);

	if (r >= 0)
		r = stored_image_load(arena, store, &record, &image, err);
	for (size_t i = 0; r >= 0 && i < image.config.diff_id_count; i++)
		digest_set_add(layers, &image.config.diff_ids[i]);
	return r;
}

/* What is there, and what images and bundles need: that may be missing. */
static int add_all(struct work *work, struct digest_set *layers, struct error *err)
{
	_cleanup_gc_marks_ struct gc_marks marks = {.gone = {.items = NULL}};
	const struct strv forget = {.items = NULL};
	int r = stored_layers_list(work->store, layers, err);

	if (r < 0)
		return r;
	work->unknown = gc_mark(work->store, &forget, &marks, &work->unknown_err);
	for (size_t i = 0; i < marks.layers.count; i++)
		digest_set_add(layers, &marks.layers.items[i]);
	return 0;
}

static int choose_layers(struct work *work, char *const *args, struct digest_set *layers,
			 struct error *err)
{
	int r = 0;

	if (!*args)
		return add_all(work, layers, err);
	for (; r >= 0 && *args; args++)
		r = add_image(work->store, *args, layers, err);
	return r;
}

/* Under the store's exclusive lock, which nobody had to wait for while it was verified. */
static int remove_damaged(const struct context *context, struct work *work, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	int r;

	store.cancelled = context->cancelled;
	r = store_open(context->store, STORE_REMOVE, &store, err);
	for (size_t i = 0; r >= 0 && i < work->count; i++) {
		struct job *job = &work->jobs[i];

		if (!job->count || job->missing)
			continue;
		if (layer_exists(&store, &job->diff_id))
			r = layer_remove(&store, &job->diff_id, NULL);
		job->removed = r >= 0;
		if (r < 0)
			return fail(err, r, "remove layer %s", job->diff_id.hex);
	}
	return r < 0 ? r : 0;
}

static void write_json(const struct work *work, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, true);
	char digest[DIGEST_TEXT_MAX];

	json_begin_array(&w);
	for (size_t i = 0; i < work->count; i++) {
		const struct job *job = &work->jobs[i];

		json_begin_object(&w);
		json_member_string(&w, "layer", digest_text(&job->diff_id, digest));
		json_member_u64(&w, "count", job->count);
		json_member_bool(&w, "removed", job->removed);
		json_member_bool(&w, "attributes", job->r == 0);
		json_key(&w, "findings");
		json_begin_array(&w);
		for (size_t k = 0; k < job->shown; k++) {
			json_begin_object(&w);
			json_member_string(&w, "path", job->findings[k].path);
			json_member_string(&w, "what", job->findings[k].what);
			json_end_object(&w);
		}
		json_end_array(&w);
		json_end_object(&w);
	}
	json_end_array(&w);
	buf_add_char(out, '\n');
}

static void write_text(const struct work *work, bool quiet, struct buf *out)
{
	for (size_t i = 0; i < work->count; i++) {
		const struct job *job = &work->jobs[i];

		for (size_t k = 0; k < job->shown; k++) {
			buf_printf(out, "%.12s: /", job->diff_id.hex);
			printable_write(out, job->findings[k].path);
			buf_add_string(out, ": ");
			printable_write(out, job->findings[k].what);
			buf_add_char(out, '\n');
		}
		if (job->count > job->shown)
			buf_printf(out, "%.12s: and %llu more\n", job->diff_id.hex,
				   (unsigned long long)(job->count - job->shown));
		if (job->removed)
			buf_printf(out, "%.12s: removed\n", job->diff_id.hex);
		if (!job->count && job->r >= 0 && !quiet)
			buf_printf(out, "%.12s: as it was unpacked%s\n", job->diff_id.hex,
				   job->r > 0
					   ? ", but nobody knows its extended attributes: an older "
					     "berth-pull unpacked it"
					   : "");
	}
}

static int conclude(const struct work *work, const struct context *context, struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	size_t damaged = 0;
	int r = 0;

	if (context->json)
		write_json(work, &out);
	else
		write_text(work, context->quiet, &out);
	if (out.size)
		r = print_out(out.data, err);
	for (size_t i = 0; r >= 0 && i < work->count; i++) {
		const struct job *job = &work->jobs[i];

		damaged += job->count && !job->removed;
		if (job->r >= 0)
			continue;
		*err = job->err;
		r = within(err, job->r, "layer %s", job->diff_id.hex);
	}
	if (r >= 0 && work->unknown < 0) {
		*err = work->unknown_err;
		return work->unknown;
	}
	if (r >= 0 && damaged)
		return refuse_as(err, -EUCLEAN, "%zu of %zu layer%s %s damaged", damaged,
				 work->count, plural_s(work->count), damaged == 1 ? "is" : "are");
	return r;
}

static void free_jobs(struct work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		for (size_t k = 0; k < work->jobs[i].shown; k++) {
			free(work->jobs[i].findings[k].path);
			free(work->jobs[i].findings[k].what);
		}
		free(work->jobs[i].findings);
	}
	free(work->jobs);
}

static bool is_any_damaged(const struct work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		if (work->jobs[i].count)
			return true;
	}
	return false;
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	const struct values *given = values;
	struct store store = STORE_CLOSED;
	struct digest_set layers = {.items = NULL};
	struct work work = {.store = &store, .cancelled = context->cancelled};
	int r;

	store.cancelled = context->cancelled;
	r = store_open(context->store, STORE_READ, &store, err);
	if (r >= 0)
		r = choose_layers(&work, args, &layers, err);
	work.jobs = xcalloc(layers.count + 1, sizeof(*work.jobs));
	work.count = r < 0 ? 0 : layers.count;
	for (size_t i = 0; i < work.count; i++)
		work.jobs[i].diff_id = layers.items[i];
	digest_set_done(&layers);
	if (r >= 0)
		verify_all(&work);
	store_close(&store);
	if (r >= 0 && given->repair && is_any_damaged(&work))
		r = remove_damaged(context, &work, err);
	if (r >= 0)
		r = conclude(&work, context, err);
	free_jobs(&work);
	return r;
}

const struct command command_verify = {
	.syntax =
		{
			.name = "verify",
			.arguments = "[IMAGE…]",
			.summary = "compare layers with what was unpacked: all, or those of images",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
			.args_max = SIZE_MAX,
		},
	.writes = true,
	.run = run,
};
