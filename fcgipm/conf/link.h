/* conf's side of wire/conf.h. */
#ifndef FCGIPM_CONF_LINK_H
#define FCGIPM_CONF_LINK_H

/* Serves one load on the socket, from START to RESULT.  environment: what inherit_environment takes from.  0 or -errno: the peer is gone or
 * does not keep the protocol. */
int conf_serve(int sock, char *const *environment);

#endif
