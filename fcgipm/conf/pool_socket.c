/* A pool's socket: where it is and whose (conf process). */
#include "fcgipm/conf/pool.h"

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

/* RUNTIME/pools/NAME.sock or RUNTIME/private/NAME.sock */
static void preset_path(struct conf_draft *d)
{
	char path[SPEC_PATH_MAX + 256];
	int n = snprintf(path, sizeof(path), "%s/%s/%s.sock", d->job->manager.runtime_directory, d->set.socket_private ? "private" : "pools", d->pool->name);

	if (n > SPEC_UNIX_PATH_MAX)
		conf_error(d->job->report, d->pool->node->key_place, "pools.%s: %.64s... is too long for a socket (%d bytes at most; give listen)",
			   d->pool->name, path, SPEC_UNIX_PATH_MAX);
	else
		settings_put_text(&d->set.listen, path);
}

/* Below the runtime directory a pool may have its own name in private/ and any name in pools/. */
static void check_path(struct conf_draft *d)
{
	const char *runtime = d->job->manager.runtime_directory, *listen = d->set.listen;
	size_t len = strlen(runtime);
	char own[SPEC_PATH_MAX + 256];

	snprintf(own, sizeof(own), "%s/private/%s.sock", runtime, d->pool->name);
	if (d->set.socket_private) {
		if (strcmp(listen, own) != 0)
			conf_draft_error(d, SETTINGS_AT_POOL_listen, "a private socket has its own place (leave listen out)");
		return;
	}
	if (strcmp(listen, "/") == 0)
		conf_draft_error(d, SETTINGS_AT_POOL_listen, "the root directory (a path for a socket)");
	if (strncmp(listen, runtime, len) != 0 || listen[len] != '/')
		return;
	if (strncmp(listen + len, "/pools/", 7) != 0 || strchr(listen + len + 7, '/') != NULL)
		conf_draft_error(d, SETTINGS_AT_POOL_listen, "among fcgipm's own files (in its pools directory, or outside)");
}

static void note_path(struct conf_draft *d)
{
	if (d->set.listen[0] == '\0')
		return;
	check_path(d);
	d->spec.listen = SPEC_LISTEN_UNIX;
	d->spec.address = d->set.listen;
	d->pool->address = fp_arena_printf(&d->job->arena, "unix %s", d->set.listen);
}

/* The primary group of the first user who may lease it, else the first group; root's where there is none of them. */
static void preset_group(const struct conf_draft *d, struct conf_account *ret)
{
	const struct conf_account_source *s = &d->job->world->accounts;
	const struct settings_list *l = &d->set.frontends;
	struct conf_account a;

	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i][0] == '@' || conf_find_user(s, l->items[i], &a) < 0 || !a.known)
			continue;
		conf_group_of(s, a.gid, ret);
		return;
	}
	for (uint32_t i = 0; i < l->count; i++)
		if (l->items[i][0] == '@' && conf_find_group(s, l->items[i] + 1, ret) == 0)
			return;
	conf_group_of(s, 0, ret);
}

/* The group's default depends on the pool; an ordinary user has no say in owner and group anyway. */
static bool is_meant(const struct conf_draft *d, enum settings_pool_index i)
{
	struct conf_account group;

	if (!conf_draft_differs(d, i) || (i != SETTINGS_AT_POOL_socket_mode && d->job->world->ordinary))
		return false;
	if (i != SETTINGS_AT_POOL_socket_group)
		return true;
	preset_group(d, &group);
	return strcmp(group.name, d->set.socket_group) != 0;
}

/* A TCP socket is no file: the defaults stand where it would have an owner and a mode, so that no dump shows what is not so. */
static void drop_file_attributes(struct conf_draft *d)
{
	static const struct {
		enum settings_pool_index at;
		const char *why;
	} rows[] = {
		{SETTINGS_AT_POOL_socket_user, "a TCP socket has no owner (leave it out, or listen on a path)"},
		{SETTINGS_AT_POOL_socket_group, "a TCP socket has no group (leave it out, or listen on a path)"},
		{SETTINGS_AT_POOL_socket_mode, "a TCP socket has no mode: whoever reaches the port may connect (leave it out, or listen on a path)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (is_meant(d, rows[i].at))
			conf_draft_warn(d, rows[i].at, "%s", rows[i].why);
		settings_preset(&d->set, &settings_pool_table.rows[rows[i].at], NULL);
		d->places[rows[i].at] = (struct spec_place){0};
		d->nodes[rows[i].at] = NULL;
	}
	if (conf_draft_differs(d, SETTINGS_AT_POOL_queue_timeout))
		conf_draft_warn(d, SETTINGS_AT_POOL_queue_timeout,
				"on TCP nobody can tell whether a request still waits: it has no effect (leave it out, or listen on a path)");
}

/* One text for one address; all of a port and family are neighbours, and the wildcard, all zeros, comes first. */
static void note_tcp(struct conf_draft *d, const struct spec_tcp *tcp)
{
	char host[INET6_ADDRSTRLEN], hex[33] = "";
	size_t len = tcp->family == AF_INET ? 4 : 16;

	if (d->set.socket_private)
		conf_draft_error(d, SETTINGS_AT_POOL_socket_private, "TCP has no private sockets (a unix socket, or false)");
	if (tcp->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)tcp->host))
		conf_draft_error(d, SETTINGS_AT_POOL_listen, "an IPv4 address in IPv6's notation (such as 127.0.0.1:%u)", tcp->port);
	drop_file_attributes(d);
	inet_ntop(tcp->family, tcp->host, host, sizeof(host));
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", tcp->host[i]);
	d->spec.listen = SPEC_LISTEN_TCP;
	d->spec.address = fp_arena_printf(&d->scratch, tcp->family == AF_INET ? "%s:%u" : "[%s]:%u", host, tcp->port);
	d->pool->address = fp_arena_printf(&d->job->arena, "tcp %u %zu %s", tcp->port, len, hex);
	if (d->spec.address != NULL)
		settings_put_text(&d->set.listen, d->spec.address);
}

