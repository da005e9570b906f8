/* A pool's scoreboard: the launcher makes it when the first worker is started, hands it on, and looks at one line when that worker's request is to be cut. */
#ifndef FCGIPM_LAUNCHER_BOARD_H
#define FCGIPM_LAUNCHER_BOARD_H

#include <stdbool.h>
#include <stdint.h>

struct launcher;
struct pool;

/* The descriptors are -1 as long as there is none. */
struct board_fds {
	int memory; /* sealed: it keeps its size, so that nobody who has mapped it is hurt */
	int bell; /* the workers' end, by which they wake the manager */
	int heard; /* the manager's end */
};

#define BOARD_FDS_NONE ((struct board_fds){-1, -1, -1})

/* Makes it, and tells the manager.  0 or -errno. */
int board_make(struct launcher *l, struct pool *p);
void board_close(struct board_fds *b);
/* As its worker says, who may write what it likes. */
bool board_is_busy_since(const struct board_fds *b, uint32_t slot, int64_t since_ns);
/* Empties a line, for a new worker. */
void board_clear(const struct board_fds *b, uint32_t slot);

#endif
