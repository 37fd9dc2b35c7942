/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of a pull.
 *
 * On a terminal a thread draws one line a layer, ten times a second at most, over the lines before;
 * elsewhere, and where a terminal can only write on, each change of a layer's state is a line of
 * its own, so that a log stays readable.
 */
#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/json_write.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "common/size.h"

#define DRAW_INTERVAL_MS 100
#define NAME_LENGTH	 12 /* digits of a digest that are shown */

static const char *const state_names[LAYER_STATE_MAX] = {
	[LAYER_WAITING] = "waiting",	 [LAYER_DOWNLOADING] = "downloading",
	[LAYER_UNPACKING] = "unpacking", [LAYER_DONE] = "done",
	[LAYER_PRESENT] = "present",	 [LAYER_FAILED] = "failed",
};

struct progress {
	enum progress_style style;
	struct progress_layer *layers;
	size_t count;
	bool draws; /* lines are drawn over */
	int64_t began_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	/* Below: under the lock. */
	bool ending;
	size_t drawn; /* lines on the terminal that the next drawing replaces */
};

static bool is_text(enum progress_style style)
{
	return style == PROGRESS_AUTO || style == PROGRESS_PLAIN;
}

static void add_layer(struct buf *out, const struct progress *progress,
		      struct progress_layer *layer)
{
	int state = atomic_load(&layer->state);
	uint64_t here = atomic_load(&layer->downloaded);
	int64_t passed_ms = clock_now_ms() - progress->began_ms;
	uint64_t rate = passed_ms > 0 ? here * 1000 / (uint64_t)passed_ms : 0;

	if (state == LAYER_DOWNLOADING && here >= layer->size && layer->size > 0)
		state = LAYER_UNPACKING;
	buf_printf(out, "%.*s  %-11s  ", NAME_LENGTH, layer->digest.hex, state_names[state]);
	if (state == LAYER_DOWNLOADING) {
		size_write(out, here);
		buf_add_string(out, " of ");
	}
	size_write(out, layer->size);
	if (state != LAYER_DOWNLOADING || rate == 0)
		return;
	buf_add_string(out, "  ");
	size_write(out, rate);
	buf_printf(out, "/s  %llu s left", (unsigned long long)((layer->size - here) / rate));
}

/* Of the terminal; where it does not say, what one has at least. */
static struct winsize terminal_size(void)
{
	struct winsize size = {.ws_row = 0};

	ignore(ioctl(STDERR_FILENO, TIOCGWINSZ, &size));
	if (size.ws_row == 0)
		size.ws_row = 24;
	if (size.ws_col == 0)
		size.ws_col = 80;
	return size;
}

static bool is_at_end(struct progress_layer *layer)
{
	int state = atomic_load(&layer->state);

	return state == LAYER_DONE || state == LAYER_PRESENT;
}

static void add_line(struct buf *text, const struct winsize *size, const char *line)
{
	buf_printf(text, "%.*s\033[K\n", size->ws_col - 1, line);
}

/*
 * Adds at most @room lines: nothing can be drawn over that the terminal has scrolled away. What is
 * done is left out first, then what waits at the end. Returns how many there are.
 */
static size_t add_layers(struct buf *text, const struct progress *progress,
			 const struct winsize *size, size_t room)
{
	size_t hidden = progress->count > room ? progress->count - room + 1 : 0;
	size_t to_hide = hidden, lines = 0;

	for (size_t i = 0; i < progress->count && lines + (hidden > 0) < room; i++) {
		_cleanup_buf_ struct buf line = BUF_EMPTY;

		if (to_hide > 0 && is_at_end(&progress->layers[i])) {
			to_hide--;
			continue;
		}
		add_layer(&line, progress, &progress->layers[i]);
		add_line(text, size, line.data);
		lines++;
	}
	if (hidden) {
		_cleanup_free_ char *rest =
			xasprintf("and %zu more layer%s", hidden, plural_s(hidden));

		add_line(text, size, rest);
	}
	return lines + (hidden > 0);
}

