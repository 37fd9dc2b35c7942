/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --network, and what goes with it.
 *
 * Theory of operation. A network other than the host's is berth-net's business: the bundle names it
 * as a hook that is run when the container has been made and when it is gone, and says in
 * annotations what is wanted. All checks of that are berth-net's as well, which is asked when the
 * bundle is made (`berth-net network prepare`), so that what is wrong is said then. It also yields
 * the hosts file of the network, which the container mounts; the bundle has a resolv.conf of its
 * own, which the hook fills.
 */
#include <errno.h>
#include <inttypes.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/helper.h"
#include "berth/base/path.h"
#include "berth/base/spawn.h"

#include "bundle-internal.h"

#define PROGRAM "berth-net"
#define HOSTS	"/etc/hosts"
#define RESOLV	"/etc/resolv.conf"

/* Where berth-net looks for pasta and slirp4netns. */
#define HOOK_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* berth-net itself waits a minute for others at most. */
#define PREPARE_TIMEOUT_MS 90000

#define PREPARE_OUTPUT_MAX 4096

/* What is asked of berth-net, by option and annotation: one of them is set. */
struct wanted {
	const char *name;	 /* of the option, and of the annotation behind the prefix */
	const struct strv *list; /* or NULL */
	const char *text;	 /* or NULL */
};

#define WANTED_MAX 7

/* Whether a bundle's name may be one of a host's for others: a label that nobody takes for a
 * number, or for a name of the host that asks. */
static bool is_name_for_others(const char *name)
{
	static const char *const begins[] = {"localhost", "ip6-"};
	const size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return false;
	}
	return length > 0 && length <= 63 && !strchr("0123456789", name[0]) && !strchr(name, '.') &&
	       name[length - 1] != '-';
}

/* The host's name by which others find the container, if it can be. That of --hostname was wanted,
 * so berth-net says what is wrong with it. */
static const char *name_for_others(const struct bundle_plan *plan)
{
	if (plan->options->hostname)
		return plan->options->hostname;
	return plan->hostname && is_name_for_others(plan->hostname) ? plan->hostname : NULL;
}

/* All that there can be; what is not given has an empty list, or no text. Who has others beside it
 * may be found by its host's name. */
static void list_wanted(const struct bundle_plan *plan, struct wanted ret[static WANTED_MAX])
{
	const struct bundle_options *options = plan->options;
	const bool has_others = plan->network.kind == BUNDLE_NETWORK_LINK;
	const struct wanted all[WANTED_MAX] = {
		{"publish", &options->publish, NULL},
		{"ip", &options->ip, NULL},
		{"mac", NULL, options->mac},
		{"dns", &options->dns, NULL},
		{"bandwidth", NULL, options->bandwidth},
		{"names", NULL, has_others ? name_for_others(plan) : NULL},
		{"resolv-conf", NULL, bundle_network_has_resolv(plan) ? "resolv.conf" : NULL},
	};

	memcpy(ret, all, sizeof(all));
}

static bool is_given(const struct wanted *wanted)
{
	return wanted->list ? wanted->list->count > 0 : wanted->text != NULL;
}

static enum bundle_network_kind kind_of(const char *text)
{
	static const struct {
		const char *text;
		enum bundle_network_kind kind;
	} words[] = {
		{"none", BUNDLE_NETWORK_NONE},
		{"host", BUNDLE_NETWORK_HOST},
		{"pasta", BUNDLE_NETWORK_USER},
		{"slirp4netns", BUNDLE_NETWORK_USER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_equal(words[i].text, text))
			return words[i].kind;
	}
	return BUNDLE_NETWORK_LINK;
}

static bool has_hook(const struct bundle_network *network)
{
	return network->kind == BUNDLE_NETWORK_USER || network->kind == BUNDLE_NETWORK_LINK;
}

