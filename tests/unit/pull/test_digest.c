/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: what is one, and that the computed ones are right (FIPS 180-4's examples). */
#include "common/digest.h"

#include "../base/unit.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_parse(void **state)
{
	static const char *const wrong[] = {
		"",
		"sha256",
		"sha256:",
		"sha256:ba7816bf",
		"sha256:../../../../../../../../../../../../../../../../../../../../../etc/",
		"SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		ABC "0",
		ABC "\n",
		"sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"md5:d41d8cd98f00b204e9800998ecf8427e",
	};
	char text[DIGEST_TEXT_MAX];
	struct digest digest;
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(digest_parse(ABC, "x", &digest, &err), 0);
	assert_string_equal(digest_text(&digest, text), ABC);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_true(digest_parse(wrong[i], "x", &digest, &err) < 0);
}

static void test_compute(void **state)
{
	struct digest expected, parts, whole;
	struct hasher *hasher = hasher_new(DIGEST_SHA256);
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(digest_parse(ABC, "x", &expected, &err), 0);
	hasher_add(hasher, "a", 1);
	hasher_add(hasher, "bc", 2);
	hasher_finish(hasher, &parts);
	hasher_free(hasher);
	digest_of(DIGEST_SHA256, "abc", 3, &whole);
	assert_true(digest_equal(&expected, &parts));
	assert_true(digest_equal(&expected, &whole));
	digest_of(DIGEST_SHA512, "abc", 3, &whole);
	assert_int_equal(strlen(whole.hex), 128);
	assert_false(digest_equal(&expected, &whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_compute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
