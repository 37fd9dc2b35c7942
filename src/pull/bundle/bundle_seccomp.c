/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp: berth's own table, for the host and the capabilities that a bundle has. */
#include <errno.h>
#include <linux/capability.h>

#include "image/platform.h"

#include "bundle-internal.h"
#include "seccomp_table.h"

static bool applies(const struct seccomp_calls *calls, const struct seccomp_host *host,
		    uint64_t capabilities)
{
	if (calls->machines && !(calls->machines & host->machine))
		return false;
	if (calls->needs && !(calls->needs & capabilities))
		return false;
	return !(calls->needs_none & capabilities);
}

static void write_names(struct json_writer *w, const char *names)
{
	json_key(w, "names");
	json_begin_array(w);
	while (*names) {
		const size_t length = strcspn(names, " ");
		_cleanup_free_ char *name = xstrndup(names, length);

		json_string(w, name);
		names += length + strspn(names + length, " ");
	}
	json_end_array(w);
}

static void write_condition(struct json_writer *w, const struct seccomp_condition *condition)
{
	json_key(w, "args");
	json_begin_array(w);
	json_begin_object(w);
	json_member_u64(w, "index", condition->argument);
	json_member_u64(w, "value", condition->mask);
	json_member_u64(w, "valueTwo", condition->value);
	json_member_string(w, "op", "SCMP_CMP_MASKED_EQ");
	json_end_object(w);
	json_end_array(w);
}

static void write_calls(struct json_writer *w, const struct seccomp_calls *calls)
{
	json_begin_object(w);
	write_names(w, calls->names);
	json_member_string(w, "action", calls->answer ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW");
	if (calls->answer)
		json_member_u64(w, "errnoRet", calls->answer);
	if (calls->condition)
		write_condition(w, calls->condition);
	json_end_object(w);
}

void seccomp_own_write(struct json_writer *w, const char *architecture, uint64_t capabilities)
{
	const struct seccomp_host *host = seccomp_host_find(architecture);

	json_begin_object(w);
	json_member_string(w, "defaultAction", "SCMP_ACT_ERRNO");
	json_member_u64(w, "defaultErrnoRet", EPERM);
	if (host->names)
		json_member_strings(w, "architectures", host->names);
	json_key(w, "syscalls");
	json_begin_array(w);
	for (size_t i = 0; i < seccomp_table_size; i++) {
		if (applies(&seccomp_table[i], host, capabilities))
			write_calls(w, &seccomp_table[i]);
	}
	json_end_array(w);
	json_end_object(w);
}

void bundle_seccomp_write(struct json_writer *w, const struct bundle_plan *plan)
{
	struct platform host;

	if (plan->seccomp_unconfined)
		return;
	platform_of_host(&host);
	json_key(w, "seccomp");
	if (plan->seccomp_profile)
		seccomp_profile_write(w, plan->seccomp_profile, host.architecture,
				      plan->capabilities);
	else
		seccomp_own_write(w, host.architecture, plan->capabilities);
}
