/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as writes to files: what the files that make, write and change them share. */
#ifndef BERTH_CGROUP_LIMITS_INTERNAL_H
#define BERTH_CGROUP_LIMITS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/spec/resources.h"

/* limits.c */

enum asked {
	ASKED_NOTHING,
	ASKED_DEFAULT, /* what a new cgroup has anyway */
	ASKED_LIMIT
};

/* One write that linux.resources asks for. The texts are owned. */
struct setting {
	enum asked asked; /* not ASKED_NOTHING */
	bool may_lack;	  /* where there is no such file, the value holds already */
	bool unified;	  /* of linux.resources.unified */
	char *field;	  /* "linux.resources.memory.limit" */
	char *file, *value;
	char *other_file, *other_value; /* where there is no such file; NULL: none */
};

/* All of them, in the order of writing. */
struct settings {
	struct setting *items;
	size_t count;
};

struct settings settings_of(const struct spec_resources *resources);
/* A new one at the end, to be filled in whole. */
struct setting *settings_add(struct settings *settings);
void settings_remove(struct settings *settings, size_t index);
void settings_done(struct settings *settings);

/* True for a file with a line for each device: what is written changes that device only. */
bool limit_file_is_keyed(const char *file);

#define _cleanup_settings_ __attribute__((cleanup(settings_done)))

/* config.json's cpu.shares (2 to 262144) as cpu.weight (1 to 10000); 1024 is 100. */
unsigned weight_of_shares(uint64_t shares);

/* block_io.c: the rows of the table for linux.resources.blockIO. */
void io_weight(const struct spec_resources *resources, struct settings *settings);
void io_device_weights(const struct spec_resources *resources, struct settings *settings);
void io_throttles(const struct spec_resources *resources, struct settings *settings);
int io_check(const struct spec_resources *resources, struct error *err) must_check;
/* config.json's weight (10 to 1000) as io.weight (1 to 10000). */
unsigned io_weight_of(uint64_t weight);

/* limits_write.c */

/* A controller that a limit needs. */
struct limit_need {
	char *controller; /* "memory" */
	char *field;	  /* the first JSON path that needs it: "linux.resources.memory.limit" */
};

struct limit_needs {
	struct limit_need *items;
	size_t count;
};

/* The controllers that the limits need, each once; limit_needs_done() frees them. */
struct limit_needs limits_need(const struct settings *settings);
void limit_needs_done(struct limit_needs *needs);

#define _cleanup_needs_ __attribute__((cleanup(limit_needs_done)))

/* True if @word is one of the blank-separated words of @list. */
bool word_listed(const char *list, const char *word);

/* One of them; -ENOENT where there is no such file, and one is needed. */
int limit_write(int cgroupfd, const char *path, const struct setting *setting,
		struct error *err) must_check;

/* Refuses a memory.limit below the usage where checkBeforeUpdate is set. */
int limits_check_usage(int cgroupfd, const char *path, const struct spec_resources *resources,
		       struct error *err) must_check;

/* Writes the @settings, which are those of @resources; @path names the cgroup in errors. */
int limits_write(int cgroupfd, const char *path, const struct spec_resources *resources,
		 const struct settings *settings, struct error *err) must_check;

/* driver_fs.c */

/* Has every ancestor of the cgroup pass on the controllers that are needed. */
int cgroup_enable(int rootfd, const char *path, const struct limit_needs *needs,
		  struct error *err) must_check;

#endif
