/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a JSON object of a CNI call by a table of the members that berth-net honours. */
#ifndef BERTH_NET_CNI_MEMBER_H
#define BERTH_NET_CNI_MEMBER_H

#include "berth/base/json_read.h"
#include "berth/base/str.h"

/* The offset of a member that is known, and needs nothing to be done. */
#define CNI_NOTHING SIZE_MAX

struct cni_member {
	const char *name;
	enum json_type type;
	/*
	 * Where in the struct the value goes: a bool, const char * or uint64_t; of arrays and
	 * objects the value itself, const struct json *.
	 */
	size_t offset;
	/* Takes the value instead, if not NULL. */
	int (*take)(void *to, const struct json *value, struct error *err);
};

/*
 * Stores the members of @object in the struct @to. null is as good as absent. A member that no row
 * names is -EOPNOTSUPP, with its name and value; a wrong type is -EINVAL.
 */
int cni_members(const struct json *object, const struct cni_member *rows, size_t count, void *to,
		struct error *err) must_check;

/* For members that berth-net has not: accepts false, 0 and what is empty, and refuses the rest. */
int cni_only_empty(void *to, const struct json *value, struct error *err) must_check;

/* -EOPNOTSUPP with the name of the member, its value, cut where it is long, and @why or NULL. */
int cni_unsupported(const struct json *value, const char *why, struct error *err) must_check;

/* The strings of an array, NULL-terminated, in @arena; -EINVAL where an item is none. */
int cni_strings(struct arena *arena, const struct json *array, const char *const **ret,
		struct error *err) must_check;

#endif
