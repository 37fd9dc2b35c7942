/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry as a source: manifests, what is tried where, and what is checked. There is no request
 * to /v2/ before: each request asks for what is wanted, and deals with the answer.
 */
#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/log.h"

#include "registry_source.h"
#include "retry.h"

#define HUB "docker.io"

static struct registry *registry_of(struct source *source)
{
	return (struct registry *)source;
}

int registry_ask_all(struct registry *registry, registry_ask ask, void *context, struct error *err)
{
	for (size_t i = 0;; i++) {
		struct endpoint *endpoint = &registry->endpoints[i];
		bool last = i + 1 == registry->endpoint_count, final = false;
		int r;

		if (!last && atomic_load(&endpoint->failed))
			continue;
		r = ask(registry, endpoint, context, &final, err);
		if (r >= 0 || last || final || r == -ECANCELED)
			return r;
		atomic_store(&endpoint->failed, true);
		log_warning("mirror %s: %s", endpoint->name, err->text);
	}
}

/* What a manifest's request is about, and what is known of the answer before. */
struct manifest_question {
	const struct descriptor *want; /* or NULL */
	const char *method;
	uint64_t max;
	char *path;
	const struct digest *digest; /* that the answer must have, or NULL */
	struct raw_document *document;
	struct digest head; /* of HEAD */
	bool has_head;
};

/* The error of an answer other than 200, for people. */
static int status_error(struct registry *registry, struct endpoint *endpoint,
			const struct http_response *response, struct error *err)
{
	const char *quota = news_quota(&registry->news, endpoint->name);
	int r = http_status_error(response, endpoint->name, err);
	struct error cause = *err;

	if (!retry_is_pull_limit(response))
		return r;
	return refuse_as(err, r, "%.1500s%s%s; --wait waits until it is over, a login may raise it",
			 cause.text, quota ? "; " : "", quota ? quota : "");
}

/*
 * The digest that the answer's header gives; 1 if there is one. A header that is no digest is not
 * trusted to be anything else.
 */
static int header_digest(const struct http_response *response, const char *what, struct digest *ret,
			 struct error *err)
{
	const char *text = http_header(response, "docker-content-digest", 0);
	int r;

	if (!text || !*text)
		return 0;
	r = digest_parse(text, "Docker-Content-Digest", ret, err);
	return r < 0 ? within(err, r, "%s", what) : 1;
}

static int check_digest(const struct digest *expected, const char *what, const char *said_by,
			const struct raw_document *document, struct error *err)
{
	char expected_text[DIGEST_TEXT_MAX], text[DIGEST_TEXT_MAX];
	struct digest digest;

	digest_of(expected->algorithm, document->text, document->size, &digest);
	if (digest_equal(expected, &digest))
		return 0;
	return refuse_as(err, -EBADMSG, "%s: the manifest is not what %s says: %s, not %s", what,
			 said_by, digest_text(&digest, text), digest_text(expected, expected_text));
}

static int check_document(const struct manifest_question *question,
			  const struct http_response *response, const char *what,
			  struct raw_document *document, struct error *err)
{
	struct digest said;
	int r;

	if (question->want && document->size != question->want->size)
		return refuse_as(err, -EBADMSG,
				 "%s: a manifest has %zu byte%s, %llu by its descriptor", what,
				 document->size, plural_s(document->size),
				 (unsigned long long)question->want->size);
	/* What was asked for by digest is known already; the header is not needed then. */
	if (question->digest) {
		document->digest = *question->digest;
		return check_digest(question->digest, what, "its digest", document, err);
	}
	digest_of(DIGEST_SHA256, document->text, document->size, &document->digest);
	r = header_digest(response, what, &said, err);
	return r > 0 ? check_digest(&said, what, "Docker-Content-Digest", document, err) : r;
}

static int take_document(struct endpoint *endpoint, struct manifest_question *question,
			 struct http_response *response, struct error *err)
{
	_cleanup_raw_document_ struct raw_document document = {0};
	const char *type = http_header(response, "content-type", 0);
	int r;

	document.text = take_ptr(&response->body);
	document.size = response->body_size;
	document.content_type = type ? xstrdup(type) : NULL;
	r = check_document(question, response, endpoint->name, &document, err);
	if (r < 0)
		return r;
	*question->document = document;
	document = (struct raw_document){0};
	return 0;
}

/*
 * Whether the answer to HEAD leaves it open what GET would bring: many servers, and proxies before
 * them, do one and refuse the other.
 */
static bool may_have_no_head(long status)
{
	return status == 501 || (status / 100 == 4 && status != 408 && status != 429);
}

static int ask_manifest(struct registry *registry, struct endpoint *endpoint, void *context,
			bool *final, struct error *err)
{
	struct manifest_question *question = context;
	_cleanup_free_ char *accept = xasprintf("Accept: %s", image_accept);
	const char *const headers[] = {accept, NULL};
	_cleanup_http_response_ struct http_response response = {0};
	struct http_request request = {
		.method = question->method,
		.url = question->path,
		.headers = headers,
		.body_max = question->max,
		.body_min = question->want ? question->want->size : 0,
		.decodes = true,
	};
	int r = endpoint_request(endpoint, &request, &response, err);

	(void) final;
	if (r == -EFBIG && response.status == 200)
		return refuse_as(err, r, "%s: a manifest of more than %llu byte%s, %s",
				 endpoint->name, (unsigned long long)question->max,
				 plural_s(question->max),
				 question->want ? "its size by its descriptor"
						: "the limit of --max-manifest-size");
	if (r < 0)
		return r;
	news_take(&registry->news, endpoint->name, &response);
	/* Behind a mirror there is somebody whose HEAD counts for no limit. */
	if (!question->document && !endpoint->is_mirror && may_have_no_head(response.status))
		return 0;
	if (response.status != 200)
		return status_error(registry, endpoint, &response, err);
	if (question->document)
		return take_document(endpoint, question, &response, err);
	r = header_digest(&response, endpoint->name, &question->head, err);
	question->has_head = r > 0;
	return r;
}

