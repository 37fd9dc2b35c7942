/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host that a user names: connecting, and sending a descriptor. */
#ifndef BERTH_BASE_UNIX_SOCKET_H
#define BERTH_BASE_UNIX_SOCKET_H

#include <stddef.h>

#include "berth/base/error.h"

/*
 * Connects to the socket at @path, of any length, or, where it begins with "@", to the abstract
 * one of that name. @type: SOCK_STREAM or SOCK_DGRAM. Returns the descriptor, the caller's;
 * the error names @path.
 */
int unix_connect(const char *path, int type, struct error *err) must_check;

/*
 * Sends @text with the descriptor @fd (-1: none) in one message; on a stream what a signal has cut
 * off of a long text follows without it. Never raises SIGPIPE. Returns 0 or
 * negative errno, without a text.
 */
int unix_send_fd(int socket, const char *text, int fd) must_check;

#endif
