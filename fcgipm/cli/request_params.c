/* The parameters of a request (command line): what CGI/1.1 asks for, what PHP and the authorizer and filter roles need.
 */
#include "fcgipm/cli/request_params.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/fcgipm/protocol.h"

static struct request_param *find(const struct request_params *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return (struct request_param *)(uintptr_t)&p->list[i];
	return NULL;
}

static void put(struct request_params *p, const char *name, char *value)
{
	struct request_param *there = find(p, name);
	char *copy;

	if (value != NULL && there != NULL) {
		free(there->value);
		there->value = value;
		return;
	}
	copy = strdup(name);
	if (value == NULL || copy == NULL || p->count == REQUEST_PARAMS_MAX) {
		p->failed = true;
		free(copy);
		free(value);
		return;
	}
	p->list[p->count++] = (struct request_param){.name = copy, .value = value};
}

void request_params_set(struct request_params *p, const char *name, const char *value)
{
	put(p, name, strdup(value));
}

static void set_number(struct request_params *p, const char *name, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	request_params_set(p, name, text);
}

void request_params_remove(struct request_params *p, const char *name)
{
	struct request_param *there = find(p, name);

	if (there == NULL)
		return;
	free(there->name);
	free(there->value);
	*there = p->list[--p->count];
}

const char *request_params_get(const struct request_params *p, const char *name)
{
	const struct request_param *there = find(p, name);

	return there != NULL ? there->value : NULL;
}

static void set_server(struct request_params *p, const struct request_about *about)
{
	request_params_set(p, "GATEWAY_INTERFACE", "CGI/1.1");
	request_params_set(p, "SERVER_SOFTWARE", "fcgipm/" FCGIPM_VERSION);
	request_params_set(p, "SERVER_PROTOCOL", "HTTP/1.1");
	request_params_set(p, "SERVER_NAME", "localhost");
	request_params_set(p, "SERVER_ADDR", "127.0.0.1");
	request_params_set(p, "SERVER_PORT", "80");
	request_params_set(p, "REMOTE_ADDR", "127.0.0.1");
	request_params_set(p, "REMOTE_PORT", "0");
	request_params_set(p, "REQUEST_SCHEME", "http");
	request_params_set(p, "HTTP_HOST", "localhost");
	request_params_set(p, "REQUEST_METHOD", about->method);
	request_params_set(p, "REDIRECT_STATUS", "200"); /* php-cgi serves nothing without it (cgi.force_redirect) */
}

static void set_target(struct request_params *p, const struct request_about *about)
{
	size_t len = strcspn(about->target, "?");
	const char *query = about->target[len] == '?' ? about->target + len + 1 : "";

	request_params_set(p, "REQUEST_URI", about->target);
	request_params_set(p, "QUERY_STRING", query);
	put(p, "SCRIPT_FILENAME", strndup(about->target, len));
	put(p, "SCRIPT_NAME", strndup(about->target, about->script ? len : 0));
	put(p, "PATH_INFO", strndup(about->target, about->script ? 0 : len));
}

static void set_bodies(struct request_params *p, const struct request_about *about)
{
	set_number(p, "CONTENT_LENGTH", about->body_bytes);
	if (about->has_body)
		request_params_set(p, "CONTENT_TYPE", "application/x-www-form-urlencoded");
	if (about->role != REQUEST_FILTER)
		return;
	set_number(p, "FCGI_DATA_LENGTH", about->data_bytes);
	set_number(p, "FCGI_DATA_LAST_MOD", about->data_mtime);
}

void request_params_init(struct request_params *p, const struct request_about *about)
{
	/* FastCGI specification, 6.3: what an authorizer is not sent. */
	static const char *const not_authorizer[] = {"CONTENT_LENGTH", "PATH_INFO", "PATH_TRANSLATED", "SCRIPT_NAME"};

	p->count = 0;
	p->failed = false;
	set_server(p, about);
	set_target(p, about);
	set_bodies(p, about);
	for (size_t i = 0; about->role == REQUEST_AUTHORIZER && i < sizeof(not_authorizer) / sizeof(not_authorizer[0]); i++)
		request_params_remove(p, not_authorizer[i]);
}

void request_params_fini(struct request_params *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i].name);
		free(p->list[i].value);
	}
	p->count = 0;
}
