/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of an image's labels, and of its fields that config.json has no place for:
 * annotations. image-spec conversion.md, "Annotation Fields".
 *
 * Theory of operation. An image's author may write any label, and runtimes, engines and hooks act
 * on annotations: they load programs, set properties of systemd units, give devices. So labels that
 * look like such an order are left out, whichever runtime comes to see the bundle; the table says
 * whose they are. Letters count alike, whether small or large.
 */
#include <strings.h>

#include "berth/base/log.h"

#include "bundle-internal.h"

/* Keys that begin so have power over somebody. */
static const char *const powerful[] = {
	"org.berth.", /* berth: layers, the network */
	"run.oci.",   /* crun: handlers, hooks, keeping groups */
	"io.crun.",
	"krun.",		 /* crun: processors and memory of the virtual machine */
	"module.wasm.image",	 /* crun, containerd: run by another engine */
	"org.systemd.property.", /* runc, crun: properties of the unit */
	"org.criu.",		 /* runc: configuration of checkpoints */
	"io.containers.",	 /* podman's hooks: tracing of system calls and others */
	"io.podman.",
	"io.containerd.",
	"io.cri-o.", /* devices, sysctls, limits by annotation */
	"io.kubernetes.",
	"io.katacontainers.", /* the whole configuration of the virtual machine */
	"dev.gvisor.",
	"nvidia.",
	"cdi.", /* devices */
};

/* So do keys "…kubernetes.io/…": the domain ends so. */
static const char *const powerful_domains[] = {"kubernetes.io", "k8s.io", "cri-o.io", "nri.io"};

static bool ends_with(const char *text, size_t length, const char *end)
{
	const size_t size = strlen(end);

	return length >= size && strncasecmp(text + length - size, end, size) == 0;
}

bool bundle_label_has_power(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(powerful); i++) {
		if (strncasecmp(key, powerful[i], strlen(powerful[i])) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(powerful_domains); i++) {
		if (ends_with(key, strcspn(key, "/"), powerful_domains[i]))
			return true;
	}
	return false;
}

/* A label of the same name counts more. */
static void write_field(struct json_writer *w, const struct image_config *image, const char *key,
			const char *value)
{
	if (value[0] == '\0' || (image->labels && json_member(image->labels, key)))
		return;
	json_member_string(w, key, value);
}

static void write_list(struct json_writer *w, const struct image_config *image, const char *key,
		       const char *const *list)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	for (; list && *list; list++)
		buf_printf(&text, "%s%s", text.size > 0 ? "," : "", *list);
	if (text.size > 0)
		write_field(w, image, key, text.data);
}

static void write_labels(struct json_writer *w, const struct json *labels)
{
	for (const struct json *label = labels ? labels->item : NULL; label; label = label->next) {
		if (label->type != JSON_STRING || label->key[0] == '\0')
			continue;
		if (bundle_label_has_power(label->key))
			log_warning("label \"%s\" is left out: runtimes act on such annotations",
				    label->key);
		else
			json_member_string(w, label->key, label->text);
	}
}

void bundle_annotations_write(struct json_writer *w, const struct bundle_contents *contents)
{
	const struct image_config *image = contents->image;

	json_key(w, "annotations");
	json_begin_object(w);
	write_field(w, image, "org.opencontainers.image.os", image->platform.os);
	write_field(w, image, "org.opencontainers.image.architecture",
		    image->platform.architecture);
	write_field(w, image, "org.opencontainers.image.variant", image->platform.variant);
	write_field(w, image, "org.opencontainers.image.os.version", image->os_version);
	write_list(w, image, "org.opencontainers.image.os.features", image->os_features);
	write_field(w, image, "org.opencontainers.image.author", image->author);
	write_field(w, image, "org.opencontainers.image.created", image->created);
	write_field(w, image, "org.opencontainers.image.stopSignal", image->stop_signal);
	write_list(w, image, "org.opencontainers.image.exposedPorts", image->exposed_ports);
	write_labels(w, image->labels);
	if (contents->lower) {
		json_member_string(w, "org.berth.overlay.lower", contents->lower);
		json_member_string(w, "org.berth.overlay.upper", "upper");
		json_member_string(w, "org.berth.overlay.work", "work");
		if (contents->plan->map_layers)
			json_member_string(w, "org.berth.overlay.idmap", "lower");
	}
	bundle_network_annotate(w, contents->plan);
	json_end_object(w);
}
