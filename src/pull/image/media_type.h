/* SPDX-License-Identifier: Apache-2.0 */
/* Media types of what images are made of, and of what is none: image-spec media-types.md. */
#ifndef BERTH_PULL_MEDIA_TYPE_H
#define BERTH_PULL_MEDIA_TYPE_H

#include <stdbool.h>

#include "berth/base/error.h"

enum media_kind {
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_SCHEMA_1, /* Docker's first manifests */
	MEDIA_OTHER
};

/* What @media_type stands for; exact, without parameters. */
enum media_kind media_kind(const char *media_type);

/*
 * -EINVAL, and a text that says what @media_type is ("a Helm chart") and that it is not @wanted
 * ("no layer of a file system").
 */
int media_refuse(const char *media_type, const char *wanted, struct error *err) must_check;

/* The media types that appear in berth's own documents. */
#define MEDIA_TYPE_OCI_INDEX	   "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_MANIFEST	   "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_CONFIG	   "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_OCI_LAYER	   "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_TYPE_DOCKER_LIST	   "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_DOCKER_LAYER	   "application/vnd.docker.image.rootfs.diff.tar"

#endif
