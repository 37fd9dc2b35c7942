/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json document itself: its outermost object, and the functions that decode one. */
#include <stdlib.h>

#include "berth/base/path.h"

#include "tables-internal.h"

/* What SPEC_VERSION_MIN to SPEC_VERSION_MAX come down to, see version_supported(). */
#define VERSION_MAJOR	  1
#define VERSION_MINOR_MAX 3

char *path_in_bundle(struct arena *arena, const char *bundle, const char *path)
{
	_cleanup_free_ char *joined = path_join(bundle, path);

	return arena_strdup(arena, joined);
}

/* Takes a number and what follows it, @end, off *@rest. */
static bool take_number(const char **rest, const char *end, uint32_t *ret)
{
	char digits[8];
	size_t length = strspn(*rest, "0123456789");

	if (length == 0 || length >= sizeof(digits))
		return false;
	memcpy(digits, *rest, length);
	digits[length] = '\0';
	*rest += length;
	if (str_to_u32(digits, ret) < 0)
		return false;
	if (end[0] == '\0')
		return true;
	if (**rest != end[0])
		return false;
	(*rest)++;
	return true;
}

/* Takes one list of identifiers of semantic versioning off *@rest, "rc.1", after its @mark. */
static bool take_identifiers(const char **rest, char mark)
{
	static const char allowed[] = "0123456789-"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";

	if (**rest != mark)
		return true;
	do {
		size_t length = strspn(++*rest, allowed);

		if (length == 0)
			return false;
		*rest += length;
	} while (**rest == '.');
	return true;
}

/*
 * Semantic versioning: documents of any minor version up to our own are compatible, and so are
 * those of later patches and of pre-releases.
 */
static int check_version(const struct node *document, const char *version, struct error *err)
{
	const struct node node = node_member(document, "ociVersion");
	const char *rest = version;
	uint32_t major, minor, patch;

	if (!take_number(&rest, ".", &major) || !take_number(&rest, ".", &minor) ||
	    !take_number(&rest, "", &patch) || !take_identifiers(&rest, '-') ||
	    !take_identifiers(&rest, '+') || *rest != '\0')
		return refuse_at(&node, err,
				 "\"%.100s\" is not a version of the form MAJOR.MINOR.PATCH",
				 version);
	if (major != VERSION_MAJOR || minor > VERSION_MINOR_MAX)
		return refuse_at(&node, err,
				 "\"%.100s\" is not supported, must be from " SPEC_VERSION_MIN
				 " to " SPEC_VERSION_MAX " (later patches included)",
				 version);
	return 0;
}

static int decode_root_path(const struct decoder *d, const struct field *field,
			    const struct node *node, void *base, struct error *err)
{
	struct spec *spec = base;
	const char *path;
	int r = decode_string(node, &path, err);

	(void)field;
	if (r < 0)
		return r;
	if (path[0] == '\0')
		return refuse_at(node, err, "must not be empty");
	spec->root_path = path_in_bundle(d->arena, d->bundle, path);
	return 0;
}

static const struct field root_fields[] = {
	{.name = "path", .kind = FIELD_CUSTOM, .required = true, .custom = decode_root_path},
	{.name = "readonly", .kind = FIELD_BOOL, AT(struct spec, root_readonly)},
};

static const struct table root_table = {FIELDS(root_fields), .size = sizeof(struct spec)};

static int decode_version(const struct decoder *d, const struct field *field,
			  const struct node *node, void *base, struct error *err)
{
	struct spec *spec = base;
	int r = decode_string(node, &spec->oci_version, err);

	(void)d;
	(void)field;
	return r < 0 ? r : check_version(node->up, spec->oci_version, err);
}

/* An annotation of crun's: which of mount(8)'s options for labels mountLabel stands for. */
static int decode_context_type(const struct node *annotations, struct spec *spec, struct error *err)
{
	static const char *const names[] = {"context", "fscontext", "defcontext", "rootcontext",
					    NULL};

	spec->linux.mount_context = names[0];
	for (size_t i = 0; i < spec->annotations.count; i++) {
		const struct spec_string_pair *pair = &spec->annotations.items[i];
		const struct node node = {.up = annotations, .key = pair->key};
		int choice;

		if (!str_equal(pair->key, "run.oci.mount_context_type"))
			continue;
		choice = choice_index(names, pair->value);
		if (choice < 0)
			return refuse_choice(&node, pair->value, names, err);
		spec->linux.mount_context = names[choice];
	}
	return 0;
}

static int check_config(const struct decoder *d, const struct node *node, void *base,
			struct error *err)
{
	struct spec *spec = base;
	const struct node annotations = node_member(node, "annotations");
	int r = overlay_decode(d, &annotations, &spec->annotations, &spec->overlay, err);

	if (r >= 0)
		r = decode_context_type(&annotations, spec, err);
	return r < 0 ? r : spec_validate(node, spec, err);
}

/* Sections of other platforms and of virtual machines are not for us, and are not looked at. */
static const struct field config_fields[] = {
	{.name = "ociVersion", .kind = FIELD_CUSTOM, .required = true, .custom = decode_version},
	{.name = "process",
	 .kind = FIELD_POINTER,
	 AT(struct spec, process),
	 .table = &process_table},
	{.name = "root", .kind = FIELD_OBJECT, .required = true, .table = &root_table},
	{.name = "hostname", .kind = FIELD_STRING, AT(struct spec, hostname)},
	{.name = "domainname", .kind = FIELD_STRING, AT(struct spec, domainname)},
	{.name = "mounts",
	 .kind = FIELD_ARRAY,
	 AT(struct spec, mounts),
	 .count = offsetof(struct spec, mount_count),
	 .table = &mount_table},
	{.name = "hooks", .kind = FIELD_OBJECT, .table = &hooks_table},
	{.name = "annotations", .kind = FIELD_MAP, AT(struct spec, annotations)},
	{.name = "linux", .kind = FIELD_OBJECT, AT(struct spec, linux), .table = &linux_table},
};

static const struct table config_table = {FIELDS(config_fields), .size = sizeof(struct spec),
					  .check = check_config};

int spec_decode(struct arena *arena, const char *text, size_t size, const char *bundle,
		const struct spec **ret, struct error *err)
{
	const struct decoder d = {.arena = arena, .bundle = bundle};
	struct node document = {.up = NULL, .key = "config.json"};
	struct spec *spec = arena_alloc(arena, 1, sizeof(*spec));
	int r = json_read(arena, text, size, "config.json", &document.value, err);

	if (r < 0)
		return r;
	r = decode_object(&d, &config_table, &document, spec, err);
	if (r < 0)
		return r;
	*ret = spec;
	return 0;
}

int spec_decode_process(struct arena *arena, const char *text, size_t size, const char *what,
			const struct spec_process **ret, struct error *err)
{
	const struct decoder d = {.arena = arena, .bundle = NULL};
	struct node document = {.up = NULL};
	struct spec_process *process = arena_alloc(arena, 1, sizeof(*process));
	int r = json_read(arena, text, size, what, &document.value, err);

	if (r < 0)
		return r;
	r = decode_object(&d, &process_table, &document, process, err);
	if (r < 0)
		return within(err, r, "%s", what);
	*ret = process;
	return 0;
}
