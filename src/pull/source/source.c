/* SPDX-License-Identifier: Apache-2.0 */
/* Local sources by name: oci:, oci-archive:, docker-archive:. */
#include <errno.h>

#include "berth/base/path.h"
#include "berth/base/str.h"

#include "image/reference.h"

#include "local_source.h"

/* How many images a message lists. */
#define LISTED_MAX 20

static const struct {
	const char *prefix;
	bool is_archive;
	int (*open)(struct local_files *files, const char *name, const struct local_wish *wish,
		    const struct limits *limits, struct source **ret, struct error *err);
} schemes[] = {
	{"oci:", false, source_open_oci},
	{"oci-archive:", true, source_open_oci},
	{"docker-archive:", true, source_open_docker},
};

void local_source_init(struct local_source *ret, const struct source *calls,
		       struct local_files *files, const char *name)
{
	*ret = (struct local_source){
		.source = *calls,
		.name = xstrdup(name),
		.files = files,
		.arena = arena_new(),
	};
	ret->source.name = ret->name;
}

void local_source_done(struct local_source *local)
{
	local->files->free(local->files);
	arena_free(local->arena);
	free(local->name);
}

bool local_ref_equal(const char *a, const char *b)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct reference left, right;
	struct error ignored = ERROR_NONE;

	if (str_equal(a, b))
		return true;
	return reference_parse(arena, a, &left, &ignored) >= 0 &&
	       reference_parse(arena, b, &right, &ignored) >= 0 && str_equal(left.name, right.name);
}

void local_list_add(struct local_list *list, const char *text)
{
	if (list->count < LISTED_MAX)
		buf_printf(&list->text, "%s%.200s", list->count > 0 ? ", " : "", text);
	else if (list->count == LISTED_MAX)
		buf_add_string(&list->text, ", …");
	list->count++;
}

void local_list_done(struct local_list *list)
{
	buf_done(&list->text);
}

static int check_size(const char *path, uint64_t size, const struct descriptor *want,
		      struct error *err)
{
	if (size == want->size)
		return 0;
	return refuse(err, "\"%s\" is of %ju bytes, where its descriptor says %ju", path,
		      (uintmax_t)size, (uintmax_t)want->size);
}

static int check_digest(const char *path, const struct raw_document *document,
			const struct descriptor *want, struct error *err)
{
	if (digest_equal(&document->digest, &want->digest))
		return 0;
	return refuse_as(err, -EBADMSG, "\"%s\" is damaged: its digest is %s:%s, not %s:%s", path,
			 digest_algorithm_name(document->digest.algorithm), document->digest.hex,
			 digest_algorithm_name(want->digest.algorithm), want->digest.hex);
}

int local_blob_read(const struct local_files *files, const char *path,
		    const struct descriptor *want, uint64_t max, struct raw_document *ret,
		    struct error *err)
{
	_cleanup_raw_document_ struct raw_document made = {.text = NULL};
	int r;

	if (want->data && want->data_size <= max) {
		made.text = memcpy(xcalloc(want->data_size + 1, 1), want->data, want->data_size);
		made.size = want->data_size;
	} else {
		r = local_file_read(files, path, max, &made.text, &made.size, err);
		if (r >= 0)
			r = check_size(path, made.size, want, err);
		if (r < 0)
			return r;
	}
	digest_of(want->digest.algorithm, made.text, made.size, &made.digest);
	r = check_digest(path, &made, want, err);
	if (r < 0)
		return r;
	if (want->media_type[0] != '\0')
		made.content_type = xstrdup(want->media_type);
	*ret = made;
	made = (struct raw_document){.text = NULL};
	return 0;
}

int local_blob_open(const struct local_files *files, const char *path,
		    const struct descriptor *want, struct reader **ret, struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	uint64_t size = 0;
	int r;

	if (want->data) {
		*ret = reader_of_memory(want->data, want->data_size);
		return 0;
	}
	r = local_file_reader(files, path, &reader, &size, err);
	if (r >= 0)
		r = check_size(path, size, want, err);
	if (r < 0)
		return r;
	*ret = take_ptr(&reader);
	return 0;
}

/* Cuts "PATH:REF" and "PATH@DIGEST" in two; *path becomes absolute. */
static int read_wish(struct arena *arena, const char *text, struct local_wish *ret,
		     struct error *err)
{
	char *path = arena_strdup(arena, text);
	char *at = strrchr(path, '@'), *colon;
	_cleanup_free_ char *absolute = NULL;
	struct digest *digest;
	int r;

	if (at && (str_starts(at, "@sha256:") || str_starts(at, "@sha512:"))) {
		*at = '\0';
		digest = arena_alloc(arena, 1, sizeof(*digest));
		r = digest_parse(at + 1, "digest", digest, err);
		if (r < 0)
			return r;
		ret->digest = digest;
	} else {
		colon = strchr(path, ':');
		if (colon) {
			*colon = '\0';
			ret->ref = colon + 1;
		}
	}
	if (path[0] == '\0')
		return refuse(err, "there is no path in it");
	if (ret->ref && ret->ref[0] == '\0')
		return refuse(err, "there is no name after \":\"");
	absolute = path_absolute(path);
	if (!absolute)
		return fail(err, -errno, "find the working directory");
	ret->place = arena_strdup(arena, absolute);
	return 0;
}

static int open_scheme(size_t scheme, const char *text, const char *tmp,
		       const struct limits *limits, struct source **ret, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_local_files_ struct local_files *files = NULL;
	const char *prefix = schemes[scheme].prefix, *name;
	struct local_wish wish = {.place = NULL};
	char digest[DIGEST_TEXT_MAX] = "";
	int r = read_wish(arena, text + strlen(prefix), &wish, err);

	if (r < 0)
		return r;
	if (wish.digest)
		digest_text(wish.digest, digest);
	name = arena_printf(arena, "%s%s%s%s", prefix, wish.place,
			    wish.digest ? "@"
			    : wish.ref	? ":"
					: "",
			    wish.digest ? digest
			    : wish.ref	? wish.ref
					: "");
	if (schemes[scheme].is_archive)
		r = local_files_of_archive(wish.place, tmp, limits, &files, err);
	else
		r = local_files_of_directory(wish.place, &files, err);
	if (r < 0)
		return r;
	return schemes[scheme].open(take_ptr(&files), name, &wish, limits, ret, err);
}

int source_open_local(const char *text, const char *tmp, const struct limits *limits,
		      struct source **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		int r;

		if (!str_starts(text, schemes[i].prefix))
			continue;
		r = open_scheme(i, text, tmp, limits, ret, err);
		return r < 0 ? within(err, r, "source \"%s\"", text) : 0;
	}
	return refuse(err,
		      "source \"%s\": must be oci:DIR, oci-archive:FILE or docker-archive:FILE",
		      text);
}
