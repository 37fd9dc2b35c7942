/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull remove IMAGE…: forgets images; what they needed goes with the next gc. */
#include <stdint.h>

#include "berth/base/json_write.h"

#include "image/reference.h"
#include "store/stored_image.h"

#include "command.h"

/* Images that are to go. */
struct choice {
	const struct store *store;
	struct arena *arena;
	struct store_image *all; /* of the store */
	size_t count;
	bool *chosen; /* for each of all */
};

/* Whether @word, which stands for @found, means @image too. */
static bool is_meant(struct arena *arena, const char *word, const struct store_image *found,
		     const struct store_image *image)
{
	struct error ignored = ERROR_NONE;
	struct reference reference;

	if (str_equal(word, found->name))
		return str_equal(image->name, word);
	if (reference_parse(arena, word, &reference, &ignored) >= 0 &&
	    store_image_is(arena, found, &reference))
		return store_image_is(arena, image, &reference);
	return digest_equal(&image->manifest, &found->manifest);
}

/* By name that one; by digest all names that the image has, with a repository those in it. */
static int choose(struct choice *choice, const char *word, struct error *err)
{
	struct store_image found;
	int r = store_image_find(choice->store, choice->arena, word, &found, err);

	for (size_t i = 0; r >= 0 && i < choice->count; i++) {
		if (is_meant(choice->arena, word, &found, &choice->all[i]))
			choice->chosen[i] = true;
	}
	return r;
}

static int remove_chosen(const struct choice *choice, struct strv *ret_names, struct error *err)
{
	for (size_t i = 0; i < choice->count; i++) {
		int r = choice->chosen[i] ? store_image_remove(choice->store, &choice->all[i], err)
					  : 0;

		if (r < 0)
			return r;
		if (choice->chosen[i])
			strv_add(ret_names, choice->all[i].name);
	}
	return 0;
}

static int print_names(const struct context *context, const struct strv *names, struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, true);

	if (context->json) {
		json_begin_object(&w);
		json_member_strings(&w, "removed", (const char *const *)names->items);
		json_end_object(&w);
		buf_add_char(&out, '\n');
	}
	for (size_t i = 0; !context->json && i < names->count; i++)
		buf_printf(&out, "%s%s\n", context->quiet ? "" : "removed ", names->items[i]);
	return print_out(out.data, err);
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_strv_ struct strv names = {.items = NULL};
	struct choice choice = {.store = &store, .arena = arena};
	int r;

	(void)values;
	store.cancelled = context->cancelled;
	/* A name goes at once or not at all, and whom it belongs to may do that: nothing is to be
	 * made or waited for. */
	r = store_open(context->store, STORE_READ, &store, err);
	if (r >= 0)
		r = store_image_list(&store, arena, &choice.all, &choice.count, err);
	if (r < 0)
		return r;
	choice.chosen = arena_alloc(arena, choice.count + 1, sizeof(*choice.chosen));
	for (; *args; args++) {
		r = choose(&choice, *args, err);
		if (r < 0)
			return r;
	}
	r = remove_chosen(&choice, &names, err);
	return r < 0 ? r : print_names(context, &names, err);
}

const struct command command_remove = {
	.syntax =
		{
			.name = "remove",
			.arguments = "IMAGE…",
			.summary = "forget images (gc frees what they took)",
			.args_min = 1,
			.args_max = SIZE_MAX,
		},
	.run = run,
};
