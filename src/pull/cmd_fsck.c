/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull fsck: whether the store is whole. */
#include "berth/base/json_write.h"

#include "common/printable.h"
#include "store/fsck.h"

#include "command.h"

struct values {
	bool repair;
};

static const struct option options[] = {
	{"repair", 0, OPTION_FLAG, offsetof(struct values, repair), NULL,
	 "remove what is damaged, so that the next pull makes it anew"},
};

struct report {
	struct buf text;
	struct json_writer json;
};

static void add_line(void *context, enum fsck_kind kind, const char *name, const char *what,
		     bool repaired)
{
	struct report *report = context;

	buf_printf(&report->text, "%s: ", fsck_kind_names[kind]);
	printable_write(&report->text, name);
	buf_add_string(&report->text, ": ");
	printable_write(&report->text, what);
	buf_add_string(&report->text, repaired ? " (repaired)\n" : "\n");
}

static void add_object(void *context, enum fsck_kind kind, const char *name, const char *what,
		       bool repaired)
{
	struct json_writer *w = &((struct report *)context)->json;

	json_begin_object(w);
	json_member_string(w, "kind", fsck_kind_names[kind]);
	json_member_string(w, "name", name);
	json_member_string(w, "what", what);
	json_member_bool(w, "repaired", repaired);
	json_end_object(w);
}

static int check(const struct context *context, bool repair, struct report *report,
		 uint64_t *ret_wrong, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct fsck fsck = {.repair = repair,
			    .finding = context->json ? add_object : add_line,
			    .context = report};
	int r;

	store.cancelled = context->cancelled;
	r = store_open(context->store, repair ? STORE_REMOVE : STORE_READ, &store, err);
	return r < 0 ? r : store_fsck(&store, &fsck, ret_wrong, err);
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	const struct values *given = values;
	struct report report = {.text = BUF_EMPTY};
	struct error unprinted = ERROR_NONE;
	uint64_t wrong = 0;
	int r, printed = 0;

	(void)args;
	report.json = (struct json_writer)JSON_WRITER(&report.text, true);
	if (context->json)
		json_begin_array(&report.json);
	r = check(context, given->repair, &report, &wrong, err);
	if (context->json) {
		json_end_array(&report.json);
		buf_add_char(&report.text, '\n');
	}
	/* What was found is told also where it came to an end in the middle. */
	if (report.text.size)
		printed = print_out(report.text.data, r < 0 ? &unprinted : err);
	buf_done(&report.text);
	if (r < 0 || printed < 0)
		return r < 0 ? r : printed;
	if (wrong)
		return refuse_as(err, -EUCLEAN, "the store \"%s\" has %llu fault%s", context->store,
				 (unsigned long long)wrong, plural_s(wrong));
	return context->json || context->quiet ? 0 : print_out("clean\n", err);
}

const struct command command_fsck = {
	.syntax =
		{
			.name = "fsck",
			.arguments = "",
			.summary = "check that the store is whole",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
		},
	.writes = true,
	.run = run,
};
