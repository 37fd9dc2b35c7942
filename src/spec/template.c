/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json that `berth spec` writes: runc's default, in runc's order and with its
 * indentation, so that the two can be compared line by line. The host name is berth's, and for a
 * user who is not root what is mounted below /sys is read-only as well.
 */
#include "berth/base/json_write.h"
#include "berth/base/str.h"
#include "berth/spec/spec.h"

/* More than any list below has. */
#define OPTIONS_MAX 8

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};

static const char *const arguments[] = {"sh", NULL};

static const char *const capabilities[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					   NULL};

static const char *const capability_sets[] = {"bounding", "effective", "permitted"};

struct template_mount {
	const char *destination, *type, *source;
	const char *options[OPTIONS_MAX];
	/* For a user who is not root, where it differs: no id but its own is mapped, and sysfs
	 * is only for who owns the network namespace. */
	const struct template_mount *rootless;
};

static const struct template_mount rootless_devpts = {
	.destination = "/dev/pts",
	.type = "devpts",
	.source = "devpts",
	.options = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"},
};

static const struct template_mount rootless_sys = {
	.destination = "/sys",
	.type = "none",
	.source = "/sys",
	.options = {"rbind", "nosuid", "noexec", "nodev", "rro"},
};

static const struct template_mount mounts[] = {
	{.destination = "/proc", .type = "proc", .source = "proc"},
	{.destination = "/dev",
	 .type = "tmpfs",
	 .source = "tmpfs",
	 .options = {"nosuid", "strictatime", "mode=755", "size=65536k"}},
	{.destination = "/dev/pts",
	 .type = "devpts",
	 .source = "devpts",
	 .options = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
	 .rootless = &rootless_devpts},
	{.destination = "/dev/shm",
	 .type = "tmpfs",
	 .source = "shm",
	 .options = {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{.destination = "/dev/mqueue",
	 .type = "mqueue",
	 .source = "mqueue",
	 .options = {"nosuid", "noexec", "nodev"}},
	{.destination = "/sys",
	 .type = "sysfs",
	 .source = "sysfs",
	 .options = {"nosuid", "noexec", "nodev", "ro"},
	 .rootless = &rootless_sys},
	{.destination = "/sys/fs/cgroup",
	 .type = "cgroup",
	 .source = "cgroup",
	 .options = {"nosuid", "noexec", "nodev", "relatime", "ro"}},
};

/* A user who is not root has no network of its own to set up, and needs a user namespace. */
static const enum namespace_kind root_namespaces[] = {NAMESPACE_PID,   NAMESPACE_NETWORK,
						      NAMESPACE_IPC,   NAMESPACE_UTS,
						      NAMESPACE_MOUNT, NAMESPACE_CGROUP};
static const enum namespace_kind rootless_namespaces[] = {NAMESPACE_PID,    NAMESPACE_IPC,
							  NAMESPACE_UTS,    NAMESPACE_MOUNT,
							  NAMESPACE_CGROUP, NAMESPACE_USER};

static const char *const masked_paths[] = {"/proc/acpi",
					   "/proc/asound",
					   "/proc/kcore",
					   "/proc/keys",
					   "/proc/latency_stats",
					   "/proc/timer_list",
					   "/proc/timer_stats",
					   "/proc/sched_debug",
					   "/sys/firmware",
					   "/proc/scsi",
					   NULL};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

static void write_process(struct json_writer *w)
{
	json_key(w, "process");
	json_begin_object(w);
	json_member_bool(w, "terminal", true);
	json_key(w, "user");
	json_begin_object(w);
	json_member_u64(w, "uid", 0);
	json_member_u64(w, "gid", 0);
	json_end_object(w);
	json_member_strings(w, "args", arguments);
	json_member_strings(w, "env", environment);
	json_member_string(w, "cwd", "/");
	json_key(w, "capabilities");
	json_begin_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(capability_sets); i++)
		json_member_strings(w, capability_sets[i], capabilities);
	json_end_object(w);
	json_key(w, "rlimits");
	json_begin_array(w);
	json_begin_object(w);
	json_member_string(w, "type", "RLIMIT_NOFILE");
	json_member_u64(w, "hard", 1024);
	json_member_u64(w, "soft", 1024);
	json_end_object(w);
	json_end_array(w);
	json_member_bool(w, "noNewPrivileges", true);
	json_end_object(w);
}

static void write_mount(struct json_writer *w, const struct template_mount *mount)
{
	json_begin_object(w);
	json_member_string(w, "destination", mount->destination);
	json_member_string(w, "type", mount->type);
	json_member_string(w, "source", mount->source);
	if (mount->options[0] != NULL)
		json_member_strings(w, "options", mount->options);
	json_end_object(w);
}

static void write_mounts(struct json_writer *w, bool rootless)
{
	json_key(w, "mounts");
	json_begin_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct template_mount *mount = &mounts[i];

		if (rootless && mount->rootless != NULL)
			mount = mount->rootless;
		write_mount(w, mount);
	}
	json_end_array(w);
}

