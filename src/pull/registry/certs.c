/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of hosts, where Docker and others keep them. */
#include "certs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"

static const char *const usual_dirs[] = {
	"/etc/docker/certs.d",
	"/etc/containers/certs.d",
	NULL,
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && str_equal(text + length - strlen(end), end);
}

/* Links are followed: it is the administrator who has made them. */
static int add_trust(struct certs *certs, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r;

	if (fd < 0)
		return fail(err, -errno, "open the certificates \"%s\"", path);
	r = file_read_fd(fd, path, CERTS_FILE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	if (!strstr(text, "-----BEGIN "))
		return refuse(err, "\"%s\" holds no certificate in PEM form", path);
	buf_add(&certs->trust, text, size);
	buf_add_char(&certs->trust, '\n');
	return 0;
}

/* The first by name of a directory, and of the first directory that has one. */
static void offer_cert(char **best, const char *path)
{
	if (*best && strcmp(*best, path) <= 0)
		return;
	free(*best);
	*best = xstrdup(path);
}

static int read_directory(struct certs *certs, const char *path, struct error *err)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	_cleanup_free_ char *cert = NULL;
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			       ? 0
			       : fail(err, -errno, "open the certificates \"%s\"", path);
	while (r >= 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, entry->d_name);

		if (ends_with(entry->d_name, ".crt"))
			r = add_trust(certs, file, err);
		else if (ends_with(entry->d_name, ".cert"))
			offer_cert(&cert, file);
	}
	if (!certs->cert)
		certs->cert = take_ptr(&cert);
	return r;
}

static int find_key(struct certs *certs, struct error *err)
{
	size_t stem;

	if (!certs->cert)
		return 0;
	stem = strlen(certs->cert) - strlen(".cert");
	certs->key = xasprintf("%.*s.key", (int)stem, certs->cert);
	if (access(certs->key, R_OK) < 0)
		return fail(err, -errno, "the key \"%s\" of the certificate \"%s\"", certs->key,
			    certs->cert);
	return 0;
}

static int read_host(struct certs *certs, const char *dir, const struct http_url *url,
		     struct error *err)
{
	_cleanup_free_ char *with_port = xasprintf("%s/%s", dir, certs->host);
	_cleanup_free_ char *without = xasprintf("%s/%s", dir, url->host);
	int r = read_directory(certs, with_port, err);

	if (r < 0 || url->port != (str_equal(url->scheme, "https") ? 443 : 80))
		return r;
	return read_directory(certs, without, err);
}

int certs_read(const struct http_options *options, const struct http_url *url, struct certs **ret,
	       struct error *err)
{
	const char *const *dirs = options->certs_dirs ? options->certs_dirs : usual_dirs;
	_cleanup_certs_ struct certs *certs = xcalloc(1, sizeof(*certs));
	int r = 0;

	certs->host = xasprintf("%s:%u", url->host, url->port);
	if (options->ssl_cert_file)
		r = add_trust(certs, options->ssl_cert_file, err);
	if (r >= 0 && options->tls_ca)
		r = add_trust(certs, options->tls_ca, err);
	/* A name that begins so would lead out of certs.d. */
	for (size_t i = 0; r >= 0 && url->host[0] != '.' && dirs[i]; i++)
		r = read_host(certs, dirs[i], url, err);
	if (r >= 0)
		r = find_key(certs, err);
	if (r < 0)
		return r;
	*ret = take_ptr(&certs);
	return 0;
}

struct certs *certs_free(struct certs *certs)
{
	while (certs) {
		struct certs *next = certs->next;

		free(certs->host);
		buf_done(&certs->trust);
		free(certs->cert);
		free(certs->key);
		free(certs);
		certs = next;
	}
	return NULL;
}

const char *certs_system_directory(void)
{
	const char *path = X509_get_default_cert_dir();
	_cleanup_dir_ DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (ends_with(entry->d_name, ".0"))
			return path;
	return NULL;
}
