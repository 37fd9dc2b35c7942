/* SPDX-License-Identifier: Apache-2.0 */
/* world.c: what the payload sees around it: names, namespaces, mounts, paths, sysctl values. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

const char *errno_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "OK";

	return name ? name : "EUNKNOWN";
}

char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0, length = 0;
	char *text = NULL;

	if (!file)
		return NULL;
	for (;;) {
		text = realloc(text, size += 4096);
		if (!text)
			abort();
		length += fread(text + length, 1, size - length - 1, file);
		if (length < size - 1)
			break;
	}
	text[length] = '\0';
	if (ferror(file)) {
		int error = errno;

		free(text);
		fclose(file);
		errno = error;
		return NULL;
	}
	fclose(file);
	return text;
}

/* /proc writes blanks, tabs, newlines and backslashes as \ooo. */
static void unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (in[0] == '\\' && isdigit(in[1]) && isdigit(in[2]) && isdigit(in[3])) {
			*out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

static void comma_list(const char *key, char *text)
{
	char *save;

	json_array(key);
	for (char *item = strtok_r(text, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		unescape(item);
		json_string(NULL, item);
	}
	json_end();
}

static char *next_word(char **save)
{
	char *word = strtok_r(NULL, " ", save);

	if (word)
		unescape(word);
	return word;
}

static void report_mount(char *line)
{
	char *save, *options, *word;

	json_object(NULL);
	json_string("id", strtok_r(line, " ", &save));
	json_string("parent", next_word(&save));
	json_string("device", next_word(&save));
	json_string("root", next_word(&save));
	json_string("destination", next_word(&save));
	options = strtok_r(NULL, " ", &save);
	comma_list("options", options);
	json_array("propagation");
	while ((word = next_word(&save)) && strcmp(word, "-") != 0)
		json_string(NULL, word);
	json_end();
	json_string("fstype", next_word(&save));
	json_string("source", next_word(&save));
	options = strtok_r(NULL, " ", &save);
	comma_list("super", options ? options : (char[]){""});
	json_end();
}

void report_mounts(void)
{
	char *text = read_file("/proc/self/mountinfo");
	char *save;

	json_array("mounts");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		report_mount(line);
	json_end();
	free(text);
}

static void report_namespaces(void)
{
	static const char *const names[] = {"cgroup", "ipc",  "mnt",  "net",
					    "pid",    "time", "user", "uts"};

	json_object("namespaces");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		json_string(names[i], target);
	}
	json_end();
}

static void report_links(void)
{
	struct if_nameindex *links = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	json_object("links");
	for (struct if_nameindex *link = links; link && link->if_index; link++) {
		struct ifreq request = {0};

		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link->if_name);
		if (ioctl(fd, SIOCGIFFLAGS, &request))
			continue;
		json_object(link->if_name);
		json_bool("up", request.ifr_flags & IFF_UP);
		json_bool("running", request.ifr_flags & IFF_RUNNING);
		json_bool("loopback", request.ifr_flags & IFF_LOOPBACK);
		json_end();
	}
	json_end();
	if (links)
		if_freenameindex(links);
	close(fd);
}

static void report_pid1(void)
{
	static const char *const names[] = {"exe", "cwd", "root"};

	json_object("pid1");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64], target[PATH_MAX];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/1/%s", names[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0) {
			json_string(names[i], errno_name(errno));
			continue;
		}
		target[n] = '\0';
		json_string(names[i], target);
	}
	json_end();
}

static void report_text(const char *key, const char *path)
{
	char *text = read_file(path);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	json_string(key, text);
	free(text);
}

/* The cgroup of the second version's hierarchy. */
static void report_cgroup(void)
{
	char *text = read_file("/proc/self/cgroup");
	char *line = text ? strstr(text, "0::") : NULL;

	if (line) {
		line[strcspn(line, "\n")] = '\0';
		line += strlen("0::");
	}
	json_string("cgroup", line);
	free(text);
}

void report_system(void)
{
	struct utsname names;
	struct timespec now;
	char *oom = read_file("/proc/self/oom_score_adj");

	uname(&names);
	json_string("hostname", names.nodename);
	json_string("domainname", names.domainname);
	json_string("machine", names.machine);
	if (oom)
		json_number("oom_score_adj", atol(oom));
	else
		json_null("oom_score_adj");
	free(oom);
	report_text("uid_map", "/proc/self/uid_map");
	report_text("gid_map", "/proc/self/gid_map");
	report_text("setgroups", "/proc/self/setgroups");
	report_cgroup();
	report_text("label", "/proc/self/attr/current");
	clock_gettime(CLOCK_MONOTONIC, &now);
	json_number("monotonic", now.tv_sec);
	clock_gettime(CLOCK_BOOTTIME, &now);
	json_number("boottime", now.tv_sec);
	report_namespaces();
	report_links();
	report_pid1();
}

void report_sysctl(const char *name)
{
	char path[PATH_MAX];
	char *text;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *c = path + strlen("/proc/sys/"); *c; c++) {
		if (*c == '.')
			*c = '/';
	}
	text = read_file(path);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	json_string(name, text ? text : errno_name(errno));
	free(text);
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return "unknown";
	}
}

static int try_directory_write(const char *path)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s/.probe-%d", path, (int)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	unlink(name);
	return 0;
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void report_entries(const char *path)
{
	DIR *directory = opendir(path);
	int n = 0;

	json_array("entries");
	for (struct dirent *entry; directory && n < 256 && (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		json_string(NULL, entry->d_name);
		n++;
	}
	json_end();
	if (directory)
		closedir(directory);
}

static void report_content(const char *path)
{
	char buffer[4096];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);

	json_number("bytes", n);
	if (n >= 0 && !memchr(buffer, 0, (size_t)n)) {
		buffer[n] = '\0';
		json_string("text", buffer);
	}
	if (fd >= 0)
		close(fd);
}

static void report_filesystem(const char *path)
{
	struct statvfs vfs;
	struct statfs fs;

	if (statvfs(path, &vfs) || statfs(path, &fs))
		return;
	json_format("fsmagic", "%#lx", (unsigned long)fs.f_type);
	json_bool("rdonly", vfs.f_flag & ST_RDONLY);
	json_bool("nosuid", vfs.f_flag & ST_NOSUID);
	json_bool("nodev", vfs.f_flag & ST_NODEV);
	json_bool("noexec", vfs.f_flag & ST_NOEXEC);
	json_number("fssize", (long long)(vfs.f_blocks * vfs.f_frsize));
}

void report_path(const char *path)
{
	struct stat st;

	json_object(path);
	if (lstat(path, &st)) {
		json_string("type", "none");
		json_string("error", errno_name(errno));
		json_end();
		return;
	}
	json_string("type", type_name(st.st_mode));
	json_format("mode", "%04o", st.st_mode & 07777);
	json_number("uid", st.st_uid);
	json_number("gid", st.st_gid);
	json_number("size", st.st_size);
	json_number("ino", (long long)st.st_ino);
	json_format("rdev", "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (S_ISLNK(st.st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		json_string("target", target);
	}
	json_string("read", errno_name(try_open(path, O_RDONLY)));
	json_string("write", errno_name(S_ISDIR(st.st_mode) ? try_directory_write(path)
							    : try_open(path, O_WRONLY)));
	if (S_ISDIR(st.st_mode))
		report_entries(path);
	else if (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))
		report_content(path);
	report_filesystem(path);
	json_end();
}
