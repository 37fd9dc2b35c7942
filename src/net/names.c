/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers, networks, links and hosts. */
#include "names.h"

#include <net/if.h>
#include <string.h>
#include <strings.h>

#include "berth/base/str.h"

#define HOST_NAME_MAX_BYTES  253
#define HOST_LABEL_MAX_BYTES 63

#define LETTERS                                                                                    \
	"abcdefghijklmnopqrstuvwxyz"                                                               \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

struct name_shown name_show(const char *text)
{
	static const char cut[] = "…";
	struct name_shown shown = {.text = ""};
	size_t room = sizeof(shown.text) - sizeof(cut), i = 0;

	for (; i < room && text[i]; i++)
		shown.text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	if (text[i])
		memcpy(shown.text + i, cut, sizeof(cut));
	return shown;
}

static int refuse_name(const char *what, const char *name, const char *rule, struct error *err)
{
	return refuse(err, "%s \"%s\": %s", what, name_show(name).text, rule);
}

static bool is_dots(const char *name)
{
	return str_equal(name, ".") || str_equal(name, "..");
}

int name_check_container(const char *what, const char *id, struct error *err)
{
	size_t length = strspn(id, LETTERS DIGITS "_+-.");

	if (!*id || id[length] || is_dots(id))
		return refuse_name(what, id,
				   "a container's id is made of letters, digits, \"_\", \"+\", "
				   "\"-\" and \".\", and is neither \".\" nor \"..\"",
				   err);
	if (length > CONTAINER_ID_MAX)
		return refuse(err, "%s \"%s\": a container's id has at most %d bytes", what,
			      name_show(id).text, CONTAINER_ID_MAX);
	return 0;
}

int name_check_network(const char *what, const char *name, struct error *err)
{
	size_t length = strspn(name, LETTERS DIGITS "_.-");

	if (!*name || name[length] || strchr("_.-", name[0]))
		return refuse_name(what, name,
				   "a network's name begins with a letter or digit and is made "
				   "of letters, digits, \"_\", \".\" and \"-\"",
				   err);
	if (length > NETWORK_NAME_MAX)
		return refuse(err, "%s \"%s\": a network's name has at most %d bytes", what,
			      name_show(name).text, NETWORK_NAME_MAX);
	return 0;
}

int name_check_link(const char *what, const char *name, struct error *err)
{
	static const char *const taken[] = {"all", "default", "lo"};
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ)
		return refuse_name(what, name, "a link's name has 1 to 15 bytes", err);
	if (is_dots(name))
		return refuse_name(what, name, "no link has this name", err);
	for (size_t i = 0; i < length; i++) {
		if (name[i] <= ' ' || name[i] > '~' || strchr("/:%", name[i]))
			return refuse_name(what, name,
					   "a link's name is made of printable ASCII characters "
					   "other than blanks, \"/\", \":\" and \"%\"",
					   err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (str_equal(name, taken[i]))
			return refuse_name(what, name, "this name has another meaning", err);
	}
	return 0;
}

bool name_is_local(const char *name)
{
	static const char *const names[] = {"localhost",     "localhost.localdomain",
					    "localhost4",    "localhost4.localdomain4",
					    "localhost6",    "localhost6.localdomain6",
					    "ip6-localhost", "ip6-loopback",
					    "ip6-localnet",  "ip6-mcastprefix",
					    "ip6-allnodes",  "ip6-allrouters"};
	static const char under[] = ".localhost";
	size_t length = strlen(name), tail = sizeof(under) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	/* RFC 6761 6.3: all names in it. */
	return length > tail && strcasecmp(name + length - tail, under) == 0;
}

/* Why the label, which has @length bytes, is none; NULL: it is one. */
static const char *label_fault(const char *label, size_t length)
{
	if (length == 0)
		return "a host's name has a label between any two dots";
	if (length > HOST_LABEL_MAX_BYTES)
		return "a label of a host's name has at most 63 bytes";
	if (strspn(label, LETTERS DIGITS "-_") < length)
		return "a host's name is made of letters, digits, \"-\", \"_\" and \".\"";
	if (label[0] == '-' || label[length - 1] == '-')
		return "a label of a host's name neither begins nor ends with \"-\"";
	return NULL;
}

int name_check_host(const char *what, const char *name, struct error *err)
{
	const char *label = name;

	if (strlen(name) > HOST_NAME_MAX_BYTES)
		return refuse_name(what, name, "a host's name has at most 253 bytes", err);
	for (;;) {
		size_t length = strcspn(label, ".");
		const char *fault = label_fault(label, length);

		if (fault)
			return refuse_name(what, name, fault, err);
		if (!label[length])
			break;
		label += length + 1;
	}
	if (!label[strspn(label, DIGITS)])
		return refuse_name(what, name, "the last label of a host's name is no number", err);
	if (name_is_local(name))
		return refuse_name(what, name, "this name means the host itself", err);
	return 0;
}
