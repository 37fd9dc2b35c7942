/* SPDX-License-Identifier: Apache-2.0 */
/* An image, for people. */
#include "common/printable.h"
#include "common/size.h"

#include "command.h"
#include "inspect.h"

static const char change_letters[CHANGE_MAX] = {
	[CHANGE_ADDED] = 'A',
	[CHANGE_CHANGED] = 'C',
	[CHANGE_HIDDEN] = 'H',
};

static const char *const change_titles[CHANGE_MAX] = {
	[CHANGE_ADDED] = "  Adds",
	[CHANGE_CHANGED] = "  Changes",
	[CHANGE_HIDDEN] = "  Hides",
};

static void write_title(struct buf *out, const char *title)
{
	buf_printf(out, "%-12s ", title);
}

static void write_line(struct buf *out, const char *title, const char *text)
{
	if (!text || !*text)
		return;
	write_title(out, title);
	printable_write(out, text);
	buf_add_char(out, '\n');
}

static void write_list(struct buf *out, const char *title, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		write_line(out, i ? "" : title, list[i]);
}

/* The words of a command, each in quotation marks where that is no single plain one. */
static void write_words(struct buf *out, const char *title, const char *const *list)
{
	if (!list || !*list)
		return;
	write_title(out, title);
	for (size_t i = 0; list[i]; i++) {
		const char *mark = !*list[i] || strpbrk(list[i], " \t\n\"'") ? "\"" : "";

		buf_add_string(out, i ? " " : "");
		buf_add_string(out, mark);
		printable_write(out, list[i]);
		buf_add_string(out, mark);
	}
	buf_add_char(out, '\n');
}

static void write_size(struct buf *out, const char *title, uint64_t bytes)
{
	write_title(out, title);
	size_write(out, bytes);
	buf_add_char(out, '\n');
}

static void write_labels(struct buf *out, const struct json *labels)
{
	const char *title = "Labels";

	for (const struct json *item = labels ? labels->item : NULL; item; item = item->next) {
		write_title(out, title);
		printable_write(out, item->key);
		buf_add_char(out, '=');
		printable_write(out, item->type == JSON_STRING ? item->text : "");
		buf_add_char(out, '\n');
		title = "";
	}
}

static void write_head(struct buf *out, const struct stored_image *image)
{
	const struct image_config *config = &image->config;
	char digest[DIGEST_TEXT_MAX];

	write_line(out, "Name", image->record.name);
	write_line(out, "Digest", digest_text(&image->record.manifest, digest));
	if (!digest_equal(&image->record.top, &image->record.manifest))
		write_line(out, "Index", digest_text(&image->record.top, digest));
	write_line(out, "Config", digest_text(&image->manifest.config.digest, digest));
	write_line(out, "Type", image->record.media_type);
	write_line(out, "Platform", image->record.platform);
	write_line(out, "Created", config->created);
	write_line(out, "Author", config->author);
	write_line(out, "Pulled", image->record.pulled);
	write_size(out, "Packed size", image->record.size);
	write_words(out, "Entrypoint", config->entrypoint);
	write_words(out, "Command", config->cmd);
	write_line(out, "User", config->user);
	write_line(out, "Directory", config->working_dir);
	write_line(out, "Stop signal", config->stop_signal);
	write_list(out, "Environment", config->env);
	write_list(out, "Ports", config->exposed_ports);
	write_list(out, "Volumes", config->volumes);
	write_labels(out, config->labels);
}

static int begin_layer(struct inspect_writer *self, size_t layer, struct error *err)
{
	const struct stored_image *image = &self->inspection->image;
	const char *created_by = inspect_created_by(self->inspection, layer);
	char digest[DIGEST_TEXT_MAX];

	(void)err;
	buf_printf(&self->out, "\nLayer %-6zu %s\n", layer + 1,
		   digest_text(&image->config.diff_ids[layer], digest));
	write_line(&self->out, "  Packed",
		   digest_text(&image->manifest.layers[layer].digest, digest));
	write_size(&self->out, "  Size", image->manifest.layers[layer].size);
	write_line(&self->out, "  Made by", created_by);
	return 0;
}

static int write_change(struct inspect_writer *self, enum change change, const char *path,
			struct error *err)
{
	(void)err;
	buf_printf(&self->out, "  %c /", change_letters[change]);
	printable_write(&self->out, path);
	buf_add_char(&self->out, '\n');
	return 0;
}

static int end_layer(struct inspect_writer *self, size_t layer, const struct changes *changes,
		     struct error *err)
{
	(void)layer;
	(void)err;
	for (int i = 0; i < CHANGE_MAX; i++) {
		write_title(&self->out, change_titles[i]);
		buf_printf(&self->out, "%llu", (unsigned long long)changes->count[i]);
		if (changes->count[i]) {
			buf_add_string(&self->out, " paths, ");
			size_write(&self->out, changes->bytes[i]);
		}
		buf_add_char(&self->out, '\n');
	}
	return 0;
}

int inspect_text(const struct inspection *inspection, struct error *err)
{
	struct inspect_writer writer = {.inspection = inspection,
					.begin = begin_layer,
					.change = write_change,
					.end = end_layer};
	int r;

	write_head(&writer.out, &inspection->image);
	r = inspect_layers(&writer, err);
	if (r >= 0)
		r = print_out(writer.out.data, err);
	buf_done(&writer.out);
	return r;
}
