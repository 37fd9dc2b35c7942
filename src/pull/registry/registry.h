/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as a source: distribution-spec, and what Docker Hub does besides. */
#ifndef BERTH_PULL_REGISTRY_H
#define BERTH_PULL_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "berth/base/str.h"

#include "image/reference.h"
#include "source/source.h"

#include "credentials.h"

/* What the command line and the environment say; all texts are borrowed. */
struct registry_options {
	struct credentials_places credentials;
	const char *tls_ca;	    /* file of certificates to trust besides, or NULL */
	bool insecure;		    /* http, and certificates that nobody signed */
	const struct strv *mirrors; /* URLs to ask first, for docker.io images */
	bool wait;		    /* wait also where the pull limit is reached */
	unsigned stall_seconds;	    /* see http.h */
	const char *ssl_cert_file, *ssl_cert_dir; /* $SSL_CERT_FILE, $SSL_CERT_DIR */
	const char *no_proxy;			  /* $no_proxy or $NO_PROXY */
	const atomic_bool *cancelled;
};

/*
 * Nothing is asked yet. Hosts are asked by https; those of loopback (localhost, 127.0.0.0/8, ::1)
 * and, with @insecure, all others by http where they speak no TLS. @reference and @options outlive
 * the source.
 */
int registry_open(const struct reference *reference, const struct registry_options *options,
		  struct source **ret, struct error *err) must_check;

#endif
