/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and answers.
 *
 *   {"start": {"unit": "berth-web.scope", "properties": [["MemoryMax", "t", 67108864], …]}}
 *                                                              → {"cgroup": "/system.slice/…"}
 *   {"set": {"unit": …, "properties": […]}}                    → {}
 *   {"attach": {"unit": …, "pid": 123}}                        → {}
 *   {"stop": {"unit": …}}                                      → {}
 *
 * What fails is answered by {"error": "one line"}. After `start` this process is in the scope, and
 * keeps it alive until berth has put another one there and closes its end.
 */
#include "conversation.h"

#include <errno.h>
#include <sys/socket.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/json_write.h"

#include "unit.h"

struct verb {
	const char *name;
	const char *words; /* for the error: "ask systemd to WORDS "UNIT"" */
	session_step *step;
	bool has_properties, has_pid;
};

static const struct verb verbs[] = {
	{"start", "start", unit_start, true, false},
	{"set", "change", unit_set, true, false},
	{"attach", "put a process into", unit_attach, false, true},
	{"stop", "stop", unit_stop, false, false},
};

static const struct verb *find_verb(const struct json *document)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (document->count == 1 && json_member(document, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

static int take_properties(const struct json *body, struct unit_request *ret, struct error *err)
{
	ret->properties = json_member(body, "properties");
	if (!ret->properties || ret->properties->type != JSON_ARRAY)
		return refuse(err, "\"properties\" is missing, or no array");
	for (const struct json *row = ret->properties->item; row; row = row->next) {
		if (row->item && row->item->type == JSON_STRING &&
		    str_equal(row->item->text, "PIDs"))
			return refuse(err, "property \"PIDs\": which process is in the unit is "
					   "not a matter of properties");
	}
	return 0;
}

static int take_pid(const struct json *body, struct unit_request *ret, struct error *err)
{
	const struct json *pid = json_member(body, "pid");
	uint64_t number;

	if (!pid || json_to_u64(pid, &number) < 0 || number == 0 || number > INT32_MAX)
		return refuse(err, "\"pid\" is missing, or no number of a process");
	ret->pid = (uint32_t)number;
	return 0;
}

static int take_request(const struct verb *verb, const struct json *body, const char **ret_unit,
			struct unit_request *ret, struct error *err)
{
	const struct json *unit = json_member(body, "unit");
	const size_t members = 1u + verb->has_properties + verb->has_pid;
	int r = 0;

	if (!unit || unit->type != JSON_STRING || !unit->text[0])
		return refuse(err, "\"unit\" is missing, or no string");
	*ret_unit = unit->text;
	if (verb->has_properties)
		r = take_properties(body, ret, err);
	if (r >= 0 && verb->has_pid)
		r = take_pid(body, ret, err);
	if (r >= 0 && body->count != members)
		return refuse(err, "there are members that are not known");
	return r;
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
	struct unit_request request = {.properties = NULL};
	const struct json *body;
	const char *unit = NULL;
	int r;

	if (!verb)
		return refuse(err, "request: neither start, set, attach nor stop");
	body = json_member(document, verb->name);
	if (body->type != JSON_OBJECT)
		return refuse(err, "request \"%s\": no object", verb->name);
	r = take_request(verb, body, &unit, &request, err);
	if (r < 0)
		return within(err, r, "request \"%s\"", verb->name);
	if (!is_scope(unit))
		r = refuse(err, "it is no scope");
	else
		r = session_run(manager, unit, verb->step, &request, err);
	*ret_cgroup = request.cgroup;
	return r < 0 ? within(err, r, "ask systemd to %s \"%s\"", verb->words, unit) : 0;
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
			return fail(err, -errno, "send an answer");
	}
}
