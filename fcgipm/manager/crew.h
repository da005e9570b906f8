/* Workers: started, moved through their states (pool/worker.h). */
#ifndef FCGIPM_MANAGER_CREW_H
#define FCGIPM_MANAGER_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/manager/service.h"

struct wire_worker;
struct wire_dgram;

/* Asks for one more of the wanted kind.  False: no memory. */
bool worker_start(struct pool *p);
/* Asks for one more of the kind that is being replaced, from its template.  False: there is none, or no memory. */
bool worker_start_old(struct pool *p);
/* Asks for a template of the wanted kind. */
void template_start(struct pool *p);
struct worker *manager_worker(struct manager *m, uint64_t id);
/* One that the manager before us had. */
bool worker_adopt(struct pool *p, const struct wire_worker *m, struct wire_dgram *d);
/* The only place where a worker's state moves. */
void worker_happened(struct worker *w, enum worker_event event);
void worker_free(struct worker *w);

#endif
