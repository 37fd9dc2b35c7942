/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of an image.
 *
 * Theory of operation. A few lanes, each a thread, take one layer after the other, the largest
 * first. In a lane a layer is one stream: file or download -> digest of the blob -> decompression
 * -> digest of the tar (the diff id) -> directory. For layers of some size what is before and what
 * is behind the decompression become two threads, when more is left of the layer than of the
 * others, so that no processor waits for the last layer. All lanes download at once, but only as
 * many unpack as there are processors. A layer becomes visible when all of it was right. The first
 * failure ends the other lanes, and is the one that is reported.
 */
#include "layers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "layer/unpack.h"

#include "part.h"
#include "turns.h"

/* From this size on, in packed bytes, a second thread is worth its start. */
#define PUMP_FROM (4u << 20)

/* Layers at once, where nobody says how many. */
#define PARALLEL_DEFAULT 4

struct job {
	const struct layers_request *request;
	struct layer *layers; /* the largest first */
	size_t count;
	struct progress *progress;
	_Atomic uint64_t image_bytes;
	unsigned processors;
	struct turns *turns; /* to unpack */
	pthread_mutex_t lock;
	/* Below: under the lock. */
	size_t next;
	int result;
	struct error error; /* of the first lane that failed */
};

struct layer {
	const struct descriptor *descriptor;
	const struct digest *diff_id;
	struct progress_layer *progress;
	_Atomic uint64_t left; /* packed bytes to unpack; too many where nobody keeps count */
};

static bool is_cancelled(const struct job *job)
{
	return atomic_load(job->request->cancelled);
}

static void set_state(struct job *job, struct layer *layer, enum layer_state state)
{
	atomic_store(&layer->progress->state, state);
	progress_changed(job->progress, layer->progress);
}

/* The streams of one layer that are linked into one another. */
struct chain {
	struct job *job;
	struct layer *layer;
	struct part *part;    /* NULL where the source has the bytes at hand */
	struct reader *check; /* of the blob; belongs to the chain's end */
	struct reader *end;   /* owned */
};

static int open_blob(struct job *job, struct layer *layer, struct chain *chain, struct reader **ret,
		     struct error *err)
{
	const struct part_request request = {
		.store = job->request->store,
		.source = job->request->source,
		.layer = layer->descriptor,
		.turns = job->turns,
		.downloaded = &layer->progress->downloaded,
	};
	int r;

	if (!request.source->is_remote)
		return request.source->open(request.source, layer->descriptor, ret, err);
	r = part_begin(&request, &chain->part, err);
	if (r >= 0)
		*ret = part_reader(chain->part);
	return r;
}

/* Whether the others would wait for this layer in the end: more of it is left than a processor's
 * share of all, and a tenth. */
static bool is_late(void *context)
{
	const struct chain *chain = context;
	const struct job *job = chain->job;
	uint64_t left = chain->layer->descriptor->size - reader_check_count(chain->check), all = 0;

	atomic_store_explicit(&chain->layer->left, left, memory_order_relaxed);
	for (size_t i = 0; i < job->count; i++)
		all += atomic_load_explicit(&job->layers[i].left, memory_order_relaxed);
	return left / 11 * 10 > all / job->processors;
}

/* What another layer may want while this one waits for its memory. */
static void lend_turn(void *context, bool begins)
{
	const struct chain *chain = context;
	struct turns *turns = chain->job->turns;

	if (begins)
		turns_give(turns);
	else
		turns_take(turns,
			   chain->layer->descriptor->size - reader_check_count(chain->check));
}

