/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h: what the files of the test payload share. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>

/* One JSON document on stdout. A NULL key is an element of an array. */
void json_object(const char *key);
void json_array(const char *key);
void json_end(void);
void json_string(const char *key, const char *value);
void json_number(const char *key, long long value);
void json_bool(const char *key, bool value);
void json_null(const char *key);
void json_format(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a whole small file; the caller frees. NULL and errno when it cannot be read. */
char *read_file(const char *path);

/* The symbolic name of an errno, "OK" for 0. */
const char *errno_name(int error);

/* Sections of the report; each writes keys into the open object. */
void report_identity(void);
void report_capabilities(void);
void report_process(void);
void report_signals(void);
void report_descriptors(void);
void report_mounts(void);
void report_system(void);
void report_sysctl(const char *name);
void report_path(const char *path);

/* The number of a system call that this knows by name, or -1. */
long system_call(const char *name);

/* A socket of that type at a path, or -1, which it has told. */
int bind_at(const char *path, int type);
/* Receives one message; returns how many descriptors came with it, the first one in *fd. */
int receive_message(int socket_fd, char *text, size_t room, int *fd);

/* Sub-commands: argv[0] is the name; the result is the exit status. */
int command_hunt_exe(int argc, char **argv);
int command_hunt_host(int argc, char **argv);
int command_flip(int argc, char **argv);
int command_syscall(int argc, char **argv);
int command_x32(int argc, char **argv);
int command_receive_fd(int argc, char **argv);
int command_labels(int argc, char **argv);
int command_datagrams(int argc, char **argv);
int command_unlock(int argc, char **argv);
int command_agent(int argc, char **argv);
int command_notify(int argc, char **argv);

#endif
