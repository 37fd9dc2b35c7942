/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a stored image, one after the other. */
#include "inspect.h"

#include "berth/base/fd.h"

#include "command.h"

#define FLUSH_SIZE (64u << 10) /* bytes */

static int pass_change(void *context, enum change change, const char *path, struct error *err)
{
	struct inspect_writer *writer = context;
	int r = writer->change(writer, change, path, err);

	return r < 0 ? r : inspect_flush(writer, err);
}

static int inspect_layer(struct inspect_writer *writer, struct layer_stack *stack, size_t layer,
			 struct error *err)
{
	const struct inspection *inspection = writer->inspection;
	_cleanup_fd_ int fd =
		store_layer_open(inspection->store, &inspection->image.config.diff_ids[layer], err);
	struct changes changes;
	int r = fd < 0 ? fd : writer->begin(writer, layer, err);

	if (r >= 0)
		r = layer_stack_push(stack, fd, inspection->files ? pass_change : NULL, writer,
				     &changes, err);
	if (r >= 0)
		r = writer->end(writer, layer, &changes, err);
	return r < 0 ? r : inspect_flush(writer, err);
}

int inspect_layers(struct inspect_writer *writer, struct error *err)
{
	_cleanup_layer_stack_ struct layer_stack *stack = layer_stack_new();

	for (size_t i = 0; i < writer->inspection->image.config.diff_id_count; i++) {
		int r = inspect_layer(writer, stack, i, err);

		if (r < 0)
			return within(err, r, "layer %zu", i + 1);
	}
	return 0;
}

int inspect_flush(struct inspect_writer *writer, struct error *err)
{
	int r;

	if (writer->out.size < FLUSH_SIZE)
		return 0;
	r = print_out(writer->out.data, err);
	writer->out.size = 0;
	return r;
}

const char *inspect_created_by(const struct inspection *inspection, size_t layer)
{
	const struct json *history = inspection->image.config.history;

	for (const struct json *item = history ? history->item : NULL; item; item = item->next) {
		const struct json *empty = json_member(item, "empty_layer");
		const struct json *text = json_member(item, "created_by");

		if (empty && empty->type == JSON_BOOL && empty->boolean)
			continue;
		if (layer-- == 0)
			return text && text->type == JSON_STRING ? text->text : "";
	}
	return "";
}
