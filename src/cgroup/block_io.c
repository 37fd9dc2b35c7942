/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.blockIO: weights and limits of block devices, by the io controller.
 *
 * Theory of operation. Weights are written to the file of the BFQ scheduler, whose scale is that of
 * config.json, where the kernel has it, and to io.weight, with its wider scale, elsewhere. Each
 * device is a line and a write of its own, in both and in io.max.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "berth/base/alloc.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

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

static bool is_weight(uint64_t value)
{
	return value == 0 || (value >= WEIGHT_MIN && value <= WEIGHT_MAX);
}

int io_check(const struct spec_resources *resources, struct error *err)
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

/* @prefix: the device's numbers and a blank, or nothing. Takes @field. */
static void add_weight(struct settings *settings, char *field, const char *prefix, uint64_t weight)
{
	*settings_add(settings) = (struct setting){
		.asked = ASKED_LIMIT,
		.field = field,
		.file = xstrdup("io.bfq.weight"),
		.value = xasprintf("%s%" PRIu64, prefix, weight),
		.other_file = xstrdup("io.weight"),
		.other_value = xasprintf("%s%u", prefix, io_weight_of(weight)),
	};
}

void io_weight(const struct spec_resources *resources, struct settings *settings)
{
	if (resources->io_weight.set && resources->io_weight.value)
		add_weight(settings, xstrdup("linux.resources." WEIGHT_FIELD), "",
			   resources->io_weight.value);
}

void io_device_weights(const struct spec_resources *resources, struct settings *settings)
{
	for (size_t i = 0; i < resources->io_weights.count; i++) {
		const struct spec_io_device *device = &resources->io_weights.items[i];
		_cleanup_free_ char *prefix =
			xasprintf("%" PRId64 ":%" PRId64 " ", device->major, device->minor);

		if (device->value)
			add_weight(settings,
				   xasprintf("linux.resources." DEVICE_WEIGHTS_FIELD "[%zu]", i),
				   prefix, device->value);
	}
}

/* A rate of zero is none, as with cgroup v1. */
static void add_throttle(struct settings *settings, enum io_limit which, size_t index,
			 const struct spec_io_device *device)
{
	_cleanup_free_ char *rate =
		device->value ? xasprintf("%" PRIu64, device->value) : xstrdup("max");

	*settings_add(settings) = (struct setting){
		.asked = ASKED_LIMIT,
		.field = xasprintf("linux.resources.%s[%zu]", throttles[which].field, index),
		.file = xstrdup("io.max"),
		.value = xasprintf("%" PRId64 ":%" PRId64 " %s=%s", device->major, device->minor,
				   throttles[which].key, rate),
	};
}

void io_throttles(const struct spec_resources *resources, struct settings *settings)
{
	for (int which = 0; which < IO_LIMIT_MAX; which++) {
		const struct spec_io_devices *devices = &resources->io_max[which];

		for (size_t i = 0; i < devices->count; i++)
			add_throttle(settings, (enum io_limit)which, i, &devices->items[i]);
	}
}
