/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's process: what it becomes, and what is refused. */
#include <linux/capability.h>

#include "unit.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)

static void test_smallest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec *spec =
		accept(arena, TOP, "\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"]},");
	const struct spec_process *process = spec->process;

	(void)state;
	assert_string_equal(process->cwd, "/");
	assert_string_equal(process->args[0], "sh");
	assert_null(process->args[1]);
	assert_null(process->env[0]);
	assert_int_equal(process->uid, 0);
	assert_int_equal(process->gid, 0);
	assert_false(process->umask_set || process->oom_score_adj_set);
	assert_false(process->no_new_privileges || process->capabilities.given);
	assert_null(process->capabilities.unknown);
	assert_int_equal(process->rlimit_count, 0);
	assert_int_equal(process->group_count, 0);
}

static void test_no_process(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	assert_null(accept(arena, TOP, "")->process);
	assert_null(accept(arena, TOP, "\"process\": null,")->process);
}

static void test_all_fields(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process =
		accept(arena, PROCESS,
		       "\"terminal\": true, \"consoleSize\": {\"height\": 1, \"width\": 2},"
		       "\"env\": [\"A=\", \"B=c=d\"], \"commandLine\": \"ignored\","
		       "\"user\": {\"uid\": 4294967294, \"gid\": 7, \"umask\": 511,"
		       " \"additionalGids\": [5, 0, 4294967294]},"
		       "\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 1, \"hard\": 2},"
		       " {\"type\": \"RLIMIT_CORE\", \"soft\": 18446744073709551615,"
		       "  \"hard\": 18446744073709551615}],"
		       "\"noNewPrivileges\": true, \"oomScoreAdj\": -1000")
			->process;

	(void)state;
	assert_true(process->terminal);
	assert_int_equal(process->console_height, 1);
	assert_int_equal(process->console_width, 2);
	assert_string_equal(process->env[0], "A=");
	assert_string_equal(process->env[1], "B=c=d");
	assert_null(process->env[2]);
	assert_int_equal(process->uid, 4294967294u);
	assert_int_equal(process->gid, 7);
	assert_true(process->umask_set);
	assert_int_equal(process->umask, 0777);
	assert_int_equal(process->group_count, 3);
	assert_int_equal(process->groups[0], 5);
	assert_int_equal(process->groups[2], 4294967294u);
	assert_int_equal(process->rlimit_count, 2);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
	assert_string_equal(process->rlimits[0].name, "RLIMIT_NOFILE");
	assert_int_equal(process->rlimits[0].soft, 1);
	assert_int_equal(process->rlimits[0].hard, 2);
	assert_true(process->rlimits[1].soft == RLIM_INFINITY);
	assert_true(process->rlimits[1].hard == RLIM_INFINITY);
	assert_true(process->no_new_privileges && process->oom_score_adj_set);
	assert_int_equal(process->oom_score_adj, -1000);
}

static void test_capabilities(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_capabilities *capabilities =
		&accept(arena, PROCESS,
			"\"capabilities\": {\"bounding\": [\"CAP_CHOWN\", \"CAP_NEVER\","
			" \"CAP_CHECKPOINT_RESTORE\"], \"effective\": [\"CAP_CHOWN\"],"
			" \"inheritable\": [], \"permitted\": [\"CAP_KILL\", \"CAP_NEVER\"],"
			" \"ambient\": [\"CAP_BPF\", \"CAP_\"]}")
			 ->process->capabilities;

	(void)state;
	assert_true(capabilities->given);
	assert_true(capabilities->sets[CAPABILITY_BOUNDING] ==
		    (CAP(CHOWN) | CAP(CHECKPOINT_RESTORE)));
	assert_true(capabilities->sets[CAPABILITY_EFFECTIVE] == CAP(CHOWN));
	assert_true(capabilities->sets[CAPABILITY_INHERITABLE] == 0);
	assert_true(capabilities->sets[CAPABILITY_PERMITTED] == CAP(KILL));
	assert_true(capabilities->sets[CAPABILITY_AMBIENT] == CAP(BPF));
	assert_string_equal(capabilities->unknown[0], "CAP_NEVER");
	assert_string_equal(capabilities->unknown[1], "CAP_");
	assert_null(capabilities->unknown[2]);
}

/* However many names nobody knows: the list for the warning has an end. */
static void test_many_unknown_capabilities(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	const struct spec *spec;
	size_t count = 0;

	(void)state;
	buf_add_string(&text, "\"capabilities\": {\"bounding\": [\"CAP_0\"");
	for (int i = 1; i < 200; i++)
		buf_printf(&text, ", \"CAP_%d\"", i);
	buf_add_string(&text, "]}");
	spec = accept(arena, PROCESS, text.data);
	while (spec->process->capabilities.unknown[count] != NULL)
		count++;
	assert_int_equal(count, 64);
	assert_string_equal(spec->process->capabilities.unknown[63], "CAP_63");
}

