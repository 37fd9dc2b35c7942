/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of the spec room includes first: cmocka, and documents to decode. */
#ifndef BERTH_TESTS_SPEC_UNIT_H
#define BERTH_TESTS_SPEC_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka.h includes nothing of what it needs, so it stays below. */

#include <cmocka.h>

/* berth has functions of these names; no test needs cmocka's. */
#undef fail
#undef fail_msg

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/spec/spec.h"

#define BUNDLE "/bundles/one"

/* Where the text of a case goes in an otherwise valid document. */
enum section {
	TOP,	    /* members of the document, each with a comma after it */
	PROCESS,    /* more members of process */
	LINUX,	    /* more members of linux */
	RESOURCES,  /* members of linux.resources */
	SECCOMP,    /* members of linux.seccomp */
	NAMESPACES, /* more items of linux.namespaces */
	WHOLE	    /* the whole document */
};

/* The document of a case; the caller's text. */
static inline char *document(enum section section, const char *text)
{
	static const char *const around[] = {
		[TOP] = "%s",
		[PROCESS] = "\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], %s},",
		[LINUX] = "%s",
		[RESOURCES] = "\"resources\": {%s}",
		[SECCOMP] = "\"seccomp\": {%s}",
		[NAMESPACES] = "%s",
	};
	_cleanup_free_ char *part = NULL;
	const char *const head = "{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"rootfs\"},";
	bool in_linux = section == LINUX || section == RESOURCES || section == SECCOMP;
	size_t room;

	if (section == WHOLE)
		return xstrdup(text);
	room = strlen(around[section]) + strlen(text) + 1;
	part = xcalloc(room, 1);
	memcpy(part, around[section], (size_t)(strstr(around[section], "%s") - around[section]));
	strcat(strcat(part, text), strstr(around[section], "%s") + 2);
	return xasprintf("%s%s \"linux\": {%s%s \"namespaces\": [{\"type\": \"mount\"}%s%s]}}",
			 head, section == TOP || section == PROCESS ? part : "",
			 in_linux ? part : "", in_linux ? "," : "",
			 section == NAMESPACES ? "," : "", section == NAMESPACES ? part : "");
}

/* Decodes the document of a case, which must be accepted. */
static inline const struct spec *accept(struct arena *arena, enum section section, const char *text)
{
	_cleanup_free_ char *whole = document(section, text);
	const struct spec *spec = NULL;
	struct error err = ERROR_NONE;

	if (spec_decode(arena, whole, strlen(whole), BUNDLE, &spec, &err) < 0)
		print_error("%s\nrefused: %s\n", whole, err.text);
	assert_non_null(spec);
	return spec;
}

/* Decodes the document of a case, which must be refused with exactly this text. */
static inline void reject(enum section section, const char *text, const char *expected)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *whole = document(section, text);
	const struct spec *spec = NULL;
	struct error err = ERROR_NONE;
	int r = spec_decode(arena, whole, strlen(whole), BUNDLE, &spec, &err);

	if (r >= 0)
		print_error("accepted: %s\n", whole);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_null(spec);
	assert_string_equal(err.text, expected);
}

struct refusal {
	enum section section;
	const char *text, *error;
};

static inline void reject_all(const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++)
		reject(refusals[i].section, refusals[i].text, refusals[i].error);
}

#endif
