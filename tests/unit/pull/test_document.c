/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes and manifests: what they say, and every way in which two readers could differ. */
#include "image/image.h"

#include "../base/unit.h"

/* Digest of "abc", and of nothing. */
#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define OCI_INDEX	"application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST	"application/vnd.oci.image.manifest.v1+json"
#define DOCKER_LIST	"application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_CONFIG	"application/vnd.oci.image.config.v1+json"
#define OCI_LAYER	"application/vnd.oci.image.layer.v1.tar+gzip"
#define DOCKER_ROOTFS	"application/vnd.docker.image.rootfs."

/* In the tables ' stands for ", to keep them readable. */
#define DESCRIPTOR(type, more) "{'mediaType':'" type "','digest':'" ABC "','size':3" more "}"
#define CONFIG		       "'config':" DESCRIPTOR(OCI_CONFIG, "")
#define LAYER		       DESCRIPTOR(OCI_LAYER, "")
#define MANIFEST(more)	       "{'schemaVersion':2," CONFIG ",'layers':[" LAYER "]" more "}"
#define LAYERS(list)	       "{'schemaVersion':2," CONFIG ",'layers':[" list "]}"
#define INDEX(entries)	       "{'schemaVersion':2,'manifests':[" entries "]}"
#define ENTRY(more)	       DESCRIPTOR(OCI_MANIFEST, more)

static char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	return copy;
}

static int read_text(struct arena *arena, const char *text, const char *content_type,
		     struct document *ret, struct error *err)
{
	_cleanup_free_ char *json = quoted(text);

	return document_read(arena, json, strlen(json), content_type, ret, err);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text, *content_type, *media_type;
		enum document_kind kind;
	} cases[] = {
		{MANIFEST(""), NULL, OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), OCI_MANIFEST, OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), OCI_MANIFEST "; charset=utf-8", OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), " Application/Vnd.OCI.image.manifest.v1+JSON\r\n", OCI_MANIFEST,
		 DOCUMENT_MANIFEST},
		{MANIFEST(""), DOCKER_MANIFEST, DOCKER_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(",'mediaType':'" DOCKER_MANIFEST "'"), DOCKER_MANIFEST, DOCKER_MANIFEST,
		 DOCUMENT_MANIFEST},
		{MANIFEST(",'mediaType':'" DOCKER_MANIFEST "'"), NULL, DOCKER_MANIFEST,
		 DOCUMENT_MANIFEST},
		{MANIFEST(",'mediaType':null"), NULL, OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), "application/json", OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(",'mediaType':'" DOCKER_MANIFEST "'"), "application/octet-stream",
		 DOCKER_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), "text/plain; charset=utf-8", OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(""), "", OCI_MANIFEST, DOCUMENT_MANIFEST},
		{MANIFEST(",'artifactType':'" OCI_CONFIG "'"), NULL, OCI_MANIFEST,
		 DOCUMENT_MANIFEST},
		{INDEX(""), NULL, OCI_INDEX, DOCUMENT_INDEX},
		{INDEX(""), OCI_INDEX, OCI_INDEX, DOCUMENT_INDEX},
		{INDEX(""), DOCKER_LIST, DOCKER_LIST, DOCUMENT_INDEX},
		{"{'schemaVersion':2,'manifests':null}", DOCKER_LIST, DOCKER_LIST, DOCUMENT_INDEX},
		{"{'mediaType':'" DOCKER_LIST "','schemaVersion':2,'manifests':[]}", DOCKER_LIST,
		 DOCKER_LIST, DOCUMENT_INDEX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct document document;
		struct error err = ERROR_NONE;

		assert_fine(read_text(arena, cases[i].text, cases[i].content_type, &document, &err),
			    err);
		assert_int_equal(document.kind, cases[i].kind);
		assert_string_equal(document.media_type, cases[i].media_type);
	}
}

