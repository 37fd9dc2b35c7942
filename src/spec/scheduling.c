/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `process.scheduler` and `process.ioPriority`; see sched(7) and ioprio_set(2). */
#include <assert.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>

#include "tables-internal.h"

#define NICE_MIN     (-20)
#define NICE_MAX     19
#define REALTIME_MAX 99

/* The kernel takes no smaller runtime, and none of the times with the highest bit. */
#define RUNTIME_MIN 1024
#define TIME_MAX    INT64_MAX

/* All but SCHED_ISO, for which Linux has a number alone. */
static const char *const policy_names[] = {
	"SCHED_OTHER", "SCHED_FIFO",	 "SCHED_RR", "SCHED_BATCH",
	"SCHED_IDLE",  "SCHED_DEADLINE", NULL,
};

static const uint32_t policies[] = {
	SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE,
};

static_assert(ARRAY_SIZE(policies) + 1 == ARRAY_SIZE(policy_names), "every name has its number");

/* By bit. */
static const char *const flag_names[] = {
	"SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",
	"SCHED_FLAG_DL_OVERRUN",     "SCHED_FLAG_KEEP_POLICY",
	"SCHED_FLAG_KEEP_PARAMS",    "SCHED_FLAG_UTIL_CLAMP_MIN",
	"SCHED_FLAG_UTIL_CLAMP_MAX", NULL,
};

static_assert(SCHED_FLAG_RESET_ON_FORK == 1 << 0 && SCHED_FLAG_UTIL_CLAMP_MAX == 1 << 6 &&
		      ARRAY_SIZE(flag_names) == 8,
	      "a flag's place is its bit");

/* By number; the kernel's class 0 is that of a process that has none. */
static const char *const class_names[] = {
	"IOPRIO_CLASS_RT",
	"IOPRIO_CLASS_BE",
	"IOPRIO_CLASS_IDLE",
	NULL,
};

static_assert(IOPRIO_CLASS_RT == 1 && IOPRIO_CLASS_IDLE == 3 && ARRAY_SIZE(class_names) == 4,
	      "a class's place is its number less one");

static int decode_policy(const struct decoder *d, const struct field *field,
			 const struct node *node, void *base, struct error *err)
{
	struct spec_scheduler *scheduler = base;
	int r = decode_string(node, &scheduler->policy_name, err);

	(void)d;
	(void)field;
	if (r < 0)
		return r;
	if (str_equal(scheduler->policy_name, "SCHED_ISO"))
		return refuse_at(node, err, "\"SCHED_ISO\": Linux has no such policy");
	r = choice_index(policy_names, scheduler->policy_name);
	if (r < 0)
		return refuse_choice(node, scheduler->policy_name, policy_names, err);
	scheduler->policy = policies[r];
	return 0;
}

static int decode_flags(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	struct spec_scheduler *scheduler = base;
	const char *const *names;
	int r = decode_strings(d, node, &names, err);

	(void)field;
	for (size_t i = 0; r >= 0 && names[i] != NULL; i++) {
		const struct node item = node_item(node, i, NULL);

		r = choice_index(flag_names, names[i]);
		if (r < 0)
			return refuse_choice(&item, names[i], flag_names, err);
		scheduler->flags |= UINT64_C(1) << r;
	}
	return r;
}

static int decode_class(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	struct spec_io_priority *priority = base;
	int index = decode_choice(node, class_names, err);

	(void)d;
	(void)field;
	if (index < 0)
		return index;
	priority->class_name = class_names[index];
	priority->class_number = index + 1;
	return 0;
}

