/* SPDX-License-Identifier: Apache-2.0 */
/* --init: a small first process that reaps and passes signals on, from a package of this host. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "bundle-internal.h"

/* In the order of preference; all take "--" and the program behind it. */
static const char *const programs[] = {
	"/usr/bin/tini-static",		 "/usr/bin/catatonit",
	"/usr/libexec/podman/catatonit", "/usr/libexec/docker/docker-init",
	"/usr/bin/docker-init",
};

/* Most program headers that are looked at. */
#define HEADERS_MAX 64

static bool has_no_interpreter(int fd, const Elf64_Ehdr *header)
{
	for (unsigned i = 0; i < header->e_phnum && i < HEADERS_MAX; i++) {
		Elf64_Phdr part;
		const off_t offset = (off_t)(header->e_phoff + i * sizeof(part));

		if (pread(fd, &part, sizeof(part), offset) != (ssize_t)sizeof(part) ||
		    part.p_type == PT_INTERP)
			return false;
	}
	return true;
}

/* Whether it runs without any library: in the container there are only the image's. */
static bool is_static(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf64_Ehdr header;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) &&
	       pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	       memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
	       header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phentsize == sizeof(Elf64_Phdr) &&
	       has_no_interpreter(fd, &header);
}

int bundle_init_find(struct arena *arena, const char **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (is_static(programs[i])) {
			*ret = arena_strdup(arena, programs[i]);
			return 0;
		}
	}
	return refuse_as(err, -ENOENT,
			 "--init: neither tini-static nor catatonit is there; install the package "
			 "tini or catatonit");
}
