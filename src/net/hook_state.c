/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hook is told: the state document on its standard input.
 *
 * Theory of operation. The document's form is the runtime's, and trusted as far as it goes; what
 * stands in the annotations came from whoever wrote the bundle, and is taken as text here, to be
 * checked by request_check().
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "names.h"
#include "request.h"

#define DOCUMENT_MAX (1u << 20)
#define DOCUMENT     "the state on standard input"

/* A pipe, a socket or a file: whatever the runtime gives. */
static int read_document(int fd, struct buf *text, struct error *err)
{
	char chunk[4096];

	for (;;) {
		ssize_t size = read(fd, chunk, sizeof(chunk));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return fail(err, -errno, "read " DOCUMENT);
		if (size == 0)
			return 0;
		if ((size_t)size > DOCUMENT_MAX - text->size)
			return fail(err, -EFBIG, "read " DOCUMENT ": more than %u bytes",
				    DOCUMENT_MAX);
		buf_add(text, chunk, (size_t)size);
	}
}

static int read_string(const struct json *state, const char *name, const char **ret,
		       struct error *err)
{
	const struct json *value = json_member(state, name);

	*ret = "";
	if (!value)
		return refuse(err, DOCUMENT ": \"%s\" is missing", name);
	if (value->type != JSON_STRING)
		return refuse(err, DOCUMENT ": \"%s\" is %s, not a string", name,
			      json_type_name(value->type));
	*ret = value->text;
	return 0;
}

static int check_status(const char *status, struct error *err)
{
	static const char *const known[] = {"creating", "created", "running", "stopped"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (str_equal(status, known[i]))
			return 0;
	}
	return refuse(err, DOCUMENT ": there is no status \"%s\"", name_show(status).text);
}

static int read_pid(const struct json *state, pid_t *ret, struct error *err)
{
	const struct json *value = json_member(state, "pid");
	uint64_t pid = 0;

	if (value && (value->type != JSON_NUMBER || json_to_u64(value, &pid) < 0 || pid > INT_MAX))
		return refuse(err, DOCUMENT ": \"pid\" is no process's number");
	*ret = (pid_t)pid;
	return 0;
}

/* The parts of a text between its commas. */
static struct strv split(struct arena *arena, const char *text)
{
	struct strv list = {.items = NULL};
	size_t count = 1;

	for (const char *at = text; *at; at++)
		count += *at == ',';
	list.items = arena_alloc(arena, count + 1, sizeof(*list.items));
	for (;;) {
		size_t length = strcspn(text, ",");

		list.items[list.count++] = arena_strndup(arena, text, length);
		if (!text[length])
			return list;
		text += length + 1;
	}
}

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < REQUEST_OPTION_COUNT; i++) {
		if (str_equal(request_option_table[i].name, name))
			return &request_option_table[i];
	}
	return NULL;
}

static int read_annotation(struct arena *arena, const struct json *value,
			   struct request_options *options, struct error *err)
{
	const struct option *option;
	char *target = (char *)options;

	if (!str_starts(value->key, REQUEST_ANNOTATION_PREFIX))
		return 0;
	option = find_option(value->key + strlen(REQUEST_ANNOTATION_PREFIX));
	if (!option)
		return refuse(err, "annotation \"%s\": berth-net knows none of this name",
			      name_show(value->key).text);
	if (value->type != JSON_STRING)
		return refuse(err, "annotation \"%s\" is %s, not a string", value->key,
			      json_type_name(value->type));
	if (option->kind == OPTION_LIST)
		*(struct strv *)(target + option->offset) = split(arena, value->text);
	else
		*(const char **)(target + option->offset) = value->text;
	return 0;
}

static int read_annotations(struct arena *arena, const struct json *state,
			    struct request_options *options, struct error *err)
{
	const struct json *annotations = json_member(state, "annotations");
	int r = 0;

	if (!annotations)
		return 0;
	if (annotations->type != JSON_OBJECT)
		return refuse(err, DOCUMENT ": \"annotations\" is %s, not an object",
			      json_type_name(annotations->type));
	for (const struct json *value = annotations->item; r >= 0 && value; value = value->next)
		r = read_annotation(arena, value, options, err);
	return r;
}

static int decode(struct arena *arena, const struct json *json, struct hook_state *state,
		  struct error *err)
{
	const char *version;
	int r;

	if (json->type != JSON_OBJECT)
		return refuse(err, DOCUMENT " is %s, not an object", json_type_name(json->type));
	r = read_string(json, "ociVersion", &version, err);
	if (r >= 0)
		r = read_string(json, "id", &state->id, err);
	if (r >= 0)
		r = name_check_container(DOCUMENT ": \"id\"", state->id, err);
	if (r >= 0)
		r = read_string(json, "status", &state->status, err);
	if (r >= 0)
		r = check_status(state->status, err);
	if (r >= 0)
		r = read_string(json, "bundle", &state->bundle, err);
	if (r >= 0 && state->bundle[0] != '/')
		r = refuse(err, DOCUMENT ": \"bundle\": \"%s\" is not absolute",
			   name_show(state->bundle).text);
	if (r >= 0)
		r = read_pid(json, &state->pid, err);
	if (r >= 0)
		r = read_annotations(arena, json, &state->options, err);
	return r;
}

int hook_state_read(int fd, struct arena *arena, struct hook_state *ret, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct hook_state state = {.id = NULL};
	const struct json *json;
	int r = read_document(fd, &text, err);

	if (r < 0)
		return r;
	if (text.size == 0)
		return refuse(err, DOCUMENT " is empty: berth-net is a hook without --id");
	r = json_read(arena, text.data, text.size, DOCUMENT, &json, err);
	if (r >= 0)
		r = decode(arena, json, &state, err);
	if (r >= 0)
		*ret = state;
	return r;
}
