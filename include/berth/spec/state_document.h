/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI state as JSON: what hooks get on their standard input, and what `state` prints. */
#ifndef BERTH_SPEC_STATE_DOCUMENT_H
#define BERTH_SPEC_STATE_DOCUMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "berth/spec/spec.h"

enum container_status {
	STATUS_CREATING,
	STATUS_CREATED,
	STATUS_RUNNING,
	STATUS_PAUSED,
	STATUS_STOPPED,
	STATUS_MAX
};

extern const char *const container_status_names[STATUS_MAX]; /* "creating", … */

/* Runtime specification, runtime.md "State", plus what runc adds to its own output. */
struct state_document {
	const char *id;
	enum container_status status;
	pid_t pid; /* 0: left out of hooks' documents, printed as 0 by `state` (as runc does) */
	const char *bundle;
	const struct spec_strings *annotations; /* may be NULL */
	/* For `state` and `list` only; NULL in hooks' documents. */
	const char *rootfs;
	const char *created; /* RFC 3339 */
	const char *owner;
};

/* For hooks: compact, in the order ociVersion id status pid bundle annotations. Caller's text. */
char *state_document_for_hook(const struct state_document *state) __attribute__((returns_nonnull));

/*
 * For the agent of a system call filter (config-linux.md, "The Container Process State"): what one
 * descriptor is, the process @pid that loaded the filter, @metadata (NULL: none), and the state as
 * hooks get it. Caller's text.
 */
char *state_document_for_agent(const struct state_document *state, pid_t pid, const char *metadata)
	__attribute__((returns_nonnull));

/* For `state`: indented by two, in runc's order and with its fields, with a final newline. */
char *state_document_for_state(const struct state_document *state) __attribute__((returns_nonnull));

struct json_writer;
/* One element of `list --format json`, with @owner, written into an open array. */
void state_document_for_list(struct json_writer *writer, const struct state_document *state);

#endif
