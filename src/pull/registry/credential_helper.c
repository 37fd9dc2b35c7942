/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential helpers of Docker: a program, a word, a host on its standard input, JSON on its
 * standard output.
 *
 * Theory of operation. Its standard output is a sealed memfd of a fixed size: whatever it writes,
 * and however much, neither fills memory nor makes it wait for us. What an exit status other than 0
 * leaves there is a message for people ("credentials not found in native keychain" among them).
 */
#include "credential_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/spawn.h"
#include "berth/base/str.h"

/* A person may have to type a password. */
#define TIMEOUT_MS	(120 * 1000)
#define MESSAGE_MAX	200
#define HELPER_NAME_MAX 64

static const char not_found[] = "credentials not found";

static bool is_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t length = strlen(name);

	return length > 0 && length <= HELPER_NAME_MAX && strspn(name, allowed) == length;
}

static const char *search_path(const char *const *environment)
{
	for (; environment && *environment; environment++) {
		if (str_starts(*environment, "PATH="))
			return *environment + strlen("PATH=");
	}
	return "/usr/local/bin:/usr/bin:/bin";
}

/* Absolute path of the program, the caller's, or NULL. What is relative in PATH is passed over: it
 * would let the current directory say who we are. */
static char *find_program(const char *program, const char *const *environment)
{
	const char *directory = search_path(environment);

	for (;;) {
		size_t length = strcspn(directory, ":");
		char *path = xasprintf("%.*s/%s", (int)length, directory, program);

		if (directory[0] == '/' && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
			return path;
		free(path);
		if (directory[length] == '\0')
			return NULL;
		directory += length + 1;
	}
}

/* A file of CREDENTIAL_HELPER_OUTPUT_MAX zeros that can't grow. */
static int open_output(struct error *err)
{
	_cleanup_fd_ int fd = memfd_create("berth-credentials", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, CREDENTIAL_HELPER_OUTPUT_MAX) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return fail(err, -errno, "make the standard output of a credential helper");
	return take_fd(&fd);
}

/* The member @key, which must be a string; NULL where it is not there or something else. */
static const char *text_of(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);

	return value && value->type == JSON_STRING ? value->text : NULL;
}

/* Errors hold nothing of @output: the password is in it. */
static int read_answer(const char *output, const char *program, struct credentials *ret,
		       struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *answer = NULL;
	const char *user, *secret;
	int r = json_read(arena, output, strlen(output), program, &answer, err);

	if (r < 0)
		return r;
	user = answer->type == JSON_OBJECT ? text_of(answer, "Username") : NULL;
	secret = answer->type == JSON_OBJECT ? text_of(answer, "Secret") : NULL;
	if (!user || !secret)
		return refuse(err, "%s: its answer has no \"Username\" and \"Secret\"", program);
	if (!*user && !*secret)
		return 0;
	ret->kind = str_equal(user, "<token>") ? CREDENTIALS_IDENTITY_TOKEN : CREDENTIALS_PASSWORD;
	ret->user = ret->kind == CREDENTIALS_PASSWORD ? xstrdup(user) : NULL;
	ret->secret = xstrdup(secret);
	ret->origin = xstrdup(program);
	return 0;
}

/* @r: what the helper ended with. Its words are shown, unless they may be an answer. */
static int explain(int r, const char *output, const char *program, struct error *err)
{
	size_t length = strcspn(output, "\r\n");

	if (r != -ECHILD)
		return r;
	if (strstr(output, not_found))
		return 0;
	if (length == 0 || strchr(output, '{'))
		return within(err, r, "%s", program);
	return within(err, r, "%s says \"%.*s\"", program,
		      (int)(length < MESSAGE_MAX ? length : MESSAGE_MAX), output);
}

static int run(const struct credentials_places *places, const char *path, const char *program,
	       const char *server, struct credentials *ret, struct error *err)
{
	const char *const argv[] = {program, "get", NULL};
	_cleanup_free_ char *output = xcalloc(1, CREDENTIAL_HELPER_OUTPUT_MAX + 1);
	_cleanup_fd_ int outputfd = open_output(err);
	struct spawn spawn = {.path = path,
			      .argv = argv,
			      .envp = places->environment,
			      .input = server,
			      .input_size = strlen(server),
			      .cwdfd = -1,
			      .outputfd = outputfd,
			      .timeout_ms = TIMEOUT_MS,
			      .cancelled = places->cancelled};
	int r;

	if (outputfd < 0)
		return outputfd;
	r = spawn_wait(&spawn, err);
	if (pread(outputfd, output, CREDENTIAL_HELPER_OUTPUT_MAX, 0) < 0)
		return fail(err, -errno, "read the answer of %s", program);
	if (r < 0)
		return explain(r, output, program, err);
	if (strlen(output) == CREDENTIAL_HELPER_OUTPUT_MAX)
		return refuse(err, "%s: its answer is longer than %zu bytes", program,
			      CREDENTIAL_HELPER_OUTPUT_MAX - 1);
	return read_answer(output, program, ret, err);
}

int credential_helper_get(const struct credentials_places *places, const char *name,
			  const char *server, const char *asked_by, struct credentials *ret,
			  struct error *err)
{
	_cleanup_free_ char *program = NULL, *path = NULL;
	int r;

	if (!is_name(name))
		return refuse(err, "%s: \"%.100s\" is no name of a credential helper", asked_by,
			      name);
	program = xasprintf("docker-credential-%s", name);
	path = find_program(program, places->environment);
	if (!path)
		return refuse_as(err, -ENOENT, "%s: %s is not in the directories of $PATH",
				 asked_by, program);
	r = run(places, path, program, server, ret, err);
	return r < 0 ? within(err, r, "%s: credentials for \"%s\"", asked_by, server) : 0;
}
