/* What httpd's configuration says (runs in httpd). */
#ifndef MOD_FCGIPM_CONFIG_H
#define MOD_FCGIPM_CONFIG_H

#include <httpd.h>
#include <ap_expr.h>
#include <apr_tables.h>
#include <http_config.h>
#include <stdbool.h>

#include "mod_fcgipm/stderr.h"

struct brokers;
struct counters;
struct lessor;
struct pool_counters;

enum flush_mode { FLUSH_UNSET, FLUSH_AUTO, FLUSH_ON, FLUSH_OFF };

struct server_config {
	const char *control; /* FcgipmControl; NULL: that of the main server, else FCGIPM_CONTROL_SOCKET */
	struct lessor *lessor; /* set when the configuration has been read */
	struct brokers *brokers; /* ... too */
	struct counters *counters; /* ... too */
	bool local_permitted; /* httpd may run programs itself; ... too */
	const char *script_log; /* ScriptLog and its bounds, as mod_cgi has them; NULL: none */
	apr_off_t script_log_length;
	int script_log_buffer;
};

/* Of the exec broker, as the configuration names it.  What changes is each child's own, and any thread's. */
struct exec_profile {
	const char *name;
	bool local; /* httpd runs programs itself */
	struct stderr_source errors;
	struct pool_counters *counters; /* NULL: not looked up yet */
	int32_t waiting; /* requests that hold a thread for it */
};

/* FcgipmExtFilter */
struct ext_filter {
	struct exec_profile *profile; /* NULL: off */
	const char *const *argv;
	const char *intype, *outtype; /* NULL: any; as it is */
	const char *enable_env, *disable_env; /* NULL: whatever there is */
};

struct dir_config {
	const ap_expr_info_t *pool; /* FcgipmPool; NULL: SetHandler names it */
	apr_interval_time_t timeout; /* FcgipmTimeout; -1: the server's Timeout */
	int max_waiting; /* FcgipmMaxWaiting; 0: no bound; -1: unset */
	enum flush_mode flush;
	const char *chroot_prefix; /* FcgipmChroot; NULL: the pool's own */
	apr_array_header_t *sendfile; /* of const char *: roots, without a slash at their end */
	const char *authenticator, *authorizer, *access_checker; /* pools */
	const char *filter;
	struct exec_profile *exec; /* FcgipmExecProfile */
	const struct ext_filter *ext_filter;
};

extern const command_rec config_commands[];
void *config_server_make(apr_pool_t *p, server_rec *s);
void *config_server_merge(apr_pool_t *p, void *base, void *add);
void *config_dir_make(apr_pool_t *p, char *dir);
void *config_dir_merge(apr_pool_t *p, void *base, void *add);

/* [a-z0-9][a-z0-9._-]{0,62}, perhaps with @ and an instance of the same form. */
bool config_is_pool_name(const char *s);
/* The pool named by a handler "fcgipm:NAME"; NULL: it is none of ours. */
const char *config_handler_pool(const char *handler);

/* FcgipmExecProfile is set somewhere: programs are ours to run. */
bool config_has_profiles(void);

struct server_config *config_of_server(const server_rec *s);
const struct dir_config *config_of(const request_rec *r);
apr_interval_time_t config_timeout(const request_rec *r);

#endif
