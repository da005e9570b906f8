/* What root will run: one pool's spec, as conf writes it and the launcher (and look) reads it.  The launcher believes nothing of it:
 * it decodes it within bounds and holds it against the floors (spec_floors) before it uses any of it.
 */
#ifndef FCGIPM_SPEC_SPEC_H
#define FCGIPM_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/wire/cursor.h"

/* A settings blob must fit a datagram to the manager, with what stands beside it. */
enum { SPEC_SETTINGS_MAX = 24 << 10 };
enum { SPEC_NAME_MAX = 126, SPEC_PATH_MAX = 4095, SPEC_ARGS_MAX = 1024, SPEC_GROUPS_MAX = 256, SPEC_LIMITS = 5, SPEC_UNIX_PATH_MAX = 107 };

enum spec_listen { SPEC_LISTEN_UNIX, SPEC_LISTEN_TCP };
enum spec_output { SPEC_OUTPUT_LOG, SPEC_OUTPUT_NULL, SPEC_OUTPUT_FILE };
/* The order of spec_pool.limits; SPEC_LIMIT_INHERIT leaves one as it is. */
enum spec_limit { SPEC_LIMIT_NOFILE, SPEC_LIMIT_NPROC, SPEC_LIMIT_CORE, SPEC_LIMIT_AS, SPEC_LIMIT_CPU };
#define SPEC_LIMIT_INHERIT UINT64_MAX

struct spec_pool {
	const char *name;
	uint32_t uid, gid;
	uint32_t group_count;
	uint32_t groups[SPEC_GROUPS_MAX]; /* exactly the supplementary ones */
	const char **argv; /* NULL-terminated; argv[0] is the executable, absolute inside the chroot */
	const char **envp; /* NULL-terminated NAME=VALUE */
	const char *environment_file; /* absolute, outside the chroot; "" none */
	const char *chroot; /* "" none */
	const char *directory; /* absolute inside the chroot; "/" by default */
	uint32_t umask;
	uint64_t limits[SPEC_LIMITS];
	int32_t nice;
	uint64_t capabilities; /* bit set of what is kept, as ambient capabilities */
	bool no_new_privileges;
	uint8_t listen; /* enum spec_listen */
	const char *address; /* an absolute path, or host:port with a numeric host, [::1]:9000 */
	bool private_socket; /* in RUNTIME/private, reached by a door */
	uint32_t socket_uid, socket_gid, socket_mode;
	uint32_t backlog;
	uint32_t max_workers;
	int32_t stop_signal, busy_signal; /* busy_signal 0: none */
	uint64_t stop_timeout_ms; /* 0: no limit */
	uint8_t output; /* enum spec_output */
	const char *output_path;
};

/* Where the file says it: for messages about what only the account's own rights can show. */
enum spec_origin {
	SPEC_ORIGIN_POOL,
	SPEC_ORIGIN_COMMAND,
	SPEC_ORIGIN_USER,
	SPEC_ORIGIN_CHROOT,
	SPEC_ORIGIN_DIRECTORY,
	SPEC_ORIGIN_LISTEN,
	SPEC_ORIGIN_OUTPUT,
	SPEC_ORIGIN_ENVIRONMENT_FILE,
	SPEC_ORIGIN_COUNT
};
struct spec_place {
	uint32_t file; /* index into spec_file.files */
	uint32_t line, column;
};

/* One pool of a spec file. The blobs are compared byte by byte to tell whether a reload changed the pool. */
struct spec_entry {
	const char *name;
	struct wire_blob pool; /* spec_pool_encode; for the launcher and look alone */
	struct wire_blob settings; /* settings blob; for the manager */
	struct spec_place places[SPEC_ORIGIN_COUNT];
};

/* The manager-wide part. */
struct spec_manager {
	const char *user; /* manager.user, resolved: */
	uint32_t uid, gid;
	const char *runtime_directory;
	uint32_t max_workers;
	const char *log_target; /* "stderr", "syslog", "journal" or a path */
	uint8_t log_level, log_format; /* enum fp_log_level, enum fp_log_format */
	struct wire_blob settings; /* settings blob of manager.*, for the manager */
};

/* A sealed spec: u32 magic, u32 version, the manager part, u32 files, their names, u32 pools, the entries in order of name, u32 profiles, their blobs. */
struct spec_file {
	struct spec_manager manager;
	uint32_t file_count;
	const char **files;
	uint32_t pool_count;
	struct spec_entry *pools;
	uint32_t profile_count;
	struct wire_blob *profiles; /* spec_profile_encode, in order of name */
	void *arena; /* what spec_file_free frees */
};

/* Writers for conf: encode into w (whose badness says that it did not fit). */
void spec_pool_encode(struct wire_wr *w, const struct spec_pool *p);
void spec_file_encode(struct wire_wr *w, const struct spec_file *f);

/* Readers: bounded, all or nothing.  Texts and blobs point into bytes, which must outlive the result.
 * 0, -EBADMSG (malformed: err says what) or -ENOMEM. */
int spec_file_decode(const void *bytes, size_t len, struct spec_file *ret, struct fp_err *err);
void spec_file_free(struct spec_file *f);
/* argv and envp are allocated in one piece; free with spec_pool_free. */
int spec_pool_decode(struct wire_blob bytes, struct spec_pool *ret, struct fp_err *err);
void spec_pool_free(struct spec_pool *p);

