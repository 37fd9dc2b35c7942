/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: read strictly, computed by OpenSSL, which knows the processor's instructions for it. */
#include "digest.h"

#include <openssl/evp.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

static const struct {
	const char *name;
	size_t hex_length;
	const EVP_MD *(*method)(void);
} algorithms[DIGEST_MAX] = {
	[DIGEST_SHA256] = {"sha256", 64, EVP_sha256},
	[DIGEST_SHA512] = {"sha512", 128, EVP_sha512},
};

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

static bool is_hex(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

int digest_parse(const char *text, const char *what, struct digest *ret, struct error *err)
{
	size_t length = strcspn(text, ":");

	for (int i = 0; i < DIGEST_MAX; i++) {
		if (strlen(algorithms[i].name) != length ||
		    strncmp(text, algorithms[i].name, length) != 0)
			continue;
		if (text[length] != ':' || !is_hex(text + length + 1, algorithms[i].hex_length))
			return refuse(err, "%s: \"%.200s\" is not %s: and %zu hexadecimal digits",
				      what, text, algorithms[i].name, algorithms[i].hex_length);
		ret->algorithm = (enum digest_algorithm)i;
		memcpy(ret->hex, text + length + 1, algorithms[i].hex_length + 1);
		return 0;
	}
	return refuse(err, "%s: \"%.200s\" is neither a sha256 nor a sha512 digest", what, text);
}

const char *digest_text(const struct digest *digest, char ret[DIGEST_TEXT_MAX])
{
	size_t length = strlen(algorithms[digest->algorithm].name);

	memcpy(ret, algorithms[digest->algorithm].name, length);
	ret[length] = ':';
	memcpy(ret + length + 1, digest->hex, strlen(digest->hex) + 1);
	return ret;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->algorithm == b->algorithm && str_equal(a->hex, b->hex);
}

struct hasher {
	enum digest_algorithm algorithm;
	EVP_MD_CTX *context;
};

struct hasher *hasher_new(enum digest_algorithm algorithm)
{
	struct hasher *hasher = xcalloc(1, sizeof(*hasher));

	hasher->algorithm = algorithm;
	hasher->context = EVP_MD_CTX_new();
	if (!hasher->context ||
	    EVP_DigestInit_ex(hasher->context, algorithms[algorithm].method(), NULL) != 1)
		out_of_memory();
	return hasher;
}

void hasher_add(struct hasher *hasher, const void *data, size_t size)
{
	if (EVP_DigestUpdate(hasher->context, data, size) != 1)
		out_of_memory();
}

void hasher_finish(struct hasher *hasher, struct digest *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_DigestFinal_ex(hasher->context, bytes, &size) != 1)
		out_of_memory();
	ret->algorithm = hasher->algorithm;
	for (size_t i = 0; i < size; i++) {
		ret->hex[2 * i] = digits[bytes[i] >> 4];
		ret->hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret->hex[2 * (size_t)size] = '\0';
}

struct hasher *hasher_free(struct hasher *hasher)
{
	if (hasher)
		EVP_MD_CTX_free(hasher->context);
	free(hasher);
	return NULL;
}

void digest_of(enum digest_algorithm algorithm, const void *data, size_t size, struct digest *ret)
{
	_cleanup_hasher_ struct hasher *hasher = hasher_new(algorithm);

	hasher_add(hasher, data, size);
	hasher_finish(hasher, ret);
}
