/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the files of this room offer each other. */
#ifndef BERTH_SPEC_TABLES_INTERNAL_H
#define BERTH_SPEC_TABLES_INTERNAL_H

#include "decode-internal.h"

extern const struct table process_table;   /* process: struct spec_process */
extern const struct table mount_table;	   /* mounts[]: struct spec_mount */
extern const struct table hooks_table;	   /* hooks: struct spec */
extern const struct table linux_table;	   /* linux: struct spec_linux */
extern const struct table resources_table; /* linux.resources: struct spec_resources */
extern const struct table seccomp_table;   /* linux.seccomp: struct spec_seccomp */

extern const struct table id_map_table; /* an item of uidMappings: struct id_map */

/* What no single range of uidMappings and gidMappings of @node can tell: do any overlap? */
int id_maps_check(const struct node *node, const struct spec_id_maps *maps,
		  struct error *err) must_check;

/* scheduling.c: process.scheduler and process.ioPriority. */
extern const struct table scheduler_table;   /* struct spec_scheduler */
extern const struct table io_priority_table; /* struct spec_io_priority */

/* process.capabilities: one set of struct spec_capabilities, which one is the argument. */
int capability_set_decode(const struct decoder *d, const struct field *field,
			  const struct node *node, void *base, struct error *err) must_check;

/* A list of environment variables: each must be NAME=VALUE. @node: the list's. */
int environment_check(const struct node *node, const char *const *env,
		      struct error *err) must_check;

/*
 * Reads a name of mount propagation, "shared" to "runbindable", into MS_* flags with MS_REC;
 * -EINVAL: none such.
 */
int propagation_parse(const char *name, uint64_t *ret) must_check;
extern const char *const propagation_names[];

/* block_io.c: linux.resources.blockIO. */
extern const struct table block_io_table;

extern const struct table intel_rdt_table; /* linux.intelRdt: struct spec_intel_rdt */

extern const struct table memory_policy_table; /* linux.memoryPolicy: struct spec_memory_policy */

/* number_list.c: a struct spec_number_list; an empty text is the same as no field. */
int number_list_decode(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err) must_check;

/* net_devices.c: linux.netDevices. */
int net_devices_decode(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err) must_check;

/* @path, made absolute with @bundle where it is not, without ".", "..", and doubled slashes. */
char *path_in_bundle(struct arena *arena, const char *bundle, const char *path)
	__attribute__((returns_nonnull));

/* The overlay that @annotations ask for; @node: that of annotations. */
int overlay_decode(const struct decoder *d, const struct node *node,
		   const struct spec_strings *annotations, struct spec_overlay *ret,
		   struct error *err) must_check;

/* What takes fields of several objects; @spec is otherwise decoded. @node: the document. */
int spec_validate(const struct node *node, struct spec *spec, struct error *err) must_check;

#endif