/* What no spec may ask for, whoever wrote it.  own_*: the accounts of manager and conf; ordinary_uid: (uint32_t)-1, or the ordinary
 * user as whom everything must run. */
struct spec_floors {
	uint32_t manager_uid, manager_gid, conf_uid, conf_gid;
	uint32_t ordinary_uid;
	const char *runtime_directory;
};
/* 0, or -EPERM with the floor's name in err: "uid 0", "gid 0", "fcgipm's own account", "supplementary group 0", "executable is not absolute", ... */
int spec_check_floors(const struct spec_pool *p, const struct spec_floors *f, struct fp_err *err);

/* [a-z0-9][a-z0-9._-]{0,62}, optionally "@" and an instance of the same form, of at most 62. */
bool spec_name_ok(const char *name);

/* Absolute, at most SPEC_PATH_MAX bytes, no "." or ".." or empty component, no control byte; "/" is one. */
bool spec_path_ok(const char *path);

/* Where root itself may create and append to a file that a spec names (output, log target): strictly below /var/log.  Anywhere else only the
 * account's own rights open it: bytes that a worker chooses, appended by root to a file that conf chooses, would be root's. */
bool spec_log_path_ok(const char *path);

/* Capabilities that a pool may keep: those that do not amount to root (bit set). */
extern const uint64_t spec_capabilities_allowed;

/* "127.0.0.1:9000", "[::1]:9000".  port is in host order, 1 to 65535.  0 or -EINVAL. */
struct spec_tcp {
	int family; /* AF_INET or AF_INET6 */
	uint8_t host[16]; /* the first 4 or all 16 bytes */
	uint16_t port;
};
int spec_tcp_parse(const char *text, struct spec_tcp *ret);

/* ---- profiles of the exec broker ---- */

enum { SPEC_ROOTS_MAX = 256, SPEC_WORDS_MAX = 1024, SPEC_CLIENTS_MAX = 4096, SPEC_RUNNING_MAX = 4096 };

/* Whose a program may be: of the account that it runs as, root's, either, or anybody's. */
enum spec_file_owner { SPEC_FILE_OF_RUN, SPEC_FILE_OF_ROOT, SPEC_FILE_OF_RUN_OR_ROOT, SPEC_FILE_OF_ANY };

struct spec_ids {
	uint32_t count;
	const uint32_t *ids;
};

/* What the broker may run for whom.  Lists of texts are NULL-terminated. */
struct spec_profile {
	const char *name; /* as a pool's, without "@"; never "local" */
	const char **roots; /* absolute; a component may be a pattern (fnmatch(3)); one that names a file admits that file alone */
	uint32_t max_arguments; /* behind the program */
	const char **arguments; /* patterns: each argument must match one; none: any */
	const char **allow; /* names of variables beyond those of CGI, or PREFIX* */
	const char **envp; /* set in any case, NAME=VALUE */
	bool owner; /* it runs as the program's owner and in its group; else as uid and gid, groups */
	uint32_t uid, gid;
	struct spec_ids groups;
	uint8_t file_owner; /* enum spec_file_owner */
	bool file_group; /* the program must be of the group that it runs in */
	uint32_t min_uid, min_gid; /* at least 1 */
	struct spec_ids client_uids, client_gids;
	bool worker_clients; /* clients may descend from workers */
	bool outlives_client; /* a client that goes does not end its run */
	bool leaves_descendants; /* what it left running stays when it ends */
	const char *chroot; /* "" none */
	const char *directory; /* "" the client's word, or that of the program */
	uint32_t umask;
	uint64_t limits[SPEC_LIMITS];
	int32_t nice;
	uint64_t capabilities;
	bool no_new_privileges;
	uint64_t timeout_ms, stop_timeout_ms; /* of the run, 0: no limit; from SIGTERM to SIGKILL */
	uint32_t max_running, queue_limit; /* queue_limit: how many may wait beside those that run; 0 none */
	void *arena; /* what spec_profile_free frees */
};

/* As a pool's without "@", and not "local". */
bool spec_profile_name_ok(const char *name);

void spec_profile_encode(struct wire_wr *w, const struct spec_profile *p);
/* As spec_pool_decode: texts and ids point into bytes or the arena; bytes must outlive the result. */
int spec_profile_decode(struct wire_blob bytes, struct spec_profile *ret, struct fp_err *err);
void spec_profile_free(struct spec_profile *p);
/* As spec_check_floors: "uid 0", "gid 0", "group 0", "id -1", "fcgipm's own account", "fcgipm's own group", "min_uid is 0", "min_gid is 0", "no root", "a root is no absolute path",
 * "a root is /", "a capability that amounts to root", "LD_ variables", "chroot is no absolute path", "directory is no absolute path", "another account than the ordinary user's".  With owner,
 * uid and gid are not looked at: the broker holds them against min_uid, min_gid and fcgipm's accounts when it knows them. */
int spec_check_profile_floors(const struct spec_profile *p, const struct spec_floors *f, struct fp_err *err);
/* Absolute, as spec_path_ok, and patterns in it are well-formed: no "[" without "]", no "\\", none that matches "/" (fnmatch(3) with FNM_PATHNAME).  "/" alone is none. */
bool spec_root_ok(const char *root);

#endif
