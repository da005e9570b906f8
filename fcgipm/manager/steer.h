/* Steering: whatever has happened to a pool, this brings it one step nearer to what is wanted.  It runs once at the end of a turn of the loop for each
 * pool that was touched, looks only at the pool's state, and may be called as often as one likes. */
#ifndef FCGIPM_MANAGER_STEER_H
#define FCGIPM_MANAGER_STEER_H

#include <stdint.h>

struct manager;
struct pool;

void steer_init(struct manager *m);
void steer_fini(struct manager *m);
void steer_forget(struct pool *p);
/* Retires that many of its workers, whoever is found idle first. */
void steer_give(struct pool *p, uint32_t count);
/* All pools. */
void steer_all(struct manager *m);

#endif
