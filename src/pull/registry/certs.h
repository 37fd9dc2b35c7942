/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to trust, and who we are, towards one host: --tls-ca, and the directories certs.d. */
#ifndef BERTH_PULL_CERTS_H
#define BERTH_PULL_CERTS_H

#include <stddef.h>

#include "berth/base/error.h"
#include "berth/base/str.h"

#include "http.h"

/* Most bytes of one file of certificates. */
#define CERTS_FILE_MAX (1u << 20)

struct certs {
	struct certs *next;
	char *host;	  /* "HOST:PORT" */
	struct buf trust; /* PEM text of certificates to trust besides; may be empty */
	char *cert, *key; /* files of the client's certificate, or NULL */
};

/*
 * Reads what there is for @url's host: @options' ssl_cert_file and tls_ca, and from each of
 * certs_dirs HOST:PORT/ (HOST/ too, for the scheme's own port) all *.crt, and the first *.cert that
 * has its *.key. Directories that are missing or closed to the caller count as empty; a certificate
 * without its key is an error.
 */
int certs_read(const struct http_options *options, const struct http_url *url, struct certs **ret,
	       struct error *err) must_check;

struct certs *certs_free(struct certs *certs); /* the whole list; accepts and returns NULL */

static inline void cleanup_certs(struct certs **variable)
{
	*variable = certs_free(*variable);
}
#define _cleanup_certs_ __attribute__((cleanup(cleanup_certs)))

/*
 * A directory of certificates by hash, which costs nothing until one is looked for, or NULL where
 * the system has none.
 */
const char *certs_system_directory(void);

#endif
