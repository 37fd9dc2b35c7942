/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "../base/unit.h"

typedef int check(const char *what, const char *name, struct error *err);

static void assert_taken(check *name_check, const char *const *names)
{
	for (; *names; names++) {
		struct error err = ERROR_NONE;

		assert_fine(name_check("NAME", *names, &err), err);
	}
}

/* Refused in one printable line. */
static void assert_refused(check *name_check, const char *const *names)
{
	for (; *names; names++) {
		struct error err = ERROR_NONE;

		if (name_check("NAME", *names, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", *names);
		assert_contains(err.text, "NAME \"");
		assert_true(strlen(err.text) < 300);
		assert_null(strpbrk(err.text, "\n\r\t\033"));
	}
}

static void containers_have_names_by_runcs_rule(void **state)
{
	static const char *const fine[] = {"a", "A-b_c+d.e", ".x", "...", "0", NULL};
	static const char *const bad[] = {"",  ".",   "..",   "a/b",	     "a@b", "a b",
					  "ä", "a\n", "$(x)", "../../etc/x", NULL};
	char longest[CONTAINER_ID_MAX + 2];
	struct error err = ERROR_NONE;

	(void)state;
	assert_taken(name_check_container, fine);
	assert_refused(name_check_container, bad);
	memset(longest, 'x', sizeof(longest));
	longest[CONTAINER_ID_MAX + 1] = '\0';
	assert_failed(name_check_container("id", longest, &err), err, -EINVAL);
	longest[CONTAINER_ID_MAX] = '\0';
	assert_fine(name_check_container("id", longest, &err), err);
}

static void networks_have_names_of_files(void **state)
{
	static const char *const fine[] = {"a", "0", "Net_1.b-c", NULL};
	static const char *const bad[] = {"",	 ".",	".a",  "-a",	"_a",
					  "a/b", "a:b", "a b", "a\x7f", NULL};
	char longest[NETWORK_NAME_MAX + 2];
	struct error err = ERROR_NONE;

	(void)state;
	assert_taken(name_check_network, fine);
	assert_refused(name_check_network, bad);
	memset(longest, 'x', sizeof(longest));
	longest[NETWORK_NAME_MAX + 1] = '\0';
	assert_failed(name_check_network("network", longest, &err), err, -EINVAL);
	longest[NETWORK_NAME_MAX] = '\0';
	assert_fine(name_check_network("network", longest, &err), err);
}

static void links_have_names_that_the_kernel_takes(void **state)
{
	static const char *const fine[] = {"eth0", "a", "exactly15bytes.", "a@b", "x..", NULL};
	static const char *const bad[] = {
		"",	 ".",	"..", "sixteen-bytes-xx", "a/b", "a:b",	  "a b", "a\t",
		"eth%d", "all", "lo", "default",	  "ä",	 "a\001", NULL};

	(void)state;
	assert_taken(name_check_link, fine);
	assert_refused(name_check_link, bad);
}

static void hosts_have_names_by_rfc_1123(void **state)
{
	static const char *const fine[] = {"a",	  "db_1", "web.example.org", "3com", "a-b",
					   "1.a", NULL};
	static const char *const bad[] = {
		"",	     ".",	    "a.",	    ".a",	"a..b", "-a",
		"a-",	     "a b",	    "a\n1.2.3.4 b", "10.0.0.1", "7",	"localhost",
		"LocalHost", "x.localhost", "ip6-loopback", "a#b",	NULL};
	char text[255];
	struct error err = ERROR_NONE;

	(void)state;
	assert_taken(name_check_host, fine);
	assert_refused(name_check_host, bad);
	memset(text, 'x', sizeof(text));
	text[64] = '\0';
	assert_failed(name_check_host("name", text, &err), err, -EINVAL);
	text[63] = '\0';
	assert_fine(name_check_host("name", text, &err), err);
	memset(text, 'x', sizeof(text));
	for (size_t i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	text[254] = '\0';
	assert_failed(name_check_host("name", text, &err), err, -EINVAL);
	text[253] = '\0';
	assert_fine(name_check_host("name", text, &err), err);
}

static void what_is_shown_is_short_and_printable(void **state)
{
	char text[4097];

	(void)state;
	assert_string_equal(name_show("a\nb\033c\x80").text, "a?b?c?");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(strlen(name_show(text).text) < NAME_SHOWN_MAX);
	assert_contains(name_show(text).text, "x…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_have_names_by_runcs_rule),
		cmocka_unit_test(networks_have_names_of_files),
		cmocka_unit_test(links_have_names_that_the_kernel_takes),
		cmocka_unit_test(hosts_have_names_by_rfc_1123),
		cmocka_unit_test(what_is_shown_is_short_and_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