static const struct {
	const char *text, *content_type, *says;
} refused[] = {
	/* no JSON, no object, twice the same name */
	{"", NULL, "manifest"},
	{"[]", NULL, "found an array, must be an object"},
	{"null", NULL, "found null, must be an object"},
	{"{'schemaVersion':2,'layers':[],'layers':[]}", NULL, "layers"},
	/* kinds that are not beyond doubt */
	{MANIFEST(",'manifests':[]"), NULL, "must be one of the two"},
	{MANIFEST(",'manifests':[]"), OCI_MANIFEST, "must be one of the two"},
	{MANIFEST(",'manifests':null"), OCI_MANIFEST, "must be one of the two"},
	{"{'schemaVersion':2,'manifests':[],'config':{}}", OCI_INDEX, "must be one of the two"},
	{"{'schemaVersion':2,'manifests':[],'layers':null}", OCI_INDEX, "must be one of the two"},
	{"{'schemaVersion':2}", OCI_INDEX, "neither \"manifests\" nor \"layers\""},
	{MANIFEST(""), OCI_INDEX, "but it has the members of a manifest"},
	{INDEX(""), OCI_MANIFEST, "but it has the members of an index"},
	{MANIFEST(",'mediaType':'" OCI_INDEX "'"), NULL, "but it has the members of a manifest"},
	{MANIFEST(",'mediaType':'" OCI_MANIFEST "'"), DOCKER_MANIFEST,
	 "it came as \"" DOCKER_MANIFEST "\" and says itself that it is \"" OCI_MANIFEST "\""},
	{MANIFEST(",'mediaType':'" OCI_MANIFEST "'"), OCI_INDEX, "it came as"},
	{MANIFEST(",'mediaType':'Application/Vnd.oci.image.manifest.v1+json'"), NULL,
	 "neither the index nor the manifest"},
	{MANIFEST(""), "application/xml", "neither the index nor the manifest"},
	{MANIFEST(",'mediaType':'application/vnd.oci.artifact.manifest.v1+json'"), NULL,
	 "is an artifact, neither the index"},
	{MANIFEST(",'mediaType':7"), NULL, "mediaType: found a number, must be a string"},
	/* names that readers who fold case take for known ones */
	{MANIFEST(",'Manifests':[]"), NULL, "\"Manifests\" differs from \"manifests\""},
	{MANIFEST(",'layerS':[]"), NULL, "\"layerS\" differs from \"layers\""},
	{MANIFEST(",'layer\xc5\xbf':[]"), NULL, "differs from \"layers\""},
	{MANIFEST(",'\xc5\xbf\xc3\xa9':[],'mediatype':''"), NULL, "differs from \"mediaType\""},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':3,'Digest':'" EMPTY "'}"),
	 NULL, "layers[0]: \"Digest\" differs"},
	{INDEX(ENTRY(",'platform':{'os':'linux','architecture':'amd64','OS':'x'}")), NULL,
	 "manifests[0]: platform: \"OS\" differs"},
	{INDEX(ENTRY(",'URL\xc5\xbf':[]")), NULL, "differs from \"urls\""},
	/* versions */
	{"{" CONFIG ",'layers':[]}", NULL, "schemaVersion is missing"},
	{"{'schemaVersion':3," CONFIG ",'layers':[]}", NULL, "schemaVersion is 3, must be 2"},
	{"{'schemaVersion':'2'," CONFIG ",'layers':[]}", NULL, "schemaVersion: found a string"},
	{"{'schemaVersion':1," CONFIG ",'layers':[]}", NULL, "schema 1"},
	{"{'schemaVersion':1,'name':'x','tag':'y','fsLayers':[],'history':[]}", NULL, "schema 1"},
	{"{'fsLayers':[]}", NULL, "schema 1"},
	{"{}", "application/vnd.docker.distribution.manifest.v1+json", "schema 1"},
	{"{'schemaVersion':1}", "application/vnd.docker.distribution.manifest.v1+prettyjws",
	 "schema 1"},
	{"{'mediaType':'application/vnd.docker.distribution.manifest.v1+prettyjws'}", NULL,
	 "schema 1"},
	/* what must be there */
	{"{'schemaVersion':2," CONFIG "}", NULL, "layers is missing"},
	{"{'schemaVersion':2,'layers':[]}", NULL, "config is missing"},
	{"{'schemaVersion':2,'config':null,'layers':[]}", NULL, "config: found null"},
	{"{'schemaVersion':2,'config':[],'layers':[]}", NULL, "config: found an array"},
	{"{'schemaVersion':2," CONFIG ",'layers':{}}", NULL, "layers: found an object"},
	{LAYERS("7"), NULL, "layers[0]: found a number, must be an object"},
	{LAYERS(LAYER ",null"), NULL, "layers[1]: found null, must be an object"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','size':3}"), NULL, "layers[0]: digest is missing"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "'}"), NULL,
	 "layers[0]: size is missing"},
	{LAYERS("{'digest':'" ABC "','size':3}"), NULL, "no layer that can be unpacked"},
	/* artifacts */
	{MANIFEST(",'artifactType':'application/vnd.example.sbom'"), NULL,
	 "is an artifact of type \"application/vnd.example.sbom\""},
	{"{'schemaVersion':2,'config':" DESCRIPTOR("application/vnd.oci.empty.v1+json",
						   "") ",'layers':[]}",
	 NULL, "config: media type \"application/vnd.oci.empty.v1+json\": is the empty content"},
	{"{'schemaVersion':2,'config':" DESCRIPTOR("application/vnd.cncf.helm.config.v1+json",
						   "") ",'layers':[]}",
	 NULL, "is a part of a Helm chart, no configuration of an image"},
	/* digests */
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'sha256:../../../etc/passwd','size':3}"),
	 NULL, "layers[0]: digest"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'blake3:" EMPTY "','size':3}"), NULL,
	 "neither sha256 nor sha512"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'md5','size':3}"), NULL, "digest"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':7,'size':3}"), NULL,
	 "digest: found a number, must be a string"},
	{INDEX(DESCRIPTOR(OCI_MANIFEST, "") ",{'mediaType':'" OCI_MANIFEST
					    "','digest':'sha256:ABC','size':3}"),
	 NULL, "manifests[1]: digest"},
	{INDEX("{'mediaType':'" OCI_MANIFEST "','digest':'a/b:c','size':3}"), NULL, "digest"},
	/* sizes */
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':-1}"), NULL,
	 "size: -1 is no whole number from 0 on"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':1.5}"), NULL, "size: 1.5"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':1e3}"), NULL, "size: 1e3"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':9223372036854775808}"),
	 NULL, "size: 9223372036854775808"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':99999999999999999999}"),
	 NULL, "size: 99999999999999999999"},
	{LAYERS("{'mediaType':'" OCI_LAYER "','digest':'" ABC "','size':'3'}"), NULL,
	 "size: found a string, must be a number"},
	/* embedded content */
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'data':'YWJj YWJj'")), NULL, "data is no base 64"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'data':'YWI='")), NULL, "data is of 2 bytes"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'data':''")), NULL, "data is of 0 bytes"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'data':'YWJk'")), NULL, "data is not what digest says"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'data':7")), NULL, "data: found a number"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'urls':'https://example.com'")), NULL,
	 "urls: found a string, must be an array"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'urls':[7]")), NULL, "urls: found a number"},
	{LAYERS(DESCRIPTOR(OCI_LAYER, ",'annotations':[]")), NULL, "annotations: found an array"},
	{INDEX(ENTRY(",'platform':'linux'")), NULL, "platform: found a string"},
	{INDEX(ENTRY(",'platform':{'os':7}")), NULL, "platform: os: found a number"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct document document = {.media_type = "untouched"};
		struct error err = ERROR_NONE;
		int r = read_text(arena, refused[i].text, refused[i].content_type, &document, &err);

		if (r >= 0)
			fail_msg("accepted: %s", refused[i].text);
		assert_int_equal(r, err.code);
		assert_contains(err.text, "manifest");
		assert_contains(err.text, refused[i].says);
		assert_string_equal(document.media_type, "untouched");
	}
}

