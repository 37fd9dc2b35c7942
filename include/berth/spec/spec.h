/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is to be: config.json as plain structs, after decoding and validation. */
#ifndef BERTH_SPEC_SPEC_H
#define BERTH_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/spec/linux.h"
#include "berth/spec/mount.h"
#include "berth/spec/process.h"
#include "berth/spec/resources.h"
#include "berth/spec/seccomp.h"
#include "berth/spec/strings.h"

/* The GNU dialect of C defines this as 1; here it is the name of a section of config.json. */
#undef linux

struct spec_hook {
	const char *path;	 /* absolute */
	const char *const *argv; /* NULL-terminated; NULL where not given */
	const char *const *envp; /* NULL-terminated; NULL where not given */
	int timeout_s;		 /* 0: none */
};

/* In the order in which they run. */
enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_MAX
};

extern const char *const hook_names[HOOK_MAX]; /* "prestart", "createRuntime", … */

struct spec_hooks {
	struct spec_hook *items;
	size_t count;
};

/*
 * The overlay that is mounted over root.path, from berth's own annotations:
 *   org.berth.overlay.lower  lower directories, the top one first, ":" between them ("\:" is a
 *                            colon of a name, "\\" a backslash), each absolute or relative to
 *                            the bundle; 500 at most
 *   org.berth.overlay.upper  the writable layer } both or neither;
 *   org.berth.overlay.work   its work directory } neither: the overlay is read-only
 *   org.berth.overlay.idmap  "lower": the owners of what lies in the lower directories are shown as
 *                            the container's user namespace maps them, so that 0 is its root. What
 *                            goes to upper, whose owner must be mapped, has the host's ids there
 */
struct spec_overlay {
	const char *const *lower; /* NULL-terminated, absolute paths; NULL: there is no overlay */
	size_t lower_count;
	const char *upper, *work; /* absolute, or both NULL */
	bool map_lower;		  /* "org.berth.overlay.idmap" */
};

/* A whole config.json. Everything in it lives in one arena, and is not changed after decoding. */
struct spec {
	const char *oci_version;
	const struct spec_process *process; /* NULL where config.json has none: start then fails */
	const char *root_path;		    /* absolute, lexically clean */
	bool root_readonly;
	const char *hostname, *domainname; /* NULL where not given */
	struct spec_mount *mounts;
	size_t mount_count;
	struct spec_hooks hooks[HOOK_MAX];
	struct spec_strings annotations;
	struct spec_overlay overlay;
	struct spec_linux linux;
};

/*
 * Decodes and validates a config.json: @text of @size bytes, for a bundle at the absolute path
 * @bundle. Types, ranges, required fields, clashes between fields, and fields that berth does not
 * honour yet (unless they ask for nothing) are all found here; nothing but @text is looked at.
 * *ret lives in @arena. Errors name the JSON path, what was found, and what is allowed
 * (config.md, config-linux.md); syntax errors give line and column.
 */
int spec_decode(struct arena *arena, const char *text, size_t size, const char *bundle,
		const struct spec **ret, struct error *err) must_check;

/*
 * Decodes a document that is the `process` object alone, as exec's --process takes it.
 * @what names the document in errors.
 */
int spec_decode_process(struct arena *arena, const char *text, size_t size, const char *what,
			const struct spec_process **ret, struct error *err) must_check;

/*
 * The config.json that `berth spec` writes: what runc's default is. @rootless: for a user who is
 * not root (@uid, @gid mapped to root). The text is the caller's.
 */
char *spec_template(bool rootless, uid_t uid, gid_t gid) __attribute__((returns_nonnull));

/* The versions of the specification whose documents berth accepts: "1.0.0" to "1.3.0". */
#define SPEC_VERSION_MIN "1.0.0"
#define SPEC_VERSION_MAX "1.3.0"

#endif