static int build_chain(struct job *job, struct layer *layer, struct chain *chain, struct error *err)
{
	const struct limits *limits = job->request->limits;
	const struct decompress_limits decompress = {
		.bytes = limits->layer_bytes ? limits->layer_bytes : UINT64_MAX,
		.bytes_option = "--max-layer-size",
		.ratio = limits->ratio,
		.zstd_window = limits->zstd_window,
		.directory = job->request->store->tmp,
		.wait = lend_turn,
		.context = chain,
	};
	char name[DIGEST_TEXT_MAX];
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_free_ char *what =
		xasprintf("layer %s", digest_text(&layer->descriptor->digest, name));
	int r = open_blob(job, layer, chain, &reader, err);

	if (r < 0)
		return r;
	reader = reader_check(reader, &layer->descriptor->digest, layer->descriptor->size, what);
	chain->check = reader;
	reader = reader_decompress(reader, &decompress, what);
	if (layer->descriptor->size >= PUMP_FROM)
		reader = reader_pump(reader, is_late, chain);
	free(what);
	what = xasprintf("layer %s, unpacked", digest_text(&layer->descriptor->digest, name));
	chain->end = reader_check(take_ptr(&reader), layer->diff_id, UINT64_MAX, what);
	return 0;
}

static void end_chain(struct chain *chain, bool remove_part)
{
	/* First, or a reader would wait for bytes that nobody wants any more. */
	if (chain->part)
		part_abandon(chain->part);
	cleanup_reader(&chain->end);
	if (chain->part)
		part_end(chain->part, remove_part);
	chain->part = NULL;
}

static int unpack(struct job *job, struct layer *layer, struct store_layer *made,
		  struct reader *stream, struct error *err)
{
	const struct unpack_options options = {
		.limits = job->request->limits,
		.user_namespace = job->request->user_namespace,
		.cancelled = job->request->cancelled,
		.progress = &layer->progress->unpacked,
		.image_bytes = &job->image_bytes,
		.indexfd = made->indexfd,
	};
	struct unpack_result result = {0};
	int r = unpack_layer(stream, made->rootfd, &options, &result, err);

	if (r < 0)
		return r;
	if (result.skipped_devices > 0)
		log_warning("%llu device%s cannot be made without rights over the host: empty "
			    "files stand for them",
			    (unsigned long long)result.skipped_devices,
			    plural_s(result.skipped_devices));
	if (result.skipped_xattrs > 0)
		log_warning("left out, since the store's file system or the user namespace does "
			    "not take them: %llu extended attribute%s",
			    (unsigned long long)result.skipped_xattrs,
			    plural_s(result.skipped_xattrs));
	return 0;
}

/*
 * Streams the layer into the directory. -EBADMSG: its bytes are not what the digest says.
 * *ret_resumed: some of them came from an earlier run.
 */
static int stream(struct job *job, struct layer *layer, struct store_layer *made, bool *ret_resumed,
		  struct error *err)
{
	struct chain chain = {.job = job, .layer = layer};
	int r = build_chain(job, layer, &chain, err);

	if (r < 0)
		return r;
	turns_take(job->turns, layer->descriptor->size);
	r = unpack(job, layer, made, chain.end, err);
	*ret_resumed = chain.part && part_was_resumed(chain.part);
	/* A download that broke off stays for the next run; what is wrong does not. */
	end_chain(&chain, r == -EBADMSG);
	turns_give(job->turns);
	return r;
}

/* One layer that is not there yet. */
static int make_layer(struct job *job, struct layer *layer, struct error *err)
{
	for (bool again = false;; again = true) {
		_cleanup_store_layer_ struct store_layer made = STORE_LAYER_NONE;
		bool resumed = false;
		int r = store_layer_begin(job->request->store, layer->diff_id, &made, err);

		if (r != 0)
			return r;
		set_state(job, layer,
			  job->request->source->is_remote ? LAYER_DOWNLOADING : LAYER_UNPACKING);
		r = stream(job, layer, &made, &resumed, err);
		if (r == -EBADMSG && resumed && !again && !is_cancelled(job))
			continue;
		if (r >= 0)
			r = store_layer_commit(&made, err);
		if (r >= 0 && job->request->source->is_remote)
			store_part_remove(job->request->store, &layer->descriptor->digest);
		return r;
	}
}

/* Which layer it is about; readers that know what they read have said so already. */
static int name_layer(const struct layer *layer, int code, struct error *err)
{
	const struct digest *digest = &layer->descriptor->digest;
	char name[DIGEST_TEXT_MAX];

	return strstr(err->text, digest->hex)
		       ? code
		       : within(err, code, "layer %s", digest_text(digest, name));
}

