/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of CNI: what they are understood as, and what is refused by name. */
#include "cni_config.h"
#include "cni_result.h"
#include "fixture.h"

/* ' stands for ". */
static const struct json *document(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	struct error err = ERROR_NONE;
	const struct json *json;

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	assert_fine(json_read(arena, copy, strlen(copy), "INPUT", &json, &err), err);
	return json;
}

static int read_config(struct arena *arena, const char *text, struct cni_config *ret,
		       struct error *err)
{
	const struct json *json = document(arena, text);
	int r = cni_config_begin(json, ret, err);

	return r < 0 ? r : cni_config_finish(arena, json, ret, err);
}

#define HEAD "{'cniVersion':'1.0.0','name':'n','type':'berth-net',"
#define IPAM "'ipam':{'type':'host-local','subnet':'10.1.0.0/16'}"

/* podman's own network, containerd's example, and what CRI-O installs. */
static void test_configurations_of_engines(void **state)
{
	static const char *const texts[] = {
		"{'cniVersion':'0.4.0','name':'podman','type':'bridge','bridge':'cni-podman0',"
		"'isGateway':true,'ipMasq':true,'hairpinMode':true,'ipam':{'type':'host-local',"
		"'routes':[{'dst':'0.0.0.0/0'}],"
		"'ranges':[[{'subnet':'10.88.0.0/16','gateway':'10.88.0.1'}]]}}",
		"{'cniVersion':'1.0.0','name':'containerd-net','type':'bridge','bridge':'cni0',"
		"'isGateway':true,'ipMasq':true,'promiscMode':true,'ipam':{'type':'host-local',"
		"'ranges':[[{'subnet':'10.88.0.0/16'}],[{'subnet':'2001:db8:4860::/64'}]],"
		"'routes':[{'dst':'0.0.0.0/0'},{'dst':'::/0'}]}}",
		"{'cniVersion':'1.0.0','name':'crio','type':'bridge','bridge':'cni0',"
		"'isGateway':true,'ipMasq':true,'hairpinMode':true,'ipam':{'type':'host-local',"
		"'routes':[{'dst':'0.0.0.0/0'},{'dst':'::/0'}],"
		"'ranges':[[{'subnet':'10.85.0.0/16'}],[{'subnet':'1100:200::/24'}]]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct cni_config config;

		assert_fine(read_config(arena, texts[i], &config, &err), err);
		assert_int_equal(config.network.driver, NETWORK_BRIDGE);
		assert_false(config.network.no_masquerade || config.network.internal);
		assert_int_equal(config.network.subnets[0].gateway.family, AF_INET);
	}
}

static void test_members_of_the_bridge(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cni_config config;

	(void)state;
	assert_fine(read_config(arena,
				HEAD "'isDefaultGateway':true,'mtu':1400,'vlan':0,'vlanTrunk':[],"
				     "'forceAddress':false,'ingressPolicy':'open',"
				     "'ipam':{'type':'berth-net','subnet':'10.1.0.0/16',"
				     "'rangeStart':'10.1.2.0','rangeEnd':'10.1.3.0',"
				     "'gateway':'10.1.0.9'},'dns':{'nameservers':['10.1.0.9'],"
				     "'domain':'d','search':['s'],'options':['o']}}",
				&config, &err),
		    err);
	assert_string_equal(config.network.name, "n");
	assert_string_equal(config.network.link, "cni0");
	assert_int_equal(config.network.mtu, 1400);
	assert_true(config.network.no_masquerade && config.network.no_isolation);
	assert_address(&config.network.subnets[0].first, "10.1.2.0");
	assert_address(&config.network.subnets[0].last, "10.1.3.0");
	assert_address(&config.network.subnets[0].gateway, "10.1.0.9");
	assert_string_equal(config.dns.nameservers[0], "10.1.0.9");
	assert_string_equal(config.dns.domain, "d");
	assert_string_equal(config.dns.search[0], "s");
	assert_string_equal(config.dns.options[0], "o");
	assert_null(config.aliases[0]);
}

static void test_a_network_by_name(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cni_config config;

	(void)state;
	assert_fine(read_config(arena, HEAD "'network':'lan','root':'/r'}", &config, &err), err);
	assert_string_equal(config.defined, "lan");
	assert_string_equal(config.root, "/r");
}

