/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's mounts[]. */
#include "tables-internal.h"

static int decode_options(const struct decoder *d, const struct field *field,
			  const struct node *node, void *base, struct error *err)
{
	struct spec_mount *mount = base;
	const char *const *options;
	const char **flags, **data;
	int r = decode_strings(d, node, &options, err);

	(void)field;
	if (r < 0)
		return r;
	flags = arena_alloc(d->arena, node->value->count + 1, sizeof(*flags));
	data = arena_alloc(d->arena, node->value->count + 1, sizeof(*data));
	mount->sb_flags = flags;
	mount->data = data;
	for (size_t i = 0; options[i] != NULL; i++) {
		if (options[i][0] == '\0')
			continue;
		r = mount_option_apply(options[i], mount, flags, data, err);
		if (r < 0)
			return within(err, r, "mounts[%zu].options[%zu]", node->up->index, i);
		flags += *flags != NULL;
		data += *data != NULL;
	}
	return 0;
}

/*
 * A bind mount has the file system that is there already. mount(2) takes no notice of options for
 * one then, engines rely on that, and runtime-tools tests it.
 */
static void drop_bind_options(struct spec_mount *mount)
{
	static const char *const none[] = {NULL};

	mount->data = none;
}

static int check_bind(const struct decoder *d, const struct node *node, struct spec_mount *mount,
		      struct error *err)
{
	const struct node source = node_member(node, "source");

	if (mount->source != NULL) {
		mount->source = path_in_bundle(d->arena, d->bundle, mount->source);
	} else if (!mount->remount) {
		return refuse_at(&source, err, "required for a bind mount, but missing");
	}
	drop_bind_options(mount);
	return 0;
}

/* Maps without the option mean the option, as with runc. */
static int check_id_map(const struct node *node, struct spec_mount *mount, struct error *err)
{
	const struct spec_id_maps *maps = &mount->id_maps;
	const struct node options = {.up = node, .member = "options"};
	const struct node lonely = {.up = node,
				    .member = maps->uid_count ? "gidMappings" : "uidMappings"};
	int r = id_maps_check(node, maps, err);

	if (r < 0)
		return r;
	if (!maps->uid_count != !maps->gid_count)
		return refuse_at(&lonely, err, "required where ids are mapped, but missing");
	mount->id_map |= maps->uid_count > 0;
	if (mount->id_map && (!mount->bind || mount->remount))
		return refuse_at(&options, err, "ids are mapped by bind mounts only");
	return 0;
}

static int check_mount(const struct decoder *d, const struct node *node, void *base,
		       struct error *err)
{
	static const char *const none[] = {NULL};
	struct spec_mount *mount = base;
	const struct node type = node_member(node, "type");
	int r;

	mount->index = node->index;
	if (mount->type == NULL)
		mount->type = "";
	if (mount->sb_flags == NULL)
		mount->sb_flags = none;
	if (mount->data == NULL)
		mount->data = none;
	if (mount->destination[0] != '/')
		mount->destination = arena_printf(d->arena, "/%s", mount->destination);
	/* A dummy, says the specification; but writers that give this type mean what it says. */
	if (str_equal(mount->type, "bind"))
		mount->bind = true;
	r = check_id_map(node, mount, err);
	if (r < 0)
		return r;
	if (mount->bind)
		return check_bind(d, node, mount, err);
	if (mount->type[0] == '\0' && !mount->remount)
		return refuse_at(&type, err,
				 "required, but missing (without \"bind\" or \"rbind\" among the "
				 "options)");
	return 0;
}

static const struct field mount_fields[] = {
	{.name = "destination",
	 .kind = FIELD_STRING,
	 .required = true,
	 AT(struct spec_mount, destination),
	 .empty = EMPTY_REFUSED},
	{.name = "type", .kind = FIELD_STRING, AT(struct spec_mount, type)},
	{.name = "source", .kind = FIELD_STRING, AT(struct spec_mount, source)},
	{.name = "options", .kind = FIELD_CUSTOM, .custom = decode_options},
	{.name = "uidMappings",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_mount, id_maps.uid),
	 .count = offsetof(struct spec_mount, id_maps.uid_count),
	 .table = &id_map_table},
	{.name = "gidMappings",
	 .kind = FIELD_ARRAY,
	 AT(struct spec_mount, id_maps.gid),
	 .count = offsetof(struct spec_mount, id_maps.gid_count),
	 .table = &id_map_table},
};

const struct table mount_table = {FIELDS(mount_fields), .size = sizeof(struct spec_mount),
				  .check = check_mount};