static void test_layer_types(void **state)
{
	static const struct {
		const char *media_type, *says; /* NULL: a layer */
	} cases[] = {
		{"application/vnd.oci.image.layer.v1.tar", NULL},
		{"application/vnd.oci.image.layer.v1.tar+gzip", NULL},
		{"application/vnd.oci.image.layer.v1.tar+zstd", NULL},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar", NULL},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", NULL},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", NULL},
		{DOCKER_ROOTFS "diff.tar", NULL},
		{DOCKER_ROOTFS "diff.tar.gzip", NULL},
		{DOCKER_ROOTFS "diff.tar.zstd", NULL},
		{DOCKER_ROOTFS "foreign.diff.tar", NULL},
		{DOCKER_ROOTFS "foreign.diff.tar.gzip", NULL},
		{"", "no layer"},
		{"application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "an encrypted layer"},
		{"application/vnd.oci.image.layer.v1.tar+bzip2", "an unknown kind of layer"},
		{"Application/vnd.oci.image.layer.v1.tar", "no layer"},
		{"application/vnd.in-toto+json", "an attestation"},
		{"application/vnd.cncf.helm.chart.content.v1.tar+gzip", "a part of a Helm chart"},
		{"application/vnd.dev.cosign.simplesigning.v1+json", "cosign"},
		{"application/vnd.erofs.layer.v1", "an EROFS file system"},
		{"application/vnd.oci.empty.v1+json", "empty content"},
		{"application/vnd.docker.plugin.v1+json", "Docker plugin"},
		{"application/vnd.wasm.content.layer.v1+wasm", "WebAssembly"},
		{OCI_CONFIG, "an image's configuration"},
		{OCI_MANIFEST, "a manifest"},
		{"application/octet-stream", "application/octet-stream"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		int r = layer_check_media_type(cases[i].media_type, &err);

		if (!cases[i].says) {
			assert_fine(r, err);
			continue;
		}
		assert_failed(r, err, -EINVAL);
		assert_contains(err.text, cases[i].says);
		assert_contains(err.text, cases[i].media_type);
	}
}

static void test_manifest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct document document;
	const struct descriptor *layer;
	char text[DIGEST_TEXT_MAX];

	(void)state;
	assert_fine(read_text(arena,
			      "{'schemaVersion':2,'x-unknown':{'LAYERS':1},'annotations':{'Size':"
			      "'1','size':'2'},'subject':{}," CONFIG ",'layers':[" LAYER
			      "," DESCRIPTOR(DOCKER_ROOTFS "foreign.diff.tar.gzip",
					     ",'urls':['https://example.com/1','ftp://x'],'data':"
					     "'YWJj','annotations':{'a':'b'},'unknown':[{}]") "]}",
			      NULL, &document, &err),
		    err);
	assert_string_equal(document.manifest.config.media_type, OCI_CONFIG);
	assert_int_equal(document.manifest.config.size, 3);
	assert_string_equal(digest_text(&document.manifest.config.digest, text), ABC);
	assert_null(document.manifest.config.data);
	assert_null(document.manifest.config.urls);
	assert_int_equal(document.manifest.layer_count, 2);
	layer = &document.manifest.layers[1];
	assert_string_equal(layer->media_type, DOCKER_ROOTFS "foreign.diff.tar.gzip");
	assert_string_equal(layer->urls[0], "https://example.com/1");
	assert_string_equal(layer->urls[1], "ftp://x");
	assert_null(layer->urls[2]);
	assert_int_equal(layer->data_size, 3);
	assert_memory_equal(layer->data, "abc", 3);
	assert_int_equal(layer->annotations->count, 1);
}

