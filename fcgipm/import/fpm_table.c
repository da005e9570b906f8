/* Every directive of php-fpm: one row (command line).  A test holds the rows against what php-fpm itself knows. */
#include "fcgipm/import/fpm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void take_text(struct fpm *f, const struct fpm_value *v)
{
	draft_set(&f->draft, v->row->key, v->ini.value);
}

/* Seconds, or a number with s, m, h or d. */
static void take_time(struct fpm *f, const struct fpm_value *v)
{
	size_t len = strlen(v->ini.value);
	bool bare = len > 0 && strspn(v->ini.value, "0123456789") == len;

	draft_set(&f->draft, v->row->key, bare ? keep_printf(&f->draft.keep, "%ss", v->ini.value) : v->ini.value);
}

static void take_core(struct fpm *f, const struct fpm_value *v)
{
	if (strcasecmp(v->ini.value, "unlimited") == 0)
		draft_set(&f->draft, v->row->key, keep_printf(&f->draft.keep, "%lld", (long long)SETTINGS_MOST));
	else
		take_text(f, v);
}

/* ---- [global] ---- */

static void take_process_max(struct fpm *f, const struct fpm_value *v)
{
	f->draft.part = &f->draft.manager;
	if (strcmp(v->ini.value, "0") != 0) /* 0: no limit, as when it is not given */
		draft_set(&f->draft, v->row->key, v->ini.value);
}

static void take_error_log(struct fpm *f, const struct fpm_value *v)
{
	f->draft.part = strcmp(v->ini.value, "syslog") == 0 ? &f->draft.manager : NULL;
	if (f->draft.part != NULL)
		draft_set(&f->draft, v->row->key, "syslog");
	else
		draft_lost(&f->draft, v->row->key, "the file is php-fpm's own; fcgipm writes to stderr, or where manager.log.target says");
}

static void take_log_level(struct fpm *f, const struct fpm_value *v)
{
	static const char *const levels[][2] = {{"alert", "error"}, {"error", "error"}, {"warning", "warn"}, {"warn", "warn"}, {"notice", "info"}};
	const char *level = v->ini.value;

	for (size_t i = 0; i < COUNT(levels); i++)
		if (strcasecmp(v->ini.value, levels[i][0]) == 0)
			level = levels[i][1];
	f->draft.part = &f->draft.manager;
	draft_set(&f->draft, v->row->key, level);
}

static const struct fpm_row global_rows[] = {
	{"daemonize", NULL, NULL, "fcgipm run stays in the foreground, as systemd wants it"},
	{"emergency_restart_interval", NULL, NULL, "a worker that crashes is started again after restart.delay, which doubles up to restart.max_delay"},
	{"emergency_restart_threshold", NULL, NULL, "a worker that crashes is started again after restart.delay, which doubles up to restart.max_delay"},
	{"error_log", take_error_log, "log.target", NULL},
	{"events.mechanism", NULL, NULL, "fcgipm waits by epoll"},
	{"log_buffering", NULL, NULL, "every event is one write"},
	{"log_level", take_log_level, "log.level", NULL},
	{"log_limit", NULL, NULL, "a line is at most 4096 bytes, and says when it was cut"},
	{"pid", NULL, NULL, "fcgipm run keeps its pid; systemd needs no file for it"},
	{"process.max", take_process_max, "max_workers", NULL},
	{"process.priority", take_text, "priority.nice", NULL},
	{"process_control_timeout", take_time, "stop.timeout", NULL},
	{"rlimit_core", take_core, "limits.core", NULL},
	{"rlimit_files", take_text, "limits.nofile", NULL},
	{"syslog.facility", NULL, NULL, "fcgipm has no facility to choose"},
	{"syslog.ident", NULL, NULL, "events are those of fcgipm"},
	{"systemd_interval", NULL, NULL, "systemd is told when something changes; fcgipm status says the rest"},
};
const struct fpm_table fpm_global_table = {global_rows, COUNT(global_rows)};

/* ---- a pool: paths and the socket ---- */

