/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: the places where a user may have put them, in the order of skopeo, podman and
 * docker, and the file formats of those.
 */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/str.h"

#include "common/base64.h"

#include "credential_helper.h"

#define CREDENTIALS_FILE_MAX (1u << 20) /* bytes */

/* All names under which users and programs keep the credentials of docker.io; helpers are asked for
 * them in this order. */
static const char *const hub_names[] = {
	"https://index.docker.io/v1/",
	"docker.io",
	"index.docker.io",
	"registry-1.docker.io",
};

/* What is looked for, and where a file is read to. */
struct lookup {
	struct arena *arena;
	const char *path; /* of the file */
	bool is_named;	  /* by the user: it must be there */
	const char *domain;
	const char *place; /* domain and repository */
	const struct credentials_places *places;
};

void credentials_done(struct credentials *credentials)
{
	free(credentials->user);
	free(credentials->secret);
	free(credentials->origin);
	*credentials = (struct credentials){.kind = CREDENTIALS_NONE};
}

/* "USER:PASSWORD" of @text, which errors never show. */
static int split(const char *text, size_t size, const char *what, struct credentials *ret,
		 struct error *err)
{
	const char *colon = memchr(text, ':', size);
	const char *end = text + size;

	/* Some writers pad the password with NULs. */
	while (colon && end > colon + 1 && end[-1] == '\0')
		end--;
	if (!colon || colon == text || memchr(text, '\0', (size_t)(end - text)))
		return refuse(err, "%s: not of the form USER:PASSWORD", what);
	ret->kind = CREDENTIALS_PASSWORD;
	ret->user = xstrndup(text, (size_t)(colon - text));
	ret->secret = xstrndup(colon + 1, (size_t)(end - colon - 1));
	ret->origin = xstrdup(what);
	return 0;
}

static bool is_hub(const char *host, size_t length)
{
	for (size_t i = 1; i < ARRAY_SIZE(hub_names); i++) {
		if (strlen(hub_names[i]) == length && strncmp(hub_names[i], host, length) == 0)
			return true;
	}
	return false;
}

/* A key of "auths" as domain and repository: the older forms are URLs. */
static const char *plain_key(struct arena *arena, const char *key)
{
	static const char *const endpoints[] = {"/", "/v1", "/v1/", "/v2", "/v2/"};
	const char *bare = key, *path;
	bool drop;

	if (str_starts(key, "https://") || str_starts(key, "http://"))
		bare = strchr(key, ':') + strlen("://");
	path = bare + strcspn(bare, "/");
	drop = bare != key;
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++)
		drop = drop || str_equal(path, endpoints[i]);
	return arena_printf(
		arena, "%.*s%s",
		is_hub(bare, (size_t)(path - bare)) ? (int)strlen("docker.io") : (int)(path - bare),
		is_hub(bare, (size_t)(path - bare)) ? "docker.io" : bare, drop ? "" : path);
}

/* Length of @key if it stands for @place or a beginning of it, otherwise 0. */
static size_t key_fits(const char *key, const char *place)
{
	size_t length = strlen(key);

	if (strncmp(key, place, length) != 0 || (place[length] && place[length] != '/'))
		return 0;
	return length;
}

/* The member @key: NULL where it is missing, null or "". */
static int text_of(const struct json *object, const char *key, const char *what, const char **ret,
		   struct error *err)
{
	const struct json *value = json_member(object, key);

	*ret = NULL;
	if (!value || value->type == JSON_NULL)
		return 0;
	if (value->type != JSON_STRING)
		return refuse(err, "%s: \"%s\" is %s, not a string", what, key,
			      json_type_name(value->type));
	if (*value->text)
		*ret = value->text;
	return 0;
}

static int object_of(const struct json *document, const char *key, const char *what,
		     const struct json **ret, struct error *err)
{
	*ret = json_member(document, key);
	if (*ret && (*ret)->type == JSON_NULL)
		*ret = NULL;
	if (*ret && (*ret)->type != JSON_OBJECT)
		return refuse(err, "%s: \"%s\" is %s, not an object", what, key,
			      json_type_name((*ret)->type));
	return 0;
}

