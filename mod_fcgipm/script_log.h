/* ScriptLog: what went wrong with CGI programs, in mod_cgi's format (runs in httpd's children). */
#ifndef MOD_FCGIPM_SCRIPT_LOG_H
#define MOD_FCGIPM_SCRIPT_LOG_H

#include <httpd.h>
#include <stddef.h>

/* What a request has said and was told, as far as the log is to have it. */
struct script_log {
	request_rec *r;
	size_t body_len, body_max, output_len;
	char *body, *output;
};

/* NULL: there is no ScriptLog. */
struct script_log *script_log_begin(request_rec *r);
/* log may be NULL. */
void script_log_body(struct script_log *log, const char *bytes, size_t len);
void script_log_output(struct script_log *log, const char *bytes, size_t len);
/* The answer was none: all of it, with the request. */
void script_log_failed(const struct script_log *log, int status);
/* A line of standard error, or why nothing was run. */
void script_log_error(request_rec *r, int status, const char *text, size_t len);

#endif