static void test_what_the_engine_asks_for(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cni_config config;

	(void)state;
	assert_fine(read_config(arena,
				HEAD
				"'isDefaultGateway':true," IPAM ",'runtimeConfig':{"
				"'portMappings':[{'hostPort':8080,'containerPort':80,"
				"'protocol':'tcp'},{'hostPort':53,'containerPort':5353,"
				"'protocol':'UDP','hostIP':'127.0.0.1'}],"
				"'bandwidth':{'ingressRate':1000,'ingressBurst':8000,"
				"'egressRate':2000,'egressBurst':2147483647},"
				"'ips':['10.1.0.5/16'],'mac':'02:00:00:00:00:01',"
				"'aliases':{'n':['web','www'],'other':['not']},"
				"'ipRanges':[[{'subnet':'fd00::/64'}]],"
				"'dns':{'servers':['9.9.9.9'],'searches':['s'],'options':[]}},"
				"'args':{'cni':{'ips':['10.1.0.5','fd00::5'],"
				"'mac':'02:00:00:00:00:02','labels':[{'key':'a','value':'b'}]},"
				"'else':1}}",
				&config, &err),
		    err);
	assert_int_equal(config.publish.count, 2);
	assert_int_equal(config.publish.items[0].host.family, 0);
	assert_int_equal(config.publish.items[0].host_port, 8080);
	assert_int_equal(config.publish.items[0].container_port, 80);
	assert_int_equal(config.publish.items[1].protocol, IPPROTO_UDP);
	assert_address(&config.publish.items[1].host, "127.0.0.1");
	assert_int_equal(config.to_container.bits_per_second, 1000);
	assert_int_equal(config.to_container.burst_bytes, 1000);
	assert_int_equal(config.from_container.burst_bytes, 268435455);
	assert_int_equal(config.network.subnet_count, 2);
	assert_int_equal(config.ip_count, 2);
	assert_address(&config.ip[1], "fd00::5");
	assert_true(config.has_mac);
	assert_int_equal(config.mac[5], 1);
	assert_string_equal(config.aliases[1], "www");
	assert_null(config.aliases[2]);
	assert_string_equal(config.dns.nameservers[0], "9.9.9.9");
}

/* The text, the error's code, and what it says. */
struct refusal {
	const char *text;
	int code;
	const char *says;
};

