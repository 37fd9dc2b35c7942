/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: whole ones in memory, and layers as streams that go on where they broke off.
 *
 * A download that goes on asks the registry again, not where it was redirected to: such URLs
 * expire. What comes must begin where the sink ends: a 206 that says so, or a 200, of which the
 * first bytes are thrown away then. A server whose ranges are wrong is asked without them from then
 * on. That the bytes are those of the descriptor is the sink's to check; here only their number is.
 */
#include <errno.h>

#include "berth/base/alloc.h"

#include "registry_source.h"
#include "retry.h"

struct fetch {
	struct http_sink http_sink; /* first */
	const struct descriptor *layer;
	struct blob_sink *sink;
	char *what; /* "layer sha256:…" */
	struct retry retry;
	uint64_t skip;	  /* of the answer under way: bytes that are here already */
	bool no_range;	  /* the server's ranges are of no use */
	bool bad_range;	  /* that has just turned out */
	bool failed_here; /* it is the sink that failed: no other server helps */
};

/* "bytes 7-99/100" */
static bool read_range(const char *text, uint64_t *ret_first, uint64_t *ret_total)
{
	static const char unit[] = "bytes ";
	const char *dash, *slash;
	_cleanup_free_ char *first = NULL;

	if (!text || !str_starts(text, unit))
		return false;
	text += strlen(unit);
	dash = strchr(text, '-');
	slash = strchr(text, '/');
	if (!dash || !slash || dash > slash)
		return false;
	first = xstrndup(text, (size_t)(dash - text));
	return str_to_u64(first, ret_first) >= 0 && str_to_u64(slash + 1, ret_total) >= 0;
}

/* Whether the length that is announced, if it is, is the one that is expected. */
static int check_length(const struct fetch *fetch, const struct http_response *response,
			uint64_t expected, struct error *err)
{
	const char *text = http_header(response, "content-length", 0);
	uint64_t length;

	if (!text || str_to_u64(text, &length) < 0 || length == expected)
		return 0;
	return refuse_as(err, -EBADMSG, "%s: the server sends %llu byte%s, not %llu", fetch->what,
			 (unsigned long long)length, plural_s(length),
			 (unsigned long long)expected);
}

static int begin(struct http_sink *self, const struct http_response *response, struct error *err)
{
	struct fetch *fetch = (struct fetch *)self;
	uint64_t size = fetch->layer->size, first, total;
	const char *range = http_header(response, "content-range", 0);

	fetch->skip = 0;
	if (response->status == 200) {
		fetch->skip = fetch->sink->offset;
		return check_length(fetch, response, size, err);
	}
	if (response->status != 206)
		return refuse_as(err, -EPROTO, "%s: status %ld is no answer to that", fetch->what,
				 response->status);
	if (read_range(range, &first, &total) && first == fetch->sink->offset && total == size)
		return check_length(fetch, response, size - first, err);
	fetch->bad_range = true;
	return refuse_as(err, -EPROTO, "%s: the server sends \"%.100s\" instead of bytes %llu-%llu",
			 fetch->what, range ? range : "no range",
			 (unsigned long long)fetch->sink->offset, (unsigned long long)size - 1);
}

static int write_bytes(struct http_sink *self, const void *data, size_t size, struct error *err)
{
	struct fetch *fetch = (struct fetch *)self;
	struct blob_sink *sink = fetch->sink;
	uint64_t left = fetch->layer->size - sink->offset;
	size_t skip = size < fetch->skip ? size : (size_t)fetch->skip;
	int r;

	fetch->skip -= skip;
	size -= skip;
	if (size > left)
		return refuse_as(err, -EBADMSG,
				 "%s: the server sends more than the %llu byte%s of its descriptor",
				 fetch->what, (unsigned long long)fetch->layer->size,
				 plural_s(fetch->layer->size));
	if (size == 0)
		return 0;
	r = sink->write(sink, (const char *)data + skip, size, err);
	fetch->failed_here = r < 0;
	fetch->retry.received += size;
	return r;
}

