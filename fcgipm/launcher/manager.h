/* The manager's process: started, watched, started again. */
#ifndef FCGIPM_LAUNCHER_MANAGER_H
#define FCGIPM_LAUNCHER_MANAGER_H

#include <stdint.h>

struct launcher;

/* Starts it now. */
void manager_start(struct launcher *l);
/* A message of its that was refused: counted, logged within bounds, answered with code. */
void manager_refuse(struct launcher *l, const char *reason, const char *what, uint32_t seq, int code);

#endif
