/* SPDX-License-Identifier: Apache-2.0 */
/* Which credentials are found, in which file, and that no error ever shows one. */
#include "registry/credentials.h"

#include "../base/unit.h"

/* base64 of "NAME:secret-of-NAME". */
#define AUTH_A "YTpzZWNyZXQtb2YtYQ=="
#define AUTH_B "YjpzZWNyZXQtb2YtYg=="
#define AUTH_C "YzpzZWNyZXQtb2YtYw=="

/* What is looked up in a world; home is the world itself. */
struct question {
	const char *domain, *repository;
	struct credentials_places places;
};

/* "user:secret", "identity secret", "token secret", "none", or "error: …". */
static char *answer(const struct world *world, const struct question *question)
{
	_cleanup_credentials_ struct credentials found = {.kind = CREDENTIALS_NONE};
	struct credentials_places places = question->places;
	struct error err = ERROR_NONE;
	int r;

	if (!places.home)
		places.home = world->path;
	places.uid = 4000000000u; /* nobody's */
	r = credentials_find(&places, question->domain, question->repository, true, &found, &err);
	/* Whatever goes wrong: all secrets of these tests have this word. */
	assert_null(strstr(err.text, "secret"));
	if (r < 0)
		return xasprintf("error: %s", err.text);
	switch (found.kind) {
	case CREDENTIALS_NONE:
		return xstrdup("none");
	case CREDENTIALS_PASSWORD:
		return xasprintf("%s:%s", found.user, found.secret);
	case CREDENTIALS_IDENTITY_TOKEN:
		return xasprintf("identity %s", found.secret);
	case CREDENTIALS_REGISTRY_TOKEN:
		return xasprintf("token %s", found.secret);
	}
	fail_msg("kind %d", (int)found.kind);
	return NULL;
}

static void check(const struct world *world, const struct question *question, const char *expected)
{
	_cleanup_free_ char *found = answer(world, question);

	if (expected[0] == '*' ? !strstr(found, expected + 1) : !str_equal(found, expected))
		fail_msg("%s/%s: \"%s\", not \"%s\"", question->domain, question->repository, found,
			 expected);
}