/* One try, from a registry or a URL. */
typedef int (*fetch_try)(void *from, const struct http_request *request, struct http_response *ret,
			 struct error *err);

static int try_once(struct fetch *fetch, fetch_try try, void *from, struct http_request *request,
		    struct http_response *ret, struct error *err)
{
	uint64_t size = fetch->layer->size;
	int r;

	fetch->bad_range = false;
	request->sink = &fetch->http_sink;
	request->offset = fetch->no_range ? 0 : fetch->sink->offset;
	r = try(from, request, ret, err);
	/* Without an announced length, a connection that broke looks like the end. */
	if (r >= 0 && ret->status / 100 == 2 && fetch->sink->offset < size) {
		ret->failure = HTTP_FAILURE_BROKEN;
		return refuse_as(err, -ECONNRESET,
				 "%s: the server's answer ended at %llu of %llu byte%s",
				 fetch->what, (unsigned long long)fetch->sink->offset,
				 (unsigned long long)size, plural_s(size));
	}
	return r;
}

/* Whether the try failed for its range only, and so is to be made without. */
static int give_up_range(struct fetch *fetch, const struct http_request *request,
			 const struct http_response *response, int r, struct error *err)
{
	if (request->offset == 0)
		return 0;
	if (r < 0 && fetch->bad_range) {
		fetch->no_range = true;
		return 1;
	}
	if (r < 0 || response->status != 416)
		return 0;
	/* It has less than what is here: that may be of another blob. */
	fetch->no_range = true;
	r = fetch->sink->restart(fetch->sink, err);
	fetch->failed_here = r < 0;
	return r < 0 ? r : 1;
}

static int fetch_from(struct fetch *fetch, struct http *http, fetch_try try, void *from,
		      const char *url, struct error *err)
{
	struct http_request request = {.url = url, .cancelled = fetch->sink->abandoned};

	fetch->no_range = false;
	while (fetch->sink->offset < fetch->layer->size) {
		_cleanup_http_response_ struct http_response response = {0};
		int r = try_once(fetch, try, from, &request, &response, err), again;

		if (r >= 0 && response.status / 100 == 2)
			continue;
		again = give_up_range(fetch, &request, &response, r, err);
		if (again == 0)
			again = http_again(http, &fetch->retry, &request, &response, r, err);
		if (again < 0)
			return again;
		if (again == 0)
			return r < 0 ? r : http_status_error(&response, fetch->what, err);
	}
	return 0;
}

static int try_endpoint(void *from, const struct http_request *request, struct http_response *ret,
			struct error *err)
{
	return endpoint_try(from, request, ret, err);
}

static int try_url(void *from, const struct http_request *request, struct http_response *ret,
		   struct error *err)
{
	return http_try(from, request, ret, err);
}

static char *blob_path(const struct descriptor *blob)
{
	char text[DIGEST_TEXT_MAX];

	return xasprintf("blobs/%s", digest_text(&blob->digest, text));
}

static int ask_layer(struct registry *registry, struct endpoint *endpoint, void *context,
		     bool *final, struct error *err)
{
	struct fetch *fetch = context;
	_cleanup_free_ char *path = blob_path(fetch->layer);
	int r;

	fetch->retry = (struct retry){.has_fallback = endpoint->is_mirror};
	r = fetch_from(fetch, registry->http, try_endpoint, endpoint, path, err);
	*final = fetch->failed_here;
	return r;
}

/* Layers that registries may not have: their descriptors say where else they are. */
static bool is_foreign(const struct descriptor *layer)
{
	return layer->urls && (strstr(layer->media_type, ".foreign.") ||
			       strstr(layer->media_type, ".nondistributable."));
}

/* Without any credentials: the URL is the image's, and may lead anywhere. */
static int fetch_foreign(struct registry *registry, struct fetch *fetch, struct error *err)
{
	struct error first = *err;

	for (const char *const *url = fetch->layer->urls; *url; url++) {
		int r;

		fetch->retry = (struct retry){.has_fallback = url[1] != NULL};
		r = fetch_from(fetch, registry->http, try_url, registry->http, *url, err);
		if (r >= 0 || fetch->failed_here || r == -ECANCELED)
			return r;
	}
	return within(err, err->code, "%.600s; elsewhere: ", first.text);
}

