/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking in a user namespace that has one id: what is made otherwise there, and what is refused.
 */
#include <sched.h>

#include "layer/flat.h"

#include "layers.h"

/* For children, where cmocka is out of reach. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;

	fd_close(fd);
	return written;
}

/* Whoever we are is root there, and nobody else is. */
static bool enter_namespace(void)
{
	_cleanup_free_ char *users = xasprintf("0 %u 1", geteuid());
	_cleanup_free_ char *groups = xasprintf("0 %u 1", getegid());

	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", users) && write_text("/proc/self/gid_map", groups);
}

static bool has_xattr(int dirfd, const char *path, const char *name, ssize_t size)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	char value[64];

	return fgetxattr(fd, name, value, sizeof(value)) == size;
}

/* Files of /tmp must be able to have user.* attributes. */
static bool has_user_xattrs(const struct world *world)
{
	_cleanup_fd_ int fd = openat(world->fd, "probe", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fsetxattr(fd, "user.probe", "x", 1, 0) == 0;
}

static int unpack_all(void *argument)
{
	const struct world *world = argument;
	struct layer layer;
	struct stat st;

	CHECK(enter_namespace());
	layer_begin(&layer, world, "root");
	layer.options.user_namespace = true;
	CHECK(layer_unpack(&layer,
			   (const struct item[]){
				   {.path = "d/",
				    .type = '5',
				    .mode = 01777,
				    .pax = {"SCHILY.xattr.user.overlay.opaque=y",
					    "SCHILY.xattr.user.x=y", "SCHILY.xattr.trusted.x=y",
					    "SCHILY.xattr.trusted.overlay.opaque=y"}},
				   {.path = "d/null",
				    .type = '3',
				    .mode = 0666,
				    .major = 1,
				    .minor = 3,
				    .mtime = 9},
				   {.path = "d/sda", .type = '4', .major = 8},
				   {.path = "d/p", .type = '6'},
				   {.path = ".wh.gone"},
				   {.path = "e/.wh..wh..opq"},
				   {.path = "suid", .mode = 04755, .data = "x"},
				   {.path = NULL}}) == 0);
	CHECK(layer.result.skipped_devices == 2);
	CHECK(layer.result.skipped_xattrs == 2);
	CHECK(fstatat(layer.rootfd, "d/null", &st, 0) == 0 && S_ISREG(st.st_mode));
	CHECK((st.st_mode & 07777) == 0 && st.st_size == 0 && st.st_mtim.tv_sec == 9);
	CHECK(fstatat(layer.rootfd, "d/sda", &st, 0) == 0 && S_ISREG(st.st_mode));
	CHECK(fstatat(layer.rootfd, "d/p", &st, 0) == 0 && S_ISFIFO(st.st_mode));
	CHECK(fstatat(layer.rootfd, "gone", &st, 0) == 0 && S_ISCHR(st.st_mode) && !st.st_rdev);
	CHECK(fstatat(layer.rootfd, "suid", &st, 0) == 0 && (st.st_mode & 07777) == 04755);
	CHECK(has_xattr(layer.rootfd, "e", "user.overlay.opaque", 1));
	CHECK(has_xattr(layer.rootfd, "d", "user.overlay.overlay.opaque", 1));
	CHECK(has_xattr(layer.rootfd, "d", "user.overlay.opaque", -1));
	CHECK(has_xattr(layer.rootfd, "d", "user.x", 1));
	CHECK(has_xattr(layer.rootfd, ".", "user.overlay.origin", 0));
	layer_end(&layer);
	return 0;
}

static void test_kinds(void **state)
{
	if (!has_user_xattrs(*state))
		skip_because("/tmp has no user.* attributes");
	in_child(unpack_all, *state);
}

static int unpack_foreign(void *argument)
{
	struct layer layer;

	CHECK(enter_namespace());
	layer_begin(&layer, argument, "root");
	layer.options.user_namespace = true;
	CHECK(layer_unpack(&layer, (const struct item[]){{.path = "some/file", .uid = 7},
							 {.path = NULL}}) == -EINVAL);
	CHECK(strstr(layer.err.text, "\"some/file\" belongs to 7:0"));
	CHECK(strstr(layer.err.text, "/etc/subuid"));
	CHECK(layer_unpack(&layer, (const struct item[]){
					   {.path = "l", .type = '2', .target = "x", .gid = 8},
					   {.path = NULL}}) == -EINVAL);
	CHECK(strstr(layer.err.text, "\"l\" belongs to 0:8"));
	layer_end(&layer);
	return 0;
}

static void test_foreign_ids(void **state)
{
	in_child(unpack_foreign, *state);
}

/* The attributes of this kind of overlay stay behind when a flat root is made. */
static int make_flat(void *argument)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "a"}, {.path = "d/x"}, {.path = "e/x"}},
		{{.path = ".wh.a"},
		 {.path = "d/.wh..wh..opq"},
		 {.path = "d/y"},
		 {.path = "e/f", .type = '5'}}};
	const struct world *world = argument;
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = -EBADF;
	struct layers layers;
	struct stat st;

	CHECK(enter_namespace());
	put_directory(world, "flat");
	fd = openat(world->fd, "flat", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	layers = (struct layers){.merged = {.layers = layers.fds, .user_namespace = true}};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *name = xasprintf("layer%zu", i);

		layers.fds[layers.merged.count++] =
			layers_put(world, name, list[i], /* user_namespace= */ true);
	}
	CHECK(flat_make(&layers.merged, fd, NULL, &err) == 0);
	layers_end(&layers);
	CHECK(fstatat(fd, "a", &st, 0) < 0);
	CHECK(fstatat(fd, "d/x", &st, 0) < 0);
	CHECK(fstatat(fd, "d/y", &st, 0) == 0);
	CHECK(fstatat(fd, "e/x", &st, 0) == 0);
	CHECK(has_xattr(fd, "d", "user.overlay.opaque", -1));
	CHECK(has_xattr(fd, ".", "user.overlay.origin", -1));
	return 0;
}

static void test_flat(void **state)
{
	if (!has_user_xattrs(*state))
		skip_because("/tmp has no user.* attributes");
	in_child(make_flat, *state);
}

static int just_enter(void *argument)
{
	(void)argument;
	return enter_namespace() ? 0 : 1;
}

static bool has_user_namespaces(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(just_enter(NULL));
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_kinds),
		world_test(test_foreign_ids),
		world_test(test_flat),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	if (!has_user_namespaces()) {
		print_message("skipped, all tests: no user namespaces here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