/* Lists become one annotation each, with commas between. */
static int check_list(const struct wanted *wanted, struct error *err)
{
	for (size_t i = 0; wanted->list && i < wanted->list->count; i++) {
		const char *text = wanted->list->items[i];

		if (text[0] == '\0')
			return refuse(err, "--%s: the value is empty", wanted->name);
		if (strchr(text, ','))
			return refuse(err,
				      "--%s: \"%s\" has a comma; give the option once for each",
				      wanted->name, text);
	}
	return 0;
}

/* What only berth-net can give needs it. */
static int check_options(const struct bundle_plan *plan, struct error *err)
{
	const struct bundle_options *options = plan->options;
	struct wanted wanted[WANTED_MAX];
	int r = 0;

	list_wanted(plan, wanted);
	for (size_t i = 0; r >= 0 && i < WANTED_MAX; i++) {
		if (!has_hook(&plan->network) && is_given(&wanted[i]))
			return refuse(err,
				      "--%s needs a network of the container's own: not with "
				      "--network %s (but bridge, for one)",
				      wanted[i].name, plan->network.name);
		r = check_list(&wanted[i], err);
	}
	if (r >= 0 && options->net_root && !has_hook(&plan->network))
		return refuse(err, "--net-root: berth-net has no part in --network %s",
			      plan->network.name);
	if (r >= 0 && options->dns.count > 0 && bundle_mounts_overrule(plan, RESOLV))
		return refuse(err, "--dns: a mount of yours has the place of " RESOLV);
	return r;
}

/*
 * berth-net's directory, where it is not its own default for root. That of an ordinary user is
 * written out: a hook has no environment by which it could be found.
 */
static int find_root(struct arena *arena, const struct bundle_options *options,
		     struct bundle_network *network, struct error *err)
{
	const char *runtime_dir = options->xdg_runtime_dir;
	_cleanup_free_ char *root = NULL;

	if (options->net_root) {
		root = path_absolute(options->net_root);
		if (!root)
			return fail(err, -errno, "find the working directory");
	} else if (options->user_namespace && has_hook(network)) {
		if (!runtime_dir || runtime_dir[0] != '/')
			return refuse(err,
				      "--network %s: there is no place for what berth-net keeps: "
				      "set XDG_RUNTIME_DIR, or use --net-root",
				      network->name);
		root = path_join(runtime_dir, PROGRAM);
	}
	network->root = root ? arena_strdup(arena, root) : NULL;
	return 0;
}

int bundle_network_read(struct arena *arena, const struct bundle_options *options,
			struct bundle_plan *ret, struct error *err)
{
	struct bundle_network *network = &ret->network;
	int r;

	network->name = options->network ? options->network : "none";
	network->kind = kind_of(network->name);
	if (network->name[0] == '\0')
		return refuse(err, "--network: the name is empty");
	if (network->kind == BUNDLE_NETWORK_LINK && options->user_namespace)
		return refuse(err,
			      "--network %s is root's: an ordinary user has no right to the host's "
			      "links; take --network pasta",
			      network->name);
	/* It becomes nobody then, and nobody may not enter root's namespaces. */
	if (!options->user_namespace && str_equal(network->name, "pasta"))
		return refuse(err, "--network pasta: pasta does not serve root: take --network "
				   "bridge");
	r = find_root(arena, options, network, err);
	return r < 0 ? r : check_options(ret, err);
}

/* --- berth-net's part in the making ---------------------------------------------------------- */

static void add_options(struct strv *args, const struct bundle_plan *plan)
{
	struct wanted wanted[WANTED_MAX];

	list_wanted(plan, wanted);
	for (size_t i = 0; i < WANTED_MAX; i++) {
		const size_t count = wanted[i].list ? wanted[i].list->count : is_given(&wanted[i]);

		for (size_t j = 0; j < count; j++) {
			_cleanup_free_ char *word = xasprintf(
				"--%s=%s", wanted[i].name,
				wanted[i].list ? wanted[i].list->items[j] : wanted[i].text);

			strv_add(args, word);
		}
	}
}

