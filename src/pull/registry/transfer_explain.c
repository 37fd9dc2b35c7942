/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request ended without an answer: libcurl's codes as sentences, and what may help. */
#include <errno.h>

#include "transfer.h"

#define TRUST_HINT "; --tls-ca FILE trusts who signed it, --insecure trusts anybody"

/* Without a text: libcurl's own words. */
static const struct {
	CURLcode code;
	enum http_failure failure;
	int error;
	const char *text, *hint;
} ends[] = {
	{CURLE_COULDNT_RESOLVE_HOST, HTTP_FAILURE_UNREACHABLE, -EHOSTUNREACH,
	 "the host's name cannot be resolved", ""},
	{CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAILURE_UNREACHABLE, -EHOSTUNREACH,
	 "the proxy's name cannot be resolved", ""},
	{CURLE_PEER_FAILED_VERIFICATION, HTTP_FAILURE_FINAL, -EKEYREJECTED, NULL, TRUST_HINT},
	{CURLE_SSL_CACERT_BADFILE, HTTP_FAILURE_FINAL, -EKEYREJECTED, NULL, ""},
	{CURLE_SSL_CERTPROBLEM, HTTP_FAILURE_FINAL, -EKEYREJECTED, NULL, ""},
	{CURLE_OPERATION_TIMEDOUT, HTTP_FAILURE_UNREACHABLE, -ETIMEDOUT, "no connection in time",
	 ""},
	{CURLE_PARTIAL_FILE, HTTP_FAILURE_BROKEN, -ECONNRESET,
	 "the connection ended before the answer was whole", ""},
	{CURLE_GOT_NOTHING, HTTP_FAILURE_BROKEN, -ECONNRESET,
	 "the connection ended without an answer", ""},
	{CURLE_RECV_ERROR, HTTP_FAILURE_BROKEN, -ECONNRESET, NULL, ""},
	{CURLE_SEND_ERROR, HTTP_FAILURE_BROKEN, -ECONNRESET, NULL, ""},
	{CURLE_HTTP2, HTTP_FAILURE_BROKEN, -ECONNRESET, NULL, ""},
	{CURLE_HTTP2_STREAM, HTTP_FAILURE_BROKEN, -ECONNRESET, NULL, ""},
	{CURLE_PROXY, HTTP_FAILURE_FINAL, -EPROTO, NULL, ""},
	{CURLE_WEIRD_SERVER_REPLY, HTTP_FAILURE_FINAL, -EPROTO, NULL, ""},
	{CURLE_UNSUPPORTED_PROTOCOL, HTTP_FAILURE_FINAL, -EPROTO,
	 "what answers there does not speak HTTP", ""},
};

static bool says(const char *detail, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strstr(detail, words[i]))
			return true;
	return false;
}

/* A handshake that failed. libcurl tells kinds apart by OpenSSL's words only. */
static int explain_handshake(const struct transfer_end *end, enum http_failure *ret,
			     struct error *err)
{
	static const char *const no_tls[] = {"wrong version number", "packet length too long",
					     "unknown protocol", "record layer failure", NULL};
	static const char *const broken[] = {"SSL_ERROR_SYSCALL", "unexpected eof", "reset", NULL};

	if (says(end->detail, no_tls)) {
		*ret = HTTP_FAILURE_NO_TLS;
		return refuse_as(err, -EPROTO, "%s: what answers there speaks no TLS", end->what);
	}
	*ret = says(end->detail, broken) ? HTTP_FAILURE_BROKEN : HTTP_FAILURE_FINAL;
	return refuse_as(err, -EPROTO, "%s: TLS: %.400s", end->what, end->detail);
}

static int explain_tunnel(const struct transfer_end *end, enum http_failure *ret, struct error *err)
{
	bool passes = end->proxy_status / 100 == 5;

	*ret = passes ? HTTP_FAILURE_BROKEN : HTTP_FAILURE_FINAL;
	return refuse_as(err, passes ? -ECONNRESET : -EACCES,
			 "%s: the proxy refuses the connection with status %ld%s", end->what,
			 end->proxy_status,
			 end->proxy_status == 407 ? ": it wants a login (http://USER:PASSWORD@HOST)"
						  : "");
}

int transfer_explain(const struct transfer_end *end, enum http_failure *ret, struct error *err)
{
	if (end->proxy_status >= 300)
		return explain_tunnel(end, ret, err);
	if (end->code == CURLE_SSL_CONNECT_ERROR)
		return explain_handshake(end, ret, err);
	if (end->code == CURLE_COULDNT_CONNECT) {
		*ret = HTTP_FAILURE_UNREACHABLE;
		return end->os_error ? fail(err, (int)-end->os_error, "%s: connect", end->what)
				     : refuse_as(err, -ECONNREFUSED, "%s: %.400s", end->what,
						 end->detail);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends[i].code != end->code)
			continue;
		*ret = ends[i].failure;
		return refuse_as(err, ends[i].error, "%s: %.400s%s", end->what,
				 ends[i].text ? ends[i].text : end->detail, ends[i].hint);
	}
	*ret = HTTP_FAILURE_FINAL;
	return refuse_as(err, -EIO, "%s: %.400s", end->what, end->detail);
}
