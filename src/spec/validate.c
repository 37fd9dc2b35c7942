/* SPDX-License-Identifier: Apache-2.0 */
/* What a whole config.json must fulfil: clashes between fields of different objects. */
#include "tables-internal.h"

/* Longest name of a host and of a domain, uname(2). */
#define UTS_NAME_MAX 64

static int check_uts_name(const struct node *document, const struct spec *spec, const char *member,
			  const char *name, struct error *err)
{
	const struct node node = node_member(document, member);

	if (name == NULL)
		return 0;
	if (strlen(name) > UTS_NAME_MAX)
		return refuse_at(&node, err, "has %zu bytes, and the kernel takes %d", strlen(name),
				 UTS_NAME_MAX);
	if (!spec->linux.namespaces[NAMESPACE_UTS].wanted)
		return refuse_at(&node, err, "needs a \"uts\" namespace in linux.namespaces");
	return 0;
}

/* Ids are mapped where a user namespace is made, and only there. */
static int check_maps(const struct node *linux, const char *member, bool new_user, size_t count,
		      struct error *err)
{
	const struct node node = node_member(linux, member);

	if (new_user && count == 0)
		return refuse_at(&node, err, "required with a new \"user\" namespace, but missing");
	if (!new_user && count > 0)
		return refuse_at(&node, err, "needs a new \"user\" namespace in linux.namespaces");
	return 0;
}

static int check_namespaces(const struct node *linux, const struct spec *spec, struct error *err)
{
	const struct spec_namespace *user = &spec->linux.namespaces[NAMESPACE_USER];
	const bool new_user = user->wanted && user->path == NULL;
	int r;

	r = check_maps(linux, "uidMappings", new_user, spec->linux.id_maps.uid_count, err);
	if (r < 0)
		return r;
	return check_maps(linux, "gidMappings", new_user, spec->linux.id_maps.gid_count, err);
}

int spec_validate(const struct node *node, struct spec *spec, struct error *err)
{
	/* Without a value where the document has no such object: a node is for the path alone. */
	const struct node linux = {.up = node, .member = "linux"};
	int r = check_namespaces(&linux, spec, err);

	if (r >= 0)
		r = check_uts_name(node, spec, "hostname", spec->hostname, err);
	return r < 0 ? r : check_uts_name(node, spec, "domainname", spec->domainname, err);
}
