/* SPDX-License-Identifier: Apache-2.0 */
/* Which files of certs.d count for which host. The files' content is looked at by libcurl only. */
#include "registry/certs.h"

#include "../base/unit.h"

#define PEM(name) "-----BEGIN CERTIFICATE-----\n" name "\n"

struct place {
	char *dirs[3];
	struct http_options options;
};

static void place_make(struct place *place, const struct world *world)
{
	put_directory(world, "a");
	put_directory(world, "b");
	*place = (struct place){
		.dirs = {xasprintf("%s/a", world->path), xasprintf("%s/b", world->path)}};
	place->options.certs_dirs = (const char *const *)place->dirs;
}

static void place_done(struct place *place)
{
	free(place->dirs[0]);
	free(place->dirs[1]);
}

static int read_certs(const struct place *place, const char *host, unsigned port,
		      struct certs **ret, struct error *err)
{
	char *name = xstrdup(host);
	struct http_url url = {.scheme = (char[]){"https"}, .host = name, .port = port};
	int r = certs_read(&place->options, &url, ret, err);

	free(name);
	return r;
}

static const char *trust(const struct certs *certs)
{
	return certs->trust.data ? certs->trust.data : "";
}

static void test_hosts(void **state)
{
	const struct world *world = *state;
	struct place place;
	struct error err = ERROR_NONE;
	struct certs *certs = NULL;

	place_make(&place, world);
	put_directory(world, "a/example.com");
	put_directory(world, "a/example.com:5000");
	put_directory(world, "b/example.com:5000");
	put_file(world, "a/example.com/x.crt", PEM("one"));
	put_file(world, "a/example.com:5000/x.crt", PEM("two"));
	put_file(world, "a/example.com:5000/y.pem", PEM("not by its name"));
	put_file(world, "b/example.com:5000/x.crt", PEM("three"));
	put_file(world, "a/x.crt", PEM("of no host"));
	assert_fine(read_certs(&place, "example.com", 5000, &certs, &err), err);
	assert_string_equal(trust(certs), PEM("two") "\n" PEM("three") "\n");
	certs = certs_free(certs);
	assert_fine(read_certs(&place, "example.com", 443, &certs, &err), err);
	assert_string_equal(trust(certs), PEM("one") "\n");
	assert_null(certs->cert);
	certs = certs_free(certs);
	assert_fine(read_certs(&place, "other.example.com", 443, &certs, &err), err);
	assert_string_equal(trust(certs), "");
	certs = certs_free(certs);
	/* A "host" that leads up. */
	assert_fine(read_certs(&place, "..", 443, &certs, &err), err);
	assert_string_equal(trust(certs), "");
	certs = certs_free(certs);
	place_done(&place);
}

static void test_client(void **state)
{
	const struct world *world = *state;
	struct place place;
	struct error err = ERROR_NONE;
	struct certs *certs = NULL;

	place_make(&place, world);
	put_directory(world, "a/h:1");
	put_directory(world, "b/h:1");
	put_file(world, "a/h:1/me.cert", "");
	put_file(world, "a/h:1/you.cert", "");
	put_file(world, "b/h:1/a.cert", "");
	assert_failed(read_certs(&place, "h", 1, &certs, &err), err, -ENOENT);
	assert_contains(err.text, "a/h:1/me.key");
	put_file(world, "a/h:1/me.key", "");
	assert_fine(read_certs(&place, "h", 1, &certs, &err), err);
	assert_contains(certs->cert, "a/h:1/me.cert");
	assert_contains(certs->key, "a/h:1/me.key");
	certs = certs_free(certs);
	place_done(&place);
}

static void test_files(void **state)
{
	const struct world *world = *state;
	struct place place;
	struct error err = ERROR_NONE;
	struct certs *certs = NULL;
	char *ca = xasprintf("%s/ca.pem", world->path), *env = xasprintf("%s/env.pem", world->path);

	place_make(&place, world);
	put_file(world, "real.pem", PEM("ca"));
	put_link(world, "ca.pem", "real.pem");
	put_file(world, "env.pem", PEM("env"));
	place.options.tls_ca = ca;
	place.options.ssl_cert_file = env;
	assert_fine(read_certs(&place, "h", 1, &certs, &err), err);
	assert_string_equal(trust(certs), PEM("env") "\n" PEM("ca") "\n");
	certs = certs_free(certs);
	put_file(world, "real.pem", "no certificate");
	assert_failed(read_certs(&place, "h", 1, &certs, &err), err, -EINVAL);
	assert_contains(err.text, "ca.pem");
	unlinkat(world->fd, "real.pem", 0);
	assert_failed(read_certs(&place, "h", 1, &certs, &err), err, -ENOENT);
	put_directory(world, "real.pem");
	assert_true(read_certs(&place, "h", 1, &certs, &err) < 0);
	unlinkat(world->fd, "real.pem", AT_REMOVEDIR);
	assert_int_equal(mkfifoat(world->fd, "real.pem", 0600), 0);
	assert_true(read_certs(&place, "h", 1, &certs, &err) < 0);
	place_done(&place);
	free(ca);
	free(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_hosts),
		world_test(test_client),
		world_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
