/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in GVariant's text format, as annotations have them: 5, uint64 5, 'text', ['a', 'b'],
 * @as [], ('on', true). Dictionaries, variants, "maybe" types and byte strings, which no property
 * of a unit needs, are refused.
 *
 * A number without a type is an int32, or a double if it has a point; in an array the first item
 * decides for all. Texts come from config.json, and are UTF-8.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/str.h"

#include "unit-internal.h"

#define DEPTH_MAX 8

struct reader {
	struct arena *arena;
	const char *text, *at;
	unsigned depth;
};

static int read_value(struct reader *r, const char *wanted, struct gvariant *ret,
		      struct error *err);

static int refuse_here(const struct reader *r, struct error *err, const char *what)
{
	return refuse(err, "at byte %td: %s", r->at - r->text + 1, what);
}

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\n");
}

/* Takes the character, if it comes next. */
static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

/* The length of the one type at the beginning of a signature; 0: that is none. */
static size_t type_length(const char *signature, unsigned depth)
{
	size_t length = 1, item;

	if (depth > DEPTH_MAX || !*signature)
		return 0;
	if (strchr("bynqiuxtdsog", *signature))
		return 1;
	if (*signature == 'a') {
		item = type_length(signature + 1, depth + 1);
		return item ? item + 1 : 0;
	}
	if (*signature != '(')
		return 0;
	while (signature[length] != ')') {
		item = type_length(signature + length, depth + 1);
		if (!item)
			return 0;
		length += item;
	}
	return length + 1;
}

static int check_wanted(const struct reader *r, const char *wanted, const char *found,
			struct error *err)
{
	if (!wanted || str_equal(wanted, found))
		return 0;
	return refuse(err, "at byte %td: a value of type \"%s\" where \"%s\" is needed",
		      r->at - r->text + 1, found, wanted);
}

static void add_utf8(struct buf *to, uint32_t c)
{
	static const struct {
		uint32_t below;
		unsigned first, more;
	} rows[] = {{0x80, 0, 0}, {0x800, 0xc0, 1}, {0x10000, 0xe0, 2}, {0x110000, 0xf0, 3}};
	size_t i = 0;

	while (c >= rows[i].below)
		i++;
	buf_add_char(to, (char)(rows[i].first | c >> 6 * rows[i].more));
	for (unsigned k = rows[i].more; k > 0; k--)
		buf_add_char(to, (char)(0x80 | (c >> 6 * (k - 1) & 0x3f)));
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static int read_unicode(struct reader *r, unsigned digits, struct buf *to, struct error *err)
{
	uint32_t c = 0;

	for (unsigned i = 0; i < digits; i++) {
		int digit = hex_digit(*r->at);

		if (digit < 0)
			return refuse_here(r, err, "a hexadecimal digit is missing");
		c = c << 4 | (unsigned)digit;
		r->at++;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return refuse_here(r, err, "no character of a text");
	add_utf8(to, c);
	return 0;
}

static int read_escape(struct reader *r, struct buf *to, struct error *err)
{
	static const char names[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
	char c = *r->at;
	const char *found = c ? strchr(names, c) : NULL;

	if (!c)
		return refuse_here(r, err, "the text has no end");
	r->at++;
	if (c == 'u' || c == 'U')
		return read_unicode(r, c == 'u' ? 4 : 8, to, err);
	buf_add_char(to, found ? meant[found - names] : c);
	return 0;
}

static int read_text(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	bool textual = wanted && strchr("sog", *wanted) && !wanted[1];
	char quote = *r->at++;
	int e = textual ? 0 : check_wanted(r, wanted, "s", err);

	while (e >= 0 && *r->at != quote) {
		char c = *r->at;

		if (!c)
			return refuse_here(r, err, "the text has no end");
		r->at++;
		if (c == '\\')
			e = read_escape(r, &text, err);
		else
			buf_add_char(&text, c);
	}
	if (e < 0)
		return e;
	r->at++;
	ret->signature = textual ? wanted : "s";
	ret->value = value_of_text(r->arena, arena_strdup(r->arena, text.data ? text.data : ""));
	return 0;
}

/* Decimal, 0x hexadecimal or 0 octal; false: not such a number, or beyond 64 bits. */
static bool parse_magnitude(const char *text, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t value = 0;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && text[1]) {
		base = 8;
		text++;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		int digit = hex_digit(*text);

		if (digit < 0 || (unsigned)digit >= base ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (unsigned)digit, &value))
			return false;
	}
	*ret = value;
	return true;
}

/* How far a type of whole numbers reaches, up and below zero. */
static bool fits(char type, bool negative, uint64_t magnitude)
{
	static const struct {
		char type;
		uint64_t most, below;
	} rows[] = {
		{'y', UINT8_MAX, 0},  {'n', INT16_MAX, (uint64_t)INT16_MAX + 1},
		{'q', UINT16_MAX, 0}, {'i', INT32_MAX, (uint64_t)INT32_MAX + 1},
		{'u', UINT32_MAX, 0}, {'x', INT64_MAX, (uint64_t)INT64_MAX + 1},
		{'t', UINT64_MAX, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].type == type)
			return magnitude <= (negative ? rows[i].below : rows[i].most);
	}
	return false;
}