/* $prefix/X and X are below the pool's prefix. */
static const char *full_path(struct fpm *f, const char *path)
{
	static const char token[] = "$prefix";
	const struct fpm_value *prefix = fpm_find(f->pool, "prefix");

	if (strncmp(path, token, strlen(token)) == 0)
		path += strlen(token);
	else if (path[0] == '/')
		return path;
	path += strspn(path, "/");
	if (prefix != NULL && prefix->ini.value[0] == '/')
		return keep_printf(&f->draft.keep, "%s%s%s", prefix->ini.value, path[0] != '\0' ? "/" : "", path);
	draft_note(&f->draft, NULL, "relative to php-fpm's own prefix, which is taken to be " FPM_PREFIX);
	return keep_printf(&f->draft.keep, FPM_PREFIX "%s%s", path[0] != '\0' ? "/" : "", path);
}

static void take_path(struct fpm *f, const struct fpm_value *v)
{
	if (v->ini.value[0] != '\0')
		draft_set(&f->draft, v->row->key, full_path(f, v->ini.value));
}

static void take_prefix(struct fpm *f, const struct fpm_value *v)
{
	if (v->ini.value[0] != '/' && v->ini.value[0] != '\0')
		draft_lost(&f->draft, NULL, "a relative prefix");
}

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool is_tcp(const struct fpm_scope *pool)
{
	const struct fpm_value *v = fpm_find(pool, "listen");

	return v != NULL && (strchr(v->ini.value, ':') != NULL || is_number(v->ini.value));
}

/* PORT, HOST:PORT, or a path. */
static void take_listen(struct fpm *f, const struct fpm_value *v)
{
	static const char local[] = "localhost:";
	const char *value = v->ini.value;

	if (!is_tcp(f->pool)) {
		take_path(f, v);
		return;
	}
	if (is_number(value)) {
		value = keep_printf(&f->draft.keep, "0.0.0.0:%s", value);
		draft_note(&f->draft, v->row->key, "all addresses of IPv4; a pool has one address");
	} else if (strncasecmp(value, local, strlen(local)) == 0) {
		value = keep_printf(&f->draft.keep, "127.0.0.1:%s", value + strlen(local));
		draft_note(&f->draft, v->row->key, "localhost is taken to be 127.0.0.1");
	}
	draft_set(&f->draft, v->row->key, value);
}

static void take_owner(struct fpm *f, const struct fpm_value *v)
{
	if (is_tcp(f->pool))
		draft_lost(&f->draft, v->row->key, "a TCP socket has neither owner nor mode");
	else
		take_text(f, v);
}

/* php-fpm's -1 is what the system allows, and the kernel cuts what is above it; fcgipm says so instead. */
static void take_backlog(struct fpm *f, const struct fpm_value *v)
{
	uint32_t most = f->system->most_backlog();
	const char *value = v->ini.value;

	if (value[0] != '-' && (!is_number(value) || strtoull(value, NULL, 10) <= most)) {
		take_text(f, v);
		return;
	}
	draft_note(&f->draft, v->row->key, "net.core.somaxconn is %u", most);
	draft_set(&f->draft, v->row->key, keep_printf(&f->draft.keep, "%u", most));
}

/* ---- a pool: accounts ---- */

static void one_group(void *context, const char *group)
{
	struct fpm *f = context;

	draft_add(&f->draft, "groups", group);
}

static void take_user(struct fpm *f, const struct fpm_value *v)
{
	if (strcmp(v->ini.value, "root") == 0 || strcmp(v->ini.value, "0") == 0) {
		draft_lost(&f->draft, v->row->key, "no pool may run as root");
		return;
	}
	if (!draft_set(&f->draft, v->row->key, v->ini.value) || is_number(v->ini.value))
		return;
	f->system->groups(v->ini.value, one_group, f);
	if (draft_given(f->draft.part, "groups"))
		draft_note(&f->draft, "groups", "php-fpm gives its workers every group of the user");
}

/* ---- a pool: how many workers ---- */

static bool mode_is(const struct fpm_scope *pool, const char *mode)
{
	const struct fpm_value *v = fpm_find(pool, "pm");

	return v != NULL && strcasecmp(v->ini.value, mode) == 0;
}

static unsigned long number_of(const struct fpm_scope *pool, const char *name)
{
	const struct fpm_value *v = fpm_find(pool, name);

	return v != NULL && is_number(v->ini.value) ? strtoul(v->ini.value, NULL, 10) : 0;
}

