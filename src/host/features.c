/* SPDX-License-Identifier: Apache-2.0 */
/* The `features` document. */
#include "berth/host/features.h"

#include "berth/base/json_write.h"
#include "berth/linux/seccomp.h"
#include "berth/spec/mount.h"
#include "berth/spec/spec.h"

static void add_names(struct json_writer *w, const char *key, const char *const *names,
		      size_t count)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_string(w, names[i]);
	json_end_array(w);
}

/* An object of booleans under @key. */
static void add_flag(struct json_writer *w, const char *key, const char *flag, bool value)
{
	json_key(w, key);
	json_begin_object(w);
	json_member_bool(w, flag, value);
	json_end_object(w);
}

/* Those that the kernel has as well. */
static void add_supported_flags(struct json_writer *w)
{
	json_key(w, "supportedFlags");
	json_begin_array(w);
	for (size_t i = 0; seccomp_flag_names[i]; i++) {
		if (seccomp_flag_is_supported(seccomp_flag_names[i]))
			json_string(w, seccomp_flag_names[i]);
	}
	json_end_array(w);
}

static void add_seccomp(struct json_writer *w)
{
	json_key(w, "seccomp");
	json_begin_object(w);
	json_member_bool(w, "enabled", true);
	add_names(w, "actions", seccomp_action_names, SECCOMP_ACTION_MAX);
	add_names(w, "operators", seccomp_operator_names, SECCOMP_OPERATOR_MAX);
	json_member_strings(w, "archs", seccomp_arch_names);
	json_member_strings(w, "knownFlags", seccomp_flag_names);
	add_supported_flags(w);
	json_end_object(w);
}

static void add_linux(struct json_writer *w)
{
	json_key(w, "linux");
	json_begin_object(w);
	add_names(w, "namespaces", namespace_names, NAMESPACE_MAX);
	add_names(w, "capabilities", capability_names, CAPABILITY_COUNT);
	json_key(w, "cgroup");
	json_begin_object(w);
	json_member_bool(w, "v1", false);
	json_member_bool(w, "v2", true);
	json_member_bool(w, "systemd", true);
	json_member_bool(w, "systemdUser", true);
	json_member_bool(w, "rdma", true);
	json_end_object(w);
	add_seccomp(w);
	add_flag(w, "apparmor", "enabled", true);
	add_flag(w, "selinux", "enabled", true);
	json_key(w, "intelRdt");
	json_begin_object(w);
	json_member_bool(w, "enabled", true);
	json_member_bool(w, "schemata", true);
	json_member_bool(w, "monitoring", true);
	json_end_object(w);
	json_key(w, "memoryPolicy");
	json_begin_object(w);
	json_member_strings(w, "modes", memory_policy_modes);
	json_member_strings(w, "flags", memory_policy_flags);
	json_end_object(w);
	json_key(w, "mountExtensions");
	json_begin_object(w);
	add_flag(w, "idmap", "enabled", true);
	json_end_object(w);
	add_flag(w, "netDevices", "enabled", true);
	json_end_object(w);
}

char *features_document(const char *version, const char *commit)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, true);

	json_begin_object(&w);
	json_member_string(&w, "ociVersionMin", SPEC_VERSION_MIN);
	json_member_string(&w, "ociVersionMax", SPEC_VERSION_MAX);
	add_names(&w, "hooks", hook_names, HOOK_MAX);
	json_member_strings(&w, "mountOptions", mount_option_names);
	add_linux(&w);
	json_key(&w, "annotations");
	json_begin_object(&w);
	json_member_string(&w, "io.github.seccomp.libseccomp.version", seccomp_library_version());
	json_member_string(&w, "org.berth.commit", commit);
	json_member_string(&w, "org.berth.version", version);
	json_member_string(&w, "org.opencontainers.runc.checkpoint.enabled", "false");
	json_end_object(&w);
	json_key(&w, "potentiallyUnsafeConfigAnnotations");
	json_begin_array(&w);
	json_string(&w, "org.berth.overlay.");
	json_string(&w, "org.systemd.property.");
	json_string(&w, "run.oci.mount_context_type");
	json_end_array(&w);
	json_end_object(&w);
	buf_add_char(&text, '\n');
	return buf_take(&text);
}
