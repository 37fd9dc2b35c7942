/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolv.conf for containers.
 *
 * Theory of operation. The host's files are its administrator's, but what stands in them came from
 * DHCP servers and router advertisements, so only words that can be names, addresses or options get
 * through. The bundle may be another user's who races with us: the file is resolved beneath the
 * bundle, its kind is looked at on a descriptor that opens nothing, and what is written to is what
 * was looked at. A file with a second name could be anybody's.
 */
#include "resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"

#include "address.h"

#define HOST_FILE     "/etc/resolv.conf"
#define UPSTREAM_FILE "/run/systemd/resolve/resolv.conf"
#define HOST_FILE_MAX (64u << 10)

/* What resolvers heed, resolv.conf(5). */
#define SERVERS_MAX 3
#define WORDS_MAX   32
#define WORD_MAX    253

#define BLANKS " \t\r"

#define NAME_CHARACTERS                                                                            \
	"abcdefghijklmnopqrstuvwxyz"                                                               \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                               \
	"0123456789-_."
#define OPTION_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-:"

/* What a file says; texts point into it. */
struct word {
	const char *text;
	size_t length;
};

struct words {
	struct word items[WORDS_MAX];
	size_t count;
};

struct settings {
	struct address servers[SERVERS_MAX];
	size_t server_count;
	bool has_local; /* it names a server that only the host itself reaches */
	struct words search, options;
};

/* Yields the next word of the line at *@at; false at its end. */
static bool next_word(const char **at, struct word *ret)
{
	const char *text = *at + strspn(*at, BLANKS);

	ret->text = text;
	ret->length = strcspn(text, BLANKS "\n");
	*at = text + ret->length;
	return ret->length > 0;
}

static bool word_is(const struct word *word, const char *text)
{
	return strlen(text) == word->length && strncmp(word->text, text, word->length) == 0;
}

/* A server on this host's loopback, or at "any address", which means the same. */
static bool is_local(const struct address *address)
{
	static const char *const ranges[] = {"127.0.0.0/8", "0.0.0.0/8", "::/127"};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct prefix prefix;

		if (prefix_parse(ranges[i], &prefix) >= 0 && prefix_contains(&prefix, address))
			return true;
	}
	return false;
}

static void read_server(const char *line, struct settings *settings)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	struct word word;

	if (!next_word(&line, &word) || word.length >= sizeof(text))
		return;
	memcpy(text, word.text, word.length);
	text[word.length] = '\0';
	/* One with a scope is of a link that the container has not: "fe80::1%eth0". */
	if (address_parse(text, &address) < 0)
		return;
	if (is_local(&address))
		settings->has_local = true;
	else if (settings->server_count < SERVERS_MAX)
		settings->servers[settings->server_count++] = address;
}

static void add_words(const char *line, const char *characters, struct words *words)
{
	struct word word;

	while (next_word(&line, &word)) {
		if (word.length <= WORD_MAX && strspn(word.text, characters) >= word.length &&
		    words->count < WORDS_MAX)
			words->items[words->count++] = word;
	}
}

static void read_line(const char *line, struct settings *settings)
{
	struct word keyword;

	if (!next_word(&line, &keyword))
		return;
	if (word_is(&keyword, "nameserver"))
		read_server(line, settings);
	if (word_is(&keyword, "search") || word_is(&keyword, "domain")) {
		/* The last one counts. */
		settings->search.count = 0;
		add_words(line, NAME_CHARACTERS, &settings->search);
	}
	if (word_is(&keyword, "options"))
		add_words(line, OPTION_CHARACTERS, &settings->options);
}

static void read_settings(const char *text, struct settings *ret)
{
	*ret = (struct settings){.server_count = 0};
	while (text && *text) {
		read_line(text, ret);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

static void write_words(const char *keyword, const struct words *words, const char *except,
			struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < words->count; i++) {
		if (except && word_is(&words->items[i], except))
			continue;
		buf_printf(out, "%s %.*s", is_first ? keyword : "", (int)words->items[i].length,
			   words->items[i].text);
		is_first = false;
	}
	if (!is_first)
		buf_add_char(out, '\n');
}

static void write_servers(const struct settings *settings, struct buf *out)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < settings->server_count; i++) {
		address_format(&settings->servers[i], text);
		buf_printf(out, "nameserver %s\n", text);
	}
}

void resolv_text(const char *host, const char *upstream, const char *const *servers,
		 struct buf *out)
{
	struct settings ours, theirs;
	bool is_hosts_own = false;

	read_settings(host, &ours);
	read_settings(upstream, &theirs);
	buf_add_string(out, "# written by berth-net\n");
	if (servers && servers[0]) {
		for (size_t i = 0; servers[i]; i++)
			buf_printf(out, "nameserver %s\n", servers[i]);
	} else if (ours.server_count > 0 || !ours.has_local) {
		is_hosts_own = !ours.has_local;
		write_servers(&ours, out);
	} else {
		write_servers(&theirs, out);
	}
	write_words("search", &ours.search, NULL, out);
	/* The host trusts its own server, not just any, to have checked signatures. */
	write_words("options", &ours.options, is_hosts_own ? NULL : "trust-ad", out);
}

/* The host's file, or NULL where it is missing or unreadable: there is a text without it, too. */
static char *read_host_file(const char *path)
{
	struct error unused = ERROR_NONE;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text = NULL;

	if (fd < 0 || file_read_fd(fd, path, HOST_FILE_MAX, &text, NULL, &unused) < 0)
		return NULL;
	return text;
}

/* Opens the file that is to be written; nothing of it is changed yet. */
static int open_file(const char *bundle, const char *file, struct error *err)
{
	_cleanup_fd_ int bundlefd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int found = -EBADF;
	char path[FD_PATH_MAX];
	struct stat st;
	int fd;

	if (bundlefd < 0)
		return fail(err, -errno, "open the bundle \"%s\"", bundle);
	found = root_open(bundlefd, file, ROOT_NO_XDEV, O_PATH, err);
	if (found < 0)
		return within(err, found, "the bundle \"%s\"", bundle);
	if (fstat(found, &st) < 0)
		return fail(err, -errno, "stat \"%s/%s\"", bundle, file);
	if (!S_ISREG(st.st_mode))
		return refuse(err, "\"%s/%s\" is not a regular file", bundle, file);
	if (st.st_nlink != 1)
		return refuse(err, "\"%s/%s\" has %ju names, not one", bundle, file,
			      (uintmax_t)st.st_nlink);
	fd_path(found, path);
	fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? fail(err, -errno, "open \"%s/%s\"", bundle, file) : fd;
}

int resolv_write(const char *bundle, const char *file, const char *const *servers,
		 struct error *err)
{
	_cleanup_free_ char *host = read_host_file(HOST_FILE), *upstream = NULL;
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_fd_ int fd = open_file(bundle, file, err);
	int r;

	if (fd < 0)
		return fd;
	if (!servers || !servers[0])
		upstream = read_host_file(UPSTREAM_FILE);
	resolv_text(host, upstream, servers, &text);
	r = fd_write_all(fd, text.data, text.size);
	if (r >= 0 && ftruncate(fd, (off_t)text.size) < 0)
		r = -errno;
	return r < 0 ? fail(err, r, "write \"%s/%s\"", bundle, file) : 0;
}
