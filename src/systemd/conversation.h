/* SPDX-License-Identifier: Apache-2.0 */
/* What berth says to its helper, and is answered: one JSON object a message. */
#ifndef BERTH_SYSTEMD_CONVERSATION_H
#define BERTH_SYSTEMD_CONVERSATION_H

#include "berth/base/str.h"

#include "session.h"

/* Longest message in bytes. */
#define MESSAGE_MAX ((size_t)64 << 10)

/* Answers requests from the socket @fd (SOCK_SEQPACKET) until its other end is closed. */
int conversation_hold(int fd, const struct manager *manager, struct error *err) must_check;

/* Does what @text asks for, and puts the answer into @answer, which is empty. */
void conversation_answer(const struct manager *manager, const char *text, size_t size,
			 struct buf *answer);

#endif