/* @expected: the answer, or "*" and a part of it. */
static const struct {
	const char *file, *domain, *repository, *expected;
} key_rows[] = {
	{"{\"auths\":{\"localhost:5000\":{\"auth\":\"" AUTH_A "\"}}}", "localhost:5000", "x",
	 "a:secret-of-a"},
	{"{\"auths\":{\"localhost:5000\":{\"auth\":\"" AUTH_A "\"}}}", "localhost:5001", "x",
	 "none"},
	{"{\"auths\":{\"localhost\":{\"auth\":\"" AUTH_A "\"}}}", "localhost:5000", "x", "none"},
	{"{\"auths\":{\"example.com\":{\"auth\":\"" AUTH_A "\"}}}", "example.com.evil", "x",
	 "none"},
	/* The longest beginning wins, wherever it stands. */
	{"{\"auths\":{\"e.com/n\":{\"auth\":\"" AUTH_A "\"},\"e.com\":{\"auth\":\"" AUTH_B
	 "\"},\"e.com/n/r\":{\"auth\":\"" AUTH_C "\"}}}",
	 "e.com", "n/r/s", "c:secret-of-c"},
	{"{\"auths\":{\"e.com/n\":{\"auth\":\"" AUTH_A "\"},\"e.com\":{\"auth\":\"" AUTH_B "\"}}}",
	 "e.com", "n/r", "a:secret-of-a"},
	{"{\"auths\":{\"e.com/n\":{\"auth\":\"" AUTH_A "\"},\"e.com\":{\"auth\":\"" AUTH_B "\"}}}",
	 "e.com", "nn/r", "b:secret-of-b"},
	{"{\"auths\":{\"e.com/n\":{\"auth\":\"" AUTH_A "\"}}}", "e.com", "m", "none"},
	/* Docker Hub by all its names. */
	{"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io",
	 "library/alpine", "a:secret-of-a"},
	{"{\"auths\":{\"docker.io\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "x/y",
	 "a:secret-of-a"},
	{"{\"auths\":{\"index.docker.io\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "x/y",
	 "a:secret-of-a"},
	{"{\"auths\":{\"registry-1.docker.io\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "x/y",
	 "a:secret-of-a"},
	{"{\"auths\":{\"docker.io/x\":{\"auth\":\"" AUTH_B
	 "\"},\"https://index.docker.io/v1/\":{\"auth\":\"" AUTH_A "\"}}}",
	 "docker.io", "x/y", "b:secret-of-b"},
	{"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" AUTH_A "\"}}}",
	 "docker.io.example.com", "x", "none"},
	/* URLs, as old programs write them. */
	{"{\"auths\":{\"https://e.com\":{\"auth\":\"" AUTH_A "\"}}}", "e.com", "x",
	 "a:secret-of-a"},
	{"{\"auths\":{\"http://e.com:80/v2/\":{\"auth\":\"" AUTH_A "\"}}}", "e.com:80", "x",
	 "a:secret-of-a"},
	{"{\"auths\":{\"e.com/v1/\":{\"auth\":\"" AUTH_A "\"}}}", "e.com", "x", "a:secret-of-a"},
	/* Forms of an entry. */
	{"{\"auths\":{\"h:1\":{\"username\":\"u\",\"password\":\"secret:1\"}}}", "h:1", "x",
	 "u:secret:1"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"YTpzZWNyZXQ6d2l0aDpjb2xvbnM=\"}}}", "h:1", "x",
	 "a:secret:with:colons"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"YTpzZWNyZXQAAA==\"}}}", "h:1", "x", "a:secret"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"" AUTH_A "\",\"identitytoken\":\"secret-id\"}}}", "h:1",
	 "x", "identity secret-id"},
	{"{\"auths\":{\"h:1\":{\"registrytoken\":\"secret-t\"}}}", "h:1", "x", "token secret-t"},
	{"{\"auths\":{\"h:1\":{}}}", "h:1", "x", "none"},
	{"{\"auths\":{\"h:1/x\":{},\"h:1\":{\"auth\":\"" AUTH_A "\"}}}", "h:1", "x",
	 "a:secret-of-a"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"\"}}}", "h:1", "x", "none"},
	{"{\"auths\":null,\"credHelpers\":null,\"credsStore\":\"\"}", "h:1", "x", "none"},
	{"{\"HttpHeaders\":{},\"experimental\":\"x\"}", "h:1", "x", "none"},
	{"{}", "h:1", "x", "none"},
	{"", "h:1", "x", "none"},
	{" \n", "h:1", "x", "none"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"YTpz\\r\\nZWNyZXQ=\\n\"}}}", "h:1", "x", "a:secret"},
	/* What is wrong is said, with the file. */
	{"{\"auths\":{\"h:1\":{\"auth\":\"%secret\"}}}", "h:1", "x",
	 "*config.json: \"h:1\": \"auth\" is not base 64"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"c2VjcmV0\"}}}", "h:1", "x",
	 "*config.json: \"h:1\": not of the form"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"OnNlY3JldA==\"}}}", "h:1", "x", "*not of the form"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"YQBiOnNlY3JldA==\"}}}", "h:1", "x", "*not of the form"},
	{"{\"auths\":{\"h:1\":{\"auth\":7}}}", "h:1", "x", "*\"auth\" is a number"},
	{"{\"auths\":{\"h:1\":\"secret\"}}", "h:1", "x", "*a string, not an object"},
	{"{\"auths\":[\"secret\"]}", "h:1", "x", "*\"auths\" is an array"},
	{"{\"credHelpers\":\"secret\"}", "h:1", "x", "*\"credHelpers\" is a string"},
	{"{\"credsStore\":{}}", "h:1", "x", "*\"credsStore\" is an object"},
	{"[\"secret\"]", "h:1", "x", "*config.json: an array, not an object"},
	{"{\"auths\":{\"h:1\":{\"auth\":\"secret\"", "h:1", "x", "*config.json: line 1"},
	/* An entry of somebody else is not looked at. */
	{"{\"auths\":{\"h:2\":{\"auth\":\"%\"}}}", "h:1", "x", "none"},
	/* Names of helpers that are none. */
	{"{\"credsStore\":\"../../bin/sh\"}", "h:1", "x", "*no name of a credential helper"},
	{"{\"credHelpers\":{\"h:1\":\"a b\"}}", "h:1", "x", "*no name of a credential helper"},
};

static void test_keys(void **state)
{
	const struct world *world = *state;

	put_directory(world, ".docker");
	for (size_t i = 0; i < ARRAY_SIZE(key_rows); i++) {
		struct question question = {key_rows[i].domain, key_rows[i].repository, {0}};

		put_file(world, ".docker/config.json", key_rows[i].file);
		check(world, &question, key_rows[i].expected);
	}
}