static void take_static(struct fpm *f)
{
	const struct fpm_value *most = fpm_find(f->pool, "pm.max_children");

	if (most != NULL)
		draft_set(&f->draft, "workers.min", most->ini.value);
	draft_set(&f->draft, "workers.spare", "0");
}

static void take_dynamic(struct fpm *f)
{
	unsigned long least = number_of(f->pool, "pm.min_spare_servers"), most = number_of(f->pool, "pm.max_spare_servers");

	/* What php-fpm starts where nothing is said. */
	if (fpm_find(f->pool, "pm.start_servers") == NULL && least <= most)
		draft_set(&f->draft, "workers.min", keep_printf(&f->draft.keep, "%lu", least + (most - least) / 2));
}

static void take_ondemand(struct fpm *f)
{
	draft_set(&f->draft, "workers.min", "0");
	draft_set(&f->draft, "workers.spare", "0");
	if (fpm_find(f->pool, "pm.process_idle_timeout") == NULL)
		draft_set(&f->draft, "workers.idle_timeout", "10s"); /* php-fpm's own */
}

static void take_pm(struct fpm *f, const struct fpm_value *v)
{
	static const struct {
		const char *name;
		void (*take)(struct fpm *f);
	} modes[] = {{"static", take_static}, {"dynamic", take_dynamic}, {"ondemand", take_ondemand}};

	for (size_t i = 0; i < COUNT(modes); i++) {
		if (strcasecmp(v->ini.value, modes[i].name) != 0)
			continue;
		modes[i].take(f);
		return;
	}
	draft_lost(&f->draft, v->row->key, "neither static, dynamic nor ondemand");
}

static void take_max_children(struct fpm *f, const struct fpm_value *v)
{
	if (draft_set(&f->draft, v->row->key, v->ini.value))
		f->all_children += f->draft.part->set.pool.workers_max;
}

static void take_if_dynamic(struct fpm *f, const struct fpm_value *v)
{
	if (mode_is(f->pool, "dynamic"))
		take_text(f, v);
	else
		draft_lost(&f->draft, v->row->key, "php-fpm reads it with pm = dynamic alone");
}

static void take_if_ondemand(struct fpm *f, const struct fpm_value *v)
{
	if (mode_is(f->pool, "ondemand"))
		take_time(f, v);
	else
		draft_lost(&f->draft, v->row->key, "php-fpm reads it with pm = ondemand alone");
}

/* ---- a pool: the rest ---- */

/* "$NAME" and ${NAME} are values of php-fpm's own environment. */
static bool asks_for(const char *value, const char *name)
{
	size_t len = strlen(name);

	if (value[0] != '$')
		return false;
	if (value[1] != '{')
		return strcmp(value + 1, name) == 0;
	return strncmp(value + 2, name, len) == 0 && strcmp(value + 2 + len, "}") == 0;
}

static void take_env(struct fpm *f, const struct fpm_value *v)
{
	const char *name = v->ini.index != NULL ? v->ini.index : "";

	if (asks_for(v->ini.value, name))
		draft_add(&f->draft, "inherit_environment", name);
	else if (v->ini.value[0] == '$' || v->ini.asks_environment)
		draft_lost(&f->draft, v->row->key, "a variable of php-fpm's own environment under another name; inherit_environment takes it under its own");
	else
		draft_add(&f->draft, v->row->key, keep_printf(&f->draft.keep, "%s=%s", name, v->ini.value));
}

static void take_clear_env(struct fpm *f, const struct fpm_value *v)
{
	if (strcmp(v->ini.value, "1") != 0)
		draft_lost(&f->draft, v->row->key, "workers get no environment but what is named; name what they need in inherit_environment");
}

static void take_output(struct fpm *f, const struct fpm_value *v)
{
	draft_set(&f->draft, v->row->key, strcmp(v->ini.value, "1") == 0 ? "log" : "null");
}

#define WEB_SERVER_LOGS "the web server logs requests"
#define FCGIPM_STATUS   "fcgipm status POOL --json answers without a worker"
#define FCGIPM_REQUEST  "fcgipm request POOL PATH is a health check through a worker"
#define NO_TRACE        "fcgipm does not look into PHP"