static uint32_t resolve_owner(struct conf_draft *d)
{
	const struct conf_world *w = d->job->world;
	bool given = conf_draft_given(d, SETTINGS_AT_POOL_socket_user);
	struct conf_account a = {0};
	char key[CONF_PATH_MAX];

	conf_draft_key(d, SETTINGS_AT_POOL_socket_user, &key);
	if ((given || !w->ordinary) && conf_resolve_user(d->job, conf_draft_place(d, SETTINGS_AT_POOL_socket_user), key, d->set.socket_user, &a) < 0)
		return 0;
	if (!w->ordinary)
		return a.id;
	if (given && a.id != w->uid)
		conf_draft_warn(d, SETTINGS_AT_POOL_socket_user, "%s is not you (without root it is you)", a.name);
	settings_put_text(&d->set.socket_user, d->set.user_name != NULL ? d->set.user_name : "");
	return w->uid;
}

static uint32_t resolve_group(struct conf_draft *d)
{
	const struct conf_world *w = d->job->world;
	bool given = conf_draft_given(d, SETTINGS_AT_POOL_socket_group);
	struct conf_account g = {0};
	char key[CONF_PATH_MAX];

	conf_draft_key(d, SETTINGS_AT_POOL_socket_group, &key);
	if (given) {
		if (d->set.socket_group[0] == '\0' ||
		    conf_resolve_group(d->job, conf_draft_place(d, SETTINGS_AT_POOL_socket_group), key, d->set.socket_group, &g) < 0)
			return 0;
	} else {
		preset_group(d, &g);
	}
	if (w->ordinary) {
		if (given && g.id != w->gid)
			conf_draft_warn(d, SETTINGS_AT_POOL_socket_group, "%s is not your group (without root it is)", g.name);
		conf_group_of(&w->accounts, w->gid, &g);
	}
	if (!given || w->ordinary)
		settings_put_text(&d->set.socket_group, g.name);
	return g.id;
}

/* connect(2) needs the right to write.  A tool that has read 0660 as a number writes it as 432: taken as octal, that gives the group what its owner has not. */
static void warn_odd_mode(const struct conf_draft *d)
{
	unsigned mode = (unsigned)d->set.socket_mode, group = mode >> 3 & 7, others = mode & 7;

	if (d->spec.listen != SPEC_LISTEN_UNIX || !conf_draft_given(d, SETTINGS_AT_POOL_socket_mode))
		return;
	if ((mode & 0222) == 0)
		conf_draft_warn(d, SETTINGS_AT_POOL_socket_mode, "%04o lets nobody connect (such as \"0660\")", mode);
	else if ((group & ~(mode >> 6)) != 0 || (others & ~group) != 0)
		conf_draft_warn(d, SETTINGS_AT_POOL_socket_mode, "%04o gives others more than those before them (octal digits, such as \"0660\")", mode);
}

/* The directory keeps others out of a private socket; its own mode must let in whoever got the door. */
static void resolve_mode(struct conf_draft *d)
{
	enum { OPEN = 0666 };

	if (!d->set.socket_private) {
		warn_odd_mode(d);
		return;
	}
	if (d->set.socket_mode != OPEN && conf_draft_given(d, SETTINGS_AT_POOL_socket_mode))
		conf_draft_warn(d, SETTINGS_AT_POOL_socket_mode, "a private socket is 0666, in a directory that nobody enters");
	d->set.socket_mode = OPEN;
}

void conf_draft_socket(struct conf_draft *d)
{
	struct spec_tcp tcp;

	if (!conf_draft_given(d, SETTINGS_AT_POOL_listen))
		preset_path(d);
	d->pool->address_place = conf_draft_place(d, SETTINGS_AT_POOL_listen);
	if (d->set.listen[0] != '/' && spec_tcp_parse(d->set.listen, &tcp) == 0)
		note_tcp(d, &tcp);
	else
		note_path(d);
	resolve_mode(d);
	d->spec.socket_uid = resolve_owner(d);
	d->spec.socket_gid = resolve_group(d);
	d->spec.socket_mode = (uint32_t)d->set.socket_mode;
	d->spec.private_socket = d->set.socket_private;
	d->spec.backlog = d->set.queue_limit;
}