/* The program base64 breaks lines, and who has written a file with it has got on with docker. */
static char *without_line_ends(const char *text)
{
	char *joined = xstrdup(text), *end = joined;

	for (; *text; text++)
		if (*text != '\r' && *text != '\n')
			*end++ = *text;
	*end = '\0';
	return joined;
}

static int decode(const char *auth, const char *what, struct credentials *ret, struct error *err)
{
	_cleanup_free_ char *joined = without_line_ends(auth), *text = NULL;
	size_t size = 0;

	text = base64_decode(joined, &size);
	if (!text)
		return refuse(err, "%s: \"auth\" is not base 64", what);
	return split(text, size, what, ret, err);
}

static void set(struct credentials *ret, enum credentials_kind kind, const char *user,
		const char *secret, const char *origin)
{
	*ret = (struct credentials){.kind = kind,
				    .user = user ? xstrdup(user) : NULL,
				    .secret = xstrdup(secret),
				    .origin = xstrdup(origin)};
}

/* One entry of "auths"; one that holds nothing (the credentials are in a store) gives nothing. */
static int read_entry(const struct json *entry, const char *what, struct credentials *ret,
		      struct error *err)
{
	const char *auth, *user, *password, *identity, *token;
	int r;

	if (entry->type != JSON_OBJECT)
		return refuse(err, "%s: %s, not an object", what, json_type_name(entry->type));
	r = text_of(entry, "auth", what, &auth, err);
	if (r >= 0)
		r = text_of(entry, "username", what, &user, err);
	if (r >= 0)
		r = text_of(entry, "password", what, &password, err);
	if (r >= 0)
		r = text_of(entry, "identitytoken", what, &identity, err);
	if (r >= 0)
		r = text_of(entry, "registrytoken", what, &token, err);
	if (r < 0)
		return r;
	if (token)
		set(ret, CREDENTIALS_REGISTRY_TOKEN, NULL, token, what);
	else if (identity)
		set(ret, CREDENTIALS_IDENTITY_TOKEN, NULL, identity, what);
	else if (auth)
		return decode(auth, what, ret, err);
	else if (user && password)
		set(ret, CREDENTIALS_PASSWORD, user, password, what);
	return 0;
}

/* The entry of @auths with the longest key that fits. */
static int find_entry(const struct lookup *lookup, const struct json *auths,
		      struct credentials *ret, struct error *err)
{
	size_t best = 0;

	for (const struct json *entry = auths ? auths->item : NULL; entry; entry = entry->next) {
		size_t fits = key_fits(plain_key(lookup->arena, entry->key), lookup->place);
		_cleanup_credentials_ struct credentials found = {.kind = CREDENTIALS_NONE};
		struct credentials shorter = *ret;
		int r;

		if (fits <= best)
			continue;
		r = read_entry(entry,
			       arena_printf(lookup->arena, "%s: \"%s\"", lookup->path, entry->key),
			       &found, err);
		if (r < 0)
			return r;
		if (found.kind == CREDENTIALS_NONE)
			continue;
		*ret = found;
		/* Freed at the end of the scope, in the place of what was found. */
		found = shorter;
		best = fits;
	}
	return 0;
}

/* Asks a helper for the domain under each of its names. */
static int ask(const struct lookup *lookup, const char *helper, struct credentials *ret,
	       struct error *err)
{
	bool hub = str_equal(lookup->domain, "docker.io");
	const char *const *names = hub ? hub_names : &lookup->domain;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < (hub ? ARRAY_SIZE(hub_names) : 1); i++) {
		r = credential_helper_get(lookup->places, helper, names[i], lookup->path, ret, err);
		if (ret->kind != CREDENTIALS_NONE)
			break;
	}
	return r;
}

/* The helper that "credHelpers" names for the domain, or NULL. */
static int find_helper(const struct lookup *lookup, const struct json *document, const char **ret,
		       struct error *err)
{
	const struct json *helpers = NULL;
	int r = object_of(document, "credHelpers", lookup->path, &helpers, err);

	*ret = NULL;
	for (const struct json *entry = helpers ? helpers->item : NULL; r >= 0 && entry && !*ret;
	     entry = entry->next) {
		if (str_equal(plain_key(lookup->arena, entry->key), lookup->domain))
			r = text_of(helpers, entry->key, lookup->path, ret, err);
	}
	return r;
}

