/* The end of a worker or template. */
#ifndef FCGIPM_MANAGER_ENDING_H
#define FCGIPM_MANAGER_ENDING_H

#include "fcgipm/manager/service.h"

struct wire_exited;

/* The launcher has said so; w is freed. */
void worker_exited(struct worker *w, const struct wire_exited *m);

#endif
