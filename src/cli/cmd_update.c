/* SPDX-License-Identifier: Apache-2.0 */
/* berth update: its options become a linux.resources document, as --resources has one. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/base/json_read.h"
#include "berth/base/json_write.h"

#include "command.h"

struct values {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_idle;
	const char *cpu_rt_period, *cpu_rt_runtime, *cpuset_cpus, *cpuset_mems;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *pids_limit;
	const char *l3_cache, *memory_bandwidth;
};

#define AT(member) OPTION_TEXT, offsetof(struct values, member)

static const struct option options[] = {
	{"resources", 'r', AT(resources), "FILE", "linux.resources as JSON; \"-\": standard input"},
	{"memory", 0, AT(memory), "BYTES", "memory limit; a unit k, m, g or t may follow"},
	{"memory-reservation", 0, AT(memory_reservation), "BYTES", "memory that is kept for it"},
	{"memory-swap", 0, AT(memory_swap), "BYTES", "memory and swap together; -1: unlimited"},
	{"cpu-share", 0, AT(cpu_share), "N", "relative share of CPU time"},
	{"cpu-quota", 0, AT(cpu_quota), "USEC", "CPU time in each period; -1: unlimited"},
	{"cpu-period", 0, AT(cpu_period), "USEC", "length of a period"},
	{"cpu-burst", 0, AT(cpu_burst), "USEC", "CPU time that may be saved up"},
	{"cpu-idle", 0, AT(cpu_idle), "0|1", "whether it runs only when nothing else does"},
	{"cpuset-cpus", 0, AT(cpuset_cpus), "LIST", "processors that it may use"},
	{"cpuset-mems", 0, AT(cpuset_mems), "LIST", "memory nodes that it may use"},
	{"pids-limit", 0, AT(pids_limit), "N", "number of processes; -1: unlimited"},
	{"blkio-weight", 0, AT(blkio_weight), "N", "weight of its block I/O, 10 to 1000"},
	{"cpu-rt-period", 0, AT(cpu_rt_period), "USEC", "cgroup v2 has no such limit"},
	{"cpu-rt-runtime", 0, AT(cpu_rt_runtime), "USEC", "cgroup v2 has no such limit"},
	{"kernel-memory", 0, AT(kernel_memory), "BYTES", "cgroup v2 has no such limit"},
	{"kernel-memory-tcp", 0, AT(kernel_memory_tcp), "BYTES", "cgroup v2 has no such limit"},
	{"l3-cache-schema", 0, AT(l3_cache), "SCHEMA", "shares of L3 caches, \"L3:0=f;1=ff\""},
	{"mem-bw-schema", 0, AT(memory_bandwidth), "SCHEMA", "memory bandwidth, \"MB:0=20;1=70\""},
};

enum form {
	NUMBER,
	BYTES,
	TEXT
};

/* Which field an option is, grouped by objects. */
static const struct {
	const char *object, *field, *option;
	size_t offset;
	enum form form;
} fields[] = {
	{"memory", "limit", "memory", offsetof(struct values, memory), BYTES},
	{"memory", "reservation", "memory-reservation", offsetof(struct values, memory_reservation),
	 BYTES},
	{"memory", "swap", "memory-swap", offsetof(struct values, memory_swap), BYTES},
	{"memory", "kernel", "kernel-memory", offsetof(struct values, kernel_memory), BYTES},
	{"memory", "kernelTCP", "kernel-memory-tcp", offsetof(struct values, kernel_memory_tcp),
	 BYTES},
	{"cpu", "shares", "cpu-share", offsetof(struct values, cpu_share), NUMBER},
	{"cpu", "quota", "cpu-quota", offsetof(struct values, cpu_quota), NUMBER},
	{"cpu", "period", "cpu-period", offsetof(struct values, cpu_period), NUMBER},
	{"cpu", "burst", "cpu-burst", offsetof(struct values, cpu_burst), NUMBER},
	{"cpu", "idle", "cpu-idle", offsetof(struct values, cpu_idle), NUMBER},
	{"cpu", "realtimePeriod", "cpu-rt-period", offsetof(struct values, cpu_rt_period), NUMBER},
	{"cpu", "realtimeRuntime", "cpu-rt-runtime", offsetof(struct values, cpu_rt_runtime),
	 NUMBER},
	{"cpu", "cpus", "cpuset-cpus", offsetof(struct values, cpuset_cpus), TEXT},
	{"cpu", "mems", "cpuset-mems", offsetof(struct values, cpuset_mems), TEXT},
	{"pids", "limit", "pids-limit", offsetof(struct values, pids_limit), NUMBER},
	{"blockIO", "weight", "blkio-weight", offsetof(struct values, blkio_weight), NUMBER},
};

