/* The connection to the client, below httpd's filters (runs in httpd). */
#ifndef MOD_FCGIPM_HTTP_CLIENT_H
#define MOD_FCGIPM_HTTP_CLIENT_H

#include <httpd.h>
#include <stdbool.h>

/* The client's socket; -1: it has none of its own (a stream of HTTP/2), or httpd has closed it. */
int http_client_fd(const request_rec *r);
/* When httpd is told to end at once it closes its clients' sockets below who waits with one, and poll(2) does not wake up from that: it is to be called again after
 * so long, with what http_client_fd() says then. */
enum { HTTP_CLIENT_LOOK_MS = 1000 };
/* What poll(2) says of its socket, or httpd: it has gone.  One whose body is still read is left to the reader. */
bool http_client_has_left(const request_rec *r, short events, bool reads_body);
/* Writes what httpd's core has kept for it, as far as the socket takes it without waiting. */
void http_client_write(conn_rec *c);

#endif
