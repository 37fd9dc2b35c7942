/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are towards one registry.
 *
 * Theory of operation. The first request of a pull goes out without any header: credentials are
 * looked for, and sent, only where the registry itself asks with a challenge. An answer of another
 * origin, behind a redirect, has no say in that (CVE-2020-15157). What was learnt serves all later
 * requests and all threads: one mutex is held while a token is fetched, so that the others wait
 * for it instead of fetching more. A request that was refused carries what it was sent with; where
 * that is not the newest any more, somebody else has renewed it meanwhile, and the request simply
 * goes out again.
 */
#include "auth.h"

#include <errno.h>
#include <pthread.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "challenge.h"
#include "realm.h"
#include "token.h"

/* A token that ends sooner is renewed before it is used. */
#define RENEW_BEFORE_MS 10000

struct auth {
	struct http *http;
	const struct credentials_places *places;
	const struct auth_registry *registry;
	pthread_mutex_t lock; /* of all that follows */
	char *authorization;  /* what requests are to send; NULL: nothing yet */
	int64_t ends_ms;      /* clock_now_ms() at which it does */
	char *realm;	      /* of the token server; NULL: none, as with basic authentication */
	char *service;
	char *scope;
	bool has_looked; /* for credentials */
	struct credentials credentials;
};

struct auth *auth_new(struct http *http, const struct credentials_places *places,
		      const struct auth_registry *registry)
{
	struct auth *auth = xcalloc(1, sizeof(*auth));

	auth->http = http;
	auth->places = places;
	auth->registry = registry;
	auth->scope = xasprintf("repository:%s:pull", registry->repository);
	auth->ends_ms = INT64_MAX;
	if (pthread_mutex_init(&auth->lock, NULL) != 0)
		out_of_memory();
	return auth;
}

struct auth *auth_free(struct auth *auth)
{
	if (!auth)
		return NULL;
	pthread_mutex_destroy(&auth->lock);
	free(auth->authorization);
	free(auth->realm);
	free(auth->service);
	free(auth->scope);
	credentials_done(&auth->credentials);
	free(auth);
	return NULL;
}

void auth_try_done(struct auth_try *attempt)
{
	free(attempt->authorization);
	*attempt = (struct auth_try){.authorization = NULL};
}

static void replace(char **text, char *with)
{
	free(*text);
	*text = with;
}

static void use_newest(const struct auth *auth, struct auth_try *attempt)
{
	replace(&attempt->authorization, auth->authorization ? xstrdup(auth->authorization) : NULL);
}

/* Fetches a token for the scope. */
static int renew(struct auth *auth, struct error *err)
{
	struct token_request request = {.realm = auth->realm,
					.service = auth->service,
					.scope = auth->scope,
					.credentials = &auth->credentials};
	_cleanup_free_ char *token = NULL;
	int64_t begin_ms = clock_now_ms(), seconds = 0;
	int r = token_fetch(auth->http, &request, &token, &seconds, err);

	if (r < 0)
		return r;
	replace(&auth->authorization, xasprintf("Bearer %s", token));
	auth->ends_ms = begin_ms + seconds * 1000;
	log_debug("token for %s of \"%s\", holds for %lld s", auth->scope, auth->realm,
		  (long long)seconds);
	return 0;
}

static int prepare(struct auth *auth, struct auth_try *attempt, struct error *err)
{
	int r = 0;

	if (auth->realm && auth->authorization && auth->ends_ms - clock_now_ms() < RENEW_BEFORE_MS)
		r = renew(auth, err);
	if (r >= 0)
		use_newest(auth, attempt);
	return r;
}

int auth_prepare(struct auth *auth, struct auth_try *attempt, struct error *err)
{
	int r;

	pthread_mutex_lock(&auth->lock);
	r = prepare(auth, attempt, err);
	pthread_mutex_unlock(&auth->lock);
	return r;
}

/* The challenges of an answer. */
static size_t read_challenges(struct arena *arena, const struct http_response *response,
			      struct challenge challenges[static CHALLENGES_MAX])
{
	const char *lines[CHALLENGES_MAX + 1] = {NULL};

	for (size_t i = 0; i < CHALLENGES_MAX; i++)
		lines[i] = http_header(response, "www-authenticate", i);
	return challenges_parse(arena, lines, challenges);
}

