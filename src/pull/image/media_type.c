/* SPDX-License-Identifier: Apache-2.0 */
/* Media types: tables of those that make an image, and of those that people meet besides. */
#include "media_type.h"

#include "berth/base/str.h"

#define DOCKER_ROOTFS  "application/vnd.docker.image.rootfs."
#define OCI_RESTRICTED "application/vnd.oci.image.layer.nondistributable.v1.tar"
#define SCHEMA_1       "application/vnd.docker.distribution.manifest.v1"

static const struct {
	const char *media_type;
	enum media_kind kind;
} known[] = {
	{MEDIA_TYPE_OCI_INDEX, MEDIA_INDEX},
	{MEDIA_TYPE_DOCKER_LIST, MEDIA_INDEX},
	{MEDIA_TYPE_OCI_MANIFEST, MEDIA_MANIFEST},
	{MEDIA_TYPE_DOCKER_MANIFEST, MEDIA_MANIFEST},
	{MEDIA_TYPE_OCI_CONFIG, MEDIA_CONFIG},
	{MEDIA_TYPE_DOCKER_CONFIG, MEDIA_CONFIG},
	{MEDIA_TYPE_OCI_LAYER, MEDIA_LAYER},
	{MEDIA_TYPE_OCI_LAYER "+gzip", MEDIA_LAYER},
	{MEDIA_TYPE_OCI_LAYER "+zstd", MEDIA_LAYER},
	{OCI_RESTRICTED, MEDIA_LAYER},
	{OCI_RESTRICTED "+gzip", MEDIA_LAYER},
	{OCI_RESTRICTED "+zstd", MEDIA_LAYER},
	{DOCKER_ROOTFS "diff.tar", MEDIA_LAYER},
	{DOCKER_ROOTFS "diff.tar.gzip", MEDIA_LAYER},
	{DOCKER_ROOTFS "diff.tar.zstd", MEDIA_LAYER},
	{DOCKER_ROOTFS "foreign.diff.tar", MEDIA_LAYER},
	{DOCKER_ROOTFS "foreign.diff.tar.gzip", MEDIA_LAYER},
	{DOCKER_ROOTFS "foreign.diff.tar.zstd", MEDIA_LAYER},
	{SCHEMA_1 "+json", MEDIA_SCHEMA_1},
	{SCHEMA_1 "+prettyjws", MEDIA_SCHEMA_1},
};

/* What a media type with @part in it is, in words; the first that fits. */
static const struct {
	const char *part, *what;
} strangers[] = {
	{"+encrypted", "an encrypted layer"},
	{"in-toto", "an attestation"},
	{".cncf.helm.", "a part of a Helm chart"},
	{".dev.cosign.", "a signature or attestation of cosign"},
	{".dev.sigstore.", "a signature of sigstore"},
	{".cncf.notary.", "a signature of notation"},
	{"erofs", "an EROFS file system"},
	{".oci.empty.", "the empty content of an artifact"},
	{".oci.artifact.", "an artifact"},
	{".docker.plugin.", "a part of a Docker plugin"},
	{"wasm", "a WebAssembly module"},
	{"spdx", "a bill of materials"},
	{"cyclonedx", "a bill of materials"},
	{".amazon.soci.", "an index for lazy loading"},
	{".oci.image.manifest.", "a manifest"},
	{".docker.distribution.manifest.", "a manifest"},
	{".oci.image.index.", "an index"},
	{".oci.image.config.", "an image's configuration"},
	{".docker.container.image.", "an image's configuration"},
	{".oci.image.layer.", "an unknown kind of layer"},
	{".docker.image.rootfs.", "an unknown kind of layer"},
};

enum media_kind media_kind(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (str_equal(known[i].media_type, media_type))
			return known[i].kind;
	}
	return MEDIA_OTHER;
}

int media_refuse(const char *media_type, const char *wanted, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		if (strstr(media_type, strangers[i].part))
			return refuse(err, "media type \"%.200s\": is %s, %s", media_type,
				      strangers[i].what, wanted);
	}
	return refuse(err, "media type \"%.200s\": is %s", media_type, wanted);
}
