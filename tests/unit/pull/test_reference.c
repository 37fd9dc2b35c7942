/* SPDX-License-Identifier: Apache-2.0 */
/* References: a table of what people write, and what is refused with which words. */
#include "image/reference.h"

#include "../base/unit.h"

#define HEX    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256 "sha256:" HEX
#define SHA512 "sha512:" HEX HEX
#define A64    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128   A64 A64

static const struct {
	const char *text, *domain, *path, *tag, *name;
	bool has_digest;
} good[] = {
	{"ubuntu", "docker.io", "library/ubuntu", "latest", "docker.io/library/ubuntu:latest", 0},
	{"ubuntu:22.04", "docker.io", "library/ubuntu", "22.04", "docker.io/library/ubuntu:22.04",
	 0},
	{"u/x", "docker.io", "u/x", "latest", "docker.io/u/x:latest", 0},
	{"docker.io/alpine", "docker.io", "library/alpine", "latest",
	 "docker.io/library/alpine:latest", 0},
	{"docker.io/library/alpine:3", "docker.io", "library/alpine", "3",
	 "docker.io/library/alpine:3", 0},
	{"index.docker.io/alpine", "docker.io", "library/alpine", "latest",
	 "docker.io/library/alpine:latest", 0},
	{"registry.example.com/a/b", "registry.example.com", "a/b", "latest",
	 "registry.example.com/a/b:latest", 0},
	{"example.com/a", "example.com", "a", "latest", "example.com/a:latest", 0},
	{"localhost/x", "localhost", "x", "latest", "localhost/x:latest", 0},
	{"localhost", "docker.io", "library/localhost", "latest",
	 "docker.io/library/localhost:latest", 0},
	{"localhost:5000", "docker.io", "library/localhost", "5000",
	 "docker.io/library/localhost:5000", 0},
	{"example.com:5000", "docker.io", "library/example.com", "5000",
	 "docker.io/library/example.com:5000", 0},
	{"localhost:5000/x:t", "localhost:5000", "x", "t", "localhost:5000/x:t", 0},
	{"host:5000/x@" SHA256, "host:5000", "x", NULL, "host:5000/x@" SHA256, 1},
	{"x@" SHA512, "docker.io", "library/x", NULL, "docker.io/library/x@" SHA512, 1},
	{"x:t@" SHA256, "docker.io", "library/x", "t", "docker.io/library/x:t@" SHA256, 1},
	{"Foo/x", "Foo", "x", "latest", "Foo/x:latest", 0},
	{"fOo/x/y", "fOo", "x/y", "latest", "fOo/x/y:latest", 0},
	{"[::1]:5000/a", "[::1]:5000", "a", "latest", "[::1]:5000/a:latest", 0},
	{"[2001:db8::1]/a:b", "[2001:db8::1]", "a", "b", "[2001:db8::1]/a:b", 0},
	{"127.0.0.1/a", "127.0.0.1", "a", "latest", "127.0.0.1/a:latest", 0},
	{"127.0.0.1:65535/a", "127.0.0.1:65535", "a", "latest", "127.0.0.1:65535/a:latest", 0},
	{"a-b.example.com/c", "a-b.example.com", "c", "latest", "a-b.example.com/c:latest", 0},
	{"a/b/c/d/e", "docker.io", "a/b/c/d/e", "latest", "docker.io/a/b/c/d/e:latest", 0},
	{"a--b/c__d.e_f:_", "docker.io", "a--b/c__d.e_f", "_", "docker.io/a--b/c__d.e_f:_", 0},
	{"a-----b", "docker.io", "library/a-----b", "latest", "docker.io/library/a-----b:latest",
	 0},
	{"0:0", "docker.io", "library/0", "0", "docker.io/library/0:0", 0},
	{"a:B.c-D_1", "docker.io", "library/a", "B.c-D_1", "docker.io/library/a:B.c-D_1", 0},
	{"a:" A128, "docker.io", "library/a", A128, "docker.io/library/a:" A128, 0},
	{"u/" HEX, "docker.io", "u/" HEX, "latest", "docker.io/u/" HEX ":latest", 0},
	{HEX ":t", "docker.io", "library/" HEX, "t", "docker.io/library/" HEX ":t", 0},
};

