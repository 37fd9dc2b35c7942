/* SPDX-License-Identifier: Apache-2.0 */
/* The end of what a program wrote to its standard error. */
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "spawn-internal.h"

/* Reads of 1 KiB at a time: a pipe's default size. */
#define DRAIN_MAX 64

static void tail_add(struct tail *tail, const char *data, size_t size)
{
	size_t room = sizeof(tail->data) - tail->size;

	if (size > room) {
		size_t drop = size - room;

		memmove(tail->data, tail->data + drop, tail->size - drop);
		tail->size -= drop;
	}
	memcpy(tail->data + tail->size, data, size);
	tail->size += size;
}

bool tail_drain(struct tail *tail, int fd)
{
	char chunk[1024];
	ssize_t n = 1;

	for (int i = 0; i < DRAIN_MAX && n > 0; i++) {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			tail_add(tail, chunk, (size_t)n);
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void tail_finish(struct tail *tail)
{
	for (size_t i = 0; i < tail->size; i++) {
		if ((unsigned char)tail->data[i] < ' ' || tail->data[i] == 0x7f)
			tail->data[i] = ' ';
	}
	while (tail->size && tail->data[tail->size - 1] == ' ')
		tail->size--;
}