static void test_capability_names(void **state)
{
	(void)state;
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		assert_int_equal(capability_number(capability_names[i]), i);
		assert_int_equal(capability_number(capability_names[i] + 4), i);
	}
	assert_int_equal(CAPABILITY_COUNT, CAP_LAST_CAP + 1);
	assert_int_equal(capability_number("CAP_SETFCAP"), CAP_SETFCAP);
	assert_int_equal(capability_number("cap_Kill"), CAP_KILL);
	assert_int_equal(capability_number("sys_admin"), CAP_SYS_ADMIN);
	assert_int_equal(capability_number(""), -EINVAL);
	assert_int_equal(capability_number("CAP_"), -EINVAL);
	assert_int_equal(capability_number("CAP_CAP_KILL"), -EINVAL);
	assert_int_equal(capability_number("CAP_KILLER"), -EINVAL);
}

static void test_rlimit_names(void **state)
{
	static const char *const names[] = {
		"CPU",	   "FSIZE", "DATA",  "STACK",	   "CORE",     "RSS",  "NPROC",	 "NOFILE",
		"MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), RLIM_NLIMITS);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *name = xasprintf("RLIMIT_%s", names[i]);

		/* The kernel's numbers, in the kernel's order. */
		assert_int_equal(rlimit_number(name), i);
		assert_int_equal(rlimit_number(names[i]), -EINVAL);
	}
	assert_int_equal(rlimit_number("RLIMIT_nofile"), -EINVAL);
	assert_int_equal(rlimit_number("RLIMIT_"), -EINVAL);
}

#define ID_RANGE "must be a whole number from 0 to 4294967294"