static const struct refusal refusals[] = {
	{"[]", -EINVAL, "an array instead of an object"},
	{"{'name':'n'}", -EPROTONOSUPPORT, "means version 0.1.0"},
	{"{'cniVersion':'2.0.0','name':'n'}", -EPROTONOSUPPORT, "\"2.0.0\""},
	{"{'cniVersion':1,'name':'n'}", -EPROTONOSUPPORT, "cniVersion"},
	{"{'cniVersion':'1.0.0'}", -EINVAL, "\"name\""},
	{"{'cniVersion':'1.0.0','name':'../n'}", -EINVAL, "\"name\""},
	{HEAD "'root':'here'}", -EINVAL, "\"root\": \"here\""},
	{HEAD "'isDefaultGateway':true}", -EINVAL, "\"ipam\""},
	{HEAD IPAM "}", -EOPNOTSUPP, "\"isGateway\": false is not supported"},
	{HEAD "'isGateway':true," IPAM "}", -EOPNOTSUPP, "{\"dst\": \"0.0.0.0/0\"}"},
	{HEAD "'isDefaultGateway':true,'vlan':5," IPAM "}", -EOPNOTSUPP,
	 "\"vlan\": 5 is not supported"},
	{HEAD "'isDefaultGateway':true,'vlanTrunk':[{'id':7}]," IPAM "}", -EOPNOTSUPP,
	 "\"vlanTrunk\": [{\"id\":7}] is not supported"},
	{HEAD "'isDefaultGateway':true,'macspoofchk':true," IPAM "}", -EOPNOTSUPP,
	 "\"macspoofchk\": true is not supported"},
	{HEAD "'isDefaultGateway':true,'ipMasqBackend':'iptables'," IPAM "}", -EOPNOTSUPP,
	 "\"iptables\""},
	{HEAD "'isDefaultGateway':true,'ingressPolicy':'x'," IPAM "}", -EOPNOTSUPP,
	 "\"ingressPolicy\": \"x\""},
	{HEAD "'new':{'a':[1]}," IPAM "}", -EOPNOTSUPP, "\"new\": {\"a\":[1]}"},
	{HEAD "'isGateway':'yes'," IPAM "}", -EINVAL, "\"isGateway\": a string instead of"},
	{HEAD "'isDefaultGateway':true,'mtu':70000," IPAM "}", -EINVAL, "\"mtu\""},
	{HEAD "'isDefaultGateway':true,'mtu':-1," IPAM "}", -EINVAL, "\"mtu\": -1"},
	{HEAD "'bridge':'a/b','isDefaultGateway':true," IPAM "}", -EINVAL, "\"bridge\""},
	{HEAD "'network':'lan','isGateway':true}", -EINVAL, "\"network\" and \"isGateway\""},
	{HEAD "'network':'../x'}", -EINVAL, "\"network\""},
	{HEAD "'prevResult':{}," IPAM "}", -EOPNOTSUPP, "\"prevResult\""},
	{HEAD "'ipam':{'type':'dhcp'}}", -EOPNOTSUPP, "\"ipam\": \"type\": \"dhcp\""},
	{HEAD "'ipam':{'subnet':'10.1.0.0/16','dataDir':'/x'}}", -EOPNOTSUPP,
	 "\"dataDir\": \"/x\" is not supported"},
	{HEAD "'ipam':{'subnet':'10.1.0.0/16','resolvConf':'/x'}}", -EOPNOTSUPP, "\"resolvConf\""},
	{HEAD "'ipam':{'gateway':'10.1.0.1'}}", -EINVAL, "\"subnet\" is missing"},
	{HEAD "'ipam':{'subnet':'10.1.0.0'}}", -EINVAL, "\"10.1.0.0\""},
	{HEAD "'ipam':{'subnet':'10.1.0.1/16'}}", -EINVAL, "\"10.1.0.1/16\""},
	{HEAD "'ipam':{'ranges':[[]]}}", -EOPNOTSUPP, "\"ranges\"[0]: 0 ranges"},
	{HEAD "'ipam':{'ranges':[[{'subnet':'10.1.0.0/16'},{'subnet':'10.2.0.0/16'}]]}}",
	 -EOPNOTSUPP, "\"ranges\"[0]: 2 ranges"},
	{HEAD "'ipam':{'ranges':[{}]}}", -EINVAL, "\"ranges\"[0]: an object"},
	{HEAD "'ipam':{'ranges':[[{'subnet':'10.1.0.0/16','new':1}]]}}", -EOPNOTSUPP, "\"new\": 1"},
	{HEAD "'isDefaultGateway':true,'ipam':{'subnet':'10.1.0.0/16',"
	      "'gateway':'10.2.0.1'}}",
	 -EINVAL, "10.2.0.1"},
	{HEAD "'isDefaultGateway':true,'ipam':{'subnet':'10.1.0.0/16',"
	      "'routes':[{'dst':'10.0.0.0/8'}]}}",
	 -EOPNOTSUPP, "\"routes\"[0]: a route to 10.0.0.0/8"},
	{HEAD "'isDefaultGateway':true,'ipam':{'subnet':'10.1.0.0/16',"
	      "'routes':[{'dst':'0.0.0.0/0','gw':'10.1.0.7'}]}}",
	 -EOPNOTSUPP, "a route to 0.0.0.0/0 by 10.1.0.7"},
	{HEAD "'isDefaultGateway':true,'ipam':{'subnet':'10.1.0.0/16',"
	      "'routes':[{'dst':'::/0'}]}}",
	 -EOPNOTSUPP, "a route to ::/0"},
	{HEAD "'isGateway':true,'ipam':{'ranges':[[{'subnet':'10.1.0.0/16'}],"
	      "[{'subnet':'fd00::/64'}]],'routes':[{'dst':'0.0.0.0/0'}]}}",
	 -EOPNOTSUPP, "{\"dst\": \"::/0\"}"},
	{HEAD "'isDefaultGateway':true,'dns':{'nameservers':[1]}," IPAM "}", -EINVAL,
	 "\"dns\": \"nameservers\"[0]: a number instead of a string"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct cni_config config;
		int r = read_config(arena, refusals[i].text, &config, &err);

		if (r != refusals[i].code || !strstr(err.text, refusals[i].says))
			fail_msg("%s: %d %s", refusals[i].text, r, err.text);
	}
}

