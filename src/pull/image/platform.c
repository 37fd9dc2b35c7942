/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: one spelling for each, which variants run where, and the choice from an index. */
#include "platform.h"

#include <ctype.h>
#include <errno.h>
#include <sys/utsname.h>

#include "berth/base/str.h"

#include "common/fields.h"

#include "cpu_level.h"

/* How many platforms a message lists. */
#define OFFERED_MAX 20

/* Other names of architectures: those of uname(2), of Debian, of old images. */
static const struct {
	const char *name, *architecture, *variant;
} architectures[] = {
	{"x86_64", "amd64", ""},
	{"x86-64", "amd64", ""},
	{"i386", "386", ""},
	{"i486", "386", ""},
	{"i586", "386", ""},
	{"i686", "386", ""},
	{"aarch64", "arm64", ""},
	{"armhf", "arm", "v7"},
	{"armel", "arm", "v6"},
	{"armv5tel", "arm", "v5"},
	{"armv5tejl", "arm", "v5"},
	{"armv6l", "arm", "v6"},
	{"armv7l", "arm", "v7"},
	{"armv8l", "arm", "v8"},
	{"loongarch64", "loong64", ""},
	{"ppc64el", "ppc64le", ""},
	{"mips64el", "mips64le", ""},
	/* The same in both. */
	{"amd64", "amd64", ""},
	{"386", "386", ""},
	{"arm64", "arm64", ""},
	{"arm", "arm", ""},
	{"loong64", "loong64", ""},
	{"mips64", "mips64", ""},
	{"mips64le", "mips64le", ""},
	{"ppc64", "ppc64", ""},
	{"ppc64le", "ppc64le", ""},
	{"riscv64", "riscv64", ""},
	{"s390x", "s390x", ""},
};

/* Names alone that are systems and not architectures. */
static const char *const systems[] = {"linux", "windows", "darwin", "macos", "freebsd", NULL};

/* The variant that is meant where none is given, and how it is written then. */
static const struct {
	const char *architecture, *variant, *written;
} plain_variants[] = {
	{"amd64", "v1", ""},
	{"arm64", "v8", ""},
	{"arm64", "v8.0", ""},
	{"arm", "", "v7"},
};

static const char *lower(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text ? text : "");

	for (char *at = copy; *at; at++)
		*at = ascii_lower(*at);
	return copy;
}

/* Puts the "v" in front that old images leave out. */
static const char *spell_variant(struct arena *arena, const char *variant)
{
	if (isdigit((unsigned char)variant[0]))
		return arena_printf(arena, "v%s", variant);
	return variant;
}

void platform_normalise(struct arena *arena, struct platform *platform)
{
	platform->os = lower(arena, platform->os);
	platform->architecture = lower(arena, platform->architecture);
	platform->variant = spell_variant(arena, lower(arena, platform->variant));
	if (str_equal(platform->os, "macos"))
		platform->os = "darwin";
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		if (!str_equal(platform->architecture, architectures[i].name))
			continue;
		platform->architecture = architectures[i].architecture;
		if (platform->variant[0] == '\0')
			platform->variant = architectures[i].variant;
		break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain_variants); i++) {
		if (str_equal(platform->architecture, plain_variants[i].architecture) &&
		    str_equal(platform->variant, plain_variants[i].variant)) {
			platform->variant = plain_variants[i].written;
			break;
		}
	}
}

const char *platform_text(struct arena *arena, const struct platform *platform)
{
	return arena_printf(arena, "%s/%s%s%s", platform->os, platform->architecture,
			    platform->variant[0] ? "/" : "", platform->variant);
}

void platform_of_host(struct platform *ret)
{
	static const char *const levels[] = {"", "", "v2", "v3", "v4"};
	struct utsname name;

	*ret = (struct platform){.os = "linux", .architecture = "unknown", .variant = ""};
	if (uname(&name) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		if (str_equal(name.machine, architectures[i].name)) {
			ret->architecture = architectures[i].architecture;
			ret->variant = architectures[i].variant;
			break;
		}
	}
	if (str_equal(ret->architecture, "amd64"))
		ret->variant = levels[cpu_level()];
}

static bool is_system(const char *name)
{
	for (size_t i = 0; systems[i]; i++) {
		if (strcasecmp(systems[i], name) == 0)
			return true;
	}
	return false;
}

/* Letters, digits and "._-", at least one. */
static bool is_word(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
			return false;
	}
	return true;
}

int platform_parse(struct arena *arena, const char *text, struct platform *ret, struct error *err)
{
	char *rest = arena_strdup(arena, text), *parts[3] = {NULL}, *part;
	struct platform made = {"", "", ""}, host;
	size_t count = 0;

	while ((part = strsep(&rest, "/"))) {
		if (count == ARRAY_SIZE(parts) || !is_word(part))
			return refuse(err,
				      "platform \"%s\": must be OS/ARCHITECTURE[/VARIANT], OS or "
				      "ARCHITECTURE",
				      text);
		parts[count++] = part;
	}
	platform_of_host(&host);
	if (count == 1 && is_system(parts[0])) {
		made = host;
		made.os = parts[0];
	} else if (count == 1) {
		made.os = host.os;
		made.architecture = parts[0];
	} else {
		made.os = parts[0];
		made.architecture = parts[1];
		made.variant = count == 3 ? parts[2] : "";
	}
	platform_normalise(arena, &made);
	*ret = made;
	return 0;
}

