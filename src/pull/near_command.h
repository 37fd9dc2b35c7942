/* SPDX-License-Identifier: Apache-2.0 */
/* A word that was meant to be a command, and was taken for an image. */
#ifndef BERTH_PULL_NEAR_COMMAND_H
#define BERTH_PULL_NEAR_COMMAND_H

/* The command that @word nearly is: one or two letters too many, missing or others. NULL: none, and
 * none for a word that can only be an image (with a host, a path, a tag or a digest). */
const char *near_command(const char *word);

#endif