static void test_refusals_of_wishes(void **state)
{
	static const struct refusal cases[] = {
		{"'portMappings':[{'containerPort':80}]", -EINVAL,
		 "\"runtimeConfig\": \"portMappings\"[0]: \"hostPort\""},
		{"'portMappings':[{'hostPort':65536,'containerPort':80}]", -EINVAL, "\"hostPort\""},
		{"'portMappings':[{'hostPort':1,'containerPort':0}]", -EINVAL, "\"containerPort\""},
		{"'portMappings':[{'hostPort':1,'containerPort':1,'protocol':'sctp'}]", -EOPNOTSUPP,
		 "\"sctp\""},
		{"'portMappings':[{'hostPort':1,'containerPort':1,'hostIP':'x'}]", -EINVAL,
		 "\"hostIP\": \"x\""},
		{"'portMappings':[{'hostPort':1,'containerPort':1},{'hostPort':1,"
		 "'containerPort':2}]",
		 -EINVAL, "\"portMappings\"[1]"},
		{"'portMappings':[1]", -EINVAL, "\"portMappings\"[0]: a number"},
		{"'bandwidth':{'ingressBurst':8}", -EINVAL, "\"ingressBurst\" without"},
		{"'bandwidth':{'egressRate':1,'egressBurst':34359738368}", -EINVAL,
		 "\"egressBurst\""},
		{"'bandwidth':{'rate':1}", -EOPNOTSUPP, "\"rate\": 1"},
		{"'ips':['10.1.0']", -EINVAL, "\"ips\"[0]: \"10.1.0\""},
		{"'ips':[1]", -EINVAL, "\"ips\"[0]"},
		{"'mac':'01:00:00:00:00:01'", -EINVAL, "\"mac\""},
		{"'aliases':{'n':['a b']}", -EINVAL, "\"aliases\""},
		{"'aliases':{'n':'a'}", -EINVAL, "a string instead of an array"},
		{"'deviceID':'0000:00:1f.6'", -EOPNOTSUPP, "\"deviceID\": \"0000:00:1f.6\""},
		{"'ipRanges':[[{'subnet':'10.1.0.0/24'}]]", -EINVAL, "overlap"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct cni_config config;
		const char *text = arena_printf(
			arena, HEAD "'isDefaultGateway':true," IPAM ",'runtimeConfig':{%s}}",
			cases[i].text);
		int r = read_config(arena, text, &config, &err);

		if (r != cases[i].code || !strstr(err.text, cases[i].says))
			fail_msg("%s: %d %s", cases[i].text, r, err.text);
	}
}

static void test_cni_args(void **state)
{
	static const char *const wrong[] = {"A", "A=1", "IP=x", "MAC=y", "A=1;IgnoreUnknown=0"};
	struct error err = ERROR_NONE;
	struct cni_config config = {.name = "n"};

	(void)state;
	assert_fine(cni_config_args(NULL, &config, &err), err);
	assert_fine(cni_config_args("", &config, &err), err);
	assert_false(config.has_mac || config.ip_count > 0);
	assert_fine(cni_config_args("IgnoreUnknown=1;K8S_POD_NAME=a;IP=10.1.0.7;"
				    "MAC=02:00:00:00:00:07;",
				    &config, &err),
		    err);
	assert_int_equal(config.ip_count, 1);
	assert_address(&config.ip[0], "10.1.0.7");
	assert_int_equal(config.mac[5], 7);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_failed(cni_config_args(wrong[i], &config, &err), err, -EINVAL);
		assert_contains(err.text, "CNI_ARGS");
	}
}

/* What an engine kept is compared with the lease. */
static void test_previous_results(void **state)
{
	static const char *const names[] = {"web", NULL}, *const subnets[] = {"10.1.0.0/16", NULL};
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"{'interfaces':[{'name':'eth0','sandbox':'/x'}],'ips':[{'address':"
		 "'10.1.0.5/16','interface':0},{'address':'10.9.0.1/24'}]}",
		 NULL},
		{"{'interfaces':[{'name':'eth0'}],'ips':[{'address':'10.1.0.5/16'}]}",
		 "no link \"eth0\""},
		{"{'interfaces':[{'name':'eth0','sandbox':'/x'}],'ips':[{'address':"
		 "'10.1.0.6/16'}]}",
		 "10.1.0.5/16"},
		{"{'interfaces':[{'name':'eth0','sandbox':'/x'}],'ips':[{'address':"
		 "'10.1.0.5/24'}]}",
		 "10.1.0.5/16"},
		{"{'interfaces':[1,[],{'name':2}],'ips':{}}", "no link \"eth0\""},
		{"{'interfaces':[{'name':'eth0','sandbox':'/x'}]}", "10.1.0.5/16"},
	};
	struct network network = network_of("n", "br-n", subnets);
	struct lease lease = lease_of(&network, names, "10.1.0.5/16");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct cni_config config = {.prev_result = document(arena, cases[i].text)};
		struct error err = ERROR_NONE;
		int r = cni_result_check(&config, &lease, &err);

		if (cases[i].says ? r >= 0 || !strstr(err.text, cases[i].says) : r < 0)
			fail_msg("%s: %d %s", cases[i].text, r, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configurations_of_engines),
		cmocka_unit_test(test_members_of_the_bridge),
		cmocka_unit_test(test_a_network_by_name),
		cmocka_unit_test(test_what_the_engine_asks_for),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_refusals_of_wishes),
		cmocka_unit_test(test_cni_args),
		cmocka_unit_test(test_previous_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
