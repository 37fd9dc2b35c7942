/* SPDX-License-Identifier: Apache-2.0 */
/* Writing limits into a cgroup, and what they need there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

bool word_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at;) {
		size_t found = strcspn(at, " \n");

		if (found == length && strncmp(at, word, length) == 0)
			return true;
		at += found;
		at += strspn(at, " \n");
	}
	return false;
}

/* Notes the controller of the file, unless it is there already or the file is one of the core's. */
static void add_need(struct limit_needs *needs, const struct setting *setting)
{
	_cleanup_free_ char *controller = xstrndup(setting->file, strcspn(setting->file, "."));

	if (setting->asked != ASKED_LIMIT || str_equal(controller, "cgroup"))
		return;
	for (size_t i = 0; i < needs->count; i++) {
		if (str_equal(needs->items[i].controller, controller))
			return;
	}
	needs->items = xrealloc(needs->items, needs->count + 1, sizeof(*needs->items));
	needs->items[needs->count++] = (struct limit_need){
		.controller = take_ptr(&controller),
		.field = xstrdup(setting->field),
	};
}

struct limit_needs limits_need(const struct settings *settings)
{
	struct limit_needs needs = {.items = NULL};

	for (size_t i = 0; i < settings->count; i++)
		add_need(&needs, &settings->items[i]);
	return needs;
}

void limit_needs_done(struct limit_needs *needs)
{
	for (size_t i = 0; i < needs->count; i++) {
		free(needs->items[i].controller);
		free(needs->items[i].field);
	}
	free(needs->items);
	*needs = (struct limit_needs){.items = NULL};
}

char *cgroup_limit_asked(const struct spec_resources *resources)
{
	_cleanup_settings_ struct settings settings = settings_of(resources);

	for (size_t i = 0; i < settings.count; i++) {
		if (settings.items[i].asked == ASKED_LIMIT)
			return xstrdup(settings.items[i].field);
	}
	return NULL;
}

bool cgroup_limits_asked(const struct spec_resources *resources)
{
	_cleanup_free_ char *field = cgroup_limit_asked(resources);

	return field != NULL;
}

/* The path of the cgroup as we see it, or @path, which is that within the hierarchy. */
static char *full_path(int cgroupfd, const char *path)
{
	char link[32], text[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", cgroupfd);
	n = readlink(link, text, sizeof(text));
	return n > 0 && (size_t)n < sizeof(text) ? xstrndup(text, (size_t)n) : xstrdup(path);
}

/* What the cgroup above could pass on, for messages; the caller's. */
static char *controllers_of_parent(int cgroupfd)
{
	struct error unheard = ERROR_NONE;
	char *list = NULL;

	if (file_read_at(cgroupfd, "../cgroup.controllers", CGROUP_FILE_MAX, &list, NULL,
			 &unheard) < 0)
		return xstrdup("unknown");
	list[strcspn(list, "\n")] = '\0';
	if (*list)
		return list;
	free(list);
	return xstrdup("none");
}

static int write_file(int cgroupfd, const char *path, const char *file, const char *value,
		      struct error *err)
{
	_cleanup_free_ char *full = NULL, *controllers = NULL;
	struct error plain = ERROR_NONE;
	int r = file_write_at(cgroupfd, file, value, strlen(value), file, &plain);

	if (r >= 0)
		return 0;
	full = full_path(cgroupfd, path);
	controllers = controllers_of_parent(cgroupfd);
	if (r == -ENOENT)
		return refuse_as(err, r,
				 "\"%s/%s\" does not exist (value \"%s\"; controllers of the "
				 "parent: %s)",
				 full, file, value, controllers);
	return fail(err, r, "write \"%s\" to \"%s/%s\" (controllers of the parent: %s)", value,
		    full, file, controllers);
}

int limit_write(int cgroupfd, const char *path, const struct setting *setting, struct error *err)
{
	struct error failed = ERROR_NONE;
	int r = write_file(cgroupfd, path, setting->file, setting->value, &failed);

	if (r == -ENOENT && setting->other_file)
		r = write_file(cgroupfd, path, setting->other_file, setting->other_value, &failed);
	if (r >= 0 || (r == -ENOENT && (setting->may_lack || setting->asked == ASKED_DEFAULT)))
		return 0;
	*err = failed;
	if (r == -ENODEV && str_starts(setting->file, "io."))
		within(err, r, "no such block device");
	return within(err, r, "%s", setting->field);
}

/* The kernel would kill processes to get below a lower limit; some callers want an error. */
int limits_check_usage(int cgroupfd, const char *path, const struct spec_resources *resources,
		       struct error *err)
{
	_cleanup_free_ char *text = NULL;
	uint64_t usage;
	int r;

	if (!resources->memory_check_before_update || !resources->memory_limit.set ||
	    resources->memory_limit.value <= 0)
		return 0;
	r = file_read_at(cgroupfd, "memory.current", CGROUP_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return within(err, r, "cgroup \"%s\"", path);
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u64(text, &usage) < 0)
		return refuse(err, "cgroup \"%s\": memory.current says \"%s\"", path, text);
	if (usage > (uint64_t)resources->memory_limit.value)
		return refuse(err,
			      "linux.resources.memory.limit: %" PRId64
			      " is below the current usage "
			      "of cgroup \"%s\", %" PRIu64 ", and checkBeforeUpdate is set",
			      resources->memory_limit.value, path, usage);
	return 0;
}

int limits_write(int cgroupfd, const char *path, const struct spec_resources *resources,
		 const struct settings *settings, struct error *err)
{
	int r = limits_check_usage(cgroupfd, path, resources, err);

	for (size_t i = 0; r >= 0 && i < settings->count; i++)
		r = limit_write(cgroupfd, path, &settings->items[i], err);
	return r;
}
