/* The table of settings: one row a key, and the structs that the rows make.  A new setting is one row here and one test.
 *
 * X(key, member, TYPE, default, choices, least, greatest, CLASS, AUDIENCE, STATUS, doc)
 *   key        as in the file, below pools.NAME (or defaults), below exec.NAME, or below manager
 *   default    what the parser reads when the key is not given; a list's items are separated by blanks; NULL: it must be given, or the doc says
 *              what it follows from
 *   choices    "a|b|c" for CHOICE, CHOICE_OR_PATH and SIGNAL, else NULL; one that ends in * is known and refused as "not yet"
 *   least, greatest   of the number: a count, bytes, milliseconds, a mode
 *   CLASS      what a reload does when it differs: LIVE, RECYCLE (replace the workers), REBIND (a new socket too; of manager: start fcgipm anew)
 *              of a profile of the exec broker all are LIVE: for what is run from then on
 *   AUDIENCE   VALUE: the manager knows it; HASH: it knows only that it changed
 *   STATUS     NOW, or NOT_YET: any value but the default is refused
 */
#ifndef FCGIPM_SETTINGS_TABLE_H
#define FCGIPM_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */

/* The C type of each TYPE.  X(TYPE, C type, kind) */
#define SETTINGS_TYPES(X)                                                                                     \
	X(COUNT, uint32_t, NUMBER)                                                                            \
	X(INTEGER, int32_t, NUMBER)                                                                           \
	X(DURATION, int64_t, NUMBER) /* milliseconds */                                                       \
	X(SIZE, uint64_t, NUMBER)    /* bytes */                                                              \
	X(MODE, int32_t, NUMBER)                                                                              \
	X(SIGNAL, int32_t, NUMBER) /* 0: none */                                                              \
	X(SWITCH, bool, NUMBER)                                                                               \
	X(CHOICE, const char *, TEXT)                                                                         \
	X(CHOICE_OR_PATH, const char *, TEXT)                                                                 \
	X(PATH, const char *, TEXT)    /* absolute, or "" for none */                                         \
	X(LISTEN, const char *, TEXT)  /* an absolute path, or host:port with a numeric host */               \
	X(ACCOUNT, const char *, TEXT) /* a user or a group, by name or number */                             \
	X(COMMAND, struct settings_list, LIST)                                                                \
	X(ACCOUNTS, struct settings_list, LIST) /* groups */                                                  \
	X(PEERS, struct settings_list, LIST)    /* users, and groups as @group */                             \
	X(NAMES, struct settings_list, LIST)    /* names of environment variables */                          \
	X(NAME_PATTERNS, struct settings_list, LIST) /* names of environment variables, or PREFIX* */         \
	X(ROOTS, struct settings_list, LIST)    /* absolute paths, patterns by component */                   \
	X(PATTERNS, struct settings_list, LIST) /* of arguments */                                            \
	X(CAPABILITIES, struct settings_list, LIST)                                                           \
	X(ENVIRONMENT, struct settings_list, LIST) /* NAME=VALUE each; a mapping in the file */

#define SETTINGS_YEAR_MS INT64_C(31536000000)
#define SETTINGS_MOST (INT64_C(1) << 60)