/* The five kinds of places, the last first: each new one wins over those before. */
static void test_order(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *docker = xasprintf("%s/docker", world->path);
	_cleanup_free_ char *config = xasprintf("%s/config", world->path);
	_cleanup_free_ char *runtime = xasprintf("%s/run", world->path);
	_cleanup_free_ char *variable = xasprintf("%s/variable.json", world->path);
	_cleanup_free_ char *option = xasprintf("%s/option.json", world->path);
	struct question question = {"h:1", "x", {0}};
	static const char *const directories[] = {
		".docker",	     "docker", ".config",	".config/containers", "config",
		"config/containers", "run",    "run/containers"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		put_directory(world, directories[i]);
	check(world, &question, "none");
	put_file(world, ".dockercfg", "{\"h:1\":{\"auth\":\"" AUTH_A "\",\"email\":\"x\"}}");
	check(world, &question, "a:secret-of-a");
#define FILE_OF(user) "{\"auths\":{\"h:1\":{\"username\":\"" user "\",\"password\":\"secret\"}}}"
	put_file(world, ".docker/config.json", FILE_OF("home-docker"));
	check(world, &question, "home-docker:secret");
	put_file(world, "docker/config.json", FILE_OF("docker"));
	check(world, &question, "home-docker:secret");
	question.places.docker_config = docker;
	check(world, &question, "docker:secret");
	put_file(world, ".config/containers/auth.json", FILE_OF("home-config"));
	check(world, &question, "home-config:secret");
	put_file(world, "config/containers/auth.json", FILE_OF("config"));
	question.places.xdg_config_home = config;
	check(world, &question, "config:secret");
	put_file(world, "run/containers/auth.json", FILE_OF("runtime"));
	question.places.xdg_runtime_dir = runtime;
	check(world, &question, "runtime:secret");
	/* A file that is named is the only one, and must be there. */
	question.places.registry_auth_file = variable;
	check(world, &question, "*variable.json\": No such file");
	put_file(world, "variable.json", "{}");
	check(world, &question, "none");
	put_file(world, "variable.json", FILE_OF("variable"));
	check(world, &question, "variable:secret");
	question.places.authfile = option;
	check(world, &question, "*option.json\": No such file");
	put_file(world, "option.json", FILE_OF("option"));
	check(world, &question, "option:secret");
	question.places.creds = "me:secret:1";
	check(world, &question, "me:secret:1");
}

static void test_creds(void **state)
{
	static const char *const wrong[] = {"", "secret", ":secret"};
	const struct world *world = *state;
	_cleanup_credentials_ struct credentials found = {.kind = CREDENTIALS_NONE};
	struct question question = {"h:1", "x", {.creds = "u:"}};
	struct error err = ERROR_NONE;

	check(world, &question, "u:");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		question.places.creds = wrong[i];
		check(world, &question, "error: --creds: not of the form USER:PASSWORD");
	}
	/* They are for the registry that the user has named, not for a mirror of it. */
	question.places.creds = "me:secret";
	question.places.home = world->path;
	assert_int_equal(credentials_find(&question.places, "h:1", "x", false, &found, &err), 0);
	assert_int_equal(found.kind, CREDENTIALS_NONE);
}

static void test_files(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/auth.json", world->path);
	_cleanup_free_ char *big = xcalloc(1, (2u << 20) + 1);
	struct question question = {"h:1", "x", {.authfile = path}};

	put_file(world, "elsewhere.json", FILE_OF("linked"));
	put_link(world, "auth.json", "elsewhere.json");
	check(world, &question, "linked:secret");
	memset(big, ' ', 2u << 20);
	put_file(world, "elsewhere.json", big);
	check(world, &question, "*auth.json\": more than");
	assert_int_equal(unlinkat(world->fd, "auth.json", 0), 0);
	assert_int_equal(mkfifoat(world->fd, "auth.json", 0600), 0);
	check(world, &question, "*auth.json\": not a regular file");
	/* Without any home there is nothing. */
	question.places = (struct credentials_places){.home = "/nonexistent"};
	check(world, &question, "none");
}

/* A helper that is a shell script; its directory is the world. */
static void put_helper(const struct world *world, const char *name, const char *script)
{
	_cleanup_free_ char *text = xasprintf("#!/bin/sh\n%s\n", script);

	put_file(world, name, text);
	assert_int_equal(fchmodat(world->fd, name, 0755, 0), 0);
}