/* An image may have no layers at all; Go writes null for such a list. */
static void test_no_layers(void **state)
{
	static const char *const texts[] = {
		"{'schemaVersion':2," CONFIG ",'layers':[]}",
		"{'schemaVersion':2," CONFIG ",'layers':null}",
		"{'schemaVersion':2,'config':{'mediaType':'application/octet-stream','digest':'" ABC
		"','size':0},'layers':null}",
		"{'schemaVersion':2,'config':{'digest':'" ABC "','size':0,'urls':null,'data':null,"
		"'platform':null,'annotations':null},'layers':null}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct document document;

		assert_fine(read_text(arena, texts[i], DOCKER_MANIFEST, &document, &err), err);
		assert_int_equal(document.manifest.layer_count, 0);
	}
}

#define AMD64 ",'platform':{'os':'linux','architecture':'x86_64'}"
#define ARM   ",'platform':{'os':'Linux','architecture':'arm','variant':'7','os.version':'x'}"
#define ATTESTATION                                                                                \
	",'platform':{'os':'unknown','architecture':'unknown'},"                                   \
	"'annotations':{'vnd.docker.reference.type':'attestation-manifest'}"

/* The last but one has a digest of an algorithm that is not known, so it is none of ours. */
static const char mixed_index[] = INDEX(
	ENTRY(AMD64) "," ENTRY(ARM) "," DESCRIPTOR(OCI_INDEX, "") "," ENTRY(ATTESTATION) "," ENTRY(
		",'artifactType':'application/vnd.example'") "," ENTRY(",'artifactType':"
								       "'" OCI_CONFIG
								       "'") "," DESCRIPTOR("applica"
											   "tion/"
											   "vnd."
											   "example"
											   ".other",
											   "") ",{'"
											       "med"
											       "iaT"
											       "ype"
											       "':"
											       "'" OCI_MANIFEST
											       "','"
											       "dig"
											       "est"
											       "':'"
											       "bla"
											       "ke3"
											       ":00"
											       "ff'"
											       ",'"
											       "siz"
											       "e':"
											       "3}"
											       ",{'"
											       "dig"
											       "est"
											       "':"
											       "'" ABC
											       "','"
											       "siz"
											       "e':"
											       "3"
											       "}");

