/* SPDX-License-Identifier: Apache-2.0 */
/* Programs docker-credential-NAME, which keep credentials elsewhere than in a file. */
#ifndef BERTH_PULL_CREDENTIAL_HELPER_H
#define BERTH_PULL_CREDENTIAL_HELPER_H

#include "berth/base/error.h"

#include "credentials.h"

#define CREDENTIAL_HELPER_OUTPUT_MAX ((size_t)64 * 1024) /* bytes of its answer */

/*
 * Runs "docker-credential-@name get" with @server on its standard input and the environment of
 * @places, from the first absolute directory of its PATH that has it. @asked_by names the file that
 * wants it. The kind is CREDENTIALS_NONE where the helper has none. Errors: @name is no name of a
 * helper, it is not there, it fails (with its own words), its answer is not what it should be;
 * -ECANCELED.
 */
int credential_helper_get(const struct credentials_places *places, const char *name,
			  const char *server, const char *asked_by, struct credentials *ret,
			  struct error *err) must_check;

#endif
