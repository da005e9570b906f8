/* The parameters of a request: CGI/1.1 (RFC 3875) as a web server would send them. */
#ifndef FCGIPM_CLI_REQUEST_PARAMS_H
#define FCGIPM_CLI_REQUEST_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_role { REQUEST_RESPONDER = 1, REQUEST_AUTHORIZER = 2, REQUEST_FILTER = 3 }; /* as on the wire */
enum { REQUEST_PARAMS_MAX = 320 };

struct request_param {
	char *name, *value;
};

struct request_params {
	struct request_param list[REQUEST_PARAMS_MAX];
	size_t count;
	bool failed; /* memory, or too many */
};

/* What they are made of. */
struct request_about {
	enum request_role role;
	const char *method;
	const char *target; /* PATH or PATH?QUERY */
	bool script; /* PATH is a file: the script; else a route inside the application */
	bool has_body;
	int64_t body_bytes;
	int64_t data_bytes, data_mtime; /* filter */
};

void request_params_init(struct request_params *p, const struct request_about *about);
/* Adds, or overrides what is there. */
void request_params_set(struct request_params *p, const char *name, const char *value);
void request_params_remove(struct request_params *p, const char *name);
const char *request_params_get(const struct request_params *p, const char *name); /* NULL: not there */
void request_params_fini(struct request_params *p);

#endif
