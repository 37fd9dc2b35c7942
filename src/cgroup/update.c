/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the limits of a cgroup in use.
 *
 * Theory of operation. What is to be written is what was asked for, and what that changes
 * elsewhere: the file of a field depends on other fields (swap on memory, quota on period), so the
 * lists of writes of the limits before and after are compared. Everything that can be found out
 * beforehand is: that the fields fit each other, the controllers, the files. Then one file after
 * the other is written, after its old text was read; should a write fail, what was written is set
 * back, last first, and once more in case one stood in another's way. Then come the device rules,
 * which are exchanged in one step, and at last systemd, where the cgroup is a unit's; what it
 * refuses is a failure like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"
#include "unit-internal.h"

/* One file that was written. */
struct undo {
	char *file, *value; /* owned; value NULL: cannot be read, and so not be set back */
};

/* What was written so far, in that order. */
struct journal {
	struct undo *items;
	size_t count;
};

static void journal_done(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++) {
		free(journal->items[i].file);
		free(journal->items[i].value);
	}
	free(journal->items);
	*journal = (struct journal){.items = NULL};
}

#define _cleanup_journal_ __attribute__((cleanup(journal_done)))

/* What a device's line says where there is none. */
static const char *line_by_default(const char *file)
{
	static const struct {
		const char *file, *line;
	} defaults[] = {
		{"io.max", "rbps=max wbps=max riops=max wiops=max"},
		{"io.weight", "default"},
		{"io.bfq.weight", "default"},
		{"io.latency", "target=0"},
		{"rdma.max", "hca_handle=max hca_object=max"},
		{"misc.max", "max"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (str_equal(defaults[i].file, file))
			return defaults[i].line;
	}
	return "";
}

/* The line of the device that @value is about, as it stands in @text. */
static char *old_line(const char *file, const char *text, const char *value)
{
	size_t length = strcspn(value, " ");

	for (const char *line = text; *line;) {
		size_t end = strcspn(line, "\n");

		if (strncmp(line, value, length) == 0 && line[length] == ' ')
			return xstrndup(line, end);
		line += end + (line[end] == '\n');
	}
	return xasprintf("%.*s %s", (int)length, value, line_by_default(file));
}

/* What to write in order to set back what @value is going to change; NULL: unknown. */
static char *old_value(int cgroupfd, const char *file, const char *value)
{
	static const char prefix[] = "default ";
	_cleanup_free_ char *text = NULL;
	struct error unheard = ERROR_NONE;
	size_t length;

	if (file_read_at(cgroupfd, file, CGROUP_FILE_MAX, &text, NULL, &unheard) < 0)
		return NULL;
	if (limit_file_is_keyed(file) && strchr(value, ' '))
		return old_line(file, text, value);
	length = strcspn(text, "\n");
	if (!length)
		return xstrdup("\n");
	/* The weight of all devices without one of their own. */
	if (str_starts(text, prefix))
		return xstrndup(text + strlen(prefix), length - strlen(prefix));
	return xstrndup(text, length);
}

/* True if the list has such a write: to this file and, where @whole, with this value. */
static bool has(const struct settings *settings, const struct setting *sought, bool whole)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->items[i];

		if (!str_equal(setting->file, sought->file))
			continue;
		if (!(whole || limit_file_is_keyed(setting->file)) ||
		    str_equal(setting->value, sought->value))
			return true;
	}
	return false;
}

/* Leaves in @merged what is to be written. */
static void select_changes(const struct settings *saved, const struct settings *asked,
			   struct settings *merged)
{
	for (size_t i = merged->count; i > 0; i--) {
		const struct setting *setting = &merged->items[i - 1];

		if (has(saved, setting, /* whole= */ true) &&
		    !has(asked, setting, /* whole= */ false))
			settings_remove(merged, i - 1);
	}
}

/* A setting's file that is there; NULL: none, and none is needed. */
static const char *existing_file(int cgroupfd, const struct setting *setting)
{
	if (faccessat(cgroupfd, setting->file, F_OK, 0) == 0)
		return setting->file;
	return setting->other_file;
}

/* Sets back what was written. False: not everything. */
static bool undo_all(int cgroupfd, const struct journal *journal)
{
	bool whole = true;

	for (int round = 0; round < 2; round++) {
		whole = true;
		for (size_t i = journal->count; i > 0; i--) {
			const struct undo *undo = &journal->items[i - 1];
			struct error unheard = ERROR_NONE;

			whole &= undo->value &&
				 file_write_at(cgroupfd, undo->file, undo->value,
					       strlen(undo->value), undo->file, &unheard) >= 0;
		}
	}
	return whole;
}

/* Keeps the text of the failure, and says what became of the rest. */
static int undo_and_fail(int cgroupfd, const struct journal *journal, int code, struct error *err)
{
	const struct error failed = *err;

	if (!journal->count)
		return code;
	return refuse_as(err, code, "%.*s; %s", ERROR_TEXT_MAX - 128, failed.text,
			 undo_all(cgroupfd, journal)
				 ? "what was changed before is set back"
				 : "not everything that was changed before could be set back");
}

static int write_one(int cgroupfd, const char *path, const struct setting *setting,
		     struct journal *journal, struct error *err)
{
	const char *file = existing_file(cgroupfd, setting);
	char *old = NULL;
	int r;

