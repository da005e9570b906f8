/* Closing a socket in whose queue somebody else's descriptors may lie.  They are closed with it, and how long that takes is the word of whoever sent them: a TCP
 * socket lingers (SO_LINGER) in the process that closes it last.  So that is a child's part, one for many. */
#ifndef FCGIPM_LAUNCHER_WASTE_H
#define FCGIPM_LAUNCHER_WASTE_H

#include "fcgipm/launcher/loop.h"

enum { WASTE_MAX = 64, WASTE_PAUSE_MS = 50 };

struct launcher;

/* Sockets that wait for a child to close them. */
struct waste {
	int fds[WASTE_MAX];
	unsigned count;
	struct loop_timer timer;
};

/* Closes *fd and sets it to -1.  Nothing more can be sent to it; what had been is thrown away elsewhere. */
void waste_socket(struct launcher *l, int *fd);

#endif