#define SETTINGS_MANAGER_ROWS(X)                                                                              \
	X("user", user, ACCOUNT, "fcgipm", NULL, 0, 0, REBIND, VALUE, NOW,                                    \
	  "The account of the manager itself. No pool may use it.")                                           \
	X("runtime_directory", runtime_directory, PATH, NULL, NULL, 0, 0, REBIND, VALUE, NOW,                 \
	  "Where the control socket and the pools' sockets are (RUNTIME). Default: /run/fcgipm, or $XDG_RUNTIME_DIR/fcgipm for an ordinary user.") \
	X("max_workers", max_workers, COUNT, "512", NULL, 1, 1000000, LIVE, VALUE, NOW,                       \
	  "How many workers may run at once, over all pools.")                                                \
	X("control.operators", control_operators, PEERS, "root", NULL, 0, 0, LIVE, VALUE, NOW,                \
	  "Users, or groups as @group, who may change things on the control socket.")                         \
	X("control.observers", control_observers, PEERS, "@adm", NULL, 0, 0, LIVE, VALUE, NOW,                \
	  "Users, or groups as @group, who may read the status.")                                             \
	X("control.frontends", control_frontends, PEERS, "www-data", NULL, 0, 0, LIVE, VALUE, NOW,            \
	  "Users, or groups as @group, who may lease pools.")                                                 \
	X("control.holders", control_holders, PEERS, "root", NULL, 0, 0, LIVE, VALUE, NOW,                    \
	  "Users, or groups as @group, who may hold listening descriptors too. Whoever holds one can shut it down.") \
	X("log.target", log_target, CHOICE_OR_PATH, "stderr", "stderr|syslog|journal", 0, 0, LIVE, VALUE, NOW, \
	  "Where events go: stderr, syslog (/dev/log), the journal of systemd, or the path of a file. If stderr is the journal, events go there with their fields.") \
	X("log.level", log_level, CHOICE, "info", "error|warn|info|debug", 0, 0, LIVE, VALUE, NOW,            \
	  "The least important events that are logged.")                                                      \
	X("log.format", log_format, CHOICE, "logfmt", "logfmt|json", 0, 0, LIVE, VALUE, NOW,                  \
	  "One line an event, as logfmt or as JSON.")

