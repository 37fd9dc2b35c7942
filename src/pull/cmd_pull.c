/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull [pull] IMAGE [BUNDLE] */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"

#include "bundle/bundle.h"
#include "common/image_limits.h"
#include "common/size.h"
#include "image/platform.h"
#include "image/reference.h"
#include "registry/registry.h"

#include "command.h"
#include "near_command.h"
#include "pull.h"
#include "result.h"

#define PARALLEL_MAX 16

struct values {
	struct bundle_options bundle;
	const char *from, *platform, *creds, *authfile, *tls_ca;
	const char *manifest_bytes, *config_bytes, *layer_bytes, *image_bytes, *entries, *depth,
		*ratio, *layers, *zstd_window;
	struct strv mirrors;
	unsigned parallel, stall_seconds;
	bool insecure, wait, sync, strict_platform;
};

static const struct option options[] = {
	{"from", 0, OPTION_TEXT, offsetof(struct values, from), "SOURCE",
	 "oci:DIR[:REF], oci-archive:FILE or docker-archive:FILE instead of a registry"},
	{"platform", 0, OPTION_TEXT, offsetof(struct values, platform), "OS/ARCH[/VARIANT]",
	 "for which machine (default: this one)"},
	{"strict-platform", 0, OPTION_FLAG, offsetof(struct values, strict_platform), NULL,
	 "refuse an image that says it is for another machine"},
	{"creds", 0, OPTION_TEXT, offsetof(struct values, creds), "USER:PASSWORD",
	 "for the registry"},
	{"authfile", 0, OPTION_TEXT, offsetof(struct values, authfile), "FILE",
	 "where credentials are (default: those of podman and docker)"},
	{"tls-ca", 0, OPTION_TEXT, offsetof(struct values, tls_ca), "FILE",
	 "certificates to trust besides those of the system"},
	{"insecure", 0, OPTION_FLAG, offsetof(struct values, insecure), NULL,
	 "allow http, and certificates that nobody signed"},
	{"mirror", 0, OPTION_LIST, offsetof(struct values, mirrors), "URL",
	 "ask there first (may be given more than once)"},
	{"parallel", 0, OPTION_NUMBER, offsetof(struct values, parallel), "N",
	 "layers at once (default: 4, of which each processor unpacks one)"},
	{"wait", 0, OPTION_FLAG, offsetof(struct values, wait), NULL,
	 "wait where the registry's pull limit is reached"},
	{"stall-timeout", 0, OPTION_NUMBER, offsetof(struct values, stall_seconds), "SECONDS",
	 "without a byte, then a connection is given up (default: 30)"},
	{"sync", 0, OPTION_FLAG, offsetof(struct values, sync), NULL,
	 "write to the disk before it is done"},
	{"max-manifest-size", 0, OPTION_TEXT, offsetof(struct values, manifest_bytes), "SIZE",
	 "of an index or manifest (default: 4m)"},
	{"max-config-size", 0, OPTION_TEXT, offsetof(struct values, config_bytes), "SIZE",
	 "of a configuration (default: 4m)"},
	{"max-layer-size", 0, OPTION_TEXT, offsetof(struct values, layer_bytes), "SIZE",
	 "of a layer, unpacked (default: 100g; 0: any)"},
	{"max-image-size", 0, OPTION_TEXT, offsetof(struct values, image_bytes), "SIZE",
	 "of all layers, unpacked (default: 200g; 0: any)"},
	{"max-files", 0, OPTION_TEXT, offsetof(struct values, entries), "N",
	 "entries of a layer (default: 5000000; 0: any)"},
	{"max-depth", 0, OPTION_TEXT, offsetof(struct values, depth), "N",
	 "components of a path (default: 256)"},
	{"max-ratio", 0, OPTION_TEXT, offsetof(struct values, ratio), "N",
	 "unpacked to packed bytes of a layer (default: 1100; 0: any)"},
	{"max-layers", 0, OPTION_TEXT, offsetof(struct values, layers), "N",
	 "layers of an image (default: 500; 0: any)"},
	{"max-zstd-window", 0, OPTION_TEXT, offsetof(struct values, zstd_window), "SIZE",
	 "how far zstd data may refer back: 1m, 2m … 128m (default: 128m)"},
};

static const struct option_group groups[] = {
	{bundle_option_table, BUNDLE_OPTION_COUNT, offsetof(struct values, bundle)},
};