/* "12", "1.5", ".5", "1e3"; as JSON has it, in the arena, or NULL. */
static const char *double_text(struct arena *arena, const char *text)
{
	size_t whole = strspn(text, "0123456789"), point = text[whole] == '.';
	size_t part = point ? strspn(text + whole + 1, "0123456789") : 0;
	const char *power = text + whole + point + part;
	const char *rest = power;

	if (*rest == 'e' || *rest == 'E') {
		rest++;
		rest += *rest == '+' || *rest == '-';
		if (!*rest)
			return NULL;
		rest += strspn(rest, "0123456789");
	}
	if (*rest || (!whole && !part) || (whole > 1 && text[0] == '0'))
		return NULL;
	return arena_printf(arena, "%.*s%s%.*s%s%s", (int)whole, text, whole ? "" : "0",
			    part ? (int)part + 1 : 0, text + whole, "", power);
}

static int read_double(struct reader *r, bool negative, const char *text, struct gvariant *ret,
		       struct error *err)
{
	const char *number = double_text(r->arena, text);

	if (!number)
		return refuse_here(r, err, "not a number");
	ret->signature = "d";
	ret->value = value_of_number(r->arena,
				     arena_printf(r->arena, "%s%s", negative ? "-" : "", number));
	return 0;
}

static int read_number(struct reader *r, const char *wanted, struct gvariant *ret,
		       struct error *err)
{
	bool negative = *r->at == '-';
	const char *begin = r->at + (negative || *r->at == '+');
	size_t length = strcspn(begin, " \t\n,])");
	const char *text = arena_strndup(r->arena, begin, length);
	bool hexadecimal = (text[0] == '0' && (text[1] | 0x20) == 'x');
	const char *type = wanted ? wanted : "i";
	uint64_t magnitude;
	int e;

	if (!strspn(text, ".0123456789"))
		return refuse_here(r, err, "not a value of GVariant's text format");
	if ((!hexadecimal && strpbrk(text, ".eE")) || (wanted && str_equal(wanted, "d"))) {
		e = check_wanted(r, wanted, "d", err);
		if (e >= 0)
			e = read_double(r, negative, text, ret, err);
		r->at = begin + length;
		return e;
	}
	if (!parse_magnitude(text, &magnitude))
		return refuse_here(r, err, "not a value of GVariant's text format");
	if (!strchr("ynqiuxt", *type) || type[1])
		return check_wanted(r, wanted, "i", err);
	if (!fits(*type, negative, magnitude))
		return refuse(err, "at byte %td: %s%s is out of range for type \"%s\"",
			      r->at - r->text + 1, negative ? "-" : "", text, type);
	r->at = begin + length;
	ret->signature = type;
	ret->value = value_of_number(
		r->arena,
		arena_printf(r->arena, "%s%" PRIu64, negative && magnitude ? "-" : "", magnitude));
	return 0;
}

static int read_array(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	struct json *list = value_of_list(r->arena);
	const char *item_type = wanted && *wanted == 'a' ? wanted + 1 : NULL;
	int e = item_type ? 0 : check_wanted(r, wanted, "a…", err);

	r->at++;
	if (e >= 0 && take(r, ']')) {
		if (!item_type)
			return refuse_here(r, err, "an empty array needs its type, as @as []");
		*ret = (struct gvariant){wanted, list};
		return 0;
	}
	while (e >= 0) {
		struct gvariant item = {NULL, NULL};

		e = read_value(r, item_type, &item, err);
		if (e < 0)
			break;
		item_type = item.signature;
		value_add(list, item.value);
		if (take(r, ']')) {
			*ret = (struct gvariant){arena_printf(r->arena, "a%s", item_type), list};
			return 0;
		}
		if (!take(r, ','))
			e = refuse_here(r, err, "\",\" or \"]\" is missing");
	}
	return e;
}

