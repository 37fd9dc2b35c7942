/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that ask an agent: what is loaded, how the listener gets out, and what is checked before.
 */
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "berth/base/str.h"

#include "interpreter.h"
#include "seccomp-internal.h"

static const char *const all_but[] = {"sendmsg", "recvmsg", "close", "read", NULL};
static const struct spec_seccomp_rule asked[] = {
	{.names = all_but, .action = SECCOMP_ACTION_NOTIFY},
};

/* The socket of nobody, where an agent's would be. */
static struct spec_seccomp spec_asking(void)
{
	return (struct spec_seccomp){
		.default_action = SECCOMP_ACTION_ALLOW,
		.notifies = true,
		.listener_path = "@nobody",
		.rules = asked,
		.rule_count = ARRAY_SIZE(asked),
	};
}

static void test_listener_flags(void **state)
{
	struct spec_seccomp spec = spec_asking();
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	(void)state;
	needs_kernel();
	assert_fine(seccomp_prepare(&spec, -1, &program, &err), err);
	assert_int_equal(program.flags,
			 SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_program_done(&program);
	spec.flags_given = true;
	spec.flags = ~0u;
	if (!seccomp_flag_is_supported("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")) {
		assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), -EOPNOTSUPP);
		return;
	}
	assert_fine(seccomp_prepare(&spec, -1, &program, &err), err);
	assert_int_equal(program.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_LOG |
						SECCOMP_FILTER_FLAG_SPEC_ALLOW |
						SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	seccomp_program_done(&program);
}

/* Three calls go through with the whole pass, and with nothing less; no other does. */
static void test_pass(void **state)
{
	static const int passing[] = {SYS_sendmsg, SYS_recvmsg, SYS_close};
	const struct spec_seccomp spec = spec_asking();
	struct seccomp_program program;
	struct sys_pass pass = {{0}}, other = {{0}};
	struct error err = ERROR_NONE;

	(void)state;
	needs_kernel();
	assert_fine(seccomp_prepare(&spec, -1, &program, &err), err);
	assert_fine(seccomp_pass_draw(&program, &other, &err), err);
	assert_fine(seccomp_pass_draw(&program, &pass, &err), err);
	assert_memory_not_equal(&pass, &other, sizeof(pass));
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++) {
		struct seccomp_data data = {.nr = passing[i], .arch = seccomp_arch_native()};

		assert_int_equal(run(&program, &data), SECCOMP_RET_USER_NOTIF);
		for (int n = 0; n < 3; n++)
			data.args[3 + n] = pass.words[n] | (uint64_t)n << 32;
		assert_int_equal(run(&program, &data), SECCOMP_RET_ALLOW);
		for (int n = 0; n < 3; n++) {
			data.args[3 + n] ^= 1u << (7 * n);
			assert_int_equal(run(&program, &data), SECCOMP_RET_USER_NOTIF);
			data.args[3 + n] ^= 1u << (7 * n);
		}
		data.nr = SYS_read;
		assert_int_equal(run(&program, &data), SECCOMP_RET_USER_NOTIF);
		data.nr = passing[i];
		data.arch = AUDIT_ARCH_PARISC;
		assert_int_equal(run(&program, &data), SECCOMP_RET_KILL_THREAD);
	}
	seccomp_program_done(&program);
}

static void child_asking(void *program)
{
	struct seccomp_listener listener;
	struct error err = ERROR_NONE;
	int pair[2];

	child_assert(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
	child_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	child_assert(seccomp_apply(program, &listener, &err) == 0);
	child_assert(listener.fd >= 0 && fcntl(listener.fd, F_GETFD) == FD_CLOEXEC);
	/* With the pass all three return; without it, and without a listener, nobody answers. */
	struct msghdr empty = {.msg_iov = NULL};

	child_assert(sys_sendmsg(pair[0], &empty, 0, &listener.pass) == 0);
	child_assert(sys_recvmsg(pair[1], &empty, 0, &listener.pass) == 0);
	child_assert(sys_close(listener.fd, &listener.pass) == 0);
	child_assert(sys_sendmsg(pair[0], &empty, 0, NULL) == -ENOSYS);
	child_assert(sys_close(pair[0], NULL) == -ENOSYS);
}

static void test_listener(void **state)
{
	const struct spec_seccomp spec = spec_asking();
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	(void)state;
	needs_kernel();
	assert_fine(seccomp_prepare(&spec, -1, &program, &err), err);
	in_child(child_asking, &program);
	seccomp_program_done(&program);
}

static void test_agent_check(void **state)
{
	struct spec_seccomp spec = spec_asking();
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	(void)state;
	needs_kernel();
	spec.listener_path = "/no/such/socket";
	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), -ENOENT);
	assert_true(str_starts(err.text, "linux.seccomp.listenerPath: look for the socket"));
	spec.listener_path = "/etc/passwd";
	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), -EINVAL);
	assert_string_equal(err.text,
			    "linux.seccomp.listenerPath: \"/etc/passwd\" is not a socket");
}

/* One that hangs up before it has got anything. */
static void test_agent_hangs_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct state_document document = {.id = "box", .bundle = "/b"};
	struct seccomp_agent agent;
	struct spec_seccomp spec = spec_asking();
	struct error err = ERROR_NONE;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@unit-agent-%d", getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	spec.listener_path = name;
	assert_fine(seccomp_agent_connect(&spec, &document, &agent, &err), err);
	fd_close(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	fd_close(fd);
	assert_int_equal(seccomp_agent_send(&agent, 1, STDIN_FILENO, &err), -ECONNRESET);
	assert_true(str_starts(err.text, "linux.seccomp.listenerPath: send the listener to "));
	assert_int_equal(agent.socket, -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listener_flags), cmocka_unit_test(test_pass),
		cmocka_unit_test(test_listener),       cmocka_unit_test(test_agent_check),
		cmocka_unit_test(test_agent_hangs_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
