/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of system calls: our own table, and profiles of files. */
#include <linux/capability.h>
#include <sys/socket.h>

#include "bundle/seccomp_table.h"
#include "image/platform.h"

#include "bundle.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* The eleven of every bundle, as far as the table asks for them. */
#define DEFAULTS BIT(CAP_SYS_CHROOT)

static const struct json *read_text(struct arena *arena, const char *text)
{
	const struct json *value = NULL;
	struct error err = ERROR_NONE;

	assert_fine(json_read(arena, text, strlen(text), "filter", &value, &err), err);
	return value;
}

static const struct json *own(struct arena *arena, const char *machine, uint64_t capabilities)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	seccomp_own_write(&w, machine, capabilities);
	return read_text(arena, text.data);
}

static bool rule_names(const struct json *rule, const char *name)
{
	for (const struct json *item = json_member(rule, "names")->item; item; item = item->next) {
		if (str_equal(item->text, name))
			return true;
	}
	return false;
}

/* What becomes of a call: "allow", "allow if 0&ff==1" for each condition, "errno 38"; the
 * caller's. "" where it is not named. */
static char *fate(const struct json *filter, const char *name)
{
	struct buf text = BUF_EMPTY;

	buf_add(&text, "", 0);
	for (const struct json *rule = json_member(filter, "syscalls")->item; rule;
	     rule = rule->next) {
		const struct json *args = json_member(rule, "args");
		const bool allow = str_equal(json_member(rule, "action")->text, "SCMP_ACT_ALLOW");

		if (!rule_names(rule, name))
			continue;
		if (text.size > 0)
			buf_add_string(&text, ", ");
		buf_add_string(&text, allow ? "allow" : "errno ");
		if (!allow)
			buf_add_string(&text, json_member(rule, "errnoRet")->text);
		if (!args)
			continue;
		buf_printf(&text, " if %s&%s==%s", json_member(args->item, "index")->text,
			   json_member(args->item, "value")->text,
			   json_member(args->item, "valueTwo")->text);
	}
	return buf_take(&text);
}

#define assert_fate(filter, name, expected)                                                        \
	do {                                                                                       \
		_cleanup_free_ char *fate_ = fate((filter), (name));                               \
		assert_string_equal(fate_, (expected));                                            \
	} while (0)

static void test_own(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *filter = own(arena, "amd64", DEFAULTS);

	(void)state;
	assert_json(filter, "defaultAction", "\"SCMP_ACT_ERRNO\"");
	assert_json(filter, "defaultErrnoRet", "1");
	assert_json(filter, "architectures", "[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"]");
	assert_fate(filter, "read", "allow");
	assert_fate(filter, "chroot", "allow");
	assert_fate(filter, "arch_prctl", "allow");
	assert_fate(filter, "clone", "allow if 0&2114060288==0");
	assert_fate(filter, "clone3", "errno 38");
	assert_fate(filter, "socket",
		    "allow if 0&4294967295==1, allow if 0&4294967295==2, "
		    "allow if 0&4294967295==10, allow if 0&4294967295==16, "
		    "allow if 0&4294967295==17");
	assert_fate(filter, "personality",
		    "allow if 0&4294967295==0, allow if 0&4294967295==8, "
		    "allow if 0&4294967295==131072, allow if 0&4294967295==131080, "
		    "allow if 0&4294967295==4294967295");
	static const char *const none[] = {
		"mount",       "unshare",      "setns",		 "bpf",		"keyctl",
		"add_key",     "socketcall",   "io_uring_setup", "userfaultfd", "perf_event_open",
		"init_module", "reboot",       "kexec_load",	 "modify_ldt",	"open_by_handle_at",
		"swapon",      "settimeofday", "iopl",		 "set_tls",	"pidfd_getfd"};
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_fate(filter, none[i], "");
}

static void test_capabilities(void **state)
{
	static const struct {
		unsigned capability;
		const char *name;
	} pairs[] = {
		{CAP_SYS_ADMIN, "mount"},
		{CAP_SYS_ADMIN, "unshare"},
		{CAP_SYS_ADMIN, "syslog"},
		{CAP_SYSLOG, "syslog"},
		{CAP_SYS_MODULE, "init_module"},
		{CAP_SYS_PTRACE, "process_vm_readv"},
		{CAP_SYS_PACCT, "acct"},
		{CAP_SYS_BOOT, "reboot"},
		{CAP_SYS_RAWIO, "iopl"},
		{CAP_SYS_TIME, "settimeofday"},
		{CAP_SYS_TTY_CONFIG, "vhangup"},
		{CAP_SYS_NICE, "mbind"},
		{CAP_DAC_READ_SEARCH, "open_by_handle_at"},
		{CAP_SYS_CHROOT, "chroot"},
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *none = own(arena, "amd64", 0);
	const struct json *admin = own(arena, "amd64", BIT(CAP_SYS_ADMIN));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_fate(none, pairs[i].name, "");
		assert_fate(own(arena, "amd64", BIT(pairs[i].capability)), pairs[i].name, "allow");
	}
	assert_fate(admin, "clone", "allow");
	assert_fate(admin, "clone3", "allow");
}

