/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host for a container (config-linux.md, "Network Devices"). berth-net moves
 * them, since what speaks rtnetlink is no part of berth. */
#ifndef BERTH_LINUX_NETDEVICES_H
#define BERTH_LINUX_NETDEVICES_H

#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/spec/strings.h"

/*
 * Finds berth-net, where there are devices; *ret_helper is the caller's, and NULL where there are
 * none. @program: the own name as it was executed, argv[0].
 */
int netdevices_prepare(const struct spec_strings *devices, const char *program, char **ret_helper,
		       struct error *err) must_check;

/*
 * Moves all devices into the network namespace of process @pid, with their permanent global
 * addresses, and sets them up. When one fails, none is moved.
 */
int netdevices_move(const struct spec_strings *devices, const char *helper, pid_t pid,
		    struct error *err) must_check;

#endif
