/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.blockIO: weights and limits of block devices, by the io controller.
 *
 * Theory of operation. Weights are written to the file of the BFQ scheduler, whose scale is that of
 * config.json, where the kernel has it, and to io.weight, with its wider scale, elsewhere. Each
 * device is a line and a write of its own, in both and in io.max.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "berth/base/alloc.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

#define WEIGHT_FIELD	     "blockIO.weight"
#define DEVICE_WEIGHTS_FIELD "blockIO.weightDevice"

/* The scale of config.json and of io.bfq.weight, and that of io.weight. */
#define WEIGHT_MIN    10
#define WEIGHT_MAX    1000
#define IO_WEIGHT_MAX 10000

static const struct {
	const char *field, *key;
} throttles[IO_LIMIT_MAX] = {
	[IO_READ_BPS] = {"blockIO.throttleReadBpsDevice", "rbps"},
	[IO_WRITE_BPS] = {"blockIO.throttleWriteBpsDevice", "wbps"},
	[IO_READ_IOPS] = {"blockIO.throttleReadIOPSDevice", "riops"},
	[IO_WRITE_IOPS] = {"blockIO.throttleWriteIOPSDevice", "wiops"},
};

const char *block_io_asked(const struct spec_resources *resources)
{
	if (resources->io_weight.set && resources->io_weight.value)
		return WEIGHT_FIELD;
	if (resources->io_weights.count)
		return DEVICE_WEIGHTS_FIELD;
	for (int i = 0; i < IO_LIMIT_MAX; i++) {
		if (resources->io_max[i].count)
			return throttles[i].field;
	}
	return NULL;
}

static bool is_weight(uint64_t value)
{
	return value == 0 || (value >= WEIGHT_MIN && value <= WEIGHT_MAX);
}

int block_io_check(const struct spec_resources *resources, struct error *err)
{
	const struct spec_io_devices *weights = &resources->io_weights;

	if (resources->io_weight.set && !is_weight(resources->io_weight.value))
		return refuse(err,
			      "linux.resources." WEIGHT_FIELD ": %" PRIu64
			      " is not between %d and %d",
			      resources->io_weight.value, WEIGHT_MIN, WEIGHT_MAX);
	for (size_t i = 0; i < weights->count; i++) {
		if (!is_weight(weights->items[i].value))
			return refuse(err,
				      "linux.resources." DEVICE_WEIGHTS_FIELD
				      "[%zu].weight: %" PRIu64 " is not between %d and %d",
				      i, weights->items[i].value, WEIGHT_MIN, WEIGHT_MAX);
	}
	return 0;
}

unsigned io_weight_of(uint64_t weight)
{
	return (unsigned)(1 +
			  (weight - WEIGHT_MIN) * (IO_WEIGHT_MAX - 1) / (WEIGHT_MAX - WEIGHT_MIN));
}

/* @prefix: the device's numbers and a blank, or nothing. */
static int write_weight(int cgroupfd, const char *path, const char *prefix, uint64_t weight,
			struct error *err)
{
	_cleanup_free_ char *bfq = xasprintf("%s%" PRIu64, prefix, weight);
	_cleanup_free_ char *io = NULL;
	struct error first = ERROR_NONE;
	int r;

	if (!weight)
		return 0;
	r = limit_write_file(cgroupfd, path, "io.bfq.weight", bfq, &first);
	if (r != -ENOENT) {
		*err = first;
		return r;
	}
	io = xasprintf("%s%u", prefix, io_weight_of(weight));
	return limit_write_file(cgroupfd, path, "io.weight", io, err);
}

static int write_device_weights(int cgroupfd, const char *path,
				const struct spec_io_devices *devices, struct error *err)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct spec_io_device *device = &devices->items[i];
		_cleanup_free_ char *prefix =
			xasprintf("%" PRId64 ":%" PRId64 " ", device->major, device->minor);
		int r = write_weight(cgroupfd, path, prefix, device->value, err);

		if (r < 0)
			return within(err, r, "linux.resources." DEVICE_WEIGHTS_FIELD "[%zu]", i);
	}
	return 0;
}

/* A rate of zero is none, as with cgroup v1. */
static int write_throttles(int cgroupfd, const char *path, enum io_limit which,
			   const struct spec_io_devices *devices, struct error *err)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct spec_io_device *device = &devices->items[i];
		_cleanup_free_ char *rate =
			device->value ? xasprintf("%" PRIu64, device->value) : xstrdup("max");
		_cleanup_free_ char *line =
			xasprintf("%" PRId64 ":%" PRId64 " %s=%s", device->major, device->minor,
				  throttles[which].key, rate);
		int r = limit_write_file(cgroupfd, path, "io.max", line, err);

		if (r == -ENODEV)
			return within(err, r, "linux.resources.%s[%zu]: no such block device",
				      throttles[which].field, i);
		if (r < 0)
			return within(err, r, "linux.resources.%s[%zu]", throttles[which].field, i);
	}
	return 0;
}

int block_io_write(int cgroupfd, const char *path, const struct spec_resources *resources,
		   struct error *err)
{
	uint64_t weight = resources->io_weight.set ? resources->io_weight.value : 0;
	int r = write_weight(cgroupfd, path, "", weight, err);

	if (r < 0)
		return within(err, r, "linux.resources." WEIGHT_FIELD);
	r = write_device_weights(cgroupfd, path, &resources->io_weights, err);
	for (int i = 0; r >= 0 && i < IO_LIMIT_MAX; i++)
		r = write_throttles(cgroupfd, path, (enum io_limit)i, &resources->io_max[i], err);
	return r;
}
