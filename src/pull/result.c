/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

#include "berth/base/json_write.h"

static void write_json(struct buf *out, const struct store_image *image, bool present,
		       const char *bundle, const char *quota)
{
	struct json_writer w = JSON_WRITER(out, false);
	char digest[DIGEST_TEXT_MAX];

	json_begin_object(&w);
	json_member_string(&w, "event", "done");
	json_member_string(&w, "name", image->name);
	json_member_string(&w, "digest", digest_text(&image->manifest, digest));
	json_member_string(&w, "platform", image->platform);
	json_member_bool(&w, "present", present);
	if (bundle)
		json_member_string(&w, "bundle", bundle);
	if (quota)
		json_member_string(&w, "quota", quota);
	json_end_object(&w);
}

int print_result(const struct context *context, const struct store_image *image, bool present,
		 const char *bundle, const char *quota, struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	char digest[DIGEST_TEXT_MAX];

	if (context->json)
		write_json(&out, image, present, bundle, quota);
	else
		buf_add_string(&out, digest_text(&image->manifest, digest));
	buf_add_char(&out, '\n');
	return print_out(out.data, err);
}
