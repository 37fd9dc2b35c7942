/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header WWW-Authenticate, read strictly.
 *
 * Theory of operation. A line is a list of elements, parted by commas. An element is a parameter of
 * the challenge that is open ("name=value"), or it opens the next one: a scheme, alone or with its
 * first parameter or a token68 behind a blank. Which of them it is shows behind the first word.
 */
#include "challenge.h"

#include <stdbool.h>
#include <strings.h>

#include "berth/base/str.h"

/* The parameters that are kept; all others are read and dropped. */
static const struct {
	const char *name;
	size_t offset;
} parameters[] = {
	{"realm", offsetof(struct challenge, realm)},
	{"service", offsetof(struct challenge, service)},
	{"scope", offsetof(struct challenge, scope)},
	{"error", offsetof(struct challenge, error)},
};

/* What is left of a line, and where its challenges go. */
struct reading {
	struct arena *arena;
	const char *at;
	struct challenge *challenges;
	size_t count, room;
	unsigned seen; /* of the open challenge: one bit for each row of parameters */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* tchar of RFC 9110 §5.6.2. */
static bool is_token(char c)
{
	return is_alphanumeric(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* RFC 9110 §11.2. Its "=" at the end are read apart. */
static bool is_token68(char c)
{
	return is_alphanumeric(c) || (c && strchr("-._~+/", c));
}

/* A value without quotes: servers write URLs there too, which are no tokens. */
static bool is_bare(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != ',' && c != '"' && c != '\\';
}

static void skip_blanks(struct reading *in)
{
	in->at += strspn(in->at, " \t");
}

static size_t span(const char *text, bool (*is)(char))
{
	size_t length = 0;

	while (is(text[length]))
		length++;
	return length;
}

static bool ends_element(const char *text)
{
	text += strspn(text, " \t");
	return *text == ',' || *text == '\0';
}

/* Length of the quoted string that begins here, its quotes included; 0: it is none. */
static size_t quoted_length(const char *text)
{
	size_t length = 1;

	for (; text[length] != '"'; length++) {
		if (text[length] == '\\')
			length++;
		if (((unsigned char)text[length] < ' ' && text[length] != '\t') ||
		    text[length] == 0x7f)
			return 0;
	}
	return length + 1;
}

/* A quoted string without its quotes and escapes; NULL where it is none. */
static char *quoted(struct reading *in)
{
	size_t length = quoted_length(in->at), kept = 0;
	char *text = length ? arena_alloc(in->arena, length, 1) : NULL;

	for (size_t i = 1; i + 1 < length; i++) {
		if (in->at[i] == '\\')
			i++;
		text[kept++] = in->at[i];
	}
	in->at += length;
	return text;
}

static char *value(struct reading *in)
{
	size_t length;
	char *text;

	if (*in->at == '"')
		return quoted(in);
	length = span(in->at, is_bare);
	text = length ? arena_strndup(in->arena, in->at, length) : NULL;
	in->at += length;
	return text;
}

/* Keeps a parameter of the open challenge, if it is one of those. False: it is there twice. */
static bool keep(struct reading *in, const char *name, size_t length, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		char *row = (char *)&in->challenges[in->count - 1] + parameters[i].offset;

		if (strlen(parameters[i].name) != length ||
		    strncasecmp(parameters[i].name, name, length) != 0)
			continue;
		if (in->seen & (1u << i))
			return false;
		in->seen |= 1u << i;
		if (*text)
			memcpy(row, &text, sizeof(text));
	}
	return true;
}

/* "name=value", the name being @length bytes long. */
static bool parameter(struct reading *in, size_t length)
{
	const char *name = in->at, *text;

	in->at += length;
	skip_blanks(in);
	in->at++; /* the "=" */
	skip_blanks(in);
	text = value(in);
	return text && ends_element(in->at) && keep(in, name, length, text);
}

/* Length of a parameter's name that stands here with its "="; 0: there is none. */
static size_t parameter_name(const char *text)
{
	size_t length = span(text, is_token);
	const char *behind = text + length + strspn(text + length, " \t");

	return length && *behind == '=' ? length : 0;
}

/* Length of a token68 that fills the rest of the element; 0: there is none. */
static size_t token68(const char *text)
{
	size_t length = span(text, is_token68);

	if (length)
		length += strspn(text + length, "=");
	return ends_element(text + length) ? length : 0;
}

/* A scheme, and what of it stands before the next comma. */
static bool scheme(struct reading *in)
{
	size_t length = span(in->at, is_token);
	char *name;

	if (length == 0 || (in->at[length] && !strchr(" \t,", in->at[length])))
		return false;
	name = arena_strndup(in->arena, in->at, length);
	for (char *c = name; *c; c++)
		*c = lower(*c);
	in->challenges[in->count++] = (struct challenge){.scheme = name};
	in->seen = 0;
	in->at += length;
	if (ends_element(in->at))
		return true;
	skip_blanks(in);
	length = token68(in->at);
	in->at += length;
	if (length)
		return true;
	length = parameter_name(in->at);
	return length && parameter(in, length);
}

/* One line. False: it breaks the grammar. */
static bool line(struct reading *in)
{
	for (;;) {
		size_t length;

		in->at += strspn(in->at, " \t,");
		if (*in->at == '\0')
			return true;
		length = parameter_name(in->at);
		if (length == 0 && in->count == in->room)
			return true;
		if (length ? in->count == 0 || !parameter(in, length) : !scheme(in))
			return false;
		skip_blanks(in);
	}
}

size_t challenges_parse(struct arena *arena, const char *const *lines,
			struct challenge ret[static CHALLENGES_MAX])
{
	size_t count = 0;

	for (; lines && *lines; lines++) {
		struct reading in = {.arena = arena,
				     .at = *lines,
				     .challenges = ret + count,
				     .room = CHALLENGES_MAX - count};

		if (strlen(*lines) <= CHALLENGE_LINE_MAX && line(&in))
			count += in.count;
	}
	return count;
}

const struct challenge *challenge_find(const struct challenge *challenges, size_t count,
				       const char *scheme)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(challenges[i].scheme, scheme))
			return &challenges[i];
	}
	return NULL;
}
