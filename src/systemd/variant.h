/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as values of D-Bus messages, by signature. */
#ifndef BERTH_SYSTEMD_VARIANT_H
#define BERTH_SYSTEMD_VARIANT_H

#include <systemd/sd-bus.h>

#include "berth/base/error.h"
#include "berth/base/json_read.h"

#define _cleanup_message_ __attribute__((cleanup(sd_bus_message_unrefp)))

/*
 * Appends @value by @signature, one complete type: arrays and structures are JSON arrays, whole
 * numbers are JSON numbers or strings of digits, and must fit. Types: b y n q i u x t d s o g a ().
 * -EINVAL: the value or the signature is not right; the text says where in the value.
 */
int variant_append(sd_bus_message *message, const char *signature, const struct json *value,
		   struct error *err) must_check;

/*
 * Appends properties to an open array of (sv): @list is an array of [NAME, SIGNATURE, VALUE], or
 * NULL. The text of an error names the property.
 */
int variant_append_properties(sd_bus_message *message, const struct json *list,
			      struct error *err) must_check;

#endif
