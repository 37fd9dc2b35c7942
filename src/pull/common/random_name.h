/* SPDX-License-Identifier: Apache-2.0 */
/* Names for files and directories that nobody has chosen. */
#ifndef BERTH_PULL_RANDOM_NAME_H
#define BERTH_PULL_RANDOM_NAME_H

#include "berth/base/error.h"

/* 16 random hexadecimal digits and NUL. -EIO, without a text: the kernel gives none. */
#define RANDOM_NAME_MAX 17
int random_name(char ret[static RANDOM_NAME_MAX]) must_check;

#endif
