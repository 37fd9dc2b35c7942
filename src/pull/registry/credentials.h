/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user's name and password for a registry come from. */
#ifndef BERTH_PULL_CREDENTIALS_H
#define BERTH_PULL_CREDENTIALS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "berth/base/error.h"

/* What the command line and the environment say. All is borrowed; NULL: not set. */
struct credentials_places {
	const char *creds;		/* USER:PASSWORD of --creds */
	const char *authfile;		/* of --authfile; it is the only file that is read then */
	const char *registry_auth_file; /* $REGISTRY_AUTH_FILE, the same */
	const char *xdg_runtime_dir, *xdg_config_home, *home, *docker_config;
	uid_t uid; /* the user's own, for /run/containers/UID */
	/* "NAME=VALUE", NULL-terminated: what a credential helper gets, and where it is found. */
	const char *const *environment;
	const atomic_bool *cancelled; /* ends the waiting for a helper; or NULL */
};

enum credentials_kind {
	CREDENTIALS_NONE,
	CREDENTIALS_PASSWORD,
	CREDENTIALS_IDENTITY_TOKEN, /* for a token server: secret is a refresh token */
	CREDENTIALS_REGISTRY_TOKEN  /* secret is what the registry itself takes as a bearer */
};

struct credentials {
	enum credentials_kind kind;
	char *user, *secret; /* owned; NULL where there is none */
	char *origin;	     /* owned: where they were found, for messages */
};

/* Overwrites the secret. */
void credentials_done(struct credentials *credentials);
#define _cleanup_credentials_ __attribute__((cleanup(credentials_done)))

/*
 * Looks for the credentials of @domain ("docker.io", "localhost:5000"), for @repository in it. The
 * first place that has some wins: --creds (where @is_own), then the one file that is named (it must
 * be there), or else
 *   $XDG_RUNTIME_DIR/containers/auth.json, or /run/containers/UID/auth.json
 *   $XDG_CONFIG_HOME/containers/auth.json, or ~/.config/containers/auth.json
 *   $DOCKER_CONFIG/config.json, or ~/.docker/config.json
 *   ~/.dockercfg
 * In a file: the helper of credHelpers for the domain, then the entry of auths with the longest
 * beginning of domain and repository, then the helper credsStore. The kind is CREDENTIALS_NONE
 * where nothing is found. Errors name file or helper: it cannot be read or does not hold what it
 * should; they never hold what is secret.
 */
int credentials_find(const struct credentials_places *places, const char *domain,
		     const char *repository, bool is_own, struct credentials *ret,
		     struct error *err) must_check;

#endif
