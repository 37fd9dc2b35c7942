/* SPDX-License-Identifier: Apache-2.0 */
/* Host and domain name of the container's UTS namespace. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "berth/linux/namespaces.h"

int uts_apply(const char *hostname, const char *domainname, struct error *err)
{
	if (hostname && sethostname(hostname, strlen(hostname)) < 0)
		return fail(err, -errno, "hostname: set \"%s\"", hostname);
	if (domainname && setdomainname(domainname, strlen(domainname)) < 0)
		return fail(err, -errno, "domainname: set \"%s\"", domainname);
	return 0;
}