/* A document of containers or docker. */
static int search(const struct lookup *lookup, const struct json *document, struct credentials *ret,
		  struct error *err)
{
	const struct json *auths = NULL;
	const char *helper = NULL, *store = NULL;
	int r = find_helper(lookup, document, &helper, err);

	if (r >= 0)
		r = object_of(document, "auths", lookup->path, &auths, err);
	if (r >= 0)
		r = text_of(document, "credsStore", lookup->path, &store, err);
	if (r >= 0 && helper)
		return ask(lookup, helper, ret, err);
	if (r >= 0)
		r = find_entry(lookup, auths, ret, err);
	if (r >= 0 && ret->kind == CREDENTIALS_NONE && store)
		r = ask(lookup, store, ret, err);
	return r;
}

/* One file. @is_legacy: it is what others have under "auths". */
static int search_file(const struct lookup *lookup, bool is_legacy, struct credentials *ret,
		       struct error *err)
{
	/* O_NONBLOCK: a fifo of this name must not hold us up. */
	_cleanup_fd_ int fd = open(lookup->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	const struct json *document = NULL;
	size_t size = 0;
	int r;

	if (fd < 0 && !lookup->is_named && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", lookup->path);
	r = file_read_fd(fd, lookup->path, CREDENTIALS_FILE_MAX, &text, &size, err);
	if (r < 0 || strspn(text, " \t\r\n") == size)
		return r;
	r = json_read(lookup->arena, text, size, lookup->path, &document, err);
	if (r < 0)
		return r;
	if (document->type != JSON_OBJECT)
		return refuse(err, "%s: %s, not an object", lookup->path,
			      json_type_name(document->type));
	return is_legacy ? find_entry(lookup, document, ret, err)
			 : search(lookup, document, ret, err);
}

#define PLACE_COUNT 4

/* The usual files, in their order; NULL where there can be none. */
static void usual_files(const struct credentials_places *places, struct arena *arena,
			const char *ret[static PLACE_COUNT])
{
	const struct {
		const char *directory, *name;
		const char *otherwise; /* beneath the home */
	} rows[PLACE_COUNT] = {
		{places->xdg_runtime_dir, "containers/auth.json", NULL},
		{places->xdg_config_home, "containers/auth.json", ".config/containers/auth.json"},
		{places->docker_config, "config.json", ".docker/config.json"},
		{NULL, NULL, ".dockercfg"},
	};

	for (size_t i = 0; i < PLACE_COUNT; i++) {
		if (rows[i].directory)
			ret[i] = arena_printf(arena, "%s/%s", rows[i].directory, rows[i].name);
		else if (rows[i].otherwise && places->home)
			ret[i] = arena_printf(arena, "%s/%s", places->home, rows[i].otherwise);
		else
			ret[i] = NULL;
	}
	if (!places->xdg_runtime_dir)
		ret[0] = arena_printf(arena, "/run/containers/%u/auth.json", places->uid);
}

int credentials_find(const struct credentials_places *places, const char *domain,
		     const char *repository, bool is_own, struct credentials *ret,
		     struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct lookup lookup = {.arena = arena,
				.domain = domain,
				.place = arena_printf(arena, "%s/%s", domain, repository),
				.places = places};
	const char *files[PLACE_COUNT];
	int r = 0;

	*ret = (struct credentials){.kind = CREDENTIALS_NONE};
	if (is_own && places->creds)
		return split(places->creds, strlen(places->creds), "--creds", ret, err);
	lookup.path = places->authfile ? places->authfile : places->registry_auth_file;
	lookup.is_named = lookup.path != NULL;
	if (lookup.is_named)
		return search_file(&lookup, false, ret, err);
	usual_files(places, arena, files);
	for (size_t i = 0; i < PLACE_COUNT && r >= 0 && ret->kind == CREDENTIALS_NONE; i++) {
		lookup.path = files[i];
		r = files[i] ? search_file(&lookup, i == PLACE_COUNT - 1, ret, err) : 0;
	}
	return r;
}