#define SETTINGS_POOL_ROWS(X)                                                                                 \
	X("command", command, COMMAND, NULL, NULL, 0, 0, RECYCLE, HASH, NOW,                                  \
	  "The program, by an absolute path inside the chroot, and its arguments.")                           \
	X("user", user, ACCOUNT, NULL, NULL, 0, 0, RECYCLE, VALUE, NOW,                                       \
	  "The account of the workers, by name or number. Not root, nor an account of fcgipm itself.")        \
	X("group", group, ACCOUNT, NULL, NULL, 0, 0, RECYCLE, VALUE, NOW,                                     \
	  "The group of the workers. Default: the user's primary group.")                                     \
	X("groups", groups, ACCOUNTS, "", NULL, 0, 0, RECYCLE, VALUE, NOW,                                    \
	  "The supplementary groups: exactly these.")                                                         \
	X("chroot", chroot, PATH, "", NULL, 0, 0, RECYCLE, VALUE, NOW,                                        \
	  "The root directory of the workers. Default: none.")                                                \
	X("directory", directory, PATH, "/", NULL, 0, 0, RECYCLE, VALUE, NOW,                                 \
	  "The working directory, inside the chroot.")                                                        \
	X("umask", umask, MODE, "0027", NULL, 0, 0777, RECYCLE, VALUE, NOW,                                   \
	  "The file mode creation mask.")                                                                     \
	X("environment", environment, ENVIRONMENT, "", NULL, 0, 0, RECYCLE, HASH, NOW,                        \
	  "The environment: NAME: VALUE. Beside it there is PATH=/usr/local/bin:/usr/bin:/bin and what inherit_environment names.") \
	X("environment_file", environment_file, PATH, "", NULL, 0, 0, RECYCLE, VALUE, NOW,                    \
	  "A file of NAME=VALUE lines, outside the chroot, read with the account's rights whenever a worker starts; it wins over environment.")                                    \
	X("inherit_environment", inherit_environment, NAMES, "", NULL, 0, 0, RECYCLE, VALUE, NOW,             \
	  "Names that are taken over from the environment of fcgipm itself.")                                 \
	X("listen", listen, LISTEN, NULL, NULL, 0, 0, REBIND, VALUE, NOW,                                     \
	  "A socket's absolute path, 127.0.0.1:9000 or \"[::1]:9000\". Default: RUNTIME/pools/NAME.sock, or RUNTIME/private/NAME.sock.") \
	X("socket.user", socket_user, ACCOUNT, "root", NULL, 0, 0, LIVE, VALUE, NOW,                          \
	  "The owner of the unix socket.")                                                                    \
	X("socket.group", socket_group, ACCOUNT, NULL, NULL, 0, 0, LIVE, VALUE, NOW,                          \
	  "The group of the unix socket. Default: the primary group of the first user in frontends.")         \
	X("socket.mode", socket_mode, MODE, "0660", NULL, 0, 0777, LIVE, VALUE, NOW,                          \
	  "The mode of the unix socket. A private one is 0666, in a directory that nobody else may enter.")   \
	X("socket.private", socket_private, SWITCH, "false", NULL, 0, 1, REBIND, VALUE, NOW,                  \
	  "The socket is reached only through a leased door.")                                                \
	X("frontends", frontends, PEERS, NULL, NULL, 0, 0, LIVE, VALUE, NOW,                                  \
	  "Users, or groups as @group, who may lease this pool. Default: manager.control.frontends.")         \
	X("queue.limit", queue_limit, COUNT, "511", NULL, 1, 65535, LIVE, VALUE, NOW,                         \
	  "How many connections may wait: the backlog of the socket. At most net.core.somaxconn.")            \
	X("queue.timeout", queue_timeout, DURATION, "30s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,       \
	  "How long a frontend lets a request wait before it answers 503; 0 no limit.")                       \
	X("workers.min", workers_min, COUNT, "1", NULL, 0, 4096, LIVE, VALUE, NOW,                            \
	  "The least workers; 0: nothing runs until the first connection.")                                   \
	X("workers.max", workers_max, COUNT, "16", NULL, 1, 4096, LIVE, VALUE, NOW,                           \
	  "The most workers.")                                                                                \
	X("workers.spare", workers_spare, COUNT, "1", NULL, 0, 4096, LIVE, VALUE, NOW,                        \
	  "Idle workers to keep ready above the load.")                                                       \
	X("workers.start", workers_start, CHOICE, "auto", "auto|exec|prefork", 0, 0, RECYCLE, VALUE, NOW,     \
	  "How workers come to be: exec starts the command for each one; prefork starts it once and forks it at its first accept; auto forks where that works.") \
	X("workers.template", workers_template, CHOICE, "drop", "drop|keep", 0, 0, LIVE, VALUE, NOW,          \
	  "What a pool that sleeps (min: 0) does with the process that workers are forked from: keep spares the first request the boot, drop spares the memory.") \
	X("workers.template_lifetime", workers_template_lifetime, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "The process that workers are forked from is followed by a new one when it is so old; 0 never.") \
	X("workers.concurrency", workers_concurrency, COUNT, "1", NULL, 1, 4096, LIVE, VALUE, NOW,            \
	  "Requests that one worker serves at once (threaded applications).")                                 \
	X("workers.idle_timeout", workers_idle_timeout, DURATION, "30s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "A worker that has been surplus for so long is retired; 0 never.")                                  \
	X("workers.boot_timeout", workers_boot_timeout, DURATION, "60s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "A worker that has not come to its first accept after so long is ended; 0 no limit.")               \
	X("workers.boot_parallel", workers_boot_parallel, COUNT, "4", NULL, 1, 4096, LIVE, VALUE, NOW,        \
	  "How many workers may boot at once.")                                                               \
	X("workers.max_requests", workers_max_requests, COUNT, "0", NULL, 0, UINT32_MAX, LIVE, VALUE, NOW, \
	  "A worker is replaced after so many requests; 0 never.")                                            \
	X("workers.max_lifetime", workers_max_lifetime, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "A worker is replaced when it is so old; 0 never.")                                                 \
	X("workers.max_memory", workers_max_memory, SIZE, "0", NULL, 0, SETTINGS_MOST, LIVE, VALUE, NOW,  \
	  "Resident memory at which a worker is replaced between two requests; 0 never.")                     \
	X("request.timeout", request_timeout, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "A worker that works on one request for longer is ended; 0 no limit.")                              \
	X("request.slow", request_slow, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,      \
	  "A request that takes longer is reported; 0 never.")                                                \
	X("request.keep_timeout", request_keep_timeout, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "A worker whose client has kept its connection for so long without a request closes it, if others queue and no worker is idle; 0 never.") \
	X("stop.signal", stop_signal, SIGNAL, "TERM", "TERM|INT|QUIT|HUP|USR1|USR2|WINCH|KILL", 1, 64, LIVE, VALUE, NOW,                          \
	  "The signal that ends an idle worker.")                                                             \
	X("stop.busy_signal", stop_busy_signal, SIGNAL, "none", "none|USR1|TERM", 0, 64, LIVE, VALUE, NOW,                \
	  "For a worker that is never found idle: none, USR1 or TERM.")                                       \
	X("stop.timeout", stop_timeout, DURATION, "10s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,         \
	  "From the signal to SIGKILL; 0 no limit.")                                                          \
	X("restart.delay", restart_delay, DURATION, "100ms", NULL, 1, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,     \
	  "The wait after a crash; it doubles with each crash in a row.")                                     \
	X("restart.max_delay", restart_max_delay, DURATION, "30s", NULL, 1, SETTINGS_YEAR_MS, LIVE, VALUE, NOW, \
	  "The longest wait after a crash.")                                                                  \
	X("restart.give_up_after", restart_give_up_after, COUNT, "0", NULL, 0, 1000000, LIVE, VALUE, NOW,     \
	  "After so many crashes in a row the pool is failed; 0 never.")                                      \
	X("limits.nofile", limits_nofile, COUNT, "1024", NULL, 0, INT32_MAX, RECYCLE, VALUE, NOW,            \
	  "Open files (RLIMIT_NOFILE); 0 inherited.")                                                         \
	X("limits.nproc", limits_nproc, COUNT, "0", NULL, 0, INT32_MAX, RECYCLE, VALUE, NOW,                  \
	  "Processes and threads of the account (RLIMIT_NPROC); 0 inherited.")                                \
	X("limits.core", limits_core, SIZE, "0", NULL, 0, SETTINGS_MOST, RECYCLE, VALUE, NOW,                 \
	  "The size of a core file (RLIMIT_CORE); 0 none.")                                                   \
	X("limits.as", limits_as, SIZE, "0", NULL, 0, SETTINGS_MOST, RECYCLE, VALUE, NOW,                     \
	  "Address space (RLIMIT_AS); 0 inherited.")                                                          \
	X("limits.cpu", limits_cpu, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, RECYCLE, VALUE, NOW,           \
	  "Processor time of one worker (RLIMIT_CPU), rounded up to whole seconds; 0 inherited.")                           \
	X("priority.nice", priority_nice, INTEGER, "0", NULL, -20, 19, RECYCLE, VALUE, NOW,                   \
	  "The nice value.")                                                                                  \
	X("cgroup.memory_max", cgroup_memory_max, SIZE, "0", NULL, 0, SETTINGS_MOST, LIVE, VALUE, NOT_YET,    \
	  "memory.max of the pool's cgroup; 0 no limit.")                                                     \
	X("cgroup.pids_max", cgroup_pids_max, COUNT, "0", NULL, 0, INT32_MAX, LIVE, VALUE, NOT_YET,           \
	  "pids.max of the pool's cgroup; 0 no limit.")                                                       \
	X("cgroup.cpu_weight", cgroup_cpu_weight, COUNT, "0", NULL, 0, 10000, LIVE, VALUE, NOT_YET,           \
	  "cpu.weight of the pool's cgroup; 0 inherited.")                                                    \
	X("sandbox.no_new_privileges", sandbox_no_new_privileges, SWITCH, "true", NULL, 0, 1, RECYCLE, VALUE, NOW, \
	  "No program gains rights by its mode. It stops setgid sendmail: turn it off where mail() needs that.") \
	X("sandbox.capabilities", sandbox_capabilities, CAPABILITIES, "", NULL, 0, 0, RECYCLE, VALUE, NOW,    \
	  "Capabilities that the workers keep, as ambient ones.")                                             \
	X("output", output, CHOICE_OR_PATH, "log", "log|null", 0, 0, RECYCLE, VALUE, NOW,                     \
	  "What becomes of what a worker writes to its descriptors 1 and 2: log, null, or the path of a file.")

