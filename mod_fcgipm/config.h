/* What httpd's configuration says (runs in httpd). */
#ifndef MOD_FCGIPM_CONFIG_H
#define MOD_FCGIPM_CONFIG_H

#include <httpd.h>
#include <ap_expr.h>
#include <apr_tables.h>
#include <http_config.h>
#include <stdbool.h>

struct lessor;

enum flush_mode { FLUSH_UNSET, FLUSH_AUTO, FLUSH_ON, FLUSH_OFF };

struct server_config {
	const char *control; /* FcgipmControl; NULL: that of the main server, else FCGIPM_CONTROL_SOCKET */
	struct lessor *lessor; /* set when the configuration has been read */
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

struct server_config *config_of_server(const server_rec *s);
const struct dir_config *config_of(const request_rec *r);
apr_interval_time_t config_timeout(const request_rec *r);

#endif
