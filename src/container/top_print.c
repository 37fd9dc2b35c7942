/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of `top`, as a table for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/json_write.h"

#include "top-internal.h"

#define CELL_MAX 48

/* Hundredths of a percent of one processor. */
static uint64_t cpu_share(const struct top_row *row)
{
	uint64_t used = row->now.cpu.usage_us - row->before.cpu.usage_us;

	return used * 10 / (uint64_t)row->elapsed_ms;
}

/* Hundredths of a percent of the periods in which the quota was used up. */
static uint64_t throttled_share(const struct top_row *row)
{
	uint64_t periods = row->now.cpu.periods - row->before.cpu.periods;
	uint64_t throttled = row->now.cpu.throttled_periods - row->before.cpu.throttled_periods;

	return periods ? throttled * 10000 / periods : 0;
}

static uint64_t sum_of(const struct cgroup_stats *stats, size_t offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < stats->io.device_count; i++)
		sum += *(const uint64_t *)((const char *)&stats->io.devices[i] + offset);
	return sum;
}

#define READ_BYTES  offsetof(struct cgroup_io, read_bytes)
#define WRITE_BYTES offsetof(struct cgroup_io, write_bytes)

static uint64_t io_rate(const struct top_row *row, size_t offset)
{
	uint64_t now = sum_of(&row->now, offset), before = sum_of(&row->before, offset);

	return now > before ? (now - before) * 1000 / (uint64_t)row->elapsed_ms : 0;
}

static void hundredths_text(char *cell, uint64_t value)
{
	snprintf(cell, CELL_MAX, "%" PRIu64 ".%02u", value / 100, (unsigned)(value % 100));
}

/* "512B", "1.5M": three digits at most before the point. */
static void bytes_text(char *cell, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	uint64_t whole = bytes, part = 0;
	size_t unit = 0;

	if (bytes == CGROUP_UNLIMITED) {
		snprintf(cell, CELL_MAX, "-");
		return;
	}
	for (; whole >= 1000; unit++) {
		part = whole % 1024 * 10 / 1024;
		whole /= 1024;
	}
	if (unit && whole < 100)
		snprintf(cell, CELL_MAX, "%" PRIu64 ".%u%c", whole, (unsigned)part, units[unit]);
	else
		snprintf(cell, CELL_MAX, "%" PRIu64 "%c", whole, units[unit]);
}

static void count_text(char *cell, uint64_t count)
{
	if (count == CGROUP_UNLIMITED)
		snprintf(cell, CELL_MAX, "-");
	else
		snprintf(cell, CELL_MAX, "%" PRIu64, count);
}

/* The share of time in which something waited, over the last 10 seconds. */
static void pressure_text(char *cell, const struct cgroup_pressure *pressure)
{
	if (pressure->there)
		hundredths_text(cell, pressure->some.avg10);
}

static void cell_id(const struct top_row *row, char *cell)
{
	snprintf(cell, CELL_MAX, "%.40s", row->id);
}

static void cell_cpu(const struct top_row *row, char *cell)
{
	hundredths_text(cell, cpu_share(row));
}

static void cell_throttled(const struct top_row *row, char *cell)
{
	hundredths_text(cell, throttled_share(row));
}

static void cell_memory(const struct top_row *row, char *cell)
{
	if (row->now.memory.there)
		bytes_text(cell, row->now.memory.current);
}

static void cell_memory_limit(const struct top_row *row, char *cell)
{
	if (row->now.memory.there)
		bytes_text(cell, row->now.memory.max);
}

static void cell_pids(const struct top_row *row, char *cell)
{
	if (row->now.pids.there)
		count_text(cell, row->now.pids.current);
}

static void cell_pids_limit(const struct top_row *row, char *cell)
{
	if (row->now.pids.there)
		count_text(cell, row->now.pids.max);
}

static void cell_read(const struct top_row *row, char *cell)
{
	bytes_text(cell, io_rate(row, READ_BYTES));
}

static void cell_write(const struct top_row *row, char *cell)
{
	bytes_text(cell, io_rate(row, WRITE_BYTES));
}

static void cell_cpu_pressure(const struct top_row *row, char *cell)
{
	pressure_text(cell, &row->now.cpu.pressure);
}

static void cell_memory_pressure(const struct top_row *row, char *cell)
{
	pressure_text(cell, &row->now.memory.pressure);
}

static void cell_io_pressure(const struct top_row *row, char *cell)
{
	pressure_text(cell, &row->now.io.pressure);
}