	if (file)
		old = old_value(cgroupfd, file,
				file == setting->file ? setting->value : setting->other_value);
	r = limit_write(cgroupfd, path, setting, err);
	if (r < 0 || !file) {
		free(old);
		return r;
	}
	journal->items = xrealloc(journal->items, journal->count + 1, sizeof(*journal->items));
	journal->items[journal->count++] = (struct undo){.file = xstrdup(file), .value = old};
	return 0;
}

/* A burst that goes down together with the quota must not be above the new quota meanwhile. */
static int lower_burst(int cgroupfd, const char *path, const struct settings *settings,
		       struct journal *journal, struct error *err)
{
	char file[] = "cpu.max.burst", zero[] = "0";
	bool quota = false, burst = false;

	for (size_t i = 0; i < settings->count; i++) {
		quota |= str_equal(settings->items[i].file, "cpu.max");
		burst |= str_equal(settings->items[i].file, file);
	}
	if (!quota || !burst)
		return 0;
	return write_one(cgroupfd, path,
			 &(struct setting){.asked = ASKED_DEFAULT,
					   .field = (char *)"linux.resources.cpu.burst",
					   .file = file,
					   .value = zero},
			 journal, err);
}

static bool same_rule(const struct spec_device_rule *a, const struct spec_device_rule *b)
{
	return a->allow == b->allow && a->type == b->type && a->major == b->major &&
	       a->minor == b->minor && a->access == b->access;
}

/* Engines send the rules along with every update; what others attached since then stays. */
static bool devices_change(const struct cgroup_change *change)
{
	const struct spec_resources *saved = change->saved, *merged = change->merged;

	if (saved->device_rule_count != merged->device_rule_count)
		return true;
	for (size_t i = 0; i < merged->device_rule_count; i++) {
		if (!same_rule(&saved->device_rules[i], &merged->device_rules[i]))
			return true;
	}
	return false;
}

/* systemd writes its units' files as it knows them: it is told what has changed. */
static int tell_unit(const struct settings *settings, const struct cgroup_change *change,
		     struct error *err)
{
	_cleanup_settings_ struct settings all = settings_of(change->merged);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct unit_properties properties = {.arena = arena};
	_cleanup_free_ char *devices = NULL;

	unit_limits_changed(&properties, &all, settings);
	if (devices_change(change) && !change->unit->systemd->user) {
		devices = unit_devices_read(change->merged);
		unit_devices(&properties, change->merged, devices, /* reset= */ true);
	}
	return unit_set(change->unit, &properties, err);
}

static int exchange_devices(int cgroupfd, const struct cgroup_change *change,
			    const struct spec_resources *with, struct error *err)
{
	bool skipped;

	if (!devices_change(change))
		return 0;
	if (!with->device_rule_count) {
		devices_detach(cgroupfd);
		return 0;
	}
	return cgroup_devices_replace(cgroupfd, with->device_rules, with->device_rule_count,
				      &skipped, err);
}

static int write_changes(int cgroupfd, const char *path, const struct settings *settings,
			 const struct cgroup_change *change, struct error *err)
{
	_cleanup_journal_ struct journal journal = {.items = NULL};
	struct error second = ERROR_NONE;
	int r = lower_burst(cgroupfd, path, settings, &journal, err);

	for (size_t i = 0; r >= 0 && i < settings->count; i++)
		r = write_one(cgroupfd, path, &settings->items[i], &journal, err);
	if (r >= 0)
		r = exchange_devices(cgroupfd, change, change->merged, err);
	if (r >= 0 && change->unit) {
		r = tell_unit(settings, change, err);
		if (r < 0 && exchange_devices(cgroupfd, change, change->saved, &second) < 0)
			within(err, r, "the device rules stay changed (%.200s)", second.text);
	}
	return r < 0 ? undo_and_fail(cgroupfd, &journal, r, err) : 0;
}

/* Looks at every file before the first is written. */
static int check_files(int cgroupfd, const char *path, const struct settings *settings,
		       struct error *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->items[i];
		const char *file = existing_file(cgroupfd, setting);

		if (file && faccessat(cgroupfd, file, W_OK, AT_EACCESS) == 0)
			continue;
		if (file && errno != ENOENT)
			return fail(err, -errno, "%s: %s of cgroup \"%s\"", setting->field, file,
				    path);
		if (!setting->may_lack && setting->asked == ASKED_LIMIT)
			return refuse_as(err, -ENOENT, "%s: cgroup \"%s\" has no file \"%s\"",
					 setting->field, path, setting->file);
	}
	return 0;
}

int cgroup_update(int rootfd, const char *path, const struct cgroup_change *change,
		  struct error *err)
{
	_cleanup_settings_ struct settings saved = settings_of(change->saved);
	_cleanup_settings_ struct settings asked = settings_of(change->asked);
	_cleanup_settings_ struct settings merged = settings_of(change->merged);
	_cleanup_needs_ struct limit_needs needs = {.items = NULL};
	_cleanup_fd_ int fd = -EBADF;
	int r = cgroup_check(change->merged, err);

	if (r < 0)
		return r;
	select_changes(&saved, &asked, &merged);
	fd = cgroup_open(rootfd, path, err);
	if (fd < 0)
		return fd;
	r = limits_check_usage(fd, path, change->merged, err);
	needs = limits_need(&merged);
	if (r >= 0)
		r = cgroup_enable(rootfd, path, &needs, err);
	if (r >= 0)
		r = check_files(fd, path, &merged, err);
	return r < 0 ? r : write_changes(fd, path, &merged, change, err);
}