static void add_root(struct strv *args, const struct bundle_network *network)
{
	if (network->root) {
		strv_add(args, "--root");
		strv_add(args, network->root);
	}
}

/* What the program wrote, without the newline; in @arena. */
static int read_output(struct arena *arena, int fd, const char **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, -errno, "read what " PROGRAM " wrote");
	r = file_read_fd(fd, "what " PROGRAM " wrote", PREPARE_OUTPUT_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	*ret = arena_strdup(arena, text);
	return 0;
}

static int ask(struct arena *arena, const struct bundle_plan *plan, const char **ret_output,
	       struct error *err)
{
	static const char *const environment[] = {HOOK_PATH, NULL};
	_cleanup_fd_ int output = memfd_create(PROGRAM, MFD_CLOEXEC);
	_cleanup_strv_ struct strv args = {.count = 0};
	struct spawn spawn = {
		.path = plan->network.program,
		.envp = environment,
		.cwdfd = -1,
		.outputfd = output,
		.timeout_ms = PREPARE_TIMEOUT_MS,
		.cancelled = plan->options->cancelled,
	};
	int r;

	if (output < 0)
		return fail(err, -errno, "make a file in memory");
	strv_add(&args, PROGRAM);
	add_root(&args, &plan->network);
	strv_add(&args, "network");
	add_options(&args, plan);
	strv_add(&args, "--");
	strv_add(&args, "prepare");
	strv_add(&args, plan->network.name);
	spawn.argv = (const char *const *)args.items;
	r = spawn_wait(&spawn, err);
	return r < 0 ? r : read_output(arena, output, ret_output, err);
}

int bundle_network_prepare(struct arena *arena, struct bundle_plan *plan, struct error *err)
{
	struct bundle_network *network = &plan->network;
	const char *option = arena_printf(arena, "--network %s", network->name);
	_cleanup_free_ char *program = NULL;
	const char *output = "";
	int r;

	if (!has_hook(network))
		return 0;
	r = helper_path(/* program= */ NULL, PROGRAM, option, &program, err);
	if (r < 0)
		return r;
	network->program = arena_strdup(arena, program);
	r = ask(arena, plan, &output, err);
	if (r < 0)
		return within(err, r, "%s", option);
	if (output[0] != '\0' && output[0] != '/')
		return refuse(err, "%s: \"%s\" says \"%s\", which is no absolute path", option,
			      program, output);
	network->hosts = output[0] ? output : NULL;
	return 0;
}

/* --- config.json ------------------------------------------------------------------------------ */

bool bundle_network_has_resolv(const struct bundle_plan *plan)
{
	return has_hook(&plan->network) && !bundle_mounts_overrule(plan, RESOLV);
}

bool bundle_network_may_have_hosts(const struct bundle_plan *plan)
{
	return plan->network.kind == BUNDLE_NETWORK_NONE && !bundle_mounts_overrule(plan, HOSTS);
}

static size_t add_mount(const struct bundle_plan *plan, const char *place, const char *source,
			bool is_writable, struct bundle_mount *ret)
{
	static const char *const options[] = {"bind", "ro", "nosuid", "nodev", "noexec", NULL};
	static const char *const writable[] = {"bind", "rw", "nosuid", "nodev", "noexec", NULL};

	if (!source || bundle_mounts_overrule(plan, place))
		return 0;
	*ret = (struct bundle_mount){.destination = place,
				     .type = "bind",
				     .source = source,
				     .options = is_writable ? writable : options};
	return 1;
}

/* Who is on the host's network needs to know its names. */
static const char *of_host(const char *path)
{
	return access(path, F_OK) == 0 ? path : NULL;
}

size_t bundle_network_mounts(const struct bundle_plan *plan, bool has_hosts,
			     struct bundle_mount ret[static BUNDLE_NETWORK_MOUNTS])
{
	const struct bundle_network *network = &plan->network;
	size_t count = 0;

