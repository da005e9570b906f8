/* What a frontend and the manager agree upon beside the messages themselves: names, places, limits, exit codes. */
#ifndef FCGIPM_PROTOCOL_H
#define FCGIPM_PROTOCOL_H

#define FCGIPM_VERSION "0.1.0"

/* Where things are when nothing else is said. */
#define FCGIPM_CONFIG_FILE    "/etc/fcgipm/pools.yaml"
#define FCGIPM_CONTROL_SOCKET "/run/fcgipm/control.sock"

/* A pool's name: [a-z0-9][a-z0-9._-]{0,62}, optionally @ and an instance of the same form. */
#define FCGIPM_POOL_NAME_MAX 126

/* How the command line ends; the manager answers requests with the same numbers. */
enum fcgipm_exit {
	FCGIPM_EXIT_DONE = 0,
	FCGIPM_EXIT_NO = 1, /* the answer is no: unknown pool, refused, it did not work */
	FCGIPM_EXIT_USAGE = 2, /* the command was not understood */
	FCGIPM_EXIT_NO_MANAGER = 3, /* nobody answers at the control socket */
	FCGIPM_EXIT_CONFIG = 78 /* bad configuration (EX_CONFIG) */
};

#endif
