/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pseudo terminal of a container's process.
 *
 * Theory of operation. It comes from the container's own devpts, so that /dev/pts in the container
 * shows it and ttyname(3) finds it. What lies at dev/pts belongs to the image until it is seen to
 * be a devpts; within a devpts nobody can make files, so "ptmx" on that very mount is what it seems
 * to be. The slave is asked of the master (TIOCGPTPEER) and never opened by its name, which may be
 * swapped for a link meanwhile (CVE-2025-52565); /dev/console becomes a mount of the slave's
 * descriptor (mount/dev.c) for the same reason.
 */
#include "berth/linux/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/root.h"

static int open_devpts(int rootfd, struct error *err)
{
	_cleanup_fd_ int fd =
		root_try_open(rootfd, "dev/pts", ROOT_NO_SYMLINKS, O_PATH | O_DIRECTORY);
	struct statfs fs;

	if (fd == -ENOENT)
		return refuse_as(err, fd,
				 "the container has no \"/dev/pts\": mount a devpts there");
	if (fd < 0)
		return fail(err, fd, "open the container's \"/dev/pts\"");
	if (fstatfs(fd, &fs) < 0)
		return fail(err, -errno, "look at the container's \"/dev/pts\"");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return refuse(err, "the container's \"/dev/pts\" is no devpts: mount one there");
	return take_fd(&fd);
}

static int open_master(int rootfd, struct error *err)
{
	_cleanup_fd_ int devpts = open_devpts(rootfd, err);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (devpts < 0)
		return devpts;
	fd = root_try_open(devpts, "ptmx", ROOT_NO_XDEV, O_RDWR | O_NOCTTY);
	if (fd < 0)
		return fail(err, fd, "open the container's \"/dev/pts/ptmx\"");
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at the container's \"/dev/pts/ptmx\"");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(TTYAUX_MAJOR, 2))
		return refuse(err, "the container's \"/dev/pts/ptmx\" is no terminal multiplexer");
	return take_fd(&fd);
}

static int open_slave(int master, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct statfs fs;
	int unlocked = 0;

	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return fail(err, -errno, "unlock the pseudo terminal");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open the pseudo terminal's slave");
	if (fstatfs(fd, &fs) < 0)
		return fail(err, -errno, "look at the pseudo terminal's slave");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return refuse(err, "the pseudo terminal's slave is on no devpts");
	return take_fd(&fd);
}

int console_open(int rootfd, const struct spec_process *process, struct console *ret,
		 struct error *err)
{
	const struct winsize size = {
		.ws_row = (unsigned short)process->console_height,
		.ws_col = (unsigned short)process->console_width,
	};
	_cleanup_fd_ int master = open_master(rootfd, err), slave = -EBADF;

	if (master < 0)
		return within(err, master, "process.terminal");
	slave = open_slave(master, err);
	if (slave < 0)
		return within(err, slave, "process.terminal");
	/* The group is the one that the devpts gives to terminals, for write(1) and the like. */
	if (fchown(slave, process->uid, (gid_t)-1) < 0)
		return fail(err, -errno, "process.terminal: give the terminal to user %u",
			    process->uid);
	if (ioctl(slave, TIOCSWINSZ, &size) < 0)
		return fail(err, -errno, "process.consoleSize: set %ux%u", size.ws_col,
			    size.ws_row);
	ret->master = take_fd(&master);
	ret->slave = take_fd(&slave);
	return 0;
}

int console_take(int slave, struct error *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return fail(err, -errno, "process.terminal: become the session of the terminal");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(slave, fd) < 0)
			return fail(err, -errno, "process.terminal: make it descriptor %d", fd);
	}
	return 0;
}
