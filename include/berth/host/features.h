/* SPDX-License-Identifier: Apache-2.0 */
/* What this binary can do (features.md, features-linux.md). */
#ifndef BERTH_HOST_FEATURES_H
#define BERTH_HOST_FEATURES_H

/* The features document, indented, with a final newline; the caller's text. Made from the same
 * tables that decode config.json, so that it claims what berth honours and nothing else. */
char *features_document(const char *version, const char *commit) __attribute__((returns_nonnull));

#endif
