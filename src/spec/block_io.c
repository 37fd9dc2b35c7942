/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.resources.blockIO. */
#include "tables-internal.h"

/* cgroup v2 has no weight for the tasks of a cgroup that has children. */
#define LEAF_WEIGHT                                                                                \
	{                                                                                          \
		.name = "leafWeight", .kind = FIELD_UNSUPPORTED, .type = JSON_NUMBER,              \
		.reason = "cgroup v2 has no such limit"                                            \
	}

#define DEVICE_NUMBER(text, member)                                                                \
	{                                                                                          \
		.name = (text), .kind = FIELD_NUMBER, .required = true,                            \
		AT_NUMBER(struct spec_io_device, member), RANGE(0, UINT32_MAX)                     \
	}

static const struct field weight_fields[] = {
	DEVICE_NUMBER("major", major),
	DEVICE_NUMBER("minor", minor),
	{.name = "weight",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_io_device, value),
	 RANGE(0, UINT16_MAX)},
	LEAF_WEIGHT,
};

static const struct table weight_table = {FIELDS(weight_fields),
					  .size = sizeof(struct spec_io_device)};

static const struct field throttle_fields[] = {
	DEVICE_NUMBER("major", major),
	DEVICE_NUMBER("minor", minor),
	{.name = "rate",
	 .kind = FIELD_NUMBER,
	 .required = true,
	 AT_NUMBER(struct spec_io_device, value),
	 RANGE(0, UINT64_MAX)},
};

static const struct table throttle_table = {FIELDS(throttle_fields),
					    .size = sizeof(struct spec_io_device)};

#define DEVICES(text, member, rows)                                                                \
	{                                                                                          \
		.name = (text), .kind = FIELD_ARRAY, AT(struct spec_resources, member.items),      \
		.count = offsetof(struct spec_resources, member.count), .table = (rows)            \
	}

const char *const io_limit_names[IO_LIMIT_MAX] = {
	[IO_READ_BPS] = "throttleReadBpsDevice",
	[IO_WRITE_BPS] = "throttleWriteBpsDevice",
	[IO_READ_IOPS] = "throttleReadIOPSDevice",
	[IO_WRITE_IOPS] = "throttleWriteIOPSDevice",
};

static const struct field block_io_fields[] = {
	{.name = "weight",
	 .kind = FIELD_NUMBER,
	 AT_OPTIONAL(struct spec_resources, io_weight),
	 RANGE(0, UINT16_MAX)},
	LEAF_WEIGHT,
	DEVICES("weightDevice", io_weights, &weight_table),
	DEVICES("throttleReadBpsDevice", io_max[IO_READ_BPS], &throttle_table),
	DEVICES("throttleWriteBpsDevice", io_max[IO_WRITE_BPS], &throttle_table),
	DEVICES("throttleReadIOPSDevice", io_max[IO_READ_IOPS], &throttle_table),
	DEVICES("throttleWriteIOPSDevice", io_max[IO_WRITE_IOPS], &throttle_table),
};

const struct table block_io_table = {FIELDS(block_io_fields),
				     .size = sizeof(struct spec_resources)};