/* The same of the registry's version endpoint, which some registries alone give one for. */
static int ask_for_challenges(struct auth *auth, struct arena *arena,
			      struct challenge challenges[static CHALLENGES_MAX], size_t *ret_count,
			      struct error *err)
{
	_cleanup_http_response_ struct http_response response = {0};
	_cleanup_free_ char *url = xasprintf("%s/v2/", auth->registry->base);
	struct http_request request = {.url = url, .no_redirects = true, .body_max = 4096};
	int r = http_request(auth->http, &request, &response, err);

	*ret_count = 0;
	if (r >= 0 && response.status == 401)
		*ret_count = read_challenges(arena, &response, challenges);
	return r;
}

/* Whether the answer is the registry's own; what lies behind a redirect is somebody else. */
static int check_origin(struct auth *auth, const struct http_response *response, struct error *err)
{
	_cleanup_http_url_ struct http_url registry = {0}, answer = {0};
	int r = http_url_parse(auth->http, auth->registry->base, &registry, err);

	if (r >= 0)
		r = http_url_parse(auth->http, response->url, &answer, err);
	if (r >= 0 && !http_url_same_origin(&registry, &answer))
		return refuse_as(err, -EACCES,
				 "\"%s\", to which %s sends us, asks for a login: refused",
				 answer.host, auth->registry->domain);
	return r;
}

/* The realm must be nothing but a URL; libcurl itself says which host that means. */
static int check_realm(struct auth *auth, const char *realm, struct error *err)
{
	_cleanup_http_url_ struct http_url registry = {0}, url = {0};
	int r;

	for (const char *c = realm; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr("\"#<>\\^`{|}", *c))
			return refuse(err, "%s: its token server \"%.200s\" is no URL",
				      auth->registry->domain, realm);
	}
	r = http_url_parse(auth->http, auth->registry->base, &registry, err);
	if (r < 0)
		return r;
	r = http_url_parse(auth->http, realm, &url, err);
	return r < 0 ? within(err, r, "%s: its token server", auth->registry->domain)
		     : realm_check(&registry, &url, err);
}

static int find_credentials(struct auth *auth, struct error *err)
{
	int r;

	if (auth->has_looked)
		return 0;
	r = credentials_find(auth->places, auth->registry->domain, auth->registry->repository,
			     auth->registry->is_own, &auth->credentials, err);
	auth->has_looked = r >= 0;
	if (r >= 0 && auth->credentials.kind != CREDENTIALS_NONE)
		log_debug("credentials for %s: %s", auth->registry->domain,
			  auth->credentials.origin);
	return r;
}

static int needs_login(const struct auth *auth, struct error *err)
{
	return refuse_as(err, -ENOKEY,
			 "%s/%s does not exist, or needs a login: use --creds or --authfile",
			 auth->registry->domain, auth->registry->repository);
}

/* Access was refused to what we have shown. */
static int denied(const struct auth *auth, struct error *err)
{
	const struct credentials *credentials = &auth->credentials;

	if (credentials->kind == CREDENTIALS_NONE)
		return needs_login(auth, err);
	if (!auth->realm)
		return refuse_as(err, -EKEYREJECTED, "%s takes no such credentials: those of %s",
				 auth->registry->domain, credentials->origin);
	return refuse_as(err, -EACCES,
			 "%s/%s does not exist, or is not for the user with the credentials of %s",
			 auth->registry->domain, auth->registry->repository, credentials->origin);
}

/* Answers a challenge of scheme "basic". */
static int use_basic(struct auth *auth, struct error *err)
{
	if (auth->credentials.kind == CREDENTIALS_NONE)
		return needs_login(auth, err);
	if (auth->credentials.kind != CREDENTIALS_PASSWORD)
		return refuse_as(err, -EKEYREJECTED,
				 "%s wants a name and a password; %s holds a token",
				 auth->registry->domain, auth->credentials.origin);
	replace(&auth->realm, NULL);
	replace(&auth->authorization, token_basic(&auth->credentials));
	auth->ends_ms = INT64_MAX;
	return 0;
}

