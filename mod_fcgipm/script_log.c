/* ScriptLog (runs in httpd's children).  The same file as mod_cgi's, entry by entry: one that is longer than ScriptLogLength gets nothing more. */
#include "mod_fcgipm/script_log.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

#include "mod_fcgipm/config.h"

enum { OUTPUT_MAX = 8192 };

static apr_file_t *open_log(request_rec *r)
{
	const struct server_config *c = config_of_server(r->server);
	apr_finfo_t info;
	apr_file_t *f;

	if (c->script_log == NULL)
		return NULL;
	if (apr_stat(&info, c->script_log, APR_FINFO_SIZE, r->pool) == APR_SUCCESS && info.size > c->script_log_length)
		return NULL;
	return apr_file_open(&f, c->script_log, APR_FOPEN_APPEND | APR_FOPEN_WRITE | APR_FOPEN_CREATE, APR_OS_DEFAULT, r->pool) == APR_SUCCESS ? f : NULL;
}

/* %% [Wed Jun 19 10:53:21 1996] GET /cgi-bin/printenv HTTP/1.0
 * %% 500 /usr/local/apache/cgi-bin/printenv */
static void begin_entry(apr_file_t *f, request_rec *r, int status)
{
	char now[APR_CTIME_LEN];

	apr_ctime(now, apr_time_now());
	apr_file_printf(f, "%%%% [%s] %s %s%s%s %s\n", now, r->method, r->uri, r->args != NULL ? "?" : "", r->args != NULL ? r->args : "", r->protocol);
	apr_file_printf(f, "%%%% %d %s\n", status, r->filename);
}

void script_log_error(request_rec *r, int status, const char *text, size_t len)
{
	apr_file_t *f = open_log(r);

	if (f == NULL)
		return;
	begin_entry(f, r, status);
	apr_file_printf(f, "%%error\n%.*s\n", (int)len, text);
	apr_file_close(f);
}

struct script_log *script_log_begin(request_rec *r)
{
	const struct server_config *c = config_of_server(r->server);
	struct script_log *log;

	if (c->script_log == NULL)
		return NULL;
	log = apr_pcalloc(r->pool, sizeof(*log));
	log->r = r;
	log->body_max = (size_t)c->script_log_buffer;
	log->body = apr_palloc(r->pool, log->body_max + 1);
	log->output = apr_palloc(r->pool, OUTPUT_MAX);
	return log;
}

static void keep(char *to, size_t *len, size_t max, const char *bytes, size_t n)
{
	if (n > max - *len)
		n = max - *len;
	memcpy(to + *len, bytes, n);
	*len += n;
}

void script_log_body(struct script_log *log, const char *bytes, size_t len)
{
	if (log != NULL)
		keep(log->body, &log->body_len, log->body_max, bytes, len);
}

void script_log_output(struct script_log *log, const char *bytes, size_t len)
{
	if (log != NULL)
		keep(log->output, &log->output_len, OUTPUT_MAX, bytes, len);
}

static void write_fields(apr_file_t *f, const apr_table_t *fields)
{
	const apr_array_header_t *all = apr_table_elts(fields);

	for (int i = 0; i < all->nelts; i++) {
		const apr_table_entry_t *e = &APR_ARRAY_IDX(all, i, apr_table_entry_t);

		if (e->key != NULL)
			apr_file_printf(f, "%s: %s\n", e->key, e->val);
	}
}

/* The line at which the head came to its end: the first that is no field.  mod_cgi has it in the place of the head, and what is behind it as the output. */
static size_t bad_line(const struct script_log *log, size_t *ret_len)
{
	size_t at = 0;

	while (at < log->output_len) {
		const char *line = log->output + at, *end = memchr(line, '\n', log->output_len - at);
		size_t n = end != NULL ? (size_t)(end - line) : log->output_len - at;

		if (memchr(line, ':', n) == NULL || end == NULL) {
			*ret_len = n;
			return at;
		}
		at += n + 1;
	}
	*ret_len = 0;
	return at;
}

void script_log_failed(const struct script_log *log, int status)
{
	apr_file_t *f = log != NULL ? open_log(log->r) : NULL;
	size_t line_len, at, rest;

	if (f == NULL)
		return;
	begin_entry(f, log->r, status);
	apr_file_puts("%request\n", f);
	write_fields(f, log->r->headers_in);
	if (log->body_len > 0)
		apr_file_printf(f, "\n%.*s\n", (int)log->body_len, log->body);
	apr_file_puts("%response\n", f);
	write_fields(f, log->r->err_headers_out);
	at = bad_line(log, &line_len);
	if (line_len > 0)
		apr_file_printf(f, "%.*s\n", (int)line_len, log->output + at);
	at += line_len;
	rest = log->output_len > at + 1 ? log->output_len - at - 1 : 0;
	if (rest > 0)
		apr_file_printf(f, "%%stdout\n%.*s\n", (int)rest, log->output + at + 1);
	apr_file_close(f);
}
