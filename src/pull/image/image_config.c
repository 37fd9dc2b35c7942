/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's configuration: image-spec config.md, and what Docker wrote before there was one. What
 * has no meaning for a bundle (Healthcheck, OnBuild, Shell, what Docker once noted of the container
 * that an image was made from) is passed over.
 */
#include "berth/base/str.h"

#include "common/fields.h"

#include "image.h"
#include "platform.h"

static const char *const names[] = {
	"created", "author", "architecture", "os",	"os.version", "os.features",
	"variant", "config", "rootfs",	     "history", NULL,
};

static const char *const config_names[] = {
	"User",	      "ExposedPorts", "Env",	    "Entrypoint",  "Cmd",	  "Volumes",
	"WorkingDir", "Labels",	      "StopSignal", "ArgsEscaped", "Healthcheck", NULL,
};

static const char *const rootfs_names[] = {"type", "diff_ids", NULL};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of an object's members, sorted, as writers in Go make a set of texts. */
static int read_set(struct arena *arena, const struct json *object, const char *name,
		    const char *const **ret, struct error *err)
{
	const struct json *set;
	const char **list;
	size_t count = 0;
	int r = field_value(object, name, JSON_OBJECT, &set, err);

	if (r < 0 || !set)
		return r;
	list = arena_alloc(arena, set->count + 1, sizeof(*list));
	for (const struct json *member = set->item; member; member = member->next) {
		if (member->type != JSON_OBJECT && member->type != JSON_NULL)
			return refuse(err, "%s[\"%.100s\"]: found %s, must be an object", name,
				      member->key, json_type_name(member->type));
		list[count++] = member->key;
	}
	qsort(list, count, sizeof(*list), compare_texts);
	*ret = list;
	return 0;
}

static int read_labels(const struct json *object, const struct json **ret, struct error *err)
{
	int r = field_value(object, "Labels", JSON_OBJECT, ret, err);

	if (r < 0 || !*ret)
		return r;
	for (const struct json *label = (*ret)->item; label; label = label->next) {
		if (label->type != JSON_STRING)
			return refuse(err, "Labels[\"%.100s\"]: found %s, must be a string",
				      label->key, json_type_name(label->type));
	}
	return 0;
}

/* "config": how a container of the image is started. */
static int read_execution(struct arena *arena, const struct json *object, struct image_config *ret,
			  struct error *err)
{
	int r = fields_check(object, config_names, err);

	if (r >= 0)
		r = field_text(object, "User", &ret->user, err);
	if (r >= 0)
		r = field_text(object, "WorkingDir", &ret->working_dir, err);
	if (r >= 0)
		r = field_text(object, "StopSignal", &ret->stop_signal, err);
	if (r >= 0)
		r = field_texts(arena, object, "Env", &ret->env, err);
	if (r >= 0)
		r = field_texts(arena, object, "Entrypoint", &ret->entrypoint, err);
	if (r >= 0)
		r = field_texts(arena, object, "Cmd", &ret->cmd, err);
	if (r >= 0)
		r = read_set(arena, object, "ExposedPorts", &ret->exposed_ports, err);
	if (r >= 0)
		r = read_set(arena, object, "Volumes", &ret->volumes, err);
	if (r >= 0)
		r = read_labels(object, &ret->labels, err);
	return r;
}

static int read_diff_ids(struct arena *arena, const struct json *rootfs, struct image_config *ret,
			 struct error *err)
{
	const char *const *texts;
	size_t count = 0;
	int r = field_texts(arena, rootfs, "diff_ids", &texts, err);

	if (r < 0 || !texts)
		return r;
	while (texts[count])
		count++;
	if (count > MANIFEST_LAYERS_MAX)
		return refuse(err, "diff_ids: there are %zu, at most %d are read", count,
			      MANIFEST_LAYERS_MAX);
	ret->diff_ids = arena_alloc(arena, count, sizeof(*ret->diff_ids));
	for (size_t i = 0; i < count; i++) {
		r = digest_parse(texts[i], "diff_ids", &ret->diff_ids[i], err);
		if (r < 0)
			return r;
	}
	ret->diff_id_count = count;
	return 0;
}

static int read_rootfs(struct arena *arena, const struct json *object, struct image_config *ret,
		       struct error *err)
{
	const struct json *rootfs;
	const char *type;
	int r = field_value(object, "rootfs", JSON_OBJECT, &rootfs, err);

	if (r < 0)
		return r;
	if (!rootfs)
		return refuse(err, "rootfs is missing: this is no configuration of an image");
	r = fields_check(rootfs, rootfs_names, err);
	if (r >= 0)
		r = field_text(rootfs, "type", &type, err);
	if (r >= 0 && !str_equal(type, "layers"))
		r = refuse(err, "type is \"%.100s\", must be \"layers\"", type);
	if (r >= 0)
		r = read_diff_ids(arena, rootfs, ret, err);
	return r < 0 ? within(err, r, "rootfs") : 0;
}

/* What stands beside "config" and "rootfs". */
static int read_facts(struct arena *arena, const struct json *object, struct image_config *ret,
		      struct error *err)
{
	int r = field_text(object, "os", &ret->platform.os, err);

	if (r >= 0)
		r = field_text(object, "architecture", &ret->platform.architecture, err);
	if (r >= 0)
		r = field_text(object, "variant", &ret->platform.variant, err);
	if (r >= 0)
		r = field_text(object, "os.version", &ret->os_version, err);
	if (r >= 0)
		r = field_texts(arena, object, "os.features", &ret->os_features, err);
	if (r >= 0)
		r = field_text(object, "author", &ret->author, err);
	if (r >= 0)
		r = field_text(object, "created", &ret->created, err);
	if (r >= 0)
		r = field_value(object, "history", JSON_ARRAY, &ret->history, err);
	return r;
}

static int read_config(struct arena *arena, const struct json *object, struct image_config *ret,
		       struct error *err)
{
	const struct json *config = NULL;
	int r = fields_check(object, names, err);

	if (r >= 0)
		r = read_facts(arena, object, ret, err);
	if (r >= 0)
		r = read_rootfs(arena, object, ret, err);
	if (r >= 0)
		r = field_value(object, "config", JSON_OBJECT, &config, err);
	if (r < 0 || !config)
		return r;
	r = read_execution(arena, config, ret, err);
	return r < 0 ? within(err, r, "config") : 0;
}

int image_config_read(struct arena *arena, const char *text, size_t size, struct image_config *ret,
		      struct error *err)
{
	struct image_config made = {.user = "", .working_dir = "", .stop_signal = ""};
	const struct json *object;
	int r = fields_read(arena, text, size, "image configuration", &object, err);

	if (r < 0)
		return r;
	r = read_config(arena, object, &made, err);
	if (r < 0)
		return within(err, r, "image configuration");
	*ret = made;
	return 0;
}