static bool is_realtime(uint32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int check_priority(const struct node *node, const struct spec_scheduler *scheduler,
			  struct error *err)
{
	const struct node at = node_member(node, "priority");

	if (is_realtime(scheduler->policy) && scheduler->priority == 0)
		return refuse_at(&at, err, "%s needs one from 1 to %d", scheduler->policy_name,
				 REALTIME_MAX);
	if (!is_realtime(scheduler->policy) && scheduler->priority != 0)
		return refuse_at(&at, err, "goes with SCHED_FIFO or SCHED_RR, not with %s",
				 scheduler->policy_name);
	return 0;
}

/* What the kernel would not look at with another policy, or, since Linux 6.12, in another sense. */
static int check_no_deadline(const struct node *node, const struct spec_scheduler *scheduler,
			     struct error *err)
{
	const struct {
		bool given;
		const char *member, *what;
	} fields[] = {
		{scheduler->runtime_ns != 0, "runtime", "goes"},
		{scheduler->deadline_ns != 0, "deadline", "goes"},
		{scheduler->period_ns != 0, "period", "goes"},
		{scheduler->flags & SCHED_FLAG_RECLAIM, "flags", "SCHED_FLAG_RECLAIM goes"},
		{scheduler->flags & SCHED_FLAG_DL_OVERRUN, "flags", "SCHED_FLAG_DL_OVERRUN goes"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct node at = node_member(node, fields[i].member);

		if (fields[i].given)
			return refuse_at(&at, err, "%s with SCHED_DEADLINE, not with %s",
					 fields[i].what, scheduler->policy_name);
	}
	return 0;
}

static int check_deadline(const struct node *node, const struct spec_scheduler *scheduler,
			  struct error *err)
{
	const struct node runtime = node_member(node, "runtime");
	const struct node deadline = node_member(node, "deadline");
	uint64_t period = scheduler->period_ns != 0 ? scheduler->period_ns : scheduler->deadline_ns;

	if (scheduler->runtime_ns < RUNTIME_MIN)
		return refuse_at(&runtime, err, "SCHED_DEADLINE needs %d ns at least", RUNTIME_MIN);
	if (scheduler->deadline_ns < scheduler->runtime_ns)
		return refuse_at(&deadline, err, "%" PRIu64 " is less than the runtime, %" PRIu64,
				 scheduler->deadline_ns, scheduler->runtime_ns);
	if (scheduler->deadline_ns > period)
		return refuse_at(&deadline, err, "%" PRIu64 " is more than the period, %" PRIu64,
				 scheduler->deadline_ns, period);
	return 0;
}

/*
 * What the kernel would refuse, or not look at. A nice value may stand beside any policy: those
 * that have no use for it leave it alone, and engines write it always. What is kept of the
 * caller's is not known here.
 */
static int check_scheduler(const struct decoder *d, const struct node *node, void *base,
			   struct error *err)
{
	const struct spec_scheduler *scheduler = base;
	int r;

	(void)d;
	if (scheduler->flags & SCHED_FLAG_KEEP_ALL)
		return 0;
	r = check_priority(node, scheduler, err);
	if (r < 0)
		return r;
	return scheduler->policy == SCHED_DEADLINE ? check_deadline(node, scheduler, err)
						   : check_no_deadline(node, scheduler, err);
}

#define TIME_FIELD(text, member)                                                                   \
	{                                                                                          \
		.name = (text), .kind = FIELD_NUMBER, AT_NUMBER(struct spec_scheduler, member),    \
		RANGE(0, TIME_MAX)                                                                 \
	}

static const struct field scheduler_fields[] = {
	{.name = "policy", .kind = FIELD_CUSTOM, .required = true, .custom = decode_policy},
	{.name = "nice",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_scheduler, nice),
	 RANGE(NICE_MIN, NICE_MAX)},
	{.name = "priority",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_scheduler, priority),
	 RANGE(0, REALTIME_MAX)},
	{.name = "flags", .kind = FIELD_CUSTOM, .custom = decode_flags},
	TIME_FIELD("runtime", runtime_ns),
	TIME_FIELD("deadline", deadline_ns),
	TIME_FIELD("period", period_ns),
};

const struct table scheduler_table = {
	FIELDS(scheduler_fields), .size = sizeof(struct spec_scheduler), .check = check_scheduler};

/* config.md requires the level, its schema does not, and engines leave 0 out. */
static const struct field io_priority_fields[] = {
	{.name = "class", .kind = FIELD_CUSTOM, .required = true, .custom = decode_class},
	{.name = "priority",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_io_priority, level),
	 RANGE(0, IOPRIO_NR_LEVELS - 1)},
};

const struct table io_priority_table = {FIELDS(io_priority_fields),
					.size = sizeof(struct spec_io_priority)};