/* Answers a challenge of scheme "bearer". */
static int use_bearer(struct auth *auth, const struct challenge *challenge, struct error *err)
{
	int r;

	if (auth->credentials.kind == CREDENTIALS_REGISTRY_TOKEN) {
		replace(&auth->realm, NULL);
		replace(&auth->authorization, xasprintf("Bearer %s", auth->credentials.secret));
		return 0;
	}
	if (!challenge->realm)
		return refuse(err, "%s asks for a token and does not say where to get it",
			      auth->registry->domain);
	r = check_realm(auth, challenge->realm, err);
	if (r < 0)
		return r;
	replace(&auth->realm, xstrdup(challenge->realm));
	replace(&auth->service, challenge->service ? xstrdup(challenge->service) : NULL);
	return renew(auth, err);
}

/*
 * Whether the registry names another scope than the one that our token is for, and says that it is
 * not enough, or refuses a token that is new. Where names are rewritten on the way, only the
 * registry knows its own.
 */
static bool wants_other_scope(const struct auth *auth, const struct challenge *bearer,
			      const struct auth_try *attempt)
{
	bool refuses = attempt->renewed ||
		       (bearer && bearer->error && str_equal(bearer->error, "insufficient_scope"));

	return bearer && refuses && bearer->scope && !str_equal(bearer->scope, auth->scope);
}

/* Both may be offered. Without a realm, tokens are made elsewhere: that is no way for a password.
 */
static bool is_for_basic(const struct auth *auth, const struct challenge *bearer,
			 const struct challenge *basic)
{
	return basic &&
	       (!bearer || (!bearer->realm && auth->credentials.kind == CREDENTIALS_PASSWORD));
}

/* @count is above 0. */
static int answer(struct auth *auth, const struct challenge *challenges, size_t count,
		  struct auth_try *attempt, struct error *err)
{
	const struct challenge *bearer = challenge_find(challenges, count, "bearer");
	const struct challenge *basic = challenge_find(challenges, count, "basic");
	int r;

	if (!attempt->widened && wants_other_scope(auth, bearer, attempt)) {
		attempt->widened = true;
		replace(&auth->scope, xstrdup(bearer->scope));
	} else if (attempt->renewed) {
		return denied(auth, err);
	}
	attempt->renewed = true;
	r = find_credentials(auth, err);
	if (r < 0)
		return r;
	if (is_for_basic(auth, bearer, basic))
		return use_basic(auth, err);
	if (bearer)
		return use_bearer(auth, bearer, err);
	return refuse_as(err, -EACCES, "%s asks for a login in a way that is not known: \"%.100s\"",
			 auth->registry->domain, challenges[0].scheme);
}

/* There is no challenge that can be read. */
static int speechless(const struct auth *auth, const struct http_response *response,
		      struct auth_try *attempt, struct error *err)
{
	const char *words = http_header(response, "www-authenticate", 0);

	if (attempt->renewed)
		return denied(auth, err);
	attempt->renewed = true;
	if (!words)
		return refuse_as(err, -EACCES, "%s asks for a login and does not say how",
				 auth->registry->domain);
	return refuse_as(err, -EACCES,
			 "%s asks for a login in words that cannot be read: \"%.200s\"",
			 auth->registry->domain, words);
}

static int challenged(struct auth *auth, const struct http_response *response,
		      struct auth_try *attempt, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct challenge challenges[CHALLENGES_MAX];
	size_t count;
	int r = check_origin(auth, response, err);

	if (r < 0)
		return r;
	if (!attempt->renewed && auth->authorization &&
	    (!attempt->authorization || !str_equal(attempt->authorization, auth->authorization))) {
		attempt->renewed = true;
		return 0;
	}
	count = read_challenges(arena, response, challenges);
	if (count == 0)
		r = ask_for_challenges(auth, arena, challenges, &count, err);
	if (r < 0)
		return r;
	return count > 0 ? answer(auth, challenges, count, attempt, err)
			 : speechless(auth, response, attempt, err);
}

int auth_challenged(struct auth *auth, const struct http_response *response,
		    struct auth_try *attempt, struct error *err)
{
	int r;

	pthread_mutex_lock(&auth->lock);
	r = challenged(auth, response, attempt, err);
	if (r >= 0)
		use_newest(auth, attempt);
	pthread_mutex_unlock(&auth->lock);
	return r;
}
