/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json as a whole: the defaults that keep a container apart from the host, and the parts
 * that the other files write. image-spec conversion.md.
 */
#include "bundle-internal.h"

/* More than any list below has. */
#define OPTIONS_MAX 8

#define SPEC_VERSION "1.0.2"

struct default_mount {
	const char *destination, *type, *source;
	const char *options[OPTIONS_MAX];
};

static const struct default_mount proc = {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}};
static const struct default_mount dev = {
	"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}};
static const struct default_mount devpts = {
	"/dev/pts",
	"devpts",
	"devpts",
	{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}};
/* Where no group 5 is mapped. */
static const struct default_mount devpts_plain = {
	"/dev/pts",
	"devpts",
	"devpts",
	{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}};
static const struct default_mount shm = {
	"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}};
static const struct default_mount mqueue = {
	"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}};
static const struct default_mount sys = {
	"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}};
/* A sysfs can be mounted only by who owns the network namespace, which it shows. */
static const struct default_mount sys_of_host = {
	"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "rro"}};
static const struct default_mount cgroup = {
	"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}};

static void write_mount(struct json_writer *w, const char *destination, const char *type,
			const char *source, const char *const *options)
{
	json_begin_object(w);
	json_member_string(w, "destination", destination);
	json_member_string(w, "type", type);
	json_member_string(w, "source", source);
	json_member_strings(w, "options", options);
	json_end_object(w);
}

/* --- the order of mounts ------------------------------------------------------------------- */

static void write_default(struct json_writer *w, const struct bundle_contents *contents,
			  const struct default_mount *mount)
{
	if (!bundle_mounts_overrule(contents->plan, mount->destination))
		write_mount(w, mount->destination, mount->type, mount->source, mount->options);
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* What is below another mount comes after it. */
static void write_by_depth(struct json_writer *w, const struct bundle_mount *mounts, size_t count)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < count; i++) {
		if (depth_of(mounts[i].destination) > deepest)
			deepest = depth_of(mounts[i].destination);
	}
	for (unsigned depth = 1; depth <= deepest; depth++) {
		for (size_t i = 0; i < count; i++) {
			if (depth_of(mounts[i].destination) == depth)
				write_mount(w, mounts[i].destination, mounts[i].type,
					    mounts[i].source, mounts[i].options);
		}
	}
}

/* Files of /etc, the user's mounts, and the image's volumes, unless the user has something else
 * there. */
static void write_wanted(struct json_writer *w, const struct bundle_contents *contents)
{
	const struct bundle_plan *plan = contents->plan;
	const size_t most = BUNDLE_NETWORK_MOUNTS + plan->mount_count + contents->volume_count;
	_cleanup_free_ struct bundle_mount *all = xcalloc(most, sizeof(*all));
	size_t count = bundle_network_mounts(plan, contents->has_hosts, all);

	for (size_t i = 0; i < plan->mount_count; i++)
		all[count++] = plan->mounts[i];
	for (size_t i = 0; i < contents->volume_count; i++)
		all[count++] = contents->volumes[i];
	write_by_depth(w, all, count);
}

static void write_mounts(struct json_writer *w, const struct bundle_contents *contents)
{
	static const char *const init_options[] = {"bind", "ro", "nosuid", "nodev", NULL};
	const struct bundle_plan *plan = contents->plan;
	const bool is_on_host = plan->network.kind == BUNDLE_NETWORK_HOST;
	const bool has_sysfs = !is_on_host || plan->uids.count == 0;
	uint32_t tty;

	json_key(w, "mounts");
	json_begin_array(w);
	write_default(w, contents, &proc);
	write_default(w, contents, &dev);
	write_default(w, contents, id_maps_find(&plan->gids, 5, &tty) ? &devpts : &devpts_plain);
	write_default(w, contents, &shm);
	write_default(w, contents, &mqueue);
	write_default(w, contents, has_sysfs ? &sys : &sys_of_host);
	write_default(w, contents, &cgroup);
	if (plan->init)
		write_mount(w, BUNDLE_INIT_PATH, "bind", plan->init, init_options);
	write_wanted(w, contents);
	json_end_array(w);
}

/* --- linux --------------------------------------------------------------------------------- */

/* Every device is denied, but for those that a runtime always supplies. The kernel takes no such
 * rules of an ordinary user. */
static void write_device_rules(struct json_writer *w)
{
	json_key(w, "devices");
	json_begin_array(w);
	json_begin_object(w);
	json_member_bool(w, "allow", false);
	json_member_string(w, "access", "rwm");
	json_end_object(w);
	json_end_array(w);
}

static void write_namespaces(struct json_writer *w, const struct bundle_plan *plan)
{
	static const char *const always[] = {"pid", "ipc", "uts", "mount", "cgroup"};

	json_key(w, "namespaces");
	json_begin_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		json_begin_object(w);
		json_member_string(w, "type", always[i]);
		json_end_object(w);
	}
	if (plan->network.kind != BUNDLE_NETWORK_HOST) {
		json_begin_object(w);
		json_member_string(w, "type", "network");
		json_end_object(w);
	}
	if (plan->uids.count > 0) {
		json_begin_object(w);
		json_member_string(w, "type", "user");
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_linux(struct json_writer *w, const struct bundle_plan *plan)
{
	const bool is_rootless = plan->options->user_namespace;

	json_key(w, "linux");
	json_begin_object(w);
	bundle_userns_write(w, plan);
	json_key(w, "resources");
	json_begin_object(w);
	if (!is_rootless)
		write_device_rules(w);
	bundle_limits_write(w, plan);
	json_end_object(w);
	write_namespaces(w, plan);
	bundle_network_write_sysctl(w, plan);
	bundle_paths_write(w);
	bundle_seccomp_write(w, plan);
	json_end_object(w);
}

char *bundle_config_text(const struct bundle_contents *contents)
{
	const struct bundle_options *options = contents->plan->options;
	const char *hostname = contents->plan->hostname;
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, true);

	json_begin_object(&w);
	json_member_string(&w, "ociVersion", SPEC_VERSION);
	bundle_process_write(&w, contents);
	json_key(&w, "root");
	json_begin_object(&w);
	json_member_string(&w, "path", "rootfs");
	json_member_bool(&w, "readonly", options->read_only);
	json_end_object(&w);
	json_member_string(&w, "hostname", hostname ? hostname : DEFAULT_HOSTNAME);
	write_mounts(&w, contents);
	write_linux(&w, contents->plan);
	bundle_network_write_hooks(&w, contents->plan);
	bundle_annotations_write(&w, contents);
	json_end_object(&w);
	buf_add_char(&text, '\n');
	return buf_take(&text);
}