static int fetch_layer(struct job *job, struct layer *layer, struct error *err)
{
	int r;

	if (store_has_layer(job->request->store, layer->diff_id))
		r = 1;
	else
		r = make_layer(job, layer, err);
	set_state(job, layer, r < 0 ? LAYER_FAILED : r > 0 ? LAYER_PRESENT : LAYER_DONE);
	return r < 0 ? name_layer(layer, r, err) : r;
}

/* The next layer that nobody works at, or NULL: none, or there is no point any more. */
static struct layer *take_layer(struct job *job)
{
	struct layer *layer = NULL;

	pthread_mutex_lock(&job->lock);
	if (job->next < job->count && !is_cancelled(job))
		layer = &job->layers[job->next++];
	pthread_mutex_unlock(&job->lock);
	return layer;
}

static void report(struct job *job, int code, const struct error *err)
{
	pthread_mutex_lock(&job->lock);
	if (job->result >= 0) {
		job->result = code;
		job->error = *err;
	}
	atomic_store(job->request->cancelled, true);
	pthread_mutex_unlock(&job->lock);
}

static void *lane(void *argument)
{
	struct job *job = argument;
	struct layer *layer;

	while ((layer = take_layer(job))) {
		struct error err = ERROR_NONE;
		int r = fetch_layer(job, layer, &err);

		atomic_store(&layer->left, 0);
		if (r < 0)
			report(job, r, &err);
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const struct layer *left = a, *right = b;

	return (left->descriptor->size < right->descriptor->size) -
	       (left->descriptor->size > right->descriptor->size);
}

/* The same layer twice in one image is one to fetch. */
static bool is_listed(const struct job *job, const struct digest *diff_id)
{
	for (size_t i = 0; i < job->count; i++) {
		if (digest_equal(job->layers[i].diff_id, diff_id))
			return true;
	}
	return false;
}

static void list_layers(struct job *job, struct progress_layer *shown)
{
	const struct manifest *manifest = job->request->manifest;

	for (size_t i = 0; i < manifest->layer_count; i++) {
		const struct digest *diff_id = &job->request->config->diff_ids[i];
		struct progress_layer *line = &shown[job->count];

		if (is_listed(job, diff_id))
			continue;
		line->digest = manifest->layers[i].digest;
		line->size = manifest->layers[i].size;
		job->layers[job->count++] = (struct layer){.descriptor = &manifest->layers[i],
							   .diff_id = diff_id,
							   .progress = line,
							   .left = line->size};
	}
	qsort(job->layers, job->count, sizeof(*job->layers), by_size);
}

/* Runs the lanes, this thread among them. */
static void run_lanes(struct job *job)
{
	pthread_t threads[LAYERS_PARALLEL_MAX];
	size_t wanted = job->request->parallel ? job->request->parallel : PARALLEL_DEFAULT;
	size_t started = 0;

	if (wanted > job->count)
		wanted = job->count;
	while (started + 1 < wanted &&
	       pthread_create(&threads[started], NULL, lane, job) == 0) /* fewer are slower only */
		started++;
	lane(job);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* Those that this process may use. */
static unsigned count_processors(void)
{
	cpu_set_t set;

	/* More than a set has room for are enough. */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return UINT_MAX;
	return (unsigned)CPU_COUNT(&set);
}

int layers_fetch(const struct layers_request *request, struct error *err)
{
	size_t count = request->manifest->layer_count;
	_cleanup_free_ struct progress_layer *shown = xcalloc(count, sizeof(*shown));
	_cleanup_free_ struct layer *layers = xcalloc(count, sizeof(*layers));
	const unsigned processors = count_processors();
	_cleanup_turns_ struct turns *turns =
		turns_new(request->parallel ? request->parallel : processors);
	struct job job = {
		.request = request, .layers = layers, .processors = processors, .turns = turns};

	list_layers(&job, shown);
	pthread_mutex_init(&job.lock, NULL);
	job.progress = progress_begin(request->style, request->name, shown, job.count);
	run_lanes(&job);
	progress_end(job.progress);
	pthread_mutex_destroy(&job.lock);
	if (job.result < 0) {
		*err = job.error;
		return job.result;
	}
	if (is_cancelled(&job))
		return refuse_as(err, -EINTR, "interrupted");
	return 0;
}
