/* Where the manager's control socket is. */
#ifndef FCGIPM_CLI_WHERE_H
#define FCGIPM_CLI_WHERE_H

#include <stdbool.h>
#include <stddef.h>

/* What decides it. */
struct where {
	const char *socket; /* -s, or NULL */
	const char *config; /* -c, or NULL */
	const char *runtime; /* $XDG_RUNTIME_DIR of an ordinary user, or NULL */
	/* The control socket that a configuration names: conf --find-control.  0 or -errno. */
	int (*find)(const char *config, char *buf, size_t cap);
};

/* The path, in buf.  -s; else what the file of -c says; without both an ordinary user's own manager, if its socket is
 * there, then what /etc/fcgipm/pools.yaml says; FCGIPM_CONTROL_SOCKET where nothing says anything. */
const char *where_control(const struct where *w, char *buf, size_t cap);

/* As this process was started. */
struct where where_from_environment(const char *socket, const char *config);

#endif
