/* Every directive of mod_fcgid: one row (command line).  After modules/fcgid/mod_fcgid.c and docs/manual/mod/mod_fcgid.html of mod_fcgid 2.3.9; a
 * test holds the rows against what the module itself knows. */
#include "fcgipm/import/fcgid.h"

#include <string.h>
#include <strings.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void take_text(struct fcgid *f, const struct fcgid_value *v)
{
	draft_set(&f->draft, v->row->key, v->words[0]);
}

static void take_seconds(struct fcgid *f, const struct fcgid_value *v)
{
	draft_set(&f->draft, v->row->key, keep_printf(&f->draft.keep, "%ss", v->words[0]));
}

static void take_least(struct fcgid *f, const struct fcgid_value *v)
{
	if (draft_set(&f->draft, v->row->key, v->words[0]) && strcmp(v->words[0], "0") != 0)
		draft_note(&f->draft, v->row->key, "mod_fcgid keeps so many once they run; fcgipm starts them at once");
}

/* Both 0 and -1 are for ever. */
static void take_requests(struct fcgid *f, const struct fcgid_value *v)
{
	if (strcmp(v->words[0], "0") != 0 && strcmp(v->words[0], "-1") != 0)
		take_text(f, v);
}

static void take_total(struct fcgid *f, const struct fcgid_value *v)
{
	f->draft.part = &f->draft.manager;
	take_text(f, v);
	f->draft.part = &f->draft.defaults;
}

#define NO_SCAN  "nothing is scanned: fcgipm waits for events"
#define NO_SCORE "a worker that crashes is started again after restart.delay, which doubles up to restart.max_delay"
#define FRONTEND "it is the web server's: "
#define BODIES   FRONTEND "bodies stream, and LimitRequestBody bounds them"
#define ONE_ROLE FRONTEND "Require and its containers decide"