/* A variant as a number: "v8.2" is 802, and "" is @plain. Negative if it is none. */
static int variant_number(const char *variant, int plain)
{
	int major, minor = 0;

	if (variant[0] == '\0')
		return plain;
	if (variant[0] != 'v' || !isdigit((unsigned char)variant[1]))
		return -EINVAL;
	major = variant[1] - '0';
	variant += 2;
	if (variant[0] == '.' && isdigit((unsigned char)variant[1])) {
		minor = variant[1] - '0';
		variant += 2;
	}
	return variant[0] == '\0' ? major * 100 + minor : -EINVAL;
}

/* Variants where the higher runs what is for the lower: how far @have is below @wish. */
static int rank_by_number(const char *have, const char *wish, int plain)
{
	int has = variant_number(have, plain), wants = variant_number(wish, plain);

	return has < 0 || wants < 0 || has > wants ? -1 : wants - has;
}

/* Armv9.N has what Armv8.(N+5) has; so v9.0 runs v8.5 and below, and not v8.6. */
static int rank_arm64(const char *have, const char *wish)
{
	int has = variant_number(have, 800), wants = variant_number(wish, 800);

	if (has >= 0 && has < 900 && wants >= 900 && has > wants - 100 + 5)
		return -1;
	return rank_by_number(have, wish, 800);
}

/* One architecture: 0 for the same variant, the higher the worse, -1 if it does not run. */
static int rank_variant(const char *architecture, const char *have, const char *wish)
{
	if (str_equal(have, wish))
		return 0;
	if (str_equal(architecture, "amd64"))
		return rank_by_number(have, wish, 100);
	if (str_equal(architecture, "arm"))
		return rank_by_number(have, wish, 700);
	if (str_equal(architecture, "arm64"))
		return rank_arm64(have, wish);
	return have[0] == '\0' ? 1 : -1;
}

/* Above every rank within one architecture. */
#define RANK_OTHER_ARCHITECTURE 10000

static int rank(const struct platform *have, const struct platform *wish)
{
	int r = -1;

	if (!str_equal(have->os, wish->os))
		return -1;
	if (str_equal(have->architecture, wish->architecture))
		return rank_variant(wish->architecture, have->variant, wish->variant);
	if (str_equal(wish->architecture, "amd64") && str_equal(have->architecture, "386"))
		r = 0;
	if (str_equal(wish->architecture, "arm64") && str_equal(have->architecture, "arm"))
		r = rank_by_number(have->variant, "v8", 700);
	return r < 0 ? r : r + RANK_OTHER_ARCHITECTURE;
}

/* Whether the entry may be an image for some machine. */
static bool is_image(const struct descriptor *entry)
{
	return !entry->is_artifact &&
	       !(entry->has_platform && str_equal(entry->platform.os, "unknown") &&
		 str_equal(entry->platform.architecture, "unknown"));
}

static const char *list_offered(struct arena *arena, const struct image_index *index)
{
	_cleanup_buf_ struct buf list = BUF_EMPTY;
	size_t count = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *entry = &index->manifests[i];

		if (!is_image(entry))
			continue;
		if (count++ == OFFERED_MAX) {
			buf_add_string(&list, ", …");
			break;
		}
		buf_printf(&list, "%s%.100s", list.size > 0 ? ", " : "",
			   entry->has_platform ? platform_text(arena, &entry->platform)
					       : "one that names no platform");
	}
	return arena_strdup(arena, list.data ? list.data : "");
}

const struct descriptor *platform_choose(struct arena *arena, const struct image_index *index,
					 const struct platform *wish, const char **ret_offered)
{
	const struct descriptor *best = NULL, *only = NULL;
	int best_rank = 0;
	size_t images = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *entry = &index->manifests[i];
		int r = entry->has_platform ? rank(&entry->platform, wish) : -1;

		if (!is_image(entry))
			continue;
		images++;
		only = entry;
		if (r >= 0 && (!best || r < best_rank)) {
			best = entry;
			best_rank = r;
		}
	}
	if (!best && images == 1 && !only->has_platform)
		best = only;
	if (!best)
		*ret_offered = list_offered(arena, index);
	return best;
}

bool platform_fits(const struct platform *have, const struct platform *wish)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct platform known = *have;

	platform_normalise(arena, &known);
	if (known.os[0] == '\0')
		known.os = wish->os;
	if (known.architecture[0] == '\0') {
		known.architecture = wish->architecture;
		known.variant = wish->variant;
	}
	return rank(&known, wish) >= 0;
}
