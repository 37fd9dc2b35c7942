/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net as a plugin of the Container Network Interface, of which containerd, CRI-O and podman
 * are engines: <https://www.cni.dev/docs/spec/>. */
#ifndef BERTH_NET_CNI_H
#define BERTH_NET_CNI_H

#include "command.h"

/* Does what context->cni_command says, with standard input and output as the specification has
 * them. Returns the exit status: an error has been written then. */
int cni_run(const struct context *context) must_check;

#endif