static void test_helpers(void **state)
{
	if (!has_call(SYS_clone3))
		skip_because("there is no clone3(2) here");

	const struct world *world = *state;
	_cleanup_free_ char *path =
		xasprintf("PATH=:.:relative:/nonexistent:%s:/bin:/usr/bin", world->path);
	_cleanup_free_ char *log = xasprintf("LOG=%s/log", world->path);
	const char *const environment[] = {path, log, "COLOUR=blue", NULL};
	struct question question = {"h:1", "x", {.environment = environment}};
	struct question hub = {"docker.io", "library/x", {.environment = environment}};
	_cleanup_free_ char *asked = NULL;

	put_directory(world, ".docker");
	put_helper(world, "docker-credential-one",
		   "echo \"{\\\"ServerURL\\\":\\\"$(cat)\\\",\\\"Username\\\":\\\"one-$1\\\","
		   "\\\"Secret\\\":\\\"secret-$COLOUR\\\"}\"");
	put_helper(world, "docker-credential-id",
		   "echo '{\"Username\":\"<token>\",\"Secret\":\"secret-id\"}'");
	put_helper(world, "docker-credential-none",
		   "echo $(cat) >>$LOG; echo credentials not found in native keychain; exit 1");
	put_file(world, ".docker/config.json", "{\"credHelpers\":{\"h:1\":\"one\"}}");
	check(world, &question, "one-get:secret-blue");
	put_file(world, ".docker/config.json", "{\"credHelpers\":{\"https://h:1\":\"id\"}}");
	check(world, &question, "identity secret-id");
	put_file(world, ".docker/config.json",
		 "{\"credHelpers\":{\"h:2\":\"id\"},\"credsStore\":\"one\"}");
	check(world, &question, "one-get:secret-blue");
	/* A helper of the domain beats entries, entries beat the store. */
	put_file(world, ".docker/config.json",
		 "{\"credHelpers\":{\"h:1\":\"id\"},\"auths\":{\"h:1\":{\"auth\":\"" AUTH_A
		 "\"}}}");
	check(world, &question, "identity secret-id");
	put_file(world, ".docker/config.json",
		 "{\"credsStore\":\"id\",\"auths\":{\"h:1\":{\"auth\":\"" AUTH_A "\"}}}");
	check(world, &question, "a:secret-of-a");
	put_file(world, ".docker/config.json", "{\"credsStore\":\"id\",\"auths\":{\"h:1\":{}}}");
	check(world, &question, "identity secret-id");
	/* One that has none passes on to the next place. */
	put_file(world, ".docker/config.json", "{\"credsStore\":\"none\"}");
	put_file(world, ".dockercfg", "{\"h:1\":{\"auth\":\"" AUTH_A "\"}}");
	check(world, &question, "a:secret-of-a");
	check(world, &hub, "none");
	asked = get_file(world, "log");
	assert_string_equal(asked, "h:1\nhttps://index.docker.io/v1/\ndocker.io\nindex.docker.io\n"
				   "registry-1.docker.io\n");
}

static void test_helper_failures(void **state)
{
	if (!has_call(SYS_clone3))
		skip_because("there is no clone3(2) here");

	static const struct {
		const char *script, *expected;
	} rows[] = {
		{"echo no agent; exit 1", "*docker-credential-x says \"no agent\""},
		{"echo broken >&2; exit 3", "*status 3: broken"},
		{"echo '{\"Secret\":\"secret\"}'; exit 1", "*exited with status 1"},
		{"kill -9 $$", "*killed by signal 9"},
		{"echo '{\"Username\":\"u\"}'", "*no \"Username\" and \"Secret\""},
		{"echo '{\"Username\":\"u\",\"Secret\":7}'", "*no \"Username\" and \"Secret\""},
		{"echo '[\"secret\"]'", "*no \"Username\" and \"Secret\""},
		{"echo secret", "*docker-credential-x: line 1"},
		{"true", "*docker-credential-x: line 1"},
		{"echo '{\"Username\":\"\",\"Secret\":\"\"}'", "none"},
		/* Ten times of what is read: it neither waits nor fills memory. */
		{"printf '%655360d' 0 2>/dev/null", "*docker-credential-x"},
		{"exit 0 <&0", "*docker-credential-x"},
	};
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("PATH=%s:/bin:/usr/bin", world->path);
	const char *const environment[] = {path, NULL};
	struct question question = {"h:1", "x", {.environment = environment}};

	put_directory(world, ".docker");
	put_file(world, ".docker/config.json", "{\"credsStore\":\"x\"}");
	check(world, &question, "*config.json: docker-credential-x is not in the directories");
	put_file(world, "docker-credential-x", "#!/bin/sh\n");
	check(world, &question, "*config.json: docker-credential-x is not in the directories");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_helper(world, "docker-credential-x", rows[i].script);
		check(world, &question, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_keys),	world_test(test_order),	  world_test(test_creds),
		world_test(test_files), world_test(test_helpers), world_test(test_helper_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