/* Which flag sets which limit. */
static const struct {
	const char *flag;
	size_t from, to; /* in struct values, in struct limits */
	bool needs_one;	 /* 0 would allow nothing */
} limit_rows[] = {
	{"--max-manifest-size", offsetof(struct values, manifest_bytes),
	 offsetof(struct limits, manifest_bytes), true},
	{"--max-config-size", offsetof(struct values, config_bytes),
	 offsetof(struct limits, config_bytes), true},
	{"--max-layer-size", offsetof(struct values, layer_bytes),
	 offsetof(struct limits, layer_bytes), false},
	{"--max-image-size", offsetof(struct values, image_bytes),
	 offsetof(struct limits, image_bytes), false},
	{"--max-files", offsetof(struct values, entries), offsetof(struct limits, entries), false},
	{"--max-depth", offsetof(struct values, depth), offsetof(struct limits, path_depth), true},
	{"--max-ratio", offsetof(struct values, ratio), offsetof(struct limits, ratio), false},
	{"--max-layers", offsetof(struct values, layers), offsetof(struct limits, layers), false},
	{"--max-zstd-window", offsetof(struct values, zstd_window),
	 offsetof(struct limits, zstd_window), true},
};

/* What the decoder can be told. */
static int check_window(uint64_t bytes, struct error *err)
{
	if ((bytes & (bytes - 1)) == 0 && bytes >= ZSTD_WINDOW_LEAST && bytes <= ZSTD_WINDOW_MOST)
		return 0;
	return refuse(err, "--max-zstd-window: must be a power of two, from 1m to 128m");
}

static int read_limits(const struct values *given, struct limits *limits, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		const char *text = *(const char *const *)((const char *)given + limit_rows[i].from);
		uint64_t *limit = (uint64_t *)((char *)limits + limit_rows[i].to);
		int r;

		if (!text)
			continue;
		r = size_parse(text, limit_rows[i].flag, limit, err);
		if (r < 0)
			return r;
		if (limit_rows[i].needs_one && *limit == 0)
			return refuse(err, "%s: 0 would allow nothing", limit_rows[i].flag);
	}
	return check_window(limits->zstd_window, err);
}

/* The command line, read and checked as far as that goes without an image. */
struct wanted {
	struct limits limits;
	struct platform platform;
	struct reference reference; /* of a registry's image */
	struct registry_options registry;
	const char *bundle; /* or NULL */
	const char *image;  /* or NULL: a local source */
};

static int read_words(const struct values *given, char *const *args, struct wanted *wanted,
		      struct error *err)
{
	const char *second = args[0] ? args[1] : NULL;

	if (!given->from && !args[0])
		return refuse(err, "missing argument: the image (see berth-pull help)");
	if (given->from && second)
		return refuse(err,
			      "unexpected argument \"%s\": with --from the only one is the "
			      "bundle",
			      second);
	wanted->image = given->from ? NULL : args[0];
	wanted->bundle = given->from ? args[0] : second;
	return 0;
}

static int read_values(struct arena *arena, const struct context *context,
		       const struct values *given, struct wanted *wanted, struct error *err)
{
	int r = read_limits(given, &wanted->limits, err);

	platform_of_host(&wanted->platform);
	if (r >= 0 && given->platform)
		r = platform_parse(arena, given->platform, &wanted->platform, err);
	if (r >= 0 && given->parallel > PARALLEL_MAX)
		r = refuse(err, "--parallel: %u is more than %d", given->parallel, PARALLEL_MAX);
	if (r >= 0)
		r = bundle_options_check(&given->bundle, err);
	if (r >= 0 && wanted->bundle)
		r = bundle_check_place(wanted->bundle, err);
	if (r >= 0 && wanted->image)
		r = reference_parse(arena, wanted->image, &wanted->reference, err);
	wanted->registry = (struct registry_options){
		.credentials =
			{
				.creds = given->creds,
				.authfile = given->authfile,
				.registry_auth_file = context->registry_auth_file,
				.xdg_runtime_dir = context->xdg_runtime_dir,
				.xdg_config_home = context->xdg_config_home,
				.home = context->home,
				.docker_config = context->docker_config,
				.uid = context->uid,
				.environment = context->environment,
				.cancelled = context->cancelled,
			},
		.tls_ca = given->tls_ca,
		.insecure = given->insecure,
		.mirrors = &given->mirrors,
		.wait = given->wait,
		.stall_seconds = given->stall_seconds,
		.ssl_cert_file = context->ssl_cert_file,
		.ssl_cert_dir = context->ssl_cert_dir,
		.no_proxy = context->no_proxy,
		.cancelled = context->cancelled,
	};
	return r;
}

