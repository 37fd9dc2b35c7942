/* SPDX-License-Identifier: Apache-2.0 */
/* Running a container's hooks (config.md, "POSIX-platform Hooks"). */
#ifndef BERTH_LINUX_HOOKS_H
#define BERTH_LINUX_HOOKS_H

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/*
 * Runs all hooks of one kind in order, in the namespaces of the caller, each with @state (the OCI
 * state as compact JSON) on its standard input, and with its timeout. @cwdfd: the bundle for hooks
 * of the runtime namespace, or -1. Stops at the first that fails: `hooks.prestart[0]: "PATH" …`
 * with the hook's own standard error in it.
 */
int hooks_run(const struct spec_hooks *hooks, enum hook_kind kind, const char *state, int cwdfd,
	      struct error *err) must_check;

/*
 * As hooks_run(), for poststop: a failure is kept as a warning, and the next one runs all the same
 * (runtime.md, lifecycle step 13).
 */
void hooks_run_all(const struct spec_hooks *hooks, enum hook_kind kind, const char *state,
		   int cwdfd);

#endif