static void test_machines(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *s390 = own(arena, "s390x", DEFAULTS);
	const struct json *arm = own(arena, "arm64", DEFAULTS);
	struct platform host;

	(void)state;
	assert_fate(s390, "clone", "allow if 1&2114060288==0");
	assert_fate(s390, "s390_runtime_instr", "allow");
	assert_fate(s390, "arch_prctl", "");
	assert_json(s390, "architectures", "[\"SCMP_ARCH_S390X\",\"SCMP_ARCH_S390\"]");
	assert_fate(arm, "set_tls", "allow");
	assert_fate(arm, "sync_file_range2", "allow");
	assert_json(own(arena, "pdp11", DEFAULTS), "architectures", "(none)");
	assert_fate(own(arena, "pdp11", DEFAULTS), "read", "allow");
	platform_of_host(&host);
	assert_non_null(seccomp_host_find(host.architecture)->names);
}

/* No name twice under the same conditions, and none that is empty. */
static void test_table(void **state)
{
	_cleanup_strv_ struct strv seen = {0};

	(void)state;
	for (size_t i = 0; i < seccomp_table_size; i++) {
		if (seccomp_table[i].condition || seccomp_table[i].needs ||
		    seccomp_table[i].needs_none)
			continue;
		for (const char *rest = seccomp_table[i].names; *rest;) {
			const size_t length = strcspn(rest, " ");
			_cleanup_free_ char *name = xstrndup(rest, length);

			assert_true(length > 0);
			for (size_t j = 0; j < seen.count; j++) {
				if (str_equal(seen.items[j], name) && !str_equal(name, "fstat") &&
				    !str_equal(name, "fstat64"))
					fail_msg("%s stands there twice", name);
			}
			strv_add(&seen, name);
			rest += length + (rest[length] == ' ');
		}
	}
	assert_true(seen.count > 300);
}

static const struct json *convert(struct arena *arena, const char *profile, uint64_t capabilities)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	seccomp_profile_write(&w, read_text(arena, profile), "amd64", capabilities);
	return read_text(arena, text.data);
}

/* Docker's form: what holds here becomes a plain rule. */
static void test_profile(void **state)
{
	static const char profile[] =
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 5,"
		" \"archMap\": [{\"architecture\": \"SCMP_ARCH_AARCH64\"},"
		"  {\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\":"
		"   [\"SCMP_ARCH_X86\"]}], \"syscalls\": ["
		"{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": null,"
		"  \"comment\": \"\", \"includes\": {}, \"excludes\": null},"
		"{\"name\": \"write\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": []},"
		"{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},"
		"{\"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38,"
		"  \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},"
		"{\"names\": [\"set_tls\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"arches\": [\"arm\", \"arm64\"]}},"
		"{\"names\": [\"arch_prctl\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"arches\": [\"amd64\"]}},"
		"{\"names\": [\"brk\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"excludes\": {\"arches\": [\"amd64\"]}},"
		"{\"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"minKernel\": \"4.8\"}},"
		"{\"names\": [\"never\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"minKernel\": \"999.1\"}},"
		"{\"names\": [\"both\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\", \"CAP_BPF\"]}}]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *plain = convert(arena, profile, 0);
	const struct json *admin = convert(arena, profile, BIT(CAP_SYS_ADMIN));

	(void)state;
	assert_json(plain, "architectures", "[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"]");
	assert_json(plain, "defaultErrnoRet", "5");
	assert_json(plain, "archMap", "(none)");
	assert_fate(plain, "read", "allow");
	assert_fate(plain, "write", "allow");
	assert_fate(plain, "mount", "");
	assert_fate(plain, "clone3", "errno 38");
	assert_fate(plain, "set_tls", "");
	assert_fate(plain, "arch_prctl", "allow");
	assert_fate(plain, "brk", "");
	assert_fate(plain, "ptrace", "allow");
	assert_fate(plain, "never", "");
	assert_fate(admin, "mount", "allow");
	assert_fate(admin, "clone3", "");
	assert_fate(admin, "both", "");
	assert_json(json_member(plain, "syscalls")->item, "includes", "(none)");
}

static void test_bad_profiles(void **state)
{
	static const char *const wrong[][2] = {
		{"", "profile"},
		{"[]", "an array where an object must be"},
		{"{}", "there is no defaultAction"},
		{"{\"defaultAction\": 1}", "defaultAction is a number, not a string"},
		{"{\"defaultAction\": \"a\", \"syscalls\": {}}", "syscalls is an object"},
		{"{\"defaultAction\": \"a\", \"syscalls\": [1]}", "syscalls[0]: a number"},
		{"{\"defaultAction\": \"a\", \"syscalls\": [{}]}", "syscalls[0]: a rule has"},
		{"{\"defaultAction\": \"a\", \"syscalls\": [{\"names\": [1], \"action\": \"b\"}]}",
		 "names has an item that is no string"},
		{"{\"defaultAction\": \"a\", \"syscalls\": [{\"names\": [\"x\"], \"action\": "
		 "\"SCMP_ACT_NOTIFY\"}]}",
		 "somebody who listens"},
		{"{\"defaultAction\": \"a\", \"syscalls\": [{\"names\": [\"x\"], \"action\": "
		 "\"b\", \"includes\": {\"caps\": \"x\"}}]}",
		 "caps is a string"},
		{"{\"defaultAction\": \"a\", \"archMap\": [{\"architecture\": []}]}",
		 "architecture is an array"},
		{"{\"defaultAction\": \"a\", \"defaultAction\": \"b\"}", "profile"},
	};
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/profile", world->path);

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *profile;
		struct error err = ERROR_NONE;

		put_file(world, "profile", wrong[i][0]);
		if (bundle_seccomp_read(arena, path, &profile, &err) >= 0)
			fail_msg("%s is taken", wrong[i][0]);
		assert_contains(err.text, wrong[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),	 cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_machines), cmocka_unit_test(test_table),
		cmocka_unit_test(test_profile),	 world_test(test_bad_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
