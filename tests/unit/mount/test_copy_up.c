/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup: the content of the covered directory is in the tmpfs, as it was. */
#include <sys/xattr.h>

#include "world.h"

#define FAR_SIZE (3u << 20)

static void check_same(const char *original, const char *copy)
{
	struct stat a, b;

	CHECK(lstat(original, &a) == 0 && lstat(copy, &b) == 0);
	CHECK(a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid);
	CHECK(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
	CHECK(a.st_size == b.st_size || S_ISDIR(a.st_mode));
	CHECK(a.st_rdev == b.st_rdev);
	CHECK(a.st_dev != b.st_dev);
}

static void make_large(const char *path)
{
	char *data = malloc(FAR_SIZE);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(data && fd >= 0);
	for (size_t i = 0; i < FAR_SIZE; i++)
		data[i] = (char)(i * 7 + i / 4096);
	CHECK(write(fd, data, FAR_SIZE) == FAR_SIZE);
	close(fd);
	free(data);
}

static bool is_same_content(const char *a, const char *b)
{
	static char first[FAR_SIZE], second[FAR_SIZE];
	int fda = open(a, O_RDONLY | O_CLOEXEC), fdb = open(b, O_RDONLY | O_CLOEXEC);
	bool same = read(fda, first, FAR_SIZE) == FAR_SIZE &&
		    read(fdb, second, FAR_SIZE) == FAR_SIZE && memcmp(first, second, FAR_SIZE) == 0;

	close(fda);
	close(fdb);
	return same;
}

static const char *const copied[] = {
	"", "/file", "/empty", "/large", "/set", "/dir", "/dir/deep", "/link", "/pipe", "/null",
};

static void make_content(void)
{
	const struct timespec times[] = {{.tv_sec = 1000, .tv_nsec = 5},
					 {.tv_sec = 2000, .tv_nsec = 7}};

	make_dir(at("root/var"));
	make_file(at("root/var/file"), "content");
	make_file(at("root/var/empty"), "");
	make_large(at("root/var/large"));
	make_file(at("root/var/set"), "#!");
	CHECK(chown(at("root/var/set"), 3, 4) == 0 && chmod(at("root/var/set"), 06755) == 0);
	make_dir(at("root/var/dir"));
	make_file(at("root/var/dir/deep"), "deep");
	CHECK(chown(at("root/var/dir"), 5, 6) == 0 && chmod(at("root/var/dir"), 01777) == 0);
	CHECK(symlink("../outside", at("root/var/link")) == 0);
	CHECK(lchown(at("root/var/link"), 7, 8) == 0);
	CHECK(mkfifo(at("root/var/pipe"), 0620) == 0);
	CHECK(mknod(at("root/var/null"), S_IFCHR | 0606, makedev(1, 3)) == 0);
	CHECK(setxattr(at("root/var/file"), "trusted.test", "value", 5, 0) == 0);
	for (size_t i = ARRAY_SIZE(copied); i > 1; i--)
		CHECK(utimensat(AT_FDCWD, at("root/var%s", copied[i - 1]), times,
				AT_SYMLINK_NOFOLLOW) == 0);
}

/* The original stays in sight at "original", in the tree that the root was cloned from. */
static void check_content(void)
{
	struct spec_mount entry = {.destination = "/var",
				   .type = "tmpfs",
				   .copy_up = true,
				   .attributes_set = MOUNT_ATTR_RDONLY,
				   .sb_flags = LIST("ro")};
	char value[16];
	int before;

	make_content();
	make_dir(at("original"));
	CHECK(mount(at("root/var"), at("original"), NULL, MS_BIND, NULL) == 0);
	use_mounts(&entry, 1);
	attach_root();
	before = count_fds();
	umask(077);
	CHECK_OK(mount_entries());
	mount_sources_done(&world.sources);
	CHECK(count_fds() == before);
	CHECK(mount_flags(at("root/var")) & ST_RDONLY);
	/* The directory itself is the tmpfs's own; its mode is taken along. */
	for (size_t i = 1; i < ARRAY_SIZE(copied); i++)
		check_same(at("original%s", copied[i]), at("root/var%s", copied[i]));
	CHECK(file_begins(at("root/var/file"), "content"));
	CHECK(file_begins(at("root/var/dir/deep"), "deep"));
	CHECK(is_same_content(at("original/large"), at("root/var/large")));
	CHECK(getxattr(at("root/var/file"), "trusted.test", value, sizeof(value)) == 5);
	CHECK(memcmp(value, "value", 5) == 0);
	CHECK(readlink(at("root/var/link"), value, sizeof(value)) == 10);
	CHECK(memcmp(value, "../outside", 10) == 0);
}

static void test_content(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run_in_world(0, check_content);
}

/* In a user namespace too, where device nodes are left out. */
static void check_userns(void)
{
	struct spec_mount entry = {.destination = "/var", .type = "tmpfs", .copy_up = true};

	make_dir(at("root/var"));
	make_file(at("root/var/file"), "content");
	make_dir(at("root/var/dir"));
	make_file(at("root/var/dir/deep"), "deep");
	use_mounts(&entry, 1);
	attach_root();
	CHECK_OK(mount_entries());
	CHECK(file_begins(at("root/var/dir/deep"), "deep"));
	CHECK(count_mounts("self", "/root/var rw") == 1);
}

static void test_userns(void **state)
{
	(void)state;
	run_in_world(CLONE_NEWUSER, check_userns);
}

/* A tree that is deeper than any sensible one ends with an error, and not with the stack. */
static void check_depth(void)
{
	struct spec_mount entry = {.destination = "/var", .type = "tmpfs", .copy_up = true};

	make_dir(at("root/var"));
	CHECK(chdir(at("root/var")) == 0);
	for (int i = 0; i < 200; i++) {
		make_dir("d");
		CHECK(chdir("d") == 0);
	}
	CHECK(chdir("/") == 0);
	use_mounts(&entry, 1);
	attach_root();
	CHECK_FAILS(mount_entries(), "tmpcopyup: more than 64 directories within each other");
	CHECK(count_mounts("self", "/root/var") == 0);
}

static void test_depth(void **state)
{
	(void)state;
	run_in_world(0, check_depth);
}

/* A new mount point has nothing to copy; a full tmpfs is an error that names the file. */
static void check_limits(void)
{
	struct spec_mount entry = {.destination = "/new", .type = "tmpfs", .copy_up = true};

	make_dir(at("root/var"));
	make_large(at("root/var/large"));
	attach_root();
	CHECK_OK(mount_single(&entry));
	entry.destination = "/var";
	entry.data = LIST("size=64k");
	CHECK_FAILS(mount_single(&entry), "tmpcopyup: copy \"large\": No space left on device");
}

static void test_limits(void **state)
{
	(void)state;
	run_in_world(0, check_limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_userns),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("copy_up", tests, NULL, NULL);
}