/* Lock held. */
static void draw(struct progress *progress)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	const struct winsize size = terminal_size();

	if (progress->drawn > 0)
		buf_printf(&text, "\033[%zuA", progress->drawn);
	/* The cursor stands on a line of its own. */
	progress->drawn =
		add_layers(&text, progress, &size, size.ws_row > 1 ? size.ws_row - 1u : 1);
	/* A terminal that is gone is no reason to stop. */
	ignore(fd_write_all(STDERR_FILENO, text.data, text.size));
}

static void *draw_again_and_again(void *argument)
{
	struct progress *progress = argument;

	pthread_mutex_lock(&progress->lock);
	while (!progress->ending) {
		struct timespec until;

		draw(progress);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += DRAW_INTERVAL_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&progress->ended, &progress->lock, &until);
	}
	draw(progress);
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

static void init_lock(struct progress *progress)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&progress->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* A line for the user between the others. */
static void note(void *context, const char *text)
{
	struct progress *progress = context;
	_cleanup_free_ char *line = NULL;

	pthread_mutex_lock(&progress->lock);
	/* Over the first of the drawn lines, which are drawn again below it. */
	line = progress->drawn > 0 ? xasprintf("\033[%zuA%s\033[K\n", progress->drawn, text)
				   : xasprintf("%s\n", text);
	ignore(fd_write_all(STDERR_FILENO, line, strlen(line)));
	progress->drawn = 0;
	pthread_mutex_unlock(&progress->lock);
}

struct progress *progress_begin(enum progress_style style, const char *name,
				struct progress_layer *layers, size_t count)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->style = style;
	progress->layers = layers;
	progress->count = count;
	progress->began_ms = clock_now_ms();
	init_lock(progress);
	if (style == PROGRESS_AUTO && isatty(STDERR_FILENO))
		progress->draws = pthread_create(&progress->thread, NULL, draw_again_and_again,
						 progress) == 0;
	if (progress->draws)
		log_set_writer(note, progress);
	if (is_text(style) && !progress->draws) {
		_cleanup_free_ char *line =
			xasprintf("%s: %zu layer%s", name, count, plural_s(count));

		note(progress, line);
	}
	return progress;
}

static void write_json(const struct progress_layer *layer, int state)
{
	_cleanup_buf_ struct buf line = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&line, false);
	char digest[DIGEST_TEXT_MAX];

	json_begin_object(&w);
	json_member_string(&w, "event", "layer");
	json_member_string(&w, "digest", digest_text(&layer->digest, digest));
	json_member_string(&w, "state", state_names[state]);
	json_member_u64(&w, "size", layer->size);
	json_member_u64(&w, "unpacked", atomic_load(&layer->unpacked));
	json_end_object(&w);
	buf_add_char(&line, '\n');
	ignore(fd_write_all(STDOUT_FILENO, line.data, line.size)); /* as above */
}

void progress_changed(struct progress *progress, struct progress_layer *layer)
{
	int state = atomic_load(&layer->state);
	_cleanup_buf_ struct buf line = BUF_EMPTY;

	if (progress->style == PROGRESS_JSON) {
		write_json(layer, state);
	} else if (is_text(progress->style) && !progress->draws) {
		buf_printf(&line, "%.*s: %s, ", NAME_LENGTH, layer->digest.hex, state_names[state]);
		size_write(&line, layer->size);
		note(progress, line.data);
	}
}

void progress_line(enum progress_style style, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	va_list args;

	if (!is_text(style))
		return;
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	line = xasprintf("%s\n", text);
	ignore(fd_write_all(STDERR_FILENO, line, strlen(line))); /* as above */
}

struct progress *progress_end(struct progress *progress)
{
	if (!progress)
		return NULL;
	if (progress->draws) {
		log_set_writer(NULL, NULL);
		pthread_mutex_lock(&progress->lock);
		progress->ending = true;
		pthread_cond_signal(&progress->ended);
		pthread_mutex_unlock(&progress->lock);
		pthread_join(progress->thread, NULL);
	}
	pthread_mutex_destroy(&progress->lock);
	pthread_cond_destroy(&progress->ended);
	free(progress);
	return NULL;
}