/* The part of a URL for what the source's name stands for. */
static char *name_path(const struct reference *reference)
{
	char text[DIGEST_TEXT_MAX];

	return xasprintf("manifests/%s", reference->has_digest
						 ? digest_text(&reference->digest, text)
						 : reference->tag);
}

static int registry_document(struct source *source, const struct descriptor *want, uint64_t max,
			     struct raw_document *ret, struct error *err)
{
	struct registry *registry = registry_of(source);
	_cleanup_free_ char *path = NULL;
	char text[DIGEST_TEXT_MAX];
	struct manifest_question question = {
		.want = want, .max = max, .method = "GET", .document = ret};

	if (want && want->size > max)
		return refuse_as(err, -EFBIG,
				 "a manifest of %llu bytes, above the limit of %llu "
				 "(--max-manifest-size)",
				 (unsigned long long)want->size, (unsigned long long)max);
	if (want && registry_take_data(want, ret))
		return 0;
	if (want) {
		question.max = want->size;
		question.digest = &want->digest;
		path = xasprintf("manifests/%s", digest_text(&want->digest, text));
	} else {
		if (registry->reference->has_digest)
			question.digest = &registry->reference->digest;
		path = name_path(registry->reference);
	}
	question.path = path;
	return registry_ask_all(registry, ask_manifest, &question, err);
}

static int registry_head(struct source *source, struct digest *ret, struct error *err)
{
	struct registry *registry = registry_of(source);
	_cleanup_free_ char *path = name_path(registry->reference);
	struct manifest_question question = {.method = "HEAD", .path = path};
	int r;

	if (registry->reference->has_digest) {
		*ret = registry->reference->digest;
		return 0;
	}
	r = registry_ask_all(registry, ask_manifest, &question, err);
	if (r < 0)
		return r;
	if (!question.has_head)
		return -EOPNOTSUPP;
	*ret = question.head;
	return 0;
}

static const char *registry_quota(struct source *source)
{
	struct registry *registry = registry_of(source);

	return news_quota(&registry->news, registry->reference->domain);
}

static void registry_free(struct source *source)
{
	struct registry *registry = registry_of(source);

	for (size_t i = 0; i < registry->endpoint_count; i++)
		endpoint_done(&registry->endpoints[i]);
	free(registry->endpoints);
	http_free(registry->http);
	for (size_t i = 0; registry->certs_dirs[i]; i++)
		free(registry->certs_dirs[i]);
	news_done(&registry->news);
	free(registry);
}

/* Where certificates lie: the user's own first, since a client's certificate is taken from the
 * first place that has one. */
static void set_certs_dirs(struct registry *registry)
{
	const struct credentials_places *places = &registry->options->credentials;
	size_t count = 0;

	if (places->xdg_config_home)
		registry->certs_dirs[count++] =
			xasprintf("%s/containers/certs.d", places->xdg_config_home);
	else if (places->home)
		registry->certs_dirs[count++] =
			xasprintf("%s/.config/containers/certs.d", places->home);
	registry->certs_dirs[count++] = xstrdup("/etc/containers/certs.d");
	registry->certs_dirs[count++] = xstrdup("/etc/docker/certs.d");
}

static int add_endpoints(struct registry *registry, struct error *err)
{
	const struct registry_options *options = registry->options;
	const struct strv *mirrors = options->mirrors;
	size_t count = mirrors && str_equal(registry->reference->domain, HUB) ? mirrors->count : 0;
	int r;

	registry->endpoints = xcalloc(count + 1, sizeof(*registry->endpoints));
	for (size_t i = 0; i < count; i++) {
		r = endpoint_of_mirror(&registry->endpoints[i], registry->http, registry->reference,
				       options, mirrors->items[i], err);
		if (r < 0)
			return r;
		registry->endpoint_count++;
	}
	endpoint_of_registry(&registry->endpoints[count], registry->http, registry->reference,
			     options);
	registry->endpoint_count++;
	return 0;
}

int registry_open(const struct reference *reference, const struct registry_options *options,
		  struct source **ret, struct error *err)
{
	struct registry *registry = xcalloc(1, sizeof(*registry));
	_cleanup_source_ struct source *source = &registry->source;

	registry->source = (struct source){
		.name = reference->name,
		.is_remote = true,
		.document = registry_document,
		.head = registry_head,
		.config = registry_config,
		.fetch = registry_fetch,
		.quota = registry_quota,
		.free = registry_free,
	};
	registry->reference = reference;
	registry->options = options;
	news_init(&registry->news);
	set_certs_dirs(registry);
	registry->http = http_new(&(struct http_options){
		.cancelled = options->cancelled,
		.stall_seconds = options->stall_seconds,
		.insecure = options->insecure,
		.wait = options->wait,
		.tls_ca = options->tls_ca,
		.ssl_cert_file = options->ssl_cert_file,
		.ssl_cert_dir = options->ssl_cert_dir,
		.no_proxy = options->no_proxy,
		.certs_dirs = (const char *const *)registry->certs_dirs,
	});
	if (add_endpoints(registry, err) < 0)
		return err->code;
	*ret = take_ptr(&source);
	return 0;
}
