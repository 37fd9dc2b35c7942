/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at containers: one (`state`), or all (`list`). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"

#include "container-internal.h"
#include "top-internal.h"

int container_state(const struct runtime *runtime, const char *id, struct buf *out,
		    struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_free_ char *text = NULL;
	struct state_document document;
	int r = container_load(runtime, id, &container, err);

	if (r < 0)
		return r;
	container_describe(&container, &document);
	text = state_document_for_state(&document);
	buf_add_string(out, text);
	return 0;
}

/* The columns of the table; each is as wide as its widest cell, three blanks between. */
enum column {
	COLUMN_ID,
	COLUMN_PID,
	COLUMN_STATUS,
	COLUMN_BUNDLE,
	COLUMN_CREATED,
	COLUMN_OWNER,
	COLUMN_MAX
};

static const char *const headings[COLUMN_MAX] = {"ID",	   "PID",     "STATUS",
						 "BUNDLE", "CREATED", "OWNER"};

#define COLUMN_WIDTH_MIN 9
#define COLUMN_GAP	 3

/* All containers, as rows of text and as documents. */
struct listing {
	struct strv cells; /* COLUMN_MAX for each container */
	struct buf json;
	struct json_writer writer;
};

/* The owner's user name is a matter of the host's databases: the number says it as well. */
static void owner_text(uid_t owner, char text[static 16])
{
	if (owner == 0)
		snprintf(text, 16, "root");
	else
		snprintf(text, 16, "#%u", owner);
}

static void add_container(struct listing *listing, const struct container *container)
{
	struct state_document document;
	char pid[16], owner[16];

	container_describe(container, &document);
	owner_text(container->record.owner, owner);
	document.owner = owner;
	snprintf(pid, sizeof(pid), "%d", document.pid);
	strv_add(&listing->cells, document.id);
	strv_add(&listing->cells, pid);
	strv_add(&listing->cells, container_status_names[document.status]);
	strv_add(&listing->cells, document.bundle);
	strv_add(&listing->cells, document.created);
	strv_add(&listing->cells, owner);
	state_document_for_list(&listing->writer, &document);
}

static void add_named(int rootfd, const char *id, struct listing *listing)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct error unheard = ERROR_NONE;
	int dirfd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* Deleted meanwhile, or not written yet: not there. */
	if (dirfd >= 0 && container_load_from(dirfd, &container, &unheard) >= 0)
		add_container(listing, &container);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void state_names(DIR *root, struct strv *names)
{
	struct error unheard = ERROR_NONE;

	for (struct dirent *entry = readdir(root); entry; entry = readdir(root)) {
		if (container_id_check(entry->d_name, &unheard) >= 0)
			strv_add(names, entry->d_name);
	}
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
}

/* All containers, by name. */
static void collect(int rootfd, DIR *dir, struct listing *listing)
{
	_cleanup_strv_ struct strv names = {.items = NULL};

	state_names(dir, &names);
	for (size_t i = 0; i < names.count; i++)
		add_named(rootfd, names.items[i], listing);
}

static void print_table(const struct strv *cells, struct buf *out)
{
	int width[COLUMN_MAX];

	for (int column = 0; column < COLUMN_MAX; column++) {
		width[column] = COLUMN_WIDTH_MIN;
		for (size_t i = (size_t)column; i < cells->count; i += COLUMN_MAX) {
			if ((int)strlen(cells->items[i]) > width[column])
				width[column] = (int)strlen(cells->items[i]);
		}
		buf_printf(out, "%-*s", width[column] + COLUMN_GAP, headings[column]);
	}
	buf_add_char(out, '\n');
	for (size_t i = 0; i < cells->count; i++) {
		buf_printf(out, "%-*s", width[i % COLUMN_MAX] + COLUMN_GAP, cells->items[i]);
		if (i % COLUMN_MAX == COLUMN_MAX - 1)
			buf_add_char(out, '\n');
	}
}

static void print(struct listing *listing, enum list_format format, struct buf *out)
{
	switch (format) {
	case LIST_TABLE:
		print_table(&listing->cells, out);
		break;
	case LIST_JSON:
		/* As runc does where there is nothing. */
		buf_add_string(out, listing->cells.count ? listing->json.data : "null");
		buf_add_char(out, '\n');
		break;
	case LIST_QUIET:
		for (size_t i = 0; i < listing->cells.count; i += COLUMN_MAX)
			buf_printf(out, "%s\n", listing->cells.items[i]);
		break;
	}
}

int container_list(const struct runtime *runtime, enum list_format format, struct buf *out,
		   struct error *err)
{
	struct listing listing = {.cells = {.items = NULL}};
	struct error unheard = ERROR_NONE;
	int rootfd = state_root_open(runtime, /* make= */ false, &unheard);
	DIR *dir = NULL;

	if (rootfd < 0 && (runtime->root_given || rootfd != -ENOENT)) {
		*err = unheard;
		return rootfd;
	}
	listing.writer = (struct json_writer)JSON_WRITER(&listing.json, false);
	json_begin_array(&listing.writer);
	if (rootfd >= 0)
		dir = fdopendir(rootfd);
	if (dir) {
		collect(rootfd, dir, &listing);
		closedir(dir);
	}
	json_end_array(&listing.writer);
	print(&listing, format, out);
	buf_done(&listing.json);
	strv_done(&listing.cells);
	return 0;
}