bool registry_take_data(const struct descriptor *want, struct raw_document *ret)
{
	struct buf text = BUF_EMPTY;

	if (!want->data)
		return false;
	buf_add(&text, want->data, want->data_size);
	*ret = (struct raw_document){.size = text.size, .digest = want->digest};
	ret->text = buf_take(&text);
	return true;
}

int registry_fetch(struct source *source, const struct descriptor *layer, struct blob_sink *sink,
		   struct error *err)
{
	struct registry *registry = (struct registry *)source;
	char text[DIGEST_TEXT_MAX];
	_cleanup_free_ char *what = xasprintf("layer %s", digest_text(&layer->digest, text));
	struct fetch fetch = {
		.http_sink = {.begin = begin, .write = write_bytes},
		.layer = layer,
		.sink = sink,
		.what = what,
	};
	int r = 0;

	if (sink->offset > layer->size)
		r = sink->restart(sink, err);
	if (r < 0 || sink->offset == layer->size)
		return r;
	if (layer->data)
		return sink->write(sink, (const char *)layer->data + sink->offset,
				   layer->data_size - sink->offset, err);
	r = registry_ask_all(registry, ask_layer, &fetch, err);
	if (r >= 0 || fetch.failed_here || r == -ECANCELED || !is_foreign(layer))
		return r;
	return fetch_foreign(registry, &fetch, err);
}

struct config_question {
	const struct descriptor *want;
	struct raw_document *document;
};

static int check_config(const struct descriptor *want, const struct raw_document *document,
			struct error *err)
{
	char text[DIGEST_TEXT_MAX];

	if (document->size == want->size && digest_equal(&document->digest, &want->digest))
		return 0;
	return refuse_as(
		err, -EBADMSG, "configuration %s: what came is something else (%zu byte%s)",
		digest_text(&want->digest, text), document->size, plural_s(document->size));
}

static int ask_config(struct registry *registry, struct endpoint *endpoint, void *context,
		      bool *final, struct error *err)
{
	struct config_question *question = context;
	_cleanup_raw_document_ struct raw_document document = {0};
	_cleanup_http_response_ struct http_response response = {0};
	_cleanup_free_ char *path = blob_path(question->want);
	struct http_request request = {
		.url = path, .body_max = question->want->size, .body_min = question->want->size};
	char text[DIGEST_TEXT_MAX];
	int r = endpoint_request(endpoint, &request, &response, err);

	(void)registry;
	(void) final;
	if (r == -EFBIG && response.status == 200)
		return refuse_as(
			err, -EBADMSG,
			"the configuration is longer than the %llu byte%s of its descriptor",
			(unsigned long long)question->want->size, plural_s(question->want->size));
	if (r < 0)
		return r;
	if (response.status != 200)
		return within(err, http_status_error(&response, endpoint->name, err),
			      "configuration %s", digest_text(&question->want->digest, text));
	document.text = take_ptr(&response.body);
	document.size = response.body_size;
	digest_of(question->want->digest.algorithm, document.text, document.size, &document.digest);
	r = check_config(question->want, &document, err);
	if (r < 0)
		return r;
	*question->document = document;
	document = (struct raw_document){0};
	return 0;
}

int registry_config(struct source *source, const struct descriptor *want, uint64_t max,
		    struct raw_document *ret, struct error *err)
{
	struct registry *registry = (struct registry *)source;
	struct config_question question = {.want = want, .document = ret};

	if (want->size > max)
		return refuse_as(err, -EFBIG,
				 "a configuration of %llu bytes, above the limit of %llu "
				 "(--max-config-size)",
				 (unsigned long long)want->size, (unsigned long long)max);
	if (registry_take_data(want, ret))
		return 0;
	return registry_ask_all(registry, ask_config, &question, err);
}