#define SETTINGS_PROFILE_ROWS(X)                                                                              \
	X("roots", roots, ROOTS, NULL, NULL, 0, 0, LIVE, VALUE, NOW,                                          \
	  "Where the programs are: absolute paths, inside the chroot, compared component by component; in a component *, ? and [...] stand for names, and never for a slash. A root that is a program admits that one alone.") \
	X("user", user, ACCOUNT, "owner", NULL, 0, 0, LIVE, VALUE, NOW,                                       \
	  "As whom the programs run: an account, by name or number, or the word owner: each as the account and group that it belongs to. Not root, nor an account of fcgipm itself.") \
	X("group", group, ACCOUNT, "", NULL, 0, 0, LIVE, VALUE, NOW,                                        \
	  "The group that they run in. Default: the user's primary group. Not together with user: owner.")    \
	X("groups", groups, ACCOUNTS, "", NULL, 0, 0, LIVE, VALUE, NOW,                                       \
	  "The supplementary groups: exactly these. Not together with user: owner.")                          \
	X("clients", clients, PEERS, "www-data", NULL, 0, 0, LIVE, VALUE, NOW,                                \
	  "Users, or groups as @group, who may have programs run. For an ordinary user's fcgipm the default is himself.") \
	X("worker_clients", worker_clients, SWITCH, "false", NULL, 0, 1, LIVE, VALUE, NOW,                    \
	  "Whether processes that descend from fcgipm's own workers or runs are among the clients, too. They are refused otherwise, whatever their account.") \
	X("outlives_client", outlives_client, SWITCH, "false", NULL, 0, 1, LIVE, VALUE, NOW,                  \
	  "A program goes on when its client goes.")                                                          \
	X("leaves_descendants", leaves_descendants, SWITCH, "false", NULL, 0, 1, LIVE, VALUE, NOW,            \
	  "What a program has started may stay when it ends. It is ended with it otherwise, also in a session of its own.") \
	X("file_owner", file_owner, CHOICE, "run_or_root", "run|root|run_or_root|any", 0, 0, LIVE, VALUE, NOW, \
	  "Whose a program may be: of the account that it runs as, root's, either, or anybody's.")            \
	X("file_group", file_group, CHOICE, "any", "any|run", 0, 0, LIVE, VALUE, NOW,                         \
	  "Which group a program may belong to: any, or only the one that it runs in.")                       \
	X("min_uid", min_uid, COUNT, "1000", NULL, 1, INT32_MAX, LIVE, VALUE, NOW,                            \
	  "No program runs as an account below. Where this is not given, an account that user names lowers it to its own number.") \
	X("min_gid", min_gid, COUNT, "100", NULL, 1, INT32_MAX, LIVE, VALUE, NOW,                             \
	  "No program runs in a group below. Where this is not given, the group of an account that user names lowers it to its own number.") \
	X("chroot", chroot, PATH, "", NULL, 0, 0, LIVE, VALUE, NOW,                                           \
	  "The root directory of the programs. Scripts need /proc in it. Default: none.")                     \
	X("directory", directory, PATH, "", NULL, 0, 0, LIVE, VALUE, NOW,                                     \
	  "The working directory, inside the chroot. Default: the client's word, or else the directory of the program.") \
	X("umask", umask, MODE, "0022", NULL, 0, 0777, LIVE, VALUE, NOW,                                      \
	  "The file mode creation mask.")                                                                     \
	X("environment", environment, ENVIRONMENT, "", NULL, 0, 0, LIVE, HASH, NOW,                           \
	  "Set in any case, whatever the client says: NAME: VALUE. Beside it there is PATH=/usr/local/bin:/usr/bin:/bin and what the client gives of the variables that are let through.") \
	X("environment_allow", environment_allow, NAME_PATTERNS, "", NULL, 0, 0, LIVE, VALUE, NOW,            \
	  "Names of variables that a client may give beside HTTP_*, SSL_* and suexec's list (docs/exec.md has it), or PREFIX*. Never those of the loader, LD_*.") \
	X("arguments.max", arguments_max, COUNT, "64", NULL, 0, 1023, LIVE, VALUE, NOW,                       \
	  "How many arguments a client may give behind the program.")                                         \
	X("arguments.allow", arguments_allow, PATTERNS, "", NULL, 0, 0, LIVE, VALUE, NOW,                     \
	  "Patterns with *, ? and [...]: each argument must match one of them. Default: any argument is permitted.") \
	X("limits.nofile", limits_nofile, COUNT, "1024", NULL, 0, INT32_MAX, LIVE, VALUE, NOW,                \
	  "Open files (RLIMIT_NOFILE); 0 inherited.")                                                         \
	X("limits.nproc", limits_nproc, COUNT, "0", NULL, 0, INT32_MAX, LIVE, VALUE, NOW,                     \
	  "Processes and threads of the account (RLIMIT_NPROC); 0 inherited.")                                \
	X("limits.core", limits_core, SIZE, "0", NULL, 0, SETTINGS_MOST, LIVE, VALUE, NOW,                    \
	  "The size of a core file (RLIMIT_CORE); 0 none.")                                                   \
	X("limits.as", limits_as, SIZE, "0", NULL, 0, SETTINGS_MOST, LIVE, VALUE, NOW,                        \
	  "Address space (RLIMIT_AS); 0 inherited.")                                                          \
	X("limits.cpu", limits_cpu, DURATION, "0s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,              \
	  "Processor time of one process (RLIMIT_CPU), rounded up to whole seconds; 0 inherited.")                          \
	X("priority.nice", priority_nice, INTEGER, "0", NULL, -20, 19, LIVE, VALUE, NOW,                      \
	  "The nice value.")                                                                                  \
	X("sandbox.no_new_privileges", sandbox_no_new_privileges, SWITCH, "true", NULL, 0, 1, LIVE, VALUE, NOW, \
	  "No program gains rights by its mode. It stops setgid sendmail: turn it off where programs need that.") \
	X("sandbox.capabilities", sandbox_capabilities, CAPABILITIES, "", NULL, 0, 0, LIVE, VALUE, NOW,       \
	  "Capabilities that the programs keep, as ambient ones.")                                            \
	X("timeout", timeout, DURATION, "60s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,                   \
	  "A program that runs for longer is ended; 0 no limit.")                                             \
	X("stop.timeout", stop_timeout, DURATION, "3s", NULL, 0, SETTINGS_YEAR_MS, LIVE, VALUE, NOW,          \
	  "A program that is to end gets SIGTERM; so long afterwards SIGKILL; 0 no limit.")                   \
	X("max_running", max_running, COUNT, "64", NULL, 1, 4096, LIVE, VALUE, NOW,                           \
	  "How many programs of the profile run at once.")                                                    \
	X("queue.limit", queue_limit, COUNT, "511", NULL, 0, 65535, LIVE, VALUE, NOW,                         \
	  "How many more requests wait for their turn, in order. Beyond that the answer is busy, at once.")