static void write_map(struct json_writer *w, const char *name, uint32_t host_id)
{
	json_key(w, name);
	json_begin_array(w);
	json_begin_object(w);
	json_member_u64(w, "containerID", 0);
	json_member_u64(w, "hostID", host_id);
	json_member_u64(w, "size", 1);
	json_end_object(w);
	json_end_array(w);
}

/* Every device is denied, but for those that a runtime always supplies. */
static void write_resources(struct json_writer *w)
{
	json_key(w, "resources");
	json_begin_object(w);
	json_key(w, "devices");
	json_begin_array(w);
	json_begin_object(w);
	json_member_bool(w, "allow", false);
	json_member_string(w, "access", "rwm");
	json_end_object(w);
	json_end_array(w);
	json_end_object(w);
}

static void write_namespaces(struct json_writer *w, const enum namespace_kind *kinds, size_t count)
{
	json_key(w, "namespaces");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		json_member_string(w, "type", namespace_names[kinds[i]]);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_linux(struct json_writer *w, bool rootless, uid_t uid, gid_t gid)
{
	json_key(w, "linux");
	json_begin_object(w);
	if (rootless) {
		write_map(w, "uidMappings", uid);
		write_map(w, "gidMappings", gid);
		write_namespaces(w, rootless_namespaces, ARRAY_SIZE(rootless_namespaces));
	} else {
		write_resources(w);
		write_namespaces(w, root_namespaces, ARRAY_SIZE(root_namespaces));
	}
	json_member_strings(w, "maskedPaths", masked_paths);
	json_member_strings(w, "readonlyPaths", readonly_paths);
	json_end_object(w);
}

/* The writer's two blanks a level become a tab; no text of the template has a line break. */
static char *indent_by_tabs(const char *text)
{
	struct buf out = BUF_EMPTY;

	for (const char *line = text; *line != '\0';) {
		size_t blanks = strspn(line, " "), length = strcspn(line, "\n");

		for (size_t i = 0; i < blanks / 2; i++)
			buf_add_char(&out, '\t');
		buf_add(&out, line + blanks, length - blanks);
		buf_add_char(&out, '\n');
		line += length + (line[length] == '\n');
	}
	return buf_take(&out);
}

char *spec_template(bool rootless, uid_t uid, gid_t gid)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, true);

	json_begin_object(&w);
	json_member_string(&w, "ociVersion", SPEC_VERSION_MAX);
	write_process(&w);
	json_key(&w, "root");
	json_begin_object(&w);
	json_member_string(&w, "path", "rootfs");
	json_member_bool(&w, "readonly", true);
	json_end_object(&w);
	json_member_string(&w, "hostname", "berth");
	write_mounts(&w, rootless);
	write_linux(&w, rootless, uid, gid);
	json_end_object(&w);
	return indent_by_tabs(text.data);
}
