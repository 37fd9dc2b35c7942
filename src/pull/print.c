/* SPDX-License-Identifier: Apache-2.0 */
/* What commands give to the user. */
#include <unistd.h>

#include "berth/base/fd.h"

#include "command.h"

int print_out(const char *text, struct error *err)
{
	int r = fd_write_all(STDOUT_FILENO, text, strlen(text));

	return r < 0 ? fail(err, r, "write to standard output") : 0;
}