	if (network->kind == BUNDLE_NETWORK_HOST) {
		count += add_mount(plan, RESOLV, of_host(RESOLV), false, ret + count);
		count += add_mount(plan, HOSTS, of_host(HOSTS), false, ret + count);
	} else if (has_hook(network)) {
		count += add_mount(plan, RESOLV, "resolv.conf", true, ret + count);
		count += add_mount(plan, HOSTS, network->hosts, false, ret + count);
	} else if (has_hosts) {
		count += add_mount(plan, HOSTS, "hosts", true, ret + count);
	}
	return count;
}

/* How many groups there are from 0 on without a gap; the lines of a map may have any order. */
static uint64_t count_groups(const struct id_maps *gids)
{
	uint64_t count = 0, before = 1;

	if (gids->count == 0)
		return (uint64_t)INT32_MAX + 1;
	while (count != before) {
		before = count;
		for (size_t i = 0; i < gids->count; i++) {
			if (gids->lines[i].container_id == count)
				count += gids->lines[i].size;
		}
	}
	return count;
}

/* As Docker has it: nobody else is in this network, so whoever is may have low ports, and ping
 * without CAP_NET_RAW. */
void bundle_network_write_sysctl(struct json_writer *w, const struct bundle_plan *plan)
{
	const uint64_t groups = count_groups(&plan->gids);
	_cleanup_free_ char *range = xasprintf("0 %" PRIu64, groups - 1);

	if (plan->network.kind == BUNDLE_NETWORK_HOST)
		return;
	json_key(w, "sysctl");
	json_begin_object(w);
	json_member_string(w, "net.ipv4.ip_unprivileged_port_start", "0");
	if (groups > 0)
		json_member_string(w, "net.ipv4.ping_group_range", range);
	json_end_object(w);
}

static void annotate(struct json_writer *w, const char *name, const char *value)
{
	_cleanup_free_ char *key = xasprintf("org.berth.net.%s", name);

	json_member_string(w, key, value);
}

static void annotate_list(struct json_writer *w, const char *name, const struct strv *list)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	for (size_t i = 0; i < list->count; i++)
		buf_printf(&text, "%s%s", i > 0 ? "," : "", list->items[i]);
	annotate(w, name, text.data);
}

void bundle_network_annotate(struct json_writer *w, const struct bundle_plan *plan)
{
	struct wanted wanted[WANTED_MAX];

	if (!has_hook(&plan->network))
		return;
	annotate(w, "network", plan->network.name);
	list_wanted(plan, wanted);
	for (size_t i = 0; i < WANTED_MAX; i++) {
		if (!is_given(&wanted[i]))
			continue;
		if (wanted[i].list)
			annotate_list(w, wanted[i].name, wanted[i].list);
		else
			annotate(w, wanted[i].name, wanted[i].text);
	}
}

/* A list of one hook. */
static void write_hook(struct json_writer *w, const struct bundle_network *network,
		       const char *point, const char *command)
{
	static const char *const environment[] = {HOOK_PATH, NULL};
	_cleanup_strv_ struct strv args = {.count = 0};

	strv_add(&args, PROGRAM);
	add_root(&args, network);
	strv_add(&args, command);
	json_key(w, point);
	json_begin_array(w);
	json_begin_object(w);
	json_member_string(w, "path", network->program);
	json_member_strings(w, "args", (const char *const *)args.items);
	json_member_strings(w, "env", environment);
	json_end_object(w);
	json_end_array(w);
}

void bundle_network_write_hooks(struct json_writer *w, const struct bundle_plan *plan)
{
	if (!has_hook(&plan->network))
		return;
	json_key(w, "hooks");
	json_begin_object(w);
	write_hook(w, &plan->network, "createRuntime", "add");
	write_hook(w, &plan->network, "poststop", "del");
	json_end_object(w);
}