static void test_index(void **state)
{
	static const struct {
		bool is_artifact, has_platform;
		const char *os, *architecture, *variant;
	} expected[] = {
		{false, true, "linux", "amd64", ""}, {false, true, "linux", "arm", "v7"},
		{false, false, "", "", ""},	     {true, true, "unknown", "unknown", ""},
		{true, false, "", "", ""},	     {false, false, "", "", ""},
		{true, false, "", "", ""},	     {false, false, "", "", ""},
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct document document;

	(void)state;
	assert_fine(read_text(arena, mixed_index, NULL, &document, &err), err);
	assert_int_equal(err.code, 0);
	assert_int_equal(document.index.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct descriptor *entry = &document.index.manifests[i];

		assert_int_equal(entry->is_artifact, expected[i].is_artifact);
		assert_int_equal(entry->has_platform, expected[i].has_platform);
		assert_string_equal(entry->platform.os, expected[i].os);
		assert_string_equal(entry->platform.architecture, expected[i].architecture);
		assert_string_equal(entry->platform.variant, expected[i].variant);
	}
}

/* "{'schemaVersion':2,'manifests':[", @count times @item, "]}". */
static char *many(const char *head, const char *item, size_t count)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_free_ char *one = quoted(item);
	_cleanup_free_ char *front = quoted(head);

	buf_add_string(&text, front);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s%s", i > 0 ? "," : "", one);
	buf_add_string(&text, "]}");
	return buf_take(&text);
}

static void check_many(const char *head, const char *item, size_t count, const char *says)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = many(head, item, count);
	struct error err = ERROR_NONE;
	struct document document;
	int r = document_read(arena, text, strlen(text), NULL, &document, &err);

	if (!says) {
		assert_fine(r, err);
		return;
	}
	assert_failed(r, err, -EINVAL);
	assert_contains(err.text, says);
}

static void test_bounds(void **state)
{
	(void)state;
	check_many("{'schemaVersion':2,'manifests':[", ENTRY(""), INDEX_MANIFESTS_MAX, NULL);
	check_many("{'schemaVersion':2,'manifests':[", ENTRY(""), INDEX_MANIFESTS_MAX + 1,
		   "at most 2000");
	check_many("{'schemaVersion':2," CONFIG ",'layers':[", LAYER, MANIFEST_LAYERS_MAX, NULL);
	check_many("{'schemaVersion':2," CONFIG ",'layers':[", LAYER, MANIFEST_LAYERS_MAX + 1,
		   "at most 5000");
	/* What would be a tree of hundreds of MiB is refused before it is made. */
	check_many("{'schemaVersion':2,'manifests':[],'x':[", "0", 70000, "more than 65536 values");
	check_many("{'schemaVersion':2,'manifests':[],'x':[", "'a,\\\",[,{,'", 20000, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_layer_types), cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_no_layers),   cmocka_unit_test(test_index),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
