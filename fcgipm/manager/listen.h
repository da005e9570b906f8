/* A pool's listening socket: asked for, checked, renewed. */
#ifndef FCGIPM_MANAGER_LISTEN_H
#define FCGIPM_MANAGER_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

struct listener;
struct manager;
struct pool;
struct wire_dgram;

/* Asks for the listener of the candidate while a transition is at that, else of the current spec.  renew: it was found shut down. */
void listen_bind(struct pool *p, bool renew);
/* From descriptors of d: {listener} or {listener, door}.  NULL: there is none, or no memory. */
struct listener *listener_new(struct manager *m, struct wire_dgram *d, uint32_t generation, const char *address);
/* True when both are the same socket. */
bool listener_same(const struct listener *a, const struct listener *b);
/* When somebody has shut the listener down it is bound anew, and true is returned. */
bool listener_check(struct pool *p);
/* Removes the socket's name; what is queued is still served. */
void listen_withdraw(struct pool *p, struct listener *li);

#endif
