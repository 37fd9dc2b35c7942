/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session keyring of the container's own, so that it does not see its creator's keys; see
 * session-keyring(7). It has a name, so that what is executed in the container later joins the
 * same one; a keyring is found by its name only by those who may search it, which its owner may
 * not at first.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/sys.h"
#include "berth/linux/process.h"

/* Rights of a key: <keyutils.h> has these names, but is not needed for anything else. */
#define KEY_POSSESSOR_ALL 0x3f000000ul
#define KEY_OWNER_VIEW	  0x00010000ul
#define KEY_OWNER_READ	  0x00020000ul
#define KEY_OWNER_SEARCH  0x00080000ul
#define KEY_OWNER_LINK	  0x00100000ul

/* No keys in this kernel, or a filter that is around us already keeps them away. */
static bool unavailable(int code)
{
	return code == -ENOSYS || code == -EPERM || code == -EACCES;
}

int keyring_join(const char *container_id, struct error *err)
{
	const unsigned long rights = KEY_POSSESSOR_ALL | KEY_OWNER_VIEW | KEY_OWNER_READ |
				     KEY_OWNER_SEARCH | KEY_OWNER_LINK;
	_cleanup_free_ char *name = xasprintf("_ses.%s", container_id);
	int key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (uintptr_t)name, 0, 0);
	int r;

	if (unavailable(key))
		return 0;
	if (key == -EDQUOT)
		return fail(err, key,
			    "join session keyring \"%s\": too many keys (see "
			    "/proc/sys/kernel/keys/ and --no-new-keyring)",
			    name);
	if (key < 0)
		return fail(err, key, "join session keyring \"%s\"", name);
	r = sys_keyctl(KEYCTL_SETPERM, (unsigned)key, rights, 0);
	if (r < 0 && !unavailable(r))
		return fail(err, r, "set the rights of session keyring \"%s\"", name);
	return 0;
}
