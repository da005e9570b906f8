/* Clients' connections (runs in httpd). */
#include "mod_fcgipm/http_client.h"

#include <apr_portable.h>
#include <http_core.h>
#include <poll.h>
#include <util_filter.h>

/* NULL: a stream of HTTP/2, or a connection of another kind. */
static apr_socket_t *socket_of(const request_rec *r)
{
	return r->connection->master == NULL ? ap_get_conn_socket(r->connection) : NULL;
}

int http_client_fd(const request_rec *r)
{
	apr_socket_t *s = socket_of(r);
	apr_os_sock_t fd = -1;

	if (s != NULL && apr_os_sock_get(&fd, s) != APR_SUCCESS)
		fd = -1;
	return fd;
}

bool http_client_has_left(const request_rec *r, short events, bool reads_body)
{
	bool closed = (events & POLLNVAL) != 0 || (socket_of(r) != NULL && http_client_fd(r) < 0);

	return closed || (!reads_body && (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0) || r->connection->aborted;
}

/* As the MPM does it when a connection can be written: the last filter is the core's, and no brigade means what it has. */
void http_client_write(conn_rec *c)
{
	ap_filter_t *f = c->output_filters;

	while (f->next != NULL)
		f = f->next;
	if (f->frec->filter_func.out_func(f, NULL) != APR_SUCCESS)
		c->aborted = 1;
}