static enum progress_style style_of(const struct context *context)
{
	if (context->quiet)
		return PROGRESS_QUIET;
	if (context->json)
		return PROGRESS_JSON;
	return context->term && str_equal(context->term, "dumb") ? PROGRESS_PLAIN : PROGRESS_AUTO;
}

static void say_more(const struct context *context, const char *name, bool was_there,
		     const char *quota)
{
	if (context->json)
		return;
	if (was_there)
		progress_line(style_of(context), "%s: is there already", name);
	if (quota)
		progress_line(style_of(context), "%s", quota);
}

/* Compressed archives are unpacked in the store's own directory for what is in the making. */
static int open_source(const struct values *given, const struct wanted *wanted,
		       const struct store *store, struct source **ret, struct error *err)
{
	if (wanted->image)
		return registry_open(&wanted->reference, &wanted->registry, ret, err);
	return source_open_local(given->from, store->tmp, &wanted->limits, ret, err);
}

/* --sync: store_image_put() has done it for an image that is new. */
static int sync_result(const struct store *store, bool was_there, const char *bundle,
		       struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	int r = was_there ? store_sync(store, err) : 0;

	if (r < 0 || !bundle)
		return r;
	fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) < 0)
		return fail(err, -errno, "write the bundle \"%s\" to the disk", bundle);
	return 0;
}

/* Registries say either of an image that they do not have. */
static int explain_missing(const struct wanted *wanted, int r, struct error *err)
{
	const char *near = wanted->image ? near_command(wanted->image) : NULL;
	const struct error cause = *err;

	if (!near || (r != -ENOENT && r != -EACCES && r != -ENOKEY))
		return r;
	return refuse_as(err, r, "%.1500s (a command is called \"%s\", not \"%s\")", cause.text,
			 near, wanted->image);
}

static int pull(struct arena *arena, const struct context *context, const struct values *given,
		const struct wanted *wanted, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_source_ struct source *source = NULL;
	struct stored_image image;
	const char *quota;
	bool was_there = false;
	struct pull_request request = {
		.store = &store,
		.digest = wanted->image && wanted->reference.has_digest ? &wanted->reference.digest
									: NULL,
		.platform = &wanted->platform,
		.strict_platform = given->strict_platform,
		.limits = &wanted->limits,
		.parallel = given->parallel,
		.user_namespace = context->user_namespace,
		.style = style_of(context),
		.cancelled = context->cancelled,
	};
	int r;

	store.sync = given->sync;
	store.cancelled = context->cancelled;
	r = store_open(context->store, STORE_ADD, &store, err);
	if (r >= 0)
		r = open_source(given, wanted, &store, &source, err);
	if (r < 0)
		return r;
	request.source = source;
	r = pull_image(arena, &request, &image, &was_there, err);
	if (r < 0)
		return explain_missing(wanted, r, err);
	if (wanted->bundle)
		r = bundle_make(&store, &image.config, &given->bundle, wanted->bundle, err);
	if (r >= 0 && given->sync)
		r = sync_result(&store, was_there, wanted->bundle, err);
	if (r < 0)
		return r;
	quota = source->quota ? source->quota(source) : NULL;
	quota = quota && quota[0] ? quota : NULL;
	say_more(context, image.record.name, was_there, quota);
	return print_result(context, &image.record, was_there, wanted->bundle, quota, err);
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	struct values *given = values;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct wanted wanted = {.limits = LIMITS_DEFAULT};
	int r = read_words(given, args, &wanted, err);

	given->bundle.user_namespace = context->user_namespace;
	given->bundle.environment = context->environment;
	given->bundle.xdg_runtime_dir = context->xdg_runtime_dir;
	given->bundle.cancelled = context->cancelled;
	if (r >= 0)
		r = read_values(arena, context, given, &wanted, err);
	return r < 0 ? r : pull(arena, context, given, &wanted, err);
}

const struct command command_pull = {
	.syntax =
		{
			.name = "pull",
			.arguments = "IMAGE [BUNDLE]",
			.summary = "fetch an image, and make a bundle of it",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
			.values_size = sizeof(struct values),
			.args_min = 0,
			.args_max = 2,
		},
	.writes = true,
	.run = run,
};
