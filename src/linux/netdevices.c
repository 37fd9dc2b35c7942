/* SPDX-License-Identifier: Apache-2.0 */
/* Asking berth-net for linux.netDevices. */
#include "berth/linux/netdevices.h"

#include "berth/base/alloc.h"
#include "berth/base/helper.h"
#include "berth/base/json_write.h"
#include "berth/base/spawn.h"
#include "berth/base/str.h"

#define HELPER "berth-net"
#define FIELD  "linux.netDevices"

int netdevices_prepare(const struct spec_strings *devices, const char *program, char **ret_helper,
		       struct error *err)
{
	_cleanup_free_ char *own = NULL;

	*ret_helper = NULL;
	if (devices->count == 0)
		return 0;
	own = helper_own_program(program);
	return helper_path(own, HELPER, FIELD, ret_helper, err);
}

static void write_request(const struct spec_strings *devices, pid_t pid, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_object(&w);
	json_member_i64(&w, "pid", pid);
	json_key(&w, "devices");
	json_begin_object(&w);
	for (size_t i = 0; i < devices->count; i++) {
		json_key(&w, devices->items[i].key);
		json_begin_object(&w);
		json_member_string(&w, "name", devices->items[i].value);
		json_end_object(&w);
	}
	json_end_object(&w);
	json_end_object(&w);
}

int netdevices_move(const struct spec_strings *devices, const char *helper, pid_t pid,
		    struct error *err)
{
	const char *const argv[] = {HELPER, "netdevices", NULL};
	_cleanup_buf_ struct buf request = BUF_EMPTY;
	struct spawn what = {.path = helper, .argv = argv, .cwdfd = -1, .timeout_ms = -1};
	int r;

	if (devices->count == 0)
		return 0;
	write_request(devices, pid, &request);
	what.input = request.data;
	what.input_size = request.size;
	r = spawn_wait(&what, err);
	return r < 0 ? within(err, r, FIELD) : r;
}
