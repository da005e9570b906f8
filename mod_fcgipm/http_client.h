/* The connection to the client, below httpd's filters (runs in httpd). */
#ifndef MOD_FCGIPM_HTTP_CLIENT_H
#define MOD_FCGIPM_HTTP_CLIENT_H

#include <httpd.h>
#include <stdbool.h>

/* The client's socket; -1: it has none of its own (a stream of HTTP/2). */
int http_client_fd(const request_rec *r);
/* What poll(2) says of it: it has gone, or httpd itself has closed the socket, as it does when it is told to end at once.  One whose body is still read is left to
 * the reader. */
bool http_client_has_left(short events, bool reads_body);
/* Writes what httpd's core has kept for it, as far as the socket takes it without waiting. */
void http_client_write(conn_rec *c);

#endif
