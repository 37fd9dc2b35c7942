/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as DevicePolicy and DeviceAllow (systemd.resource-control(5)).
 *
 * Theory of operation. systemd attaches a device program of its own to the cgroup, beside berth's,
 * and the kernel lets through what both allow. It attaches a new one whenever it reloads, so that
 * what it is told may never be stricter than the rules. It has a list of what is allowed: rules
 * that first deny everything and then only allow are such a list. Any others are left to berth's
 * program alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

#include "cgroup-internal.h"
#include "unit-internal.h"

/* More entries are not said to systemd: a message has bounds. */
#define ENTRIES_MAX 500

#define ACCESS_ALL (DEVICE_ACCESS_MKNOD | DEVICE_ACCESS_READ | DEVICE_ACCESS_WRITE)

/* The slaves of pseudo terminals, which every container has; known without a look. */
#define PTS_MAJOR 136
#define PTS_NAME  "pts"

static bool is_total(const struct spec_device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 &&
	       rule->access == ACCESS_ALL;
}

/* The rules of config.json from which on only allowing ones follow; false: they are no list. */
static bool find_list(const struct spec_resources *resources, size_t *ret_first)
{
	const struct spec_device_rule *rules = resources->device_rules;
	size_t count = resources->device_rule_count, first = count;

	while (first > 0 && !is_total(&rules[first - 1]))
		first--;
	if (!count || (first > 0 && rules[first - 1].allow))
		return false;
	while (first < count && !rules[first].allow)
		first++;
	for (size_t i = first; i < count; i++) {
		if (!rules[i].allow)
			return false;
	}
	*ret_first = first;
	return count - first <= ENTRIES_MAX;
}

static bool needs_names(const struct spec_device_rule *rule)
{
	return rule->allow && rule->major >= 0 && rule->minor < 0 &&
	       !(rule->type == 'c' && rule->major == PTS_MAJOR);
}

char *unit_devices_read(const struct spec_resources *resources)
{
	_cleanup_fd_ int procfd = -EBADF, fd = -EBADF;
	struct error unheard = ERROR_NONE;
	bool needed = false;
	char *text = NULL;

	for (size_t i = 0; i < resources->device_rule_count; i++)
		needed |= needs_names(&resources->device_rules[i]);
	procfd = needed ? proc_open(&unheard) : -EBADF;
	if (procfd >= 0)
		fd = proc_open_at(procfd, "devices", O_RDONLY | O_CLOEXEC, &unheard);
	if (fd < 0 || file_read_fd(fd, "/proc/devices", CGROUP_FILE_MAX, &text, NULL, &unheard) < 0)
		return NULL;
	return text;
}

/*
 * The name of a major number: of the lines "MAJOR NAME" below "Character devices:" or "Block
 * devices:". NULL: it has none now.
 */
static const char *find_name(struct arena *arena, const char *devices, char type, int64_t major)
{
	const char *at = devices ? strstr(devices, type == 'b' ? "Block" : "Character") : NULL;
	_cleanup_free_ char *number = xasprintf("%" PRId64 " ", major);

	if (type == 'c' && major == PTS_MAJOR)
		return PTS_NAME;
	for (at = at ? strchr(at, '\n') : NULL; at && at[1] && at[1] != '\n';
	     at = strchr(at + 1, '\n')) {
		const char *line = at + 1 + strspn(at + 1, " ");
		const char *name = line + strlen(number);

		if (str_starts(line, number))
			return arena_strndup(arena, name, strcspn(name, "\n"));
	}
	return NULL;
}

/* What systemd calls the devices of one type that the rule is about; NULL: it has no word. */
static const char *find_word(struct arena *arena, const char *devices,
			     const struct spec_device_rule *rule, char type)
{
	const char *class = type == 'b' ? "block" : "char", *name = NULL;

	if (rule->major < 0)
		return rule->minor < 0 ? arena_printf(arena, "%s-*", class) : NULL;
	if (rule->minor >= 0)
		return arena_printf(arena, "/dev/%s/%" PRId64 ":%" PRId64, class, rule->major,
				    rule->minor);
	name = find_name(arena, devices, type, rule->major);
	/* A pattern would be one of more than this name. */
	return name && !strpbrk(name, "*?[\\") ? arena_printf(arena, "%s-%s", class, name) : NULL;
}

static bool add_entry(struct unit_properties *to, struct json *list, const char *devices,
		      const struct spec_device_rule *rule, char type)
{
	struct json *pair = value_of_list(to->arena);
	const char *word = find_word(to->arena, devices, rule, type);
	const char *access;

	if (!word)
		return false;
	access = arena_printf(to->arena, "%s%s%s", rule->access & DEVICE_ACCESS_READ ? "r" : "",
			      rule->access & DEVICE_ACCESS_WRITE ? "w" : "",
			      rule->access & DEVICE_ACCESS_MKNOD ? "m" : "");
	value_add(pair, value_of_text(to->arena, word));
	value_add(pair, value_of_text(to->arena, access));
	value_add(list, pair);
	return true;
}

static bool add_rule(struct unit_properties *to, struct json *list, const char *devices,
		     const struct spec_device_rule *rule)
{
	bool said = true;

	/* The kernel can have no such device. */
	if (rule->major > UINT32_MAX || rule->minor > UINT32_MAX)
		return true;
	if (rule->type != 'b')
		said &= add_entry(to, list, devices, rule, 'c');
	if (rule->type != 'c')
		said &= add_entry(to, list, devices, rule, 'b');
	return said;
}

/* NULL: the rules are no list. */
static struct json *make_list(struct unit_properties *to, const struct spec_resources *resources,
			      const char *devices)
{
	struct json *list = value_of_list(to->arena);
	size_t first;
	bool said = find_list(resources, &first);

	for (size_t i = 0; said && i < device_default_count; i++)
		said = add_rule(to, list, devices, &device_defaults[i]);
	for (size_t i = said ? first : SIZE_MAX; said && i < resources->device_rule_count; i++)
		said = add_rule(to, list, devices, &resources->device_rules[i]);
	return said ? list : NULL;
}

void unit_devices(struct unit_properties *to, const struct spec_resources *resources,
		  const char *devices, bool reset)
{
	struct json *list = make_list(to, resources, devices);

	/* An empty list takes away what is there; any other adds to it. */
	if (reset)
		property_add(to, "DeviceAllow", "a(ss)", value_of_list(to->arena));
	property_add(to, "DevicePolicy", "s", value_of_text(to->arena, list ? "strict" : "auto"));
	if (list)
		property_add(to, "DeviceAllow", "a(ss)", list);
}
