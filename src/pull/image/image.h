/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of an image: index, manifest, configuration (image-spec), as plain structs. */
#ifndef BERTH_PULL_IMAGE_H
#define BERTH_PULL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/json_read.h"

#include "common/digest.h"

struct platform {
	const char *os, *architecture, *variant; /* "" where not given */
};

/* image-spec descriptor.md. */
struct descriptor {
	const char *media_type; /* "" where not given */
	struct digest digest;
	uint64_t size;		 /* bytes */
	const char *const *urls; /* NULL-terminated; NULL: none */
	const void *data; /* the content itself, which digest and size have been found true of */
	size_t data_size; /* that is size; 0 without data */
	bool has_platform;
	struct platform platform; /* normalised, see platform.h */
	/* In an index: no image, but an attestation, another artifact, or of an unknown type. */
	bool is_artifact;
	const struct json *annotations; /* object, or NULL */
};

/* Bounds of one document. */
#define INDEX_MANIFESTS_MAX 2000
#define MANIFEST_LAYERS_MAX 5000

struct image_index {
	struct descriptor *manifests;
	size_t count;
};

struct manifest {
	struct descriptor config;
	struct descriptor *layers; /* the lowest first */
	size_t layer_count;
};

enum document_kind {
	DOCUMENT_INDEX,
	DOCUMENT_MANIFEST
};

/* What a registry's manifest request gives. */
struct document {
	enum document_kind kind;
	const char *media_type; /* the one found to be right */
	struct image_index index;
	struct manifest manifest;
};

/*
 * Reads an index or manifest, OCI's or Docker's schema 2. @content_type: the Content-Type header
 * (parameters are dropped; types for any data, as application/octet-stream, say nothing), the
 * descriptor's mediaType, or NULL. It and the document's own mediaType must agree where both are
 * there. Refused: schema 1 (said so), a document that has both "manifests" and "layers" or "config"
 * (CVE-2021-41190), an artifact, a configuration or layer of a media type that is none of an image,
 * names that occur twice or differ in case only from a known one, sizes that are no whole numbers
 * from 0 on, digests that are none. Entries of an index whose digest is of an unknown algorithm are
 * left out. All texts belong to @arena, which keeps all that is read.
 */
int document_read(struct arena *arena, const char *text, size_t size, const char *content_type,
		  struct document *ret, struct error *err) must_check;

/* Whether the media type is that of a layer, packed by gzip, zstd or not at all: the bytes
 * themselves decide between the three. -EINVAL with a text for what is no layer. document_read()
 * asks it. */
int layer_check_media_type(const char *media_type, struct error *err) must_check;

/* config.rootfs, and what the conversion to config.json needs; texts are "" and lists NULL where
 * not given. image-spec config.md. */
struct image_config {
	struct platform platform; /* as it stands there */
	const char *os_version, *author, *created;
	const char *const *os_features;
	const char *user, *working_dir, *stop_signal;
	const char *const *env; /* "NAME=VALUE"; all lists are NULL-terminated */
	const char *const *entrypoint, *const *cmd;
	const char *const *exposed_ports; /* sorted: "53/udp" */
	const char *const *volumes;	  /* sorted paths */
	const struct json *labels;	  /* object of strings, or NULL */
	struct digest *diff_ids;	  /* the lowest layer first */
	size_t diff_id_count;
	const struct json *history; /* array, or NULL */
};

/* Reads an image's configuration. All belongs to @arena. */
int image_config_read(struct arena *arena, const char *text, size_t size, struct image_config *ret,
		      struct error *err) must_check;

/* The Accept header's value for index and manifest. */
extern const char image_accept[];

#endif