/* The type of the next item of a tuple whose signature is @rest from there on; NULL: any. */
static int next_type(const struct reader *r, const char **rest, const char **ret, struct error *err)
{
	size_t length;

	*ret = NULL;
	if (!*rest)
		return 0;
	if (**rest == ')')
		return refuse_here(r, err, "the tuple has more items than its type");
	length = type_length(*rest, 0);
	*ret = arena_strndup(r->arena, *rest, length);
	*rest += length;
	return 0;
}

static int read_tuple(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	struct json *list = value_of_list(r->arena);
	const char *rest = wanted && *wanted == '(' ? wanted + 1 : NULL;
	_cleanup_buf_ struct buf signature = BUF_EMPTY;
	int e = rest ? 0 : check_wanted(r, wanted, "(…)", err);

	buf_add_char(&signature, '(');
	r->at++;
	while (e >= 0 && !take(r, ')')) {
		struct gvariant item = {NULL, NULL};
		const char *type;

		e = next_type(r, &rest, &type, err);
		if (e >= 0)
			e = read_value(r, type, &item, err);
		if (e < 0)
			break;
		buf_add_string(&signature, item.signature);
		value_add(list, item.value);
		skip_blanks(r);
		if (*r->at != ')' && !take(r, ','))
			e = refuse_here(r, err, "\",\" or \")\" is missing");
	}
	if (e < 0)
		return e;
	if (!list->count || (rest && *rest != ')'))
		return refuse_here(r, err, "the tuple lacks items");
	buf_add_char(&signature, ')');
	*ret = (struct gvariant){arena_strdup(r->arena, signature.data), list};
	return 0;
}

/* "@as []" */
static int read_typed(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	size_t length = type_length(r->at + 1, 0);
	const char *type = arena_strndup(r->arena, r->at + 1, length);
	int e;

	if (!length)
		return refuse_here(r, err, "not a type that is supported here");
	e = check_wanted(r, wanted, type, err);
	r->at += 1 + length;
	return e < 0 ? e : read_value(r, type, ret, err);
}

static int read_word(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	static const char *const types[][2] = {
		{"boolean", "b"}, {"byte", "y"},   {"int16", "n"},	{"uint16", "q"},
		{"int32", "i"},	  {"uint32", "u"}, {"int64", "x"},	{"uint64", "t"},
		{"double", "d"},  {"string", "s"}, {"objectpath", "o"}, {"signature", "g"},
	};
	size_t length = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	const char *word = arena_strndup(r->arena, r->at, length);
	int e;

	if (str_equal(word, "true") || str_equal(word, "false")) {
		e = check_wanted(r, wanted, "b", err);
		r->at += length;
		*ret = (struct gvariant){"b", value_of_bool(r->arena, word[0] == 't')};
		return e;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!str_equal(types[i][0], word))
			continue;
		e = check_wanted(r, wanted, types[i][1], err);
		r->at += length;
		return e < 0 ? e : read_value(r, types[i][1], ret, err);
	}
	return refuse_here(r, err, "not a value of GVariant's text format (texts stand in quotes)");
}

/* @wanted: the type that the value must have; NULL: any. */
static int read_value(struct reader *r, const char *wanted, struct gvariant *ret, struct error *err)
{
	int e;

	skip_blanks(r);
	if (++r->depth > DEPTH_MAX)
		return refuse_here(r, err, "nested too deeply");
	switch (*r->at) {
	case '\0':
		e = refuse_here(r, err, "a value is missing");
		break;
	case '\'':
	case '"':
		e = read_text(r, wanted, ret, err);
		break;
	case '[':
		e = read_array(r, wanted, ret, err);
		break;
	case '(':
		e = read_tuple(r, wanted, ret, err);
		break;
	case '@':
		e = read_typed(r, wanted, ret, err);
		break;
	default:
		e = *r->at >= 'a' && *r->at <= 'z' ? read_word(r, wanted, ret, err)
						   : read_number(r, wanted, ret, err);
	}
	r->depth--;
	return e;
}

int gvariant_read(struct arena *arena, const char *text, struct gvariant *ret, struct error *err)
{
	struct reader reader = {.arena = arena, .text = text, .at = text};
	int r = read_value(&reader, NULL, ret, err);

	if (r < 0)
		return r;
	skip_blanks(&reader);
	return *reader.at ? refuse_here(&reader, err, "something follows the value") : 0;
}
