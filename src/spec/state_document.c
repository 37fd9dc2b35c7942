/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI state as JSON. Engines read it by name, people by eye: the order is runc's. */
#include "berth/spec/state_document.h"

#include "berth/base/json_write.h"

const char *const container_status_names[STATUS_MAX] = {
	[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
	[STATUS_PAUSED] = "paused",	[STATUS_STOPPED] = "stopped",
};

static void write_annotations(struct json_writer *w, const struct spec_strings *annotations)
{
	if (annotations == NULL || annotations->count == 0)
		return;
	json_key(w, "annotations");
	json_begin_object(w);
	for (size_t i = 0; i < annotations->count; i++)
		json_member_string(w, annotations->items[i].key, annotations->items[i].value);
	json_end_object(w);
}

/* As the specification has it, without what runc adds for its own output. */
static void write_state(struct json_writer *w, const struct state_document *state)
{
	json_begin_object(w);
	json_member_string(w, "ociVersion", SPEC_VERSION_MAX);
	json_member_string(w, "id", state->id);
	json_member_string(w, "status", container_status_names[state->status]);
	if (state->pid > 0)
		json_member_i64(w, "pid", state->pid);
	json_member_string(w, "bundle", state->bundle);
	write_annotations(w, state->annotations);
	json_end_object(w);
}

char *state_document_for_hook(const struct state_document *state)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	write_state(&w, state);
	return buf_take(&text);
}

char *state_document_for_agent(const struct state_document *state, pid_t pid, const char *metadata)
{
	static const char *const descriptors[] = {"seccompFd", NULL};
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	json_begin_object(&w);
	json_member_string(&w, "ociVersion", SPEC_VERSION_MAX);
	json_member_strings(&w, "fds", descriptors);
	json_member_i64(&w, "pid", pid);
	if (metadata != NULL)
		json_member_string(&w, "metadata", metadata);
	json_key(&w, "state");
	write_state(&w, state);
	json_end_object(&w);
	return buf_take(&text);
}

void state_document_for_list(struct json_writer *w, const struct state_document *state)
{
	json_begin_object(w);
	json_member_string(w, "ociVersion", SPEC_VERSION_MAX);
	json_member_string(w, "id", state->id);
	json_member_i64(w, "pid", state->pid);
	json_member_string(w, "status", container_status_names[state->status]);
	json_member_string(w, "bundle", state->bundle);
	json_member_string(w, "rootfs", state->rootfs != NULL ? state->rootfs : "");
	json_member_string(w, "created", state->created != NULL ? state->created : "");
	write_annotations(w, state->annotations);
	json_member_string(w, "owner", state->owner != NULL ? state->owner : "");
	json_end_object(w);
}

char *state_document_for_state(const struct state_document *state)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, true);

	state_document_for_list(&w, state);
	buf_add_char(&text, '\n');
	return buf_take(&text);
}