/* A list of texts, none of them NULL.  hash tells two lists apart: 0, it is that of the items; else conf made it of what the items come to (the
 * whole environment, the groups' numbers).  A list that the manager may not know arrives as its hash alone, with count 0. */
struct settings_list {
	uint32_t count;
	char **items;
	uint64_t hash;
};

/* Who may do a thing, resolved. */
struct settings_ids {
	uint32_t count;
	uint32_t *ids;
};
struct settings_acl {
	struct settings_ids uids, gids;
};

#define SETTINGS_TYPE_NAME(type, c_type, kind) typedef c_type settings_type_##type;
SETTINGS_TYPES(SETTINGS_TYPE_NAME)
#define SETTINGS_MEMBER(key, member, type, ...) settings_type_##type member;

/* Texts are never NULL in a complete struct: "" is none. */
struct pool_settings {
	SETTINGS_POOL_ROWS(SETTINGS_MEMBER)
	/* What conf found out about it: */
	const char *name;
	const char *user_name; /* "alice", or "1000" for a number without a name */
	uint32_t uid, gid;
	struct settings_acl frontends_acl;
};

/* Of a profile conf alone knows the settings: what it makes of them is in the spec. */
struct profile_settings {
	SETTINGS_PROFILE_ROWS(SETTINGS_MEMBER)
};

struct manager_settings {
	SETTINGS_MANAGER_ROWS(SETTINGS_MEMBER)
	const char *user_name;
	uint32_t uid, gid;
	struct settings_acl operators_acl, observers_acl, frontends_acl, holders_acl;
};

#endif