/* A column; its cells are "-" where the function writes nothing. */
static const struct {
	const char *heading;
	void (*write)(const struct top_row *row, char *cell);
} columns[] = {
	{"ID", cell_id},
	{"CPU%", cell_cpu},
	{"THROTTLED%", cell_throttled},
	{"MEMORY", cell_memory},
	{"LIMIT", cell_memory_limit},
	{"PIDS", cell_pids},
	{"LIMIT", cell_pids_limit},
	{"READ/s", cell_read},
	{"WRITE/s", cell_write},
	{"CPU-WAIT%", cell_cpu_pressure},
	{"MEMORY-WAIT%", cell_memory_pressure},
	{"IO-WAIT%", cell_io_pressure},
};

static void write_cell(const struct top_rows *rows, size_t column, size_t line,
		       char cell[static CELL_MAX])
{
	snprintf(cell, CELL_MAX, "%s", line ? "-" : columns[column].heading);
	if (line)
		columns[column].write(&rows->items[line - 1], cell);
}

/* Line 0 is the heading. The id stands at the left, figures at the right. */
void top_print_table(const struct top_rows *rows, struct buf *out)
{
	int width[ARRAY_SIZE(columns)] = {0};
	char cell[CELL_MAX];

	for (size_t line = 0; line <= rows->count; line++) {
		for (size_t column = 0; column < ARRAY_SIZE(columns); column++) {
			write_cell(rows, column, line, cell);
			if ((int)strlen(cell) > width[column])
				width[column] = (int)strlen(cell);
		}
	}
	for (size_t line = 0; line <= rows->count; line++) {
		for (size_t column = 0; column < ARRAY_SIZE(columns); column++) {
			write_cell(rows, column, line, cell);
			buf_printf(out, "%s%*s", column ? "  " : "",
				   column ? width[column] : -width[column], cell);
		}
		buf_add_char(out, '\n');
	}
}

static void begin(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_object(w);
}

static void add_hundredths(struct json_writer *w, const char *key, uint64_t value)
{
	char text[CELL_MAX];

	hundredths_text(text, value);
	json_key(w, key);
	json_value(w, &(struct json){.type = JSON_NUMBER, .text = text});
}

/* null where there is no limit, or nobody counts. */
static void add_figure(struct json_writer *w, const char *key, bool there, uint64_t value)
{
	json_key(w, key);
	if (there && value != CGROUP_UNLIMITED)
		json_u64(w, value);
	else
		json_null(w);
}

static void add_pressure(struct json_writer *w, const char *key,
			 const struct cgroup_pressure *pressure)
{
	if (pressure->there) {
		add_hundredths(w, key, pressure->some.avg10);
		return;
	}
	json_key(w, key);
	json_null(w);
}

static void add_cpu(struct json_writer *w, const struct top_row *row)
{
	begin(w, "cpu");
	add_hundredths(w, "percent", cpu_share(row));
	json_member_u64(w, "usageNs", row->now.cpu.usage_us * 1000);
	add_hundredths(w, "throttledPercent", throttled_share(row));
	json_end_object(w);
}

static void add_io(struct json_writer *w, const struct top_row *row)
{
	begin(w, "io");
	json_member_u64(w, "readBytes", sum_of(&row->now, READ_BYTES));
	json_member_u64(w, "writeBytes", sum_of(&row->now, WRITE_BYTES));
	json_member_u64(w, "readBytesPerSecond", io_rate(row, READ_BYTES));
	json_member_u64(w, "writeBytesPerSecond", io_rate(row, WRITE_BYTES));
	json_end_object(w);
}

static void add_row(struct json_writer *w, const struct top_row *row)
{
	const struct cgroup_stats *now = &row->now;

	json_begin_object(w);
	json_member_string(w, "id", row->id);
	json_member_string(w, "status", row->status);
	json_member_i64(w, "pid", row->pid);
	add_cpu(w, row);
	begin(w, "memory");
	add_figure(w, "usage", now->memory.there, now->memory.current);
	add_figure(w, "limit", now->memory.there, now->memory.max);
	json_end_object(w);
	begin(w, "pids");
	add_figure(w, "current", now->pids.there, now->pids.current);
	add_figure(w, "limit", now->pids.there, now->pids.max);
	json_end_object(w);
	add_io(w, row);
	begin(w, "pressurePercent");
	add_pressure(w, "cpu", &now->cpu.pressure);
	add_pressure(w, "memory", &now->memory.pressure);
	add_pressure(w, "io", &now->io.pressure);
	json_end_object(w);
	json_end_object(w);
}

void top_print_json(const struct top_rows *rows, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_array(&w);
	for (size_t i = 0; i < rows->count; i++)
		add_row(&w, &rows->items[i]);
	json_end_array(&w);
	buf_add_char(out, '\n');
}
