/* SPDX-License-Identifier: Apache-2.0 */
/* Signal state of a process that is about to execute something. */
#ifndef BERTH_BASE_SIGNALS_H
#define BERTH_BASE_SIGNALS_H

#include <stddef.h>

/*
 * Default disposition for every signal (ignored ones too: exec would pass those on) and an empty
 * mask. Cannot fail.
 */
void signals_reset(void);

/* Number of a signal: decimal (0 included, see kill(2)), "TERM" or "SIGTERM", in any case,
 * "RTMIN+1"; -EINVAL: none such. */
int signal_number(const char *text);

/* "SIGTERM", or NULL for a number that has no name. */
const char *signal_name(int number);

#endif
