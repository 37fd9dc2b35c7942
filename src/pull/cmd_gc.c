/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull gc: removes what no image and no bundle needs. */
#include "berth/base/json_write.h"
#include "berth/base/log.h"
#include "berth/base/path.h"

#include "common/size.h"
#include "store/gc.h"

#include "command.h"

struct values {
	bool all, dry_run;
	struct strv forget;
};

static const struct option options[] = {
	{"all", 0, OPTION_FLAG, offsetof(struct values, all), NULL,
	 "also broken downloads of the last hour, which the next pull would go on with"},
	{"dry-run", 0, OPTION_FLAG, offsetof(struct values, dry_run), NULL,
	 "say what would be removed, and remove nothing"},
	{"forget", 0, OPTION_LIST, offsetof(struct values, forget), "BUNDLE",
	 "take the bundle for gone, whose file system is not there"},
};

static void list_name(void *context, const char *name)
{
	buf_printf(context, "would remove %s\n", name);
}

static void write_json(const struct gc_result *result, const struct gc_marks *marks,
		       struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, true);

	json_begin_object(&w);
	json_member_u64(&w, "layers", result->layers);
	json_member_u64(&w, "blobs", result->blobs);
	json_member_u64(&w, "parts", result->parts);
	json_member_u64(&w, "bundles", result->bundles);
	json_member_u64(&w, "bytes", result->bytes);
	json_key(&w, "unseen");
	json_begin_array(&w);
	for (size_t i = 0; i < marks->unknown.count; i++)
		json_string(&w, marks->unknown.items[i]);
	json_end_array(&w);
	json_end_object(&w);
	buf_add_char(out, '\n');
}

static void write_text(const struct gc_result *result, bool dry_run, struct buf *out)
{
	const struct {
		uint64_t count;
		const char *what;
	} counts[] = {{result->layers, "layer"},
		      {result->blobs, "document"},
		      {result->parts, "part"},
		      {result->bundles, "bundle"}};

	buf_add_string(out, dry_run ? "would free " : "freed ");
	size_write(out, result->bytes);
	buf_printf(out, " (%llu byte%s)", (unsigned long long)result->bytes,
		   plural_s(result->bytes));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		buf_printf(out, "%s %llu %s%s", i ? "," : ":", (unsigned long long)counts[i].count,
			   counts[i].what, plural_s(counts[i].count));
	buf_add_char(out, '\n');
}

static int absolute_paths(const struct strv *list, struct strv *ret, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		_cleanup_free_ char *path = path_absolute(list->items[i]);

		if (!path)
			return fail(err, -errno, "find the working directory");
		strv_add(ret, path);
	}
	return 0;
}

static int collect(const struct context *context, const struct values *given, struct buf *out,
		   struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_gc_marks_ struct gc_marks marks = {.gone = {.items = NULL}};
	_cleanup_strv_ struct strv forget = {.items = NULL};
	struct gc_options sweep = {.all = given->all, .dry_run = given->dry_run, .context = out};
	struct gc_result result;
	int r = absolute_paths(&given->forget, &forget, err);

	if (r < 0)
		return r;
	if (given->dry_run && !context->json && !context->quiet)
		sweep.each = list_name;
	store.cancelled = context->cancelled;
	r = store_open(context->store, given->dry_run ? STORE_READ : STORE_REMOVE, &store, err);
	if (r < 0)
		return r;
	r = gc_mark(&store, &forget, &marks, err);
	if (r < 0)
		return within(err, r, "nothing is removed");
	r = gc_sweep(&store, &marks, &sweep, &result, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < marks.unknown.count; i++)
		log_warning("the bundle \"%s\" is in a file system that is not there: its layers "
			    "are kept (see --forget)",
			    marks.unknown.items[i]);
	if (context->json)
		write_json(&result, &marks, out);
	else if (context->quiet)
		buf_printf(out, "%llu\n", (unsigned long long)result.bytes);
	else
		write_text(&result, given->dry_run, out);
	return 0;
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	int r = collect(context, values, &out, err);

	(void)args;
	return r < 0 ? r : print_out(out.data, err);
}

const struct command command_gc = {
	.syntax =
		{
			.name = "gc",
			.arguments = "",
			.summary = "remove what no image and no bundle needs",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
		},
	.writes = true,
	.run = run,
};