/* As a JSON number; what the field's range is, its decoder knows. */
static int add_number(struct json_writer *w, const char *option, const char *text, enum form form,
		      struct error *err)
{
	uint64_t large;
	int64_t number;
	int r = form == BYTES ? str_to_bytes(text, &number) : str_to_i64(text, &number);

	if (r >= 0)
		json_i64(w, number);
	else if (form == NUMBER && str_to_u64(text, &large) >= 0)
		json_u64(w, large);
	else
		return refuse(err, "--%s: \"%s\" is not a number%s", option, text,
			      form == BYTES ? " of bytes" : "");
	return 0;
}

/* Returns how many options were given. */
static int write_document(const struct values *given, struct buf *text, struct error *err)
{
	struct json_writer w = JSON_WRITER(text, false);
	const char *open = NULL;
	int count = 0, r = 0;

	json_begin_object(&w);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(fields); i++) {
		const char *value = *(const char *const *)((const char *)given + fields[i].offset);

		if (!value)
			continue;
		count++;
		if (!open || !str_equal(open, fields[i].object)) {
			if (open)
				json_end_object(&w);
			open = fields[i].object;
			json_key(&w, open);
			json_begin_object(&w);
		}
		json_key(&w, fields[i].field);
		if (fields[i].form == TEXT)
			json_string(&w, value);
		else
			r = add_number(&w, fields[i].option, value, fields[i].form, err);
	}
	if (open)
		json_end_object(&w);
	json_end_object(&w);
	return r < 0 ? r : count;
}

/* Engines write it into a pipe. @name: what messages call it. */
static int read_document(const char *path, const char **name, char **ret_text, size_t *ret_size,
			 struct error *err)
{
	bool is_input = str_equal(path, "-");
	_cleanup_fd_ int opened = is_input ? -EBADF : open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf data = BUF_EMPTY;
	int r;

	*name = is_input ? "standard input" : path;
	if (!is_input && opened < 0)
		return fail(err, -errno, "--resources: open \"%s\"", path);
	r = fd_read_all(is_input ? STDIN_FILENO : opened, JSON_SIZE_MAX, &data);
	if (r < 0)
		return fail(err, r, "--resources: read \"%s\"", *name);
	*ret_size = data.size;
	*ret_text = buf_take(&data);
	return 0;
}

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_free_ char *read = NULL;
	struct update_options update = {
		.id = args[0],
		.l3_cache = given->l3_cache,
		.memory_bandwidth = given->memory_bandwidth,
	};
	int r = write_document(given, &text, err);

	*ret_status = 0;
	if ((r > 0 || given->resources) && (given->l3_cache || given->memory_bandwidth))
		return refuse(err, "update: --l3-cache-schema and --mem-bw-schema go with no other "
				   "option: not all of it could be set back after a failure");
	if (r > 0 && given->resources)
		return refuse(err, "update: --resources and single limits exclude each other");
	if (r == 0 && !given->resources && !given->l3_cache && !given->memory_bandwidth)
		return refuse(err, "update: no limit is named (see berth help update)");
	update.text = text.data;
	update.size = text.size;
	update.what = "update";
	if (r >= 0 && given->resources) {
		r = read_document(given->resources, &update.what, &read, &update.size, err);
		update.text = read;
	}
	return r < 0 ? r : container_update(runtime, &update, err);
}

const struct command command_update = {
	.name = "update",
	.arguments = "ID",
	.summary = "change the limits of a container",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