/* clang-format off */
static const struct fcgid_row rows[] = {
	{"FcgidAccessChecker", "FastCgiAccessChecker", FCGID_COMMAND, NULL, NULL, "FcgipmAccessChecker "},
	{"FcgidAccessCheckerAuthoritative", "FastCgiAccessCheckerAuthoritative", FCGID_LOST, NULL, NULL, ONE_ROLE},
	{"FcgidAuthenticator", "FastCgiAuthenticator", FCGID_COMMAND, NULL, NULL, "FcgipmAuthenticator "},
	{"FcgidAuthenticatorAuthoritative", "FastCgiAuthenticatorAuthoritative", FCGID_LOST, NULL, NULL, ONE_ROLE},
	{"FcgidAuthorizer", "FastCgiAuthorizer", FCGID_COMMAND, NULL, NULL, "FcgipmAuthorizer "},
	{"FcgidAuthorizerAuthoritative", "FastCgiAuthorizerAuthoritative", FCGID_LOST, NULL, NULL, ONE_ROLE},
	{"FcgidBusyScanInterval", "BusyScanInterval", FCGID_LOST, NULL, NULL, NO_SCAN},
	{"FcgidBusyTimeout", "BusyTimeout", FCGID_KEY, take_seconds, "request.timeout", NULL},
	{"FcgidCmdOptions", NULL, FCGID_OPTIONS, NULL, NULL, NULL},
	{"FcgidConnectTimeout", "IPCConnectTimeout", FCGID_LOST, NULL, "queue.timeout", "a request waits in the queue, queue.timeout at most; workers.boot_timeout bounds the start of a worker"},
	{"FcgidErrorScanInterval", "ErrorScanInterval", FCGID_LOST, NULL, NULL, NO_SCAN},
	{"FcgidFixPathinfo", "PHP_Fix_Pathinfo_Enable", FCGID_LOST, NULL, NULL, FRONTEND "cgi.fix_pathinfo of php.ini, and what the web server sends as SCRIPT_FILENAME and PATH_INFO"},
	{"FcgidIdleScanInterval", "IdleScanInterval", FCGID_LOST, NULL, NULL, NO_SCAN},
	{"FcgidIdleTimeout", "IdleTimeout", FCGID_KEY, take_seconds, "workers.idle_timeout", NULL},
	{"FcgidInitialEnv", "DefaultInitEnv", FCGID_ENVIRONMENT, NULL, "environment", NULL},
	{"FcgidIOTimeout", "IPCCommTimeout", FCGID_LOST, NULL, NULL, FRONTEND "FcgipmTimeout, or ProxyTimeout"},
	{"FcgidIPCDir", "SocketPath", FCGID_LOST, NULL, NULL, "sockets are in manager.runtime_directory, or where a pool's listen says"},
	{"FcgidMaxProcesses", "MaxProcessCount", FCGID_KEY, take_total, "max_workers", NULL},
	{"FcgidMaxProcessesPerClass", "DefaultMaxClassProcessCount", FCGID_KEY, take_text, "workers.max", NULL},
	{"FcgidMaxRequestInMem", "MaxRequestInMem", FCGID_LOST, NULL, NULL, BODIES},
	{"FcgidMaxRequestLen", "MaxRequestLen", FCGID_LOST, NULL, NULL, BODIES},
	{"FcgidMaxRequestsPerProcess", "MaxRequestsPerProcess", FCGID_KEY, take_requests, "workers.max_requests", NULL},
	{"FcgidMinProcessesPerClass", "DefaultMinClassProcessCount", FCGID_KEY, take_least, "workers.min", NULL},
	{"FcgidOutputBufferSize", "OutputBufferSize", FCGID_LOST, NULL, NULL, FRONTEND "answers stream"},
	{"FcgidPassHeader", "PassHeader", FCGID_LOST, NULL, NULL, FRONTEND "SetEnvIf or CGIPassAuth"},
	{"FcgidProcessLifeTime", "ProcessLifeTime", FCGID_KEY, take_seconds, "workers.max_lifetime", NULL},
	{"FcgidProcessTableFile", "SharememPath", FCGID_LOST, NULL, NULL, "there is no table in a file"},
	{"FcgidSpawnScore", "SpawnScore", FCGID_LOST, NULL, NULL, NO_SCORE},
	{"FcgidSpawnScoreUpLimit", "SpawnScoreUpLimit", FCGID_LOST, NULL, NULL, NO_SCORE},
	{"FcgidTerminationScore", "TerminationScore", FCGID_LOST, NULL, NULL, NO_SCORE},
	{"FcgidTimeScore", "TimeScore", FCGID_LOST, NULL, NULL, NO_SCORE},
	{"FcgidWin32PreventOrphans", NULL, FCGID_LOST, NULL, NULL, "Windows has it"},
	{"FcgidWrapper", "FCGIWrapper", FCGID_COMMAND, NULL, NULL, NULL},
	{"FcgidZombieScanInterval", "ZombieScanInterval", FCGID_LOST, NULL, NULL, NO_SCAN},
};

static const struct fcgid_row option_rows[] = {
	{"ConnectTimeout", NULL, FCGID_LOST, NULL, "queue.timeout", "a request waits in the queue, queue.timeout at most; workers.boot_timeout bounds the start of a worker"},
	{"IdleTimeout", NULL, FCGID_KEY, take_seconds, "workers.idle_timeout", NULL},
	{"InitialEnv", NULL, FCGID_ENVIRONMENT, NULL, "environment", NULL},
	{"IOTimeout", NULL, FCGID_LOST, NULL, NULL, FRONTEND "FcgipmTimeout, or ProxyTimeout"},
	{"MaxProcesses", NULL, FCGID_KEY, take_text, "workers.max", NULL},
	{"MaxProcessLifetime", NULL, FCGID_KEY, take_seconds, "workers.max_lifetime", NULL},
	{"MaxRequestsPerProcess", NULL, FCGID_KEY, take_requests, "workers.max_requests", NULL},
	{"MinProcesses", NULL, FCGID_KEY, take_least, "workers.min", NULL},
};
/* clang-format on */

const struct fcgid_table fcgid_table = {rows, COUNT(rows)}, fcgid_option_table = {option_rows, COUNT(option_rows)};

_Static_assert(COUNT(rows) <= FCGID_ROWS_MAX, "FCGID_ROWS_MAX");

const struct fcgid_row *fcgid_row_of(const struct fcgid_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcasecmp(t->rows[i].name, name) == 0 || (t->rows[i].old_name != NULL && strcasecmp(t->rows[i].old_name, name) == 0))
			return &t->rows[i];
	return NULL;
}
