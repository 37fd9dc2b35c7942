/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of images and of file systems, for terminals. */
#ifndef BERTH_PULL_PRINTABLE_H
#define BERTH_PULL_PRINTABLE_H

#include "berth/base/str.h"

/* Adds @text with control characters (C1 included) and what is no UTF-8 as \ooo: an image must not
 * write to the terminal of whoever looks at it. */
void printable_write(struct buf *out, const char *text);

#endif
