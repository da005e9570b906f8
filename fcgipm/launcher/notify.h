/* sd_notify(3) without the library: one datagram to $NOTIFY_SOCKET. */
#ifndef FCGIPM_LAUNCHER_NOTIFY_H
#define FCGIPM_LAUNCHER_NOTIFY_H

enum { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };

/* Without NOTIFY_SOCKET nothing happens. */
void notify_supervisor(int what);

#endif
