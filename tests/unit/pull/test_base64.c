/* SPDX-License-Identifier: Apache-2.0 */
/* Base 64: RFC 4648's examples, all bytes there and back, and what is not base 64. */
#include "common/base64.h"

#include "../base/unit.h"

static const struct {
	const char *data, *text;
} examples[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbe", "+/++"},
};

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		size_t size = 99, length = strlen(examples[i].data);
		_cleanup_free_ char *data = base64_decode(examples[i].text, &size);
		_cleanup_free_ char *text = base64_encode(examples[i].data, length);

		assert_non_null(data);
		assert_int_equal(size, length);
		assert_string_equal(data, examples[i].data);
		assert_string_equal(text, examples[i].text);
	}
}

static void test_there_and_back(void **state)
{
	char bytes[256 + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		size_t size = 0;
		_cleanup_free_ char *text = base64_encode(bytes, length);
		_cleanup_free_ char *data = base64_decode(text, &size);

		assert_non_null(data);
		assert_int_equal(size, length);
		assert_memory_equal(data, bytes, length);
	}
}

static void test_wrong(void **state)
{
	static const char *const wrong[] = {
		"Z",
		"Zg",
		"Zg=",
		"Zg===",
		"=",
		"==",
		"====",
		"Zh==",
		"Zm9=",
		"Zm-_",
		"Zm9v\n",
		" Zm9v",
		"Zm9v ",
		"Zg==Zg==",
		"Z=g=",
		"Zm9vYg",
		"Zm9v=",
		"Z===",
		"\xc3\xa9\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		size_t size;
		_cleanup_free_ char *data = base64_decode(wrong[i], &size);

		if (data)
			fail_msg("\"%s\" was accepted", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
