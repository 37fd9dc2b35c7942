/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and answers.
 *
 *   {"start": {"unit": "berth-web.scope", "properties": [["MemoryMax", "t", 67108864], …]}}
 *                                                              → {"cgroup": "/system.slice/…"}
 *   {"set": {"unit": …, "properties": […]}}                    → {}
 *   {"attach": {"unit": …, "pid": 123, "subcgroup": "/a/b"}}   → {}    subcgroup may be left out
 *   {"stop": {"unit": …}}                                      → {}
 *
 * What fails is answered by {"error": "one line"}. After `start` this process is in the scope, and
 * keeps it alive until berth has put another one there and closes its end. A request is done even
 * if berth has ended meanwhile.
 */
#include "conversation.h"

#include <errno.h>
#include <sys/socket.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/json_write.h"

#include "unit.h"

enum {
	HAS_UNIT = 1 << 0,
	HAS_PROPERTIES = 1 << 1,
	HAS_PID = 1 << 2,
	HAS_SUBCGROUP = 1 << 3
};

struct verb {
	const char *name;
	const char *words; /* for the error: "ask systemd to WORDS "UNIT"" */
	session_step *step;
	unsigned members;
};

static const struct verb verbs[] = {
	{"start", "start", unit_start, HAS_UNIT | HAS_PROPERTIES},
	{"set", "change", unit_set, HAS_UNIT | HAS_PROPERTIES},
	{"attach", "put a process into", unit_attach, HAS_UNIT | HAS_PID | HAS_SUBCGROUP},
	{"stop", "stop", unit_stop, HAS_UNIT},
};

static const struct verb *find_verb(const struct json *document)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (document->count == 1 && json_member(document, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

static int take_properties(const struct json *value, struct unit_request *ret, struct error *err)
{
	if (!value || value->type != JSON_ARRAY)
		return refuse(err, "missing, or no array");
	for (const struct json *row = value->item; row; row = row->next) {
		if (row->item && row->item->type == JSON_STRING &&
		    str_equal(row->item->text, "PIDs"))
			return refuse(err, "\"PIDs\" is none: what is in the unit is not a matter "
					   "of properties");
	}
	ret->properties = value;
	return 0;
}

static int take_pid(const struct json *value, struct unit_request *ret, struct error *err)
{
	uint64_t number;

	if (!value || json_to_u64(value, &number) < 0 || number == 0 || number > INT32_MAX)
		return refuse(err, "missing, or no number of a process");
	ret->pid = (uint32_t)number;
	return 0;
}

static int take_subcgroup(const struct json *value, struct unit_request *ret, struct error *err)
{
	ret->subcgroup = "";
	if (!value)
		return 0;
	if (value->type != JSON_STRING || (value->text[0] && value->text[0] != '/'))
		return refuse(err, "no absolute path");
	ret->subcgroup = value->text;
	return 0;
}

static int take_unit(const struct json *value, struct unit_request *ret, struct error *err)
{
	if (!value || value->type != JSON_STRING || !value->text[0])
		return refuse(err, "missing, or no string");
	ret->unit = value->text;
	return 0;
}

/* What may stand in a request; a value that is not there is NULL. */
static const struct {
	const char *name;
	unsigned bit; /* in the verbs that have it */
	int (*take)(const struct json *value, struct unit_request *ret, struct error *err);
} members[] = {
	{"unit", HAS_UNIT, take_unit},
	{"properties", HAS_PROPERTIES, take_properties},
	{"pid", HAS_PID, take_pid},
	{"subcgroup", HAS_SUBCGROUP, take_subcgroup},
};

static int take_request(const struct verb *verb, const struct json *body, struct unit_request *ret,
			struct error *err)
{
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct json *value = json_member(body, members[i].name);
		int r;

		if (!(verb->members & members[i].bit))
			continue;
		known += value != NULL;
		r = members[i].take(value, ret, err);
		if (r < 0)
			return within(err, r, "\"%s\"", members[i].name);
	}
	return known == body->count ? 0 : refuse(err, "there are members that are not known");
}

static bool is_scope(const char *unit)
{
	static const char suffix[] = ".scope";
	const size_t length = strlen(unit);

	return length >= sizeof(suffix) && str_equal(unit + length - (sizeof(suffix) - 1), suffix);
}

static int perform(const struct manager *manager, const struct json *document, char **ret_cgroup,
		   struct error *err)
{
	const struct verb *verb = document->type == JSON_OBJECT ? find_verb(document) : NULL;
	struct unit_request request = {.unit = NULL};
	const struct json *body;
	int r;

	if (!verb)
		return refuse(err, "request: neither start, set, attach nor stop");
	body = json_member(document, verb->name);
	if (body->type != JSON_OBJECT)
		return refuse(err, "request \"%s\": no object", verb->name);
	r = take_request(verb, body, &request, err);
	if (r < 0)
		return within(err, r, "request \"%s\"", verb->name);
	if (!is_scope(request.unit))
		r = refuse(err, "it is no scope");
	else
		r = session_run(manager, request.unit, verb->step, &request, err);
	*ret_cgroup = request.cgroup;
	return r < 0 ? within(err, r, "ask systemd to %s \"%s\"", verb->words, request.unit) : 0;
}

void conversation_answer(const struct manager *manager, const char *text, size_t size,
			 struct buf *answer)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct json_writer w = JSON_WRITER(answer, false);
	_cleanup_free_ char *cgroup = NULL;
	const struct json *document = NULL;
	struct error err = ERROR_NONE;
	int r = json_read(arena, text, size, "request", &document, &err);

	if (r >= 0)
		r = perform(manager, document, &cgroup, &err);
	json_begin_object(&w);
	if (r < 0)
		json_member_string(&w, "error", err.text);
	else if (cgroup)
		json_member_string(&w, "cgroup", cgroup);
	json_end_object(&w);
}

int conversation_hold(int fd, const struct manager *manager, struct error *err)
{
	_cleanup_free_ char *text = xcalloc(1, MESSAGE_MAX);

	for (;;) {
		_cleanup_buf_ struct buf answer = BUF_EMPTY;
		ssize_t size = recv(fd, text, MESSAGE_MAX, MSG_TRUNC);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return fail(err, -errno, "receive a request");
		if (size == 0)
			return 0;
		if ((size_t)size > MESSAGE_MAX)
			buf_printf(&answer, "{\"error\": \"request: %zd bytes are too many\"}",
				   size);
		else
			conversation_answer(manager, text, (size_t)size, &answer);
		if (send(fd, answer.data, answer.size, MSG_NOSIGNAL) < 0)
			return errno == EPIPE ? 0 : fail(err, -errno, "send an answer");
	}
}
