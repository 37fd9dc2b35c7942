/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull list: the images of the store. */
#include <stdio.h>

#include "berth/base/json_write.h"

#include "common/printable.h"
#include "common/size.h"
#include "store/store.h"

#include "command.h"

#define COLUMNS	      5
#define DIGEST_DIGITS 12 /* that are shown; inspect and remove take them, too */
#define SECONDS_END   19 /* of "2026-01-02T03:04:05" */

static void write_image(struct json_writer *w, const struct store_image *image)
{
	char digest[DIGEST_TEXT_MAX];

	json_begin_object(w);
	json_member_string(w, "name", image->name);
	json_member_string(w, "platform", image->platform);
	json_member_string(w, "digest", digest_text(&image->manifest, digest));
	json_member_string(w, "top", digest_text(&image->top, digest));
	json_member_string(w, "mediaType", image->media_type);
	json_member_u64(w, "size", image->size);
	json_member_string(w, "pulled", image->pulled);
	json_end_object(w);
}

static void write_json(const struct store_image *images, size_t count, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, true);

	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		write_image(&w, &images[i]);
	json_end_array(&w);
	buf_add_char(out, '\n');
}

static const char *printable(struct arena *arena, const char *text)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;

	printable_write(&out, text);
	return arena_strdup(arena, out.data ? out.data : "");
}

/* The columns of one row, in @arena. */
static void make_row(struct arena *arena, const struct store_image *image, const char *ret[COLUMNS])
{
	_cleanup_buf_ struct buf size = BUF_EMPTY;

	size_write(&size, image->size);
	ret[0] = printable(arena, image->name);
	ret[1] = printable(arena, image->platform);
	ret[2] = arena_strndup(arena, image->manifest.hex, DIGEST_DIGITS);
	ret[3] = arena_strdup(arena, size.data);
	ret[4] = arena_strndup(arena, printable(arena, image->pulled), SECONDS_END);
}

static void write_table(struct arena *arena, const struct store_image *images, size_t count,
			struct buf *out)
{
	const char *(*rows)[COLUMNS] = arena_alloc(arena, count + 1, sizeof(*rows));
	static const char *const titles[COLUMNS] = {"NAME", "PLATFORM", "DIGEST", "SIZE", "PULLED"};
	int width[COLUMNS] = {0};

	memcpy(rows[0], titles, sizeof(titles));
	for (size_t i = 0; i < count; i++)
		make_row(arena, &images[i], rows[i + 1]);
	for (size_t i = 0; i <= count; i++) {
		for (size_t k = 0; k < COLUMNS; k++)
			width[k] = (int)strlen(rows[i][k]) > width[k] ? (int)strlen(rows[i][k])
								      : width[k];
	}
	for (size_t i = 0; i <= count; i++) {
		for (size_t k = 0; k + 1 < COLUMNS; k++)
			buf_printf(out, "%-*s  ", width[k], rows[i][k]);
		buf_printf(out, "%s\n", rows[i][COLUMNS - 1]);
	}
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct store_image *images = NULL;
	size_t count = 0;
	int r;

	(void)values;
	(void)args;
	store.cancelled = context->cancelled;
	r = store_open(context->store, STORE_READ, &store, err);
	if (r >= 0)
		r = store_image_list(&store, arena, &images, &count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; context->quiet && !context->json && i < count; i++)
		buf_printf(&out, "%s\n", images[i].name);
	if (context->json)
		write_json(images, count, &out);
	else if (!context->quiet)
		write_table(arena, images, count, &out);
	return out.size ? print_out(out.data, err) : 0;
}

const struct command command_list = {
	.syntax =
		{
			.name = "list",
			.arguments = "",
			.summary = "list the images of the store",
		},
	.run = run,
};