static const struct fpm_row pool_rows[] = {
	{"access.format", NULL, NULL, WEB_SERVER_LOGS},
	{"access.log", NULL, NULL, WEB_SERVER_LOGS},
	{"access.suppress_path", NULL, NULL, WEB_SERVER_LOGS},
	{"apparmor_hat", NULL, NULL, "a profile that is attached to the command does without a hat"},
	{"catch_workers_output", take_output, "output", NULL},
	{"chdir", take_path, "directory", NULL},
	{"chroot", take_path, "chroot", NULL},
	{"clear_env", take_clear_env, "inherit_environment", NULL},
	{"decorate_workers_output", NULL, "output", "a line of the log names pool and pid; output: PATH takes lines as they are"},
	{"env", take_env, "environment", NULL},
	{"group", take_text, "group", NULL},
	{"listen", take_listen, "listen", NULL},
	{"listen.acl_groups", NULL, "socket.group", "a socket has one owner and one group, and no access list"},
	{"listen.acl_users", NULL, "socket.user", "a socket has one owner and one group, and no access list"},
	{"listen.allowed_clients", NULL, "listen", "fcgipm does not look at clients: listen on a unix socket or 127.0.0.1, or let a firewall decide"},
	{"listen.backlog", take_backlog, "queue.limit", NULL},
	{"listen.group", take_owner, "socket.group", NULL},
	{"listen.mode", take_owner, "socket.mode", NULL},
	{"listen.owner", take_owner, "socket.user", NULL},
	{"listen.setfib", NULL, NULL, "FreeBSD has it, Linux not"},
	{"php_admin_flag", fpm_take_php, "command", NULL},
	{"php_admin_value", fpm_take_php, "command", NULL},
	{"php_flag", fpm_take_php, "command", NULL},
	{"php_value", fpm_take_php, "command", NULL},
	{"ping.path", NULL, NULL, FCGIPM_REQUEST},
	{"ping.response", NULL, NULL, FCGIPM_REQUEST},
	{"pm", take_pm, "workers.min", NULL},
	{"pm.max_children", take_max_children, "workers.max", NULL},
	{"pm.max_requests", fpm_take_max_requests, "workers.max_requests", NULL},
	{"pm.max_spare_servers", NULL, "workers.idle_timeout", "what has been surplus for the whole workers.idle_timeout goes, whatever its number"},
	{"pm.max_spawn_rate", NULL, "workers.boot_parallel", "all that are missing start at once, workers.boot_parallel at a time"},
	{"pm.min_spare_servers", take_if_dynamic, "workers.spare", NULL},
	{"pm.process_idle_timeout", take_if_ondemand, "workers.idle_timeout", NULL},
	{"pm.start_servers", take_if_dynamic, "workers.min", NULL},
	{"pm.status_listen", NULL, NULL, FCGIPM_STATUS},
	{"pm.status_path", NULL, NULL, FCGIPM_STATUS},
	{"prefix", take_prefix, NULL, NULL},
	{"process.dumpable", NULL, NULL, "workers are as dumpable as their account makes them"},
	{"process.priority", take_text, "priority.nice", NULL},
	{"request_slowlog_timeout", take_time, "request.slow", NULL},
	{"request_slowlog_trace_depth", NULL, "request.slow", NO_TRACE},
	{"request_terminate_timeout", take_time, "request.timeout", NULL},
	{"request_terminate_timeout_track_finished", NULL, "request.timeout", NO_TRACE},
	{"rlimit_core", take_core, "limits.core", NULL},
	{"rlimit_files", take_text, "limits.nofile", NULL},
	{"security.limit_extensions", NULL, "command", "php-cgi runs what SCRIPT_FILENAME names: let the web server pass these extensions alone"},
	{"slowlog", NULL, "request.slow", NO_TRACE},
	{"user", take_user, "user", NULL},
};
const struct fpm_table fpm_pool_table = {pool_rows, COUNT(pool_rows)};

_Static_assert(COUNT(global_rows) <= FPM_ROWS_MAX && COUNT(pool_rows) <= FPM_ROWS_MAX, "FPM_ROWS_MAX");