static const struct {
	const char *text, *says;
} bad[] = {
	{"", "it is empty"},
	{"a/B", "\"B\" must be lower case"},
	{"Ubuntu", "\"Ubuntu\" must be lower case"},
	{"a/bC:t", "\"bC\" must be lower case"},
	{"x:", "there is no tag"},
	{"x:t:u", "\"t:u\" is no tag"},
	{"x:.t", "\".t\" is no tag"},
	{"x:-t", "\"-t\" is no tag"},
	{"x:t u", "\"t u\" is no tag"},
	{"x:\xc3\xa9", "is no tag"},
	{"x:" A128 "a", "longer than 128"},
	{HEX, "64 hexadecimal digits are no name"},
	{"x@", "digest"},
	{"x@sha256", "digest"},
	{"x@sha256:abc", "digest"},
	{"x@sha384:" HEX, "digest"},
	{"x@sha256:../../../../../../../../../../../../../../../../../../../../../etc/", "digest"},
	{"x@" SHA256 "@" SHA256, "digest"},
	{"x:t:@" SHA256, "no tag"},
	{"@" SHA256, "an empty part"},
	{":t", "an empty part"},
	{"/a", "an empty part"},
	{"a/", "an empty part"},
	{"a//b", "an empty part"},
	{"example.com/", "an empty part"},
	{"localhost:5000/", "an empty part"},
	{"a/../b", "\"..\" is not made of"},
	{"../a", "\"..\" is no name of a host"},
	{"./a", "\".\" is no name of a host"},
	{"a___b", "is not made of"},
	{"a..b", "is not made of"},
	{"a._b", "is not made of"},
	{"a_", "is not made of"},
	{"-a", "is not made of"},
	{"a-", "is not made of"},
	{"a b", "is not made of"},
	{" a", "is not made of"},
	{"a\n", "is not made of"},
	{"u/a%2f", "is not made of"},
	{"\xc3\xa9", "is not made of"},
	{"https://example.com/a", "no \"https://\" in front"},
	{"docker://alpine", "no \"docker://\" in front"},
	{"a.b-/c", "no name of a host"},
	{"a..b/c", "no name of a host"},
	{"my_host.example/c", "no name of a host"},
	{"user@example.com/a", "digest"},
	{"host:/a", "\"\" is no port"},
	{"host:0/a", "\"0\" is no port"},
	{"host:65536/a", "\"65536\" is no port"},
	{"host:http/a", "\"http\" is no port"},
	{"host:1:2/a", "\"1:2\" is no port"},
	{"[::1/a", "no port"},
	{"[]:1/a", "no name of a host"},
	{"[:::1]/a", "no name of a host"},
	{"[::1]x/a", "no name of a host"},
	{"[::1%25lo]/a", "no name of a host"},
	{"[127.0.0.1]:1/a", "no name of a host"},
	{"::1/a", "no port"},
	{"[::1]:5000", "is no tag"},
	{"u/" A128 A128, "longer than 255"},
};

static void test_good(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct reference reference;
		struct error err = ERROR_NONE;

		assert_fine(reference_parse(arena, good[i].text, &reference, &err), err);
		assert_string_equal(reference.domain, good[i].domain);
		assert_string_equal(reference.path, good[i].path);
		assert_string_equal(reference.name, good[i].name);
		assert_int_equal(reference.has_digest, good[i].has_digest);
		if (good[i].tag)
			assert_string_equal(reference.tag, good[i].tag);
		else
			assert_null(reference.tag);
	}
}

/* The full form is a reference itself, and means the same. */
static void test_full_form_again(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct reference reference;
		struct error err = ERROR_NONE;

		assert_fine(reference_parse(arena, good[i].name, &reference, &err), err);
		assert_string_equal(reference.name, good[i].name);
		assert_string_equal(reference.domain, good[i].domain);
	}
}

static void test_bad(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct reference reference = {.name = "untouched"};
		struct error err = ERROR_NONE;
		int r = reference_parse(arena, bad[i].text, &reference, &err);

		if (r >= 0)
			fail_msg("\"%s\" was accepted as %s", bad[i].text, reference.name);
		assert_failed(r, err, -EINVAL);
		assert_contains(err.text, bad[i].says);
		assert_string_equal(reference.name, "untouched");
	}
}

static void test_length(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	/* docker.io/u/ and 243 more bytes are 255. */
	char text[2 + 245] = "u/";
	struct reference reference;
	struct error err = ERROR_NONE;

	(void)state;
	memset(text + 2, 'a', 243);
	assert_fine(reference_parse(arena, text, &reference, &err), err);
	text[245] = 'a';
	assert_failed(reference_parse(arena, text, &reference, &err), err, -EINVAL);
}

static void test_host(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct reference reference;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(reference_parse(arena, "alpine", &reference, &err), err);
	assert_string_equal(reference_host(&reference), "registry-1.docker.io");
	assert_fine(reference_parse(arena, "localhost:5000/alpine", &reference, &err), err);
	assert_string_equal(reference_host(&reference), "localhost:5000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_full_form_again),
		cmocka_unit_test(test_bad),  cmocka_unit_test(test_length),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