static const struct refusal refusals[] = {
	{TOP, "\"process\": [],", "process: found an array, must be an object"},
	{TOP, "\"process\": {},", "process.cwd: required, but missing"},
	{TOP, "\"process\": {\"cwd\": null},", "process.cwd: required, but missing"},
	{TOP, "\"process\": {\"cwd\": \"tmp\"},", "process.cwd: \"tmp\" is not an absolute path"},
	{TOP, "\"process\": {\"cwd\": \"\"},", "process.cwd: \"\" is not an absolute path"},
	{TOP, "\"process\": {\"cwd\": 1},", "process.cwd: found a number, must be a string"},
	{TOP, "\"process\": {\"cwd\": \"/\"},", "process.args: required, but missing"},
	{TOP, "\"process\": {\"cwd\": \"/\", \"args\": null},",
	 "process.args: required, but missing"},
	{TOP, "\"process\": {\"cwd\": \"/\", \"args\": []},",
	 "process.args: must have at least one item"},
	{TOP, "\"process\": {\"cwd\": \"/\", \"args\": [\"\"]},",
	 "process.args[0]: must not be empty"},
	{TOP, "\"process\": {\"cwd\": \"/\", \"args\": \"sh\"},",
	 "process.args: found a string, must be an array"},
	{TOP, "\"process\": {\"cwd\": \"/\", \"args\": [\"sh\", null]},",
	 "process.args[1]: found null, must be a string"},
	{PROCESS, "\"consoleSize\": {\"height\": 1}",
	 "process.consoleSize.width: required, but missing"},
	{PROCESS, "\"consoleSize\": {\"height\": 65536, \"width\": 1}",
	 "process.consoleSize.height: found 65536, must be a whole number from 0 to 65535"},
	{PROCESS, "\"terminal\": \"no\"", "process.terminal: found a string, must be a boolean"},
	{PROCESS, "\"env\": [\"A=b\", \"PATH\"]", "process.env[1]: \"PATH\" is not NAME=VALUE"},
	{PROCESS, "\"env\": [\"=b\"]", "process.env[0]: \"=b\" is not NAME=VALUE"},
	{PROCESS, "\"env\": [\"\"]", "process.env[0]: \"\" is not NAME=VALUE"},
	{PROCESS, "\"env\": {}", "process.env: found an object, must be an array"},
	{PROCESS, "\"user\": 0", "process.user: found a number, must be an object"},
	{PROCESS, "\"user\": {\"uid\": -1}", "process.user.uid: found -1, " ID_RANGE},
	{PROCESS, "\"user\": {\"uid\": 4294967295}",
	 "process.user.uid: found 4294967295, " ID_RANGE},
	{PROCESS, "\"user\": {\"gid\": \"0\"}", "process.user.gid: found a string, " ID_RANGE},
	{PROCESS, "\"user\": {\"gid\": 1.0}", "process.user.gid: found 1.0, " ID_RANGE},
	{PROCESS, "\"user\": {\"gid\": 1e3}", "process.user.gid: found 1e3, " ID_RANGE},
	{PROCESS, "\"user\": {\"umask\": 512}",
	 "process.user.umask: found 512, must be a whole number from 0 to 511"},
	{PROCESS, "\"user\": {\"additionalGids\": 5}",
	 "process.user.additionalGids: found a number, must be an array"},
	{PROCESS, "\"user\": {\"additionalGids\": [5, -5]}",
	 "process.user.additionalGids[1]: found -5, " ID_RANGE},
	{PROCESS, "\"capabilities\": []",
	 "process.capabilities: found an array, must be an object"},
	{PROCESS, "\"capabilities\": {\"ambient\": [\"CAP_KILL\", 5]}",
	 "process.capabilities.ambient[1]: found a number, must be a string"},
	{PROCESS, "\"oomScoreAdj\": 1001",
	 "process.oomScoreAdj: found 1001, must be a whole number from -1000 to 1000"},
	{PROCESS, "\"oomScoreAdj\": -1001",
	 "process.oomScoreAdj: found -1001, must be a whole number from -1000 to 1000"},
	{PROCESS, "\"oomScoreAdj\": 18446744073709551616",
	 "process.oomScoreAdj: found 18446744073709551616, must be a whole number from -1000 to "
	 "1000"},
	{PROCESS, "\"noNewPrivileges\": 1",
	 "process.noNewPrivileges: found a number, must be a boolean"},
	{PROCESS, "\"rlimits\": {}", "process.rlimits: found an object, must be an array"},
	{PROCESS, "\"rlimits\": [7]", "process.rlimits[0]: found a number, must be an object"},
	{PROCESS, "\"rlimits\": [{\"type\": \"RLIMIT_X\", \"soft\": 1, \"hard\": 1}]",
	 "process.rlimits[0].type: \"RLIMIT_X\" is not one of RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, "
	 "RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, "
	 "RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, "
	 "RLIMIT_SIGPENDING, RLIMIT_STACK"},
	{PROCESS, "\"rlimits\": [{\"type\": 7, \"soft\": 1, \"hard\": 1}]",
	 "process.rlimits[0].type: found a number, must be a string"},
	{PROCESS, "\"rlimits\": [{\"soft\": 1, \"hard\": 1}]",
	 "process.rlimits[0].type: required, but missing"},
	{PROCESS, "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"hard\": 1}]",
	 "process.rlimits[0].soft: required, but missing"},
	{PROCESS, "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 1}]",
	 "process.rlimits[0].hard: required, but missing"},
	{PROCESS, "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": -1, \"hard\": 1}]",
	 "process.rlimits[0].soft: found -1, must be a whole number from 0 to "
	 "18446744073709551615"},
	{PROCESS, "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 2, \"hard\": 1}]",
	 "process.rlimits[0].soft: 2 is more than the hard limit, 1"},
	{PROCESS,
	 "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 1, \"hard\": 1},"
	 "{\"type\": \"RLIMIT_AS\", \"soft\": 1, \"hard\": 1},"
	 "{\"type\": \"RLIMIT_CPU\", \"soft\": 1, \"hard\": 1}]",
	 "process.rlimits[2]: RLIMIT_CPU is in the list already"},
	{PROCESS, "\"apparmorProfile\": 5",
	 "process.apparmorProfile: found a number, must be a string"},
	{PROCESS, "\"selinuxLabel\": []", "process.selinuxLabel: found an array, must be a string"},
	{PROCESS, "\"execCPUAffinity\": []",
	 "process.execCPUAffinity: found an array, must be an object"},
	{PROCESS, "\"execCPUAffinity\": {\"initial\": 0}",
	 "process.execCPUAffinity.initial: found a number, must be a string"},
	{PROCESS, "\"execCPUAffinity\": {\"initial\": \"3-1\"}",
	 "process.execCPUAffinity.initial: \"3-1\" is not a list of numbers such as \"0-3,7\""},
	{PROCESS, "\"execCPUAffinity\": {\"initial\": \"0\", \"final\": \",\"}",
	 "process.execCPUAffinity.final: \",\" is not a list of numbers such as \"0-3,7\""},
	{PROCESS, "\"execCPUAffinity\": {\"final\": \"0-8192\"}",
	 "process.execCPUAffinity.final: \"0-8192\" has a number above 8191"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

/* What berth cannot do yet, asked to do nothing. */
static void test_asks_for_nothing(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	accept(arena, PROCESS,
	       "\"apparmorProfile\": \"\", \"selinuxLabel\": \"\", \"scheduler\": null,"
	       "\"ioPriority\": null, \"execCPUAffinity\": {\"initial\": \"\", \"final\": null},"
	       "\"env\": null, \"user\": null, \"capabilities\": null, \"rlimits\": null,"
	       "\"terminal\": null, \"oomScoreAdj\": null, \"noNewPrivileges\": null");
	accept(arena, PROCESS, "\"apparmorProfile\": null, \"execCPUAffinity\": {}");
}

static void test_exec_affinity(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_exec_affinity *affinity =
		&accept(arena, PROCESS,
			"\"execCPUAffinity\": {\"initial\": \"7\", \"final\": \"0-3,1500\"}")
			 ->process->exec_affinity;

	(void)state;
	assert_string_equal(affinity->initial.text, "7");
	assert_int_equal(affinity->initial.set->words[0], 0x80);
	assert_string_equal(affinity->final.text, "0-3,1500");
	assert_int_equal(affinity->final.set->end, 1501);
	affinity = &accept(arena, PROCESS, "\"execCPUAffinity\": {\"final\": \"1\"}")
			    ->process->exec_affinity;
	assert_null(affinity->initial.set);
	assert_true(number_set_has(affinity->final.set, 1));
	affinity = &accept(arena, PROCESS, "\"execCPUAffinity\": {\"initial\": \"\"}")
			    ->process->exec_affinity;
	assert_null(affinity->initial.set);
	assert_null(affinity->initial.text);
	assert_null(affinity->final.set);
}

/* Whether the host has such a module is not for the decoder to say. */
static void test_security_labels(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process =
		accept(arena, PROCESS, "\"apparmorProfile\": \"a\", \"selinuxLabel\": \"u:r:t:s0\"")
			->process;

	(void)state;
	assert_string_equal(process->apparmor_profile, "a");
	assert_string_equal(process->selinux_label, "u:r:t:s0");
	process = accept(arena, PROCESS, "\"apparmorProfile\": \"\"")->process;
	assert_null(process->apparmor_profile);
	assert_null(process->selinux_label);
}

static void test_alone(void **state)
{
	static const char good[] = "{\"cwd\": \"/tmp\", \"args\": [\"ps\", \"-e\"]}";
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(spec_decode_process(arena, good, strlen(good), "p", &process, &err), 0);
	assert_string_equal(process->args[1], "-e");
	assert_string_equal(process->cwd, "/tmp");
}

static void test_alone_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"[]", "/tmp/p.json: the document: found an array, must be an object"},
		{"{\"cwd\": \"/\"}", "/tmp/p.json: args: required, but missing"},
		{"{\"cwd\": \"/\", \"args\": [1]}",
		 "/tmp/p.json: args[0]: found a number, must be a string"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct spec_process *process = NULL;
		struct error err = ERROR_NONE;

		assert_int_equal(spec_decode_process(arena, cases[i].text, strlen(cases[i].text),
						     "/tmp/p.json", &process, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		assert_null(process);
	}
}

static void test_alone_syntax(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_true(spec_decode_process(arena, "{\n]", 3, "p.json", &process, &err) < 0);
	assert_non_null(strstr(err.text, "p.json: line 2, column "));
}

static void test_user(void **state)
{
	uid_t uid = 77;
	gid_t gid = 88;
	struct error err = ERROR_NONE;

	(void)state;
	/* No group given: the one that is there stays. */
	assert_int_equal(spec_parse_user("5", &uid, &gid, &err), 0);
	assert_int_equal(uid, 5);
	assert_int_equal(gid, 88);
	assert_int_equal(spec_parse_user("0:4294967294", &uid, &gid, &err), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 4294967294u);
}

static void test_user_refused(void **state)
{
	static const char *const cases[] = {
		"",    ":",    "1:",  ":1",   "1:2:3", "-1",   "+1", " 1",	   "1 ",
		"0x1", "root", "1:a", "1: 2", "01",    "1:-1", "1.", "4294967295", "1:4294967295",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		uid_t uid = 77;
		gid_t gid = 88;

		assert_int_equal(spec_parse_user(cases[i], &uid, &gid, &err), -EINVAL);
		assert_int_equal(uid, 77);
		assert_int_equal(gid, 88);
		assert_non_null(strstr(err.text, " is not a number from 0 to 4294967294"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_many_unknown_capabilities),
		cmocka_unit_test(test_capability_names),
		cmocka_unit_test(test_rlimit_names),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_asks_for_nothing),
		cmocka_unit_test(test_exec_affinity),
		cmocka_unit_test(test_security_labels),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_alone_refused),
		cmocka_unit_test(test_alone_syntax),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_user_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
