/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capability sets of a container's process; see capabilities(7).
 *
 * Theory of operation. Dropping from the bounding set needs CAP_SETPCAP, which a change to another
 * user would take away together with everything else; so it is done first, and the kernel is told
 * to keep the permitted set over that change. Afterwards one capset(2) sets the permitted,
 * effective and inheritable sets; the kernel takes from the ambient set what is not in both the
 * permitted and the inheritable one, but would leave there what the creator had in all three, so
 * it is emptied before. What the caller itself lacks cannot be granted: it is left out of the sets
 * beforehand, since capset(2) refuses all if one of them is too much.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "berth/base/sys.h"
#include "berth/linux/process.h"

/* The sets of one capset(2), as masks. */
struct sets {
	uint64_t permitted, effective, inheritable;
};

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

bool capabilities_of_root(void)
{
	const uint64_t needed =
		bit(CAP_SYS_ADMIN) | bit(CAP_SYS_CHROOT) | bit(CAP_SETUID) | bit(CAP_SETGID);

	return (sys_capabilities() & needed) == needed;
}

static const char *capability_text(int capability)
{
	return capability < CAPABILITY_COUNT ? capability_names[capability] : "unknown to berth";
}

static int drop_bound(int capability, struct error *err)
{
	int r;

	if (cap_drop_bound(capability) >= 0)
		return 0;
	r = -errno;
	/* Without CAP_SETPCAP, what is not there still need not be dropped. */
	if (cap_get_bound(capability) == 0)
		return 0;
	return fail(err, r, "process.capabilities.bounding: drop capability %d (%s)", capability,
		    capability_text(capability));
}

int capabilities_bound(const struct spec_capabilities *capabilities, struct error *err)
{
	/* All that this kernel has, those that berth does not know by name among them. */
	int count = cap_max_bits();

	for (int i = 0; i < count; i++) {
		int r = capabilities->sets[CAPABILITY_BOUNDING] & bit(i) ? 0 : drop_bound(i, err);

		if (r < 0)
			return r;
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail(err, -errno, "keep capabilities over a change of user");
	return 0;
}

/* The members of one flag of @state as a mask. */
static uint64_t mask_get(cap_t state, cap_flag_t flag, int count)
{
	uint64_t mask = 0;

	for (int i = 0; i < count; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap_get_flag(state, i, flag, &value) == 0 && value == CAP_SET)
			mask |= bit(i);
	}
	return mask;
}

static int mask_set(cap_t state, cap_flag_t flag, uint64_t mask, int count)
{
	cap_value_t list[64];
	int n = 0;

	for (int i = 0; i < count; i++) {
		if (mask & bit(i))
			list[n++] = i;
	}
	return n ? cap_set_flag(state, flag, n, list, CAP_SET) : 0;
}

/*
 * What of the wanted sets can be granted. The inheritable set is drawn from what is permitted or
 * inheritable now, and gets nothing from outside the bounding set (which was cut already).
 */
static struct sets grantable(const struct spec_capabilities *wanted, cap_t now, int count)
{
	uint64_t permitted = mask_get(now, CAP_PERMITTED, count);
	uint64_t inheritable = mask_get(now, CAP_INHERITABLE, count);
	uint64_t bounding = wanted->sets[CAPABILITY_BOUNDING];
	struct sets sets = {.permitted = wanted->sets[CAPABILITY_PERMITTED] & permitted};

	sets.effective = wanted->sets[CAPABILITY_EFFECTIVE] & sets.permitted;
	sets.inheritable =
		wanted->sets[CAPABILITY_INHERITABLE] & (inheritable | (permitted & bounding));
	return sets;
}

static int write_sets(cap_t state, const struct sets *sets, int count)
{
	if (cap_clear(state) < 0 || mask_set(state, CAP_PERMITTED, sets->permitted, count) < 0 ||
	    mask_set(state, CAP_EFFECTIVE, sets->effective, count) < 0 ||
	    mask_set(state, CAP_INHERITABLE, sets->inheritable, count) < 0 ||
	    cap_set_proc(state) < 0)
		return -errno;
	return 0;
}

static int raise_ambient(uint64_t mask, int count, struct error *err)
{
	for (int i = 0; i < count; i++) {
		if (!(mask & bit(i)) || cap_set_ambient(i, CAP_SET) == 0)
			continue;
		/* Secure bits may forbid it: then it cannot be granted. */
		if (errno != EPERM)
			return fail(err, -errno, "process.capabilities.ambient: raise %s",
				    capability_text(i));
	}
	return 0;
}

static void cleanup_cap(cap_t *state)
{
	if (*state)
		cap_free(*state);
}

int capabilities_apply(const struct spec_capabilities *capabilities, struct error *err)
{
	__attribute__((cleanup(cleanup_cap))) cap_t state = cap_get_proc();
	int count = cap_max_bits();
	struct sets sets;
	int r;

	if (!state)
		return fail(err, -errno, "process.capabilities: get the capabilities");
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return fail(err, -errno, "process.capabilities: keep them no longer");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail(err, -errno, "process.capabilities.ambient: empty the set");
	sets = grantable(capabilities, state, count);
	r = write_sets(state, &sets, count);
	if (r < 0)
		return fail(err, r, "process.capabilities: set the capabilities");
	return raise_ambient(capabilities->sets[CAPABILITY_AMBIENT] & sets.permitted &
				     sets.inheritable,
			     count, err);
}

static_assert(CAPABILITY_COUNT <= 64, "a set of capabilities is a mask of 64 bits");
