/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: names both ways, and the state that a program starts with. */
#include "berth/base/signals.h"

#include "unit.h"

/* Every signal with a name, by the C library's own names for them. */
static void test_both_ways(void **state)
{
	unsigned named = 0;

	(void)state;
	for (int number = 1; number < 32; number++) {
		const char *abbreviation = sigabbrev_np(number);
		_cleanup_free_ char *whole = xasprintf("SIG%s", abbreviation);
		_cleanup_free_ char *digits = xasprintf("%d", number);

		/* One number, two names: the C library prefers the other one. */
		assert_string_equal(signal_name(number), number == SIGPOLL ? "SIGIO" : whole);
		assert_int_equal(signal_number(whole), number);
		assert_int_equal(signal_number(abbreviation), number);
		assert_int_equal(signal_number(digits), number);
		assert_int_equal(signal_number(signal_name(number)), number);
		named++;
	}
	assert_int_equal(named, 31);
}

static void test_no_name(void **state)
{
	static const int numbers[] = {-1, 0, 32, 34, 64, 65, 1000, 2147483647, -2147483647 - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_null(signal_name(numbers[i]));
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{"0", 0},
		{"9", 9},
		{"64", 64},
		{"65", -EINVAL},
		{"4294967295", -EINVAL},
		{"4294967305", -EINVAL},
		{"-9", -EINVAL},
		{"09", -EINVAL},
		{"9 ", -EINVAL},
		{"", -EINVAL},
		{"term", SIGTERM},
		{"SigTerm", SIGTERM},
		{"sigkill", SIGKILL},
		{"TERM ", -EINVAL},
		{" TERM", -EINVAL},
		{"TER", -EINVAL},
		{"TERMX", -EINVAL},
		{"SIG", -EINVAL},
		{"SIGSIGTERM", -EINVAL},
		{"SIG15", -EINVAL},
		{"IOT", SIGABRT},
		{"SIGIOT", SIGABRT},
		{"CLD", SIGCHLD},
		{"sigcld", SIGCHLD},
		{"POLL", SIGIO},
		{"IO", SIGIO},
		{"EXIT", -EINVAL},
		{"nonsense", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (signal_number(cases[i].text) != cases[i].number)
			fail_msg("\"%s\" is %d", cases[i].text, signal_number(cases[i].text));
	}
}

static void test_realtime(void **state)
{
	static const char *const wrong[] = {
		"RTMIN+",      "RTMIN-1",  "RTMIN+31",	       "RTMIN+-1", "RTMIN1",
		"RTMIN+01",    "RTMIN+ 1", "RTMIN++1",	       "RTMIN+x",  "RTMAX+1",
		"RTMAX-",      "RTMAX-31", "RTMAX-4294967296", "RT",	   "RTMIN+4294967295",
		"SIGRTMIDDLE", "RTMA",	   "RTMIN+1 ",
	};

	(void)state;
	assert_int_equal(signal_number("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_number("SIGRTMIN"), SIGRTMIN);
	assert_int_equal(signal_number("RTMIN+0"), SIGRTMIN);
	assert_int_equal(signal_number("sigrtmin+1"), SIGRTMIN + 1);
	assert_int_equal(signal_number("RTMIN+30"), SIGRTMAX);
	assert_int_equal(signal_number("RTMAX"), SIGRTMAX);
	assert_int_equal(signal_number("SIGRTMAX-1"), SIGRTMAX - 1);
	assert_int_equal(signal_number("RTMAX-30"), SIGRTMIN);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (signal_number(wrong[i]) != -EINVAL)
			fail_msg("\"%s\" is %d", wrong[i], signal_number(wrong[i]));
	}
}

static int reset(void *argument)
{
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t set;

	(void)argument;
	for (int number = 1; number <= 64; number++)
		sigaction(number, &action, NULL);
	sigfillset(&set);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return 100;
	signals_reset();
	for (int number = 1; number <= 64; number++) {
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			return number;
	}
	if (sigprocmask(SIG_SETMASK, NULL, &set) < 0)
		return 101;
	return sigisemptyset(&set) ? 0 : 102;
}

static void test_reset(void **state)
{
	(void)state;
	in_child(reset, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways), cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_number),	  cmocka_unit_test(test_realtime),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
