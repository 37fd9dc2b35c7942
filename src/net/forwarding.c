/* SPDX-License-Identifier: Apache-2.0 */
/* Sysctls that forwarding needs: those of the host are looked at, those of our bridges are set. */
#include "forwarding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/proc.h"
#include "berth/base/str.h"

/* Longest path below /proc: a directory of sysctls, and the name of a link in it. */
#define SYSCTL_PATH_MAX 96

/* What the host must have set to forward packets of a family. */
static const struct setting {
	int family;
	const char *path; /* below /proc */
	const char *name; /* as sysctl(8) has it */
} settings[] = {
	{AF_INET, "sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"},
	{AF_INET6, "sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"},
};

/* Whether the sysctl at @path below /proc is not 0; negative errno. */
static int is_set(int procfd, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = proc_open_at(procfd, path, O_RDONLY, err);
	char value;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, &value, 1);
	if (n < 0)
		return fail(err, -errno, "read \"/proc/%s\"", path);
	return n == 1 && value != '0';
}

static bool has_family(const struct network *network, int family)
{
	for (size_t i = 0; i < network->subnet_count; i++) {
		if (network->subnets[i].prefix.address.family == family)
			return true;
	}
	return false;
}

int forwarding_check(const struct network *network, struct error *err)
{
	_cleanup_buf_ struct buf missing = BUF_EMPTY;
	_cleanup_fd_ int procfd = -EBADF;

	if (network->internal)
		return 0;
	procfd = proc_open(err);
	if (procfd < 0)
		return procfd;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int r = 1;

		if (has_family(network, settings[i].family))
			r = is_set(procfd, settings[i].path, err);
		if (r == -ENOENT)
			return refuse_as(err, r,
					 "it has IPv6 addresses, and this host has no IPv6");
		if (r < 0)
			return r;
		if (r == 0)
			buf_printf(&missing, " %s=1", settings[i].name);
	}
	if (missing.size == 0)
		return 0;
	return refuse_as(err, -ENETUNREACH,
			 "this host does not forward packets; to let it: sysctl -w%s",
			 missing.data);
}

/* Writes a sysctl of a bridge. */
static int set(int procfd, const char *family, const char *bridge, const char *name,
	       const char *value, struct error *err)
{
	char path[SYSCTL_PATH_MAX];

	snprintf(path, sizeof(path), "sys/net/%s/conf/%s/%s", family, bridge, name);
	return proc_write(procfd, path, value, err);
}

int forwarding_prepare_bridge(const char *bridge, struct error *err)
{
	static const char *const names[] = {"accept_ra", "accept_dad"};
	_cleanup_fd_ int procfd = proc_open(err);
	struct error no_ipv6 = ERROR_NONE;
	int r = procfd;

	if (r >= 0)
		r = set(procfd, "ipv4", bridge, "route_localnet", "1", err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names) && r >= 0; i++)
		r = set(procfd, "ipv6", bridge, names[i], "0", &no_ipv6);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = no_ipv6;
	return r;
}

int forwarding_check_loopback(const char *bridge, struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);
	char path[SYSCTL_PATH_MAX];
	int r = procfd;

	snprintf(path, sizeof(path), "sys/net/ipv4/conf/%s/route_localnet", bridge);
	if (r >= 0)
		r = is_set(procfd, path, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return refuse_as(err, -ENETUNREACH,
			 "ports of 127.0.0.1 lead to the bridge \"%s\", which is not berth-net's, "
			 "only with: echo 1 >/proc/%s",
			 bridge, path);
}
