/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.maskedPaths and linux.readonlyPaths: what tells about, or acts on, the host. Those of
 * Docker and of podman.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle-internal.h"

#define CPUS "/sys/devices/system/cpu"

static const char *const masked_paths[] = {
	"/proc/acpi",	     "/proc/asound",	"/proc/interrupts",
	"/proc/kcore",	     "/proc/keys",	"/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi",	"/proc/timer_list",
	"/proc/timer_stats", "/sys/dev/block",	"/sys/devices/virtual/powercap",
	"/sys/firmware",     "/sys/fs/selinux",
};
static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

static int is_processor(const struct dirent *entry)
{
	const char *number = entry->d_name + 3;

	return str_starts(entry->d_name, "cpu") && *number &&
	       number[strspn(number, "0123456789")] == '\0';
}

/* How often a processor became too hot, which what others compute can be told from: Docker's
 * advisory GHSA-6fw5-f8r9-fgfm. */
static void write_throttling(struct json_writer *w)
{
	struct dirent **entries = NULL;
	int count = scandir(CPUS, &entries, is_processor, versionsort);

	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path =
			xasprintf(CPUS "/%s/thermal_throttle", entries[i]->d_name);

		if (access(path, F_OK) == 0)
			json_string(w, path);
		free(entries[i]);
	}
	free(entries);
}

void bundle_paths_write(struct json_writer *w)
{
	json_key(w, "maskedPaths");
	json_begin_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++)
		json_string(w, masked_paths[i]);
	write_throttling(w);
	json_end_array(w);
	json_member_strings(w, "readonlyPaths", readonly_paths);
}
