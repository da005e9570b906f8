/* The connection to the client, below httpd's filters (runs in httpd). */
#ifndef MOD_FCGIPM_HTTP_CLIENT_H
#define MOD_FCGIPM_HTTP_CLIENT_H

#include <httpd.h>

/* The client's socket; -1: it has none of its own (a stream of HTTP/2). */
int http_client_fd(const request_rec *r);
/* Writes what httpd's core has kept for it, as far as the socket takes it without waiting. */
void http_client_write(conn_rec *c);

#endif
