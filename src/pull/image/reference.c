/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images, read by the grammar of Docker: what stands in front of the first "/" is a host
 * if it looks like one, the last ":" behind the last "/" begins the tag, "@" the digest.
 */
#include "reference.h"

#include <arpa/inet.h>

#include "berth/base/str.h"

#define NAME_MAX_BYTES 255 /* host and path together */
#define TAG_MAX	       128
#define PORT_MAX       65535

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define HUB	     "docker.io"
#define HUB_OLD	     "index.docker.io"
#define HUB_API	     "registry-1.docker.io"
#define HUB_OFFICIAL "library/"

/* "." or "_" or "__" or any number of dashes; 0 if it is none of them. */
static size_t separator_length(const char *text)
{
	if (text[0] == '.')
		return 1;
	if (text[0] == '_')
		return text[1] == '_' ? 2 : 1;
	return strspn(text, "-");
}

/* Letters and digits, joined by single separators. */
static bool is_path_component(const char *text)
{
	size_t length;

	for (;;) {
		length = strspn(text, LOWER DIGITS);
		if (length == 0)
			return false;
		text += length;
		if (*text == '\0')
			return true;
		text += separator_length(text);
	}
}

static int check_component(const char *component, struct error *err)
{
	if (is_path_component(component))
		return 0;
	if (component[0] == '\0')
		return refuse(err, "there is an empty part in its path");
	if (strpbrk(component, UPPER))
		return refuse(err, "\"%s\" must be lower case", component);
	return refuse(err,
		      "\"%s\" is not made of lower case letters and digits, with one of \".\", "
		      "\"_\", \"__\" or dashes between them",
		      component);
}

static int check_path(struct arena *arena, const char *path, struct error *err)
{
	char *rest = arena_strdup(arena, path), *component;
	int r;

	while ((component = strsep(&rest, "/"))) {
		r = check_component(component, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Letters, digits and inner dashes, in parts with dots between them; an IPv4 address is such. */
static bool is_host_name(const char *text)
{
	size_t length;

	for (;;) {
		length = strspn(text, LOWER UPPER DIGITS "-");
		if (length == 0 || text[0] == '-' || text[length - 1] == '-')
			return false;
		text += length;
		if (*text == '\0')
			return true;
		if (*text++ != '.')
			return false;
	}
}

static bool is_ipv6(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_port(const char *text)
{
	uint64_t port;

	return str_to_u64(text, &port) == 0 && port > 0 && port <= PORT_MAX;
}

static int check_domain(struct arena *arena, const char *domain, struct error *err)
{
	char *host = arena_strdup(arena, domain);
	char *closing = host[0] == '[' ? strchr(host, ']') : NULL;
	char *colon = strchr(closing ? closing : host, ':');
	bool fine;

	if (colon) {
		*colon = '\0';
		if (!is_port(colon + 1))
			return refuse(err, "\"%s\" is no port", colon + 1);
	}
	if (closing && closing[1] == '\0') {
		*closing = '\0';
		fine = is_ipv6(host + 1);
	} else {
		fine = is_host_name(host);
	}
	return fine ? 0 : refuse(err, "\"%s\" is no name of a host", domain);
}

static int check_tag(const char *tag, struct error *err)
{
	size_t length = strlen(tag);

	if (length == 0)
		return refuse(err, "there is no tag after \":\"");
	if (length > TAG_MAX)
		return refuse(err, "its tag is longer than %d characters", TAG_MAX);
	if (strspn(tag, LOWER UPPER DIGITS "_.-") != length || tag[0] == '.' || tag[0] == '-')
		return refuse(err,
			      "\"%s\" is no tag: letters, digits, \"_\", and, not in front, \".\" "
			      "and \"-\"",
			      tag);
	return 0;
}

/* Whether what stands in front of the first "/" is a host and not part of the path. */
static bool is_domain(const char *first)
{
	return strpbrk(first, ".:" UPPER) || str_equal(first, "localhost");
}

/* Divides @name, which has no tag and digest any more, into domain and path, in their full form. */
static void divide(struct arena *arena, char *name, struct reference *ret)
{
	char *slash = strchr(name, '/');

	ret->domain = HUB;
	ret->path = name;
	if (slash) {
		*slash = '\0';
		if (is_domain(name)) {
			ret->domain = str_equal(name, HUB_OLD) ? HUB : name;
			ret->path = slash + 1;
		} else {
			*slash = '/';
		}
	}
	if (str_equal(ret->domain, HUB) && ret->path[0] != '\0' && !strchr(ret->path, '/'))
		ret->path = arena_printf(arena, HUB_OFFICIAL "%s", ret->path);
}

/* What people write that looks like a reference, and is refused with a hint. */
static int check_shape(const char *text, struct error *err)
{
	const char *scheme = strstr(text, "://");

	if (text[0] == '\0')
		return refuse(err, "it is empty");
	if (scheme)
		return refuse(err, "a reference has no \"%.*s://\" in front", (int)(scheme - text),
			      text);
	if (strlen(text) == 64 && strspn(text, "abcdef" DIGITS) == 64)
		return refuse(err, "64 hexadecimal digits are no name; a digest is written "
				   "NAME@sha256:DIGITS");
	return 0;
}

static int parse(struct arena *arena, const char *text, struct reference *ret, struct error *err)
{
	char *name = arena_strdup(arena, text);
	char *at = strchr(name, '@'), *slash, *colon;
	int r = check_shape(text, err);

	if (r < 0)
		return r;
	if (at) {
		*at = '\0';
		ret->has_digest = true;
		r = digest_parse(at + 1, "digest", &ret->digest, err);
		if (r < 0)
			return r;
	}
	slash = strrchr(name, '/');
	colon = strchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		ret->tag = colon + 1;
		r = check_tag(ret->tag, err);
		if (r < 0)
			return r;
	} else if (!at) {
		ret->tag = "latest";
	}
	divide(arena, name, ret);
	r = check_domain(arena, ret->domain, err);
	if (r < 0)
		return r;
	if (strlen(ret->domain) + 1 + strlen(ret->path) > NAME_MAX_BYTES)
		return refuse(err, "its name is longer than %d bytes", NAME_MAX_BYTES);
	return check_path(arena, ret->path, err);
}

int reference_parse(struct arena *arena, const char *text, struct reference *ret, struct error *err)
{
	struct reference made = {0};
	char digest[DIGEST_TEXT_MAX];
	int r = parse(arena, text, &made, err);

	if (r < 0)
		return within(err, r, "image \"%.300s\"", text);
	made.name =
		arena_printf(arena, "%s/%s%s%s%s%s", made.domain, made.path, made.tag ? ":" : "",
			     made.tag ? made.tag : "", made.has_digest ? "@" : "",
			     made.has_digest ? digest_text(&made.digest, digest) : "");
	*ret = made;
	return 0;
}

const char *reference_host(const struct reference *reference)
{
	return str_equal(reference->domain, HUB) ? HUB_API : reference->domain;
}
